//! The crate that connects to machines of others, beside `notify` the only one, and only to those that the operator has named as
//! targets of backup sets. What it carries is sealed before it comes here. It trusts the one authority or host key of the configuration,
//! follows no redirect, uses no proxy, and sends nothing about the appliance but the sets themselves.

mod s3;
mod secret;
mod sftp;

pub use s3::{S3Settings, S3Target};
pub use sftp::{SftpSettings, SftpTarget};
