//! Holds the definition of a saved view against an object and a reader: what is wrong with it, all at once, and what is
//! left of it without that. Whoever saves a view hears the first, whoever opens one sees the second.

use crate::fields::{position, related_object};
use crate::filter::FilterReader;
use crate::group::{group_field, sum_field};
use crate::saved_views::{ViewDefinition, ViewKind};
use authz::{FieldLevels, Level, Policy, Scope, Verb};
use identity::Actor;
use kernel::{Code, Fault, FaultItem, Timestamp, limits};
use metadata::{Catalog, FieldType, ObjectDef};
use serde_json::Value as Json;
use std::sync::Arc;

/// A reader in front of an object.
pub(crate) struct Against<'a> {
    policy: &'a Policy,
    catalog: &'a Catalog,
    actor: &'a Actor,
    object: &'a Arc<ObjectDef>,
    scope: Scope<'a>,
    levels: FieldLevels,
    now: Timestamp,
}

fn item(pointer: String, code: Code, detail: impl Into<String>) -> FaultItem {
    FaultItem { pointer, code, detail: detail.into() }
}

/// The parts of an error, moved under a pointer; one part when it names none.
fn items(fault: Fault, pointer: &str) -> Vec<FaultItem> {
    if fault.items.is_empty() {
        return vec![item(pointer.to_owned(), fault.code, fault.detail)];
    }
    fault.items.into_iter().map(|item| FaultItem { pointer: pointer.to_owned(), ..item }).collect()
}

impl<'a> Against<'a> {
    pub(crate) fn new(
        policy: &'a Policy,
        catalog: &'a Catalog,
        actor: &'a Actor,
        object: &'a Arc<ObjectDef>,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let scope = policy.scope(actor, object, Verb::Read).map_err(Fault::from)?;
        let levels = policy.levels_anywhere(actor, object, Verb::Read).ok_or_else(|| Fault::internal("no levels"))?;
        Ok(Self { policy, catalog, actor, object, scope, levels, now })
    }

    /// A column: any field the reader knows of, also one step away.
    fn column(&self, name: &str, pointer: &str) -> Result<(), Vec<FaultItem>> {
        let unknown = || vec![item(pointer.to_owned(), Code::FieldUnknown, "There is no such field.")];
        let (own, rest) = name.split_once('.').map_or((name, None), |(own, rest)| (own, Some(rest)));
        let at = position(self.object, own, name).map_err(|_| unknown())?;
        if self.levels.get(at) == Level::None {
            return Err(unknown());
        }
        let Some(rest) = rest else { return Ok(()) };
        let (_, other) = related_object(self.catalog, self.object, own, name).map_err(|_| unknown())?;
        let at = position(&other, rest, name).map_err(|_| unknown())?;
        let levels = self.policy.levels_anywhere(self.actor, &other, Verb::Read).ok_or_else(unknown)?;
        if levels.get(at) == Level::None { Err(unknown()) } else { Ok(()) }
    }

    fn sort(&self, name: &str, pointer: &str) -> Result<(), Vec<FaultItem>> {
        let name = name.strip_prefix('-').unwrap_or(name);
        self.column(name, pointer)?;
        let found = self.object.field_index(name).and_then(|at| Some((at, self.object.fields.get(at)?)));
        let orders = found.is_some_and(|(at, field)| {
            self.scope.floor().get(at) >= Level::Read
                && !field.is_sealed()
                && !matches!(field.field_type, FieldType::Address | FieldType::Json)
        });
        if orders {
            return Ok(());
        }
        let detail = "It is sealed, has no order, or your roles do not show it in clear.";
        Err(vec![item(pointer.to_owned(), Code::FieldNotFilterable, detail)])
    }

    /// Every condition of a filter by itself, so that all errors come at once.
    fn filter(&self, tree: &Json) -> Vec<FaultItem> {
        let mut reader = FilterReader::new(self.policy, self.catalog, self.actor, self.now);
        let mut problems = Vec::new();
        self.node(&mut reader, tree, "/definition/filter".to_owned(), 0, &mut problems);
        problems
    }

    fn node(
        &self,
        reader: &mut FilterReader<'_>,
        tree: &Json,
        at: String,
        depth: usize,
        problems: &mut Vec<FaultItem>,
    ) {
        for word in ["and", "or"] {
            let parts = tree.as_object().filter(|map| map.len() == 1).and_then(|map| map.get(word)?.as_array());
            let Some(parts) = parts.filter(|_| depth < limits::FILTER_DEPTH_MAX) else { continue };
            for (index, part) in parts.iter().enumerate() {
                self.node(reader, part, format!("{at}/{word}/{index}"), depth + 1, problems);
            }
            return;
        }
        if problems.len() < limits::FILTER_LEAVES_MAX
            && let Err(fault) = reader.node(self.object, self.scope.floor(), tree, &at, depth)
        {
            if fault.items.is_empty() {
                problems.push(item(at, fault.code, fault.detail));
            } else {
                problems.extend(fault.items);
            }
        }
    }

