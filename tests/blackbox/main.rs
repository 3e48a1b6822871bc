//! Black-box tests: each starts the binary in a folder of its own.
#![cfg(test)]

mod backups;
mod commands;
mod losses;
mod sales;
mod support;
