//! What an export takes of records: pages of a list whose log entries say that they were exported, and a hash of the rights
//! they were taken with. It writes no file and hands out none.

use crate::list::digest;
use crate::{ListRequest, ListView, Pending, Records};
use audit::Verb as Act;
use authz::Verb;
use identity::Actor;
use kernel::Fault;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Records {
    /// One page of an object's records for an export: the same decisions as a list, and an entry that names the records and
    /// the personal fields that were taken; `note` says for which export.
    pub fn export_page(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        request: ListRequest,
        note: String,
    ) -> Pending<ListView> {
        self.listed(actor, object, request, (Act::Export, note))
    }

    /// A hash of all that decides what the actor may take of these objects. Another value means that rights were changed, so
    /// that what was taken before may be more than may be taken now.
    ///
    /// # Errors
    /// A refusal, which is logged, when the actor may not read one of the objects at all.
    pub fn export_reach(&self, actor: &Actor, objects: &BTreeSet<String>) -> Result<[u8; 32], Fault> {
        let policy = self.policy();
        let mut reach = policy.epoch().to_vec();
        let facts = format!("{:?} {:?} {:?}", actor.roles(), actor.unit(), actor.teams());
        reach.extend_from_slice(facts.as_bytes());
        for name in objects {
            let object = self.definition(name)?;
            let scope = policy
                .scope(actor, &object, Verb::Read)
                .map_err(|denied| self.log_refusal(self.denial(actor, Act::Export, denied, None)))?;
            reach.extend_from_slice(format!("{name} {:?}", scope.predicate()).as_bytes());
        }
        Ok(digest(&reach))
    }

    /// Notes something about an export of an object's records.
    pub fn export_note(&self, actor: &Actor, object: &str, note: &str) -> store::Ticket<()> {
        let mut entry = self.store.entry(actor, Act::Export);
        object.clone_into(&mut entry.target.object);
        note.clone_into(&mut entry.note);
        self.store.append(vec![entry])
    }
}
