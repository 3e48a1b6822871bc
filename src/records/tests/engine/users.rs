//! Users and their logins: unique, freed by a delete, given back by a restore; roles that exclude each other.

use identity::UserDirectory;
use kernel::Code;
use serde_json::json;
use std::sync::Arc;
use store::DirectoryPorts;
use testkit::{on_both_engines, told};

#[test]
fn a_login_belongs_to_one_live_user() {
    on_both_engines(|kontor| {
        let security = kontor.actor(kontor.user("sec", &["security_admin"], None));
        let make = |name: &str| kontor.create(&security, "user", json!({"username": name, "display_name": "N"}));
        let taken = (Code::ValueNotUnique, vec![("/username".to_owned(), Code::ValueNotUnique)]);
        let first = make("Anna").unwrap().id;
        assert_eq!(told(&make("ANNA").unwrap_err()), taken);
        assert_eq!(told(&make("ａｎｎａ").unwrap_err()), taken, "logins fold further than names");
        assert_eq!(told(&make("an\u{200b}na").unwrap_err()).1, [("/username".to_owned(), Code::ValueFormat)]);
        let by_login = |login: &str| kontor.records.user_by_login(login).unwrap();
        assert_eq!(by_login("anna"), Some(first));
        kontor.delete(&security, "user", first).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(by_login("anna"), None);
        let second = make("anna").unwrap_or_else(|fault| panic!("{fault} {:?}", fault.cause())).id;
        assert_eq!(by_login("anna"), Some(second));
        assert_eq!(told(&kontor.records.restore(&security, "user", first).wait().unwrap_err()), taken);
        kontor.change(&security, "user", second, json!({"username": "bo"})).unwrap();
        assert_eq!((by_login("anna"), by_login("bo")), (None, Some(second)));
        kontor.records.restore(&security, "user", first).wait().unwrap();
        assert_eq!(by_login("anna"), Some(first));
        assert!(DirectoryPorts(Arc::clone(&kontor.store)).facts(first).unwrap().is_some_and(|facts| facts.active));
    });
}

#[test]
fn roles_are_given_by_others_and_not_mixed() {
    on_both_engines(|kontor| {
        let admin = kontor.user("sec", &["security_admin"], None);
        let security = kontor.actor(admin);
        let anna = kontor.user("anna", &["seller"], None);
        let grant = |user, role: &str| {
            kontor.records.role_grant(&security, user, role, None, None).wait().map(|shown| shown.view().moved)
        };
        assert!(grant(anna, "service_agent").unwrap());
        assert!(!grant(anna, "service_agent").unwrap());
        for role in ["system_admin", "security_admin", "audit_admin", "appliance", "local_operator", "nobody"] {
            assert_eq!(
                told(&grant(anna, role).unwrap_err()).1,
                [("/role".to_owned(), Code::ValueNotAnOption)],
                "{role}"
            );
        }
        assert_eq!(grant(admin, "security_admin").unwrap_err().code, Code::AccessDenied, "not to oneself");
        let seller = kontor.actor(anna);
        assert_eq!(
            kontor.records.role_grant(&seller, admin, "seller", None, None).wait().unwrap_err().code,
            Code::AccessDenied
        );
        // A pair that came into the table past the program gives nothing at all.
        kontor.sql(&format!(
            "INSERT INTO k_role_assignment VALUES ({}, 'audit_admin', NULL, NULL, {}, 0)",
            kontor.sql_bytes(anna.as_bytes()),
            kontor.sql_bytes(anna.as_bytes())
        ));
        let both = kontor.actor(anna);
        assert_eq!(kontor.list(&both, "account", json!({})).unwrap_err().code, Code::AccessDenied);
        assert_eq!(
            kontor.records.log_entries(&both, records::LogQuery::default()).wait().map(|_| ()).unwrap_err().code,
            Code::AccessDenied
        );
        assert!(kontor.records.role_revoke(&security, anna, "audit_admin").wait().unwrap().view().moved);
        assert!(kontor.list(&kontor.actor(anna), "account", json!({})).is_ok());
        let soon = kontor.store.clock().now().plus_seconds(60);
        kontor.records.role_grant(&security, anna, "seller", None, Some(soon)).wait().unwrap();
        kontor.records.role_revoke(&security, anna, "service_agent").wait().unwrap();
        assert!(kontor.list(&kontor.actor(anna), "account", json!({})).is_ok());
        kontor.clock.advance_seconds(61);
        assert_eq!(
            kontor.list(&kontor.actor(anna), "account", json!({})).unwrap_err().code,
            Code::AccessDenied,
            "a right ends with its time"
        );
    });
}
