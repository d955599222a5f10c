//! fenqi-web
