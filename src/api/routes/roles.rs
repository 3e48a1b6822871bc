//! Roles: what there are, custom ones and their changes, and questions about rights. Every change can be planned first:
//! `?plan=true` shows what it would change for whom, or every error, and does nothing.

use super::handle;
use crate::call::{Acting, blocking};
use crate::route::{Param, Repeat, Route, Rule, Verb, param};
use crate::wire::{self, Answer};
use authz::{AppAction, RoleDraft, RolePatch};
use kernel::Outcome;
use records::{RightsQuestion, RightsViewRequest, RoleChange};
use std::sync::Arc;

const PLAN: &[Param] = &[param("plan", "boolean", "Only show what would happen.")];

const fn changing(verb: Verb, path: &'static str, name: &'static str, summary: &'static str, rule: Rule) -> Route {
    Route::new(verb, path, name, summary, rule).query(PLAN).gives(200, "RolePlan")
}

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/roles",
        "role_list",
        "All roles (for those who give or check them)",
        Rule::SignedIn(handle!(list)),
    )
    .gives(200, "RoleList"),
    changing(
        Verb::Post,
        "/api/v1/roles",
        "role_create",
        "A new custom role, from nothing or as a copy",
        Rule::Act(AppAction::Roles, handle!(create)),
    )
    .takes("RoleDraft"),
    Route::new(
        Verb::Get,
        "/api/v1/roles/objects",
        "role_objects",
        "The objects and fields that roles speak of (for those who give or check them)",
        Rule::SignedIn(handle!(objects)),
    )
    .gives(200, "RoleObjectList"),
    Route::new(
        Verb::Post,
        "/api/v1/roles/check",
        "rights_check",
        "Whether somebody may do something, and why; shows nothing of the record",
        Rule::SignedIn(handle!(check)),
    )
    .takes("RightsQuestion")
    .gives(200, "RightsAnswer")
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Post,
        "/api/v1/roles/view",
        "rights_view",
        "What the interface would offer to somebody: acts, objects, fields and levels, no record",
        Rule::SignedIn(handle!(view)),
    )
    .takes("RightsViewRequest")
    .gives(200, "RightsView")
    .repeat(Repeat::Harmless),
    changing(
        Verb::Patch,
        "/api/v1/roles/{role}",
        "role_change",
        "Change a custom role, for everybody who holds it",
        Rule::Act(AppAction::Roles, handle!(change)),
    )
    .takes("RolePatch")
    .if_match(),
    changing(
        Verb::Delete,
        "/api/v1/roles/{role}",
        "role_retire",
        "Stop using a custom role; takes it from everybody and ends their sessions",
        Rule::Act(AppAction::Roles, handle!(retire)),
    )
    .if_match(),
    changing(
        Verb::Post,
        "/api/v1/roles/{role}/restore",
        "role_restore",
        "Offer a retired role again; nobody holds it then",
        Rule::Act(AppAction::Roles, handle!(restore)),
    )
    .if_match()
    .repeat(Repeat::Harmless),
    Route::new(
        Verb::Get,
        "/api/v1/roles/{role}/versions",
        "role_versions",
        "What became of a custom role, the newest version first (for those who give or check roles)",
        Rule::SignedIn(handle!(versions)),
    )
    .gives(200, "RoleVersionList"),
];

async fn list(acting: Acting) -> Outcome<Answer> {
    let (records, actor) = (acting.open.records.clone(), Arc::clone(&acting.actor));
    Answer::items(&blocking(move || records.role_list(&actor)).await?)
}

async fn objects(acting: Acting) -> Outcome<Answer> {
    let (records, actor) = (acting.open.records.clone(), Arc::clone(&acting.actor));
    Answer::items(&blocking(move || records.role_objects(&actor)).await?)
}

/// Plans or runs. Rights are looked up anew at each decision; what is remembered of people is who holds which role.
async fn run(acting: Acting, change: RoleChange) -> Outcome<Answer> {
    let records = &acting.open.records;
    if acting.call.query.flag("plan")? {
        return Answer::json(&records.role_plan(&acting.actor, change).await?);
    }
    let done = records.role_run(&acting.actor, change).await?;
    acting.open.identity.invalidate_all();
    Answer::json(&done)
}

async fn create(acting: Acting) -> Outcome<Answer> {
    let draft: RoleDraft = wire::json(&acting.call.body)?;
    run(acting, RoleChange::Create(draft)).await
}

/// The role of the address, and the version it was read at.
fn target(acting: &Acting) -> Outcome<(String, Option<i64>)> {
    Ok((acting.call.part("role").to_owned(), acting.call.if_match()?))
}

async fn change(acting: Acting) -> Outcome<Answer> {
    let patch: RolePatch = wire::json(&acting.call.body)?;
    let (role, version) = target(&acting)?;
    run(acting, RoleChange::Change(role, version, patch)).await
}

async fn retire(acting: Acting) -> Outcome<Answer> {
    let (role, version) = target(&acting)?;
    run(acting, RoleChange::Retire(role, version)).await
}

async fn restore(acting: Acting) -> Outcome<Answer> {
    let (role, version) = target(&acting)?;
    run(acting, RoleChange::Restore(role, version)).await
}

async fn versions(acting: Acting) -> Outcome<Answer> {
    let found = acting.open.records.role_versions(&acting.actor, acting.call.part("role")).await?;
    Answer::items(found.view())
}

async fn check(acting: Acting) -> Outcome<Answer> {
    let question: RightsQuestion = wire::json(&acting.call.body)?;
    Answer::json(&acting.open.records.rights_check(&acting.actor, question).await?)
}

async fn view(acting: Acting) -> Outcome<Answer> {
    let request: RightsViewRequest = wire::json(&acting.call.body)?;
    Answer::json(&acting.open.records.rights_view(&acting.actor, request).await?)
}
