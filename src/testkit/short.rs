//! The verbs in fewer words, for tests that call them often.

use crate::{TestAppliance, object_of};
use authz::RoleDef;
use identity::Actor;
use kernel::{Code, Fault, RecordId};
use records::{DeletedView, HistoryView, ListRequest, ListView, PlanView, RecordView, Shown};
use serde_json::{Value as Json, json};
use std::sync::Arc;

impl TestAppliance {
    /// Opens a record.
    pub fn open(&self, actor: &Arc<Actor>, object: &str, id: RecordId) -> Result<RecordView, Fault> {
        self.records.open(actor, object, id, None).wait().map(Shown::into_view)
    }

    /// Changes a record from the version it has now.
    pub fn change(&self, actor: &Arc<Actor>, object: &str, id: RecordId, fields: Json) -> Result<RecordView, Fault> {
        let version = self.version(object, id);
        self.records.change(actor, object, id, Some(version), object_of(fields)).wait().map(Shown::into_view)
    }

    /// Deletes a record at the version it has now.
    pub fn delete(&self, actor: &Arc<Actor>, object: &str, id: RecordId) -> Result<DeletedView, Fault> {
        let version = self.version(object, id);
        self.records.delete(actor, object, id, Some(version)).wait().map(Shown::into_view)
    }

    /// Lists records; the request is JSON as the API takes it.
    pub fn list(&self, actor: &Arc<Actor>, object: &str, request: Json) -> Result<ListView, Fault> {
        let request: ListRequest = serde_json::from_value(request).expect("a list request");
        self.records.list(actor, object, request).wait().map(Shown::into_view)
    }

    /// One field of all records that a filter finds, in the order of the list.
    pub fn found(
        &self,
        actor: &Arc<Actor>,
        object: &str,
        field: &str,
        filter: &Json,
        sort: &[&str],
    ) -> Result<Vec<Json>, Fault> {
        let view =
            self.list(actor, object, json!({"filter": filter, "sort": sort, "fields": [field], "limit": 200}))?;
        Ok(view.items.into_iter().map(|mut item| item.fields.remove(field).unwrap_or(Json::Null)).collect())
    }

    /// The history of a record.
    pub fn history(&self, actor: &Arc<Actor>, object: &str, id: RecordId) -> Result<HistoryView, Fault> {
        self.records.history(actor, object, id, None, None).wait().map(Shown::into_view)
    }

    /// Runs changes of definitions as the operator.
    pub fn define(&self, changes: Json) -> Result<PlanView, Fault> {
        let changes = serde_json::from_value(changes).expect("changes of definitions");
        self.records.run_plan(&self.operator(), changes).wait().map(Shown::into_view)
    }

    /// Defines a role.
    pub fn role(&self, role: Json) {
        let role: RoleDef = serde_json::from_value(role).expect("a role");
        self.store.write(move |tx| Ok(tx.role_write(&role)?)).wait().expect("a stored role");
    }

    /// The version of a record as the table has it.
    pub fn version(&self, object: &str, id: RecordId) -> i64 {
        let definition = Arc::clone(self.store.catalog().object(object).expect("an object"));
        let row = self.store.read(move |tx| Ok(tx.row(&definition, id, &[])?.map(|row| row.version()))).wait();
        row.expect("a read").unwrap_or(1)
    }
}

/// The code of an error, and codes with the pointers of its parts.
pub fn told(fault: &Fault) -> (Code, Vec<(String, Code)>) {
    (fault.code, fault.items.iter().map(|item| (item.pointer.clone(), item.code)).collect())
}
