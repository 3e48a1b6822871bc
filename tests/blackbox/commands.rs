//! The command line, verb by verb, as an administrator meets it.

use crate::support::*;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn help_and_version_answer_and_mistakes_are_refused() {
    let place = Place::new();
    let help = place.run(&["--help"]).ended(0);
    for verb in ["init", "serve", "demo", "unseal", "slot", "user", "object", "import", "audit", "config", "version"] {
        assert!(help.out.contains(&format!("  {verb}")), "{verb} in {}", help.out);
    }
    place.run(&["help", "audit", "verify"]).ended(0).says("--older").says("Exit codes: 0 sound; 1 findings");
    for version in ["version", "--version", "-V"] {
        place.run(&[version]).ended(0).says(concat!("kontor ", env!("CARGO_PKG_VERSION")));
    }
    let version: Value = serde_json::from_str(&place.run(&["version", "--json"]).ended(0).out).unwrap();
    assert_eq!((&version["name"], &version["version"]), (&json!("kontor"), &json!(env!("CARGO_PKG_VERSION"))));
    place.run(&["servr"]).ended(2).complains("serve");
    place.run(&["init"]).ended(2);
    place.on(&["config", "check"], &[]).ended(2).complains("there is no appliance").complains("kontor init");
    place.on(&["audit", "verify"], &[]).ended(2).complains("config_invalid");
}

/// The variable names the folder where the option does not; a demonstration takes it from the option only.
#[test]
fn the_folder_may_come_from_the_environment() {
    let place = Place::new();
    place.init().ended(0);
    let run = |arguments: &[&str]| Ran::of(place.command(arguments).env("KONTOR_DIR", place.dir()).output().unwrap());
    run(&["config", "check"]).ended(0).says("valid");
    run(&["init"]).ended(2).complains("is not empty");
    run(&["config", "check", "--dir", "elsewhere"]).ended(2).complains("there is no appliance in elsewhere");
    run(&["demo", "--listen", "127.0.0.1:0"]).ended(2).complains("--dir");
}

/// Needs an account that is not root's, and root's rights to give a folder to it.
#[test]
fn root_keeps_its_hands_off_the_folder_of_another_account() {
    let place = Place::new();
    place.init().ended(0);
    if std::os::unix::fs::chown(place.dir(), Some(65_534), None).is_err() {
        assert!(std::env::var_os("CI").is_none(), "only root can give a folder away");
        println!("SKIPPED: only root can give a folder to another account");
        return;
    }
    place.on(&["user", "list"], &[]).ended(2).complains("access_denied").complains("sudo -u");
    place.init().ended(2).complains("access_denied").complains("sudo -u");
}

#[test]
fn completions_and_manual_pages_cover_every_verb() {
    let place = Place::new();
    for (shell, part) in [("bash", "_kontor()"), ("zsh", "#compdef kontor"), ("fish", "complete -c kontor")] {
        place.run(&["completions", shell]).ended(0).says(part).says("audit").says("verify");
    }
    let pages = place.path("pages");
    place.run(&["man", pages.to_str().unwrap()]).ended(2).complains("is no folder");
    fs::create_dir(&pages).unwrap();
    place.run(&["man", pages.to_str().unwrap()]).ended(0).complains("manual pages were written");
    for (page, part) in [("kontor.1", "First steps"), ("kontor-audit-verify.1", "older"), ("kontor-init.1", "profile")]
    {
        let text = fs::read_to_string(pages.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.contains(part) && text.contains(".TH KONTOR"), "{part} in {page}: {text}");
    }
}

