//! Behaviour of the engine on both database engines, through the same calls that the server makes. One topic per file.

mod bulk;
mod definitions;
mod deletes;
mod fields;
mod filters;
mod idempotency;
mod links;
mod lists;
mod log;
mod paging;
mod parsers;
mod pii;
mod place;
mod sealed;
mod search;
mod tampering;
mod users;
mod versions;
