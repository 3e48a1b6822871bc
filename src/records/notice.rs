//! Who is to be told of a change, found out where it is made: a new owner, and people whose login a text names with `@`.
//! What the appliance brings in itself, imports and samples, tells nobody.

use crate::Records;
use authz::Facts;
use identity::{Actor, ActorKind, login_fold};
use kernel::{RecordId, UserId, limits};
use metadata::{Checked, FieldType, ObjectDef, ObjectKind, Value};
use store::{Cause, Notice, Refused, WriteTx};

/// Those to be told of one change.
pub(crate) struct Notices {
    owner: Option<UserId>,
    logins: Vec<String>,
}

impl Notices {
    /// Reads the new values before they are written; sealed ones cannot be read afterwards without a key.
    pub(crate) fn of(
        actor: &Actor,
        object: &ObjectDef,
        values: &Checked,
        (before, after): (Option<&Facts>, &Facts),
        cause: &Cause,
    ) -> Self {
        let quiet = cause.import_job.is_some()
            || cause.is_sample
            || cause.on_behalf_of.is_some()
            || object.kind != ObjectKind::Business
            || actor.kind() == ActorKind::System;
        if quiet {
            return Self { owner: None, logins: Vec::new() };
        }
        let owner = after.owner.filter(|owner| *owner != actor.user());
        let owner = owner.filter(|owner| before.is_none_or(|before| before.owner != Some(*owner)));
        let mut logins = Vec::new();
        for (at, value) in values.values() {
            let rich = object.fields.get(*at).is_some_and(|field| field.field_type == FieldType::RichText);
            if let (true, Value::Text(text)) = (rich, value) {
                mentions(text, &mut logins);
            }
        }
        Self { owner, logins }
    }

    /// Tells them, in the unit of the change.
    pub(crate) fn write(
        self,
        records: &Records,
        tx: &mut WriteTx<'_, '_>,
        actor: &Actor,
        object: &ObjectDef,
        record: RecordId,
    ) -> Result<(), Refused> {
        let now = records.store.clock().now();
        let notice = |user, kind, mark: String| Notice {
            user,
            kind,
            object: object.name.clone(),
            record,
            mark,
            by: (actor.kind() == ActorKind::User).then(|| actor.user()),
            at: now,
        };
        let mut told = Vec::new();
        if let Some(owner) = self.owner {
            told.push(notice(owner, "assigned", now.micros().to_string()));
        }
        for login in self.logins {
            // A text may change often; the same person is told of the same record once.
            if let Some(user) = tx.read().user_by_login(&login)?.filter(|user| *user != actor.user()) {
                told.push(notice(user, "mentioned", String::new()));
            }
        }
        for notice in &told {
            tx.notify(notice)?;
        }
        let users: Vec<UserId> = told.iter().map(|notice| notice.user).collect();
        if !users.is_empty() {
            let live = std::sync::Arc::clone(&records.live);
            tx.after_commit(move || live.tell_notice(&users));
        }
        Ok(())
    }
}

/// The logins that a text names: `@` at the start of a word, then letters, digits and `.`, `-`, `_` inside.
fn mentions(text: &str, logins: &mut Vec<String>) {
    let inner = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find('@') {
        let (head, tail) = rest.split_at(at);
        let tail = tail.strip_prefix('@').unwrap_or(tail);
        let starts_word = head.chars().next_back().or(before).is_none_or(|letter| !inner(letter) && letter != '@');
        let end = tail.find(|letter| !inner(letter)).unwrap_or(tail.len());
        let (word, after) = tail.split_at(end);
        let login = login_fold(word.trim_end_matches(['.', '-', '_'])).ok().map(|login| login.as_str().to_owned());
        if let Some(login) = login.filter(|login| starts_word && !logins.contains(login)) {
            if logins.len() >= limits::MENTIONS_PER_TEXT_MAX {
                return;
            }
            logins.push(login);
        }
        before = Some(word.chars().next_back().unwrap_or('@'));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn logins_in_a_text() {
        for (text, expected) in [
            ("@anna please look", vec!["anna"]),
            ("Ask (@Ben.Meier), @anna-2.", vec!["ben.meier", "anna-2"]),
            ("mail a@b.example and c@d", vec![]),
            ("@@anna @ @. @anna @anna", vec!["anna"]),
            ("请@张伟 看", vec![]),
            ("请 @张伟 看", vec!["张伟"]),
            ("", vec![]),
        ] {
            let mut logins = Vec::new();
            mentions(text, &mut logins);
            assert_eq!(logins, expected, "{text}");
        }
        let mut logins = Vec::new();
        mentions(&(0..100).map(|number| format!("@user{number} ")).collect::<String>(), &mut logins);
        assert_eq!(logins.len(), kernel::limits::MENTIONS_PER_TEXT_MAX);
    }
}
