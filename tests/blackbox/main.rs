//! Black-box tests: each starts the binary in a folder of its own.
#![cfg(test)]

mod backups;
mod bundles;
mod certificates;
mod commands;
mod completing;
mod doctor;
mod dump;
mod engines;
mod far;
mod losses;
mod mail;
mod metrics;
mod nodes;
mod object_server;
mod picks;
mod sales;
mod service;
mod shares;
mod shipping;
mod spaces;
mod ssh_server;
mod support;
mod targets;
mod upgrades;
mod upgrades_by_root;
mod upgrades_service;
mod volumes;
