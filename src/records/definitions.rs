//! Definitions as one actor may know them, and their changes: planned, shown, run.

use crate::{Pending, Records};
use audit::Verb as Act;
use authz::{AppAction, Offered, Verb};
use identity::Actor;
use kernel::{Code, Fault, Label};
use metadata::{DefinitionChange, LayoutSection, ObjectDef, Plan, Step, plan};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Refused;

/// What an actor may do with one field.
#[derive(Clone, Debug, Serialize)]
pub struct FieldAccess {
    /// `none`, `exists`, `masked`, `read` or `edit`.
    pub level: &'static str,
    /// Whether it can be used in filters and sorting.
    pub filterable: bool,
}

/// An object's definition and what the actor may do with it.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectView {
    /// The definition, without fields the actor does not know of.
    pub definition: ObjectDef,
    /// Verbs and whether any role gives them.
    pub verbs: BTreeMap<&'static str, bool>,
    /// Access by field.
    pub access: BTreeMap<String, FieldAccess>,
    /// Access to the files of its records, anywhere: `none` to `edit`.
    pub attachments: &'static str,
    /// Relations seen from this object: name and the object at the other end.
    pub relations: BTreeMap<String, String>,
    /// How its pages are arranged.
    pub layout: LayoutView,
}

/// How the pages of an object are arranged, as far as the actor knows its fields.
#[derive(Clone, Debug, Serialize)]
pub struct LayoutView {
    /// How often it was changed; a change names the version it began with.
    pub version: u64,
    /// Whether somebody arranged it; otherwise it is the standard.
    pub arranged: bool,
    /// The facts under the name of a record.
    pub highlights: Vec<String>,
    /// Fields of the short form for a new record.
    pub create: Vec<String>,
    /// The sections in order; one without a field that the actor knows of is left out.
    pub sections: Vec<LayoutSection>,
    /// Fields that stand nowhere on purpose.
    pub hidden: Vec<String>,
}

impl LayoutView {
    /// `shown` has only the fields the actor knows of. What it does not know of must not be told by its place either.
    fn of(object: &ObjectDef, shown: &ObjectDef, all: bool) -> Self {
        let layout = object.layout_in_force();
        let known = |names: Vec<String>| -> Vec<String> {
            names.into_iter().filter(|name| shown.field(name).is_some()).collect()
        };
        let sections = layout.sections.into_iter().map(|one| LayoutSection { fields: known(one.fields), ..one });
        Self {
            version: object.layout_version,
            arranged: object.layout.is_some(),
            highlights: known(layout.highlights),
            create: known(layout.create),
            sections: sections.filter(|section| all || !section.fields.is_empty()).collect(),
            hidden: known(layout.hidden),
        }
    }
}

/// What a change of definitions would do, or did.
#[derive(Clone, Debug, Serialize)]
pub struct PlanView {
    /// Whether it was run.
    pub applied: bool,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// What to know before agreeing.
    pub notes: Vec<Label>,
    /// The number of definition changes so far.
    pub catalog_version: u64,
}

impl Records {
    /// The objects an actor knows of: those it may read, or all when it may change definitions.
    pub fn objects(&self, actor: &Actor) -> Result<Vec<ObjectView>, Fault> {
        let catalog = self.catalog();
        Ok(catalog.objects().filter_map(|object| self.object_view(actor, object)).collect())
    }

    /// One object.
    pub fn object(&self, actor: &Actor, name: &str) -> Result<ObjectView, Fault> {
        let definition = self.definition(name)?;
        self.object_view(actor, &definition)
            .ok_or_else(|| Fault::new(Code::ObjectUnknown, "There is no such object, or your roles do not show it."))
    }

    fn object_view(&self, actor: &Actor, object: &ObjectDef) -> Option<ObjectView> {
        let policy = self.policy();
        let all = policy.act(actor, AppAction::Definitions).is_ok();
        self.object_view_of(object, all, &|verb| policy.offered_to(actor, object, verb))
    }

