//! The configuration for a support bundle: of each setting of the reference whether it is set, and its value where its kind can hold
//! nothing that the house made up. A value that is not what its kind says is not shown.

use crate::config::Schedule;
use crate::config::reference::{Kind, SECTIONS, SectionText, Setting};
use config::{FileFormat, Value, ValueKind};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;

type Table = BTreeMap<String, Value>;

/// Where the sections of targets lie: tables with names of the house's own.
const TARGETS: &str = "backup.targets";

/// Every setting that there is.
pub(super) fn told(text: &str) -> Json {
    let built = config::Config::builder().add_source(config::File::from_str(text, FileFormat::Toml)).build();
    let Ok(root) = built.and_then(config::Config::try_deserialize::<Table>) else {
        return json!({"not_read": "the file is no valid TOML"});
    };
    let mut settings = Map::new();
    for section in SECTIONS.iter().filter(|section| !section.name.starts_with(TARGETS)) {
        let table = table_of(&root, section.name);
        for setting in section.settings {
            let name = format!("{}{}{}", section.name, if section.name.is_empty() { "" } else { "." }, setting.key);
            settings.insert(name, value_told(setting, table.get(setting.key)));
        }
    }
    json!({"settings": settings, "targets": targets(&table_of(&root, TARGETS)), "listens": listens(&root)})
}

fn table_of(root: &Table, section: &str) -> Table {
    section.split('.').filter(|part| !part.is_empty()).fold(root.clone(), |table, part| match table.get(part) {
        Some(Value { kind: ValueKind::Table(inner), .. }) => inner.clone().into_iter().collect(),
        _ => Table::new(),
    })
}

fn value_told(setting: &Setting, value: Option<&Value>) -> Json {
    match value {
        None => json!({"set": false, "default": setting.default}),
        Some(value) => match shown(setting.kind, &value.kind) {
            Some(shown) => json!({"set": true, "value": shown}),
            None => json!({"set": true}),
        },
    }
}

/// The value, where it is one of those that the program knows beforehand.
fn shown(kind: Kind, value: &ValueKind) -> Option<Json> {
    match (kind, value) {
        (Kind::Flag, ValueKind::Boolean(flag)) => Some(json!(flag)),
        (Kind::Number(..), ValueKind::I64(number)) => Some(json!(number)),
        (Kind::Choice(words), ValueKind::String(text)) => {
            words.iter().find(|word| *word == text).map(|word| json!(word))
        }
        (Kind::Schedule, ValueKind::String(text)) if text.is_empty() => Some(json!("never")),
        (Kind::Schedule, ValueKind::String(text)) => {
            // Names of months and days are the only letters that a schedule can have.
            let plain =
                text.len() <= 64 && !text.contains(|c: char| !c.is_ascii_alphanumeric() && !" */,-".contains(c));
            (plain && Schedule::parse(text).is_some()).then(|| json!(text))
        }
        (Kind::Texts, ValueKind::Array(values)) => Some(json!(format!("{} values", values.len()))),
        _ => None,
    }
}

/// Targets by their number: their names are the house's own.
fn targets(table: &Table) -> Vec<Json> {
    let section =
        |key: &str| SECTIONS.iter().find(|section| section.name.starts_with(TARGETS) && first(section) == key);
    let one = |value: &Value| match &value.kind {
        ValueKind::Table(inner) => {
            let kind = ["s3", "sftp"].into_iter().find(|kind| inner.contains_key(*kind));
            let settings = kind.and_then(section).map_or(&[][..], |section| section.settings);
            let told =
                settings.iter().map(|setting| (setting.key.to_owned(), value_told(setting, inner.get(setting.key))));
            json!({"kind": kind.unwrap_or("unknown"), "settings": told.collect::<Map<_, _>>()})
        }
        _ => json!({"kind": "folder"}),
    };
    table.values().map(one).collect()
}

fn first(section: &SectionText) -> &'static str {
    section.settings.first().map_or("", |setting| setting.key)
}

/// Where it listens, without the address.
fn listens(root: &Table) -> Json {
    let server = table_of(root, "server");
    let Some(Value { kind: ValueKind::String(text), .. }) = server.get("listen") else { return json!("as by default") };
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => {
            json!({"address": "of this machine alone", "port": address.port()})
        }
        Ok(address) if address.ip().is_unspecified() => json!({"address": "every", "port": address.port()}),
        Ok(address) => json!({"address": "one", "port": address.port()}),
        Err(_) => json!("not an address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_program_knows_beforehand_is_shown() {
        // Secrets in every place where somebody may have put one by mistake.
        let text = "node = \"Marker1\"\n[server]\nlisten = \"10.1.2.3:8443\"\nnames = [\"marker2.example\"]\ndrain_seconds = 7\n\
                    marker3 = \"x\"\n[database]\nengine = \"marker4\"\nurl_file = \"/etc/marker5\"\n[backup]\nschedule = \"marker6\"\n\
                    drill = \"1 2 * * *\"\nkeep_daily = \"marker7\"\n[backup.targets]\nmarker8 = \"/mnt/marker9\"\n\
                    other = { s3 = \"https://marker10.example/b\", region = \"marker11\", path_style = false, credentials_file = \"marker12\" }\n\
                    [log]\nlevel = \"debug\"\n";
        let told = told(text);
        let written = told.to_string();
        assert!(!written.to_lowercase().contains("marker") && !written.contains("10.1.2.3"), "{written}");
        let settings = &told["settings"];
        for (key, value) in [
            ("server.drain_seconds", json!({"set": true, "value": 7})),
            ("server.names", json!({"set": true, "value": "1 values"})),
            ("backup.drill", json!({"set": true, "value": "1 2 * * *"})),
            ("backup.schedule", json!({"set": true})),
            ("database.engine", json!({"set": true})),
            ("log.level", json!({"set": true, "value": "debug"})),
            ("log.format", json!({"set": false, "default": "\"text\""})),
        ] {
            assert_eq!(settings[key], value, "{key}");
        }
        assert_eq!(told["targets"][1]["settings"]["path_style"], json!({"set": true, "value": false}));
        assert_eq!(told["listens"], json!({"address": "one", "port": 8443}));
        assert!(super::told("[broken").to_string().contains("not_read"));
    }
}
