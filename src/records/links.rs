//! Links between records: many-to-many relations seen from either end. Linking needs the right to change this record and
//! to see the other.

use crate::fields::choose;
use crate::reduce::{self, Tally};
use crate::{LinkView, LinksView, Pending, Records};
use audit::Verb as Act;
use authz::{Grant, Update, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use metadata::{ObjectDef, Relation};
use serde::Serialize;
use std::sync::Arc;
use store::{ReadTx, Refused, StoredRow, WriteTx};

/// Whether a link or unlink made a difference.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
pub struct LinkedView {
    /// False when it was so already.
    pub moved: bool,
}

impl Records {
    fn relation(&self, object: &ObjectDef, name: &str) -> Result<Relation, Fault> {
        let found = self.catalog().relations(&object.name).into_iter().find(|relation| relation.name == name);
        found.ok_or_else(|| {
            Fault::new(Code::RelationUnknown, format!("Object {} has no such relation; see its metadata.", object.name))
        })
    }

    fn with_relation(&self, object: &str, relation: &str) -> Result<(Arc<ObjectDef>, Relation), Fault> {
        let definition = self.definition(object)?;
        let relation = self.relation(&definition, relation)?;
        Ok((definition, relation))
    }

    /// The records linked to one, as far as the reader reaches them.
    pub fn links(&self, actor: &Arc<Actor>, object: &str, id: RecordId, relation: &str) -> Pending<LinksView> {
        let (definition, relation) = match self.with_relation(object, relation) {
            Ok(found) => found,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| records.links_in_tx(tx, &actor, &definition, id, &relation)))
    }

    fn links_in_tx(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
        id: RecordId,
        relation: &Relation,
    ) -> Result<(LinksView, Vec<audit::Entry>), Refused> {
        let policy = self.policy();
        let scope = policy
            .scope(actor, object, Verb::Read)
            .map_err(|denied| self.denial(actor, Act::List, denied, Some(id)))?;
        let facts = tx.facts(object, id)?.ok_or_else(|| self.missing(actor, Act::List, &object.name, id))?;
        let grant = scope.grant(&facts).map_err(|denied| self.denial(actor, Act::List, denied, Some(id)))?;
        let other = self.definition(&relation.target)?;
        let reach =
            policy.scope(actor, &other, Verb::Read).map_err(|denied| self.denial(actor, Act::List, denied, None))?;
        let links = tx.links(&grant, relation, limits::PAGE_ROWS_MAX)?;
        let catalog = Arc::clone(tx.catalog());
        let chosen = choose(&policy, &catalog, actor, &other, None, true)?;
        let ids: Vec<RecordId> = links.iter().map(|link| link.other).collect();
        let rows = tx.rows_in_scope(&reach, &other, &ids, &chosen.to_load())?;
        let mut tally = Tally::default();
        let views = reduce::records(tx, &reach, &rows, &chosen, &mut tally)?;
        let shown = |link: &store::LinkRow| {
            let record = views.iter().find(|view| view.id == link.other)?.clone();
            Some(LinkView { role: link.role.clone(), created_at: link.created_at, record })
        };
        let items: Vec<LinkView> = links.iter().filter_map(shown).collect();
        let mut entry =
            self.store.entry(actor, Act::List).on_list(&other.name, items.iter().map(|item| item.record.id).collect());
        entry.decision.rules = reach.why().rules.clone();
        entry.note = format!("links {}.{}", object.name, relation.name);
        tally.into_entry(&mut entry);
        Ok((LinksView { items }, vec![entry]))
    }

    /// A change of links as a unit of work of its own.
    fn relinked(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        relation: &str,
        change: impl FnOnce(&Self, &mut WriteTx<'_, '_>, &Arc<Actor>, &Arc<ObjectDef>, &Relation) -> Result<bool, Refused>
        + Send
        + 'static,
    ) -> Pending<LinkedView> {
        let (definition, relation) = match self.with_relation(object, relation) {
            Ok(found) => found,
            Err(fault) => return Pending::failed(fault),
        };
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::written(
            self.store.write(move |tx| {
                change(&records, tx, &actor, &definition, &relation).map(|moved| LinkedView { moved })
            }),
        )
    }

    /// Links two records, or changes the role of their link.
    pub fn link(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        relation: &str,
        other: RecordId,
        role: Option<String>,
    ) -> Pending<LinkedView> {
        self.relinked(actor, object, relation, move |records, tx, actor, object, relation| {
            records.link_in_tx(tx, actor, object, id, relation, (other, role.as_deref()))
        })
    }

    /// Undoes a link.
    pub fn unlink(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        id: RecordId,
        relation: &str,
        other: RecordId,
    ) -> Pending<LinkedView> {
        self.relinked(actor, object, relation, move |records, tx, actor, object, relation| {
            records.unlink_in_tx(tx, actor, object, id, relation, other)
        })
    }

    /// Links two records inside a unit of work, by the name of the relation; for imports and samples.
    pub fn link_by_name_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        id: RecordId,
        relation: &str,
        other: (RecordId, Option<&str>),
    ) -> Result<bool, Refused> {
        let relation = self.relation(object, relation)?;
        self.link_in_tx(tx, actor, object, id, &relation, other)
    }

    pub(crate) fn link_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        id: RecordId,
        relation: &Relation,
        (other, role): (RecordId, Option<&str>),
    ) -> Result<bool, Refused> {
        let known = |role: &str| relation.link.roles.iter().any(|option| option.active && option.code == role);
        if role.is_some_and(|role| !known(role)) {
            let codes: Vec<&str> = relation.link.roles.iter().map(|option| option.code.as_str()).collect();
            let detail = format!("Expected one of: {}.", codes.join(", "));
            return Err(Fault::invalid(Vec::new()).with_item("/role", Code::ValueNotAnOption, detail).into());
        }
        let (grant, there) = self.both_ends(tx, actor, object, id, relation, other, Act::Link)?;
        if there.is_none_or(|row| row.deleted()) {
            return Err(Fault::invalid(Vec::new())
                .with_item("/id", Code::ReferenceUnknown, "There is no such record, or it is not visible to you.")
                .into());
        }
        Ok(tx.link(&grant, relation, other, role)?)
    }

    pub(crate) fn unlink_in_tx(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &Arc<Actor>,
        object: &Arc<ObjectDef>,
        id: RecordId,
        relation: &Relation,
        other: RecordId,
    ) -> Result<bool, Refused> {
        // Whether a link to a record out of reach exists is a secret, as the record is.
        let (grant, there) = self.both_ends(tx, actor, object, id, relation, other, Act::Unlink)?;
        if there.is_some() { Ok(tx.unlink(&grant, relation, other)?) } else { Ok(false) }
    }

    /// The right to change this end, and the other end as far as the actor reaches it.
    #[expect(clippy::too_many_arguments, reason = "both ends, the relation between them, who and what for")]
    fn both_ends<'a>(
        &self,
        tx: &mut WriteTx<'_, '_>,
        actor: &'a Actor,
        object: &Arc<ObjectDef>,
        id: RecordId,
        relation: &Relation,
        other: RecordId,
        act: Act,
    ) -> Result<(Grant<'a, Update>, Option<StoredRow>), Refused> {
        let (row, _) = self.row_to_change(tx, actor, object, id, act)?;
        let policy = tx.policy();
        let grant = policy
            .grant::<Update>(actor, object, row.facts())
            .map_err(|denied| self.denial(actor, act, denied, Some(id)))?;
        let target = self.definition(&relation.target)?;
        let reach = policy.scope(actor, &target, Verb::Read).map_err(|denied| self.denial(actor, act, denied, None))?;
        let there = tx.read().row(&target, other, &[])?.filter(|row| reach.predicate().admits(row.facts()));
        Ok((grant, there))
    }

    /// The relation `tags` of an object, for bulk changes.
    pub(crate) fn tags(&self, object: &ObjectDef) -> Result<Relation, Fault> {
        self.relation(object, "tags")
    }
}
