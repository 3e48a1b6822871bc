//! Unseal slots: the root key, wrapped once per passphrase or key file, as LUKS does it. Any one slot opens.
//! The text of the file is made and read here; putting it on disk is `slot_file`'s job. Slots of kinds this version
//! does not know (TPM2, PKCS#11) are kept as they are, told about, and never destroyed.

use crate::{
    ApplianceId, VaultError,
    primitives::{self, KEY_LEN, Key, NONCE_LEN, TAG_LEN, put},
    shares::{self, Share, ShareSet, ShareSlot},
    slip39,
};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use kernel::{Random, Timestamp, limits};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

const FORMAT: &str = "kontor-slots";
const VERSION: u32 = 1;
const PASSPHRASE: &str = "passphrase";
const KEY_FILE: &str = "key_file";
const SHARES: &str = "shares";
/// How the shares of a slot are made.
const SCHEME: &str = "slip-0039";
pub(crate) const SALT_LEN: usize = 16;
/// A file asking for more is damaged or hostile; the appliance has 2 GB.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 64;
const LANES_MAX: u32 = 16;

/// What Argon2id (RFC 9106) spends on one guess of a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PassphraseCost {
    /// 64 MiB, 3 passes, 1 lane: the second recommended option of RFC 9106 with one lane.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

/// What somebody brings to unseal the appliance. Wiped when dropped.
pub struct Secret(pub(crate) SecretKind);

pub(crate) enum SecretKind {
    Passphrase(Zeroizing<String>),
    KeyFile(Key),
    Shares { set: u16, master: Key },
}

impl Secret {
    /// A passphrase as typed. Normalised to NFC, so that two keyboards give the same bytes for the same letters.
    pub fn passphrase(typed: String) -> Self {
        let typed = Zeroizing::new(typed);
        let mut normal = Zeroizing::new(String::with_capacity(typed.len() * 3));
        normal.extend(typed.nfc());
        Self(SecretKind::Passphrase(normal))
    }
}

/// The kind of an unseal slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// A passphrase.
    Passphrase,
    /// A key file or systemd credential.
    KeyFile,
    /// Recovery shares: so many of so many people.
    Shares {
        /// How many are needed.
        threshold: u8,
        /// How many there are.
        count: u8,
        /// The number of the set, which stands in each of them.
        set: u16,
    },
    /// A kind this version cannot open; the text is its name in the file.
    Unsupported(String),
}

/// What may be told about an unseal slot.
#[derive(Clone, Debug)]
pub struct SlotInfo {
    /// Its number.
    pub id: u32,
    /// Its kind.
    pub kind: SlotKind,
    /// When it was made.
    pub created_at: Timestamp,
    /// What its owner called it.
    pub label: String,
}

