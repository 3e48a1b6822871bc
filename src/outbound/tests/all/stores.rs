//! A target in a store that speaks S3, tried with a real one behind TLS: sets are whole or not there, large files go in parts,
//! and what the store does wrong is told with what to do.

use crate::object_server::{BUCKET, KEY, ObjectServer, SECRET};
use crate::parts::{gone_on_with, loose, read, secret, set, write};
use kernel::SystemClock;
use outbound::{S3Settings, S3Target};
use recovery::{MANIFEST, SIGNATURE, Target, TargetStep};
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

struct Site {
    folder: tempfile::TempDir,
    server: ObjectServer,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = ObjectServer::start(folder.path());
        Self { folder, server }
    }
    fn secret(&self, name: &str, text: &str) -> PathBuf {
        secret(self.folder.path(), name, text)
    }
    fn settings(&self) -> S3Settings {
        S3Settings {
            host: self.server.address.to_string(),
            plain_http: false,
            bucket: BUCKET.to_owned(),
            prefix: "kontor/one".to_owned(),
            region: "us-east-1".to_owned(),
            path_style: true,
            ca_file: self.server.ca.clone(),
            credentials: self.secret("credentials", &format!("# of the test\n{KEY}\n{SECRET}\n")),
        }
    }
    fn target_with(&self, settings: S3Settings) -> S3Target {
        S3Target::new("store", settings, "a-b", Arc::new(SystemClock::start()))
    }
    fn target(&self) -> S3Target {
        self.target_with(self.settings())
    }
    fn objects(&self) -> PathBuf {
        self.server.objects.join(BUCKET).join("kontor/one/a-b")
    }
}

