//! Saved views of lists: one's own, and those shared with one's roles or with all. A view holds names of fields and a
//! filter; what its reader may not see of them is left out, and a filter that uses such a field is left out whole, because
//! half of a condition is another condition.

use crate::preferences::is_person;
use crate::view_check::{Against, checked};
use crate::{DoneView, Pending, Records};
use audit::Verb as Act;
use authz::{AppAction, RoleKind, Verb};
use identity::{Actor, TokenVerb};
use kernel::{Code, Fault, FaultItem, Id, RecordId, Timestamp, UserId, limits};
use metadata::ObjectDef;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{ReadTx, Refused, SavedView, Sharing, WriteTx};

/// How the records of a view are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// Rows and columns.
    #[default]
    Table,
    /// Columns of cards, one per value of the first group field.
    Kanban,
    /// Days, by the field `date`.
    Calendar,
}

/// How close the rows stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Density {
    /// 28 pixels.
    Compact,
    /// 32 pixels.
    Standard,
    /// 40 pixels.
    Comfortable,
}

/// What a view shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ViewDefinition {
    /// Fields in order, related ones as `account.name`.
    pub columns: Vec<String>,
    /// Fields to sort by, `-` for descending.
    pub sort: Vec<String>,
    /// The filter tree.
    pub filter: Option<Json>,
    /// What to put records together by, as in a summary.
    pub group_by: Vec<String>,
    /// Fields to add up in groups.
    pub sums: Vec<String>,
    /// The field whose day a calendar shows.
    pub date: Option<String>,
    /// How close the rows stand.
    pub density: Option<Density>,
    /// Widths of columns in pixels.
    pub widths: BTreeMap<String, i64>,
}

/// A view as its reader sees it.
#[derive(Clone, Debug, Serialize)]
pub struct SavedViewView {
    /// Its id.
    pub id: RecordId,
    /// The object it lists.
    pub object: String,
    /// Its version, also the ETag.
    pub version: i64,
    /// What people call it.
    pub name: String,
    /// How records are laid out.
    pub kind: ViewKind,
    /// What it shows, without what the reader may not see.
    pub definition: ViewDefinition,
    /// Whether something was left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// `private`, `roles` or `all`.
    pub shared: &'static str,
    /// The roles it is shared with.
    pub roles: Vec<String>,
    /// The roles for which the object opens with it.
    pub default_roles: Vec<String>,
    /// Who made it.
    pub owner: UserId,
    /// Whether that is the reader.
    pub mine: bool,
    /// Whether the object opens with it for the reader, by own choice or by role.
    pub default: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The views of an object.
#[derive(Clone, Debug, Serialize)]
pub struct SavedViewList {
    /// Own ones first, then shared ones, by name.
    pub items: Vec<SavedViewView>,
}

/// A new view.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedViewBody {
    /// What people call it.
    pub name: String,
    /// How records are laid out.
    #[serde(default)]
    pub kind: ViewKind,
    /// What it shows.
    #[serde(default)]
    pub definition: ViewDefinition,
    /// `private`, `roles` or `all`; private when absent.
    #[serde(default)]
    pub shared: ViewSharing,
    /// The roles it is shared with.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The roles for which the object opens with it.
    #[serde(default)]
    pub default_roles: Vec<String>,
    /// Whether the object opens with it for its maker.
    #[serde(default)]
    pub default: bool,
}

/// What to change about a view; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SavedViewPatch {
    /// What people call it.
    pub name: Option<String>,
    /// How records are laid out.
    pub kind: Option<ViewKind>,
    /// What it shows, as a whole.
    pub definition: Option<ViewDefinition>,
    /// With whom it is shared.
    pub shared: Option<ViewSharing>,
    /// The roles it is shared with.
    pub roles: Option<Vec<String>>,
    /// The roles for which the object opens with it.
    pub default_roles: Option<Vec<String>>,
    /// Whether the object opens with it for the reader; anybody's own choice.
    pub default: Option<bool>,
}

