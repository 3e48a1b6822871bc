//! What a change says in the log: per field a keyed hash of the old and the new value, and all values together sealed
//! under the subject's key, so that the log still verifies after the key is destroyed.
//!
//! The sealed body is a CBOR array of `[field, old, new]`, each value null, a text (plain fields) or the ciphertext as it
//! lies in the column (sealed fields). Values that would burst the entry are left out; their hashes stay.

use crate::StoreError;
use crate::engine::Cell;
use crate::read::ReadTx;
use crate::rows;
use kernel::{RecordId, limits};
use metadata::{Column, ColumnRole, FieldDef, ObjectDef, Value};
use minicbor::Encoder;
use vault::{BlindIndex, ChangePlace, Class, Place, Plain};

/// Bytes of sealed values in one entry; the rest of the entry needs room too.
const BODY_BYTES_MAX: usize = limits::AUDIT_ENTRY_BYTES_MAX / 2;

/// One side of a change.
#[derive(Clone, Default)]
pub(crate) enum Side {
    #[default]
    None,
    Text(String),
    Sealed(Vec<u8>),
}

impl Side {
    fn bytes(&self) -> usize {
        match self {
            Self::None => 1,
            Self::Text(text) => text.len() + 3,
            Self::Sealed(bytes) => bytes.len() + 3,
        }
    }
}

/// The changes of one record in one act.
pub(crate) struct ChangeLog {
    object: ObjectRef,
    subject: RecordId,
    moves: Vec<audit::Change>,
    sides: Vec<(String, Side, Side)>,
}

struct ObjectRef {
    definition: std::sync::Arc<ObjectDef>,
    record: RecordId,
}

impl ChangeLog {
    pub(crate) fn new(object: &std::sync::Arc<ObjectDef>, record: RecordId, subject: RecordId) -> Self {
        let object = ObjectRef { definition: std::sync::Arc::clone(object), record };
        Self { object, subject, moves: Vec::new(), sides: Vec::new() }
    }

    /// Notes a field that moves from the stored cells to a new value with its cells.
    pub(crate) fn record(
        &mut self,
        tx: &mut ReadTx<'_>,
        field: &FieldDef,
        before: Option<&[Cell]>,
        after: Option<(&Value, &[Cell])>,
    ) -> Result<(), StoreError> {
        // What follows from the time of the act is not told twice.
        if field.system
            && before.is_none()
            && matches!(field.name.as_str(), "created_at" | "created_by" | "updated_at" | "updated_by")
            || field.name == metadata::STAGE_SINCE
        {
            return Ok(());
        }
        let old = before.map(|cells| self.side(tx, field, cells)).transpose()?;
        let new = after.map(|(_, cells)| self.side(tx, field, cells)).transpose()?;
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        self.moves.push(audit::Change { field: field.name.clone(), before: old.mac, after: new.mac });
        self.sides.push((field.name.clone(), old.plain, new.plain));
        if rows::is_sealed(field) && field.field_type == metadata::FieldType::Address {
            self.sides.push((format!("{}.street", field.name), old.sealed, new.sealed));
        } else if let Some((_, before, after)) = self.sides.last_mut().filter(|_| rows::is_sealed(field)) {
            (*before, *after) = (old.sealed, new.sealed);
        }
        Ok(())
    }

    fn side(&self, tx: &mut ReadTx<'_>, field: &FieldDef, cells: &[Cell]) -> Result<Half, StoreError> {
        let (object, record) = (&self.object.definition, self.object.record);
        let value = rows::plain_value(field, cells)?;
        let text = value.to_text(&field.field_type);
        let bytes = rows::sealed_cell(field, cells);
        let mac = match (bytes, &text) {
            (Some(bytes), _) => {
                let place = Place::of(object, field, record, self.subject)?;
                let (keys, mut store) = tx.keys_and_store()?;
                Some(keys.audit_mac_sealed(&mut store, place, bytes)?)
            }
            (None, Some(text)) => {
                Some(tx.shared.vault.audit_mac(&object.name, &field.name, record, text.as_bytes())?)
            }
            (None, None) => None,
        };
        Ok(Half {
            mac,
            plain: text.map_or(Side::None, Side::Text),
            sealed: bytes.map_or(Side::None, |bytes| Side::Sealed(bytes.to_vec())),
        })
    }

