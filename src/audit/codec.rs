//! Canonical bytes of an entry: deterministic CBOR (RFC 8949 section 4.2), integer keys, definite lengths, shortest
//! integers. A member that says nothing is left out, so one entry has one spelling. Reading is strict: bytes that would
//! be written differently are refused. The table of keys is in docs/auditor/log-format.md and never changes its meaning.

use crate::{
    codes::{ActOutcome, ActorKind, AuthMethod, Channel, Effect, How, Phase, Verb},
    entry::{Act, Actor, Change, Decision, Disclosed, Entry, FieldUse, SealedChange, Source, Target},
};
use kernel::{Id, Timestamp, limits::AUDIT_ENTRY_BYTES_MAX};
use minicbor::{Decoder, Encoder, decode, encode};
use std::convert::Infallible;

/// The format written by this version.
const FORMAT: u64 = 1;

/// Why an entry cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Too large, even without the lists of ids.
    #[error("the entry has {bytes} bytes, more than AUDIT_ENTRY_BYTES_MAX allows")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Of a version that this program does not know.
    #[error("entry format {0} is not known to this version; read it with a newer one")]
    Format(u64),
    /// A member has an unknown key or number.
    #[error("{what} {number} is not known")]
    Unknown {
        /// Which table it is missing from.
        what: &'static str,
        /// The number found.
        number: u64,
    },
    /// A member is missing or has the wrong shape.
    #[error("the entry is malformed: {0}")]
    Malformed(&'static str),
    /// Not CBOR, or another CBOR type than expected.
    #[error("the entry is malformed")]
    Cbor(#[from] decode::Error),
    /// Valid, but not the one canonical spelling.
    #[error("the entry is not in its canonical form")]
    NotCanonical,
    /// Writing failed.
    #[error("the entry could not be written")]
    Encode(#[from] encode::Error<Infallible>),
}

type Bytes = Encoder<Vec<u8>>;
type Put = Result<(), EntryError>;

/// The members of one map, counted while they are written, since the count comes first.
struct Members {
    count: u64,
    out: Bytes,
}

impl Members {
    fn new() -> Self {
        Self { count: 0, out: Encoder::new(Vec::new()) }
    }
    fn key(&mut self, key: u8) -> Result<&mut Bytes, EntryError> {
        self.count += 1;
        Ok(self.out.u8(key)?)
    }
    fn uint(&mut self, key: u8, value: u64) -> Put {
        self.key(key)?.u64(value)?;
        Ok(())
    }
    fn text(&mut self, key: u8, value: &str) -> Put {
        if !value.is_empty() {
            self.key(key)?.str(value)?;
        }
        Ok(())
    }
    fn bytes(&mut self, key: u8, value: Option<&[u8]>) -> Put {
        if let Some(value) = value {
            self.key(key)?.bytes(value)?;
        }
        Ok(())
    }
    fn ids<K>(&mut self, key: u8, ids: &[Id<K>]) -> Put {
        if !ids.is_empty() {
            self.key(key)?.bytes(&joined(ids))?;
        }
        Ok(())
    }
    fn map(&mut self, key: u8, inner: Members) -> Put {
        if inner.count > 0 {
            self.key(key)?.map(inner.count)?.writer_mut().extend_from_slice(inner.out.writer());
        }
        Ok(())
    }
    fn list<T>(&mut self, key: u8, items: &[T], each: impl Fn(&mut Bytes, &T) -> Put) -> Put {
        if !items.is_empty() {
            let out = self.key(key)?.array(items.len() as u64)?;
            for item in items {
                each(out, item)?;
            }
        }
        Ok(())
    }
}

/// Ids as one byte string of 16 bytes each: half the cost of a list, and a full page still fits.
fn joined<K>(ids: &[Id<K>]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.as_bytes().iter().copied()).collect()
}

fn at_least(count: u64, ids: usize) -> u64 {
    count.max(ids as u64)
}

fn maybe_bytes(out: &mut Bytes, value: Option<&[u8]>) -> Put {
    match value {
        Some(value) => out.bytes(value)?,
        None => out.null()?,
    };
    Ok(())
}

fn actor_members(actor: &Actor) -> Result<Members, EntryError> {
    let mut map = Members::new();
    map.uint(0, actor.kind.number().into())?;
    map.bytes(1, actor.user.as_ref().map(|id| id.as_bytes().as_slice()))?;
    map.uint(2, actor.auth.number().into())?;
    map.bytes(3, actor.session.as_ref().map(|id| id.as_bytes().as_slice()))?;
    map.bytes(4, actor.token.as_ref().map(|id| id.as_bytes().as_slice()))?;
    map.bytes(5, actor.on_behalf_of.as_ref().map(|id| id.as_bytes().as_slice()))?;
    map.ids(6, &actor.approvers)?;
    Ok(map)
}

fn source_members(source: &Source) -> Result<Members, EntryError> {
    let mut map = Members::new();
    map.text(0, &source.address)?;
    map.uint(1, source.channel.number().into())?;
    Ok(map)
}

fn act_members(act: &Act) -> Result<Members, EntryError> {
    let mut map = Members::new();
    map.uint(0, act.verb.number().into())?;
    map.text(1, &act.purpose)?;
    map.text(2, &act.ticket)?;
    Ok(map)
}

fn target_members(target: &Target, kept: usize) -> Result<Members, EntryError> {
    let mut map = Members::new();
    map.text(0, &target.object)?;
    map.bytes(1, target.record.as_ref().map(|id| id.as_bytes().as_slice()))?;
    map.bytes(2, target.query.as_ref().map(<[u8; 32]>::as_slice))?;
    map.bytes(3, target.scope.as_ref().map(<[u8; 32]>::as_slice))?;
    map.ids(4, target.ids.get(..kept).unwrap_or(&target.ids))?;
    let count = at_least(target.count, target.ids.len());
    if count > 0 {
        map.uint(5, count)?;
    }
    Ok(map)
}

fn decision_members(decision: &Decision) -> Result<Members, EntryError> {
    let mut map = Members::new();
    map.uint(0, decision.effect.number().into())?;
    map.bytes(1, decision.epoch.as_ref().map(<[u8; 32]>::as_slice))?;
    map.list(2, &decision.rules, |out, rule| {
        out.str(rule)?;
        Ok(())
    })?;
    map.text(3, &decision.error)?;
    Ok(map)
}

/// How many ids of each list are written.
struct Kept {
    target: usize,
    related: Vec<usize>,
}

impl Kept {
    fn all(entry: &Entry) -> Self {
        Self { target: entry.target.ids.len(), related: entry.related.iter().map(|item| item.ids.len()).collect() }
    }
    /// Leaves out ids worth at least this many bytes: those of related records first, last ones first.
    fn shorten(&mut self, bytes: usize) {
        let mut ids = bytes.div_ceil(16);
        for list in self.related.iter_mut().rev().chain(std::iter::once(&mut self.target)) {
            let cut = ids.min(*list);
            *list -= cut;
            ids -= cut;
        }
    }
}

fn written(entry: &Entry, kept: &Kept) -> Result<Vec<u8>, EntryError> {
    let mut map = Members::new();
    map.uint(0, FORMAT)?;
    map.key(1)?.array(2)?.i64(entry.at.micros())?.u64(entry.monotonic_micros)?;
    map.bytes(2, Some(entry.boot.as_bytes()))?;
    map.text(3, &entry.node)?;
    map.map(4, actor_members(&entry.actor)?)?;
    map.map(5, source_members(&entry.source)?)?;
    map.bytes(6, entry.request.as_ref().map(|id| id.as_bytes().as_slice()))?;
    map.map(7, act_members(&entry.act)?)?;
    map.map(8, target_members(&entry.target, kept.target)?)?;
    let related: Vec<(&Disclosed, usize)> = entry.related.iter().zip(kept.related.iter().copied()).collect();
    map.list(9, &related, |out, (item, kept)| {
        let ids = joined(item.ids.get(..*kept).unwrap_or(&item.ids));
        out.array(3)?.str(&item.object)?.bytes(&ids)?.u64(at_least(item.count, item.ids.len()))?;
        Ok(())
    })?;
    map.list(10, &entry.fields, |out, item| {
        out.array(2)?.str(&item.field)?.u8(item.how.number())?;
        Ok(())
    })?;
    map.map(11, decision_members(&entry.decision)?)?;
    map.list(12, &entry.changes, |out, item| {
        out.array(3)?.str(&item.field)?;
        maybe_bytes(out, item.before.as_ref().map(<[u8; 16]>::as_slice))?;
        maybe_bytes(out, item.after.as_ref().map(<[u8; 16]>::as_slice))
    })?;
    map.list(13, &entry.sealed, |out, item| {
        out.array(2)?.u8(item.class)?.bytes(&item.bytes)?;
        Ok(())
    })?;
    map.bytes(14, entry.state_before.as_ref().map(<[u8; 32]>::as_slice))?;
    map.bytes(15, entry.state_after.as_ref().map(<[u8; 32]>::as_slice))?;
    map.uint(16, entry.outcome.number().into())?;
    map.uint(17, entry.phase.number().into())?;
    if entry.repeats > 1 {
        map.uint(18, entry.repeats)?;
    }
    map.text(19, &entry.note)?;
    let mut out = Encoder::new(Vec::with_capacity(map.out.writer().len() + 2));
    out.map(map.count)?.writer_mut().extend_from_slice(map.out.writer());
    Ok(out.into_writer())
}

fn name<T>(what: &'static str, number: u64, found: Option<T>) -> Result<T, EntryError> {
    found.ok_or(EntryError::Unknown { what, number })
}

fn fixed<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], EntryError> {
    d.bytes()?.try_into().map_err(|_| EntryError::Malformed("a byte string has the wrong length"))
}

