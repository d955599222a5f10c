//! fenqi-app
