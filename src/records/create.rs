//! Making records. Owner and unit default to the maker's; references must point to records the maker can see.

use crate::notice::Notices;
use crate::{Pending, RecordView, Records};
use audit::Verb as Act;
use authz::{Create, Facts, FieldLevels, Level, Verb};
use identity::{Actor, ActorKind};
use kernel::{Code, Fault, FaultItem, Id, RecordId, UnitId, UserId};
use metadata::{Checked, Mode, ObjectDef, ObjectKind, Value, parse_value};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use store::{Cause, Refused, Remembered, WriteTx};

/// A request that may be sent again: its idempotency key and the SHA-256 of what was sent.
#[derive(Clone, Debug)]
pub struct Retry {
    /// The key.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub request: [u8; 32],
}

impl Retry {
    /// The body of the answer kept under the key, if that was the answer to this request.
    pub(crate) fn answer_of(&self, first: Remembered) -> Result<Vec<u8>, Fault> {
        if first.request == self.request {
            return Ok(first.body);
        }
        Err(Fault::new(Code::IdempotencyMismatch, "This Idempotency-Key was used for another request; use a new one."))
    }
}

/// What imports and samples may say beside the values.
#[derive(Clone, Default)]
pub struct CreateOptions {
    /// What stands behind the record.
    pub cause: Cause,
    /// Its name in another system: (system, id).
    pub external_id: Option<(String, String)>,
    /// Its id, when the caller must know it before.
    pub id: Option<RecordId>,
    /// Values of fields that only the appliance sets, in wire form; samples only.
    pub kept: Map<String, Json>,
}

impl Records {
    /// Makes a record and answers with what its maker may see of it.
    pub fn create(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        body: Map<String, Json>,
        retry: Option<Retry>,
    ) -> Pending<RecordView> {
        let definition = match self.definition(object) {
            Ok(definition) => definition,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(self.store.write(move |tx| {
            if let Some(retry) = &retry
                && let Some(view) = records.repeated(tx, &actor, &definition, retry)?
            {
                return Ok(view);
            }
            let id = records.create_in_tx(tx, &actor, &definition, &body, CreateOptions::default())?;
            let view = records.after_write(tx, &actor, &definition, id, 1)?;
            if let Some(retry) = retry {
                let body = serde_json::to_vec(&view).map_err(Fault::internal)?;
                tx.remember(
                    actor.user(),
                    &retry.key,
                    &Remembered { request: retry.request.to_vec(), status: 201, body },
                )?;
            }
            Ok(view)
        }))
    }

    /// The first answer to the same request. It discloses the record anew, so the log says so.
    fn repeated(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        object: &ObjectDef,
        retry: &Retry,
    ) -> Result<Option<RecordView>, Refused> {
        let Some(first) = tx.read().remembered(actor.user(), &retry.key)? else { return Ok(None) };
        let view: RecordView = serde_json::from_slice(&retry.answer_of(first)?).map_err(Fault::internal)?;
        let view = self.narrowed(tx, actor, object, view)?;
        let mut tally = crate::reduce::Tally::default();
        tally.view(object, &view);
        let entry = tx.entry(actor, Act::Read).on_record(&object.name, view.id);
        tx.log_shown(entry, |entry| tally.into_entry(entry))?;
        Ok(Some(view))
    }

    /// The first answer as far as its reader may see the record now: rights may have gone since.
    fn narrowed(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        object: &ObjectDef,
        mut view: RecordView,
    ) -> Result<RecordView, Refused> {
        let definition = self.definition(&object.name)?;
        let facts = tx.read().facts(&definition, view.id)?;
        let grant = facts.and_then(|facts| tx.policy().grant::<authz::Read>(actor, object, &facts).ok());
        let level = |name: &str| {
            let at = object.field_index(name);
            grant.as_ref().zip(at).map_or(Level::None, |(grant, at)| grant.levels().get(at))
        };
        view.fields.retain(|name, value| level(name) >= if value.is_null() { Level::Masked } else { Level::Read });
        view.reduced
            .retain(|name, shown| level(name) >= if shown.is_boolean() { Level::Exists } else { Level::Masked });
        Ok(view)
    }

    /// Makes a record inside a unit of work: the one road of the API, imports and samples.
    pub fn create_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        body: &Map<String, Json>,
        options: CreateOptions,
    ) -> Result<RecordId, Refused> {
        let policy = tx.policy();
        policy.scope(actor, object, Verb::Create).map_err(|denied| self.denial(actor, Act::Create, denied, None))?;
        let mut values = Checked::parse(object, body, Mode::Create, "").map_err(Fault::invalid)?;
        for (name, wire) in &options.kept {
            if let Some(field) = object.field(name) {
                let value = parse_value(field, wire, &format!("/{name}")).map_err(|item| Fault::invalid(vec![item]))?;
                values.set_kept(object, name, value);
            }
        }
        self.default_place(tx, actor, object, &mut values)?;
        let id = options.id.unwrap_or_else(|| Id::generate(self.store.clock().as_ref(), self.store.random().as_ref()));
        let facts = facts_of(object, &values, id);
        let grant =
            policy.grant::<Create>(actor, object, &facts).map_err(|denied| self.outside_create(actor, denied))?;
        editable(object, grant.levels(), &values, body.keys())
            .map_err(|fault| self.field_denied(actor, Act::Create, &object.name, fault))?;
        self.may_place(tx, actor, object, &facts, None)?;
        self.references_exist(tx, actor, object, &values)?;
        let login = login_of(object, &values)?;
        let notices = Notices::of(actor, object, &values, (None, &facts), &options.cause);
        tx.create(grant, object, values, options.cause)?;
        notices.write(self, tx, actor, object, id)?;
        if let Some((system, external_id)) = options.external_id {
            tx.external_set(&object.name, id, &system, &external_id)?;
        }
        if let Some(login) = login {
            tx.credential_create(id, &login)?;
        }
        Ok(id)
    }

