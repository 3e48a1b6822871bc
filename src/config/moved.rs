//! A configuration that goes elsewhere: restored onto another engine, or given to a further node. Only the keys that have to
//! change do; everything else stays as its owner wrote it, comments too.

use std::path::Path;

/// The keys of the database.
const KEYS: [&str; 3] = ["engine", "url_file", "ca_file"];

/// A text as TOML writes it: a basic string has the escapes of a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The text with its data on this engine: on a server whose address and authority lie in these files, or embedded. The files
/// of records lie below the appliance's own folder then.
pub(crate) fn with_database(text: &str, server: Option<(&Path, Option<&Path>)>) -> String {
    let path = |path: &Path| quoted(&path.to_string_lossy());
    let engine = if server.is_some() { "postgres" } else { "sqlite" };
    let url = server.map(|(url, _)| path(url));
    let ca = server.and_then(|(_, ca)| ca.map(path));
    let [one, two, three] = KEYS;
    let text = with_values(text, "files", &[("folder", None)]);
    with_values(&text, "database", &[(one, Some(quoted(engine))), (two, url), (three, ca)])
}

/// The text with these keys of a section as they are given, as TOML values; those without one go. The section without a name
/// is what stands before the first.
pub(crate) fn with_values(text: &str, section: &str, values: &[(&str, Option<String>)]) -> String {
    let wanted: String =
        values.iter().filter_map(|(key, value)| value.as_ref().map(|value| format!("{key} = {value}\n"))).collect();
    let (mut moved, mut inside) = (String::with_capacity(text.len() + wanted.len()), section.is_empty());
    let mut placed = inside || wanted.is_empty();
    if inside {
        moved.push_str(&wanted);
    }
    for old in text.lines() {
        let bare = old.trim();
        if bare.starts_with('[') {
            let header = bare.split('#').next().unwrap_or_default().replace(' ', "");
            inside = header.trim() == format!("[{section}]");
        }
        let key = bare.split('=').next().unwrap_or_default().trim().trim_matches('"');
        if inside && values.iter().any(|(known, _)| *known == key) {
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
        moved.push_str(&format!("\n[{section}]\n{wanted}"));
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

    #[test]
    fn a_further_node_has_its_own_values_and_keeps_the_rest() {
        let layout = Layout::new(Path::new("/srv/kontor"));
        let old = new_text(&NewConfig { listen: "127.0.0.1:9000", names: &[], postgres: None, key_file: true });
        let old = old.replace("[files]\n", "[files]\nfolder = \"/mnt/a\"\n");
        let text = with_values(&old, "", &[("node", Some(quoted("n\"2")))]);
        let text = with_values(&text, "server", &[("listen", Some(quoted("127.0.0.2:9001")))]);
        let text = with_values(&text, "unseal", &[("key_file", None)]);
        let config = Config::parse(&text, &layout).unwrap();
        assert_eq!((config.node.as_str(), config.server.listen.to_string().as_str()), ("n\"2", "127.0.0.2:9001"));
        assert_eq!((config.unseal.key_file, config.files.as_deref()), (None, Some(Path::new("/mnt/a"))));
        let comments = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
        assert_eq!(comments(&text), comments(&old));
        assert_eq!(Config::parse(&with_database(&text, None), &layout).unwrap().files, None);
    }
}
