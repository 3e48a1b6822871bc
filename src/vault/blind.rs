//! Blind indexes: what a sealed value leaves in a B-tree so that an equal value can be found.
//!
//! `trunc_L(HMAC(HKDF-Expand(BI, object ‖ field ‖ index ‖ version), normalise(value)))`, each part of the derivation with
//! its length. Truncated on purpose: several values share an entry, so an entry alone proves nothing; candidates are
//! opened and compared. Never made for values that can be guessed from their frequency.

use crate::{
    Normaliser, VaultError,
    keys::Keys,
    primitives::{self, short},
};
use metadata::{FieldDef, FieldType, IndexPart, Mask, Sealing};
use zeroize::Zeroizing;

/// Changes whenever a normaliser does; old entries are then made again.
const INDEX_VERSION: u32 = 1;
/// Fewest distinct values a blind index may be made for.
const DISTINCT_MIN: u64 = 32;

/// Which index of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlindIndex {
    /// Of the whole value.
    Whole,
    /// Of a part.
    Part(IndexPart),
}

impl BlindIndex {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Whole => b"exact",
            Self::Part(IndexPart::Last4) => b"last4",
            Self::Part(IndexPart::Domain) => b"domain",
            Self::Part(IndexPart::MonthDay) => b"month_day",
        }
    }
}

/// Why a field may not have a blind index: its entries would tell the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlindRefusal {
    /// Two values: the larger group is known at a glance.
    #[error("a yes-or-no field would be readable from the frequency of its index entries")]
    Boolean,
    /// A short list of values.
    #[error("a field with options would be readable from the frequency of its index entries")]
    Enumeration,
    /// Few values, and unevenly spread.
    #[error("dates and times can be guessed from the frequency of their index entries")]
    Date,
    /// Names are famously uneven: the commonest entry is the commonest name.
    #[error("names can be guessed from the frequency of their index entries; seal them with the index in memory")]
    Name,
    /// Numbers and amounts cluster, and are asked for by range.
    #[error("numbers and amounts cluster too much for an index of exact matches")]
    Number,
    /// Nobody looks for exactly this text.
    #[error("long texts and structured values are not looked up by exact match")]
    NotExact,
    /// The field has too few distinct values.
    #[error("the field has only {0} distinct values; at least 32 are needed")]
    FewValues(u64),
}

/// Whether a field may have a blind index of its whole value. `distinct` is the number of distinct values, where known.
pub fn blind_allowed(field: &FieldDef, distinct: Option<u64>) -> Result<(), BlindRefusal> {
    match &field.field_type {
        FieldType::Bool => return Err(BlindRefusal::Boolean),
        FieldType::Enum { .. } | FieldType::MultiEnum { .. } => return Err(BlindRefusal::Enumeration),
        FieldType::Date | FieldType::Timestamp => return Err(BlindRefusal::Date),
        FieldType::Integer { .. } | FieldType::Decimal { .. } | FieldType::Money => return Err(BlindRefusal::Number),
        FieldType::LongText
        | FieldType::RichText
        | FieldType::Address
        | FieldType::Json
        | FieldType::Reference { .. }
        | FieldType::File => return Err(BlindRefusal::NotExact),
        FieldType::Text { .. } | FieldType::Email | FieldType::Phone | FieldType::Url => {}
    }
    if field.mask == Some(Mask::Name) || field.sealing == Sealing::Memory {
        return Err(BlindRefusal::Name);
    }
    match distinct {
        Some(count) if count < DISTINCT_MIN => Err(BlindRefusal::FewValues(count)),
        Some(_) | None => Ok(()),
    }
}

