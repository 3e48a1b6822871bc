//! Saved views: validated whole, shared by role, shown without what their reader may not see.

use identity::Actor;
use kernel::{Code, Fault};
use records::{SavedViewView, Shown};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, on_both_engines, told};

fn create(kontor: &TestAppliance, actor: &Arc<Actor>, body: Json) -> Result<SavedViewView, Fault> {
    let body = serde_json::from_value(body).unwrap();
    kontor.records.view_create(actor, "account", body).wait().map(Shown::into_view)
}

fn change(
    kontor: &TestAppliance,
    actor: &Arc<Actor>,
    view: &SavedViewView,
    version: Option<i64>,
    patch: Json,
) -> Result<SavedViewView, Fault> {
    let patch = serde_json::from_value(patch).unwrap();
    kontor.records.view_change(actor, "account", view.id, version, patch).wait().map(Shown::into_view)
}

fn list(kontor: &TestAppliance, actor: &Arc<Actor>) -> Vec<SavedViewView> {
    kontor.records.views(actor, "account").wait().unwrap().into_view().items
}

fn names(views: &[SavedViewView]) -> Vec<&str> {
    views.iter().map(|view| view.name.as_str()).collect()
}

#[test]
fn views_are_private_until_shared() {
    on_both_engines(|kontor| {
        let seller = kontor.actor(kontor.user("seller", &["seller"], None));
        let other = kontor.actor(kontor.user("other", &["seller"], None));
        let agent = kontor.actor(kontor.user("agent", &["service_agent"], None));
        let lead = kontor.actor(kontor.user("lead", &["sales_manager"], None));
        let filter = json!({"field": "name", "op": "contains", "value": "Topsecretword"});
        let mine = create(kontor, &seller, json!({"name": "Mine", "definition": {"columns": ["name", "owner.display_name"], "sort": ["-name"], "filter": filter, "widths": {"name": 200}}, "default": true})).unwrap();
        assert!((mine.version, mine.mine, mine.default, mine.shared) == (1, true, true, "private"));
        assert!(list(kontor, &other).is_empty() && list(kontor, &lead).is_empty());
        assert_eq!(
            create(kontor, &seller, json!({"name": "No", "shared": "all"})).unwrap_err().code,
            Code::AccessDenied
        );
        let team = create(
            kontor,
            &lead,
            json!({"name": "Team", "shared": "roles", "roles": ["seller"], "default_roles": ["seller"]}),
        )
        .unwrap();
        let all = create(kontor, &lead, json!({"name": "All", "shared": "all"})).unwrap();
        assert_eq!(names(&list(kontor, &seller)), ["Mine", "All", "Team"]);
        assert_eq!(names(&list(kontor, &agent)), ["All"]);
        let opens = |actor| list(kontor, actor).into_iter().find(|view| view.default).map(|view| view.name);
        assert_eq!((opens(&seller).as_deref(), opens(&other).as_deref()), (Some("Mine"), Some("Team")));
        assert_eq!(opens(&agent), None);
        change(kontor, &other, &all, Some(1), json!({"default": true})).unwrap();
        assert_eq!(opens(&other).as_deref(), Some("All"), "the own default needs no right to the view");
        assert_eq!(change(kontor, &other, &all, Some(1), json!({"name": "X"})).unwrap_err().code, Code::AccessDenied);
        assert_eq!(
            change(kontor, &agent, &team, Some(1), json!({"default": true})).unwrap_err().code,
            Code::ViewUnknown
        );
        assert_eq!(change(kontor, &lead, &mine, Some(1), json!({"name": "X"})).unwrap_err().code, Code::ViewUnknown);
        let stored = kontor.sql("SELECT * FROM k_view").join("")
            + &format!("{:?}", kontor.log().iter().map(|entry| entry.note.clone()).collect::<Vec<_>>());
        assert!(!stored.contains("Topsecretword") && !stored.contains("Mine"), "{stored}");
        let noted = kontor
            .log()
            .iter()
            .filter(|entry| entry.act.verb == audit::Verb::ViewChange && entry.decision.error.is_empty())
            .count();
        assert_eq!(noted, 3);
    });
}