fn names_below(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_set_is_there_when_its_manifest_is() {
    let (site, set) = (Site::new(), set(7));
    let target = site.target();
    assert_eq!(target.list().unwrap(), []);
    // 40 MiB: in three parts, the last of them short; and one that is exactly two.
    let large: Vec<u8> = (0..40 * 1024 * 1024u32).map(|at| (at % 251) as u8).collect();
    let files: [(&str, &[u8]); 5] = [
        ("database.tar.zst.age", &large),
        ("files.tar.zst.age", &large[..32 * 1024 * 1024]),
        ("slots.json", b"{}"),
        (MANIFEST, b"the manifest"),
        (SIGNATURE, b"its signature"),
    ];
    write(&target, &set, &files);
    assert_eq!(target.list().unwrap(), [], "nobody takes it for whole before");
    let before = names_below(&site.objects().join(set.as_str()));
    assert_eq!(before, ["database.tar.zst.age", "files.tar.zst.age", "slots.json"]);
    target.publish(&set).unwrap();
    assert_eq!(target.list().unwrap(), std::slice::from_ref(&set));
    for (name, bytes) in files {
        assert!(read(&target, &set, name).unwrap() == bytes, "{name}");
    }
    assert_eq!(read(&target, &set, "absent").unwrap_err().kind(), ErrorKind::NotFound);
    // A whole set is never begun over, and of two nodes one wins.
    assert_eq!(target.begin(&set).unwrap_err().kind(), ErrorKind::AlreadyExists);
    let mut sink = target.part(&set, MANIFEST).unwrap();
    sink.write_all(b"another").unwrap();
    sink.finish().unwrap();
    let mut sink = target.part(&set, SIGNATURE).unwrap();
    sink.write_all(b"its signature").unwrap();
    sink.finish().unwrap();
    assert_eq!(target.publish(&set).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(read(&target, &set, MANIFEST).unwrap(), b"the manifest");
    target.remove(&set).unwrap();
    assert_eq!(target.list().unwrap(), []);
    assert!(names_below(&site.objects().join(set.as_str())).is_empty());
}

#[test]
fn what_was_interrupted_leaves_no_set_and_is_cleared() {
    let (site, set) = (Site::new(), set(1));
    let target = site.target();
    write(&target, &set, &[("slots.json", b"{}"), (MANIFEST, b"m"), (SIGNATURE, b"s")]);
    // The process ends here: another one finds what is left, and no set.
    let other = site.target();
    assert_eq!(other.list().unwrap(), []);
    other.begin(&set).unwrap();
    assert!(names_below(&site.objects().join(set.as_str())).is_empty(), "begun anew on clean ground");
    assert!(other.publish(&set).is_err(), "without a manifest there is nothing to publish");
    // A large file whose writer gives up in the middle is no object, and its parts go.
    let mut sink = other.part(&set, "database.tar.zst.age").unwrap();
    sink.write_all(&vec![7; 40 * 1024 * 1024]).unwrap();
    drop(sink);
    assert!(names_below(&site.objects().join(set.as_str())).is_empty());
    write(&other, &set, &[("slots.json", b"{}"), (MANIFEST, b"m"), (SIGNATURE, b"s")]);
    other.abandon(&set);
    assert!(names_below(&site.objects().join(set.as_str())).is_empty());
    assert!(other.publish(&set).is_err());
}

#[test]
fn a_busy_store_is_asked_again_and_one_that_is_away_is_told() {
    let (site, set) = (Site::new(), set(2));
    let target = site.target();
    site.server.busy.store(2, Ordering::Relaxed);
    write(&target, &set, &[("slots.json", b"{}"), (MANIFEST, b"m"), (SIGNATURE, b"s")]);
    target.publish(&set).unwrap();
    assert_eq!(target.list().unwrap(), std::slice::from_ref(&set));
    assert_eq!(site.server.busy.load(Ordering::Relaxed), 0, "both were met");
    site.server.away.store(true, Ordering::Relaxed);
    let away = target.list().unwrap_err();
    assert!(away.to_string().contains("busy") || away.to_string().contains("connection failed"), "{away}");
    site.server.away.store(false, Ordering::Relaxed);
    assert_eq!(target.list().unwrap(), [set], "it is there again");
}

#[test]
fn what_is_wrong_is_told_with_what_to_do_and_without_the_secret() {
    let site = Site::new();
    let good = site.target().try_out("word");
    let names: Vec<&str> = good.iter().map(|step| step.step).collect();
    assert_eq!(names, ["write", "read back", "list", "remove"]);
    assert!(good.iter().all(TargetStep::is_well));
    assert!(names_below(&site.server.objects.join(BUCKET).join("kontor/one")).is_empty(), "nothing is left");

    let told = |settings: S3Settings| -> String {
        let which = format!("{settings:?}");
        let steps = site.target_with(settings).try_out("word");
        assert_eq!(steps.len(), 1, "it ends at what fails: {which}");
        let told = steps[0].outcome.as_ref().unwrap_err().to_string();
        assert!(!told.contains(SECRET) && !told.contains("Signature="), "{told}");
        told
    };
    let wrong = site.secret("wrong", &format!("{KEY}\nnot the secret\n"));
    let unknown = site.secret("unknown", "NOBODY\nnot the secret\n");
    let half = site.secret("half", KEY);
    let open = site.secret("open", &format!("{KEY}\n{SECRET}\n"));
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let settings = || site.settings();
    let other = tempfile::tempdir().unwrap();
    let stranger = ObjectServer::start(other.path());
    for (settings, part) in [
        (S3Settings { credentials: wrong, ..settings() }, "refuses the credentials"),
        (S3Settings { credentials: unknown, ..settings() }, "refuses the credentials"),
        (S3Settings { credentials: half, ..settings() }, "should have 2 lines, and has 1"),
        (S3Settings { credentials: open, ..settings() }, "chmod 600"),
        (S3Settings { credentials: "/nowhere".into(), ..settings() }, "/nowhere"),
        (S3Settings { ca_file: stranger.ca.clone(), ..settings() }, "not trusted"),
        (S3Settings { ca_file: "/nowhere.pem".into(), ..settings() }, "/nowhere.pem"),
    ] {
        let told = told(settings);
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn files_beside_the_sets_are_there_whole() {
    let site = Site::new();
    loose(&site.target());
}

#[test]
fn what_was_begun_is_gone_on_with() {
    let site = Site::new();
    gone_on_with(&site.target(), &site.target());
}
