//! The history of a record: its log entries with their sealed values opened for somebody who may read the record.
//! Each field's values go through the same grant as the record itself.

use crate::engine::Sql;
use crate::rows::StoredRow;
use crate::{ReadTx, StoreError};
use audit::Entry;
use authz::{Grant, Level, Read};
use kernel::{Timestamp, UserId};
use metadata::{ColumnType, FieldDef, FieldType, Value};
use minicbor::Decoder;
use std::sync::Arc;
use vault::{ChangePlace, Place, VaultError};

/// One field that moved. Values are absent when they were not kept, or their key is destroyed.
pub struct FieldMove {
    /// Position of the field in the definition.
    pub field: usize,
    /// The value before.
    pub before: Option<Value>,
    /// The value after.
    pub after: Option<Value>,
    /// Whether the values were kept and could be opened.
    pub kept: bool,
}

/// One act in the history of a record.
pub struct HistoryEntry {
    /// Its number in the log.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The verb.
    pub verb: audit::Verb,
    /// Who; absent for the appliance and its operator.
    pub user: Option<UserId>,
    /// Through which door.
    pub channel: audit::Channel,
    /// The relation and role of a link.
    pub note: String,
    /// What moved, as far as the reader may see the fields.
    pub moves: Vec<FieldMove>,
}

impl ReadTx<'_> {
    /// The entries of a record, newest first, before a sequence number.
    pub fn history(
        &mut self,
        grant: &Grant<'_, Read>,
        row: &StoredRow,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut sql = Sql::new("SELECT \"seq\", \"bytes\" FROM \"k_audit\" WHERE \"changed\" = ");
        sql.bind(grant.record())
            .push(" AND \"seq\" < ")
            .bind(before.and_then(|seq| i64::try_from(seq).ok()).unwrap_or(i64::MAX));
        sql.push(" ORDER BY \"seq\" DESC LIMIT ").number(limit);
        let mut found = Vec::new();
        for line in self.conn.rows(&sql, &[ColumnType::Integer, ColumnType::Binary])? {
            let seq = line.int(0).and_then(|seq| u64::try_from(seq).ok()).unwrap_or_default();
            let bytes = line.get(1).bin().unwrap_or_default();
            let entry = Entry::decode(bytes).map_err(|error| StoreError::Audit(error.to_string()))?;
            let moves = self.moves(grant, row, &entry)?;
            found.push(HistoryEntry {
                seq,
                at: entry.at,
                verb: entry.act.verb,
                user: entry.actor.user.or(entry.actor.on_behalf_of),
                channel: entry.source.channel,
                note: entry.note,
                moves,
            });
        }
        Ok(found)
    }

    fn moves(&mut self, grant: &Grant<'_, Read>, row: &StoredRow, entry: &Entry) -> Result<Vec<FieldMove>, StoreError> {
        let object = Arc::clone(row.object());
        let mut moves: Vec<FieldMove> = Vec::new();
        for change in &entry.changes {
            let Some(field) =
                object.field_index(&change.field).filter(|field| grant.levels().get(*field) > Level::None)
            else {
                continue;
            };
            moves.push(FieldMove { field, before: None, after: None, kept: false });
        }
        for sealed in &entry.sealed {
            let Some((name, ciphertext)) = sealed.bytes.split_first_chunk::<16>() else { continue };
            let place = ChangePlace::of(&object, row.id(), row.subject(), *name)?;
            let (keys, mut store) = self.keys_and_store()?;
            let body = match keys.open_change(&mut store, grant, place, ciphertext) {
                Ok(opened) => opened.expose(grant)?.to_vec(),
                // After an erasure the entry stays and says that something was changed, not what.
                Err(VaultError::KeyMissing) => continue,
                Err(error) => return Err(error.into()),
            };
            for (name, before, after) in read_sides(&body)? {
                let (name, street) = name.strip_suffix(".street").map_or((name.as_str(), false), |name| (name, true));
                let Some(at) = object.field_index(name) else { continue };
                let Some(field) = object.fields.get(at) else { continue };
                let readable = grant.levels().get(at) >= Level::Masked;
                let Some(moved) = moves.iter_mut().find(|moved| moved.field == at).filter(|_| readable) else {
                    continue;
                };
                moved.kept = true;
                moved.before = self.side(grant, row, field, before, moved.before.take(), street)?;
                moved.after = self.side(grant, row, field, after, moved.after.take(), street)?;
            }
        }
        Ok(moves)
    }

    /// One side of a change: a plain text, or a ciphertext that opens with the field's own key.
    fn side(
        &mut self,
        grant: &Grant<'_, Read>,
        row: &StoredRow,
        field: &FieldDef,
        side: Side,
        so_far: Option<Value>,
        street: bool,
    ) -> Result<Option<Value>, StoreError> {
        let text = match side {
            Side::None => return Ok(so_far),
            Side::Text(text) => text,
            Side::Sealed(bytes) => {
                let place = Place::of(row.object(), field, row.id(), row.subject())?;
                let (keys, mut store) = self.keys_and_store()?;
                match keys.open(&mut store, grant, place, &bytes) {
                    Ok(opened) => opened.expose(grant)?.to_owned(),
                    Err(VaultError::KeyMissing) => return Ok(so_far),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        if street && field.field_type == FieldType::Address {
            let mut address = if let Some(Value::Address(address)) = so_far { address } else { Box::default() };
            address.street = Some(text);
            return Ok(Some(Value::Address(address)));
        }
        // A type that changed since keeps its old text readable rather than failing the whole history.
        Ok(Some(Value::from_text(&text, &field.field_type).unwrap_or(Value::Text(text))))
    }
}

enum Side {
    None,
    Text(String),
    Sealed(Vec<u8>),
}

fn read_sides(body: &[u8]) -> Result<Vec<(String, Side, Side)>, StoreError> {
    let wrong =
        |error: minicbor::decode::Error| StoreError::Audit(format!("the values of an entry cannot be read: {error}"));
    let mut decoder = Decoder::new(body);
    let count = decoder.array().map_err(wrong)?.unwrap_or(0);
    let mut sides = Vec::new();
    for _ in 0..count {
        decoder.array().map_err(wrong)?;
        let field = decoder.str().map_err(wrong)?.to_owned();
        let before = read_side(&mut decoder).map_err(wrong)?;
        let after = read_side(&mut decoder).map_err(wrong)?;
        sides.push((field, before, after));
    }
    Ok(sides)
}

fn read_side(decoder: &mut Decoder<'_>) -> Result<Side, minicbor::decode::Error> {
    Ok(match decoder.datatype()? {
        minicbor::data::Type::String => Side::Text(decoder.str()?.to_owned()),
        minicbor::data::Type::Bytes => Side::Sealed(decoder.bytes()?.to_vec()),
        _ => {
            decoder.null()?;
            Side::None
        }
    })
}
