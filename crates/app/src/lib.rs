//! fenqi-app

pub mod ports;
