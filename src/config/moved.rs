//! The configuration of an appliance that was restored: it may lie on another engine than the one it was taken from. Everything
//! but the section of the database stays as its owner wrote it, comments too.

use std::path::Path;

/// The keys of the section.
const KEYS: [&str; 3] = ["engine", "url_file", "ca_file"];

/// The text with its data on this engine: on a server whose address and authority lie in these files, or embedded.
pub(crate) fn with_database(text: &str, server: Option<(&Path, Option<&Path>)>) -> String {
    // A TOML basic string has the escapes of a JSON string.
    let line = |key: &str, path: &Path| format!("{key} = {}\n", serde_json::Value::from(path.to_string_lossy()));
    let mut wanted = format!("engine = \"{}\"\n", if server.is_some() { "postgres" } else { "sqlite" });
    if let Some((url, ca)) = server {
        wanted.push_str(&line("url_file", url));
        wanted.push_str(&ca.map(|ca| line("ca_file", ca)).unwrap_or_default());
    }
    let (mut moved, mut inside, mut placed) = (String::with_capacity(text.len() + wanted.len()), false, false);
    for old in text.lines() {
        let bare = old.trim();
        if bare.starts_with('[') {
            inside = bare.split('#').next().is_some_and(|header| header.replace(' ', "").trim() == "[database]");
        }
        let key = bare.split('=').next().unwrap_or_default().trim().trim_matches('"');
        if inside && KEYS.contains(&key) {
            continue;
        }
        moved.push_str(old);
        moved.push('\n');
        if inside && !placed && bare.starts_with('[') {
            moved.push_str(&wanted);
            placed = true;
        }
    }
    if !placed {
        moved.push_str(&format!("\n[database]\n{wanted}"));
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appliance::Layout;
    use crate::config::{Config, DatabaseConfig, NewConfig, new_text};

    #[test]
    fn only_the_engine_changes() {
        let layout = Layout::new(Path::new("/srv/kontor"));
        let names = ["crm.example.org".to_owned()];
        let (url, ca) = (Path::new("/etc/kon\"tor/url"), Path::new("/etc/kontor/ca.pem"));
        let server = DatabaseConfig::Postgres { url_file: url.to_owned(), ca_file: Some(ca.to_owned()) };
        for postgres in [None, Some((url, Some(ca)))] {
            let old = new_text(&NewConfig { listen: "127.0.0.1:9000", names: &names, postgres, key_file: true });
            for text in [old.as_str(), "node = \"n\"\n", "[database] # here\nengine=\"postgres\"\nurl_file = \"x\"", ""]
            {
                let there = Config::parse(&with_database(text, Some((url, Some(ca)))), &layout).unwrap();
                assert_eq!(there.database, server, "{text}");
                let here = Config::parse(&with_database(text, None), &layout).unwrap();
                assert_eq!(here.database, DatabaseConfig::Sqlite, "{text}");
            }
            let moved = with_database(&old, Some((url, None)));
            let rest = |text: &str| {
                let kept = |line: &&str| !KEYS.iter().any(|key| line.starts_with(key));
                text.lines().filter(kept).map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(rest(&moved), rest(&old));
        }
    }
}
