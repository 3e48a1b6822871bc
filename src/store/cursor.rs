//! Where a page begins: the sort values and id of the row before it, as an opaque text. It holds only what its reader has
//! just seen, and scope and filter are applied anew, so a changed cursor reaches nothing more.

use crate::engine::Cell;
use crate::rows::StoredRow;
use kernel::RecordId;
use metadata::ColumnType;
use minicbor::{Decoder, Encoder};

/// Longest text that is looked at.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// The position after a row.
#[derive(Clone)]
pub struct Cursor {
    values: Vec<Cell>,
    id: RecordId,
}

impl Cursor {
    /// The position after this row in an order by these columns.
    pub(crate) fn after(row: &StoredRow, columns: &[&str]) -> Self {
        let value = |wanted: &&str| row.named_cells().find(|(name, _)| name == wanted).map(|(_, cell)| cell.clone());
        Self {
            values: columns.iter().map(|name| value(name).unwrap_or(Cell::Null(ColumnType::Text))).collect(),
            id: row.id(),
        }
    }
    /// The sort values, if there are as many as the order has columns.
    pub(crate) fn values(&self, count: usize) -> Option<&[Cell]> {
        (self.values.len() == count).then_some(self.values.as_slice())
    }
    pub(crate) fn id(&self) -> RecordId {
        self.id
    }

    /// The bytes behind the opaque text.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::with_capacity(64));
        // Writing into a Vec cannot fail; an empty cursor would only begin the list anew.
        let _ = encode(&mut encoder, self);
        encoder.into_writer()
    }
    /// Reads them again; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > TEXT_BYTES_MAX {
            return None;
        }
        let mut decoder = Decoder::new(bytes);
        let count = decoder.array().ok()??;
        let id = RecordId::from_slice(decoder.bytes().ok()?)?;
        let mut values = Vec::new();
        for _ in 1..count {
            values.push(match decoder.datatype().ok()? {
                minicbor::data::Type::String => Cell::Text(decoder.str().ok()?.to_owned()),
                minicbor::data::Type::Bytes => Cell::Bin(decoder.bytes().ok()?.to_vec()),
                minicbor::data::Type::Bool => Cell::Bool(decoder.bool().ok()?),
                minicbor::data::Type::Null => {
                    decoder.null().ok()?;
                    Cell::Null(ColumnType::Text)
                }
                _ => Cell::Int(decoder.i64().ok()?),
            });
        }
        (decoder.position() == bytes.len()).then_some(Self { values, id })
    }
}

fn encode(
    encoder: &mut Encoder<Vec<u8>>,
    cursor: &Cursor,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    encoder.array(u64::try_from(cursor.values.len() + 1).unwrap_or(1))?.bytes(cursor.id.as_bytes())?;
    for value in &cursor.values {
        match value {
            Cell::Null(_) => encoder.null()?,
            Cell::Text(text) => encoder.str(text)?,
            Cell::Int(number) => encoder.i64(*number)?,
            Cell::Bin(bytes) => encoder.bytes(bytes)?,
            Cell::Bool(flag) => encoder.bool(*flag)?,
        };
    }
    Ok(())
}
