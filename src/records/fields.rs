//! Which fields a reader asks for: own ones by name, those of related records as `account.name`. Resolved once per call;
//! what may be seen of them is decided per record, later.

use authz::{Policy, Scope, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use metadata::{Catalog, FieldDef, FieldType, ObjectDef, Value};
use std::sync::Arc;

/// Fields of records that one reference field points to.
pub(crate) struct RelatedFields<'a> {
    /// Position of the reference field.
    pub(crate) reference: usize,
    /// The other object.
    pub(crate) object: Arc<ObjectDef>,
    /// What the reader reaches there; absent when nothing.
    pub(crate) scope: Option<Scope<'a>>,
    /// Fields there: position and name as asked for.
    pub(crate) fields: Vec<(usize, String)>,
}

/// The fields of a call.
pub(crate) struct Chosen<'a> {
    /// Own fields.
    pub(crate) own: Vec<usize>,
    /// Related ones, by reference field.
    pub(crate) related: Vec<RelatedFields<'a>>,
}

impl Chosen<'_> {
    /// Every own field that must be loaded, references of related ones included.
    pub(crate) fn to_load(&self) -> Vec<usize> {
        self.own.iter().copied().chain(self.related.iter().map(|related| related.reference)).collect()
    }
}

/// Whether a list shows the field when none is named: short, and nothing has to be opened for it.
pub(crate) fn listed(field: &FieldDef) -> bool {
    let long = matches!(field.field_type, FieldType::LongText | FieldType::RichText | FieldType::Json);
    !field.retired && !field.is_sealed() && !long
}

/// Resolves the asked names. Without any: all fields of one record, or the short plain ones of a list.
pub(crate) fn choose<'a>(
    policy: &Policy,
    catalog: &Catalog,
    actor: &'a Actor,
    object: &Arc<ObjectDef>,
    names: Option<&[String]>,
    list: bool,
) -> Result<Chosen<'a>, Fault> {
    let mut chosen = Chosen { own: Vec::new(), related: Vec::new() };
    let Some(names) = names else {
        let wanted = |field: &FieldDef| if list { listed(field) } else { !field.retired };
        chosen.own = (0..object.fields.len()).filter(|at| object.fields.get(*at).is_some_and(wanted)).collect();
        return Ok(chosen);
    };
    if names.len() > limits::LIST_FIELDS_MAX {
        return Err(Fault::new(
            Code::LimitExceeded,
            format!("At most {} fields (LIST_FIELDS_MAX).", limits::LIST_FIELDS_MAX),
        ));
    }
    for name in names {
        let Some((reference, field)) = name.split_once('.') else {
            chosen.own.push(position(object, name, name)?);
            continue;
        };
        let (reference, other) = related_object(catalog, object, reference, name)?;
        let field = position(&other, field, name)?;
        match chosen.related.iter_mut().find(|related| related.reference == reference) {
            Some(related) => related.fields.push((field, name.clone())),
            None => {
                let scope = policy.scope(actor, &other, Verb::Read).ok();
                chosen.related.push(RelatedFields {
                    reference,
                    object: other,
                    scope,
                    fields: vec![(field, name.clone())],
                });
            }
        }
    }
    Ok(chosen)
}

/// The position of a field by name.
pub(crate) fn position(object: &ObjectDef, name: &str, asked: &str) -> Result<usize, Fault> {
    object.field_index(name).ok_or_else(|| {
        Fault::new(Code::ParameterInvalid, format!("Object {} has no field {name}.", object.name)).with_item(
            "/fields",
            Code::FieldUnknown,
            format!("There is no field {asked}; see the metadata of the object."),
        )
    })
}

/// The reference field of this name and the object it points to.
pub(crate) fn related_object(
    catalog: &Catalog,
    object: &ObjectDef,
    reference: &str,
    asked: &str,
) -> Result<(usize, Arc<ObjectDef>), Fault> {
    let at = position(object, reference, asked)?;
    let target = object.fields.get(at).and_then(|field| match field.reference_targets() {
        [only] => catalog.object(only).cloned(),
        _ => None,
    });
    let other = target.ok_or_else(|| {
        Fault::new(
            Code::ParameterInvalid,
            format!(
                "Field {reference} of {} does not point to exactly one object, so {asked} cannot be resolved.",
                object.name
            ),
        )
    })?;
    Ok((at, other))
}

/// The record a reference value points to.
pub(crate) fn pointed(value: &Value) -> Option<RecordId> {
    if let Value::Reference { id, .. } = value { Some(*id) } else { None }
}
