//! The thread that watches while the appliance serves: asks the targets whether they are there, compares how things are with
//! what was told, and puts alarms and the digest into the post. It mends nothing; what it cannot send it says in health.

use crate::appliance::health::ApplianceHealth;
use crate::appliance::keeping::Bench;
use crate::appliance::{Appliance, Keeper, digesting, house_of, read_small, relay_of};
use crate::cli::failure::Failure;
use crate::config::{Config, MailConfig, Schedule};
use audit::{ActOutcome, Phase, Verb};
use identity::Actor;
use kernel::{Code, Timestamp, limits};
use notify::{Alarm, AlarmKind, Alarms, House, Notice, Outbox, Patience, Topic, alarm_letter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use store::{Lease, Store};

/// How often things are looked at, and how soon after the start.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const LOOK_FIRST: Duration = Duration::from_secs(3);
/// How often targets are asked, and how often while one does not answer.
const ASK_EVERY: Duration = Duration::from_secs(15 * 60);
const ASK_SOON: Duration = Duration::from_secs(20);
/// How long ago a digest may have been due that a node sends which has just taken the schedule over.
const TAKEN_OVER_SECONDS: i64 = 30;
/// What the digest's letters are put in as.
const DIGEST: &str = "digest";

/// Which targets did not answer when they were asked last.
#[derive(Default)]
pub(super) struct Silent(Mutex<Asked>);

#[derive(Default)]
struct Asked {
    names: BTreeSet<String>,
    asking: bool,
    next: Duration,
}

impl Silent {
    fn with<T>(&self, look: impl FnOnce(&mut Asked) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
    /// Their names.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.with(|asked| asked.names.clone())
    }
}

/// What was told, as it is kept over restarts.
#[derive(Default, Serialize, Deserialize)]
struct Told {
    alarms: Alarms,
    /// When the last digest was taken by the relay, or when there was first somebody to send one to.
    digest_at: Option<Timestamp>,
    /// Whether one was ever taken.
    digest_sent: bool,
    /// When the last two times of the schedule had passed that were another node's, the newest first.
    #[serde(default)]
    passed: [Option<Timestamp>; 2],
}

impl Told {
    /// Leaves digests to the node that has the schedule. Whoever takes it over sends the next one, and the last only if it was due
    /// just now.
    fn pass_by(&mut self, schedule: &Schedule, now: Timestamp) {
        let before = now.plus_seconds(-TAKEN_OVER_SECONDS);
        if schedule.is_due(self.settled_at(), before) {
            self.passed = [Some(before), self.passed[0]];
        }
    }
    /// What was due until then was sent, here or by another node.
    fn settled_at(&self) -> Option<Timestamp> {
        self.digest_at.max(self.passed[0])
    }
    /// Since when the next digest tells: from the last one of this node on, or from the one before the last that was another's. That
    /// one may have been nobody's, while the database was away.
    fn tells_since(&self) -> Option<Timestamp> {
        self.digest_at.filter(|_| self.digest_sent).max(self.passed[1])
    }
}

/// Which letters go to whom, and the way there.
pub(super) struct Post {
    pub(super) mail: MailConfig,
    pub(super) outbox: Outbox,
    pub(super) house: House,
}

/// The post of a configuration, where it names a relay. Its thread ends with the last who holds it.
pub(super) fn post_of(appliance: &Appliance, config: &Config) -> Result<Option<Arc<Post>>, Failure> {
    let Some(mail) = config.mail.clone() else { return Ok(None) };
    let outbox = Outbox::start(relay_of(&mail, appliance), Patience::default()).map_err(no_thread)?;
    Ok(Some(Arc::new(Post { mail, outbox, house: house_of(config) })))
}

fn no_thread(error: std::io::Error) -> Failure {
    Failure::new(Code::Unavailable, format!("cannot start a thread: {error}"))
}

/// The handle to the thread.
pub(super) struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts it.
    pub(super) fn start(
        appliance: &Appliance,
        (keeper, bench): (&Arc<Keeper>, Bench),
        health: &Arc<ApplianceHealth>,
        silent: Arc<Silent>,
        book: Book,
    ) -> Result<Self, Failure> {
        let (live, path) = (Arc::clone(&appliance.live), appliance.layout.told());
        let mut work = Work {
            keeper: Arc::clone(keeper),
            bench,
            health: Arc::clone(health),
            silent,
            book,
            told: read_told(&path),
            kept: String::new(),
            path,
            digest_of: None,
        };
        work.told.alarms.after_restart();
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(move || {
            let (mut wait, mut known) = (LOOK_FIRST, live.post());
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = LOOK_EVERY;
                work.ask();
                let post = live.post();
                if post.as_ref().map(Arc::as_ptr) != known.as_ref().map(Arc::as_ptr) {
                    // Letters that the former relay had not taken went with it: they are written anew.
                    work.told.alarms.after_restart();
                    work.digest_of = None;
                    known = post;
                }
                if let Some(post) = &known {
                    work.settle(&post.outbox);
                    work.alarms(post);
                    work.digest(post);
                    work.keep();
                }
            }
            // What the relay took since the last look is in the log before the appliance closes, and not sent again after a start.
            if let Some(post) = &known {
                work.settle(&post.outbox);
                work.keep();
            }
        });
        Ok(Self { stop: Some(stop), thread: Some(thread.map_err(no_thread)?) })
    }
    /// Stops it. It waits for no relay and no target.
    pub(super) fn stop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Writes into the log what leaves by mail: before it is given to the relay, and what became of it.
