//! Which indexes a field asks for. One rule for the table of a new object, the planner and the schema test.

use crate::{ColumnRole, FieldDef};

/// An index over the live rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexDef {
    /// Its columns in order; the id breaks ties, so that it serves paging.
    pub columns: Vec<String>,
    /// Whether no two live rows share a value.
    pub unique: bool,
}

/// The indexes of a field.
pub fn indexes_of(field: &FieldDef) -> Vec<IndexDef> {
    let columns = field.columns();
    let has_sort_key = columns.iter().any(|column| column.role == ColumnRole::SortKey);
    let mut indexes = Vec::new();
    for column in &columns {
        let sorted = match column.role {
            ColumnRole::SortKey | ColumnRole::Blind | ColumnRole::BlindPart(_) => true,
            ColumnRole::Value => field.indexed && !has_sort_key,
            ColumnRole::Region(part) => field.indexed && part == "city",
            ColumnRole::Currency | ColumnRole::TargetObject | ColumnRole::Sealed | ColumnRole::UniqueTag => false,
        };
        if sorted {
            indexes.push(IndexDef { columns: vec![column.name.clone(), "id".to_owned()], unique: false });
        }
        let unique = match column.role {
            ColumnRole::UniqueTag => true,
            ColumnRole::Value => field.unique,
            _ => false,
        };
        if unique {
            indexes.push(IndexDef { columns: vec![column.name.clone()], unique: true });
        }
    }
    indexes
}
