//! Tests of sets, streams, engines and volumes; one program, so that they share their parts.
#![cfg(test)]

mod carrying;
mod engines;
mod parts;
mod sets;
mod shipping;
mod volumes;
