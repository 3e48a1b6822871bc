//! Black-box tests: each starts the binary in a folder of its own.
#![cfg(test)]

mod commands;
mod losses;
mod sales;
mod support;