pub(super) struct Book {
    pub(super) store: Arc<Store>,
    pub(super) system: Actor,
}

impl Book {
    /// Nobody waits for it: an alarm about the log or the database leaves also when that cannot take an entry now.
    fn note(&self, key: &str, phase: Phase, outcome: ActOutcome) {
        let mut entry = self.store.entry(&self.system, Verb::Mail);
        (entry.phase, entry.outcome) = (phase, outcome);
        // An alarm without a target has nothing behind its word.
        key.trim_end().clone_into(&mut entry.note);
        drop(self.store.append(vec![entry]));
    }
}

struct Work {
    keeper: Arc<Keeper>,
    bench: Bench,
    health: Arc<ApplianceHealth>,
    silent: Arc<Silent>,
    book: Book,
    told: Told,
    /// What lies in the file.
    kept: String,
    path: PathBuf,
    /// The moment of the digest that is on its way.
    digest_of: Option<Timestamp>,
}

impl Work {
    /// Asks the targets beside this thread: one that hangs must not keep the appliance from stopping.
    fn ask(&self) {
        let now = self.keeper.clock().monotonic();
        let free = self.silent.with(|asked| {
            let free = !asked.asking && asked.next <= now;
            asked.asking |= free;
            free
        });
        if !free {
            return;
        }
        let (targets, silent, clock) = (self.keeper.targets(), Arc::clone(&self.silent), self.keeper.clock());
        let asking = std::thread::Builder::new().name("targets".to_owned()).spawn(move || {
            let names = targets.iter().filter(|target| target.list().is_err()).map(|target| target.name().to_owned());
            let names: BTreeSet<String> = names.collect();
            let wait = if names.is_empty() { ASK_EVERY } else { ASK_SOON };
            silent.with(|asked| *asked = Asked { names, asking: false, next: clock.monotonic() + wait });
        });
        if let Err(error) = asking {
            tracing::warn!(%error, "targets could not be asked");
            self.silent.with(|asked| asked.asking = false);
        }
    }

    /// Takes over what became of letters.
    fn settle(&mut self, outbox: &Outbox) {
        for told in outbox.told() {
            let outcome = if told.taken { ActOutcome::Ok } else { ActOutcome::Failed };
            self.book.note(&told.key, Phase::Outcome, outcome);
            if told.key != DIGEST {
                self.told.alarms.settled(&told.key, told.taken);
            } else if let Some(at) = self.digest_of.filter(|_| told.taken) {
                (self.told.digest_at, self.told.digest_sent) = (Some(at), true);
            }
        }
    }

    /// What is wrong now. While a set is being made, that it is not there yet is no news.
    fn found(&self) -> Vec<Alarm> {
        let making = self.bench.running().is_some_and(|running| running.what == "make");
        let known = |alarm: &Alarm| {
            let same = |(open, _): (&Alarm, Timestamp)| open.kind == alarm.kind && open.about == alarm.about;
            self.told.alarms.open().any(same)
        };
        let awaited = |alarm: &Alarm| matches!(alarm.kind, AlarmKind::BackupLate | AlarmKind::BackupBehind);
        let mut found: Vec<Alarm> = self.health.findings().into_iter().flat_map(|found| found.alarms).collect();
        // Of several nodes each tells of its own machine and log, and the one with the schedule of what they share. What was
        // told of is followed to its end.
        let ours = |alarm: &Alarm| alarm.kind.topic() != Topic::Backup || self.has_schedule();
        found.retain(|alarm| (ours(alarm) && !(making && awaited(alarm))) || known(alarm));
        found
    }

    fn has_schedule(&self) -> bool {
        self.keeper.store.lease_held(Lease::Schedule)
    }

