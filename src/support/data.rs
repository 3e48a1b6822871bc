//! What of database, log, backups and folder goes into a support bundle: versions, states, counts and sizes. No row of a record is
//! read, and an object or a target of the house's own has a number instead of its name.

use crate::appliance::{Appliance, Desk, Layout, checks_beside, figures_beside, read_small};
use crate::cli::failure::Failure;
use crate::cli::local::Local;
use crate::config::DatabaseConfig;
use kernel::limits;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use store::{Store, TableFacts};

/// Sets and drills that are told.
const ROWS_MAX: usize = 200;
/// Files of a folder that are counted.
const FILES_MAX: u64 = 1_000_000;
/// Settings of an engine that are told: switches, numbers and versions.
const ENGINE: [&str; 15] = [
    "version",
    "pages",
    "pages_free",
    "page_bytes",
    "server_version",
    "server_version_num",
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "data_checksums",
    "connections",
    "max_connections",
    "encrypted",
    "journal_mode",
    "wal_level",
];
/// Parts of the folder, by their names.
const PARTS: [&str; 13] = [
    "data/kontor.db",
    "data/kontor.db-wal",
    "data/files",
    "log",
    "keys",
    "tls",
    "ship",
    "drill",
    "browse",
    "upgrade",
    "kontor.toml",
    "mail.json",
    "log-key.pub",
];

/// Engine, schema, and how many rows there are.
pub(super) fn database(appliance: &Appliance) -> Result<Json, Failure> {
    let engine = appliance.store_config()?.engine;
    let (schema, facts) = (Store::schema_of(&engine)?, Store::facts_of(&engine)?);
    let settings = Store::look_at(&engine, 1, false)?.settings;
    let settings: BTreeMap<_, _> = settings.into_iter().filter(|(name, _)| ENGINE.contains(&name.as_str())).collect();
    let kind = match appliance.config.database {
        DatabaseConfig::Sqlite => "sqlite",
        DatabaseConfig::Postgres { .. } => "postgres",
    };
    Ok(json!({
        "engine": kind, "bytes": Store::size_of(&engine)?, "settings": settings,
        "schema": schema.at, "schema_known": schema.known, "schema_pending": schema.pending.len(),
        "definitions": facts.catalog, "log_rows": facts.log_rows, "rows": rows(&facts.tables),
    }))
}

/// Counts by the names that Kontor ships; the others are numbered.
fn rows(tables: &[TableFacts]) -> Map<String, Json> {
    let shipped = metadata::shipped();
    let links =
        |object: &metadata::ObjectDef, name: &str| object.links.iter().any(|link| object.link_table(link) == name);
    let known =
        |name: &str| name.starts_with("k_") || shipped.iter().any(|object| object.name == name || links(object, name));
    let mut own = 0;
    let name = |table: &TableFacts| {
        if known(&table.table) {
            return table.table.clone();
        }
        own += 1;
        format!("own {own}")
    };
    let names: Vec<String> = tables.iter().map(name).collect();
    let counts = tables.iter().map(|table| json!({"rows": table.rows, "live": table.live}));
    names.into_iter().zip(counts).collect()
}

/// Sets and drills, newest first; targets by their number in the configuration.
pub(super) fn backups(appliance: &Appliance) -> Result<Json, Failure> {
    let names: Vec<&String> = appliance.config.backup.targets.iter().map(|(name, _)| name).collect();
    let target = |name: &String| names.iter().position(|known| *known == name).map(|at| at + 1);
    let seen = Store::look_at(&appliance.store_config()?.engine, ROWS_MAX, false)?;
    let sets = seen.backups.iter().map(|set| {
        json!({"sequence": set.sequence, "target": target(&set.target), "state": set.state, "made_at": set.made_at,
            "ended_at": set.ended_at, "bytes": set.bytes, "verified_at": set.verified_at, "proven_at": set.proven_at,
            "marked_at": set.marked_at, "pinned": set.pinned})
    });
    let drills = seen.drills.iter().map(|drill| {
        json!({"at": drill.at, "sequence": drill.sequence, "target": target(&drill.target), "ok": drill.ok, "millis": drill.millis})
    });
    Ok(json!({"sets": sets.collect::<Vec<_>>(), "drills": drills.collect::<Vec<_>>()}))
}