/// With whom a view is shared, on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewSharing {
    /// Nobody.
    #[default]
    Private,
    /// Roles.
    Roles,
    /// Everybody who may read the object.
    All,
}

impl From<ViewSharing> for Sharing {
    fn from(shared: ViewSharing) -> Self {
        match shared {
            ViewSharing::Private => Self::Private,
            ViewSharing::Roles => Self::Roles,
            ViewSharing::All => Self::All,
        }
    }
}

/// What is kept sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    name: String,
    kind: ViewKind,
    definition: ViewDefinition,
}

fn unknown() -> Fault {
    Fault::new(Code::ViewUnknown, "There is no such view, or it is not shared with you.")
}

fn kept(view: &SavedView) -> Result<Kept, Fault> {
    serde_json::from_slice(&view.body).map_err(Fault::internal)
}

/// Whether a view is for somebody to see.
fn visible(view: &SavedView, actor: &Actor) -> bool {
    view.owner == actor.user()
        || match view.shared {
            Sharing::Private => false,
            Sharing::All => true,
            Sharing::Roles => view.roles.iter().any(|role| actor.has_role(role)),
        }
}

impl Records {
    /// The views of an object that are the actor's or shared with them.
    pub fn views(&self, actor: &Arc<Actor>, object: &str) -> Pending<SavedViewList> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        // A view names fields and holds no value of a record; the list that it leads to is what the log tells of.
        Pending::disclosed(self.store.disclose(move |tx| {
            let items = records.views_in_tx(tx, &actor, &definition)?;
            Ok((SavedViewList { items }, Vec::new()))
        }))
    }

    fn views_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
    ) -> Result<Vec<SavedViewView>, Refused> {
        let policy = self.policy();
        policy.scope(actor, object, Verb::Read).map_err(|denied| self.denial(actor, Act::List, denied, None))?;
        let chosen = tx.view_default(&object.name, actor.user())?;
        let mut views = tx.views(&object.name, actor.user())?;
        views.retain(|view| visible(view, actor));
        let chosen = chosen.filter(|chosen| views.iter().any(|view| view.id == *chosen));
        let by_role = |view: &&SavedView| view.default_roles.iter().any(|role| actor.has_role(role));
        let opens = chosen.or_else(|| views.iter().find(by_role).map(|view| view.id));
        let mut shown = Vec::with_capacity(views.len());
        for view in &views {
            shown.push(self.view_shown(tx, actor, object, view, opens)?);
        }
        shown.sort_by(|one, two| (!one.mine, &one.name).cmp(&(!two.mine, &two.name)));
        Ok(shown)
    }

    fn view_shown(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        view: &SavedView,
        opens: Option<RecordId>,
    ) -> Result<SavedViewView, Refused> {
        let (policy, catalog) = (self.policy(), Arc::clone(tx.catalog()));
        let Kept { name, kind, definition } = kept(view)?;
        let against = Against::new(&policy, &catalog, actor, object, self.store.clock().now())?;
        let (definition, problems) = checked(&against, kind, definition);
        Ok(SavedViewView {
            id: view.id,
            object: view.object.clone(),
            version: view.version,
            name,
            kind,
            definition,
            incomplete: !problems.is_empty(),
            shared: view.shared.as_str(),
            roles: view.roles.clone(),
            default_roles: view.default_roles.clone(),
            owner: view.owner,
            mine: view.owner == actor.user(),
            default: opens == Some(view.id),
            updated_at: view.updated_at,
        })
    }

    /// Makes a view.
    pub fn view_create(&self, actor: &Arc<Actor>, object: &str, body: SavedViewBody) -> Pending<SavedViewView> {
        let definition =
            match self.definition(object).and_then(|found| is_person(actor, TokenVerb::Update).map(|()| found)) {
                Ok(definition) => definition,
                Err(fault) => return Pending::failed(fault),
            };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let own = tx.read().views(&definition.name, actor.user())?;
            if own.iter().filter(|view| view.owner == actor.user()).count() >= limits::VIEWS_PER_USER_MAX {
                let detail = format!("At most {} views per object (VIEWS_PER_USER_MAX).", limits::VIEWS_PER_USER_MAX);
                return Err(Fault::new(Code::LimitExceeded, detail).into());
            }
            let clock = records.store.clock();
            let view = SavedView {
                id: Id::generate(clock.as_ref(), records.store.random().as_ref()),
                object: definition.name.clone(),
                owner: actor.user(),
                version: 1,
                shared: body.shared.into(),
                roles: body.roles,
                default_roles: body.default_roles,
                body: Vec::new(),
                updated_at: clock.now(),
            };
            let kept = Kept { name: body.name, kind: body.kind, definition: body.definition };
            let view = records.view_keep(tx, &actor, &definition, view, kept, "create")?;
            if body.default {
                tx.view_default_set(&definition.name, actor.user(), Some(view.id))?;
            }
            records.view_now(tx, &actor, &definition, &view)
        }))
    }

    /// Changes a view. Its maker may, and whoever shares views may change shared ones; the own default anybody.
    pub fn view_change(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        if_match: Option<i64>,
        patch: SavedViewPatch,
    ) -> Pending<SavedViewView> {
        let definition =
            match self.definition(object).and_then(|found| is_person(actor, TokenVerb::Update).map(|()| found)) {
                Ok(definition) => definition,
                Err(fault) => return Pending::failed(fault),
            };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let mut view = records.view_to_change(tx, &actor, &definition, id, if_match)?;
            if let Some(default) = patch.default {
                let chosen = tx.read().view_default(&definition.name, actor.user())?;
                if default || chosen == Some(id) {
                    tx.view_default_set(&definition.name, actor.user(), Some(id).filter(|_| default))?;
                }
            }
            let touched = patch.name.is_some()
                || patch.kind.is_some()
                || patch.definition.is_some()
                || patch.shared.is_some()
                || patch.roles.is_some()
                || patch.default_roles.is_some();
            if touched {
                records.may_change_view(&actor, &view)?;
                let mut kept = kept(&view)?;
                kept.name = patch.name.unwrap_or(kept.name);
                kept.kind = patch.kind.unwrap_or(kept.kind);
                kept.definition = patch.definition.unwrap_or(kept.definition);
                view.shared = patch.shared.map_or(view.shared, Sharing::from);
                view.roles = patch.roles.unwrap_or(view.roles);
                view.default_roles = patch.default_roles.unwrap_or(view.default_roles);
                view.version += 1;
                view.updated_at = records.store.clock().now();
                view = records.view_keep(tx, &actor, &definition, view, kept, "change")?;
            }
            records.view_now(tx, &actor, &definition, &view)
        }))
    }

    /// Takes a view away.
    pub fn view_drop(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        if_match: Option<i64>,
    ) -> Pending<DoneView> {
        let definition =
            match self.definition(object).and_then(|found| is_person(actor, TokenVerb::Update).map(|()| found)) {
                Ok(definition) => definition,
                Err(fault) => return Pending::failed(fault),
            };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            let view = records.view_to_change(tx, &actor, &definition, id, if_match)?;
            records.may_change_view(&actor, &view)?;
            tx.view_drop(id)?;
            records.log_view(tx, &actor, &view, "delete")?;
            Ok(DoneView { moved: true })
        }))
    }

    fn view_to_change(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        object: &ObjectDef,
        id: RecordId,
        if_match: Option<i64>,
    ) -> Result<SavedView, Refused> {
        let view = tx.read().view_by_id(id)?.filter(|view| view.object == object.name && visible(view, actor));
        let view = view.ok_or_else(unknown)?;
        match if_match {
            None => Err(Fault::new(Code::VersionRequired, "Send If-Match with the version you read.").into()),
            Some(version) if version != view.version => {
                let mut fault = Fault::new(Code::VersionConflict, "The view has changed since you read it.");
                fault.extension = Some(serde_json::json!({"current_version": view.version}).to_string().into());
                Err(fault.into())
            }
            Some(_) => Ok(view),
        }
    }

    fn may_change_view(&self, actor: &Actor, view: &SavedView) -> Result<(), Refused> {
        if view.owner == actor.user() {
            return Ok(());
        }
        self.policy()
            .act(actor, AppAction::Views)
            .map(|_| ())
            .map_err(|denied| self.denial(actor, Act::ViewChange, denied, None))
    }

    /// Checks everything about a view, all errors at once, and writes it with its entry.
    fn view_keep(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        mut view: SavedView,
        kept: Kept,
        how: &str,
    ) -> Result<SavedView, Refused> {
        let (policy, catalog) = (tx.policy(), Arc::clone(tx.read().catalog()));
        policy.scope(actor, object, Verb::Read).map_err(|denied| self.denial(actor, Act::ViewChange, denied, None))?;
        if view.shared != Sharing::Private || !view.default_roles.is_empty() {
            policy.act(actor, AppAction::Views).map_err(|denied| self.denial(actor, Act::ViewChange, denied, None))?;
        }
        let against = Against::new(&policy, &catalog, actor, object, self.store.clock().now())?;
        let (_, mut problems) = checked(&against, kept.kind, kept.definition.clone());
        let length = kept.name.trim().chars().count();
        if length == 0 || length > limits::LABEL_CHARS_MAX || kept.name.chars().any(char::is_control) {
            let detail = format!("A name has 1 to {} characters (LABEL_CHARS_MAX).", limits::LABEL_CHARS_MAX);
            problems.push(FaultItem { pointer: "/name".to_owned(), code: Code::ValueRange, detail });
        }
        for (place, roles) in [("roles", &view.roles), ("default_roles", &view.default_roles)] {
            if roles.len() > limits::VIEW_ROLES_MAX {
                let detail = format!("At most {} roles (VIEW_ROLES_MAX).", limits::VIEW_ROLES_MAX);
                problems.push(FaultItem { pointer: format!("/{place}"), code: Code::ValueRange, detail });
            }
            for (at, role) in roles.iter().enumerate() {
                if policy.role(role).is_none_or(|role| role.kind == RoleKind::Internal) {
                    let (pointer, detail) = (format!("/{place}/{at}"), "There is no such role.".to_owned());
                    problems.push(FaultItem { pointer, code: Code::ValueNotAnOption, detail });
                }
            }
        }
        if !problems.is_empty() {
            return Err(Fault::invalid(problems).into());
        }
        view.body = serde_json::to_vec(&kept).map_err(Fault::internal)?;
        if view.body.len() > limits::VIEW_BYTES_MAX {
            let detail = format!("A view has at most {} bytes of JSON (VIEW_BYTES_MAX).", limits::VIEW_BYTES_MAX);
            return Err(Fault::new(Code::LimitExceeded, detail).into());
        }
        tx.view_write(&view)?;
        self.log_view(tx, actor, &view, how)?;
        Ok(view)
    }

    /// Says which view and with whom it is shared, never what it is called or looks for.
    fn log_view(&self, tx: &mut WriteTx<'_, '_>, actor: &Actor, view: &SavedView, how: &str) -> Result<(), Refused> {
        let mut entry = tx.entry(actor, Act::ViewChange);
        entry.target.object.clone_from(&view.object);
        entry.note = format!("{how} {} version {} {}", view.id, view.version, view.shared.as_str());
        for role in view.roles.iter().take(10) {
            entry.note.push_str(&format!(" {role}"));
        }
        Ok(tx.log_entry(&entry)?)
    }

    fn view_now(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        view: &SavedView,
    ) -> Result<SavedViewView, Refused> {
        let chosen = tx.read().view_default(&object.name, actor.user())?;
        self.view_shown(tx.read(), actor, object, view, chosen)
    }
}
