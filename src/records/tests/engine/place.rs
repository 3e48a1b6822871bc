//! Where records lie: owner and unit of new ones, handing over, and answers about records that move out of sight.

use kernel::Code;
use serde_json::{Value as Json, json};
use testkit::{on_both_engines, told};

#[test]
fn new_records_lie_where_their_maker_works() {
    on_both_engines(|kontor| {
        let unit = kontor.make("unit", json!({"code": "u", "name": "U"}));
        let (anna, boss) =
            (kontor.user("anna", &["seller"], Some(unit)), kontor.user("boss", &["sales_manager"], None));
        kontor.team("T", &[anna, boss]);
        let (anna, boss) = (kontor.actor(anna), kontor.actor(boss));
        let own = kontor.create(&anna, "account", json!({"name": "A"})).unwrap();
        assert_eq!((&own.fields["owner"], &own.fields["unit"]), (&json!(anna.user()), &json!(unit)));
        let given = kontor.create(&boss, "account", json!({"name": "B", "owner": anna.user()})).unwrap();
        assert_eq!(given.fields["unit"], json!(unit), "the unit is the owner's");
        assert_eq!(
            kontor.create(&anna, "account", json!({"name": "C", "owner": boss.user()})).unwrap_err().code,
            Code::AccessDenied
        );
        let stranger = kontor.user("stranger", &["seller"], None);
        assert_eq!(
            kontor.create(&boss, "account", json!({"name": "D", "owner": stranger})).unwrap_err().code,
            Code::AccessDenied
        );
        assert_eq!(kontor.sql_number("SELECT count(*) FROM account"), 2);
        kontor.role(json!({"name": "alone", "label": {"en": "A", "zh": "A"}, "description": {"en": "A", "zh": "A"}, "objects": {"account": {"read": "own", "create": "own"}}, "levels": {"S1": "edit"}}));
        let alone = kontor.actor(kontor.user("alone", &["alone"], Some(unit)));
        let made = kontor
            .create(&alone, "account", json!({"name": "E"}))
            .unwrap_or_else(|fault| panic!("{fault} {:?}", fault.items));
        assert_eq!(made.fields["owner"], json!(alone.user()), "also for a role that reads no users");
        assert_eq!(
            told(&kontor.create(&alone, "account", json!({"name": "F", "owner": anna.user()})).unwrap_err()).0,
            Code::AccessDenied
        );
    });
}

#[test]
fn handing_over_is_a_right_of_its_own() {
    on_both_engines(|kontor| {
        let (anna, boss) = (kontor.user("anna", &["seller"], None), kontor.user("boss", &["sales_manager"], None));
        kontor.team("T", &[anna, boss]);
        let (anna, boss) = (kontor.actor(anna), kontor.actor(boss));
        let account = kontor.create(&anna, "account", json!({"name": "A", "phone": "+49 451 1"})).unwrap().id;
        assert_eq!(
            kontor.change(&anna, "account", account, json!({"owner": boss.user()})).unwrap_err().code,
            Code::AccessDenied
        );
        let lead = kontor.create(&anna, "lead", json!({"full_name": "L"})).unwrap().id;
        let gone = kontor.change(&anna, "lead", lead, json!({"owner": boss.user()})).unwrap();
        assert_eq!(
            (gone.version, gone.fields.len()),
            (2, 0),
            "who hands over out of sight is told that it is done, and no more"
        );
        assert_eq!(kontor.open(&anna, "lead", lead).unwrap_err().code, Code::RecordNotFound);
        assert_eq!(
            kontor.change(&boss, "account", account, json!({"owner": boss.user()})).unwrap().fields["owner"],
            json!(boss.user())
        );
        let far = kontor.make("account", json!({"name": "Far"}));
        assert_eq!(
            kontor.change(&boss, "account", far, json!({"owner": boss.user()})).unwrap_err().code,
            Code::RecordNotFound
        );
        let nobody = json!({"owner": Json::Null});
        assert!(kontor.change(&boss, "account", account, nobody).unwrap().fields.is_empty());
    });
}

#[test]
fn each_part_of_a_new_place_must_be_in_reach() {
    on_both_engines(|kontor| {
        let unit =
            |code: &str, parent: Json| kontor.make("unit", json!({"code": code, "name": code, "parent": parent}));
        let (here, far) = (unit("here", Json::Null), unit("far", Json::Null));
        let below = unit("below", json!(here));
        let anna = kontor.user("anna", &["seller"], Some(here));
        let boss = kontor.user("boss", &["sales_manager"], Some(here));
        let stranger = kontor.user("stranger", &["seller"], Some(far));
        let (team, other) = (kontor.team("T", &[anna, boss]), kontor.team("O", &[stranger]));
        let (anna, boss) = (kontor.actor(anna), kontor.actor(boss));
        let own = || kontor.create(&anna, "lead", json!({"full_name": "L"})).unwrap().id;
        // A seller may give a lead to a team-mate, but push it to nobody else, neither by owner nor by unit nor by team.
        let denied = |actor, object: &str, id, change: Json, pointer: &str| {
            let before = kontor.log().len();
            let fault = kontor.change(actor, object, id, change.clone()).unwrap_err();
            assert_eq!(told(&fault), (Code::AccessDenied, vec![(pointer.to_owned(), Code::AccessDenied)]), "{change}");
            let entry = kontor.log().split_off(before).pop().unwrap();
            assert_eq!((entry.decision.effect, entry.target.record), (audit::Effect::Deny, Some(id)));
        };
        for (change, pointer) in
            [(json!({"owner": stranger}), "/owner"), (json!({"unit": far}), "/unit"), (json!({"team": other}), "/team")]
        {
            denied(&anna, "lead", own(), change, pointer);
        }
        for change in
            [json!({"owner": boss.user()}), json!({"team": team}), json!({"owner": boss.user(), "unit": here})]
        {
            kontor.change(&anna, "lead", own(), change.clone()).unwrap_or_else(|fault| panic!("{change}: {fault}"));
        }
        for body in [json!({"full_name": "N", "unit": far}), json!({"full_name": "N", "team": other})] {
            assert_eq!(told(&kontor.create(&anna, "lead", body).unwrap_err()).0, Code::AccessDenied);
        }
        // A manager steers within the team: the team's members and their units.
        let account = kontor.create(&boss, "account", json!({"name": "A", "owner": anna.user()})).unwrap().id;
        denied(&boss, "account", account, json!({"owner": stranger}), "/owner");
        denied(&boss, "account", account, json!({"team": other}), "/team");
        kontor.change(&boss, "account", account, json!({"owner": boss.user(), "team": team})).unwrap();
        // Who serves a unit hands over within it and below.
        let agent = kontor.actor(kontor.user("agent", &["service_agent"], Some(here)));
        let mate = kontor.user("mate", &["service_agent"], Some(below));
        let case = || kontor.create(&agent, "case", json!({"subject": "S"})).unwrap().id;
        kontor.change(&agent, "case", case(), json!({"owner": mate, "unit": below})).unwrap();
        denied(&agent, "case", case(), json!({"owner": stranger}), "/owner");
        denied(&agent, "case", case(), json!({"unit": far}), "/unit");
    });
}
