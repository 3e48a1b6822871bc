//! The planner: changes of definitions become steps, or every error at once. It never changes anything; the only
//! thing that runs a plan is the store.
//!
//! A plan is made against a working copy of the definitions. A faulty change is still entered there as far as it makes
//! sense, so that one mistake is reported once and not again by every change that builds on it.

mod change;
mod field_rules;
mod fields;
mod layouts;
mod objects;
mod step;

pub use change::{DefinitionChange, FieldPatch, ObjectDraft, ObjectPatch, OptionPatch};
pub use field_rules::{complete_label, name_problem};
pub use step::{Cost, Step, StepAction};

use crate::{Catalog, ObjectDef, Profile};
use kernel::{Code, FaultItem, Label, limits};

/// What a list of changes would do. With errors it has neither steps nor definitions.
#[derive(Debug)]
pub struct Plan {
    /// What runs, in order, in one transaction.
    pub steps: Vec<Step>,
    /// What people should know before they agree.
    pub notes: Vec<Label>,
    /// Everything that is wrong; pointers begin with the position of the change, such as `/0/field/name`.
    pub errors: Vec<FaultItem>,
    /// All definitions afterwards, as they are stored: not resolved to a profile, without system fields.
    pub next: Option<Vec<ObjectDef>>,
}

/// Plans changes against a catalogue. `row_counts` tells the number of records of an object, deleted ones included;
/// it is asked only for objects that the changes name.
pub fn plan(catalog: &Catalog, changes: &[DefinitionChange], row_counts: &dyn Fn(&str) -> u64) -> Plan {
    let mut work = Work {
        profile: catalog.profile(),
        objects: catalog.definitions(),
        created: Vec::new(),
        touched: Vec::new(),
        steps: Vec::new(),
        notes: Vec::new(),
        errors: Vec::new(),
        pointer: String::new(),
        row_counts,
    };
    if changes.is_empty() {
        work.error("", Code::FieldRequired, "Name at least one change.");
    }
    if changes.len() > limits::PLAN_CHANGES_MAX {
        work.error("", Code::ValueTooLong, format!("At most {} changes in one plan.", limits::PLAN_CHANGES_MAX));
        return work.finish(catalog);
    }
    for (at, change) in changes.iter().enumerate() {
        work.pointer = format!("/{at}");
        work.apply(change);
    }
    work.pointer = String::new();
    work.finish(catalog)
}

/// The working copy and what has been found so far.
struct Work<'a> {
    profile: Profile,
    objects: Vec<ObjectDef>,
    created: Vec<String>,
    touched: Vec<String>,
    steps: Vec<Step>,
    notes: Vec<Label>,
    errors: Vec<FaultItem>,
    /// The place of the change under way.
    pointer: String,
    row_counts: &'a dyn Fn(&str) -> u64,
}

impl Work<'_> {
    fn error(&mut self, place: &str, code: Code, detail: impl Into<String>) {
        self.errors.push(FaultItem { pointer: format!("{}{place}", self.pointer), code, detail: detail.into() });
    }
    fn note(&mut self, en: impl Into<String>, zh: impl Into<String>) {
        self.notes.push(Label::new(en, zh));
    }
    /// Adds a step. The table of a new object is made from its last definition, so only its relations need own steps.
    fn step(&mut self, action: StepAction) {
        let created = self.created.iter().any(|name| name == action.object());
        if !created || matches!(action, StepAction::CreateLinkTable { .. }) {
            let rows = if action.looks_at_rows() { (self.row_counts)(action.object()) } else { 0 };
            self.steps.push(Step::new(action, rows));
        }
    }
    /// The steps that make new objects; they run before all others.
    fn creation_steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for object in self.created.iter().filter_map(|name| self.object(name)) {
            steps.push(Step::new(StepAction::CreateTable { object: object.name.clone() }, 0));
            if self.has_search(object) {
                steps.push(Step::new(StepAction::CreateSearchTable { object: object.name.clone() }, 0));
            }
        }
        steps
    }
    fn has_search(&self, object: &ObjectDef) -> bool {
        object.number.is_some() || object.fields.iter().any(|field| self.resolved(field).searchable)
    }
    /// Records of an object; one that this plan creates has none.
    fn rows(&self, object: &str) -> u64 {
        if self.created.iter().any(|name| name == object) { 0 } else { (self.row_counts)(object) }
    }
    fn touch(&mut self, object: &str) {
        if !self.touched.iter().any(|name| name == object) {
            self.touched.push(object.to_owned());
        }
    }
    fn object(&self, name: &str) -> Option<&ObjectDef> {
        self.objects.iter().find(|object| object.name == name)
    }
    fn object_mut(&mut self, name: &str) -> Option<&mut ObjectDef> {
        self.objects.iter_mut().find(|object| object.name == name)
    }
    /// A copy of the object to look at while the working copy changes; an error when there is none.
    fn known_object(&mut self, name: &str) -> Option<ObjectDef> {
        let found = self.object(name).cloned();
        if found.is_none() {
            self.error("/object", Code::ObjectUnknown, "There is no such object.");
        }
        found
    }

    fn apply(&mut self, change: &DefinitionChange) {
        match change {
            DefinitionChange::CreateObject { definition } => self.create_object(definition),
            DefinitionChange::ChangeObject { object, patch } => self.change_object(object, patch),
            DefinitionChange::AddField { object, field } => self.add_field(object, field),
            DefinitionChange::ChangeField { object, field, patch } => self.change_field(object, field, patch),
            DefinitionChange::RetireField { object, field } => self.retire_field(object, field),
            DefinitionChange::RestoreField { object, field } => self.restore_field(object, field),
            DefinitionChange::AddOption { object, field, option } => self.add_option(object, field, option),
            DefinitionChange::ChangeOption { object, field, code, patch } => {
                self.change_option(object, field, code, patch)
            }
            DefinitionChange::AddLink { object, link } => self.add_link(object, link),
            DefinitionChange::SetLayout { object, layout, version } => {
                self.set_layout(object, layout.as_ref(), *version)
            }
        }
    }

    fn finish(mut self, catalog: &Catalog) -> Plan {
        self.check_references();
        if self.errors.is_empty() {
            // The rules above should leave nothing to find here; if they do, the plan is refused and not the catalogue.
            if let Err(error) = Catalog::build(self.objects.clone(), self.profile, catalog.version()) {
                self.error("", Code::PlanRefused, format!("{error}."));
            }
        }
        if !self.errors.is_empty() {
            return Plan { steps: Vec::new(), notes: self.notes, errors: self.errors, next: None };
        }
        let mut steps = self.creation_steps();
        steps.append(&mut self.steps);
        let stored = self.touched.iter().cloned().map(|object| StepAction::UpdateDefinition { object });
        steps.extend(stored.map(|action| Step::new(action, 0)));
        Plan { steps, notes: self.notes, errors: self.errors, next: Some(self.objects) }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