/// Bits of the blind indexes of a table with this many rows, so that 2 ≤ rows / 2^bits ≤ √rows for four rows and more:
/// about sixteen rows to an entry, fewer in small tables (16 bits at 1 million rows, 19 at 10 million).
///
/// A new table starts with 16 (the default of the definition, where the number is kept, so that it can be planned anew).
pub const fn bits_for_rows(rows: u64) -> u8 {
    if rows < 4 {
        return 1;
    }
    let floor = rows.ilog2();
    // Rounded base-2 logarithm: up when rows² ≥ 2^(2·floor + 1).
    let squared = (rows as u128) * (rows as u128);
    let rounded = if squared >> (2 * floor + 1) >= 1 { floor + 1 } else { floor };
    // At least half the logarithm, rounded up, keeps an entry below √rows.
    let power_of_two = rows.is_power_of_two();
    let half = if power_of_two { floor.div_ceil(2) } else { (floor + 1).div_ceil(2) };
    let wanted = rounded.saturating_sub(4);
    let bits = if wanted > half { wanted } else { half };
    // And below log2(rows) - 1 keeps two rows in it, where both can be had at once.
    let most = floor - 1;
    (if bits > most { most } else { bits }) as u8
}

/// The part of a normalised value that an index is made of; `None` when the value has no such part. A text that is only
/// the part is its own part, so that a query can name the part alone.
fn part(index: BlindIndex, normal: &str) -> Option<Zeroizing<String>> {
    match index {
        BlindIndex::Whole => (!normal.is_empty()).then(|| Zeroizing::new(normal.to_owned())),
        BlindIndex::Part(IndexPart::Last4) => {
            // Of a telephone number with an extension, the number counts.
            let number = normal.split(';').next().unwrap_or(normal);
            let mut last: Zeroizing<Vec<char>> =
                Zeroizing::new(number.chars().rev().filter(|sign| sign.is_alphanumeric()).take(4).collect());
            last.reverse();
            (last.len() == 4).then(|| Zeroizing::new(last.iter().collect()))
        }
        BlindIndex::Part(IndexPart::Domain) => {
            let domain = normal.rsplit('@').next().unwrap_or(normal);
            (!domain.is_empty()).then(|| Zeroizing::new(domain.to_owned()))
        }
        BlindIndex::Part(IndexPart::MonthDay) => {
            let (start, is_part) = if normal.len() == 5 { (0, true) } else { (5, normal.len() == 10) };
            let part = normal.get(start..).filter(|_| is_part)?;
            let shape =
                part.bytes().enumerate().all(|(at, byte)| if at == 2 { byte == b'-' } else { byte.is_ascii_digit() });
            shape.then(|| Zeroizing::new(part.to_owned()))
        }
    }
}

fn digest(keys: &Keys, object: &str, field: &str, index: &[u8], text: &str) -> Result<ring::hmac::Tag, VaultError> {
    let version = INDEX_VERSION.to_be_bytes();
    let key = primitives::expand(&keys.blind, [object.as_bytes(), field.as_bytes(), index, &version])?;
    Ok(primitives::mac_plain(key.bytes(), text.as_bytes()))
}

/// The entry of a value, `bits` (1 to 62) wide; `None` when the value has no such part.
pub(crate) fn entry(
    keys: &Keys,
    object: &str,
    field: &str,
    (index, normaliser, bits): (BlindIndex, Normaliser, u8),
    text: &str,
) -> Result<Option<i64>, VaultError> {
    let Some(part) = part(index, &normaliser.apply(text)) else { return Ok(None) };
    let tag = digest(keys, object, field, index.name(), &part)?;
    let head = tag.as_ref().first_chunk::<8>().copied().ok_or(VaultError::Primitive)?;
    let kept = u64::from_be_bytes(head) >> (64 - u32::from(bits.clamp(1, 62)));
    Ok(Some(i64::try_from(kept).map_err(|_| VaultError::Primitive)?))
}

/// The 128-bit tag of a value under a unique rule. Equal values have equal tags, so it is only made where the rule is.
pub(crate) fn unique_tag(
    keys: &Keys,
    object: &str,
    field: &str,
    normaliser: Normaliser,
    text: &str,
) -> Result<[u8; 16], VaultError> {
    Ok(short(&digest(keys, object, field, b"unique", &normaliser.apply(text))?))
}

