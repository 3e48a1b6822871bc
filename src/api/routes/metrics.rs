//! Figures for a monitoring system, for who brings the token of the configuration. Without one configured there is no such address.
//! They answer while the appliance is sealed, too, and hold nothing of a record or a person.

use super::handle;
use crate::appliance::Metrics;
use crate::call::{Call, blocking};
use crate::exposition::{Exposition, MEDIA};
use crate::route::{Route, Rule, Verb};
use crate::wire::{self, Answer};
use kernel::{Code, Fault, Outcome};
use std::sync::Arc;
use zeroize::Zeroizing;

pub(crate) const ROUTES: &[Route] = &[Route::new(
    Verb::Get,
    "/metrics",
    "metrics",
    "Figures for a monitoring system",
    Rule::SealedOk(handle!(metrics)),
)
.gives_media("text/plain")];

async fn metrics(call: Call) -> Outcome<Answer> {
    let absent = || Fault::new(Code::RouteNotFound, "There is no such address; see /api/docs.");
    let source: Arc<dyn Metrics> = call.site.metrics.clone().ok_or_else(absent)?;
    let shown = Zeroizing::new(wire::bearer(call.request.headers())?.unwrap_or_default().to_owned());
    let site = Arc::clone(&call.site);
    let text = blocking(move || {
        if !source.admits(&shown).ok_or_else(absent)? {
            return Err(Fault::new(Code::SignInRequired, "Send `Authorization: Bearer` with the token of metrics."));
        }
        let mut page = Exposition::default();
        site.meter.tell(&mut page);
        source.tell(&mut page);
        Ok(page.into_text())
    });
    Ok(Answer::bytes(MEDIA, text.await?.into_bytes()))
}
