//! Behaviour of the engine on both database engines, through the same calls that the server makes. One topic per file.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops where something is not as it must be"
)]

mod attachments;
mod bulk;
mod calendar;
mod definitions;
mod deletes;
mod duplicates;
mod fields;
mod filters;
mod idempotency;
mod jobs;
mod layouts;
mod links;
mod lists;
mod live;
mod log;
mod merges;
mod notifications;
mod paging;
mod parsers;
mod picks;
mod picks_whole;
mod pii;
mod place;
mod preferences;
mod private;
mod reach;
mod roles;
mod sample;
mod saved_views;
mod sealed;
mod search;
mod settings;
mod stages;
mod summary;
mod tampering;
mod timeline;
mod users;
mod versions;
