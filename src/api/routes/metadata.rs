//! Definitions: what there is, and its changes. Every change can be planned first: `?plan=true` shows what it would do,
//! or every error, and does nothing.

use super::handle;
use crate::call::Acting;
use crate::route::{Param, Repeat, Route, Rule, Verb, param};
use crate::wire::{self, Answer};
use ::metadata::{
    DefinitionChange, EnumOption, FieldDraft, FieldPatch, LayoutDef, LinkDef, ObjectDraft, ObjectPatch, OptionPatch,
};
use authz::AppAction;
use kernel::{Code, Fault, Outcome, limits::PLAN_CHANGES_MAX};
use serde::Deserialize;

const PLAN: &[Param] = &[param("plan", "boolean", "Only show what would happen.")];

const fn changing(verb: Verb, path: &'static str, name: &'static str, summary: &'static str, rule: Rule) -> Route {
    Route::new(verb, path, name, summary, rule).query(PLAN).gives(200, "Plan")
}

pub(crate) const ROUTES: &[Route] = &[
    Route::new(
        Verb::Get,
        "/api/v1/metadata/objects",
        "object_list",
        "The objects you may know of, and what you may do with them",
        Rule::SignedIn(handle!(objects)),
    )
    .gives(200, "ObjectList"),
    changing(
        Verb::Post,
        "/api/v1/metadata/objects",
        "object_create",
        "A new custom object",
        Rule::Act(AppAction::Definitions, handle!(object_create)),
    )
    .takes("ObjectDraft"),
    changing(
        Verb::Post,
        "/api/v1/metadata/changes",
        "definitions_change",
        "Several changes, all or none",
        Rule::Act(AppAction::Definitions, handle!(changes)),
    )
    .takes("DefinitionChanges"),
    Route::new(
        Verb::Get,
        "/api/v1/metadata/objects/{object}",
        "object_show",
        "One object",
        Rule::SignedIn(handle!(object)),
    )
    .gives(200, "Object"),
    changing(
        Verb::Patch,
        "/api/v1/metadata/objects/{object}",
        "object_change",
        "Rename an object or choose its title",
        Rule::Act(AppAction::Definitions, handle!(object_change)),
    )
    .takes("ObjectPatch"),
    Route::new(
        Verb::Get,
        "/api/v1/metadata/objects/{object}/fields",
        "field_list",
        "The fields of an object",
        Rule::SignedIn(handle!(fields)),
    )
    .gives(200, "FieldList"),
    changing(
        Verb::Post,
        "/api/v1/metadata/objects/{object}/fields",
        "field_create",
        "A new custom field",
        Rule::Act(AppAction::Definitions, handle!(field_create)),
    )
    .takes("FieldDraft"),
    changing(
        Verb::Patch,
        "/api/v1/metadata/objects/{object}/fields/{field}",
        "field_change",
        "What can change about a field with values",
        Rule::Act(AppAction::Definitions, handle!(field_change)),
    )
    .takes("FieldPatch"),
    changing(
        Verb::Delete,
        "/api/v1/metadata/objects/{object}/fields/{field}",
        "field_retire",
        "Stop offering a field; its values stay",
        Rule::Act(AppAction::Definitions, handle!(field_retire)),
    ),
    changing(
        Verb::Post,
        "/api/v1/metadata/objects/{object}/fields/{field}/restore",
        "field_restore",
        "Offer a retired field again",
        Rule::Act(AppAction::Definitions, handle!(field_restore)),
    )
    .repeat(Repeat::Harmless),
    changing(
        Verb::Post,
        "/api/v1/metadata/objects/{object}/fields/{field}/options",
        "option_create",
        "A new option of an enum field",
        Rule::Act(AppAction::Definitions, handle!(option_create)),
    )
    .takes("EnumOption"),
    changing(
        Verb::Patch,
        "/api/v1/metadata/objects/{object}/fields/{field}/options/{code}",
        "option_change",
        "Rename an option, or stop offering it",
        Rule::Act(AppAction::Definitions, handle!(option_change)),
    )
    .takes("OptionPatch"),
    changing(
        Verb::Post,
        "/api/v1/metadata/objects/{object}/relations",
        "relation_create",
        "A new many-to-many relation",
        Rule::Act(AppAction::Definitions, handle!(relation_create)),
    )
    .takes("LinkDef"),
    Route::new(
        Verb::Get,
        "/api/v1/metadata/objects/{object}/layout",
        "layout_show",
        "How the pages of an object are arranged",
        Rule::SignedIn(handle!(layout)),
    )
    .gives(200, "Layout"),
    changing(
        Verb::Put,
        "/api/v1/metadata/objects/{object}/layout",
        "layout_change",
        "Arrange the pages of an object, or go back to the standard",
        Rule::Act(AppAction::Definitions, handle!(layout_change)),
    )
    .takes("LayoutChange"),
];

