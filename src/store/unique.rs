//! What a violated unique index means to whoever made the change. Never tells which record has the value.

use crate::StoreError;
use kernel::{Code, Fault};
use metadata::{FieldDef, ObjectDef};

/// Turns the engine's words about a unique index into a fault that names the field.
pub(crate) fn unique(object: &ObjectDef, error: StoreError) -> StoreError {
    let StoreError::Engine(diesel::result::Error::DatabaseError(
        diesel::result::DatabaseErrorKind::UniqueViolation,
        info,
    )) = &error
    else {
        return error;
    };
    let index = info.constraint_name().unwrap_or_default();
    let hit = |field: &&FieldDef| {
        field.columns().iter().any(|column| {
            // One engine names the index, the other the column.
            index == format!("u_{}_{}", object.name, column.name)
                || info.message().ends_with(&format!(": {}.{}", object.name, column.name))
        })
    };
    let Some(field) = object.fields.iter().filter(|field| field.unique).find(hit) else { return error };
    Fault::new(Code::ValueNotUnique, "Another record already has this value.")
        .with_item(format!("/{}", field.name), Code::ValueNotUnique, "Another record already has this value.")
        .into()
}