#[test]
fn versions_decide_and_a_view_can_go() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let view = create(kontor, &anna, json!({"name": "One", "default": true})).unwrap();
        assert_eq!(change(kontor, &anna, &view, None, json!({"name": "Two"})).unwrap_err().code, Code::VersionRequired);
        assert_eq!(change(kontor, &anna, &view, Some(1), json!({"name": "Two"})).unwrap().version, 2);
        assert_eq!(
            change(kontor, &anna, &view, Some(1), json!({"name": "Three"})).unwrap_err().code,
            Code::VersionConflict
        );
        let drop = |version| {
            kontor
                .records
                .view_drop(&anna, "account", view.id, Some(version))
                .wait()
                .map(|_| ())
                .map_err(|fault| fault.code)
        };
        assert_eq!((drop(1), drop(2), drop(2)), (Err(Code::VersionConflict), Ok(()), Err(Code::ViewUnknown)));
        assert!(list(kontor, &anna).is_empty() && kontor.sql_number("SELECT count(*) FROM k_view_default") == 0);
    });
}

#[test]
fn all_errors_of_a_view_come_at_once() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let body = json!({"name": " ", "kind": "calendar", "roles": ["nobody"], "definition": {
            "columns": ["name", "nothing", "owner.nothing"], "sort": ["bank_account_no"], "group_by": ["created_at"], "sums": ["name"],
            "widths": {"name": 0, "nothing": 5}, "date": "name",
            "filter": {"and": [{"field": "nothing", "op": "eq", "value": 1}, {"or": [{"field": "name", "op": "sings"}]}, {"field": "name", "op": "eq", "value": "fine"}]}}});
        let fault = create(kontor, &anna, body).unwrap_err();
        let (code, parts) = told(&fault);
        let pointers: Vec<&str> = parts.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(code, Code::ValidationFailed);
        for pointer in [
            "/name",
            "/roles/0",
            "/definition/columns/1",
            "/definition/columns/2",
            "/definition/sort/0",
            "/definition/group_by/0",
            "/definition/sums/0",
            "/definition/widths/name",
            "/definition/widths/nothing",
            "/definition/date",
        ] {
            assert!(pointers.contains(&pointer), "{pointer} in {pointers:?}");
        }
        assert!(pointers.iter().any(|pointer| pointer.starts_with("/definition/filter/and/0")), "{pointers:?}");
        assert!(pointers.iter().any(|pointer| pointer.starts_with("/definition/filter/and/1/or/0")), "{pointers:?}");
        assert!(!pointers.iter().any(|pointer| pointer.starts_with("/definition/filter/and/2")), "{pointers:?}");
        assert!(!pointers.contains(&"/definition/columns/0"));
    });
}

#[test]
fn a_shared_view_is_shown_without_what_its_reader_may_not_see() {
    on_both_engines(|kontor| {
        kontor.role(json!({"name": "half", "label": {"en": "Half", "zh": "半"}, "description": {"en": "-", "zh": "-"},
            "objects": {"account": {"read": "all"}}, "levels": {"S0": "read", "S1": "read", "S2": "masked"}, "fields": {"account.industry": "none", "account.annual_revenue": "none"}}));
        let lead = kontor.actor(kontor.user("lead", &["sales_manager"], None));
        let half = kontor.actor(kontor.user("half", &["half"], None));
        let body = |filter: Json| {
            json!({"name": "V", "shared": "all", "definition": {
            "columns": ["name", "industry", "email"], "sort": ["-industry", "name"], "group_by": ["industry"], "widths": {"industry": 90, "name": 80}, "filter": filter}})
        };
        create(kontor, &lead, body(json!({"and": [{"field": "industry", "op": "eq", "value": "utilities"}, {"field": "name", "op": "contains", "value": "a"}]}))).unwrap();
        let (whole, seen) = (list(kontor, &lead), list(kontor, &half));
        assert!(!whole[0].incomplete && whole[0].definition.filter.is_some());
        let text = serde_json::to_string(&seen).unwrap();
        assert!(!text.contains("industry") && !text.contains("utilities"), "{text}");
        assert!(
            seen[0].incomplete
                && seen[0].definition.columns == ["name", "email"]
                && seen[0].definition.sort == ["name"]
        );
        assert_eq!(seen[0].definition.filter, None, "half a condition is another condition");
        let none = kontor.actor(kontor.user("none", &[], None));
        assert_eq!(kontor.records.views(&none, "account").wait().unwrap_err().code, Code::AccessDenied);
    });
}