    /// What a kind of view cannot do without.
    fn kind(&self, kind: ViewKind, definition: &ViewDefinition) -> Vec<FaultItem> {
        let mut problems = Vec::new();
        let needed = |pointer: &str, detail: &str| item(pointer.to_owned(), Code::FieldRequired, detail);
        match kind {
            ViewKind::Table => {}
            ViewKind::Kanban if definition.group_by.is_empty() => {
                problems.push(needed("/definition/group_by", "A kanban needs the field whose values are its columns."));
            }
            ViewKind::Calendar if definition.date.is_none() => {
                problems.push(needed("/definition/date", "A calendar needs the field whose day it shows."));
            }
            ViewKind::Kanban | ViewKind::Calendar => {}
        }
        problems
    }

    fn date(&self, name: &str) -> Result<(), Vec<FaultItem>> {
        let pointer = "/definition/date";
        self.column(name, pointer)?;
        let field = self.object.field_index(name).and_then(|at| Some((at, self.object.fields.get(at)?)));
        let dated = field.is_some_and(|(at, field)| {
            matches!(field.field_type, FieldType::Date | FieldType::Timestamp)
                && !field.is_sealed()
                && self.scope.floor().get(at) >= Level::Read
        });
        if dated {
            return Ok(());
        }
        Err(vec![item(
            pointer.to_owned(),
            Code::FieldNotFilterable,
            "Expected a plain date or time that you may read.",
        )])
    }
}

/// Keeps the names that pass, and says what is wrong with the others.
fn sift(
    names: &mut Vec<String>,
    place: &str,
    problems: &mut Vec<FaultItem>,
    check: impl Fn(&str, &str) -> Result<(), Vec<FaultItem>>,
) {
    let mut at = 0;
    names.retain(|name| {
        let outcome = check(name, &format!("/definition/{place}/{at}"));
        at += 1;
        outcome.map_err(|found| problems.extend(found)).is_ok()
    });
}

/// What is left of a definition for this reader, and what is wrong with it.
pub(crate) fn checked(
    against: &Against<'_>,
    kind: ViewKind,
    mut definition: ViewDefinition,
) -> (ViewDefinition, Vec<FaultItem>) {
    let mut problems = Vec::new();
    for (place, count, name, most) in [
        ("columns", definition.columns.len(), "LIST_FIELDS_MAX", limits::LIST_FIELDS_MAX),
        ("sort", definition.sort.len(), "SORT_FIELDS_MAX", limits::SORT_FIELDS_MAX),
        ("group_by", definition.group_by.len(), "SUMMARY_FIELDS_MAX", limits::SUMMARY_FIELDS_MAX),
        ("sums", definition.sums.len(), "SUMMARY_SUMS_MAX", limits::SUMMARY_SUMS_MAX),
        ("widths", definition.widths.len(), "LIST_FIELDS_MAX", limits::LIST_FIELDS_MAX),
    ] {
        if count > most {
            let detail = format!("At most {most} of them ({name}).");
            problems.push(item(format!("/definition/{place}"), Code::LimitExceeded, detail));
        }
    }
    if !problems.is_empty() {
        return (definition, problems);
    }
    sift(&mut definition.columns, "columns", &mut problems, |name, at| against.column(name, at));
    sift(&mut definition.sort, "sort", &mut problems, |name, at| against.sort(name, at));
    let (object, floor) = (against.object, against.scope.floor());
    sift(&mut definition.group_by, "group_by", &mut problems, |text, at| {
        group_field(object, floor, text, at).map(|_| ()).map_err(|fault| items(fault, at))
    });
    sift(&mut definition.sums, "sums", &mut problems, |name, at| {
        sum_field(object, floor, name, at).map(|_| ()).map_err(|fault| items(fault, at))
    });
    let wrong = definition.filter.as_ref().filter(|tree| !tree.is_null()).map(|tree| against.filter(tree));
    if let Some(found) = wrong.filter(|found| !found.is_empty()) {
        problems.extend(found);
        definition.filter = None;
    }
    if let Some(Err(found)) = definition.date.as_deref().map(|name| against.date(name)) {
        problems.extend(found);
        definition.date = None;
    }
    definition.widths.retain(|name, width| {
        let pointer = format!("/definition/widths/{name}");
        let mut outcome = against.column(name, &pointer);
        if !(1..=limits::VIEW_WIDTH_PIXELS_MAX).contains(width) {
            let detail = format!("1 to {} pixels (VIEW_WIDTH_PIXELS_MAX).", limits::VIEW_WIDTH_PIXELS_MAX);
            outcome = Err(vec![item(pointer, Code::ValueRange, detail)]);
        }
        outcome.map_err(|found| problems.extend(found)).is_ok()
    });
    problems.extend(against.kind(kind, &definition));
    (definition, problems)
}
