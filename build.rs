//! Lists what the binary is built from, for `kontor advisories`: the crates of Cargo.lock that are reached from the package `kontor`
//! without those of its tests. It takes the lock file for what it is: Cargo has checked it before.

use std::collections::BTreeSet;
use std::{env, error::Error, fs, path::PathBuf};

struct Package {
    version: String,
    /// From the registry, not from this workspace.
    foreign: bool,
    dependencies: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let lock = here.join("Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let packages = packages(&fs::read_to_string(&lock)?);
    let mut found = BTreeSet::new();
    let mut open = vec!["kontor".to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(key) = open.pop() {
        let (name, version) = key.split_once(' ').map_or((key.as_str(), None), |(name, version)| (name, Some(version)));
        for (of, package) in packages.iter().filter(|(of, _)| of == name) {
            if version.is_some_and(|version| version != package.version)
                || !seen.insert((of.clone(), package.version.clone()))
            {
                continue;
            }
            if package.foreign {
                found.insert(format!("{of} {}", package.version));
            }
            let built = if package.foreign { None } else { Some(built_in(&here, of)?) };
            let wanted = |one: &&String| {
                built.as_ref().is_none_or(|built| built.contains(one.split(' ').next().unwrap_or_default()))
            };
            open.extend(package.dependencies.iter().filter(wanted).cloned());
        }
    }
    let text: String = found.iter().map(|line| format!("{line}\n")).collect();
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("dependencies.txt"), text)?;
    Ok(())
}

fn packages(lock: &str) -> Vec<(String, Package)> {
    let value = |line: &str| line.split('"').nth(1).unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for block in lock.split("[[package]]").skip(1) {
        let line = |start: &str| block.lines().find(|line| line.starts_with(start)).map(value);
        let dependencies =
            block.split_once("dependencies = [").map(|(_, rest)| rest.split(']').next().unwrap_or_default());
        let package = Package {
            version: line("version").unwrap_or_default(),
            foreign: line("source").is_some(),
            dependencies: dependencies.unwrap_or_default().lines().map(value).filter(|name| !name.is_empty()).collect(),
        };
        found.push((line("name").unwrap_or_default(), package));
    }
    found
}

/// What a crate of this workspace is built from, as its manifest has it; names by which the lock file knows them.
fn built_in(here: &std::path::Path, name: &str) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let path = if name == "kontor" { here.join("Cargo.toml") } else { here.join("src").join(name).join("Cargo.toml") };
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read_to_string(&path)?;
    let mut section = "";
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section == "[dependencies]" || section == "[build-dependencies]" {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            found.insert(name.to_owned());
        }
    }
    found.remove("");
    Ok(found)
}
