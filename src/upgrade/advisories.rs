//! Published advisories against the list of dependencies of a build, off-line. The versions are told as the Rust advisory database
//! tells them: which are patched, which never had the fault. A version that cannot be read counts as concerned.

use crate::BundleError;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

/// Most advisories of a file.
const ADVISORIES_MAX: usize = 100_000;

/// A crate that a build was made from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The list that a build carries: `name version` a line.
pub fn dependencies_in(list: &str) -> Vec<Dependency> {
    let dependency = |line: &str| {
        let (name, version) = line.split_once(' ')?;
        Some(Dependency { name: name.to_owned(), version: version.to_owned() })
    };
    list.lines().filter_map(dependency).collect()
}

/// One published advisory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its id, such as `RUSTSEC-2024-0001`.
    pub id: String,
    /// The crate.
    #[serde(rename = "crate")]
    pub package: String,
    /// Versions that have the mend.
    #[serde(default)]
    pub patched: Vec<String>,
    /// Versions that never had the fault.
    #[serde(default)]
    pub unaffected: Vec<String>,
    /// How bad it is, in the words of the database; empty when it says nothing.
    #[serde(default)]
    pub severity: String,
    /// What it is about.
    pub title: String,
    /// Where to read on.
    #[serde(default)]
    pub link: String,
}

/// What was known at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisories {
    /// When the database was read.
    pub made_at: String,
    /// Which database, and as of which of its changes.
    pub source: String,
    /// All of it.
    pub advisories: Vec<Advisory>,
}

impl Advisories {
    /// Reads a file of advisories.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &str) -> Result<Self, BundleError> {
        let wrong = |what: String| BundleError::malformed(format!("the advisories: {what}"));
        let read: Self = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if read.advisories.len() > ADVISORIES_MAX {
            return Err(wrong(format!("more than {ADVISORIES_MAX}")));
        }
        Ok(read)
    }

    /// Those that concern one of these dependencies.
    pub fn concerning<'a>(&'a self, dependencies: &'a [Dependency]) -> Vec<(&'a Advisory, &'a Dependency)> {
        let of = |advisory: &'a Advisory| {
            let concerned = move |dependency: &&'a Dependency| advisory.concerns(dependency);
            dependencies.iter().filter(concerned).map(move |dependency| (advisory, dependency))
        };
        self.advisories.iter().flat_map(of).collect()
    }
}

impl Advisory {
    fn concerns(&self, dependency: &Dependency) -> bool {
        if self.package != dependency.name {
            return false;
        }
        let Ok(version) = Version::parse(&dependency.version) else { return true };
        let holds = |text: &String| VersionReq::parse(text).is_ok_and(|req| req.matches(&version));
        !self.patched.iter().chain(&self.unaffected).any(holds)
    }
}
