//! The bilingual sample data of a demonstration appliance: an invented merchant bank with branches in Lübeck and
//! Shanghai, its people, and about two thousand records spread over a year so that every chart has a shape.
//!
//! It does no I/O and reads no clock: the same instant and seed give the same sample. Persons, firms and numbers are
//! invented; telephone numbers lie in ranges kept for fiction where a country has one, mail domains end in `.example`.

mod accounts;
mod activities;
mod activity_words;
mod calendar;
mod cases;
mod catalogue;
mod contacts;
mod credit_code;
mod fields;
mod firms;
mod kept;
mod leads;
mod names;
mod numbers;
mod opportunities;
mod organisation;
mod random;
mod sales_words;
mod service_words;
mod world;

#[cfg(test)]
mod tests;

use kernel::Timestamp;
use serde_json::{Map, Value};

/// One record to create.
#[derive(Clone, PartialEq)]
pub struct SampleRecord {
    /// The object it belongs to.
    pub object: &'static str,
    /// Names the record inside the sample, such as `account-017`; stable for one seed and instant.
    pub key: String,
    /// Values in wire form. A reference is `{"$ref": key}`, with `"object"` beside it where several are possible;
    /// its target always comes earlier in the sample.
    pub fields: Map<String, Value>,
    /// Many-to-many links to earlier records, seen from this one.
    pub links: Vec<SampleLink>,
    /// Whole days between the UTC date of creation and the UTC date of the sample's instant.
    pub created_days_ago: u32,
    /// When it would have been created: in office hours of that day, never after the sample's instant, and never
    /// before a record it points to (but for the result of a lead's conversion).
    pub created_at: Timestamp,
}

/// One many-to-many link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleLink {
    /// The relation's name seen from the record that carries the link; may be the inverse name.
    pub relation: &'static str,
    /// The key of the other record.
    pub target: String,
    /// The role on the link, where the relation has roles.
    pub role: Option<&'static str>,
}

/// A person of the organisation: the user record and what sign-in and permissions need beside it.
#[derive(Clone, PartialEq)]
pub struct SampleUser {
    /// The key of the user record.
    pub key: String,
    /// The login name; the same as the record's `username`.
    pub login: String,
    /// Names of built-in roles; empty for people who never sign in.
    pub roles: Vec<&'static str>,
    /// The key of the unit.
    pub unit: String,
    /// The keys of the teams; the record carries the same as links of relation `teams`.
    pub teams: Vec<String>,
    /// The language of the interface: an option of the user's `locale`.
    pub locale: &'static str,
    /// Whether the demonstration offers this person for signing in.
    pub sign_in: bool,
    /// The user record.
    pub record: SampleRecord,
}

/// Everything, in the order in which it can be created: `units`, `teams`, `users`, `records`, then `patches`.
#[derive(Clone, PartialEq, Default)]
pub struct Sample {
    /// Organisation units, parents first.
    pub units: Vec<SampleRecord>,
    /// Teams.
    pub teams: Vec<SampleRecord>,
    /// People, superiors first.
    pub users: Vec<SampleUser>,
    /// Reference and business records.
    pub records: Vec<SampleRecord>,
    /// Changes to make at the end: the key of a record, and fields that point to people who did not exist before.
    pub patches: Vec<(String, Map<String, Value>)>,
}

/// Makes the sample as it would look at `now`. The same arguments give the same sample.
pub fn generate(now: Timestamp, seed: u64) -> Sample {
    let mut world = world::World::new(now, seed);
    organisation::add(&mut world);
    catalogue::add(&mut world);
    accounts::add(&mut world);
    contacts::add(&mut world);
    opportunities::add(&mut world);
    leads::add(&mut world);
    cases::add(&mut world);
    activities::add(&mut world);
    kept::add(&mut world, seed);
    world.sample
}