#[test]
fn init_makes_a_private_appliance_that_verifies() {
    let place = Place::new();
    let made = place.init().ended(0).says("security administrator  anna").says("kontor serve");
    let dir = place.dir();
    for folder in ["", "keys", "data", "log", "tls"] {
        assert_eq!(mode(&dir.join(folder)), 0o700, "{folder}");
    }
    for file in ["kontor.toml", "keys/slots.json", "keys/unseal.key", "tls/ca.key", "tls/server.key", "data/kontor.db"]
    {
        assert_eq!(mode(&dir.join(file)) & 0o077, 0, "{file}");
    }
    let password = made.out.split("first password").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    for file in ["kontor.toml", "keys/slots.json", "data/kontor.db"] {
        let bytes = fs::read(dir.join(file)).unwrap();
        assert!(!bytes.windows(password.len()).any(|part| part == password.as_bytes()), "the password lies in {file}");
    }
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0).says("The log is sound: level 4 of 4");
    place.on(&["config", "check"], &[]).ended(0).says("valid").says("unseal.key");
    place.on(&["slot", "list"], &[]).ended(0).says("key file").says("passphrase");
    place.init().ended(2).complains("is not empty").complains("kept: everything in it");
    place.on(&["user", "list"], &[]).ended(0).says("security_admin");
}

#[test]
fn a_failed_init_leaves_nothing_behind() {
    let place = Place::new();
    let short = place.secret("short", "too short");
    place.on(&["init"], &["--passphrase-file", short.to_str().unwrap()]).ended(2).complains("12 characters");
    assert!(!place.dir().exists());
    let open = place.secret("open", PASSPHRASE);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    place.on(&["init"], &["--passphrase-file", open.to_str().unwrap()]).ended(2).complains("read by others");
    place.on(&["init"], &[]).ended(2).complains("no terminal");
    place.on(&["init"], &["--unseal", "key-file", "--name", "not a name"]).ended(2).complains("not a name");
    assert!(!place.dir().exists());
    // A later step that fails takes everything away again: this login cannot be one.
    place.on(&["init"], &["--unseal", "key-file", "--admin", " "]).ended(2);
    assert!(!place.dir().exists());
}

#[test]
fn every_mistake_of_a_configuration_is_told_at_once() {
    let place = Place::new();
    place.on(&["init"], &["--unseal", "key-file"]).ended(0);
    let path = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("level = \"info\"", "level = \"loud\"\nlevle = 1")
        .replace("127.0.0.1:8443", "nowhere");
    fs::write(&path, text).unwrap();
    place
        .on(&["config", "check"], &[])
        .ended(1)
        .complains("3 problems")
        .complains("log.level")
        .complains("log.levle")
        .complains("server.listen");
    place.on(&["serve"], &[]).ended(78).complains("config_invalid");
    fs::remove_file(place.dir().join("keys/unseal.key")).unwrap();
    fs::write(&path, "[unseal]\nkey_file = \"keys/unseal.key\"\n").unwrap();
    place.on(&["config", "check"], &[]).ended(1).complains("unseal.key_file");
}

