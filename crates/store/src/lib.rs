//! fenqi-store
