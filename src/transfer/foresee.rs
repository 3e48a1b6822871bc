//! What the rows of a batch will ask the database, asked ahead in a few queries: records by their names in other systems and
//! by texts, and who reaches them. The rows then find the answers where they look. Decides nothing; what it cannot ask is
//! asked when it is its turn, and told there.

use crate::resolve::{Resolver, definition};
use crate::work::Work;
use crate::{DraftRecord, DraftRow, ReferenceBy};
use authz::{Level, Verb};
use kernel::RecordId;
use std::collections::{BTreeMap, BTreeSet};
use store::{Refused, WriteTx};

/// Texts by object and how they name a record.
type Questions<'r> = BTreeMap<(&'r str, bool, &'r str), BTreeSet<&'r str>>;

/// What will be asked.
#[derive(Default)]
struct Ahead<'r> {
    questions: Questions<'r>,
    /// Records that are known already, by object: who reaches them is asked in each batch anew.
    known: BTreeMap<&'r str, BTreeSet<RecordId>>,
}

impl<'r> Ahead<'r> {
    fn ask(&mut self, object: &'r str, by: &'r ReferenceBy, text: &'r str) {
        let (external, name) = match by {
            ReferenceBy::ExternalId(system) => (true, system.as_str()),
            ReferenceBy::Field(field) => (false, field.as_str()),
        };
        self.questions.entry((object, external, name)).or_default().insert(text);
    }

    fn refer(&mut self, resolver: &Resolver, (objects, by, text): (&'r [String], &'r ReferenceBy, &'r str)) {
        for object in objects {
            match resolver.knows(object, by, text) {
                Some(id) => {
                    self.known.entry(object).or_default().insert(id);
                    return;
                }
                None => self.ask(object, by, text),
            }
        }
    }

    fn record(&mut self, resolver: &Resolver, draft: &'r DraftRecord) {
        if let Some((system, name)) = &draft.external_id {
            self.questions.entry((&draft.object, true, system)).or_default().insert(name);
        } else if let Some(field) = draft.match_fields.first()
            && let Some(text) = draft.fields.get(field).and_then(serde_json::Value::as_str)
        {
            // A later field is asked only where the first finds nothing.
            self.questions.entry((&draft.object, false, field)).or_default().insert(text);
        }
        for reference in &draft.references {
            self.refer(resolver, (&reference.objects, &reference.by, &reference.text));
        }
        for link in &draft.links {
            self.refer(resolver, (&link.objects, &link.by, &link.text));
        }
    }
}

impl Work<'_> {
    /// Asks ahead for these rows.
    pub(crate) fn foresee(
        &self,
        tx: &mut WriteTx<'_, '_>,
        rows: &[DraftRow],
        resolver: &Resolver,
    ) -> Result<(), Refused> {
        let mut ahead = Ahead::default();
        for row in rows {
            row.related.iter().chain([&row.main]).for_each(|draft| ahead.record(resolver, draft));
        }
        let policy = self.records.policy();
        for ((object, external, name), texts) in ahead.questions {
            let definition = definition(self.records, object)?;
            let found = if external {
                tx.read().externals_foresee(object, name, &texts)?
            } else {
                let Ok(scope) = policy.scope(self.actor, &definition, Verb::Read) else { continue };
                let plain = definition.field(name).is_some_and(|field| !field.is_sealed());
                let read = definition.field_index(name).is_some_and(|at| scope.floor().get(at) >= Level::Read);
                if !plain || !read {
                    continue;
                }
                tx.read().texts_foresee(&scope, &definition, name, &texts)?
            };
            ahead.known.entry(object).or_default().extend(found);
        }
        for (object, ids) in ahead.known {
            tx.read().facts_foresee(&definition(self.records, object)?, &ids)?;
        }
        Ok(())
    }
}
