//! Which columns hold a field. One rule for the table, the queries, the state hash and the schema page,
//! so that none of them can disagree. Never talks to a database.

use crate::{FieldDef, FieldType, IndexPart, Sealing, address::REGION_PARTS};
use pinyin::ToPinyin;
use unicode_normalization::UnicodeNormalization;

/// The four column types that both engines share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8, compared by code point on both engines.
    Text,
    /// 64-bit integer.
    Integer,
    /// Bytes.
    Binary,
    /// True or false.
    Bool,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnRole {
    /// The plain value, or its main part (of money the minor units, of a reference the id).
    Value,
    /// The currency of money.
    Currency,
    /// The object that a polymorphic reference points into.
    TargetObject,
    /// A plain part of an address.
    Region(&'static str),
    /// The ciphertext.
    Sealed,
    /// The truncated blind index of the whole value.
    Blind,
    /// The truncated blind index of a part.
    BlindPart(IndexPart),
    /// The 128-bit tag behind a unique rule on a sealed field.
    UniqueTag,
    /// Case-folded, romanised copy of a plain text, for sorting.
    SortKey,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// What it is for.
    pub role: ColumnRole,
}

fn column(name: String, column_type: ColumnType, role: ColumnRole) -> Column {
    Column { name, column_type, role }
}

/// The columns of a field, main one first.
pub(crate) fn columns_of(field: &FieldDef) -> Vec<Column> {
    match field.sealing {
        Sealing::Plain => plain_columns(field),
        Sealing::Sealed | Sealing::Exact | Sealing::Memory => sealed_columns(field),
    }
}

fn plain_columns(field: &FieldDef) -> Vec<Column> {
    let name = &field.name;
    let value = |column_type| vec![column(name.clone(), column_type, ColumnRole::Value)];
    match &field.field_type {
        FieldType::Text { .. } if has_sort_key(field) => {
            let mut columns = value(ColumnType::Text);
            columns.push(column(format!("{name}__sort"), ColumnType::Text, ColumnRole::SortKey));
            columns
        }
        FieldType::Text { .. }
        | FieldType::LongText
        | FieldType::RichText
        | FieldType::Date
        | FieldType::Enum { .. }
        | FieldType::MultiEnum { .. }
        | FieldType::Email
        | FieldType::Phone
        | FieldType::Url
        | FieldType::Json => value(ColumnType::Text),
        FieldType::Integer { .. } | FieldType::Decimal { .. } | FieldType::Timestamp => value(ColumnType::Integer),
        FieldType::Bool => value(ColumnType::Bool),
        FieldType::Money => vec![
            column(name.clone(), ColumnType::Integer, ColumnRole::Value),
            column(format!("{name}__cur"), ColumnType::Text, ColumnRole::Currency),
        ],
        FieldType::Reference { targets, .. } => {
            let mut columns = vec![column(format!("{name}_id"), ColumnType::Binary, ColumnRole::Value)];
            if targets.len() > 1 {
                columns.push(column(format!("{name}_object"), ColumnType::Text, ColumnRole::TargetObject));
            }
            columns
        }
        FieldType::File => vec![column(format!("{name}_id"), ColumnType::Binary, ColumnRole::Value)],
        FieldType::Address => {
            let mut columns = region_columns(name);
            columns.push(column(format!("{name}__street"), ColumnType::Text, ColumnRole::Value));
            columns
        }
    }
}

fn region_columns(name: &str) -> Vec<Column> {
    REGION_PARTS
        .iter()
        .map(|part| column(format!("{name}__{part}"), ColumnType::Text, ColumnRole::Region(part)))
        .collect()
}

fn sealed_columns(field: &FieldDef) -> Vec<Column> {
    let name = &field.name;
    if field.field_type == FieldType::Address {
        let mut columns = region_columns(name);
        columns.push(column(format!("{name}__street"), ColumnType::Binary, ColumnRole::Sealed));
        return columns;
    }
    let mut columns = vec![column(name.clone(), ColumnType::Binary, ColumnRole::Sealed)];
    if field.sealing == Sealing::Exact {
        columns.push(column(format!("{name}__bx"), ColumnType::Integer, ColumnRole::Blind));
    }
    for part in &field.parts {
        let suffix = match part {
            IndexPart::Last4 => "last4",
            IndexPart::Domain => "domain",
            IndexPart::MonthDay => "monthday",
        };
        columns.push(column(format!("{name}__bx_{suffix}"), ColumnType::Integer, ColumnRole::BlindPart(*part)));
    }
    if field.unique {
        columns.push(column(format!("{name}__ux"), ColumnType::Binary, ColumnRole::UniqueTag));
    }
    columns
}

/// Plain indexed one-line texts sort by a folded, romanised key on both engines.
fn has_sort_key(field: &FieldDef) -> bool {
    matches!(field.field_type, FieldType::Text { case_fold: false, .. }) && field.indexed && !field.system
}

/// The sort key of a text: compatibility-folded, lower case, Chinese as pinyin; cut at 64 characters.
///
/// People expect `lübeck` beside `Lubeck` and 李 under L; engines' own collations differ from each other.
pub fn sort_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for character in text.nfkd().take(64) {
        if character.is_ascii() {
            key.push(character.to_ascii_lowercase());
        } else if let Some(syllable) = character.to_pinyin() {
            key.push_str(syllable.plain());
            key.push(' ');
        } else if !unicode_normalization::char::is_combining_mark(character) {
            key.extend(character.to_lowercase());
        }
    }
    key.truncate(key.char_indices().nth(64).map_or(key.len(), |(at, _)| at));
    key
}

#[cfg(test)]
mod tests {
    use super::sort_key;

    #[test]
    fn keys_fold_case_accents_and_chinese() {
        assert_eq!(sort_key("Lübeck AG"), "lubeck ag");
        assert_eq!(sort_key("王伟"), "wang wei ");
        assert!(sort_key("李娜") < sort_key("王伟"));
        assert_eq!(sort_key("ＡＢＣ"), "abc");
        assert!(sort_key(&"王".repeat(300)).len() <= 64 * 4);
    }
}