    /// Puts the hashes and the sealed values into the entry.
    pub(crate) fn into_entry(self, tx: &mut ReadTx<'_>, entry: &mut audit::Entry) -> Result<(), StoreError> {
        entry.changes = self.moves;
        if self.sides.is_empty() {
            return Ok(());
        }
        let mut room = BODY_BYTES_MAX;
        let mut kept: Vec<&(String, Side, Side)> = Vec::with_capacity(self.sides.len());
        for side in &self.sides {
            let size = side.0.len() + side.1.bytes() + side.2.bytes() + 8;
            if size <= room {
                room -= size;
                kept.push(side);
            }
        }
        let mut encoder = Encoder::new(Vec::with_capacity(BODY_BYTES_MAX - room + 16));
        encode(&mut encoder, &kept).map_err(|error| StoreError::Audit(error.to_string()))?;
        let mut name = [0u8; 16];
        tx.shared.random.fill(&mut name);
        let place = ChangePlace::of(&self.object.definition, self.object.record, self.subject, name)?;
        let (keys, mut store) = tx.keys_and_store()?;
        let sealed = keys.seal_change(&mut store, &place, Class::Basic, encoder.writer())?;
        // The name of the place travels in front of the ciphertext: whoever opens it needs it, and it binds the two.
        let mut bytes = name.to_vec();
        bytes.extend_from_slice(&sealed);
        entry.sealed = vec![audit::SealedChange { class: Class::Basic.number(), bytes }];
        Ok(())
    }
}

#[derive(Default)]
struct Half {
    mac: Option<audit::ValueMac>,
    plain: Side,
    sealed: Side,
}

fn encode(
    encoder: &mut Encoder<Vec<u8>>,
    sides: &[&(String, Side, Side)],
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    encoder.array(u64::try_from(sides.len()).unwrap_or(0))?;
    for (field, old, new) in sides {
        encoder.array(3)?.str(field)?;
        for side in [old, new] {
            match side {
                Side::None => encoder.null()?,
                Side::Text(text) => encoder.str(text)?,
                Side::Sealed(bytes) => encoder.bytes(bytes)?,
            };
        }
    }
    Ok(())
}

/// The cells of a sealed field: ciphertext, index entries, unique tag; of an address also its plain region.
pub(crate) fn seal_field(
    tx: &mut ReadTx<'_>,
    object: &ObjectDef,
    (field, columns): (&FieldDef, &[Column]),
    value: &Value,
    (record, subject): (RecordId, RecordId),
) -> Result<Vec<Cell>, StoreError> {
    let text = rows::sealed_text(field, value);
    let place = Place::of(object, field, record, subject)?;
    let plain = text.map(|text| Plain::receive(place, text));
    let (keys, mut store) = tx.keys_and_store()?;
    let mut cells = Vec::new();
    let mut sealed_at = None;
    for column in columns {
        let empty = Cell::Null(column.column_type);
        let index = match column.role {
            ColumnRole::Blind => Some(BlindIndex::Whole),
            ColumnRole::BlindPart(part) => Some(BlindIndex::Part(part)),
            _ => None,
        };
        cells.push(match (column.role, &plain, value) {
            (ColumnRole::Region(part), _, Value::Address(address)) => address.region(part).map_or(empty, Cell::from),
            (ColumnRole::Sealed, Some(_), _) => {
                sealed_at = Some(cells.len());
                empty
            }
            (ColumnRole::UniqueTag, Some(plain), _) => Cell::Bin(keys.unique_tag(plain)?.to_vec()),
            (_, Some(plain), _) => match index {
                Some(index) => Cell::opt_int(keys.blind(plain, index)?),
                None => empty,
            },
            _ => empty,
        });
    }
    if let (Some(at), Some(plain)) = (sealed_at, plain) {
        let sealed = keys.seal(&mut store, plain)?;
        if let Some(cell) = cells.get_mut(at) {
            *cell = Cell::Bin(sealed.into_bytes());
        }
    }
    Ok(cells)
}
