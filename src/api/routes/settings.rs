//! Settings of the appliance, and the steps of its first run.

use super::handle;
use crate::call::Acting;
use crate::route::{Repeat, Route, Rule, Verb};
use crate::wire::{self, Answer};
use authz::AppAction;
use kernel::{Code, Fault, Outcome};
use records::{SettingsPatch, SetupStep};
use serde::Deserialize;
use serde_json::Value as Json;

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/settings",
        "settings_show",
        "The settings of the appliance",
        Rule::SignedIn(handle!(show)),
    )
    .gives(200, "Settings"),
    Route::new(
        Verb::Patch,
        "/api/v1/settings",
        "settings_change",
        "Change settings of the appliance",
        Rule::Act(AppAction::System, handle!(change)),
    )
    .takes("SettingsChange")
    .gives(200, "Settings")
    .if_match(),
    Route::new(
        Verb::Get,
        "/api/v1/setup",
        "setup_show",
        "How far the first run of the appliance has come (for administrators)",
        Rule::SignedIn(handle!(setup)),
    )
    .gives(200, "Setup"),
    Route::new(
        Verb::Put,
        "/api/v1/setup/{step}",
        "setup_step",
        "Note that a step of the first run is done, or open again; each step is for those with its right",
        Rule::SignedIn(handle!(step)),
    )
    .takes("SetupDone")
    .gives(200, "Setup")
    .repeat(Repeat::Harmless),
];

async fn show(acting: Acting) -> Outcome<Answer> {
    let shown = acting.open.records.settings().await?;
    Answer::json(&shown)?.etag(shown.view().version)
}

async fn change(acting: Acting) -> Outcome<Answer> {
    let missing = || Fault::new(Code::VersionRequired, "Send If-Match with the version you read.");
    let if_match = acting.call.if_match()?.ok_or_else(missing)?;
    let patch: SettingsPatch = wire::json(&acting.call.body)?;
    let shown = acting.open.records.settings_change(&acting.actor, Some(if_match), patch).await?;
    Answer::json(&shown)?.etag(shown.view().version)
}

async fn setup(acting: Acting) -> Outcome<Answer> {
    Answer::json(&acting.open.records.setup(&acting.actor).await?)
}

/// Whether a step is done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupDone {
    done: bool,
}

async fn step(acting: Acting) -> Outcome<Answer> {
    let SetupDone { done } = wire::json(&acting.call.body)?;
    let named = serde_json::from_value::<SetupStep>(Json::from(acting.call.part("step")));
    let step = named.map_err(|_| Fault::new(Code::ParameterInvalid, "The first run has no such step."))?;
    Answer::json(&acting.open.records.setup_done(&acting.actor, step, done).await?)
}