/// The MAC that stands for a value in the audit log: equal values of one field of one record give equal MACs.
pub(crate) fn audit_mac(keys: &Keys, object: &str, field: &str, record: &[u8; 16], value: &[u8]) -> [u8; 16] {
    let parts = [b"kontor-audit-value-v1", object.as_bytes(), field.as_bytes(), record, value];
    short(&primitives::mac(keys.audit.bytes(), parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Label;
    use metadata::Sensitivity;
    use proptest::prelude::*;

    #[test]
    fn bits_follow_the_rule() {
        assert_eq!(bits_for_rows(1_000_000), 16);
        assert_eq!(bits_for_rows(10_000_000), 19);
        assert_eq!(bits_for_rows(0), 1);
    }

    proptest! {
        #[test]
        fn an_entry_holds_two_to_root_rows(rows in prop_oneof![4u64..5_000, 4u64..1 << 50]) {
            let entries = 1u128 << bits_for_rows(rows);
            let rows = u128::from(rows);
            prop_assert!(rows >= 2 * entries, "at least two rows share an entry");
            // Where no whole number of bits fits (5, 6 and 7 rows and the like), two rows to an entry win over the root.
            prop_assert!(rows <= entries * entries || rows < 4 * entries);
        }
    }

    #[test]
    fn parts() {
        let of = |index, text: &str| part(BlindIndex::Part(index), text).map(|part| part.to_string());
        assert_eq!(of(IndexPart::Last4, "+8613800138000;ext=12"), Some("8000".into()));
        assert_eq!(of(IndexPart::Last4, "8000"), Some("8000".into()));
        assert_eq!(of(IndexPart::Last4, "11010119900307851x"), Some("851x".into()));
        assert_eq!(of(IndexPart::Last4, "123"), None);
        assert_eq!(of(IndexPart::Domain, "ada@bank.com"), Some("bank.com".into()));
        assert_eq!(of(IndexPart::Domain, "bank.com"), Some("bank.com".into()));
        assert_eq!(of(IndexPart::Domain, "ada@"), None);
        assert_eq!(of(IndexPart::MonthDay, "1990-03-07"), Some("03-07".into()));
        assert_eq!(of(IndexPart::MonthDay, "03-07"), Some("03-07".into()));
        assert_eq!(of(IndexPart::MonthDay, "1990-0307"), None);
        assert_eq!(of(IndexPart::MonthDay, "王王王x"), None);
    }

    #[test]
    fn what_can_be_guessed_is_refused() {
        let field = |field_type: &str, mask: Option<Mask>| -> FieldDef {
            let mut json = serde_json::json!({"name": "f", "label": Label::new("f", "f"), "type": field_type,
                "sensitivity": Sensitivity::S2, "sealing": "exact", "mask": mask});
            if field_type == "enum" {
                json["options"] = serde_json::json!([]);
            }
            serde_json::from_value(json).unwrap()
        };
        let check = |name: &str| blind_allowed(&field(name, None), None);
        assert_eq!(check("bool"), Err(BlindRefusal::Boolean));
        assert_eq!(check("enum"), Err(BlindRefusal::Enumeration));
        assert_eq!(check("date"), Err(BlindRefusal::Date));
        assert_eq!(check("money"), Err(BlindRefusal::Number));
        assert_eq!(check("long_text"), Err(BlindRefusal::NotExact));
        assert_eq!(blind_allowed(&field("text", Some(Mask::Name)), None), Err(BlindRefusal::Name));
        assert_eq!(blind_allowed(&field("text", None), Some(31)), Err(BlindRefusal::FewValues(31)));
        assert_eq!(blind_allowed(&field("text", None), Some(32)), Ok(()));
        assert_eq!(check("email"), Ok(()));
        assert_eq!(check("phone"), Ok(()));
    }
}
