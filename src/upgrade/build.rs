//! Puts the release keys into the binary: the file that KONTOR_RELEASE_KEYS names when a release is built. Without it there are none.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=KONTOR_RELEASE_KEYS");
    let out = PathBuf::from(env::var("OUT_DIR")?).join("release-keys.json");
    let named = env::var_os("KONTOR_RELEASE_KEYS").filter(|name| !name.is_empty()).map(PathBuf::from);
    let text = match named {
        Some(path) => {
            println!("cargo::rerun-if-changed={}", path.display());
            fs::read_to_string(&path).map_err(|error| format!("KONTOR_RELEASE_KEYS: {}: {error}", path.display()))?
        }
        None => String::new(),
    };
    fs::write(out, text)?;
    Ok(())
}
