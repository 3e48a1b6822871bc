//! A whole record from the wire, checked against its definition: every error at once, nothing half accepted.
//! `Checked` can only be made here, so whatever reaches the store has passed.

use crate::{FieldDef, ObjectDef, Value, parse_value};
use kernel::{Code, FaultItem};
use serde_json::{Map, Value as Json};

/// What the values are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A new record: required fields must be there, defaults fill gaps.
    Create,
    /// A change: only the named fields move.
    Change,
}

/// Values that fit their definition. Field positions are those of the definition they were checked against.
#[derive(Debug)]
pub struct Checked {
    object: String,
    values: Vec<(usize, Value)>,
}

impl Checked {
    /// Checks a JSON object against a definition. `pointer` is the place of the object in the request, usually empty.
    pub fn parse(
        definition: &ObjectDef,
        body: &Map<String, Json>,
        mode: Mode,
        pointer: &str,
    ) -> Result<Self, Vec<FaultItem>> {
        let mut errors = Vec::new();
        let mut values = Vec::with_capacity(body.len());
        for (name, wire) in body {
            let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            match settable(definition, name, &pointer) {
                Ok((index, field)) => match parse_value(field, wire, &pointer) {
                    Ok(value) => values.push((index, value)),
                    Err(error) => errors.push(error),
                },
                Err(error) => errors.push(error),
            }
        }
        if mode == Mode::Create {
            fill_defaults(definition, &mut values, pointer, &mut errors);
        }
        require(definition, &values, mode, pointer, &mut errors);
        values.sort_by_key(|(index, _)| *index);
        if errors.is_empty() { Ok(Self { object: definition.name.clone(), values }) } else { Err(errors) }
    }

    /// The object whose definition was used.
    pub fn object(&self) -> &str {
        &self.object
    }
    /// The values with their field positions, in definition order.
    pub fn values(&self) -> &[(usize, Value)] {
        &self.values
    }
    /// The value of the field at this position, if it is part of the change.
    pub fn get(&self, index: usize) -> Option<&Value> {
        self.values.iter().find(|(at, _)| *at == index).map(|(_, value)| value)
    }
    /// Sets a system field that the appliance decides, such as the owner of a new record.
    pub fn set_system(&mut self, definition: &ObjectDef, name: &str, value: Value) {
        if definition.field(name).is_some_and(|field| field.system) {
            self.set_kept(definition, name, value);
        }
    }
    /// Sets what the appliance itself keeps: a field that nobody fills in, or a reference that follows another record.
    pub fn set_kept(&mut self, definition: &ObjectDef, name: &str, value: Value) {
        let Some(index) = definition.field_index(name) else { return };
        self.values.retain(|(at, _)| *at != index);
        let at = self.values.partition_point(|(at, _)| *at < index);
        self.values.insert(at, (index, value));
    }
    /// Takes the values out.
    pub fn into_values(self) -> Vec<(usize, Value)> {
        self.values
    }
}

fn settable<'d>(definition: &'d ObjectDef, name: &str, pointer: &str) -> Result<(usize, &'d FieldDef), FaultItem> {
    let item = |code, detail: &str| FaultItem { pointer: pointer.to_owned(), code, detail: detail.to_owned() };
    let found = definition.field_index(name).and_then(|index| definition.fields.get(index).map(|field| (index, field)));
    match found {
        Some((_, field)) if field.retired => Err(item(Code::FieldUnknown, "The field is retired.")),
        Some((_, field)) if field.read_only => {
            Err(item(Code::FieldReadOnly, "The field is set by the appliance; leave it out."))
        }
        Some(found) => Ok(found),
        None => Err(item(Code::FieldUnknown, "There is no such field; see the metadata of the object.")),
    }
}

fn fill_defaults(definition: &ObjectDef, values: &mut Vec<(usize, Value)>, pointer: &str, errors: &mut Vec<FaultItem>) {
    for (index, field) in definition.fields.iter().enumerate() {
        let Some(default) = &field.default else { continue };
        if field.retired || values.iter().any(|(at, _)| *at == index) {
            continue;
        }
        match parse_value(field, default, &format!("{pointer}/{}", field.name)) {
            Ok(value) => values.push((index, value)),
            Err(error) => errors.push(error),
        }
    }
}

fn require(definition: &ObjectDef, values: &[(usize, Value)], mode: Mode, pointer: &str, errors: &mut Vec<FaultItem>) {
    for (index, field) in definition.fields.iter().enumerate().filter(|(_, field)| field.required && !field.retired) {
        let given = values.iter().find(|(at, _)| *at == index).map(|(_, value)| value);
        let missing = match given {
            Some(value) => value.is_null(),
            None => mode == Mode::Create,
        };
        let place = format!("{pointer}/{}", field.name);
        if missing && !errors.iter().any(|error| error.pointer == place) {
            errors.push(FaultItem {
                pointer: place,
                code: Code::FieldRequired,
                detail: "A value is required.".to_owned(),
            });
        }
    }
}
