//! Is the appliance after a migration what it was before? Damage, counts, the content of every table that no step names, the whole
//! log with every record's state; and a server of the new version that answers on this machine. It writes nothing.

use crate::appliance::upgrade::{State, as_owner};
use crate::appliance::{Appliance, layout, read_small};
use crate::cli::failure::Failure;
use kernel::{Code, Fault};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use store::{Depth, Store, TableContent};

/// How many findings are told.
const FINDINGS_MAX: usize = 5;
/// Bytes of what is kept of the tables: a line for each.
const CONTENT_BYTES_MAX: u64 = 1024 * 1024;
/// System tables: the only ones that steps of a migration may change.
const SYSTEM: &str = "k_";

/// What the tables held, beside the copy of them.
const CONTENT: &str = "content.json";

fn not_well(what: String) -> Failure {
    Failure::new(Code::Internal, format!("the self-test found: {what}"))
}

/// Keeps what every table holds, to be compared later.
pub(super) fn before(appliance: &Appliance) -> Result<(), Failure> {
    let found = Store::content_of(&appliance.store_config()?.engine)?;
    let text = serde_json::to_string(&found).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    layout::write_private(&appliance.layout.upgrade_copy().join(CONTENT), &text)
}

/// The system tables that were there before and that a migration names.
pub(super) fn touched(appliance: &Appliance, migrated: &store::Migrated) -> Result<Vec<String>, Failure> {
    let named = |table: &TableContent| table.table.starts_with(SYSTEM) && migrated.names(&table.table);
    Ok(read(appliance)?.iter().filter(|table| named(table)).map(|table| table.table.clone()).collect())
}

fn read(appliance: &Appliance) -> Result<Vec<TableContent>, Failure> {
    let text = read_small(&appliance.layout.upgrade_copy().join(CONTENT), CONTENT_BYTES_MAX)
        .map_err(|failure| not_well(format!("what the tables held before: {}", failure.what())))?;
    serde_json::from_str(&text).map_err(|error| Failure::new(Code::Internal, error.to_string()))
}

/// Compares, verifies and asks.
pub(super) fn run(appliance: &Appliance, state: &State) -> Result<(), Failure> {
    as_owner(&appliance.layout, || {
        data(appliance, state)?;
        answers(appliance)
    })
}

fn data(appliance: &Appliance, state: &State) -> Result<(), Failure> {
    let config = appliance.store_config()?;
    let damage = Store::integrity_of(&config.engine)?;
    if !damage.is_empty() {
        return Err(not_well(damage.into_iter().take(FINDINGS_MAX).collect::<Vec<_>>().join("; ")));
    }
    let now = Store::content_of(&config.engine)?;
    for table in read(appliance)? {
        let found = now.iter().find(|one| one.table == table.table);
        let rows = found.map_or(0, |one| one.rows);
        let same = found.is_some_and(|one| one.sha256 == table.sha256);
        if !same && !state.touched.contains(&table.table) {
            return Err(not_well(format!("{} has {rows} rows of {} or other values in them", table.table, table.rows)));
        }
    }
    let report = Store::verify_log(&config, &appliance.verifier_key()?, None, Depth(4))?;
    if !report.ok {
        let found = report.findings.iter().take(FINDINGS_MAX).map(|one| format!("{}: {}", one.place, one.detail));
        return Err(not_well(found.collect::<Vec<_>>().join("; ")));
    }
    Ok(())
}

/// Opens to nobody: a server that is only to answer.
struct Closed;

impl api::Unsealer for Closed {
    fn unseal(&self, _: &api::Brought<'_>) -> Result<api::Unsealing, Fault> {
        Err(Fault::new(Code::Sealed, "An upgrade tests itself; it opens nothing."))
    }
}

/// A sealed server on a port of its own: it opens no database, and nobody can open it.
fn answers(appliance: &Appliance) -> Result<(), Failure> {
    let problems = appliance.config.problems_on_disk();
    if !problems.is_empty() {
        return Err(crate::appliance::config_failure(&appliance.layout, &problems));
    }
    let (clock, random) = (Arc::clone(&appliance.clock), Arc::clone(&appliance.random));
    let tls = crate::cli::certificates(appliance, &appliance.config)?;
    let site = api::Appliance::sealed(Arc::new(Closed), clock, random);
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let failed = |what: String| not_well(format!("its server does not answer: {what}"));
    let server = api::serve(api::ServerConfig::new(listen, tls), site).map_err(|error| failed(error.to_string()))?;
    let asked = crate::cli::is_alive(appliance, &server.url());
    server.stop().map_err(|error| failed(error.to_string()))?;
    if asked? { Ok(()) } else { Err(failed("/healthz is not 200".to_owned())) }
}
