//! Builds the wire form of a record's values. Leaves out what is absent; checks nothing, the definitions do.

use serde_json::{Map, Value, json};

/// Values under construction.
#[derive(Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn new() -> Self {
        Self::default()
    }
    /// Sets a value.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }
    /// Sets a value if there is one.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<impl Into<Value>>) -> &mut Self {
        if let Some(value) = value {
            self.set(name, value);
        }
        self
    }
    /// Points to a record of the only possible object.
    pub(crate) fn point(&mut self, name: &str, key: &str) -> &mut Self {
        self.set(name, json!({"$ref": key}))
    }
    /// Points to a record of one of several objects.
    pub(crate) fn point_any(&mut self, name: &str, object: &str, key: &str) -> &mut Self {
        self.set(name, json!({"$ref": key, "object": object}))
    }
    /// An amount of whole units.
    pub(crate) fn money(&mut self, name: &str, units: i64, zh: bool) -> &mut Self {
        let currency = if zh { "CNY" } else { "EUR" };
        self.set(name, json!({"amount": format!("{units}.00"), "currency": currency}))
    }
    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

/// Puts values into the `{name}` places of a template.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}