fn id<K>(d: &mut Decoder<'_>) -> Result<Id<K>, EntryError> {
    Ok(Id::from_bytes(fixed(d)?))
}

fn ids<K>(d: &mut Decoder<'_>) -> Result<Vec<Id<K>>, EntryError> {
    let bytes = d.bytes()?;
    if bytes.len() % 16 != 0 {
        return Err(EntryError::Malformed("a list of ids is not a multiple of 16 bytes"));
    }
    Ok(bytes.chunks_exact(16).filter_map(Id::from_slice).collect())
}

fn members<'b>(d: &mut Decoder<'b>, mut each: impl FnMut(u8, &mut Decoder<'b>) -> Put) -> Put {
    let count = d.map()?.ok_or(EntryError::NotCanonical)?;
    for _ in 0..count {
        let key = d.u8()?;
        each(key, d)?;
    }
    Ok(())
}

fn list<'b, T>(
    d: &mut Decoder<'b>,
    each: impl Fn(&mut Decoder<'b>) -> Result<T, EntryError>,
) -> Result<Vec<T>, EntryError> {
    let count = d.array()?.ok_or(EntryError::NotCanonical)?;
    (0..count).map(|_| each(d)).collect()
}

fn tuple(d: &mut Decoder<'_>, length: u64) -> Put {
    if d.array()? == Some(length) { Ok(()) } else { Err(EntryError::Malformed("a list has the wrong length")) }
}

