//! The handlers, by group, and the table of all of them. A handler turns a checked request into one call of a service
//! and its answer into JSON; it never decides.

mod around;
mod attachments;
mod audit_log;
mod backups;
pub(crate) mod calendar;
mod events;
mod exports;
mod imports;
mod jobs;
mod me;
mod metadata;
mod metrics;
mod notifications;
mod pages;
mod people;
mod picks;
mod records;
mod roles;
mod sample;
mod session;
mod settings;
mod system;
mod tokens;
mod views;

use crate::route::Route;

/// Every route. Within a group, fixed parts of an address stand before variable ones.
pub(crate) const TABLE: &[&[Route]] = &[
    pages::ROUTES,
    system::ROUTES,
    metrics::ROUTES,
    settings::ROUTES,
    sample::ROUTES,
    backups::ROUTES,
    picks::ROUTES,
    session::ROUTES,
    tokens::ROUTES,
    people::ROUTES,
    roles::ROUTES,
    calendar::ROUTES,
    events::ROUTES,
    me::ROUTES,
    notifications::ROUTES,
    jobs::ROUTES,
    imports::ROUTES,
    exports::ROUTES,
    views::ROUTES,
    metadata::ROUTES,
    audit_log::ROUTES,
    around::ROUTES,
    attachments::ROUTES,
    records::ROUTES,
];

/// Wraps an async handler for the table.
macro_rules! handle {
    ($handler:path) => {
        |call| Box::pin($handler(call))
    };
    ($handler:path, open) => {
        |call, open| Box::pin($handler(call, open))
    };
}
pub(crate) use handle;
