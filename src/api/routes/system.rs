//! Whether the appliance lives, whether it can serve and why not, and the unseal. All but the health page answer without
//! a root key, and none shows more than words about the appliance itself.

use super::handle;
use crate::appliance::{Attempt, Brought, Check, Open, SharesGiven};
use crate::call::{Acting, Call, blocking};
use crate::route::{Repeat, Route, Rule, Verb};
use crate::wire::{self, Answer, Secret};
use authz::AppAction;
use kernel::{
    Code, Fault, Outcome, Timestamp,
    limits::{PASSPHRASE_BYTES_MAX, RECOVERY_SHARE_BYTES_MAX},
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(Verb::Get, "/healthz", "healthz", "Whether the process lives", Rule::SealedOk(handle!(healthz)))
        .gives(200, "Alive"),
    Route::new(Verb::Get, "/readyz", "readyz", "Whether it can serve, and why not", Rule::SealedOk(handle!(readyz)))
        .gives(200, "Ready"),
    Route::new(
        Verb::Post,
        "/api/v1/system/unseal",
        "system_unseal",
        "Give the appliance its root key",
        Rule::SealedOk(handle!(unseal)),
    )
    .takes("Unseal")
    .gives(200, "SealState")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Get,
        "/api/v1/system/health",
        "system_health",
        "The state of the appliance",
        Rule::Act(AppAction::SystemHealth, handle!(health)),
    )
    .gives(200, "Health"),
];

#[derive(Serialize)]
struct Alive {
    status: &'static str,
}

async fn healthz(_: Call) -> Outcome<Answer> {
    Answer::json(&Alive { status: "alive" })
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    /// Why not, in words.
    reasons: Vec<String>,
}

async fn readyz(call: Call) -> Outcome<Answer> {
    let reasons = match call.site.appliance.open_if_any() {
        _ if call.site.appliance.is_stopping() => vec!["stopping: the appliance ends; ask another node".to_owned()],
        None => vec!["sealed: an operator must unseal the appliance".to_owned()],
        Some(open) => {
            let failing = checks(&open).await?.into_iter().filter(|check| !check.ok && check.serves);
            failing.map(|check| format!("{}: {}", check.name, check.detail)).collect()
        }
    };
    let ready = reasons.is_empty();
    Ok(Answer::json(&Ready { ready, reasons })?.status(if ready { 200 } else { 503 }))
}

async fn checks(open: &Arc<Open>) -> Outcome<Vec<Check>> {
    let health = Arc::clone(&open.health);
    blocking(move || Ok(health.checks())).await
}

/// What opens an unseal slot: a passphrase, or one of its recovery shares.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unseal {
    #[serde(default)]
    passphrase: Option<Secret>,
    #[serde(default)]
    share: Option<Secret>,
}

#[derive(Serialize)]
struct SealState {
    sealed: bool,
    /// The recovery shares that wait for more.
    #[serde(skip_serializing_if = "Option::is_none")]
    shares: Option<SharesGiven>,
}

async fn unseal(call: Call) -> Outcome<Answer> {
    let (secret, share) = match wire::json(&call.body)? {
        Unseal { passphrase: Some(passphrase), share: None } => (passphrase, false),
        Unseal { passphrase: None, share: Some(share) } => (share, true),
        _ => return Err(Fault::new(Code::ParameterInvalid, "Give either a passphrase or one recovery share.")),
    };
    let (most, limit) = match share {
        false => (PASSPHRASE_BYTES_MAX, "PASSPHRASE_BYTES_MAX"),
        true => (RECOVERY_SHARE_BYTES_MAX, "RECOVERY_SHARE_BYTES_MAX"),
    };
    if secret.len() > most {
        return Err(Fault::new(Code::LimitExceeded, format!("It has at most {most} bytes (limit {limit}).")));
    }
    let source = call.context.source();
    let appliance = call.site.appliance.clone();
    let attempt = blocking(move || {
        let brought = if share { Brought::Share(&secret, source) } else { Brought::Passphrase(&secret) };
        appliance.unseal(&brought, source)
    });
    let attempt = attempt.await.inspect_err(|fault| {
        // While sealed there is no log to write to; it is told right after the unseal. The operator's own log has it now.
        // What was turned away untried is no guess, and a line for each would let anybody fill that log.
        if fault.code == Code::UnsealFailed {
            tracing::warn!(
                code = fault.code.as_str(),
                source = source.map(tracing::field::display),
                "an attempt to unseal failed"
            );
        }
    })?;
    let (open, failures, told) = match attempt {
        Attempt::WasOpen => return Answer::json(&SealState { sealed: false, shares: None }),
        Attempt::Waiting(given) => return Answer::json(&SealState { sealed: true, shares: Some(given) }),
        Attempt::Opened(open, failures, told) => (open, failures, told),
    };
    let address = |source: Option<IpAddr>| source.map(|source| source.to_string()).unwrap_or_default();
    for (source, failures) in failures {
        let span = (failures.first, failures.last);
        open.records.note_unseal_failed(&address(source), failures.count, span).await?;
    }
    open.records.note_unseal(&address(source), &told).await?;
    Answer::json(&SealState { sealed: false, shares: None })
}

#[derive(Serialize)]
struct HealthView {
    version: &'static str,
    started_at: Timestamp,
    now: Timestamp,
    sealed: bool,
    /// The number of definition changes so far.
    definitions: u64,
    /// Content hash of the roles, hex.
    policy: String,
    checks: Vec<Check>,
}

async fn health(acting: Acting) -> Outcome<Answer> {
    let appliance = &acting.call.site.appliance;
    let epoch = acting.open.records.policy().epoch();
    Answer::json(&HealthView {
        version: env!("CARGO_PKG_VERSION"),
        started_at: appliance.started(),
        now: appliance.clock().now(),
        sealed: false,
        definitions: acting.open.records.catalog().version(),
        policy: epoch.iter().map(|byte| format!("{byte:02x}")).collect(),
        checks: checks(&acting.open).await?,
    })
}