fn mac(d: &mut Decoder<'_>) -> Result<Option<[u8; 16]>, EntryError> {
    if d.datatype()? == minicbor::data::Type::Null {
        d.null()?;
        return Ok(None);
    }
    Ok(Some(fixed(d)?))
}

fn unknown_key(key: u8) -> EntryError {
    EntryError::Unknown { what: "key", number: key.into() }
}

fn read_actor(d: &mut Decoder<'_>) -> Result<Actor, EntryError> {
    let mut actor = Actor::default();
    members(d, |key, d| {
        match key {
            0 => {
                let number = d.u64()?;
                actor.kind = name("actor kind", number, ActorKind::from_number(number))?;
            }
            1 => actor.user = Some(id(d)?),
            2 => {
                let number = d.u64()?;
                actor.auth = name("authentication method", number, AuthMethod::from_number(number))?;
            }
            3 => actor.session = Some(id(d)?),
            4 => actor.token = Some(id(d)?),
            5 => actor.on_behalf_of = Some(id(d)?),
            6 => actor.approvers = ids(d)?,
            _ => return Err(unknown_key(key)),
        }
        Ok(())
    })?;
    Ok(actor)
}

fn read_source(d: &mut Decoder<'_>) -> Result<Source, EntryError> {
    let mut source = Source::default();
    members(d, |key, d| {
        match key {
            0 => source.address = d.str()?.to_owned(),
            1 => {
                let number = d.u64()?;
                source.channel = name("channel", number, Channel::from_number(number))?;
            }
            _ => return Err(unknown_key(key)),
        }
        Ok(())
    })?;
    Ok(source)
}

fn read_act(d: &mut Decoder<'_>, act: &mut Act) -> Put {
    members(d, |key, d| {
        match key {
            0 => {
                let number = d.u64()?;
                act.verb = name("verb", number, Verb::from_number(number))?;
            }
            1 => act.purpose = d.str()?.to_owned(),
            2 => act.ticket = d.str()?.to_owned(),
            _ => return Err(unknown_key(key)),
        }
        Ok(())
    })
}

fn read_target(d: &mut Decoder<'_>) -> Result<Target, EntryError> {
    let mut target = Target::default();
    members(d, |key, d| {
        match key {
            0 => target.object = d.str()?.to_owned(),
            1 => target.record = Some(id(d)?),
            2 => target.query = Some(fixed(d)?),
            3 => target.scope = Some(fixed(d)?),
            4 => target.ids = ids(d)?,
            5 => target.count = d.u64()?,
            _ => return Err(unknown_key(key)),
        }
        Ok(())
    })?;
    Ok(target)
}

