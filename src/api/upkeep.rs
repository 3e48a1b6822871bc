//! What has to be done from time to time while the server runs: failure counts and events of sign-ins every ten seconds,
//! ended sessions every hour. What identity tells of goes into the log before anything else happens with it.

use crate::appliance::{Appliance, Open};
use crate::call::blocking;
use crate::server::report;
use actix_web::rt::time::interval;
use kernel::{Fault, Outcome};
use std::{sync::Arc, time::Duration};

const EVERY: Duration = Duration::from_secs(10);
/// Every so many rounds, ended sessions are removed: once an hour.
const SWEEP_ROUNDS: u32 = 360;

/// Runs until it is aborted.
pub(crate) async fn run(appliance: Appliance) {
    let mut timer = interval(EVERY);
    let mut round = 0u32;
    loop {
        timer.tick().await;
        round = round.wrapping_add(1);
        let Some(open) = appliance.open_if_any() else { continue };
        let sweep = round % SWEEP_ROUNDS == 1;
        let done = blocking(move || {
            once(&open, false)?;
            if sweep {
                open.identity.sessions_sweep()?;
            }
            Ok(())
        });
        if let Err(fault) = done.await {
            report(&fault);
        }
    }
}

/// One round. With `stopping`, nothing is held back for a later one.
pub(crate) fn once(open: &Arc<Open>, stopping: bool) -> Outcome<()> {
    let (events, stored) = open.identity.upkeep(stopping);
    for event in events {
        open.records.note_sign_in_failed(&event).wait()?;
    }
    stored.map_err(Fault::from)
}
