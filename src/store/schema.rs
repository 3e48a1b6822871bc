//! Tables made from definitions: one per object, one typed column per field, indexes where a definition asks for them.
//! Every step is transactional on both engines; a new column costs the same on an empty table and on a million rows.

use crate::StoreError;
use crate::engine::{Conn, dialect};
use metadata::{Column, ColumnType, FieldDef, LinkDef, ObjectDef};

/// Makes the table of an object with all columns and indexes of its definition.
pub(crate) fn create_table(conn: &mut Conn, object: &ObjectDef) -> Result<(), StoreError> {
    create_columns(conn, object)?;
    create_field_indexes(conn, object)
}

/// Makes the table of an object and the place of its search tokens, for many rows that come at once: their indexes follow
/// with [`create_indexes`].
pub(crate) fn create_bare_table(conn: &mut Conn, object: &ObjectDef) -> Result<(), StoreError> {
    create_columns(conn, object)?;
    let statements = dialect::create_search(conn, &object.name, &object.search_table());
    statements.iter().take(1).try_for_each(|statement| conn.batch(statement))
}

/// Makes the indexes of a table that was made bare.
pub(crate) fn create_indexes(conn: &mut Conn, object: &ObjectDef) -> Result<(), StoreError> {
    create_field_indexes(conn, object)?;
    let statements = dialect::create_search(conn, &object.name, &object.search_table());
    statements.iter().skip(1).try_for_each(|statement| conn.batch(statement))
}

fn create_columns(conn: &mut Conn, object: &ObjectDef) -> Result<(), StoreError> {
    let mut text = format!(
        "CREATE TABLE \"{}\" ({}, \"id\" {} NOT NULL UNIQUE, \"version\" {} NOT NULL",
        object.name,
        dialect::row_number(conn),
        dialect::type_name(conn, ColumnType::Binary),
        dialect::type_name(conn, ColumnType::Integer),
    );
    for column in object.fields.iter().flat_map(FieldDef::columns) {
        text.push_str(&format!(", \"{}\" {}", column.name, dialect::type_name(conn, column.column_type)));
    }
    text.push_str(dialect::table_end(conn));
    conn.batch(&text)
}

fn create_field_indexes(conn: &mut Conn, object: &ObjectDef) -> Result<(), StoreError> {
    for index in object.fields.iter().flat_map(metadata::indexes_of) {
        create_index(conn, &object.name, &index.columns, index.unique)?;
    }
    Ok(())
}

/// Makes the full-text index of an object.
pub(crate) fn create_search(conn: &mut Conn, object: &ObjectDef) -> Result<(), StoreError> {
    let statements = dialect::create_search(conn, &object.name, &object.search_table());
    statements.iter().try_for_each(|statement| conn.batch(statement))
}

/// Adds an empty column. No row is touched.
pub(crate) fn add_column(conn: &mut Conn, table: &str, column: &Column) -> Result<(), StoreError> {
    let kind = dialect::type_name(conn, column.column_type);
    conn.batch(&format!("ALTER TABLE \"{table}\" ADD COLUMN \"{}\" {kind}", column.name))
}

/// Makes an index over live rows. On a filled table this takes time in proportion to its rows.
pub(crate) fn create_index(conn: &mut Conn, table: &str, columns: &[String], unique: bool) -> Result<(), StoreError> {
    let Some(first) = columns.first() else { return Err(StoreError::damaged("an index without columns")) };
    let order = dialect::index_order(conn);
    let list = columns.iter().map(|column| format!("\"{column}\"{order}")).collect::<Vec<_>>().join(", ");
    let sparse = if metadata::is_sparse(first) { format!(" AND \"{first}\" IS NOT NULL") } else { String::new() };
    let (word, letter) = if unique { ("UNIQUE INDEX", "u") } else { ("INDEX", "i") };
    conn.batch(&format!(
        "CREATE {word} \"{letter}_{table}_{first}\" ON \"{table}\" ({list}) WHERE \"deleted_at\" IS NULL{sparse}"
    ))
}

/// Makes the table of a many-to-many relation.
pub(crate) fn create_link(conn: &mut Conn, object: &ObjectDef, link: &LinkDef) -> Result<(), StoreError> {
    let table = object.link_table(link);
    let (text, integer, binary) = (
        dialect::type_name(conn, ColumnType::Text),
        dialect::type_name(conn, ColumnType::Integer),
        dialect::type_name(conn, ColumnType::Binary),
    );
    conn.batch(&format!(
        "CREATE TABLE \"{table}\" (\"from_id\" {binary} NOT NULL, \"to_id\" {binary} NOT NULL, \"role\" {text}, \
         \"created_at\" {integer} NOT NULL, \"created_by\" {binary}, PRIMARY KEY (\"from_id\", \"to_id\"){}",
        dialect::table_end(conn)
    ))?;
    conn.batch(&format!("CREATE INDEX \"i_{table}_to\" ON \"{table}\" (\"to_id\", \"from_id\")"))
}
