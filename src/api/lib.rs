//! The one HTTP server of the appliance: a table of routes with declared access, strict wire types, problem documents,
//! the API description and the pages inside the binary. It cannot see the store: whatever it shows comes from
//! `records`, after its audit entry is on disk. It decides nothing about rights beyond what a route declares.
//!
//! A handler that acts for somebody takes a value that only the check of credentials makes, so a route cannot be
//! registered without its access rule; see `route.rs`.

mod appliance;
mod asker;
mod attempts;
mod backups;
mod body;
mod call;
mod dispatch;
mod errors_page;
mod exposition;
mod manual;
mod meter;
mod openapi;
mod picks;
mod proxies;
mod rate;
mod route;
mod router;
mod routes;
mod server;
mod site;
mod stream;
mod tls;
#[cfg(test)]
mod trials;
mod ui;
mod upkeep;
mod wire;

pub use appliance::{Appliance, Brought, Check, Health, Metrics, Open, SharesGiven, Unsealer, Unsealing};
pub use asker::Asker;
pub use backups::{
    BackupOrder, Backups, BackupsView, DrillCheck, DrillView, KeepView, RunningView, SetFile, SetLine, SetTable,
    SetView, ShippedView, TargetView, TestStep, TestView,
};
pub use errors_page::{errors_markdown, errors_markdown_zh};
pub use exposition::Exposition;
pub use openapi::document as openapi_document;
pub use picks::{PickOpenView, PickSetLine, Picks, PicksView};
pub use proxies::Proxies;
pub use rate::RateLimit;
pub use route::{Access, RouteInfo, routes_list};
pub use server::{Handle, ServeError, ServerConfig, serve};
pub use site::{
    CERTIFICATE_DUE_DAYS, CERTIFICATE_ENDS_DAYS, CertificateRefused, CertificateView, Checked, InUse, Material,
    RequestKey, SiteCertificate, Wanted,
};
pub use tls::{OwnCertificates, TlsError, TlsFiles, certificate_expires, certificate_lacks};