/// The file. Members of later versions are kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct SlotsFile {
    format: String,
    version: u32,
    appliance: ApplianceId,
    epoch: u32,
    check: String,
    slots: Vec<Slot>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Slot {
    id: u32,
    kind: String,
    created_at: Timestamp,
    label: String,
    params: Value,
    wrapped: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// How a slot turns a secret into the key that wraps the root key.
enum Method {
    Passphrase { cost: PassphraseCost, salt: [u8; SALT_LEN] },
    KeyFile { salt: [u8; SALT_LEN] },
    Shares { salt: [u8; SALT_LEN], set: ShareSet },
}

/// The root key with its epoch and the appliance it belongs to.
pub(crate) struct Root {
    pub(crate) appliance: ApplianceId,
    pub(crate) epoch: u32,
    pub(crate) key: Key,
}

impl SlotsFile {
    /// A file without slots for a new root key; only useful once a slot is added.
    pub(crate) fn new(root: &Root) -> Result<Self, VaultError> {
        Ok(Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            appliance: root.appliance,
            epoch: root.epoch,
            check: BASE64.encode(check_value(root)?),
            slots: Vec::new(),
            rest: Map::new(),
        })
    }

    /// Reads the text of a file. The version is looked at first: a newer one need not have this shape.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, VaultError> {
        let json: Value = serde_json::from_slice(text).map_err(|_| VaultError::SlotsCorrupt("not JSON"))?;
        if json.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(VaultError::SlotsCorrupt("not a file of unseal slots"));
        }
        let version = json.get("version").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        match version {
            Some(VERSION) => {}
            Some(newer) => return Err(VaultError::SlotsVersion(newer)),
            None => return Err(VaultError::SlotsCorrupt("no version")),
        }
        let file: Self =
            serde_json::from_value(json).map_err(|_| VaultError::SlotsCorrupt("a member is missing or wrong"))?;
        let mut ids: Vec<u32> = file.slots.iter().map(|slot| slot.id).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != file.slots.len() || ids.len() > limits::UNSEAL_SLOTS_MAX {
            return Err(VaultError::SlotsCorrupt("slot numbers repeat, or there are too many slots"));
        }
        file.slots.iter().try_for_each(|slot| slot.method().map(drop))?;
        Ok(file)
    }

    /// The text of the file, indented for people.
    pub(crate) fn to_text(&self) -> Result<Vec<u8>, VaultError> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|_| VaultError::SlotsCorrupt("cannot be written"))?;
        text.push(b'\n');
        Ok(text)
    }

    /// What may be told about the slots.
    pub(crate) fn infos(&self) -> Vec<SlotInfo> {
        let info = |slot: &Slot| SlotInfo {
            id: slot.id,
            kind: slot.kind_known(),
            created_at: slot.created_at,
            label: slot.label.clone(),
        };
        self.slots.iter().map(info).collect()
    }

    /// Tries the slots of the secret's kind; the first that opens gives the root key.
    pub(crate) fn open(&self, secret: &Secret) -> Result<Root, VaultError> {
        self.try_slots(secret).map(|(root, _)| root)
    }

    /// The same, with the number of the slot that opened.
    pub(crate) fn try_slots(&self, secret: &Secret) -> Result<(Root, u32), VaultError> {
        for slot in &self.slots {
            let Some(method) = slot.method()? else { continue };
            let Some(kek) = method.kek(secret)? else { continue };
            let Some(key) = self.unwrap_root(slot, &method, &kek)? else { continue };
            let root = Root { appliance: self.appliance, epoch: self.epoch, key };
            let stored = BASE64.decode(&self.check).map_err(|_| VaultError::SlotsCorrupt("the check value"))?;
            if stored != check_value(&root)? {
                return Err(VaultError::SlotsCorrupt("the check value does not fit the root key"));
            }
            return Ok((root, slot.id));
        }
        Err(VaultError::NoSlotOpens)
    }

    /// Adds a slot that opens with `secret` and returns its number.
    pub(crate) fn add(
        &mut self,
        root: &Root,
        secret: &Secret,
        label: &str,
        cost: PassphraseCost,
        at: Timestamp,
        random: &dyn Random,
    ) -> Result<u32, VaultError> {
        let mut salt = [0u8; SALT_LEN];
        random.fill(&mut salt);
        let method = match &secret.0 {
            SecretKind::Passphrase(passphrase) => {
                let long = passphrase.len() > limits::PASSPHRASE_BYTES_MAX;
                if long || passphrase.chars().count() < limits::PASSWORD_CHARS_MIN {
                    return Err(VaultError::PassphraseLength);
                }
                Method::Passphrase { cost, salt }
            }
            SecretKind::KeyFile(_) => Method::KeyFile { salt },
            // They come with their slot, from `add_shares`.
            SecretKind::Shares { .. } => return Err(VaultError::Primitive),
        };
        self.push(root, secret, method, label, at, random)
    }

    /// Makes a set of recovery shares, `threshold` of `count`, and the slot that they open.
    pub(crate) fn add_shares(
        &mut self,
        root: &Root,
        (threshold, count): (u8, u8),
        label: &str,
        at: Timestamp,
        random: &dyn Random,
    ) -> Result<(u32, Vec<Share>), VaultError> {
        if !(2..=limits::RECOVERY_SHARES_MAX).contains(&count) || !(2..=count).contains(&threshold) {
            return Err(VaultError::SharesNumbers);
        }
        let used: Vec<u16> = self.share_slots()?.iter().map(|slot| slot.set.set).collect();
        let number = loop {
            let mut bytes = [0u8; 2];
            random.fill(&mut bytes);
            let number = u16::from_be_bytes(bytes) >> 1;
            if !used.contains(&number) {
                break number;
            }
        };
        let mut salt = [0u8; SALT_LEN];
        random.fill(&mut salt);
        let master = Key::random(random);
        let shards = slip39::split(master.bytes(), (threshold, count), number, random)?;
        let marks = shards.iter().map(|shard| shares::mark(&salt, &self.appliance, shard)).collect();
        let method = Method::Shares { salt, set: ShareSet { set: number, threshold, count, marks } };
        let secret = Secret(SecretKind::Shares { set: number, master });
        let id = self.push(root, &secret, method, label, at, random)?;
        Ok((id, shards.into_iter().map(Share::new).collect()))
    }

    /// The slots of recovery shares, with what tells their shares from others.
    pub(crate) fn share_slots(&self) -> Result<Vec<ShareSlot>, VaultError> {
        let mut found = Vec::new();
        for slot in &self.slots {
            if let Some(Method::Shares { salt, set }) = slot.method()? {
                found.push(ShareSlot { slot: slot.id, appliance: self.appliance, salt, set });
            }
        }
        Ok(found)
    }

    fn push(
        &mut self,
        root: &Root,
        secret: &Secret,
        method: Method,
        label: &str,
        at: Timestamp,
        random: &dyn Random,
    ) -> Result<u32, VaultError> {
        if self.slots.len() >= limits::UNSEAL_SLOTS_MAX {
            return Err(VaultError::SlotsFull);
        }
        let chars = label.chars().count();
        if chars == 0 || chars > limits::UNSEAL_LABEL_CHARS_MAX || label.chars().any(char::is_control) {
            return Err(VaultError::SlotLabel);
        }
        let id = self.slots.iter().map(|slot| slot.id).max().unwrap_or(0).saturating_add(1);
        let kek = method.kek(secret)?.ok_or(VaultError::Primitive)?;
        let aad = self.aad(id, &method);
        let nonce = primitives::nonce(random);
        let mut body = Zeroizing::new(*root.key.bytes());
        let tag = primitives::gcm_seal(kek.bytes(), nonce, &aad, body.as_mut())?;
        let wrapped = BASE64.encode([&nonce[..], &body[..], &tag[..]].concat());
        let (kind, params) = (method.kind().to_owned(), method.params());
        self.slots.push(Slot { id, kind, created_at: at, label: label.to_owned(), params, wrapped, rest: Map::new() });
        Ok(id)
    }

    /// Takes a slot away; refuses the last one that this version can open.
    pub(crate) fn remove(&mut self, id: u32) -> Result<(), VaultError> {
        let at = self.slots.iter().position(|slot| slot.id == id).ok_or(VaultError::SlotUnknown(id))?;
        let usable = |slot: &Slot| !matches!(slot.kind_known(), SlotKind::Unsupported(_));
        if !self.slots.iter().any(|slot| slot.id != id && usable(slot)) {
            return Err(VaultError::SlotLast(id));
        }
        self.slots.remove(at);
        Ok(())
    }

    /// Whether this file belongs to the given root key.
    pub(crate) fn belongs_to(&self, root: &Root) -> bool {
        self.appliance == root.appliance && self.epoch == root.epoch
    }

    fn unwrap_root(&self, slot: &Slot, method: &Method, kek: &Key) -> Result<Option<Key>, VaultError> {
        let corrupt = || VaultError::SlotsCorrupt("a wrapped root key");
        let wrapped = Zeroizing::new(BASE64.decode(&slot.wrapped).map_err(|_| corrupt())?);
        let (nonce, body) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or_else(corrupt)?;
        if body.len() != KEY_LEN + TAG_LEN {
            return Err(corrupt());
        }
        let mut body = Zeroizing::new(body.to_vec());
        let opened = primitives::gcm_open(kek.bytes(), *nonce, &self.aad(slot.id, method), &mut body);
        Ok(opened.and_then(|length| body.get(..length)).and_then(Key::from_slice))
    }

    /// Everything that decides what the slot opens, so that no member can be moved or weakened.
    fn aad(&self, id: u32, method: &Method) -> Vec<u8> {
        let mut aad = Vec::with_capacity(160);
        put(&mut aad, b"kontor-slot-v1");
        put(&mut aad, self.appliance.as_bytes());
        put(&mut aad, &self.epoch.to_be_bytes());
        put(&mut aad, &id.to_be_bytes());
        put(&mut aad, method.kind().as_bytes());
        if let Method::Passphrase { cost, .. } = method {
            put(&mut aad, &cost.memory_kib.to_be_bytes());
            put(&mut aad, &cost.passes.to_be_bytes());
            put(&mut aad, &cost.lanes.to_be_bytes());
        }
        if let Method::Shares { set, .. } = method {
            put(&mut aad, &set.set.to_be_bytes());
            put(&mut aad, &[set.threshold, set.count]);
            put(&mut aad, &set.marks.concat());
        }
        put(&mut aad, method.salt());
        aad
    }
}

