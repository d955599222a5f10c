//! fenqi-connect
