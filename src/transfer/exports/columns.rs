//! Which columns an export has: only those that the actor knows of. What stands in their cells is decided per record.

use super::cells::Column;
use identity::Actor;
use kernel::{Code, Fault, Label, Outcome, limits};
use metadata::{FieldDef, FieldType};
use records::{ObjectView, Records};
use std::collections::{BTreeMap, BTreeSet};

/// The columns of an export.
pub(super) struct Columns {
    pub(super) columns: Vec<Column>,
    /// The fields to ask the list for.
    pub(super) fields: Vec<String>,
    /// Every object that something is taken from.
    pub(super) objects: BTreeSet<String>,
}

fn no_field(name: &str) -> Fault {
    Fault::new(Code::ParameterInvalid, "A column is not known.").with_item(
        "/columns",
        Code::FieldUnknown,
        format!("There is no field {name}; see the metadata of the object."),
    )
}

/// The objects that the actor knows of, looked up once each.
struct Known<'r> {
    records: &'r Records,
    actor: &'r Actor,
    views: BTreeMap<String, ObjectView>,
}

impl Known<'_> {
    fn object(&mut self, name: &str) -> Option<&ObjectView> {
        if !self.views.contains_key(name) {
            self.views.insert(name.to_owned(), self.records.object(self.actor, name).ok()?);
        }
        self.views.get(name)
    }
    /// A field that the actor sees something of.
    fn field(&mut self, object: &str, field: &str) -> Option<FieldDef> {
        let view = self.object(object)?;
        let seen = view.access.get(field).is_some_and(|access| access.level != "none");
        view.definition.field(field).filter(|_| seen).cloned()
    }
}

/// The one object that a reference points to.
fn target_of(field: &FieldDef) -> Option<String> {
    match field.reference_targets() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// Resolves the chosen names.
pub(super) fn columns_of(records: &Records, actor: &Actor, object: &str, names: &[String]) -> Outcome<Columns> {
    // The error for an object that is not known comes from here.
    let first = records.object(actor, object)?;
    let mut known = Known { records, actor, views: BTreeMap::from([(object.to_owned(), first)]) };
    if names.is_empty() {
        return Err(Fault::new(Code::ParameterInvalid, "Choose at least one column."));
    }
    let mut out = Columns { columns: Vec::new(), fields: Vec::new(), objects: BTreeSet::from([object.to_owned()]) };
    for name in names {
        let column = match name.split_once('.') {
            None => {
                let field = known.field(object, name).ok_or_else(|| no_field(name))?;
                let target =
                    if matches!(field.field_type, FieldType::Reference { .. }) { target_of(&field) } else { None };
                let title = target.and_then(|target| {
                    let title = known.object(&target)?.definition.title_field.clone();
                    known.field(&target, &title)?;
                    out.objects.insert(target);
                    Some(format!("{name}.{title}"))
                });
                let label = field.label.clone();
                Column { name: name.clone(), title, field, label }
            }
            Some((reference, other)) => {
                let from = known.field(object, reference).ok_or_else(|| no_field(name))?;
                let target = target_of(&from).ok_or_else(|| no_field(name))?;
                let field = known.field(&target, other).ok_or_else(|| no_field(name))?;
                let is_title = known.object(&target).is_some_and(|view| view.definition.title_field == field.name);
                out.objects.insert(target);
                // What a record is called stands for the record: the column is called as the reference.
                let label = if is_title {
                    from.label
                } else {
                    Label::new(
                        format!("{}: {}", from.label.en, field.label.en),
                        format!("{}：{}", from.label.zh, field.label.zh),
                    )
                };
                Column { name: name.clone(), title: None, field, label }
            }
        };
        for field in std::iter::once(&column.name).chain(&column.title) {
            if !out.fields.contains(field) {
                out.fields.push(field.clone());
            }
        }
        out.columns.push(column);
    }
    if out.fields.len() > limits::LIST_FIELDS_MAX {
        let detail =
            format!("At most {} fields (LIST_FIELDS_MAX), with the names behind references.", limits::LIST_FIELDS_MAX);
        return Err(Fault::new(Code::LimitExceeded, detail));
    }
    Ok(out)
}
