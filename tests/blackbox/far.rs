//! Commits and sets on machines of somebody else, as their administrator has them: shipped to a store and to a server, gone back
//! to from there without a copy beforehand, followed, cut into volumes, and fenced.

use crate::backups::json;
use crate::object_server::{BUCKET, KEY, ObjectServer, SECRET};
use crate::shipping::{Session, names, seller, serve};
use crate::ssh_server::SshServer;
use crate::support::*;
use std::fs;

/// Names the one target, and ships to it.
fn configure(place: &Place, target: &str, ship: &str) {
    let config = place.dir().join("kontor.toml");
    let text = fs::read_to_string(&config).unwrap();
    let before = text.split("[backup.ship]").next().unwrap().split("[backup.targets]").next().unwrap();
    fs::write(&config, format!("{before}[backup.targets]\n{target}\n[backup.ship]\n{ship}\n")).unwrap();
}

#[test]
fn a_store_that_speaks_s3_has_every_commit() {
    let place = Place::new();
    place.init().ended(0);
    let store = ObjectServer::start(&place.path("store"));
    let keys = place.secret("keys", &format!("{KEY}\n{SECRET}"));
    let (address, ca) = (store.address, &store.ca);
    let target = format!(
        "far = {{ s3 = \"https://{address}/{BUCKET}/kontor\", ca_file = {ca:?}, credentials_file = {keys:?} }}"
    );
    // Nobody's answer waits for it.
    configure(&place, &target, "sync = \"far\"");
    place.on(&["config", "check"], &[]).ended(1).complains("backup.ship.sync");
    all_of_it(&place, &target);
}

#[test]
fn a_server_with_sftp_has_every_commit() {
    let Some(server) = SshServer::start(env!("CARGO_MANIFEST_DIR")) else { return };
    let place = Place::new();
    place.init().ended(0);
    let (user, port, files) = (&server.user, server.port, server.files());
    let (host_key, key) = (&server.host_key, server.key());
    let address = format!("sftp://{user}@127.0.0.1:{port}{}", files.to_str().unwrap());
    let target = format!("far = {{ sftp = \"{address}\", host_key = \"{host_key}\", key_file = {key:?} }}");
    all_of_it(&place, &target);
    server.end();
    let lines = place.path("targets.toml");
    let asked = ["backup", "window", "--target", "far", "--from", lines.to_str().unwrap()];
    place.run(&asked).ended(2).complains("far: 127.0.0.1");
}

fn all_of_it(place: &Place, target: &str) {
    configure(place, target, "also = [\"far\"]");
    place.on(&["config", "check"], &[]).ended(0);
    seller(place);
    let (server, url) = serve(place, &place.dir());
    server.line_with("a backup set was made and read back");
    let session = Session::open(&place.dir(), &url);
    for number in 0..5 {
        assert_eq!(session.make(&format!("Shipped {number}")), Ok(201));
    }
    // What is carried is told; at the end all of it is there.
    assert_eq!(server.stop(), 0);
    // A blank machine has the lines that say where, the credentials they name, and the key file.
    let (lines, safe) = (place.path("targets.toml"), place.path("safe.key"));
    fs::write(&lines, format!("[backup.targets]\n{target}\nother = \"/mnt/other\"\n")).unwrap();
    fs::copy(place.dir().join("keys/unseal.key"), &safe).unwrap();
    let (lines, safe) = (lines.to_str().unwrap(), safe.to_str().unwrap());
    place.run(&["backup", "window", "--from", lines]).ended(2).complains("far, other").complains("--target");
    let from = ["--from", lines, "--target", "far"];
    place.run(&[&["backup", "verify"], &from[..]].concat()).ended(0).says("is whole");
    let window = json(place.run(&[&["backup", "window", "--json"], &from[..]].concat()).ended(0));
    assert_eq!(window.as_array().unwrap().len(), 1, "{window}");
    let (begin, set) = (window[0]["from"].as_str().unwrap(), window[0]["set"].as_str().unwrap());
    for (name, more, there) in
        [("newest", &[][..], 5), ("as of then", &["--at", begin], 0), ("the set", &["--set", set], 0)]
    {
        let into = place.path(name);
        let asked = ["backup", "restore", "--dir", into.to_str().unwrap(), "--key-file", safe];
        place.run(&[&asked[..], &from, more].concat()).ended(0);
        assert_eq!(names(&into).iter().filter(|one| one.starts_with("Shipped")).count(), there, "{name}");
    }
    // Volumes are cut from a set that was fetched, and nothing of that stays.
    let media = place.path("media");
    fs::create_dir(&media).unwrap();
    let cut = ["--volume-size", "2M", "--target", "far", media.to_str().unwrap()];
    place.on(&["dr", "export"], &cut).ended(0).complains("was fetched to");
    let left = fs::read_dir(place.dir()).unwrap().flatten();
    assert_eq!(left.filter(|entry| entry.file_name().to_str().unwrap().starts_with("fetched-")).count(), 0);
    place.run(&["dr", "verify", media.to_str().unwrap()]).ended(0).says("are whole");
    // The second machine follows from there, and takes over.
    let second = place.path("second");
    let dir = second.to_str().unwrap();
    let follow = [&["standby", "follow", "--dir", dir, "--key-file", safe, "--once"], &from[..]].concat();
    place.run(&follow).ended(0).says("as they should be");
    let (server, url) = serve(place, &place.dir());
    let session = Session::open(&place.dir(), &url);
    assert_eq!(session.make("Shipped while it follows"), Ok(201));
    assert_eq!(server.stop(), 0);
    place.run(&follow).ended(0).says("as they should be");
    place.run(&["standby", "status", "--dir", dir]).ended(0).says("Follows far");
    place.run(&["standby", "promote", "--dir", dir]).ended(0).says("A fence with term 1");
    assert_eq!(names(&second).iter().filter(|one| one.starts_with("Shipped")).count(), 6);
    let csv = place.path("late.csv");
    fs::write(&csv, "name\nToo late\n").unwrap();
    let ran = place.on(&["import"], &["--object", "account", csv.to_str().unwrap()]);
    assert!(ran.code != 0 && format!("{ran:?}").contains("fenced"), "{ran:?}");
}
