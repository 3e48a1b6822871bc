//! One person's appointments and tasks as an iCalendar text (RFC 5545): subject and times, nothing sealed. What is said in
//! a meeting stays inside; a calendar on a telephone is outside.

use crate::{Pending, Records};
use audit::{Entry, Verb as Act};
use authz::{Level, Scope, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId, Timestamp, limits};
use metadata::{ObjectDef, Value};
use std::fmt::Write as _;
use std::sync::Arc;
use store::{Condition, Filter, ListQuery, Op, ReadTx, Refused, StoredRow, TimelineQuery};

/// How far back and ahead a calendar reaches.
const PAST_SECONDS: i64 = 60 * 24 * 3600;
const FUTURE_SECONDS: i64 = 400 * 24 * 3600;
/// How long something takes whose end is not known.
const MINUTES_ASSUMED: i64 = 30;
/// Octets of a line before it is folded (section 3.1).
const LINE_OCTETS: usize = 75;

struct Appointment {
    id: RecordId,
    version: i64,
    kind: String,
    subject: String,
    start: Timestamp,
    end: Timestamp,
    task: bool,
}

impl Records {
    /// The actor's own activities with a time, as a calendar.
    pub fn calendar(&self, actor: &Arc<Actor>) -> Pending<String> {
        let (records, actor) = (self.clone(), Arc::clone(actor));
        Pending::disclosed(self.store.disclose(move |tx| {
            let object = records.definition("activity")?;
            let found = records.appointments(tx, &actor, &object)?;
            let entries = records.calendar_entries(&actor, &found);
            Ok((text(&found, records.store.clock().now()), entries))
        }))
    }

    /// One entry for each page's worth of appointments: a larger one would lose the ids that do not fit into it. A look
    /// that found nothing is told too.
    fn calendar_entries(&self, actor: &Actor, found: &[Appointment]) -> Vec<Entry> {
        let entry = |found: &[Appointment]| {
            let mut entry = self.store.entry(actor, Act::List);
            entry = entry.on_list("activity", found.iter().map(|found| found.id).collect());
            entry.note = "calendar feed".to_owned();
            entry
        };
        if found.is_empty() {
            return vec![entry(found)];
        }
        found.chunks(limits::PAGE_ROWS_MAX).map(entry).collect()
    }

    fn appointments(
        &self,
        tx: &mut ReadTx<'_>,
        actor: &Actor,
        object: &Arc<ObjectDef>,
    ) -> Result<Vec<Appointment>, Refused> {
        let policy = self.policy();
        let scope =
            policy.scope(actor, object, Verb::Read).map_err(|denied| self.denial(actor, Act::List, denied, None))?;
        let field = |name: &str| object.field_index(name).filter(|at| scope.floor().get(*at) >= Level::Read);
        let (owner, kind, status) = (field("owner"), field("kind"), field("status"));
        let (subject, start, end, due) = (field("subject"), field("start"), field("end"), field("due"));
        let (Some(owner), Some(kind), Some(status), Some(start), Some(due), Some(subject), Some(end)) =
            (owner, kind, status, start, due, subject, end)
        else {
            let detail = "Your roles do not show what a calendar is made of.";
            return Err(self.field_denied(actor, Act::List, &object.name, Fault::new(Code::FieldDenied, detail)));
        };
        let is = |field, op| Filter::Is(Condition { field, part: None, op });
        let code = |code: &str| Value::Enum(code.to_owned());
        let me = Value::Reference { object: "user".to_owned(), id: actor.user() };
        let filter = Filter::And(vec![
            is(owner, Op::Eq(me)),
            is(kind, Op::Ne(code("note"))),
            is(status, Op::Ne(code("cancelled"))),
            Filter::Or(vec![is(start, Op::Empty(false)), is(due, Op::Empty(false))]),
        ]);
        let list = ListQuery {
            object: Arc::clone(object),
            filter: Some(filter),
            search: Vec::new(),
            sort: Vec::new(),
            after: None,
            limit: limits::CALENDAR_ENTRIES_MAX,
            fields: vec![kind, subject, start, end, due],
            deleted: false,
            within: None,
        };
        let now = self.store.clock().now();
        let query = TimelineQuery {
            list,
            times: vec![start, due],
            ascending: true,
            after: None,
            from: Some(now.plus_seconds(-PAST_SECONDS)),
            to: Some(now.plus_seconds(FUTURE_SECONDS)),
        };
        let rows = tx.timeline(&scope, &query)?;
        rows.iter().map(|(_, row)| appointment(tx, &scope, row, [kind, subject, start, end, due])).collect()
    }
}

