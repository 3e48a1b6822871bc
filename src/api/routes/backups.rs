//! Backups: what there is, one made or proven now, one that stays. The work runs by itself; asking again says how far it is.
//! No record is shown here and no set can be taken out: that is for the machine itself.

use super::handle;
use crate::backups::{BackupOrder, Backups};
use crate::call::{Acting, blocking};
use crate::route::{Param, Repeat, Route, Rule, Verb, param};
use crate::wire::{self, Answer};
use authz::AppAction;
use kernel::{Code, Fault, Outcome, limits::NAME_CHARS_MAX};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const TARGET: &[Param] = &[param("target", "string", "The target, when not the first that has one.")];

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/backups",
        "backups_show",
        "Backup sets, drills, and what comes next",
        Rule::Act(AppAction::SystemHealth, handle!(show)),
    )
    .gives(200, "Backups"),
    Route::new(
        Verb::Post,
        "/api/v1/backups",
        "backup_make",
        "Begin to make a set now, on all targets",
        Rule::Act(AppAction::System, handle!(make)),
    )
    .gives(202, "Backups")
    .repeat(Repeat::Refused),
    Route::new(
        Verb::Post,
        "/api/v1/backups/drills",
        "backup_prove",
        "Begin to restore the newest set into a scratch folder and look it through",
        Rule::Act(AppAction::System, handle!(prove)),
    )
    .query(TARGET)
    .gives(202, "Backups")
    .repeat(Repeat::Refused),
    Route::new(
        Verb::Delete,
        "/api/v1/backups/running",
        "backup_stop",
        "Stop what is under way; a set that is not whole goes",
        Rule::Act(AppAction::System, handle!(stop)),
    )
    .gives(200, "BackupStopped"),
    Route::new(
        Verb::Post,
        "/api/v1/backups/targets/{target}/test",
        "backup_target_test",
        "Write, read back and remove a small file on a target",
        Rule::Act(AppAction::System, handle!(test)),
    )
    .gives(200, "BackupTest")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Get,
        "/api/v1/backups/{sequence}/{target}",
        "backup_show",
        "A set as it lies on its target, and what a restore of it would lose",
        Rule::Act(AppAction::SystemHealth, handle!(set)),
    )
    .gives(200, "BackupSet"),
    Route::new(
        Verb::Put,
        "/api/v1/backups/{sequence}/{target}/pin",
        "backup_pin",
        "Say that a set stays whatever the plan says, or no longer",
        Rule::Act(AppAction::System, handle!(pin)),
    )
    .takes("BackupPin")
    .gives(200, "Backups"),
];

/// Asks the backups off the event loop.
async fn asked<T: Send + 'static>(
    acting: &Acting,
    ask: impl FnOnce(&dyn Backups) -> Outcome<T> + Send + 'static,
) -> Outcome<T> {
    let backups = Arc::clone(&acting.open.backups);
    blocking(move || ask(backups.as_ref())).await
}

async fn show(acting: Acting) -> Outcome<Answer> {
    Answer::json(&asked(&acting, |backups| backups.show()).await?)
}

async fn begun(acting: Acting, order: BackupOrder) -> Outcome<Answer> {
    let actor = Arc::clone(&acting.actor);
    let shown = asked(&acting, move |backups| backups.begin(&actor, order).and_then(|()| backups.show())).await?;
    Ok(Answer::json(&shown)?.status(202))
}

async fn make(acting: Acting) -> Outcome<Answer> {
    begun(acting, BackupOrder::Make(Vec::new())).await
}

async fn prove(acting: Acting) -> Outcome<Answer> {
    let target = acting.call.query.text("target").map(str::to_owned);
    begun(acting, BackupOrder::Prove(target)).await
}

#[derive(Serialize)]
struct Stopped {
    stopped: bool,
}

async fn stop(acting: Acting) -> Outcome<Answer> {
    Answer::json(&Stopped { stopped: asked(&acting, |backups| Ok(backups.stop())).await? })
}

/// The set that the address names.
fn named(acting: &Acting) -> Outcome<(u64, String)> {
    let unknown = || Fault::new(Code::RecordNotFound, "There is no such set.");
    let sequence = acting.call.part("sequence").parse().map_err(|_| unknown())?;
    let target = acting.call.part("target");
    if target.chars().count() > NAME_CHARS_MAX { Err(unknown()) } else { Ok((sequence, target.to_owned())) }
}

async fn test(acting: Acting) -> Outcome<Answer> {
    let target = acting.call.part("target").to_owned();
    Answer::json(&asked(&acting, move |backups| backups.test(&target)).await?)
}

async fn set(acting: Acting) -> Outcome<Answer> {
    let (sequence, target) = named(&acting)?;
    Answer::json(&asked(&acting, move |backups| backups.set(sequence, &target)).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    pinned: bool,
}

async fn pin(acting: Acting) -> Outcome<Answer> {
    let (sequence, target) = named(&acting)?;
    let Pin { pinned } = wire::json(&acting.call.body)?;
    let actor = Arc::clone(&acting.actor);
    let shown =
        asked(&acting, move |backups| backups.pin(&actor, sequence, &target, pinned).and_then(|()| backups.show()));
    Answer::json(&shown.await?)
}