    /// A new record outside one's own reach is a matter of rights, not of existence.
    fn outside_create(&self, actor: &Actor, denied: authz::Denied) -> Refused {
        let denied = authz::Denied { reason: authz::DenyReason::NoRight, ..denied };
        self.denial(actor, Act::Create, denied, None)
    }

    /// Owner and unit of a new record, where nobody said: the maker and the owner's unit.
    fn default_place(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        object: &ObjectDef,
        values: &mut Checked,
    ) -> Result<(), Refused> {
        let given = |values: &Checked, name: &str| {
            object.field_index(name).and_then(|at| values.get(at)).and_then(crate::fields::pointed)
        };
        if object.kind != ObjectKind::Business {
            return Ok(());
        }
        if given(values, "owner").is_none() && actor.kind() == ActorKind::User {
            values.set_system(object, "owner", Value::Reference { object: "user".to_owned(), id: actor.user() });
        }
        if given(values, "unit").is_none() {
            let owner = given(values, "owner");
            if let Some(id) = self.unit_of(tx, actor, owner)? {
                values.set_system(object, "unit", Value::Reference { object: "unit".to_owned(), id });
            }
        }
        Ok(())
    }

    /// Where somebody works.
    fn unit_of(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        user: Option<UserId>,
    ) -> Result<Option<UnitId>, Refused> {
        match user {
            Some(user) if user == actor.user() => Ok(actor.unit()),
            Some(user) => Ok(tx.read().facts(&self.definition("user")?, user)?.and_then(|facts| facts.unit)),
            None => Ok(None),
        }
    }

    /// Giving a record to somebody else needs the right to assign it, where it was and where it goes. Who makes one may
    /// also choose among the places that the right to create reaches.
    pub(crate) fn may_place(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        object: &ObjectDef,
        after: &Facts,
        before: Option<&Facts>,
    ) -> Result<(), Refused> {
        let same = before.is_some_and(|before| {
            before.owner == after.owner && before.unit == after.unit && before.team == after.team
        });
        if same || object.kind != ObjectKind::Business {
            return Ok(());
        }
        let policy = tx.policy();
        let assign = policy.scope(actor, object, Verb::Assign);
        let scopes = match before {
            None => assign.into_iter().chain(policy.scope(actor, object, Verb::Create)).collect(),
            Some(before) => {
                let scope = assign.map_err(|denied| self.denial(actor, Act::Update, denied, Some(after.record)))?;
                if !scope.predicate().admits(before) {
                    return Err(self.missing(actor, Act::Update, &object.name, after.record));
                }
                vec![scope]
            }
        };
        let owner_unit = self.unit_of(tx, actor, after.owner)?;
        let parts = authz::out_of_reach(actor, &scopes, before, after, owner_unit);
        if parts.is_empty() {
            return Ok(());
        }
        let mut fault =
            Fault::new(Code::AccessDenied, "Your roles do not let you put records there; nothing was changed.");
        fault.items = parts
            .into_iter()
            .map(|part| FaultItem {
                pointer: format!("/{part}"),
                code: Code::AccessDenied,
                detail: format!("Your right to assign does not reach this {part}."),
            })
            .collect();
        let act = if before.is_some() { Act::Update } else { Act::Create };
        let rules = scopes.iter().flat_map(|scope| scope.why().rules.iter().cloned()).collect();
        let mut entry = self.store.entry(actor, act).denied(fault.code, rules);
        entry.target.object.clone_from(&object.name);
        entry.target.record = before.map(|before| before.record);
        Err(Refused::logged(fault, entry))
    }