async fn objects(acting: Acting) -> Outcome<Answer> {
    Ok(Answer::items(&acting.open.records.objects(&acting.actor)?)?.packed())
}

async fn object(acting: Acting) -> Outcome<Answer> {
    Answer::json(&acting.open.records.object(&acting.actor, acting.call.object())?)
}

async fn fields(acting: Acting) -> Outcome<Answer> {
    Answer::items(&acting.open.records.object(&acting.actor, acting.call.object())?.definition.fields)
}

/// Plans or runs.
async fn run(acting: Acting, changes: Vec<DefinitionChange>) -> Outcome<Answer> {
    let records = &acting.open.records;
    let pending = if acting.call.query.flag("plan")? {
        records.plan(&acting.actor, changes)
    } else {
        records.run_plan(&acting.actor, changes)
    };
    Answer::json(&pending.await?)
}

/// Changes that belong together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    changes: Vec<DefinitionChange>,
}

async fn changes(acting: Acting) -> Outcome<Answer> {
    let Changes { changes } = wire::json(&acting.call.body)?;
    if changes.len() > PLAN_CHANGES_MAX {
        let detail = format!("At most {PLAN_CHANGES_MAX} changes in one plan (limit PLAN_CHANGES_MAX).");
        return Err(Fault::new(Code::LimitExceeded, detail));
    }
    run(acting, changes).await
}

async fn object_create(acting: Acting) -> Outcome<Answer> {
    let definition: ObjectDraft = wire::json(&acting.call.body)?;
    run(acting, vec![DefinitionChange::CreateObject { definition }]).await
}

async fn layout(acting: Acting) -> Outcome<Answer> {
    Answer::json(&acting.open.records.object(&acting.actor, acting.call.object())?.layout)
}

/// A layout and the version it began with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayoutChange {
    layout: Option<LayoutDef>,
    version: u64,
}

async fn layout_change(acting: Acting) -> Outcome<Answer> {
    let LayoutChange { layout, version } = wire::json(&acting.call.body)?;
    let object = acting.call.object().to_owned();
    run(acting, vec![DefinitionChange::SetLayout { object, layout, version }]).await
}

async fn object_change(acting: Acting) -> Outcome<Answer> {
    let patch: ObjectPatch = wire::json(&acting.call.body)?;
    let object = acting.call.object().to_owned();
    run(acting, vec![DefinitionChange::ChangeObject { object, patch }]).await
}

async fn field_create(acting: Acting) -> Outcome<Answer> {
    let field: FieldDraft = wire::json(&acting.call.body)?;
    let object = acting.call.object().to_owned();
    run(acting, vec![DefinitionChange::AddField { object, field }]).await
}

/// Object and field of the address.
fn place(acting: &Acting) -> (String, String) {
    (acting.call.object().to_owned(), acting.call.part("field").to_owned())
}

async fn field_change(acting: Acting) -> Outcome<Answer> {
    let patch: FieldPatch = wire::json(&acting.call.body)?;
    let (object, field) = place(&acting);
    run(acting, vec![DefinitionChange::ChangeField { object, field, patch }]).await
}

async fn field_retire(acting: Acting) -> Outcome<Answer> {
    let (object, field) = place(&acting);
    run(acting, vec![DefinitionChange::RetireField { object, field }]).await
}

async fn field_restore(acting: Acting) -> Outcome<Answer> {
    let (object, field) = place(&acting);
    run(acting, vec![DefinitionChange::RestoreField { object, field }]).await
}

async fn option_create(acting: Acting) -> Outcome<Answer> {
    let option: EnumOption = wire::json(&acting.call.body)?;
    let (object, field) = place(&acting);
    run(acting, vec![DefinitionChange::AddOption { object, field, option }]).await
}

async fn option_change(acting: Acting) -> Outcome<Answer> {
    let patch: OptionPatch = wire::json(&acting.call.body)?;
    let (object, field) = place(&acting);
    let code = acting.call.part("code").to_owned();
    run(acting, vec![DefinitionChange::ChangeOption { object, field, code, patch }]).await
}

async fn relation_create(acting: Acting) -> Outcome<Answer> {
    let link: LinkDef = wire::json(&acting.call.body)?;
    let object = acting.call.object().to_owned();
    run(acting, vec![DefinitionChange::AddLink { object, link }]).await
}