/// Tells whether an opened root key is the one the file is about, without telling anything about the key.
fn check_value(root: &Root) -> Result<[u8; 16], VaultError> {
    let key = primitives::expand(&root.key, [b"kontor-root-check-v1"])?;
    let tag = primitives::mac(key.bytes(), [root.appliance.as_bytes(), &root.epoch.to_be_bytes()]);
    Ok(primitives::short(&tag))
}

impl Slot {
    fn kind_known(&self) -> SlotKind {
        match self.kind.as_str() {
            PASSPHRASE => SlotKind::Passphrase,
            KEY_FILE => SlotKind::KeyFile,
            SHARES => match self.share_set() {
                Some(set) => SlotKind::Shares { threshold: set.threshold, count: set.count, set: set.set },
                None => SlotKind::Unsupported(SHARES.to_owned()),
            },
            other => SlotKind::Unsupported(other.to_owned()),
        }
    }

    /// The parameters of recovery shares; `None` where they are not whole, or of a scheme of a later version.
    fn share_set(&self) -> Option<ShareSet> {
        if self.params.get("scheme").and_then(Value::as_str) != Some(SCHEME) {
            return None;
        }
        let number = |name: &str| self.params.get(name).and_then(Value::as_u64);
        let marks = self.params.get("marks")?.as_array()?.iter();
        let marks: Option<Vec<[u8; shares::MARK_LEN]>> =
            marks.map(|mark| BASE64.decode(mark.as_str()?).ok()?.try_into().ok()).collect();
        let set = ShareSet {
            set: u16::try_from(number("set")?).ok()?,
            threshold: u8::try_from(number("threshold")?).ok()?,
            count: u8::try_from(number("count")?).ok()?,
            marks: marks?,
        };
        let fits = (2..=limits::RECOVERY_SHARES_MAX).contains(&set.count)
            && (2..=set.count).contains(&set.threshold)
            && set.marks.len() == usize::from(set.count);
        fits.then_some(set)
    }

