//! What the tests of this crate share: a definition, a key store in memory, fixed randomness, grants from a real policy.

use crate::{ApplianceId, Class, KeyStore, KeyStoreError, OsRandom, PassphraseCost, Place, Secret, Vault, WrappedKey};
use authz::{Facts, Grant, Level, Policy, Read, RoleDef, RoleKind};
use identity::{Actor, ActorContext, Channel, SystemActor};
use kernel::{Id, Label, ManualClock, Random, RecordId};
use metadata::{ObjectDef, Sensitivity};
use serde_json::json;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
};

/// Cheap enough for a test; the format does not know the difference.
pub(crate) const CHEAP: PassphraseCost = PassphraseCost { memory_kib: 1024, passes: 1, lanes: 1 };
pub(crate) const PASSPHRASE: &str = "correct horse battery";

pub(crate) fn appliance(number: u8) -> ApplianceId {
    let mut bytes = *"01890a5d-ac96-774b-bcce-b302099a8057".parse::<ApplianceId>().unwrap().as_bytes();
    bytes[0] = number;
    Id::from_bytes(bytes)
}

pub(crate) fn record(number: u8) -> RecordId {
    format!("01900000-0000-7000-8000-0000000000{number:02}").parse().unwrap()
}

/// Fixed bytes by length: nonces a0…, keys 00…, salts 70….
pub(crate) struct Fixed;
impl Random for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        let first = match buffer.len() {
            12 => 0xa0,
            16 => 0x70,
            _ => 0x00,
        };
        for (byte, value) in buffer.iter_mut().zip(first..) {
            *byte = value;
        }
    }
}

/// An object with a sealed field of each class and one plain field.
pub(crate) fn contact() -> ObjectDef {
    object("contact")
}

pub(crate) fn object(name: &str) -> ObjectDef {
    let label = || Label::new("x", "x");
    let field = |name: &str, kind: &str, sealing: &str| json!({"name": name, "label": label(), "type": kind, "sensitivity": "S2", "sealing": sealing});
    let definition = json!({"name": name, "label": label(), "plural": label(), "title_field": "city", "fields": [
        field("city", "text", "plain"), field("mobile", "phone", "exact"), field("email", "email", "exact"),
        field("limit", "money", "sealed"), field("note", "long_text", "sealed"), field("phone", "phone", "exact"),
    ]});
    serde_json::from_value(definition).unwrap()
}

pub(crate) fn place(object: &ObjectDef, field: &str, record: RecordId, subject: RecordId) -> Place {
    Place::of(object, object.field(field).unwrap(), record, subject).unwrap()
}

/// The key ring in memory.
#[derive(Default, Clone)]
pub(crate) struct MemoryStore {
    pub(crate) rows: BTreeMap<(RecordId, Class, u32), Vec<u8>>,
    pub(crate) named: BTreeMap<String, Vec<u8>>,
    /// Queries so far.
    pub(crate) loads: usize,
    /// Rows that another transaction commits just before the next insert.
    pub(crate) rival: Option<BTreeMap<(RecordId, Class, u32), Vec<u8>>>,
}

impl KeyStore for MemoryStore {
    fn load(&mut self, subject: RecordId, class: Class) -> Result<Vec<(u32, Vec<u8>)>, KeyStoreError> {
        self.loads += 1;
        let of = self.rows.range((subject, class, 0)..=(subject, class, u32::MAX));
        Ok(of.map(|(id, wrapped)| (id.2, wrapped.clone())).collect())
    }
    fn load_many(&mut self, subjects: &[RecordId]) -> Result<Vec<WrappedKey>, KeyStoreError> {
        self.loads += 1;
        let rows = self.rows.iter().filter(|(id, _)| subjects.contains(&id.0));
        let row = |(id, wrapped): (&(RecordId, Class, u32), &Vec<u8>)| WrappedKey {
            subject: id.0,
            class: id.1,
            generation: id.2,
            wrapped: wrapped.clone(),
        };
        Ok(rows.map(row).collect())
    }
    fn insert(
        &mut self,
        subject: RecordId,
        class: Class,
        generation: u32,
        wrapped: &[u8],
    ) -> Result<(), KeyStoreError> {
        self.rows.extend(self.rival.take().unwrap_or_default());
        let id = (subject, class, generation);
        if self.rows.contains_key(&id) {
            return Err(KeyStoreError::Conflict);
        }
        self.rows.insert(id, wrapped.to_vec());
        Ok(())
    }
    fn load_named(&mut self, name: &str) -> Result<Option<Vec<u8>>, KeyStoreError> {
        self.loads += 1;
        Ok(self.named.get(name).cloned())
    }
    fn insert_named(&mut self, name: &str, wrapped: &[u8]) -> Result<(), KeyStoreError> {
        self.named.insert(name.to_owned(), wrapped.to_vec());
        Ok(())
    }
}

/// A vault in a folder of its own, removed when dropped.
pub(crate) struct TestVault {
    pub(crate) vault: Vault,
    pub(crate) folder: tempfile::TempDir,
}

impl TestVault {
    pub(crate) fn new() -> Self {
        Self::of(appliance(1), Arc::new(OsRandom::new()))
    }
    pub(crate) fn of(appliance: ApplianceId, random: Arc<dyn Random>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at_seconds(1_767_323_045);
        let secret = Secret::passphrase(PASSPHRASE.to_owned());
        let path = folder.path().join("slots.json");
        let vault = Vault::create(path, appliance, (&secret, "safe", CHEAP), &clock, random).unwrap();
        Self { vault, folder }
    }
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("slots.json")
    }
}

/// Somebody who reads every record, with these levels.
pub(crate) struct Reader {
    actor: Actor,
    policy: Policy,
}

impl Reader {
    pub(crate) fn new(fields: &[(&str, Level)]) -> Self {
        static REQUESTS: AtomicUsize = AtomicUsize::new(0);
        let request = format!("r{}", REQUESTS.fetch_add(1, Ordering::Relaxed));
        let actor =
            SystemActor::for_boot(Id::from_bytes([7; 16]), ActorContext::new(Channel::System, request).unwrap());
        let label = || Label::new("x", "x");
        let role = RoleDef {
            name: authz::APPLIANCE_ROLE.to_owned(),
            label: label(),
            description: label(),
            kind: RoleKind::Internal,
            objects: serde_json::from_value(json!({"*": {"read": "all"}})).unwrap(),
            levels: [(Sensitivity::S2, Level::Read)].into(),
            object_levels: BTreeMap::new(),
            fields: fields.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect(),
            actions: [].into(),
            forbid: authz::Forbid::default(),
            version: 0,
            retired: false,
        };
        Self { actor, policy: Policy::new(vec![role], [0; 32]) }
    }
    pub(crate) fn grant(&self, object: &ObjectDef, record: RecordId) -> Grant<'_, Read> {
        let facts = Facts { object: object.name.clone(), record, owner: None, unit: None, team: None, private: false };
        self.policy.grant(&self.actor, object, &facts).unwrap()
    }
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