#[test]
fn slots_open_and_the_last_one_stays() {
    let place = Place::new();
    place.init().ended(0);
    let (new, wrong) = (place.secret("new", "another long passphrase"), place.secret("wrong", "not this passphrase"));
    let old = place.path("passphrase");
    place
        .on(&["slot", "add-passphrase"], &["--label", "branch", "--new-passphrase-file", new.to_str().unwrap()])
        .ended(0)
        .says("Slot 3");
    place
        .on(&["user", "list"], &["--passphrase-file", wrong.to_str().unwrap()])
        .ended(1)
        .complains("unseal_failed")
        .complains("to do:");
    place.on(&["user", "list"], &["--passphrase-file", new.to_str().unwrap()]).ended(0);
    let key = place.path("stick.key");
    place.on(&["slot", "add-key-file"], &[key.to_str().unwrap()]).ended(0).says("Slot 4");
    assert_eq!(mode(&key), 0o600);
    let with = ["--passphrase-file", old.to_str().unwrap()];
    for slot in ["1", "3", "4"] {
        place.on(&["slot", "remove"], &[with[0], with[1], slot]).ended(0);
    }
    place.on(&["slot", "remove"], &[with[0], with[1], "2"]).ended(2).complains("last one");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn users_and_definitions_change_by_the_local_operator() {
    let place = Place::new();
    place.init().ended(0);
    place
        .on(&["user", "add"], &["li.na", "--name", "李娜", "--unit", "HQ", "--role", "seller"])
        .ended(0)
        .says("shown once");
    place.on(&["user", "add"], &["li.na"]).ended(2).complains("value_not_unique");
    place
        .on(&["user", "add"], &["bo", "--role", "king"])
        .ended(2)
        .complains("there is no role king")
        .complains("seller");
    place.on(&["user", "grant"], &["li.na", "audit_admin"]).ended(2).complains("may not be held by one person");
    place.on(&["user", "grant"], &["li.na", "service_agent"]).ended(0).says("has the role");
    place.on(&["user", "revoke"], &["li.na", "seller"]).ended(0);
    let weak = place.secret("weak", "aaaaaaaaaaaaaa");
    place
        .on(&["user", "password"], &["li.na", "--password-file", weak.to_str().unwrap()])
        .ended(2)
        .complains("repetition");
    place.on(&["user", "password"], &["li.na"]).ended(0).says("shown once");
    place.run(&["help", "user", "password"]).ended(0).says("--lasting");
    place.on(&["user", "close"], &["li.na"]).ended(0);
    place.on(&["user", "close"], &["nobody"]).ended(2).complains("no user");
    let users: Value = serde_json::from_str(&place.on(&["user", "list"], &["--json"]).ended(0).out).unwrap();
    let li = users.as_array().unwrap().iter().find(|user| user["login"] == "li.na").unwrap();
    assert_eq!(*li, json!({"login": "li.na", "name": "李娜", "status": "left", "roles": ["service_agent"]}));

    let field = json!([{"change": "add_field", "object": "account", "field":
        {"name": "x_kennel", "label": {"en": "Kennel", "zh": "犬舍"}, "type": "text", "sensitivity": "S1"}}]);
    let file = place.secret("changes.json", &field.to_string());
    place.on(&["object", "plan"], &[file.to_str().unwrap()]).ended(0).says("This would run").says("x_kennel");
    place.on(&["object", "apply"], &[file.to_str().unwrap()]).ended(0).says("version 1");
    place.on(&["object", "apply"], &[file.to_str().unwrap()]).ended(2).complains("plan_refused").complains("kept:");
    place.on(&["object", "show"], &["account"]).ended(0).says("x_kennel");
    place.on(&["object", "list"], &[]).ended(0).says("客户").says("opportunity");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn an_import_accounts_for_every_row_and_can_be_repeated() {
    let place = Place::new();
    place.init().ended(0);
    let rows = "id,name,founded\nA-1,Salzspeicher Lübeck,1579\nA-2,上海琥珀潮,2011\nA-3,Broken,soon\n";
    let csv = place.secret("firms.csv", rows.trim_end());
    let mapping = json!({"kontor_mapping": 1, "object": "account", "external_id": {"system": "old", "column": "id"},
        "fields": {"name": {"column": "name"}, "founded_year": {"column": "founded"}}});
    let map = place.secret("map.json", &mapping.to_string());
    let arguments = ["--map", map.to_str().unwrap(), csv.to_str().unwrap()];
    let dry = place
        .on(&["import"], &[["--dry-run"].as_slice(), &arguments].concat())
        .ended(1)
        .says("Dry run")
        .says("created 2");
    assert!(dry.out.contains("rejected 1"), "{dry:?}");
    place.on(&["import"], &arguments).ended(1).says("created 2").says("3 rows in all");
    let rejected = fs::read_to_string(place.path("firms.csv.rejected.csv")).unwrap();
    assert!(rejected.contains("A-3") && rejected.contains("_reason"), "{rejected}");
    place.on(&["import"], &arguments).ended(1).says("created 0").says("the same 2");
    place.on(&["import"], &["--object", "no_such", csv.to_str().unwrap()]).ended(2).complains("object_unknown");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn one_byte_changed_in_the_log_is_found_and_named() {
    let place = Place::new();
    place.init().ended(0);
    let kept = place.path("older");
    fs::copy(place.dir().join("log/checkpoint"), &kept).unwrap();
    place.on(&["user", "add"], &["bo"]).ended(0);
    place.on(&["audit", "verify"], &["--older", kept.to_str().unwrap()]).ended(0);
    let folder = place.dir().join("log/tile/entries/000.p");
    let tile = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&tile).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let report: Value = serde_json::from_str(&place.on(&["audit", "verify"], &["--json"]).ended(1).out).unwrap();
    assert_eq!(report["ok"], json!(false));
    let places: Vec<&str> =
        report["findings"].as_array().unwrap().iter().filter_map(|finding| finding["place"].as_str()).collect();
    assert!(places.iter().any(|place| place.starts_with("tile/0/000")), "the tile: {places:?}");
    assert!(places.iter().any(|place| place.starts_with("database k_audit seq")), "the row that differs: {places:?}");
}

#[test]
fn a_sealed_start_waits_for_the_right_passphrase() {
    let place = Place::new();
    place.init_sealed().ended(0).says("starts sealed");
    let server = Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    let url = url_in(&server.line_with("serving"));
    server.line_with("sealed");
    let client = client(&place.dir().join("tls/ca.pem"));
    let (status, ready) = answer(client.get(format!("{url}/readyz")).call());
    assert_eq!(status, 503);
    assert!(ready["reasons"][0].as_str().unwrap().starts_with("sealed"), "{ready}");
    let (status, problem) = answer(client.get(format!("{url}/api/v1/records/account")).call());
    assert_eq!((status, &problem["code"]), (503, &json!("sealed")));
    place.on(&["serve"], &[]).ended(2).complains("another process serves");
    // The log can be verified without any key.
    place.on(&["audit", "verify"], &[]).ended(0);

    let wrong = place.secret("wrong", "not this passphrase");
    place
        .on(&["unseal"], &["--url", &url, "--passphrase-file", wrong.to_str().unwrap()])
        .ended(1)
        .complains("unseal_failed");
    let right = place.path("passphrase");
    place.on(&["unseal"], &["--url", &url, "--passphrase-file", right.to_str().unwrap()]).ended(0).says("is open");
    place.on(&["unseal"], &["--url", &url, "--passphrase-file", right.to_str().unwrap()]).ended(0).says("already");
    assert_eq!(answer(client.get(format!("{url}/readyz")).call()), (200, json!({"ready": true, "reasons": []})));
    // A command beside the server goes through the same log.
    place.on(&["user", "add"], &["bo", "--passphrase-file", right.to_str().unwrap()]).ended(0);
    assert_eq!(server.stop(), 0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0).says("0 rows not yet sealed");
    place
        .on(&["unseal"], &["--url", &url, "--passphrase-file", right.to_str().unwrap()])
        .ended(2)
        .complains("does not answer");
}

#[test]
fn a_demonstration_serves_its_users_and_serves_again() {
    let place = Place::new();
    let arguments =
        ["demo", "--dir", place.dir().to_str().unwrap(), "--listen", "127.0.0.1:0", "--json"].map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::start(place.command(&arguments), false);
    let said: Value = serde_json::from_str(&server.line_with("{")).unwrap();
    let url = said["url"].as_str().unwrap().to_owned();
    let client = client(Path::new(said["ca_cert"].as_str().unwrap()));
    let seller =
        said["users"].as_array().unwrap().iter().find(|user| user["roles"] == json!(["seller"])).unwrap().clone();
    let login = json!({"login": seller["login"], "password": seller["password"]});
    let (status, session) = answer(client.post(format!("{url}/api/v1/session")).send_json(&login));
    assert_eq!(status, 200, "{session}");
    let (status, list) = answer(client.get(format!("{url}/api/v1/records/account?limit=5&count=exact")).call());
    assert_eq!(status, 401, "without a cookie: {list}");
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
    let bad = json!({"login": seller["login"], "password": "not the password"});
    assert_eq!(answer(client.post(format!("{url}/api/v1/session")).send_json(&bad)).0, 401);
    assert_eq!(server.stop(), 0);

    let again = Server::start(place.command(&arguments), false);
    let second: Value = serde_json::from_str(&again.line_with("{")).unwrap();
    assert_eq!(second["users"], said["users"], "the same people with the same passwords");
    assert_eq!(again.stop(), 0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn an_appliance_is_no_demonstration() {
    let place = Place::new();
    place.on(&["init"], &["--unseal", "key-file"]).ended(0);
    place.on(&["demo"], &["--listen", "127.0.0.1:0"]).ended(2).complains("is not a demonstration");
}
