//! The text of a new configuration: every key with what it means, so that whoever edits it needs no other page.

use super::reference::SECTIONS;
use std::path::Path;

/// Where a new appliance listens unless it is told otherwise.
pub(crate) const DEFAULT_LISTEN: &str = "127.0.0.1:8443";

/// What `init` writes into a new configuration.
pub(crate) struct NewConfig<'a> {
    /// Address and port.
    pub(crate) listen: &'a str,
    /// Names for the certificate.
    pub(crate) names: &'a [String],
    /// The file with the address of a PostgreSQL server, and its authority.
    pub(crate) postgres: Option<(&'a Path, Option<&'a Path>)>,
    /// Whether there is a key file slot.
    pub(crate) key_file: bool,
}

/// The text of a new configuration, every key with what it means.
pub(crate) fn new_text(new: &NewConfig<'_>) -> String {
    let written = written(new);
    let mut text = "# The configuration of this Kontor appliance. Check it with: kontor config check --dir DIR\n\
                    # Relative paths begin at the folder of this file; \"credential:NAME\" is a credential of the service (LoadCredential=).\n\
                    # Unknown keys are refused. No secret stands here.\n"
        .to_owned();
    // The kinds of targets are told by the examples of their section.
    for section in SECTIONS.iter().filter(|section| !section.name.contains(' ')) {
        text.push('\n');
        text.push_str(&comment(section.what[0]));
        if !section.name.is_empty() {
            text.push_str(&format!("[{}]\n", section.name));
        }
        section.lines.iter().for_each(|line| text.push_str(&format!("# {line}\n")));
        for setting in section.settings {
            text.push_str(&comment(setting.what[0]));
            let own = written.iter().find(|(name, key, _)| (*name, *key) == (section.name, setting.key));
            text.push_str(&match own {
                Some((_, key, value)) => format!("{key} = {value}\n"),
                None if setting.default.is_empty() => format!("# {} = {}\n", setting.key, setting.example),
                None => format!("{} = {}\n", setting.key, setting.default),
            });
        }
    }
    text
}

/// What this appliance has otherwise: section, key, value.
fn written(new: &NewConfig<'_>) -> Vec<(&'static str, &'static str, String)> {
    // A TOML basic string has the escapes of a JSON string.
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let names: Vec<String> = new.names.iter().map(|name| quote(name)).collect();
    let mut written =
        vec![("server", "listen", quote(new.listen)), ("server", "names", format!("[{}]", names.join(", ")))];
    if let Some((url, ca)) = new.postgres {
        written.push(("database", "engine", quote("postgres")));
        written.push(("database", "url_file", quote(&url.to_string_lossy())));
        written.extend(ca.map(|ca| ("database", "ca_file", quote(&ca.to_string_lossy()))));
    }
    if new.key_file {
        written.push(("unseal", "key_file", quote("keys/unseal.key")));
    }
    written
}

/// Comment lines of at most 120 characters.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let chars = word.chars().count();
        if width == 0 || width + 1 + chars > 118 {
            lines.push_str(if width == 0 { "# " } else { "\n# " });
            width = 0;
        } else {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += chars;
    }
    if width > 0 {
        lines.push('\n');
    }
    lines
}
