//! Files of records on both engines: what comes back, who gets it, what the log says, and what remains on the disk.

use audit::{Effect, Verb};
use identity::Actor;
use kernel::{Code, Fault, RecordId, limits};
use serde_json::json;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use testkit::{TestAppliance, on_both_engines};

fn add(kontor: &TestAppliance, actor: &Arc<Actor>, of: RecordId, name: &str, bytes: &[u8]) -> Result<RecordId, Fault> {
    let mut upload = kontor.records.attachment_begin(actor, "account", of, name).wait()?.into_view();
    for piece in bytes.chunks(7_000) {
        upload.write(piece)?;
    }
    upload.finish().wait().map(|shown| shown.view().id)
}

fn get(kontor: &TestAppliance, actor: &Arc<Actor>, of: RecordId, file: RecordId) -> Result<(String, Vec<u8>), Fault> {
    let found = kontor.records.attachment_open(actor, "account", of, (file, false)).wait()?.into_view();
    let mut bytes = Vec::new();
    let mut source = found.bytes;
    source.read_to_end(&mut bytes).map_err(Fault::internal)?;
    Ok((found.view.name, bytes))
}

fn names(kontor: &TestAppliance, actor: &Arc<Actor>, of: RecordId) -> Result<Vec<String>, Fault> {
    let found = kontor.records.attachments(actor, "account", of).wait()?.into_view();
    Ok(found.items.into_iter().map(|file| file.name).collect())
}

/// Every file in the folder of files.
fn on_disk(kontor: &TestAppliance) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(&kontor.store.config().files_folder).into_iter().flatten().flatten();
    folders
        .flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten())
        .map(|file| file.path())
        .collect()
}

/// Removes what no row names, and says how many. Where several nodes use the folder, only what has lain there for long goes.
fn swept(kontor: &TestAppliance) -> usize {
    let age = limits::FILE_UNNAMED_SECONDS.unsigned_abs() * 2;
    let now = Duration::from_micros(kontor.store.clock().now().micros().unsigned_abs());
    for path in on_disk(kontor) {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + now - Duration::from_secs(age)).unwrap();
    }
    kontor.store.files_sweep().unwrap()
}

fn pdf(length: usize) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7 secretcanary ".to_vec();
    bytes.resize(length.max(bytes.len()), b'x');
    bytes
}

#[test]
fn a_file_from_its_coming_to_its_going() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let hanse = kontor.create(&anna, "account", json!({"name": "Hanse"})).unwrap().id;
        let plain = pdf(100_000);
        let file = add(kontor, &anna, hanse, "合同 secretname.pdf", &plain).unwrap();
        assert_eq!(names(kontor, &anna, hanse).unwrap(), ["合同 secretname.pdf"]);
        assert_eq!(get(kontor, &anna, hanse, file).unwrap(), ("合同 secretname.pdf".to_owned(), plain));
        let stored = std::fs::read(&on_disk(kontor)[0]).unwrap();
        for bytes in [stored, kontor.database_bytes()] {
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            assert!(!text.contains("secretcanary") && !text.contains("secretname"), "sealed at rest");
        }

        let acts: Vec<_> =
            kontor.log().into_iter().filter(|entry| entry.act.verb.name().starts_with("attachment")).collect();
        let verbs: Vec<Verb> = acts.iter().map(|entry| entry.act.verb).collect();
        assert_eq!(verbs, [Verb::AttachmentAdd, Verb::AttachmentList, Verb::AttachmentRead]);
        assert_eq!(acts[0].changes[0].field, "attachments");
        assert!(acts.iter().all(|entry| entry.target.record == Some(hanse) && !entry.note.contains("secretname")));
        assert!(acts[2].note.starts_with(&format!("download of file {file}, 100000 bytes")), "{}", acts[2].note);
        let history = kontor.history(&anna, "account", hanse).unwrap();
        assert_eq!(history.items[0].verb, "attachment_add");

        // Into the bin and out of it: the file follows its record.
        kontor.delete(&anna, "account", hanse).unwrap();
        assert_eq!(names(kontor, &anna, hanse).unwrap().len(), 1, "who may delete still sees it");
        assert_eq!(add(kontor, &anna, hanse, "b.pdf", &pdf(10)).unwrap_err().code, Code::RecordNotFound);
        kontor.records.restore(&anna, "account", hanse).wait().unwrap();
        assert_eq!(get(kontor, &anna, hanse, file).unwrap().1.len(), 100_000);

        kontor.records.attachment_remove(&anna, "account", hanse, file).wait().unwrap();
        assert_eq!(get(kontor, &anna, hanse, file).unwrap_err().code, Code::AttachmentUnknown);
        assert_eq!((swept(kontor), on_disk(kontor).len()), (usize::from(kontor.store.is_shared()), 0));
        assert!(names(kontor, &anna, hanse).unwrap().is_empty());
        assert_eq!(kontor.log().last().map(|entry| entry.act.verb), Some(Verb::AttachmentList));
        kontor.seal_log();
        let report = kontor.verify(4);
        assert!(report.ok, "{:?}", report.findings);
    });
}

