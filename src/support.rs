//! What the makers of Kontor need to help, in one file that a house can look through before it leaves the building: versions, states,
//! counts, sizes, findings, lines of the journal. No record, no name of anybody, no secret, no address. What is in it is chosen by
//! lists of what may be told, never by lists of what may not; words that the house chose are taken out of free text on top of that.
//! It changes nothing.

mod data;
mod machine;
mod scrub;
mod settings;

use crate::appliance::{Appliance, Desk, Layout};
use crate::cli::failure::Failure;
use crate::doctor;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kernel::{Clock, Code, SystemClock, Timestamp};
use scrub::Scrub;
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// The folder that everything in it lies in.
const FOLDER: &str = "kontor-support";
/// What says in words what is in it.
const MANIFEST: &str = "manifest.txt";

/// One file of a bundle.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Piece {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it holds, in words.
    pub(crate) what: &'static str,
    #[serde(skip)]
    pub(crate) text: String,
}

/// Texts that hold more than what is chosen from lists of what may be told. In the others a word that happens to be one of the
/// house's, too, is a figure or a word of the program.
const FREE: [&str; 3] = ["doctor.json", "machine.json", "journal.txt"];
/// Why something is not in it.
const LEFT_OUT: &str = "the appliance was not opened, or its configuration is not valid";
/// Bytes of a bundle, and of a text in it, that are read.
const READ_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What is asked for.
pub(crate) struct Wanted<'a> {
    /// The unit of systemd whose lines are read.
    pub(crate) unit: &'a str,
    /// How many lines of the journal.
    pub(crate) lines: u32,
}

/// A bundle that lies in memory.
pub(crate) struct Bundle {
    pieces: Vec<Piece>,
    made_at: Timestamp,
}

impl Bundle {
    /// Gathers it. Without an appliance its configuration is not valid; without a desk it is not opened. What cannot be read is said
    /// in its place: an appliance that is ill is the reason for a bundle.
    pub(crate) fn gather(layout: &Layout, open: (Option<&Appliance>, Option<&Desk>), wanted: &Wanted<'_>) -> Self {
        let (appliance, desk) = open;
        let text = crate::appliance::read_small(&layout.config(), kernel::limits::CONFIG_BYTES_MAX).unwrap_or_default();
        let scrub = Scrub::new(&text, layout.dir());
        let mut pieces = Vec::new();
        let mut add = |name, what, text: String| pieces.push(Piece { name, what, text });
        let version = crate::cli::version_facts();
        add("version.json", "which build this is, and its formats", pretty(&version));
        let told =
            "settings that are switches, numbers, schedules or one of a few words; of all others whether they are set";
        add("configuration.json", told, pretty(&settings::told(&text)));
        add("doctor.json", "what `kontor doctor` finds", pretty(&findings(layout, &scrub)));
        let told = "versions of the engine and the schema, and how many rows each kind of record has";
        add("database.json", told, or_why(appliance.map(data::database), &scrub));
        add(
            "backups.json",
            "backup sets and drills: when, how large, how they ended",
            or_why(appliance.map(data::backups), &scrub),
        );
        add("sizes.json", "how large the parts of the appliance's folder are", pretty(&data::sizes(layout)));
        let health = appliance.zip(desk).map(|(appliance, desk)| data::health(appliance, desk));
        add("health.json", "the checks of the health page: states and figures", or_why(health, &scrub));
        let figures = appliance.map(|appliance| data::metrics(appliance, desk));
        add(
            "metrics.txt",
            "figures as a monitoring system gets them",
            figures.unwrap_or_else(|| LEFT_OUT.to_owned() + "\n"),
        );
        add(
            "machine.json",
            "kernel, memory, disk, C library and systemd of the machine",
            pretty(&machine::facts(layout)),
        );
        add("service.json", "how systemd sees the service", pretty(&machine::service(wanted.unit)));
        let lines = machine::journal(wanted.unit, wanted.lines, &scrub);
        add("journal.txt", "the last lines of the service in the journal: time, level and text, cleaned", lines);
        let mut bundle = Self { pieces, made_at: SystemClock::start().now() };
        for piece in bundle.pieces.iter_mut().filter(|piece| FREE.contains(&piece.name)) {
            piece.text = last_look(&piece.text, &scrub);
        }
        let manifest = Piece { name: MANIFEST, what: "this text", text: bundle.manifest(desk.is_some()) };
        bundle.pieces.insert(0, manifest);
        bundle
    }

