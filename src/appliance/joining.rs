//! A further node of an appliance: the kit that an existing one writes, and the folder that is made from it. A kit is sealed like
//! a backup set, by the key that comes from the root key, with the unseal slots before it in clear: whoever joins needs the
//! unseal secret, and a kit alone is worth nothing. It holds no key file and no record.

use crate::appliance::create::HalfMade;
use crate::appliance::layout::{write_private, write_public};
use crate::appliance::{Appliance, Layout, Opened, database_url, read_small};
use crate::cli::failure::Failure;
use crate::config::{Config, DatabaseConfig, quoted, with_values};
use api::OwnCertificates;
use kernel::{Code, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use store::Store;
use vault::{ArchiveSealer, Secret, Vault, VaultError, archive_open};
use zeroize::Zeroizing;

/// The form of kits that this version writes and reads.
const FORM: u32 = 1;

/// The first line of a kit.
#[derive(Serialize, Deserialize)]
struct Head {
    kontor_node_kit: u32,
    /// The unseal slots, as they lie in their file.
    slots: Json,
}

/// What is sealed behind it.
#[derive(Serialize, Deserialize)]
struct Body {
    config: String,
    log_key: String,
    ca_certificate: String,
    #[serde(with = "wiped")]
    ca_key: Zeroizing<String>,
    #[serde(with = "wiped")]
    database_url: Zeroizing<String>,
    database_ca: Option<String>,
}

/// A text that is wiped when it is done with.
mod wiped {
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(text: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(deserializer).map(Zeroizing::new)
    }
}

/// What a further node is called and where it listens.
pub(crate) struct NewNode<'a> {
    /// Its folder; absent or empty.
    pub(crate) dir: &'a Path,
    /// The kit.
    pub(crate) kit: &'a Path,
    /// Its name in the log, unlike those of the others.
    pub(crate) node: &'a str,
    /// Address and port.
    pub(crate) listen: &'a str,
    /// Names in its certificate; those of the kit when there are none.
    pub(crate) names: &'a [String],
    /// The key file with which it unseals itself.
    pub(crate) key_file: Option<&'a Path>,
}

fn bad_kit(kit: &Path, what: &str) -> Failure {
    Failure::new(Code::ParameterInvalid, format!("{}: {what}", kit.display()))
        .kept("nothing was made")
        .todo("write a new kit on a node that serves: `kontor node kit`")
}

/// The kit of an unsealed appliance, as bytes.
pub(crate) fn kit(appliance: &Appliance) -> Result<Vec<u8>, Failure> {
    let DatabaseConfig::Postgres { url_file, ca_file } = &appliance.config.database else {
        return Err(Failure::new(Code::ConfigInvalid, "an appliance with the embedded database has one node")
            .kept("nothing was written")
            .todo("carry it to a PostgreSQL server first: docs/admin/scale.md"));
    };
    let layout = &appliance.layout;
    let text = |path: &Path| read_small(path, limits::CONFIG_BYTES_MAX);
    let slots = serde_json::from_str(&text(&layout.slots())?)
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    let body = Body {
        config: text(&layout.config())?,
        log_key: text(&layout.log_key())?,
        ca_certificate: text(&layout.tls().join("ca.pem"))?,
        ca_key: Zeroizing::new(text(&layout.tls().join("ca.key"))?),
        database_url: Zeroizing::new(database_url(url_file)?.0),
        database_ca: ca_file.as_deref().map(text).transpose()?,
    };
    let failed = |error: serde_json::Error| Failure::new(Code::Internal, error.to_string());
    let mut bytes = serde_json::to_vec(&Head { kontor_node_kit: FORM, slots }).map_err(failed)?;
    bytes.push(b'\n');
    let clear = Zeroizing::new(serde_json::to_vec(&body).map_err(failed)?);
    let mut sealer = ArchiveSealer::new(&[appliance.vault.archive_identity()?.recipient()], bytes)?;
    let sealed = sealer.write_all(&clear).and_then(|()| sealer.finish());
    sealed.map_err(|error| VaultError::ArchiveFailed(error.to_string()).into())
}

