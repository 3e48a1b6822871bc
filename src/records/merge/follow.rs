//! What follows the record that stays: references, links and names in other systems. Records out of sight follow as well, moved
//! by the appliance; the answer counts only what the one who merges sees.

use super::{Merge, MovedView, Side, refused};
use crate::Records;
use authz::{Read, Update};
use kernel::{Code, Fault, RecordId, limits};
use metadata::{ObjectDef, Relation, Subject};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Refused, WriteTx};

/// What was moved.
#[derive(Default)]
pub(super) struct Moved {
    /// All of it.
    pub(super) total: usize,
    /// What is in sight.
    pub(super) views: Vec<MovedView>,
}

impl Records {
    pub(super) fn follow_survivor(
        &self,
        tx: &mut WriteTx<'_, '_>,
        merge: &Merge<'_>,
        losers: &[Side<'_>],
    ) -> Result<Moved, Refused> {
        let mut moved = Moved::default();
        let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
        for loser in losers.iter().map(|side| side.row.id()) {
            self.references_follow(tx, merge, loser, &mut moved, &mut seen)?;
            self.links_follow(tx, merge, loser, &mut moved, &mut seen)?;
            tx.external_move(&merge.object.name, loser, merge.id)?;
        }
        let view = |((object, by), count)| MovedView { object, by, count };
        moved.views = seen.into_iter().filter(|(_, count)| *count > 0).map(view).collect();
        Ok(moved)
    }

    fn references_follow(
        &self,
        tx: &mut WriteTx<'_, '_>,
        merge: &Merge<'_>,
        loser: RecordId,
        moved: &mut Moved,
        seen: &mut BTreeMap<(String, String), usize>,
    ) -> Result<(), Refused> {
        let catalog = Arc::clone(tx.read().catalog());
        for (other, at) in catalog.referrers(&merge.object.name) {
            let Some(field) = other.fields.get(at) else { continue };
            let pointing = tx.read().pointing_to(&other, at, loser, limits::CASCADE_RECORDS_MAX + 1)?;
            // What is sealed under a subject's key cannot be given another subject.
            if !pointing.is_empty() && other.subject == Subject::Field(field.name.clone()) {
                let detail =
                    format!("Records of {} are sealed with the key of the record in {}.", other.name, field.name);
                return Err(refused(format!("{detail} They cannot be given to another; delete or keep both.")).into());
            }
            for id in pointing {
                if other.name == merge.object.name && merge.losers().contains(&id) {
                    continue;
                }
                room(moved)?;
                // The one that stays does not point to itself.
                let to = Some(merge.id).filter(|survivor| *survivor != id);
                *seen.entry((other.name.clone(), field.name.clone())).or_default() +=
                    usize::from(sees(tx, merge, &other, id)?);
                self.point(tx, merge, (&other, id), &field.name, to)?;
            }
        }
        Ok(())
    }

    fn links_follow(
        &self,
        tx: &mut WriteTx<'_, '_>,
        merge: &Merge<'_>,
        loser: RecordId,
        moved: &mut Moved,
        seen: &mut BTreeMap<(String, String), usize>,
    ) -> Result<(), Refused> {
        let mut except = merge.losers();
        except.push(merge.id);
        for relation in ends_at(tx, merge.object) {
            let grant = |tx: &mut WriteTx<'_, '_>, id| -> Result<_, Refused> {
                let facts = tx.read().facts(merge.object, id)?;
                let facts =
                    facts.ok_or_else(|| self.missing(merge.actor, audit::Verb::Merge, &merge.object.name, id))?;
                let denial = |denied| self.denial(merge.system, audit::Verb::Link, denied, Some(id));
                tx.policy().grant::<Update>(merge.system, merge.object, &facts).map_err(denial)
            };
            let (from, to) = (grant(tx, loser)?, grant(tx, merge.id)?);
            let own: &[RecordId] = if relation.target == merge.object.name { &except } else { &[] };
            let others = tx.relink((&from, &to), &relation, own, &merge.cause())?;
            let target = self.definition(&relation.target)?;
            for other in others {
                room(moved)?;
                let key = (target.name.clone(), relation.name.clone());
                *seen.entry(key).or_default() += usize::from(sees(tx, merge, &target, other)?);
            }
        }
        Ok(())
    }
}

/// Every relation that ends at the object, also those that have no name from its side.
fn ends_at(tx: &mut WriteTx<'_, '_>, object: &ObjectDef) -> Vec<Relation> {
    let catalog = Arc::clone(tx.read().catalog());
    let mut found = Vec::new();
    for definer in catalog.objects() {
        for link in &definer.links {
            let mut add = |inverse: bool, name: &str, target: &str| {
                let (name, target) = (name.to_owned(), target.to_owned());
                found.push(Relation { name, target, definer: Arc::clone(definer), link: link.clone(), inverse });
            };
            if definer.name == object.name {
                add(false, &link.name, &link.target);
            }
            if link.target == object.name {
                add(true, link.inverse.as_ref().unwrap_or(&link.name), &definer.name);
            }
        }
    }
    found
}

fn room(moved: &mut Moved) -> Result<(), Refused> {
    moved.total += 1;
    if moved.total <= limits::CASCADE_RECORDS_MAX {
        return Ok(());
    }
    let most = limits::CASCADE_RECORDS_MAX;
    let detail = format!("More than {most} records belong to those that go (CASCADE_RECORDS_MAX); move them first.");
    Err(Fault::new(Code::LimitExceeded, detail).into())
}

/// Whether the one who merges sees a record that follows.
fn sees(tx: &mut WriteTx<'_, '_>, merge: &Merge<'_>, object: &Arc<ObjectDef>, id: RecordId) -> Result<bool, Refused> {
    let facts = tx.read().facts(object, id)?;
    Ok(facts.is_some_and(|facts| tx.policy().grant::<Read>(merge.actor, object, &facts).is_ok()))
}