    fn alarms(&mut self, Post { mail, outbox, house }: &Post) {
        let (found, now) = (self.found(), self.keeper.now());
        for notice in self.told.alarms.look(&found, now, mail.quiet_seconds) {
            let Notice { alarm, over, .. } = &notice;
            tracing::warn!(alarm = alarm.kind.word(), about = alarm.about, over, "told by mail");
            let letter = alarm_letter(&notice, now, house, mail.language);
            // The end of something has letters of its own: they must not replace those that say that it began.
            let key = if *over { format!("over {}", alarm.key()) } else { alarm.key() };
            let to = mail.to(alarm.kind.topic());
            if to.is_empty() {
                self.told.alarms.settled(&key, true);
                continue;
            }
            self.book.note(&key, Phase::Intent, ActOutcome::Ok);
            outbox.put(&key, &letter, to);
        }
    }

    fn digest(&mut self, Post { mail, outbox, house }: &Post) {
        let (now, to) = (self.keeper.now(), mail.to(Topic::Digest));
        let Some(schedule) = mail.digest.as_ref().filter(|_| !to.is_empty()) else { return };
        if !self.has_schedule() {
            self.told.pass_by(schedule, now);
            return;
        }
        // The first comes at its time, not at the first start.
        let last = self.told.settled_at().unwrap_or_else(|| *self.told.digest_at.insert(now));
        let on_its_way = self.digest_of.filter(|_| outbox.waits(DIGEST)).unwrap_or(last);
        if !schedule.is_due(Some(last.max(on_its_way)), now) {
            return;
        }
        let alarms = self.told.alarms.open().map(|(alarm, since)| (alarm.clone(), since)).collect();
        match digesting::digest_of(&self.keeper, &self.health, &self.silent.names(), self.told.tells_since()) {
            Ok(digest) => {
                self.book.note(DIGEST, Phase::Intent, ActOutcome::Ok);
                outbox.put(DIGEST, &notify::Digest { alarms, ..digest }.letter(house, mail.language), to);
                self.digest_of = Some(now);
            }
            Err(failure) => tracing::warn!(told = failure.text(), "the digest could not be written"),
        }
    }

    fn keep(&mut self) {
        let text = serde_json::to_string(&self.told).unwrap_or_default();
        if text.is_empty() || text == self.kept {
            return;
        }
        match write_told(&self.path, &text) {
            Ok(()) => self.kept = text,
            Err(error) => tracing::warn!(%error, "what was told by mail could not be written down"),
        }
    }
}

/// What cannot be read is begun anew: something is told twice then, and nothing is lost.
fn read_told(path: &Path) -> Told {
    let text = if path.exists() { read_small(path, limits::CONFIG_BYTES_MAX).ok() } else { None };
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn write_told(path: &Path, text: &str) -> std::io::Result<()> {
    let half = path.with_extension("json.part");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&half)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(half, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64, hour: i64, second: i64) -> Option<Timestamp> {
        // A Monday, at midnight.
        Some(Timestamp::from_micros(1_790_553_600_000_000).plus_seconds((day * 24 + hour) * 3_600 + second))
    }

    #[test]
    fn a_schedule_that_was_away_for_a_while_makes_no_digest_forget() {
        let schedule = Schedule::parse("0 7 * * *").unwrap();
        let mut told = Told { digest_at: at(0, 7, 5), digest_sent: true, ..Told::default() };
        // At noon nobody has it for a moment: nothing was due, so nothing changes and nothing is written.
        for second in 0..60 {
            told.pass_by(&schedule, at(0, 12, second).unwrap());
        }
        assert_eq!((told.passed, told.tells_since()), ([None, None], at(0, 7, 5)));
        // What was due just now is sent by whoever takes it over; what was due before that is another's.
        told.pass_by(&schedule, at(1, 7, 20).unwrap());
        assert!(schedule.is_due(told.settled_at(), at(1, 7, 25).unwrap()));
        told.pass_by(&schedule, at(1, 7, 40).unwrap());
        assert!(!schedule.is_due(told.settled_at(), at(1, 8, 0).unwrap()));
        let passed = told.passed;
        told.pass_by(&schedule, at(2, 6, 59).unwrap());
        assert_eq!((told.passed, told.tells_since()), (passed, at(0, 7, 5)), "it may have been nobody's");
        // After days with another node it does not begin with what that one told of.
        told.pass_by(&schedule, at(2, 8, 0).unwrap());
        told.pass_by(&schedule, at(3, 8, 0).unwrap());
        assert_eq!(told.tells_since(), at(2, 7, 3_570));
        assert!(schedule.is_due(told.settled_at(), at(4, 7, 0).unwrap()));
    }

    #[test]
    fn what_a_former_version_kept_is_read() {
        let told: Told = serde_json::from_str(
            &serde_json::to_string(&Told::default()).unwrap().replace(",\"passed\":[null,null]", ""),
        )
        .unwrap();
        assert_eq!(told.passed, [None, None]);
    }
}
