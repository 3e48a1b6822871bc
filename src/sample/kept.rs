//! What the appliance keeps of real records and a sample must bring along: since when a deal, lead or case is in its stage, and
//! until when a case should be answered and solved. Made from the finished records with a chance of its own, so that nothing
//! else of the sample moves.

use crate::{SampleRecord, random::Random, world::World};
use kernel::Timestamp;
use serde_json::Value;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Adds it to all records.
pub(crate) fn add(world: &mut World, seed: u64) {
    let now = world.calendar.at_most_now(Timestamp::from_micros(i64::MAX));
    let mut random = Random::new(seed.rotate_left(17));
    for record in &mut world.sample.records {
        match record.object {
            "opportunity" => since(record, &mut random, now, "stage", &["closed_at"]),
            "lead" => since(record, &mut random, now, "status", &["converted_at"]),
            "case" => {
                since(record, &mut random, now, "status", &["resolved_at"]);
                deadlines(record, &mut random, now);
            }
            _ => {}
        }
    }
}

fn text<'r>(record: &'r SampleRecord, field: &str) -> Option<&'r str> {
    record.fields.get(field).and_then(Value::as_str)
}

/// A time of the record, or noon of a day of it.
fn time(record: &SampleRecord, field: &str) -> Option<Timestamp> {
    let text = text(record, field)?;
    text.parse().or_else(|_| format!("{text}T12:00:00Z").parse()).ok()
}

fn since(record: &mut SampleRecord, random: &mut Random, now: Timestamp, stage: &str, ends: &[&str]) {
    let days = random.weighted(&[(1, 10), (3, 15), (6, 20), (11, 20), (18, 13), (27, 10), (38, 8), (55, 4)]);
    let ended = ends.iter().find_map(|field| time(record, field));
    let first = matches!(text(record, stage), Some("new" | "prospecting"));
    let at = match ended {
        Some(ended) => ended,
        None if first => record.created_at,
        None => now.plus_seconds(-days * DAY - random.between(0, 8) * HOUR),
    };
    let at = at.min(now).max(record.created_at);
    record.fields.insert("stage_changed_at".to_owned(), at.to_string().into());
}

fn deadlines(record: &mut SampleRecord, random: &mut Random, now: Timestamp) {
    let (answer, solve) = match text(record, "priority") {
        Some("p1") => (2 * HOUR, DAY),
        Some("p2") => (4 * HOUR, 2 * DAY),
        Some("p3") => (8 * HOUR, 5 * DAY),
        _ => (DAY, 10 * DAY),
    };
    // A case that waits for somebody has its time stopped, so an open one is due about now, whenever it came.
    let hours = random.weighted(&[(-30, 12), (2, 20), (5, 20), (26, 20), (50, 15), (100, 13)]);
    let created = record.created_at;
    let solved = time(record, "resolved_at");
    let due = match solved {
        Some(_) => created.plus_seconds(solve),
        None => now.plus_seconds(hours * HOUR).max(created.plus_seconds(HOUR)),
    };
    let missed = solved.unwrap_or(now) > due;
    let fields = &mut record.fields;
    fields.insert("first_response_due".to_owned(), created.plus_seconds(answer).to_string().into());
    fields.insert("resolve_due".to_owned(), due.to_string().into());
    fields.insert("breached".to_owned(), missed.into());
}