#[test]
fn whoever_may_not_is_told_so_and_the_log_knows() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let bela = kontor.actor(kontor.user("bela", &["seller"], None));
        let auditor = kontor.actor(kontor.user("auditor", &["audit_admin"], None));
        let words = json!({"en": "x", "zh": "x"});
        kontor.role(json!({"name": "no_files", "label": words, "description": words, "forbid": {"fields": ["account.attachments"]}}));
        kontor.role(
            json!({"name": "looks", "label": words, "description": words, "levels": {"S1": "edit", "S2": "read"},
            "objects": {"account": {"read": "all", "update": "all"}}}),
        );
        let blind = kontor.actor(kontor.user("blind", &["sales_manager", "no_files"], None));
        let reader = kontor.actor(kontor.user("reader", &["looks"], None));
        let hanse = kontor.create(&anna, "account", json!({"name": "Hanse"})).unwrap().id;
        let other = kontor.create(&anna, "account", json!({"name": "Other"})).unwrap().id;
        let file = add(kontor, &anna, hanse, "a.pdf", &pdf(10)).unwrap();
        for (who, code) in
            [(&bela, Code::RecordNotFound), (&auditor, Code::AccessDenied), (&blind, Code::RecordNotFound)]
        {
            let before = kontor.log().len();
            assert_eq!(names(kontor, who, hanse).unwrap_err().code, code);
            assert_eq!(get(kontor, who, hanse, file).unwrap_err().code, code);
            assert_eq!(add(kontor, who, hanse, "b.pdf", &pdf(10)).unwrap_err().code, code);
            assert_eq!(kontor.records.attachment_remove(who, "account", hanse, file).wait().unwrap_err().code, code);
            let told = kontor.log().split_off(before);
            assert!(told.len() == 4 && told.iter().all(|entry| entry.decision.effect == Effect::Deny));
        }
        assert_eq!(names(kontor, &reader, hanse).unwrap(), ["a.pdf"]);
        assert_eq!(add(kontor, &reader, hanse, "b.pdf", &pdf(10)).unwrap_err().code, Code::FieldDenied);
        assert_eq!(
            kontor.records.attachment_remove(&reader, "account", hanse, file).wait().unwrap_err().code,
            Code::FieldDenied
        );
        assert_eq!(get(kontor, &anna, other, file).unwrap_err().code, Code::AttachmentUnknown, "not of this record");
        assert_eq!(on_disk(kontor).len(), 1);
    });
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let hanse = kontor.create(&anna, "account", json!({"name": "Hanse"})).unwrap().id;
        for (name, bytes, code) in [
            ("a.exe.pdf", b"MZ\x90\0\x03\0\0\0".to_vec(), Code::MediaTypeUnsupported),
            ("empty.txt", Vec::new(), Code::MediaTypeUnsupported),
            ("../etc/passwd", b"x".to_vec(), Code::ParameterInvalid),
            ("big.pdf", pdf(usize::try_from(limits::ATTACHMENT_BYTES_MAX).unwrap() + 1), Code::LimitExceeded),
        ] {
            assert_eq!(add(kontor, &anna, hanse, name, &bytes).unwrap_err().code, code, "{name}");
        }
        let begun = kontor.records.attachment_begin(&anna, "account", hanse, "half.pdf").wait().unwrap();
        assert_eq!(on_disk(kontor).len(), 1);
        drop(begun);
        assert!(on_disk(kontor).is_empty());
        assert!(names(kontor, &anna, hanse).unwrap().is_empty());

        // What no row names goes at the next start; what a row names stays.
        let kept = add(kontor, &anna, hanse, "kept.txt", b"kept").unwrap();
        let folder = on_disk(kontor)[0].parent().unwrap().to_owned();
        std::fs::write(folder.join(hanse.to_string()), b"x").unwrap();
        std::fs::write(folder.join(format!("{hanse}.part")), b"x").unwrap();
        if kontor.store.is_shared() {
            assert_eq!(kontor.store.files_sweep().unwrap(), 0, "another node may be about to name it");
        }
        assert_eq!(swept(kontor), 2);
        assert_eq!(get(kontor, &anna, hanse, kept).unwrap().1, b"kept");

        let room = limits::ATTACHMENTS_PER_RECORD_MAX;
        for at in 1..room {
            add(kontor, &anna, hanse, &format!("{at}.txt"), b"x").unwrap();
        }
        assert_eq!(add(kontor, &anna, hanse, "more.txt", b"x").unwrap_err().code, Code::LimitExceeded);
        assert_eq!(on_disk(kontor).len(), room);
    });
}

#[test]
fn a_file_that_was_touched_on_the_disk_is_not_served() {
    on_both_engines(|kontor| {
        let anna = kontor.actor(kontor.user("anna", &["seller"], None));
        let hanse = kontor.create(&anna, "account", json!({"name": "Hanse"})).unwrap().id;
        let one = add(kontor, &anna, hanse, "a.pdf", &pdf(40_000)).unwrap();
        let path = on_disk(kontor)[0].clone();
        let good = std::fs::read(&path).unwrap();
        let mut flipped = good.clone();
        flipped[20_000] ^= 1;
        for (what, bad) in [("flipped", flipped), ("cut", good[..good.len() - 1].to_vec()), ("emptied", Vec::new())] {
            std::fs::write(&path, bad).unwrap();
            assert_eq!(get(kontor, &anna, hanse, one).unwrap_err().code, Code::Internal, "{what}");
        }
        std::fs::write(&path, &good).unwrap();
        assert!(get(kontor, &anna, hanse, one).is_ok());
        // Two files of one record and one size exchange their places.
        add(kontor, &anna, hanse, "b.pdf", &pdf(40_000)).unwrap();
        let other = on_disk(kontor).into_iter().find(|file| *file != path).unwrap();
        std::fs::copy(&other, &path).unwrap();
        assert_eq!(get(kontor, &anna, hanse, one).unwrap_err().code, Code::Internal);
    });
}
