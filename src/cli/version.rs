//! `kontor version`: which build this is and which formats it reads and writes.

use crate::cli::failure::Failure;
use crate::cli::out::Out;
use serde_json::{Value as Json, json};

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

/// The platform that it was built for.
fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// What is to be known of a build.
pub(crate) fn facts() -> Json {
    let version = crate::appliance::upgrade::running().to_string();
    // Without release keys it trusts no bundle.
    let keys = upgrade::compiled_keys().ok().flatten();
    let keys = keys.map(|keys| json!({"epoch": keys.epoch, "keys": keys.numbers()}));
    json!({"name": "kontor", "version": version, "platform": platform(), "api": "v1", "objects": metadata::shipped().len(),
        "release_keys": keys})
}

pub(crate) fn run(args: &VersionArgs, out: &mut Out) -> Result<u8, Failure> {
    let (version, objects, platform) = (crate::appliance::upgrade::running(), metadata::shipped().len(), platform());
    if args.json {
        out.json(&facts())?;
    } else {
        out.line(format!("kontor {version} ({platform}), API v1, {objects} shipped objects"));
    }
    Ok(0)
}