/// Files and bytes of each part.
pub(super) fn sizes(layout: &Layout) -> Json {
    let mut told = Map::new();
    for part in PARTS {
        let path = if part == "data/files" { layout.files() } else { layout.dir().join(part) };
        if let Some((files, bytes)) = size(&path) {
            told.insert(part.to_owned(), json!({"files": files, "bytes": bytes}));
        }
    }
    json!(told)
}

fn size(path: &Path) -> Option<(u64, u64)> {
    let found = fs::symlink_metadata(path).ok()?;
    if found.is_file() {
        return Some((1, found.len()));
    }
    let (mut files, mut bytes, mut folders) = (0, 0, vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).ok().into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() && files < FILES_MAX => folders.push(entry.path()),
                Ok(found) => (files, bytes) = (files + 1, bytes + found.len()),
                Err(_) => {}
            }
        }
    }
    Some((files, bytes))
}

/// States and figures, without the words beside them.
pub(super) fn health(appliance: &Appliance, desk: &Desk) -> Result<Json, Failure> {
    let checks = checks_beside(appliance, &desk.store)?;
    let told = checks
        .iter()
        .map(|check| json!({"name": check.name, "ok": check.ok, "state": check.state, "figures": check.figures}));
    Ok(json!(told.collect::<Vec<_>>()))
}

/// Those of the running server where it tells them; else those that can be seen beside it.
pub(super) fn metrics(appliance: &Appliance, desk: Option<&Desk>) -> String {
    let page = of_server(appliance).or_else(|| desk.and_then(|desk| figures_beside(appliance, desk).ok()));
    match page {
        Some(page) => figures(&page),
        None => {
            "left out: no server tells them here (metrics.token_file), and the appliance was not opened\n".to_owned()
        }
    }
}

fn of_server(appliance: &Appliance) -> Option<String> {
    let file = appliance.config.metrics_token_file.as_ref().filter(|_| appliance.layout.is_served())?;
    let token = zeroize::Zeroizing::new(read_small(file, limits::CONFIG_BYTES_MAX).ok()?);
    Local::of(appliance, None).ok()?.text("/metrics", token.trim()).ok()
}

/// Lines of figures that are Kontor's, with labels that are words of the program; the name of a target is not.
fn figures(page: &str) -> String {
    let mut targets: Vec<String> = Vec::new();
    let mut told = String::new();
    for line in page.lines().filter(|line| line.starts_with("kontor_") || line.starts_with("process_")) {
        let mut parts = line.split("target=\"");
        let mut clean = parts.next().unwrap_or_default().to_owned();
        for rest in parts {
            let (name, after) = rest.split_once('"').unwrap_or((rest, ""));
            let at = targets.iter().position(|known| known == name).unwrap_or(targets.len());
            if at == targets.len() {
                targets.push(name.to_owned());
            }
            clean.push_str(&format!("target=\"{}\"{after}", at + 1));
        }
        told.push_str(&clean);
        told.push('\n');
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_no_name_of_a_target() {
        let page = "# HELP a b\nkontor_open 1\nkontor_ship_lag_seconds{target=\"elbdisk\"} 2\nkontor_backup_newest_bytes{target=\"elbdisk\"} 3\n\
                    kontor_backup_newest_bytes{target=\"weser\"} 4\nother 1\n";
        let told = "kontor_open 1\nkontor_ship_lag_seconds{target=\"1\"} 2\nkontor_backup_newest_bytes{target=\"1\"} 3\n\
                    kontor_backup_newest_bytes{target=\"2\"} 4\n";
        assert_eq!(figures(page), told);
    }

    #[test]
    fn objects_of_the_house_are_numbered() {
        let table = |name: &str| TableFacts { table: name.to_owned(), rows: 3, live: Some(2) };
        let told = rows(&[table("account"), table("x_elbvertrag"), table("x_weser"), table("k_audit")]);
        assert_eq!(told.keys().collect::<Vec<_>>(), ["account", "own 1", "own 2", "k_audit"]);
    }
}
