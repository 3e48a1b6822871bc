//! What is kept for a user is the user's alone, sealed, and of limited size and number.

use kernel::{Code, limits};
use serde_json::json;
use testkit::on_both_engines;

#[test]
fn preferences_are_ones_own_and_lie_sealed() {
    on_both_engines(|kontor| {
        let (anna, ben) = (kontor.actor(kontor.user("anna", &[], None)), kontor.actor(kontor.user("ben", &[], None)));
        let set = |actor, key: &str, value| kontor.records.preference_set(actor, key, &value).wait().map(|_| ());
        set(&anna, "home.layout", json!({"widgets": ["tasks"]})).unwrap();
        set(&anna, "recents", json!(["Wilhelmine Secretcustomer"])).unwrap();
        set(&anna, "home.layout", json!({"widgets": []})).unwrap();
        set(&ben, "recents", json!([])).unwrap();
        let all = |actor| kontor.records.preferences(actor).wait().unwrap().into_view().items;
        assert_eq!(
            json!(all(&anna)),
            json!({"home.layout": {"widgets": []}, "recents": ["Wilhelmine Secretcustomer"]})
        );
        assert_eq!(json!(all(&ben)), json!({"recents": []}));
        assert_eq!(kontor.sql_number("SELECT count(*) FROM k_preference"), 3);
        let stored = kontor.sql("SELECT * FROM k_preference").join("");
        assert!(!stored.contains("Secretcustomer"), "{stored}");
        let forget = |key| kontor.records.preference_forget(&anna, key).wait().unwrap().into_view().moved;
        assert!(forget("recents") && !forget("recents"));
        assert_eq!(json!(all(&ben)), json!({"recents": []}), "only one's own");
    });
}

#[test]
fn keys_sizes_and_numbers_have_limits() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &[], None));
        let set = |key: &str, value| {
            kontor.records.preference_set(&anna, key, &value).wait().map(|_| ()).map_err(|fault| fault.code)
        };
        for key in ["", "A", "ä", "a b", ".a", "a.", "a/b", "a\n", &"k".repeat(limits::PREFERENCE_KEY_CHARS_MAX + 1)] {
            assert_eq!(set(key, json!(1)), Err(Code::ParameterInvalid), "{key}");
        }
        assert_eq!(set("a", json!("x".repeat(limits::PREFERENCE_BYTES_MAX - 2))), Ok(()));
        assert_eq!(set("a", json!("x".repeat(limits::PREFERENCE_BYTES_MAX - 1))), Err(Code::LimitExceeded));
        for number in 1..limits::PREFERENCES_PER_USER_MAX {
            set(&format!("k{number}"), json!(number)).unwrap();
        }
        assert_eq!(set("one-more", json!(1)), Err(Code::LimitExceeded));
        assert_eq!(set("k1", json!("changed")), Ok(()), "what is there can change");
        let operator = kontor.operator();
        assert_eq!(kontor.records.preferences(&operator).wait().unwrap_err().code, Code::AccessDenied);
    });
}
