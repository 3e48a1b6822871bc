//! Recovery shares as people have them: sheets made, tested, mixed up, replaced; and the rehearsal on a blank machine, with
//! nothing but the program, a set and three sheets.

use crate::support::*;
use kernel::{Clock, SystemClock};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The words of the sheets in a folder, by their numbers.
fn sheets(folder: &Path) -> Vec<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    files.sort();
    let words = |path: &PathBuf| {
        assert_eq!(mode(path), 0o600, "{path:?}");
        let page = fs::read_to_string(path).unwrap();
        assert!(page.contains("恢复份额") && page.contains("<svg") && !page.contains("http:"), "{path:?}");
        let list = page.split_once("<ol>").unwrap().1.split_once("</ol>").unwrap().0;
        let words: Vec<&str> = list.split("<li>").skip(1).map(|item| item.split('<').next().unwrap()).collect();
        assert_eq!(words.len(), 33);
        words.join(" ")
    };
    files.iter().map(words).collect()
}

/// Files with these shares, as arguments.
fn given(place: &Place, shares: &[&str]) -> Vec<String> {
    let file = |(at, words): (usize, &&str)| {
        let name = format!("share {at} {}", words.len());
        vec!["--share-file".to_owned(), place.secret(&name, words).to_str().unwrap().to_owned()]
    };
    shares.iter().enumerate().flat_map(file).collect()
}

