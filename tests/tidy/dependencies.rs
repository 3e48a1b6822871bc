//! What deny.toml says about dependencies, enforced without cargo-deny: licences, one registry and no git, exact versions
//! with a reason, no second version of a crate without one. It cannot know published advisories; cargo-deny does.

use crate::licence;
use crate::tree::{self, metadata, packages, read, text};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// One package that is compiled on this platform, for the product or its tests.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    version: String,
    licence: String,
}

/// What is really compiled. (`cargo metadata` would also list what no enabled feature asks for.)
fn compiled() -> BTreeSet<Package> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--workspace",
            "--offline",
            "--edges",
            "normal,build,dev",
            "--prefix",
            "none",
            "--format",
            "{p}|{l}|",
        ])
        .current_dir(tree::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let found: BTreeSet<Package> = String::from_utf8_lossy(&output.stdout).lines().filter_map(package).collect();
    assert!(found.len() > 50, "cargo tree named only {} packages", found.len());
    found
}

/// A line such as `ring v0.17.14|Apache-2.0 AND ISC| (*)`.
fn package(line: &str) -> Option<Package> {
    let mut parts = line.split('|');
    let mut words = parts.next()?.split_whitespace();
    let name = words.next()?.to_owned();
    let version = words.next()?.trim_start_matches('v').to_owned();
    Some(Package { name, version, licence: parts.next()?.to_owned() })
}

/// The quoted texts of `key = [ … ]` in a section of deny.toml; of a table, its first text.
fn listed(deny: &str, section: &str, key: &str) -> Vec<String> {
    let head = format!("[{section}]");
    let start = format!("{key} = [");
    let lines = deny.lines().skip_while(|line| *line != head).skip(1).take_while(|line| !line.starts_with('['));
    let list: Vec<&str> = lines.skip_while(|line| !line.starts_with(&start)).take_while(|line| *line != "]").collect();
    assert!(!list.is_empty(), "deny.toml has no list {key} in [{section}]");
    list.iter().skip(1).filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
}

#[test]
fn every_licence_is_allowed() {
    let allowed = listed(&read("deny.toml"), "licenses", "allow");
    let refused: Vec<String> = compiled()
        .iter()
        .filter(|package| !licence::is_met(&package.licence, &allowed))
        .map(|package| {
            format!("{} {}: licence `{}` is not met by deny.toml", package.name, package.version, package.licence)
        })
        .collect();
    crate::none(&refused);
}

#[test]
fn no_crate_comes_twice_without_a_reason() {
    let compiled = compiled();
    crate::none(&duplicates(&compiled, &listed(&read("deny.toml"), "bans", "skip")));
}

fn duplicates(compiled: &BTreeSet<Package>, skips: &[String]) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in compiled {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let mut offences = Vec::new();
    for skip in skips {
        let (name, version) = skip.split_once('@').unwrap_or((skip, ""));
        let known = versions.get_mut(name);
        let needed = known.as_ref().is_some_and(|known| known.len() > 1 && known.contains(&version));
        match known {
            Some(known) if needed => known.retain(|other| *other != version),
            _ => offences.push(format!("deny.toml skips {skip}, which is no second version any more; remove the line")),
        }
    }
    let twice = versions.iter().filter(|(_, versions)| versions.len() > 1);
    offences.extend(twice.map(|(name, versions)| {
        format!("{name} comes as {}; choose one, or skip the older in deny.toml with a reason", versions.join(" and "))
    }));
    offences
}

#[test]
fn one_registry_and_no_git() {
    let lock = read("Cargo.lock");
    let sources: BTreeSet<&str> = lock.lines().filter_map(|line| line.strip_prefix("source = ")).collect();
    assert_eq!(sources.len(), 1, "Cargo.lock names more than one source: {sources:?}");
    assert!(sources.iter().all(|source| source.starts_with("\"registry+https://")), "{sources:?}");
}

#[test]
fn every_version_is_exact() {
    let answer = metadata(&["--no-deps"]);
    let mut offences = Vec::new();
    for package in packages(&answer) {
        for dependency in package["dependencies"].as_array().unwrap() {
            if dependency["path"].is_null() && !text(dependency, "req").starts_with('=') {
                let (name, version) = (text(dependency, "name"), text(dependency, "req"));
                offences.push(format!("{}: {name} {version} is not exact (`=`)", text(package, "name")));
            }
        }
    }
    crate::none(&offences);
}

#[test]
fn every_dependency_has_a_reason() {
    crate::none(&unexplained(&read("Cargo.toml")));
}

/// Lines of `[workspace.dependencies]` that are neither ours (a path) nor exact and explained.
fn unexplained(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let mut offences = Vec::new();
    for line in lines.take_while(|line| !line.starts_with('[')) {
        let ours = line.contains("path = \"src/");
        if line.trim().is_empty() || line.starts_with('#') || ours {
            continue;
        }
        let name = line.split_whitespace().next().unwrap_or_default();
        let (declaration, reason) = line.rsplit_once(" # ").unwrap_or((line, ""));
        if reason.trim().len() < 4 {
            offences.push(format!("Cargo.toml: {name} has no reason behind ` # `"));
        }
        if !declaration.contains("\"=") {
            offences.push(format!("Cargo.toml: {name} is not exact (`\"=x.y.z\"`)"));
        }
    }
    offences
}

#[test]
fn members_take_their_versions_from_the_workspace() {
    let mut offences = Vec::new();
    for file in tree::files().iter().filter(|file| file.is("/Cargo.toml")) {
        let text = file.text().unwrap_or_default();
        let dependencies = text.lines().skip_while(|line| !line.contains("dependencies]"));
        for line in dependencies.filter(|line| line.contains(" = ") && !line.trim_start().starts_with('#')) {
            if line.contains("version") || line.contains("git =") || line.contains(" = \"") {
                offences.push(format!("{}: `{line}`: write `.workspace = true`", file.path));
            }
        }
    }
    crate::none(&offences);
}

#[test]
fn bad_dependencies_are_seen() {
    let manifest = "[workspace.dependencies]\nkernel = { path = \"src/kernel\" }\na = \"=1.0.0\" # reads a format\nb = \"1.0\" # reads a format\nc = \"=1.0.0\"\n[x]\nd = \"2\"\n";
    let offences = unexplained(manifest);
    assert!(
        offences.len() == 2 && offences[0].contains(": b is not exact") && offences[1].contains(": c has no reason"),
        "{offences:?}"
    );

    let compiled: BTreeSet<Package> =
        ["a v1.0.0|MIT|", "a v2.0.0|MIT| (*)", "b v1.0.0|MIT|", "c v1.0.0|MIT|", "c v2.0.0|MIT|"]
            .into_iter()
            .filter_map(package)
            .collect();
    let offences = duplicates(&compiled, &["a@1.0.0".to_owned(), "b@1.0.0".to_owned()]);
    assert!(
        offences.len() == 2 && offences[0].contains("skips b@1.0.0") && offences[1].contains("c comes as"),
        "{offences:?}"
    );
}
