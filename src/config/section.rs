//! One table of `kontor.toml` while it is read: values are taken out by key, mistakes are collected, and what is left is unknown.

use super::{Problem, reference};
use config::{Value, ValueKind};
use std::collections::BTreeMap;

/// One table of the file. Every key is taken out by name; what is left is unknown.
pub(super) struct Section<'p> {
    pub(super) name: &'p str,
    pub(super) values: BTreeMap<String, Value>,
    pub(super) problems: &'p mut Vec<Problem>,
}

impl Section<'_> {
    pub(super) fn problem(&mut self, key: &str, what: String) {
        let key = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        self.problems.push(Problem { key, what });
    }
    /// Takes a value out. A key that the code reads and the reference does not have would be one that nobody can look up.
    fn take(&mut self, key: &str) -> Option<ValueKind> {
        debug_assert!(reference::knows(self.name, key), "{}.{key} does not stand in the reference", self.name);
        Some(self.values.remove(key)?.kind)
    }
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            ValueKind::String(text) => Some(text),
            _ => {
                self.problem(key, "write a text in double quotes.".to_owned());
                None
            }
        }
    }
    pub(super) fn number(&mut self, key: &str, most: u64) -> Option<u64> {
        match self.take(key)? {
            ValueKind::I64(number) if u64::try_from(number).is_ok_and(|number| number <= most) => {
                u64::try_from(number).ok()
            }
            _ => {
                self.problem(key, format!("write a whole number from 0 to {most}."));
                None
            }
        }
    }
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        match self.take(key)? {
            ValueKind::Boolean(flag) => Some(flag),
            _ => {
                self.problem(key, "write true or false.".to_owned());
                None
            }
        }
    }
    pub(super) fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        let ValueKind::Array(values) = self.take(key)? else {
            self.problem(key, "write a list of texts, such as [\"crm.example.org\"].".to_owned());
            return None;
        };
        let mut texts = Vec::with_capacity(values.len());
        for (at, value) in values.into_iter().enumerate() {
            match value.kind {
                ValueKind::String(text) => texts.push(text),
                _ => self.problem(&format!("{key}[{at}]"), "write a text in double quotes.".to_owned()),
            }
        }
        Some(texts)
    }
    pub(super) fn section(&mut self, key: &str) -> BTreeMap<String, Value> {
        match self.take(key) {
            None => BTreeMap::new(),
            Some(ValueKind::Table(table)) => table.into_iter().collect(),
            Some(_) => {
                self.problem(key, format!("this is a section; write [{key}] on a line of its own."));
                BTreeMap::new()
            }
        }
    }
    /// What is left now is unknown: the keys are those of the reference.
    pub(super) fn close(self) {
        let name = self.name.to_owned();
        self.close_as(&name);
    }
    /// The same, for a section with a name of the site's own.
    pub(super) fn close_as(mut self, kind: &str) {
        let known = reference::keys_of(kind);
        for key in std::mem::take(&mut self.values).into_keys() {
            self.problem(&key, format!("there is no such key here; known are {}.", known.join(", ")));
        }
    }
}
