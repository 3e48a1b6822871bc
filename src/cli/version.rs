//! `kontor version`: which build this is and which formats it reads and writes.

use crate::cli::failure::Failure;
use crate::cli::out::Out;
use serde_json::json;

/// Says which version this is.
#[derive(clap::Args)]
#[command(after_help = "Example:
  kontor version --json

Prints the version, the platform, and the formats of the disk and the wire. Opens no appliance.
Exit codes: 0.")]
pub(crate) struct VersionArgs {
    /// One line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &VersionArgs, out: &mut Out) -> Result<u8, Failure> {
    let version = crate::appliance::upgrade::running().to_string();
    let platform = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let objects = metadata::shipped().len();
    // Without release keys it trusts no bundle.
    let keys = upgrade::compiled_keys().ok().flatten();
    let keys = keys.map(|keys| json!({"epoch": keys.epoch, "keys": keys.numbers()}));
    if args.json {
        out.json(
            &json!({"name": "kontor", "version": version, "platform": platform, "api": "v1", "objects": objects, "release_keys": keys}),
        )?;
    } else {
        out.line(format!("kontor {version} ({platform}), API v1, {objects} shipped objects"));
    }
    Ok(0)
}
