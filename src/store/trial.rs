//! Further steps of the schema for tests of upgrades: the folder that KONTOR_TRIAL_STEPS names holds `NNNN_name/sqlite.sql` and
//! `postgres.sql`. In builds with debug assertions only; never in a release.

use crate::migrate::Migration;
use std::path::Path;
use std::sync::OnceLock;

const VARIABLE: &str = "KONTOR_TRIAL_STEPS";

/// The released steps and those of the folder behind them.
pub(crate) fn steps(released: &'static [Migration]) -> &'static [Migration] {
    static STEPS: OnceLock<Vec<Migration>> = OnceLock::new();
    STEPS.get_or_init(|| {
        let more = std::env::var_os(VARIABLE).map(|folder| read(Path::new(&folder))).unwrap_or_default();
        released.iter().cloned().chain(more).collect()
    })
}

/// A step lives as long as the process.
fn read(folder: &Path) -> Vec<Migration> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let step = |name: String| {
        let text = |engine: &str| -> Option<&'static str> {
            Some(Box::leak(std::fs::read_to_string(folder.join(&name).join(engine)).ok()?.into_boxed_str()))
        };
        let (sqlite, postgres) = (text("sqlite.sql")?, text("postgres.sql")?);
        let (number, word) = name.split_once('_')?;
        Some(Migration {
            number: number.parse().ok()?,
            name: Box::leak(word.to_owned().into_boxed_str()),
            sqlite,
            postgres,
        })
    };
    names.into_iter().filter_map(step).collect()
}
