//! Which indexes a field asks for. One rule for the table of a new object, the planner and the schema test.

use crate::{ColumnRole, FieldDef, FieldType};

/// What a scope asks of a row. Inside the indexes on time, so that a list of the newest within a scope passes over the
/// records of others without opening their rows; and each with an index along the time of creation, so that the records of a
/// few owners are met in that order without passing over anybody else's.
const SCOPE_COLUMNS: [&str; 3] = ["owner_id", "unit_id", "team_id"];

/// An index over the live rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexDef {
    /// Its columns in order; the id breaks ties, so that it serves paging.
    pub columns: Vec<String>,
    /// Whether no two live rows share a value.
    pub unique: bool,
}

/// Whether an index that begins with this column leaves out rows without a value. A blind index is only ever asked for
/// equal values, and most sealed fields of most records are empty.
pub fn is_sparse(first_column: &str) -> bool {
    first_column.ends_with("__bx") || first_column.contains("__bx_")
}

/// The indexes of a field.
pub fn indexes_of(field: &FieldDef) -> Vec<IndexDef> {
    let columns = field.columns();
    let has_sort_key = columns.iter().any(|column| column.role == ColumnRole::SortKey);
    let mut indexes = Vec::new();
    for column in &columns {
        let sorted = match column.role {
            ColumnRole::SortKey | ColumnRole::Blind | ColumnRole::BlindPart(_) => true,
            // Where no two rows share a value there are no ties, and the unique index serves paging as well.
            ColumnRole::Value => field.indexed && !has_sort_key && !field.unique,
            ColumnRole::Region(part) => field.indexed && part == "city",
            ColumnRole::Currency | ColumnRole::TargetObject | ColumnRole::Sealed | ColumnRole::UniqueTag => false,
        };
        if sorted {
            let mut columns = vec![column.name.clone()];
            if field.system && SCOPE_COLUMNS.contains(&column.name.as_str()) {
                columns.push("created_at".to_owned());
            }
            columns.push("id".to_owned());
            if field.system && matches!(field.field_type, FieldType::Timestamp) {
                columns.extend(SCOPE_COLUMNS.map(str::to_owned));
            }
            indexes.push(IndexDef { columns, unique: false });
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