fn on(place: &Place, verb: &[&str], more: &[String]) -> Ran {
    place.on(verb, &more.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Every file below a folder.
fn bytes_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(bytes_below(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn shares_are_made_tested_and_replaced() {
    let place = Place::new();
    place.init().ended(0);
    let folder = place.path("stick");
    let to = ["--sheets", folder.to_str().unwrap()];
    place.on(&["slot", "add-shares"], &[]).ended(2).complains("no terminal").complains("--sheets");
    place.on(&["slot", "add-shares"], &[&to[..], &["--threshold", "6"]].concat()).ended(2);
    assert!(!folder.exists() || fs::read_dir(&folder).unwrap().next().is_none(), "no sheet of a set that is not there");
    place.on(&["slot", "add-shares"], &to).ended(0).says("Slot 3 opens with 3 of 5 recovery shares");
    let first = sheets(&folder);
    assert_eq!(first.len(), 5);
    place.on(&["slot", "list"], &[]).ended(0).says("recovery shares, 3 of 5");

    let test = |shares: &[&str]| on(&place, &["slot", "test-shares"], &given(&place, shares));
    test(&[&first[4], &first[0], &first[2]]).ended(0).says("recovery shares 1, 3, 5").says("open slot 3");
    test(&[&first[4], &first[0]]).ended(1).complains("2 recovery shares were given, and 3 of one set are needed");
    test(&[&first[1], &first[1]]).ended(1).complains("share 2 was given already").complains("share 1 ");
    let mut words: Vec<&str> = first[0].split(' ').collect();
    words[11] = if words[11] == "zero" { "yoga" } else { "zero" };
    test(&[&words.join(" ")]).ended(1).complains("most likely word 12 is wrong");
    words[11] = "kontor";
    test(&[&words.join(" ")]).ended(1).complains("word 12 is not one of the list");

    // The day the passphrase and the key file are gone: three people let a new one be set.
    fs::remove_file(place.dir().join("keys/unseal.key")).unwrap();
    let fresh = place.secret("fresh", "a passphrase after the fire");
    let with = given(&place, &[&first[3], &first[1], &first[0]]);
    let with = [with, vec!["--new-passphrase-file".to_owned(), fresh.to_str().unwrap().to_owned()]].concat();
    on(&place, &["slot", "add-passphrase"], &with).ended(0);

    // A new set makes the old one void.
    let (second, passphrase) = (place.path("second"), ["--passphrase-file", fresh.to_str().unwrap()]);
    let more = ["--sheets", second.to_str().unwrap(), "--threshold", "2", "--of", "3", "--replaces", "3"];
    place.on(&["slot", "add-shares"], &[&more[..], &passphrase].concat()).ended(0).says("2 of 3");
    let second = sheets(&second);
    let test = |shares: &[&str]| {
        let more = [given(&place, shares), passphrase.map(str::to_owned).to_vec()].concat();
        on(&place, &["slot", "test-shares"], &more)
    };
    test(&[&second[2], &second[0]]).ended(0).says("open slot 5");
    test(&[&second[2], &first[0]]).ended(1).complains("replaced by a newer one");
    let both = [given(&place, &[&second[0], &second[1]]), passphrase.map(str::to_owned).to_vec()].concat();
    on(&place, &["backup", "list"], &both).ended(2).complains("not both");

    // What came of each test is in the log; no word of a share is anywhere.
    let files = bytes_below(&place.dir());
    for told in ["recovery shares made, 3 of 5", "tested: recovery shares 1, 3, 5 of set", "tested, not well: "] {
        assert!(files.iter().any(|(_, bytes)| holds(bytes, told)), "{told}");
    }
    for words in first.iter().chain(&second) {
        let some: Vec<&str> = words.split(' ').take(7).collect();
        assert!(files.iter().all(|(_, bytes)| !holds(bytes, &some.join(" "))));
    }
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
}

#[test]
fn blank_machine_media_and_three_shares_serve() {
    let place = Place::new();
    let (folder, media) = (place.path("sheets"), place.path("media"));
    fs::create_dir(&media).unwrap();
    let passphrase = place.secret("passphrase", PASSPHRASE);
    let from = ["--passphrase-file", passphrase.to_str().unwrap()];
    let made = ["--listen", "127.0.0.1:0", "--share-sheets", folder.to_str().unwrap()];
    place.on(&["init"], &[&made[..], &from].concat()).ended(0).says("3 of 5 recovery shares").says("starts sealed");
    let shares = sheets(&folder);
    let csv = place.path("customers.csv");
    let rows: String = (0..300).map(|number| format!("Customer {number}\n")).collect();
    fs::write(&csv, format!("name\n{rows}")).unwrap();
    place.on(&["import"], &[&from[..], &["--object", "account", csv.to_str().unwrap()]].concat()).ended(0);
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[backup.targets]\n", &format!("[backup.targets]\nmedia = {media:?}\n"))).unwrap();
    place.on(&["backup", "run"], &from).ended(0);
    let house = fs::read_dir(&media).unwrap().next().unwrap().unwrap().path();
    let set = fs::read_dir(house).unwrap().next().unwrap().unwrap().path();
    // The machine burns, and nobody remembers the passphrase.
    fs::remove_dir_all(place.dir()).unwrap();
    fs::remove_file(&passphrase).unwrap();

    let clock = SystemClock::start();
    let begun = clock.monotonic();
    let restore = |shares: &[&str]| {
        let more = [vec!["--from".to_owned(), set.to_str().unwrap().to_owned()], given(&place, shares)].concat();
        on(&place, &["backup", "restore"], &more)
    };
    restore(&[&shares[0], &shares[4]]).ended(1).complains("3 of one set are needed");
    assert!(!place.dir().exists(), "too few shares leave nothing");
    restore(&[&shares[0], &shares[4], &shares[1]]).ended(0).says("as of");
    let server = Server::start(place.command(&["serve", "--dir", place.dir().to_str().unwrap()]), true);
    let url = url_in(&server.line_with("serving"));
    // Two of them come in the morning, and the third later, at another terminal.
    let unseal = |shares: &[&str]| {
        let more = [vec!["--url".to_owned(), url.clone()], given(&place, shares)].concat();
        on(&place, &["unseal"], &more)
    };
    unseal(&[&shares[2], &shares[3]]).ended(1).complains("more shares are needed").complains("share 3, 4; 3 of a set");
    unseal(&[&shares[2]]).ended(1).complains("share 3 was given already");
    let others = {
        let other = Place::new();
        let folder = other.path("sheets");
        other.init().ended(0);
        other.on(&["slot", "add-shares"], &["--sheets", folder.to_str().unwrap()]).ended(0);
        sheets(&folder)
    };
    unseal(&[&others[0]]).ended(1).complains("somebody else's");
    let client = client(&place.dir().join("tls/ca.pem"));
    assert_eq!(answer(client.get(format!("{url}/readyz")).call()).0, 503);
    unseal(&[&shares[0]]).ended(0).says("is open");
    let (status, ready) = answer(client.get(format!("{url}/readyz")).call());
    assert_eq!((status, &ready["ready"]), (200, &Value::from(true)), "{ready}");
    println!("from the blank machine to serving: {} ms", (clock.monotonic() - begun).as_millis());
    assert_eq!(server.stop(), 0);
    // The passphrase is still good, should somebody find it.
    let again = place.secret("passphrase", PASSPHRASE);
    let again = ["--passphrase-file", again.to_str().unwrap()];
    place.on(&["backup", "list"], &again).ended(0);
    place.on(&["audit", "verify"], &["--level", "4"]).ended(0);
    let files = bytes_below(&place.dir());
    assert!(files.iter().any(|(_, bytes)| holds(bytes, "recovery shares of set")), "the unseal is in the log");
}
