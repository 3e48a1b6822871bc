//! The verbs on both engines, through the same calls that the server makes.

use records::ListRequest;
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn a_record_is_made_opened_changed_and_remembered() {
    on_both_engines(|kontor| {
        let unit = kontor.make("unit", json!({"code": "HL", "name": "Lübeck"}));
        let user = kontor.user("anna", &["seller"], Some(unit));
        let anna = kontor.actor(user);
        let made = kontor
            .create(&anna, "account", json!({"name": "Hansekontor 汉萨", "phone": "+49 451 123456", "kind": "company"}))
            .unwrap();
        assert_eq!(made.version, 1);
        let opened = kontor.records.open(&anna, "account", made.id, None).wait().unwrap().into_view();
        assert_eq!(opened.fields["name"], "Hansekontor 汉萨");
        assert_eq!(opened.fields["phone"], "+49451123456");
        assert_eq!(opened.fields["owner"], json!(user));
        let changed = kontor
            .records
            .change(&anna, "account", made.id, Some(1), testkit::object_of(json!({"phone": "+49 451 999999"})))
            .wait()
            .unwrap()
            .into_view();
        assert_eq!(changed.version, 2);
        let stale = kontor
            .records
            .change(&anna, "account", made.id, Some(1), testkit::object_of(json!({"phone": "+49 451 1"})))
            .wait();
        let stale = stale.unwrap_err();
        assert_eq!(stale.code, kernel::Code::VersionConflict, "{stale}");
        let history = kontor.records.history(&anna, "account", made.id, None, None).wait().unwrap().into_view();
        assert_eq!(history.items.len(), 2);
        let moved = &history.items[0].changes[0];
        assert_eq!(
            (moved.field.as_str(), &moved.before, &moved.after),
            ("phone", &Some(json!("+49451123456")), &Some(json!("+49451999999")))
        );
        let found = kontor.records.search(&anna, "汉萨", None).wait().unwrap().into_view();
        assert_eq!(found.groups[0].items[0].id, made.id);
        let by_phone = ListRequest {
            filter: Some(json!({"field": "phone", "op": "eq", "value": "+49 451 999999"})),
            sort: vec!["-name".to_owned()],
            ..ListRequest::default()
        };
        let page = kontor.records.list(&anna, "account", by_phone).wait().unwrap().into_view();
        assert_eq!(page.items.len(), 1);
    });
}
