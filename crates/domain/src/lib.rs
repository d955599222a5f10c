//! The rules of buying in instalments.
#![no_std]
extern crate alloc;
