//! The engine's verbs. Each takes an actor, asks for a decision, reads or writes through the store, and hands back what
//! that actor may see, once the log knows of it. No other way leads from the outside to a record.

mod access_log;
mod attachments;
mod bulk;
mod bulk_preview;
mod calendar;
mod change;
mod create;
mod definitions;
mod delete;
mod duplicates;
mod export;
mod fields;
mod filter;
mod group;
mod history;
mod jobs;
mod links;
mod list;
mod live;
mod log;
mod media;
mod merge;
mod notice;
mod notifications;
mod open;
mod pending;
mod people;
mod pick;
mod preferences;
mod presence;
mod reduce;
mod relative;
mod rights;
mod roles;
mod sample;
mod sample_load;
mod sample_remove;
mod saved_views;
mod search;
mod settings;
mod setup;
mod summary;
mod timeline;
mod undo;
mod view_check;
mod views;

pub use access_log::{AccessLogView, AccessView};
pub use attachments::{AttachmentContent, AttachmentView, AttachmentsView, Upload};
pub use bulk_preview::{PreviewReason, PreviewView};
pub use create::{CreateOptions, Retry};
pub use definitions::{FieldAccess, LayoutView, ObjectView, PlanView};
pub use delete::{AffectedView, DeleteEffect, DeletedView};
pub use duplicates::{Candidate, DuplicatesRequest, DuplicatesView};
pub use jobs::{JobRowView, JobRowsView, JobState, JobView, JobsView};
pub use links::LinkedView;
pub use live::{Begun, EventView, Told, Watch};
pub use log::{LogEntryView, LogQuery, LogView, ProofView};
pub use media::name_allowed as file_name_allowed;
pub use merge::{MergeLoser, MergeRequest, MergeView, MovedView};
pub use notifications::{NotificationView, NotificationsRead, NotificationsRequest, NotificationsView};
pub use pending::Pending;
pub use people::{DoneView, MeView, RoleHeld, RoleView, RolesOfView};
pub use pick::{
    PickAsk, PickCompared, PickField, PickFound, PickListed, PickObject, PickObjects, PickPage, PickRecord, PickRow,
    PickSet, PickState, PickTarget, PickWhy, Picked, PickedAll,
};
pub use preferences::PreferencesView;
pub use presence::{PresenceEvent, PresenceView};
pub use rights::{RightsAnswer, RightsQuestion, RightsView, RightsViewRequest};
pub use roles::{RoleChange, RoleFieldView, RoleObjectView, RolePeople, RolePlanView, RoleVersionView};
pub use sample::{SampleAdded, SampleChange, SampleCount, SampleState, SampleView};
pub use sample_load::{SampleLink, SampleSource, SampleStep};
pub use saved_views::{
    Density, SavedViewBody, SavedViewList, SavedViewPatch, SavedViewView, ViewDefinition, ViewKind, ViewSharing,
};
pub use settings::{Language, Ribbon, RibbonKind, SettingsPatch, SettingsView};
pub use setup::{SetupStep, SetupStepView, SetupView, SlotView};
pub use summary::{Figures, GroupView, SummaryRequest, SummaryView};
pub use timeline::{TimelineItem, TimelineRequest, TimelineView};
pub use undo::changed_since;
pub use views::{
    ActView, BulkAction, BulkOutcome, BulkRequest, BulkRow, BulkView, CountMode, HistoryView, LinkView, LinksView,
    ListRequest, ListView, MoveView, RecordView, SearchGroup, SearchView, Shown,
};

use identity::Actor;
use kernel::{Code, Fault, RecordId};
use metadata::{Catalog, ObjectDef};
use std::sync::Arc;
use store::{Refused, Store, Ticket, WriteTx};

/// The verbs over one store. Cheap to clone.
#[derive(Clone)]
pub struct Records {
    pub(crate) store: Arc<Store>,
    pub(crate) live: Arc<live::Live>,
    pub(crate) sample: Arc<sample::Progress>,
}

impl Records {
    /// The verbs over this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, live: live::Live::new(), sample: Arc::default() }
    }
    /// The definitions as they are now.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.store.catalog()
    }
    /// The roles as they are now.
    pub fn policy(&self) -> Arc<authz::Policy> {
        self.store.policy()
    }
    /// Runs a unit of work over the verbs ending in `_in_tx`; for imports and samples, which write many records at once.
    pub fn unit<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut WriteTx<'_, '_>) -> Result<T, Refused> + Send + 'static,
    ) -> Ticket<T> {
        self.store.write(task)
    }
    /// The definition of an object, or the error for a name that is none.
    pub(crate) fn definition(&self, object: &str) -> Result<Arc<ObjectDef>, Fault> {
        let unknown = || Fault::new(Code::ObjectUnknown, "There is no such object; see the metadata for their names.");
        self.store.catalog().object(object).cloned().ok_or_else(unknown)
    }
    /// A refusal of the policy, with the entry the log keeps of it.
    pub(crate) fn denial(
        &self,
        actor: &Actor,
        verb: audit::Verb,
        denied: authz::Denied,
        record: Option<RecordId>,
    ) -> Refused {
        let mut entry = self.store.entry(actor, verb).denied(denied.code(), denied.why.rules.clone());
        entry.target.object.clone_from(&denied.object);
        entry.target.record = record;
        Refused::logged(denied.into(), entry)
    }
    /// "Not there": the same for records that do not exist and for those out of reach, and logged alike.
    pub(crate) fn missing(&self, actor: &Actor, verb: audit::Verb, object: &str, record: RecordId) -> Refused {
        let fault = Fault::new(Code::RecordNotFound, "There is no such record, or it is not visible to you.");
        let mut entry = self.store.entry(actor, verb).denied(Code::RecordNotFound, Vec::new());
        entry.target.object = object.to_owned();
        entry.target.record = Some(record);
        Refused::logged(fault, entry)
    }
    /// A refusal over a field, logged.
    pub(crate) fn field_denied(&self, actor: &Actor, verb: audit::Verb, object: &str, fault: Fault) -> Refused {
        let mut entry = self.store.entry(actor, verb).denied(fault.code, Vec::new());
        entry.target.object = object.to_owned();
        Refused::logged(fault, entry)
    }
}