    /// Its files.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    fn manifest(&self, logged: bool) -> String {
        let mut text = format!(
            "A support bundle of a Kontor appliance, made at {} by version {}.\n\nWhat is in it\n\n",
            self.made_at,
            crate::appliance::upgrade::running()
        );
        for piece in &self.pieces {
            text.push_str(&format!("  {:<20} {:>8} bytes  {}\n", piece.name, piece.text.len(), piece.what));
        }
        text.push_str(NOT_IN_IT);
        text.push_str(if logged {
            "\nThat it was made stands in the audit log of the appliance (support_bundle).\n"
        } else {
            "\nThe appliance was not opened for it, so the audit log does not know of it (--unlogged).\n"
        });
        text
    }

    /// All of it as one file: tar, made small with gzip.
    pub(crate) fn packed(&self) -> Result<Vec<u8>, Failure> {
        let failed =
            |error: std::io::Error| Failure::new(Code::Internal, format!("the bundle cannot be packed: {error}"));
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
        for piece in &self.pieces {
            let mut header = tar::Header::new_ustar();
            header.set_size(piece.text.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(u64::try_from(self.made_at.micros() / 1_000_000).unwrap_or(0));
            tar.append_data(&mut header, format!("{FOLDER}/{}", piece.name), piece.text.as_bytes()).map_err(failed)?;
        }
        let mut packed = tar.into_inner().map_err(failed)?;
        packed.flush().map_err(failed)?;
        packed.finish().map_err(failed)
    }
}

/// Said in every bundle.
const NOT_IN_IT: &str = "
What is not in it

  No record and nothing of a record; no file of a record; no name, login or address of a person; no password, key, token or
  certificate; no entry of the audit log; no name or address of this machine, of its network, or of the servers it speaks to.
  Of settings whose value is a text, a list or a path, the bundle says only that they are set. In lines of the journal and in
  findings, what looks like an address, a name of a host, a path, an id or a key stands as a word in square brackets, and so
  does every text of the configuration.

Look through it before it leaves the house: these are plain texts. Whoever finds something that should not be in it: do not
send it, and tell the makers.
";

/// One text of a bundle.
pub(crate) fn look_into(path: &Path, name: &str) -> Result<String, Failure> {
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    let bad =
        |error: std::io::Error| Failure::new(Code::ValueFormat, format!("{} is no bundle: {error}", path.display()));
    let mut archive = tar::Archive::new(GzDecoder::new(file.take(READ_BYTES_MAX)).take(READ_BYTES_MAX));
    let mut names = Vec::new();
    for entry in archive.entries().map_err(bad)? {
        let mut entry = entry.map_err(bad)?;
        let found =
            entry.path().map_err(bad)?.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if found == name {
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(bad)?;
            return Ok(text);
        }
        names.push(found);
    }
    Err(Failure::new(Code::ParameterInvalid, format!("{} has no text {name}", path.display()))
        .todo(format!("name one of {}", names.join(", "))))
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// What the house calls its own is taken out of texts, and of nothing else that a form like JSON has.
fn last_look(text: &str, scrub: &Scrub) -> String {
    fn cleaned(value: Json, scrub: &Scrub) -> Json {
        match value {
            Json::String(text) => Json::String(scrub.last(&text)),
            Json::Array(values) => values.into_iter().map(|value| cleaned(value, scrub)).collect(),
            Json::Object(fields) => fields.into_iter().map(|(name, value)| (name, cleaned(value, scrub))).collect(),
            plain => plain,
        }
    }
    serde_json::from_str(text).map_or_else(|_| scrub.last(text), |value| pretty(&cleaned(value, scrub)))
}

fn or_why(told: Option<Result<Json, Failure>>, scrub: &Scrub) -> String {
    let why =
        |failure: Failure| json!({"not_read": {"code": failure.code.as_str(), "what": scrub.text(failure.what())}});
    pretty(&told.map_or_else(|| json!({"left_out": LEFT_OUT}), |told| told.unwrap_or_else(why)))
}

fn findings(layout: &Layout, scrub: &Scrub) -> Json {
    let (mut found, well) = doctor::look(layout, false).sorted();
    for finding in &mut found {
        finding.seen = scrub.text(&finding.seen);
    }
    json!({"findings": found, "well": well.iter().map(|line| scrub.text(line)).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_figures_stay_whatever_the_house_calls_its_things() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::new(root.path());
        // A figure of the machine that is a name in the configuration, too.
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap();
        let total = memory.split_whitespace().nth(1).unwrap();
        let text = format!(
            "node = \"{total}\"\n[server]\nnames = [\"Elbe-7\"]\n[backup]\nschedule = \"17 4 * * 1-5\"\n[log]\nlevel = \"debug\"\n"
        );
        std::fs::write(layout.config(), &text).unwrap();
        let bundle = Bundle::gather(&layout, (None, None), &Wanted { unit: "kontor-none.service", lines: 0 });
        let told = |name: &str| -> Json {
            let piece = bundle.pieces().iter().find(|piece| piece.name == name).unwrap();
            serde_json::from_str(&piece.text).unwrap_or_else(|error| panic!("{name}: {error}: {}", piece.text))
        };
        assert_eq!(told("configuration.json")["settings"]["backup.schedule"]["value"], "17 4 * * 1-5");
        assert_eq!(told("machine.json")["memory_kib"].to_string(), total);
        for piece in bundle.pieces().iter().filter(|piece| piece.name.ends_with(".json")) {
            told(piece.name);
        }
        let scrub = Scrub::new(&text, root.path());
        assert_eq!(last_look("{\"kernel\": \"6.1 elbe-7\"}", &scrub), "{\n  \"kernel\": \"6.1 [removed]\"\n}\n");
        assert_eq!(last_look("on elbe-7\n", &scrub), "on [removed]\n");
    }
}
