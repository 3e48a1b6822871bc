//! Lists within a scope of few and of many records: the engine reads them differently, and both must show the same.
//! Also the answer to a create, which is made without reading the row again.

use identity::Actor;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::{TestAppliance, object_of, on_both_engines};

/// More than the store calls few.
const MANY: usize = 2_040;
/// Every how many records one belongs to somebody with few.
const RARE: usize = 40;

/// All names with owner and team in the order of a list, page by page.
fn walk(kontor: &TestAppliance, actor: &Arc<Actor>, sort: &[&str]) -> Vec<Json> {
    let (mut names, mut cursor) = (Vec::new(), Json::Null);
    loop {
        let request = json!({"sort": sort, "fields": ["name", "owner", "team"], "limit": 200, "cursor": cursor,
            "filter": {"field": "name", "op": "starts_with", "value": "Firm"}});
        let view = kontor.list(actor, "account", request).unwrap();
        names.extend(
            view.items.iter().map(|item| json!([item.fields["name"], item.fields["owner"], item.fields["team"]])),
        );
        match view.next {
            Some(next) => cursor = json!(next),
            None => return names,
        }
    }
}

#[test]
fn few_and_many_in_reach_are_listed_alike() {
    on_both_engines(|kontor| {
        let (few, many) = (kontor.user("few", &["seller"], None), kontor.user("many", &["seller"], None));
        let operator = kontor.operator();
        let tickets: Vec<_> = (0..MANY + MANY / RARE)
            .map(|at| {
                let owner = if at % RARE == 0 { few } else { many };
                let name = format!("Firm {:05}", at * 7_919 % 100_000);
                let fields = object_of(json!({"name": name, "owner": owner}));
                kontor.records.create(&operator, "account", fields, None)
            })
            .collect();
        let ids: Vec<_> = tickets.into_iter().map(|ticket| ticket.wait().unwrap().view().id).collect();
        // A team's reach is read by several walks: of its members' records and of its own, which may be the same.
        let lead = kontor.user("lead", &["sales_manager"], None);
        let team = kontor.team("Hanse", &[many, lead]);
        for id in ids.iter().step_by(RARE / 2) {
            let fields = object_of(json!({"team": team}));
            kontor.records.change(&operator, "account", *id, Some(1), fields).wait().unwrap();
        }
        for sort in [&["-created_at"][..], &["created_at"], &["name"], &["-updated_at", "name"], &[]] {
            let all = walk(kontor, &operator, sort);
            assert_eq!(all.len(), MANY + MANY / RARE);
            for owner in [few, many] {
                let own: Vec<&Json> = all.iter().filter(|row| row[1] == json!(owner)).collect();
                let seen = walk(kontor, &kontor.actor(owner), sort);
                assert!(seen.iter().eq(own), "sorted by {sort:?}");
            }
            let reached: Vec<&Json> = all.iter().filter(|row| row[1] == json!(many) || row[2] == json!(team)).collect();
            let seen = walk(kontor, &kontor.actor(lead), sort);
            assert!(seen.iter().eq(reached), "a team's, sorted by {sort:?}");
        }
    });
}

#[test]
fn a_create_answers_what_opening_shows() {
    on_both_engines(|kontor| {
        let seller = kontor.actor(kontor.user("anna", &["seller"], None));
        for (object, fields) in [
            (
                "account",
                json!({"name": "Kranz", "phone": "+49 451 12345", "billing_address": {"city": "Lübeck", "street": "Wall 1"}}),
            ),
            (
                "contact",
                json!({"full_name": "王伟", "last_name": "王", "mobile": "13800001234", "email": "w@example.cn"}),
            ),
            (
                "opportunity",
                json!({"name": "Deal", "amount": {"amount": "12.30", "currency": "EUR"}, "expected_close": "2026-12-01"}),
            ),
        ] {
            let made = kontor
                .create(&seller, object, fields)
                .unwrap_or_else(|fault| panic!("{object}: {fault} {:?}", fault.items));
            let opened = kontor.open(&seller, object, made.id).unwrap();
            assert_eq!(json!(made), json!(opened));
        }
    });
}