    /// Every reference points to a live record that the actor can see.
    pub(crate) fn references_exist(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        object: &ObjectDef,
        values: &Checked,
    ) -> Result<(), Refused> {
        let mut items = Vec::new();
        for (at, value) in values.values() {
            let (Value::Reference { object: target, id }, Some(field)) = (value, object.fields.get(*at)) else {
                continue;
            };
            // One's own place is no secret to oneself, also for roles that read neither users nor units.
            let own =
                (field.name == "owner" && *id == actor.user()) || (field.name == "unit" && Some(*id) == actor.unit());
            if field.system && (field.read_only || own) {
                continue;
            }
            let target = self.definition(target)?;
            let scope = tx.policy().scope(actor, &target, Verb::Read).ok().map(|scope| scope.predicate().clone());
            let facts = tx.read().facts(&target, *id)?;
            if !facts.zip(scope).is_some_and(|(facts, scope)| scope.admits(&facts)) {
                items.push(FaultItem {
                    pointer: format!("/{}", field.name),
                    code: Code::ReferenceUnknown,
                    detail: format!("There is no {} with this id, or it is not visible to you.", target.name),
                });
            }
        }
        if items.is_empty() { Ok(()) } else { Err(Fault::invalid(items).into()) }
    }

    /// What the actor may see of a record just written, said in its entry; its id and version when that is nothing.
    pub(crate) fn after_write(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        id: RecordId,
        version: i64,
    ) -> Result<RecordView, Refused> {
        let mut tally = crate::reduce::Tally::default();
        match self.open_in_tx(tx.read(), actor, object, (id, None), Act::Read, &mut tally) {
            Ok(view) => {
                let read = tx.entry(actor, Act::Read).on_record(&object.name, id);
                tx.log_shown(read, |entry| tally.into_entry(entry))?;
                Ok(view)
            }
            Err(refused) if refused.entry.is_some() => Ok(RecordView {
                id,
                object: object.name.clone(),
                version,
                deleted: false,
                merged_into: None,
                fields: Map::new(),
                reduced: Map::new(),
            }),
            Err(refused) => Err(refused),
        }
    }
}

/// What decides about a record with these values.
pub(crate) fn facts_of(object: &ObjectDef, values: &Checked, record: RecordId) -> Facts {
    let pointed = |name: &str| object.field_index(name).and_then(|at| values.get(at)).and_then(crate::fields::pointed);
    let (owner, unit, team) = (pointed("owner"), pointed("unit"), pointed("team"));
    let private = marked_private(object, values).unwrap_or(false);
    Facts { object: object.name.clone(), record, owner, unit, team, private }
}

/// Whether these values mark a record as its owner's alone; `None` where they do not speak of it.
pub(crate) fn marked_private(object: &ObjectDef, values: &Checked) -> Option<bool> {
    let at = object.private_column().and_then(|name| object.field_index(name))?;
    values.get(at).map(|value| *value == Value::Bool(true))
}

/// Every field named in the body may be set by this actor.
pub(crate) fn editable<'n>(
    object: &ObjectDef,
    levels: &FieldLevels,
    values: &Checked,
    named: impl Iterator<Item = &'n String>,
) -> Result<(), Fault> {
    let mut items = Vec::new();
    for name in named {
        let Some(at) = object.field_index(name).filter(|at| values.get(*at).is_some()) else { continue };
        if levels.get(at) < Level::Edit {
            items.push(FaultItem {
                pointer: format!("/{name}"),
                code: Code::FieldDenied,
                detail: "Your roles do not let you set this field.".to_owned(),
            });
        }
    }
    if items.is_empty() {
        return Ok(());
    }
    let mut fault = Fault::new(Code::FieldDenied, "You may not set some of these fields; nothing was changed.");
    fault.items = items;
    Err(fault)
}

/// The folded login of a user whose name is set; a name that cannot be typed at the sign-in is refused.
pub(crate) fn login_of(object: &ObjectDef, values: &Checked) -> Result<Option<String>, Fault> {
    if object.name != "user" {
        return Ok(None);
    }
    match object.field_index("username").and_then(|at| values.get(at)) {
        Some(Value::Text(login)) => match identity::login_fold(login) {
            Ok(login) => Ok(Some(login)),
            Err(error) => {
                Err(Fault::invalid(Vec::new()).with_item("/username", Code::ValueFormat, format!("{error}.")))
            }
        },
        _ => Ok(None),
    }
}