/// Makes the folder of a further node from a kit. Dropped half made, it is taken away again. `secret` gets the slots of the kit.
pub(crate) fn join(
    new: &NewNode<'_>,
    secret: impl FnOnce(&Vault) -> Result<Secret, Failure>,
    settle: impl FnOnce(&Appliance, &Opened) -> Result<(), Failure>,
) -> Result<Appliance, Failure> {
    let (head, sealed) = read_kit(new.kit)?;
    let layout = Layout::new(new.dir);
    let mut half = HalfMade::begin(&layout)?;
    write_private(&layout.slots(), &head.slots.to_string())?;
    let random = Arc::new(vault::OsRandom::new());
    let vault = Vault::sealed(layout.slots(), Arc::clone(&random) as Arc<dyn kernel::Random>);
    let secret = match new.key_file {
        Some(file) => Secret::key_file_read(file)?,
        None => secret(&vault)?,
    };
    vault.unseal(&secret)?;
    let mut clear = Zeroizing::new(Vec::new());
    let opened = archive_open(&vault.archive_identity()?, sealed.as_slice())?;
    let most = limits::NODE_KIT_BYTES_MAX;
    opened.take(most).read_to_end(&mut clear).map_err(|error| bad_kit(new.kit, &error.to_string()))?;
    let body: Body = serde_json::from_slice(&clear).map_err(|_| bad_kit(new.kit, "what it holds cannot be read"))?;
    write_folder(&layout, new, &body)?;
    let appliance = Appliance { vault: Arc::new(vault), ..Appliance::load(new.dir)? };
    let names = &appliance.config.server.names;
    OwnCertificates::in_folder(layout.tls()).issue(names, appliance.clock.as_ref()).map_err(|error| {
        Failure::new(Code::ConfigInvalid, error.to_string()).todo("name host names or IP addresses with --name")
    })?;
    let opened = appliance.open_without_shipping()?;
    let node = new.node.to_owned();
    let known = opened.store.read(move |tx| Ok(tx.nodes()?.into_iter().any(|known| known.name == node))).wait()?;
    if known {
        return Err(Failure::new(Code::ParameterInvalid, format!("the appliance has a node {:?} already", new.node))
            .kept("that one is as it was; nothing was made")
            .todo("choose another name, or take the old one away: `kontor node remove`"));
    }
    Store::log_begin(&layout.log(), opened.signer.as_ref())?;
    settle(&appliance, &opened)?;
    opened.store.close();
    half.keep = true;
    Ok(appliance)
}

fn read_kit(kit: &Path) -> Result<(Head, Vec<u8>), Failure> {
    let mut bytes = Vec::new();
    let file = File::open(kit).map_err(|error| Failure::file(kit, &error))?;
    file.take(limits::NODE_KIT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| Failure::file(kit, &error))?;
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| bad_kit(kit, "it is no kit of a node"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limits::NODE_KIT_BYTES_MAX {
        return Err(bad_kit(kit, "it is larger than any kit"));
    }
    let sealed = bytes.split_off(end + 1);
    let head: Head = serde_json::from_slice(&bytes).map_err(|_| bad_kit(kit, "it is no kit of a node"))?;
    if head.kontor_node_kit != FORM {
        return Err(bad_kit(kit, "it was written by another version"));
    }
    Ok((head, sealed))
}

/// Configuration and certificates: those of the kit, but for what is the node's own.
fn write_folder(layout: &Layout, new: &NewNode<'_>, body: &Body) -> Result<(), Failure> {
    let (url, ca) = (layout.resolve(Path::new("database-url")), layout.resolve(Path::new("database-ca.pem")));
    write_private(&url, &body.database_url)?;
    body.database_ca.as_ref().map(|text| write_public(&ca, text)).transpose()?;
    write_public(&layout.log_key(), &body.log_key)?;
    write_private(&layout.tls().join("ca.pem"), &body.ca_certificate)?;
    write_private(&layout.tls().join("ca.key"), &body.ca_key)?;
    if let Some(file) = new.key_file {
        write_private(&layout.key_file(), &Zeroizing::new(read_small(file, limits::CONFIG_BYTES_MAX)?))?;
    }
    let text = with_values(&body.config, "", &[("node", Some(quoted(new.node)))]);
    let text = with_values(&text, "server", &[("listen", Some(quoted(new.listen)))]);
    let names: Vec<String> = new.names.iter().map(|name| quoted(name)).collect();
    let named = [("names", Some(format!("[{}]", names.join(", "))))];
    let text = if names.is_empty() { text } else { with_values(&text, "server", &named) };
    let database = [
        ("url_file", Some(quoted("database-url"))),
        ("ca_file", body.database_ca.as_ref().map(|_| quoted("database-ca.pem"))),
    ];
    let text = with_values(&text, "database", &database);
    let key_file = new.key_file.map(|_| quoted("keys/unseal.key"));
    let text = with_values(&text, "unseal", &[("key_file", key_file)]);
    Config::parse(&text, layout).map_err(|problems| crate::appliance::config_failure(layout, &problems))?;
    write_private(&layout.config(), &text)
}
