//! The ratchet of an appliance: the highest version that was finalized and the release keys it trusts, kept in the database under a
//! key of the appliance. Who has the disk can neither read nor write it; who deletes it gets a new one whose beginning stands in
//! the log.

use crate::appliance::Opened;
use crate::appliance::upgrade::{FORMATS, refused, running};
use crate::cli::failure::Failure;
use audit::Verb;
use identity::Actor;
use kernel::Code;
use std::sync::Arc;
use store::{Kept, Store};
use upgrade::{KeySet, Ratchet, compiled_keys};
use vault::Vault;

const LABEL: &str = "upgrade";
/// For what a bundle brings, between its acceptance and the end of its upgrade.
const ACCEPTED_LABEL: &str = "upgrade-accepted";

/// What a bundle brings that holds for good once its upgrade is final. It lies in the folder of the upgrade meanwhile, sealed:
/// whoever can write there must not choose the keys by which later bundles are judged.
#[derive(serde::Serialize, serde::Deserialize)]
struct Accepted {
    to: upgrade::Version,
    formats: u32,
    keys: KeySet,
}

fn altered() -> Failure {
    Failure::new(
        Code::ConfigInvalid,
        "what is kept about upgrades was altered, or belongs to another appliance",
    )
    .kept("nothing was changed")
    .todo("find out who had access to the database and the folder; `kontor audit verify --level 4`; then restore a backup set")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(digit).collect()
}

fn read(store: &Store, vault: &Vault) -> Result<Option<Ratchet>, Failure> {
    let Some(text) = store.read(|tx| tx.kept(Kept::Upgrade)).wait()? else { return Ok(None) };
    let appliance = store.appliance()?;
    let sealed = bytes(&text).ok_or_else(altered)?;
    let plain = vault.open_internal(LABEL, appliance.as_bytes(), &sealed).map_err(|_| altered())?;
    serde_json::from_slice(&plain).map(Some).map_err(|_| altered())
}

/// Keeps it, in one commit with the entry that tells of it.
pub(super) fn keep(opened: &Opened, vault: &Vault, ratchet: &Ratchet, entry: audit::Entry) -> Result<(), Failure> {
    let appliance = opened.store.appliance()?;
    let plain = serde_json::to_vec(ratchet).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    let text = hex(&vault.seal_internal(LABEL, appliance.as_bytes(), &plain)?);
    let written = opened.store.write(move |tx| {
        tx.keep(Kept::Upgrade, &text)?;
        Ok(tx.log_entry(&entry)?)
    });
    Ok(written.wait()?)
}

/// The keys that this binary was built with.
fn compiled() -> Result<Option<KeySet>, Failure> {
    compiled_keys().map_err(|error| Failure::new(Code::Internal, error.to_string()))
}

/// The ratchet; an appliance that has none begins it, and says so in its log.
pub(crate) fn keep_from_first(opened: &Opened, vault: &Vault, by: &Actor) -> Result<Ratchet, Failure> {
    if let Some(ratchet) = read(&opened.store, vault)? {
        return Ok(ratchet);
    }
    let ratchet = Ratchet::begin(running(), FORMATS, compiled()?);
    let mut entry = opened.store.entry(by, Verb::Upgrade);
    entry.note = super::plan::noted(&entry, &format!("the record of upgrades begins at {}", ratchet.finalized));
    keep(opened, vault, &ratchet, entry)?;
    Ok(ratchet)
}

/// Refuses to run a version that is older than what was finalized.
pub(crate) fn admit(store: &Arc<Store>, vault: &Vault) -> Result<(), Failure> {
    match read(store, vault)? {
        Some(ratchet) => ratchet.admit(&running()).map_err(|error| {
            Failure::new(Code::SchemaUnknown, error.to_string())
                .kept("the appliance stays closed; nothing was changed")
                .todo("put the finalized version back in its place; to go behind it, restore a backup set made before")
        }),
        None => Ok(()),
    }
}

/// The keys that the way to each bundle begins with: those that this program was built with. What lies in the database cannot make others
/// trusted: it is in the hands of the account that serves.
pub(crate) fn trusted() -> Result<KeySet, Failure> {
    compiled()?.ok_or_else(|| {
        Failure::new(Code::ConfigInvalid, "this program was built without release keys and trusts no bundle")
            .kept("nothing was changed")
            .todo("use a released build; whoever builds it names the keys in KONTOR_RELEASE_KEYS")
    })
}

/// The keys that an earlier upgrade has brought here. Every way has to lead through them: those they replaced sign nothing any more.
pub(super) fn known(opened: &Opened, vault: &Vault) -> Result<Option<KeySet>, Failure> {
    Ok(read(&opened.store, vault)?.and_then(|ratchet| ratchet.keys))
}

/// Seals what a bundle brings, whose signatures were verified just now.
pub(super) fn accepted(opened: &Opened, vault: &Vault, bundle: &upgrade::Bundle) -> Result<String, Failure> {
    let manifest = bundle.manifest();
    let told = Accepted { to: manifest.version.clone(), formats: manifest.formats, keys: bundle.keys().clone() };
    let plain = serde_json::to_vec(&told).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    Ok(hex(&vault.seal_internal(ACCEPTED_LABEL, opened.store.appliance()?.as_bytes(), &plain)?))
}

/// What is reached when an upgrade is finalized.
pub(super) fn raise(opened: &Opened, vault: &Vault, state: &super::State, entry: audit::Entry) -> Result<(), Failure> {
    let ratchet = read(&opened.store, vault)?.unwrap_or_else(|| Ratchet::begin(running(), FORMATS, None));
    ratchet.admit(&state.to).map_err(refused)?;
    let raised = match &state.accepted {
        Some(text) => {
            let sealed = bytes(text).ok_or_else(altered)?;
            let context = opened.store.appliance()?;
            let plain = vault.open_internal(ACCEPTED_LABEL, context.as_bytes(), &sealed).map_err(|_| altered())?;
            let told: Accepted = serde_json::from_slice(&plain).map_err(|_| altered())?;
            if told.to != state.to {
                return Err(altered());
            }
            ratchet.raised(&told.to, told.formats, Some(&told.keys))
        }
        None => ratchet.raised(&state.to, FORMATS, None),
    };
    keep(opened, vault, &raised, entry)
}