    /// An object as it shows to whom this is offered; `all` for those who may know every definition.
    pub(crate) fn object_view_of(
        &self,
        object: &ObjectDef,
        all: bool,
        offered: &dyn Fn(Verb) -> Option<Offered>,
    ) -> Option<ObjectView> {
        let read = offered(Verb::Read);
        if read.is_none() && !all {
            return None;
        }
        let verbs = Verb::ALL.map(|verb| (verb.as_str(), offered(verb).is_some())).into();
        let level = |at: usize| read.as_ref().map(|read| read.levels.get(at)).unwrap_or_default();
        let floor = |at: usize| read.as_ref().map(|read| read.floor.get(at)).unwrap_or_default();
        let mut access = BTreeMap::new();
        let mut definition = object.clone();
        for (at, field) in object.fields.iter().enumerate() {
            let selects =
                floor(at) >= authz::Level::Read && (!field.is_sealed() || field.sealing == metadata::Sealing::Exact);
            access.insert(field.name.clone(), FieldAccess { level: level(at).as_str(), filterable: selects });
        }
        if !all {
            definition
                .fields
                .retain(|field| object.field_index(&field.name).is_some_and(|at| level(at) > authz::Level::None));
            access.retain(|name, _| definition.field(name).is_some());
        }
        let relations = self
            .catalog()
            .relations(&object.name)
            .into_iter()
            .map(|relation| (relation.name, relation.target))
            .collect();
        let attachments = read.as_ref().map(|read| read.levels.files()).unwrap_or_default().as_str();
        let layout = LayoutView::of(object, &definition, all);
        // The stored form names every field, and the view says all of it that this actor may know.
        (definition.layout, definition.layout_version) = (None, 0);
        Some(ObjectView { definition, verbs, access, attachments, relations, layout })
    }

    /// What changes of definitions would do; nothing is changed.
    pub fn plan(&self, actor: &Arc<Actor>, changes: Vec<DefinitionChange>) -> Pending<PlanView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            records.may_define(&actor)?;
            let plan = plan(&records.catalog(), &changes, &|object| records.store.row_count(object));
            records.plan_view(&plan, false)
        })
    }

    /// Runs changes of definitions, all or none.
    pub fn run_plan(&self, actor: &Arc<Actor>, changes: Vec<DefinitionChange>) -> Pending<PlanView> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::in_background(move || {
            records.may_define(&actor)?;
            let plan = plan(&records.catalog(), &changes, &|object| records.store.row_count(object));
            let view = records.plan_view(&plan, true)?;
            let note: Vec<String> = plan.steps.iter().map(|step| step.text.en.clone()).collect();
            let writer = records.clone();
            let run = records.store.write(move |tx| {
                tx.run_plan(&plan)?;
                let mut entry = tx.entry(&actor, Act::DefinitionChange);
                entry.decision.rules =
                    writer.policy().act(&actor, AppAction::Definitions).map(|why| why.rules).unwrap_or_default();
                entry.note = note.join(" ").chars().take(NOTE_CHARS).collect();
                tx.log_entry(&entry).map_err(Refused::from)
            });
            run.wait()?;
            Ok(PlanView { catalog_version: records.catalog().version(), ..view })
        })
    }

    fn may_define(&self, actor: &Actor) -> Result<(), Fault> {
        match self.policy().act(actor, AppAction::Definitions) {
            Ok(_) => Ok(()),
            Err(denied) => Err(self.log_refusal(self.denial(actor, Act::DefinitionChange, denied, None))),
        }
    }

    /// Puts a refusal into the log and hands back what the person hears; when the log fails, that.
    pub(crate) fn log_refusal(&self, refused: Refused) -> Fault {
        let Refused { fault, entry } = refused;
        match entry.map(|entry| self.store.append(vec![*entry]).wait()) {
            Some(Err(unlogged)) => unlogged,
            Some(Ok(())) | None => fault,
        }
    }

    fn plan_view(&self, plan: &Plan, applied: bool) -> Result<PlanView, Fault> {
        if !plan.errors.is_empty() {
            let mut fault = Fault::new(Code::PlanRefused, "The definitions were not changed; see the list of errors.");
            fault.items.clone_from(&plan.errors);
            return Err(fault);
        }
        Ok(PlanView {
            applied,
            steps: plan.steps.clone(),
            notes: plan.notes.clone(),
            catalog_version: self.catalog().version(),
        })
    }
}

/// Characters of the note of one entry about definitions.
const NOTE_CHARS: usize = 1_000;