fn read_decision(d: &mut Decoder<'_>) -> Result<Decision, EntryError> {
    let mut decision = Decision::default();
    members(d, |key, d| {
        match key {
            0 => {
                let number = d.u64()?;
                decision.effect = name("effect", number, Effect::from_number(number))?;
            }
            1 => decision.epoch = Some(fixed(d)?),
            2 => decision.rules = list(d, |d| Ok(d.str()?.to_owned()))?,
            3 => decision.error = d.str()?.to_owned(),
            _ => return Err(unknown_key(key)),
        }
        Ok(())
    })?;
    Ok(decision)
}

fn read_field(d: &mut Decoder<'_>) -> Result<FieldUse, EntryError> {
    tuple(d, 2)?;
    let (field, number) = (d.str()?.to_owned(), d.u64()?);
    Ok(FieldUse { field, how: name("way of disclosure", number, How::from_number(number))? })
}

fn read_lists(key: u8, d: &mut Decoder<'_>, entry: &mut Entry) -> Put {
    match key {
        9 => {
            entry.related = list(d, |d| {
                tuple(d, 3)?;
                Ok(Disclosed { object: d.str()?.to_owned(), ids: ids(d)?, count: d.u64()? })
            })?;
        }
        10 => entry.fields = list(d, read_field)?,
        12 => {
            entry.changes = list(d, |d| {
                tuple(d, 3)?;
                Ok(Change { field: d.str()?.to_owned(), before: mac(d)?, after: mac(d)? })
            })?;
        }
        13 => {
            entry.sealed = list(d, |d| {
                tuple(d, 2)?;
                Ok(SealedChange { class: d.u8()?, bytes: d.bytes()?.to_vec() })
            })?;
        }
        _ => return Err(unknown_key(key)),
    }
    Ok(())
}

fn read_member(key: u8, d: &mut Decoder<'_>, entry: &mut Entry) -> Put {
    match key {
        0 => match d.u64()? {
            FORMAT => {}
            other => return Err(EntryError::Format(other)),
        },
        1 => {
            tuple(d, 2)?;
            entry.at = Timestamp::from_micros(d.i64()?);
            entry.monotonic_micros = d.u64()?;
        }
        2 => entry.boot = id(d)?,
        3 => entry.node = d.str()?.to_owned(),
        4 => entry.actor = read_actor(d)?,
        5 => entry.source = read_source(d)?,
        6 => entry.request = Some(id(d)?),
        7 => read_act(d, &mut entry.act)?,
        8 => entry.target = read_target(d)?,
        11 => entry.decision = read_decision(d)?,
        14 => entry.state_before = Some(fixed(d)?),
        15 => entry.state_after = Some(fixed(d)?),
        16 => {
            let number = d.u64()?;
            entry.outcome = name("outcome", number, ActOutcome::from_number(number))?;
        }
        17 => {
            let number = d.u64()?;
            entry.phase = name("phase", number, Phase::from_number(number))?;
        }
        18 => entry.repeats = d.u64()?,
        19 => entry.note = d.str()?.to_owned(),
        _ => read_lists(key, d, entry)?,
    }
    Ok(())
}

impl Entry {
    /// The canonical bytes. When they would exceed the limit, ids are left out (of related records first, from the
    /// end); the counts beside them stay true.
    ///
    /// # Errors
    /// [`EntryError::TooLarge`] when it does not fit even without ids.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        let mut kept = Kept::all(self);
        let bytes = written(self, &kept)?;
        let Some(excess) = bytes.len().checked_sub(AUDIT_ENTRY_BYTES_MAX + 1) else { return Ok(bytes) };
        kept.shorten(excess + 1);
        let bytes = written(self, &kept)?;
        if bytes.len() > AUDIT_ENTRY_BYTES_MAX { Err(EntryError::TooLarge { bytes: bytes.len() }) } else { Ok(bytes) }
    }

    /// Reads canonical bytes; what was left out of them for size stays out.
    ///
    /// # Errors
    /// For an unknown format, unknown members, wrong shapes, and every spelling but the canonical one.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > AUDIT_ENTRY_BYTES_MAX {
            return Err(EntryError::TooLarge { bytes: bytes.len() });
        }
        let mut decoder = Decoder::new(bytes);
        let mut entry = Self::default();
        members(&mut decoder, |key, d| read_member(key, d, &mut entry))?;
        // Order, doubles, missing members, long integers and trailing bytes all show here.
        if written(&entry, &Kept::all(&entry))? == bytes { Ok(entry) } else { Err(EntryError::NotCanonical) }
    }
}
