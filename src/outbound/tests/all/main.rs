//! Tests of targets on other machines against real ones; one program, so that they share their parts.
#![cfg(test)]

#[path = "../../../../tests/blackbox/object_server.rs"]
mod object_server;
mod parts;
mod servers;
#[path = "../../../../tests/blackbox/ssh_server.rs"]
mod ssh_server;
mod stores;