fn appointment(
    tx: &mut ReadTx<'_>,
    scope: &Scope<'_>,
    row: &StoredRow,
    [kind, subject, start, end, due]: [usize; 5],
) -> Result<Appointment, Refused> {
    let grant = scope.grant(row.facts()).map_err(Fault::from)?;
    let mut text = |at| -> Result<String, Refused> {
        Ok(match tx.value(&grant, row, at)? {
            Some(Value::Text(text) | Value::Enum(text)) => text,
            _ => String::new(),
        })
    };
    let (kind, subject) = (text(kind)?, text(subject)?);
    let mut time = |at| -> Result<Option<Timestamp>, Refused> {
        Ok(if let Some(Value::Timestamp(at)) = tx.value(&grant, row, at)? { Some(at) } else { None })
    };
    let (start, end, due) = (time(start)?, time(end)?, time(due)?);
    let begins = start.or(due).unwrap_or_default();
    let ends = end.filter(|end| start.is_some() && *end > begins);
    Ok(Appointment {
        id: row.id(),
        version: row.version(),
        task: kind == "task",
        kind,
        subject,
        start: begins,
        end: ends.unwrap_or_else(|| begins.plus_seconds(MINUTES_ASSUMED * 60)),
    })
}

fn text(found: &[Appointment], now: Timestamp) -> String {
    let mut text = String::new();
    for head in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Kontor//Calendar//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:Kontor",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
    ] {
        line(&mut text, head);
    }
    for one in found {
        line(&mut text, "BEGIN:VEVENT");
        line(&mut text, &format!("UID:{}@kontor", one.id));
        line(&mut text, &format!("DTSTAMP:{}", stamp(now)));
        line(&mut text, &format!("SEQUENCE:{}", one.version));
        line(&mut text, &format!("DTSTART:{}", stamp(one.start)));
        line(&mut text, &format!("DTEND:{}", stamp(one.end)));
        line(&mut text, &format!("SUMMARY:{}", escaped(&one.subject)));
        line(&mut text, &format!("CATEGORIES:{}", escaped(&one.kind)));
        // A task does not make its owner busy.
        line(&mut text, if one.task { "TRANSP:TRANSPARENT" } else { "TRANSP:OPAQUE" });
        line(&mut text, "CLASS:PRIVATE");
        line(&mut text, "END:VEVENT");
    }
    line(&mut text, "END:VCALENDAR");
    text
}

fn stamp(at: Timestamp) -> String {
    at.to_datetime().format("%Y%m%dT%H%M%SZ").to_string()
}

/// Section 3.3.11: backslash, semicolon, comma and line ends; other control characters are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '\n' => escaped.push_str("\\n"),
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A content line, folded so that no piece is too long and none is cut inside a character.
fn line(text: &mut String, content: &str) {
    let mut octets = 0;
    for letter in content.chars() {
        if octets + letter.len_utf8() > LINE_OCTETS {
            text.push_str("\r\n ");
            octets = 1;
        }
        // Writing into a text cannot fail.
        let _ = text.write_char(letter);
        octets += letter.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_appointment_in_text() {
        let id = RecordId::from_bytes([1; 16]);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let one = Appointment {
            id,
            version: 3,
            kind: "meeting".to_owned(),
            subject: "Tea; coffee, \\ both\nBEGIN:VEVENT\r".to_owned(),
            start: at("2026-03-02T09:00:00Z"),
            end: at("2026-03-02T10:30:00Z"),
            task: false,
        };
        let text = text(&[one], at("2026-03-01T00:00:00Z"));
        assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && text.ends_with("END:VCALENDAR\r\n"));
        assert!(text.contains("DTSTART:20260302T090000Z\r\nDTEND:20260302T103000Z\r\n"), "{text}");
        assert!(text.contains("SUMMARY:Tea\\; coffee\\, \\\\ both\\nBEGIN:VEVENT\r\n"), "{text}");
        assert_eq!(text.matches("\r\nBEGIN:VEVENT\r\n").count(), 1, "a subject begins no event of its own");
    }

    proptest! {
        #[test]
        fn lines_are_short_and_unfold_to_what_they_were(content in "\\PC{0,300}") {
            let mut text = String::new();
            line(&mut text, &content);
            prop_assert!(text.split("\r\n").all(|line| line.len() <= LINE_OCTETS));
            prop_assert_eq!(text.replace("\r\n ", ""), format!("{content}\r\n"));
        }
    }
}