    /// The method; `None` for kinds of later versions, an error where a known kind is not whole.
    fn method(&self) -> Result<Option<Method>, VaultError> {
        let corrupt = || VaultError::SlotsCorrupt("the parameters of a slot");
        let number = |name: &str, max: u32| {
            let found = self.params.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
            found.filter(|number| (1..=max).contains(number)).ok_or_else(corrupt)
        };
        let salt = || -> Result<[u8; SALT_LEN], VaultError> {
            let text = self.params.get("salt").and_then(Value::as_str).ok_or_else(corrupt)?;
            BASE64.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(corrupt)
        };
        Ok(match self.kind_known() {
            SlotKind::Passphrase => {
                let cost = PassphraseCost {
                    memory_kib: number("memory_kib", MEMORY_KIB_MAX)?,
                    passes: number("passes", PASSES_MAX)?,
                    lanes: number("lanes", LANES_MAX)?,
                };
                Some(Method::Passphrase { cost, salt: salt()? })
            }
            SlotKind::KeyFile => Some(Method::KeyFile { salt: salt()? }),
            SlotKind::Shares { .. } => {
                Some(Method::Shares { salt: salt()?, set: self.share_set().ok_or_else(corrupt)? })
            }
            SlotKind::Unsupported(_) => None,
        })
    }
}

impl Method {
    fn kind(&self) -> &'static str {
        match self {
            Self::Passphrase { .. } => PASSPHRASE,
            Self::KeyFile { .. } => KEY_FILE,
            Self::Shares { .. } => SHARES,
        }
    }

    fn salt(&self) -> &[u8; SALT_LEN] {
        match self {
            Self::Passphrase { salt, .. } | Self::KeyFile { salt } | Self::Shares { salt, .. } => salt,
        }
    }

    fn params(&self) -> Value {
        let salt = BASE64.encode(self.salt());
        match self {
            Self::Passphrase { cost, .. } => {
                json!({"kdf": "argon2id", "memory_kib": cost.memory_kib, "passes": cost.passes, "lanes": cost.lanes, "salt": salt})
            }
            Self::KeyFile { .. } => json!({"kdf": "hkdf-sha256", "salt": salt}),
            Self::Shares { set, .. } => {
                let marks: Vec<String> = set.marks.iter().map(|mark| BASE64.encode(mark)).collect();
                json!({"kdf": "hkdf-sha256", "scheme": SCHEME, "set": set.set, "threshold": set.threshold,
                    "count": set.count, "marks": marks, "salt": salt})
            }
        }
    }

    /// The wrapping key; `None` when the secret is of another kind.
    fn kek(&self, secret: &Secret) -> Result<Option<Key>, VaultError> {
        let mut bytes = Zeroizing::new([0u8; KEY_LEN]);
        match (self, &secret.0) {
            (Self::Passphrase { cost, salt }, SecretKind::Passphrase(passphrase)) => {
                let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_LEN))
                    .map_err(|_| VaultError::SlotsCorrupt("the parameters of a slot"))?;
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(passphrase.as_bytes(), salt, bytes.as_mut())
                    .map_err(|_| VaultError::Primitive)?;
            }
            (Self::KeyFile { salt }, SecretKind::KeyFile(key)) => {
                primitives::hkdf(salt, key.bytes(), b"kontor-key-file-v1", bytes.as_mut())?;
            }
            (Self::Shares { salt, set }, SecretKind::Shares { set: number, master }) if set.set == *number => {
                primitives::hkdf(salt, master.bytes(), b"kontor-shares-v1", bytes.as_mut())?;
            }
            (Self::Passphrase { .. } | Self::KeyFile { .. } | Self::Shares { .. }, _) => return Ok(None),
        }
        Ok(Key::from_slice(bytes.as_ref()))
    }
}
