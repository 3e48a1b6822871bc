//! The steps of an upgrade, each from what is written down to the next thing that is: the same code whether it goes on at once or
//! after a power cut. What fails on the way there turns it round; on the way back it has to be repeated until it is done.

use crate::appliance::upgrade::apply::{close, entry};
use crate::appliance::upgrade::last::Last;
use crate::appliance::upgrade::state::{Alone, Install};
use crate::appliance::upgrade::switch::{NEXT, NEXT_DEB, NEXT_RPM, PREVIOUS, PREVIOUS_DEB, PREVIOUS_RPM};
use crate::appliance::upgrade::{Phase, State, as_owner, fault, mark, own, running, self_test, switch, told as former};
use crate::appliance::{Appliance, FolderLock, Layout};
use crate::cli::failure::Failure;
use audit::ActOutcome;
use identity::Actor;
use kernel::Code;
use std::path::PathBuf;
use store::Store;
use zeroize::Zeroizing;

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// There was nothing to do.
    Nothing,
    /// The new version is in its place, and waits to be finalized.
    Waiting,
    /// The former version is in its place with its data, and why.
    Back(String),
}

/// The passphrase that opens the appliance, where no key file does: for the other version, which goes on.
pub(crate) struct Secrecy(pub(crate) Option<Zeroizing<String>>);

impl Secrecy {
    pub(super) fn passphrase(&self) -> Option<&Zeroizing<String>> {
        self.0.as_ref()
    }
}

/// What the next step is done by.
enum Next {
    /// This process has done it.
    Done,
    /// The program that is in its place now.
    Other,
    /// Nothing is left to be done.
    Ended(Ended),
}

/// Goes on from where it is until it is done or undone. `begun` is what was just written down.
pub(crate) fn drive(
    appliance: &Appliance,
    by: &Actor,
    secrecy: &Secrecy,
    begun: Option<State>,
) -> Result<Ended, Failure> {
    let layout = &appliance.layout;
    let mut alone = Some(Alone::take(layout)?);
    let known = match begun {
        Some(state) => Some(state),
        None => State::read(layout)?,
    };
    let Some(mut state) = known else { return Ok(Ended::Nothing) };
    loop {
        let before = state.phase;
        let stepped = step(appliance, &mut state, by);
        let forward =
            matches!(before, Phase::Copied | Phase::Switching | Phase::Switched | Phase::Migrated | Phase::Tested);
        match stepped {
            Ok(Next::Done) => {}
            Ok(Next::Ended(ended)) => return Ok(ended),
            Ok(Next::Other) => {
                alone.take();
                let ran = switch::hand_over(&state, layout.dir(), secrecy);
                alone = Some(Alone::take(layout)?);
                let Some(now) = State::read(layout)? else { return Ok(ended_back(appliance)) };
                let is_well = ran.as_ref().is_ok_and(|status| status.success());
                let told =
                    ran.map_or_else(|failure| failure.what().to_owned(), |status| format!("it ended with {status}"));
                if now.waits() {
                    return if is_well { Ok(Ended::Waiting) } else { Err(not_started(&now, &told)) };
                }
                if matches!(before, Phase::Leaving | Phase::Restoring) {
                    return Err(unfinished(
                        Code::Unavailable,
                        &format!("version {} could not go on: {told}", state.from),
                    ));
                }
                state = now;
                let why = format!("version {} could not go on: {told}", state.to);
                turn(&mut state, appliance, why)?;
            }
            // What was found well is not taken back because the service manager cannot start it.
            Err(failure) if state.waits() => return Err(failure.kept(WAITS)),
            Err(failure) if forward => turn(&mut state, appliance, failure.what().to_owned())?,
            Err(failure) => return Err(unfinished(failure.code, failure.what())),
        }
    }
}

/// What is so although the service did not start.
const WAITS: &str = "the new version is in its place, its self-test was well, and it waits to be finalized";

/// The other version did what it had to, and could not start the service; it has said why.
fn not_started(state: &State, told: &str) -> Failure {
    Failure::new(Code::Unavailable, format!("version {} is in its place, and its end was not well: {told}", state.to))
        .kept(WAITS)
        .todo("look at what is told above, and start the service; or go back: `kontor upgrade rollback`")
}

/// Refuses to go on for the other version with a program that is not the one: it would hand over to itself for ever.
pub(crate) fn require_wanted(layout: &Layout) -> Result<(), Failure> {
    let Some(state) = State::read(layout)? else { return Ok(()) };
    let wanted = match state.phase {
        Phase::Switched | Phase::Migrated | Phase::Tested => &state.to,
        Phase::Restoring if state.install != Install::Done => &state.from,
        _ => return Ok(()),
    };
    if *wanted == running() {
        return Ok(());
    }
    let place = state.installed.display();
    Err(Failure::new(Code::Unavailable, format!("{place} is version {} and should be {wanted}", running()))
        .kept("nothing was changed")
        .todo(format!("put version {wanted} there, then `kontor upgrade resume`")))
}

fn unfinished(code: Code, what: &str) -> Failure {
    Failure::new(code, what.to_owned())
        .kept("the copy of data and program; the appliance stays closed")
        .todo("mend this, then `kontor upgrade resume`")
}

/// From here on it goes back.
fn turn(state: &mut State, appliance: &Appliance, why: String) -> Result<(), Failure> {
    if !matches!(state.phase, Phase::Leaving | Phase::Restoring) {
        why.clone_into(&mut state.why);
        state.enter(Phase::Leaving, &appliance.layout)?;
    }
    Ok(())
}

fn step(appliance: &Appliance, state: &mut State, by: &Actor) -> Result<Next, Failure> {
    let layout = &appliance.layout;
    let _lock = if state.waits() { None } else { Some(as_owner(layout, || FolderLock::take(layout))?) };
    match state.phase {
        Phase::Begun => return Ok(Next::Ended(abandoned(appliance, state, by)?)),
        Phase::Copied => state.enter(Phase::Switching, layout)?,
        Phase::Switching => {
            switch::forward(state, layout)?;
            state.enter(Phase::Switched, layout)?;
        }
        Phase::Switched | Phase::Migrated | Phase::Tested if state.to != running() => return Ok(Next::Other),
        Phase::Switched => {
            let engine = appliance.store_config()?.engine;
            let ahead = as_owner(layout, || Ok(Store::migration_ahead(&engine)?))?;
            // Written down first: after a power cut behind the migration there is nothing left to run, and what was named stays named.
            if !ahead.steps.is_empty() {
                state.touched = as_owner(layout, || self_test::touched(appliance, &ahead))?;
                state.keep(layout)?;
            }
            as_owner(layout, || Ok(Store::migrate_now(&engine, appliance.clock.now())?))?;
            fault::reached("schema");
            state.enter(Phase::Migrated, layout)?;
        }
        Phase::Migrated => {
            self_test::run(appliance, state)?;
            state.enter(Phase::Tested, layout)?;
        }
        Phase::Tested => {
            conclude(appliance, state, by)?;
            drop(_lock);
            switch::start(state)?;
            return Ok(Next::Ended(Ended::Waiting));
        }
        Phase::Waiting => return Ok(Next::Ended(Ended::Waiting)),
        Phase::Leaving => {
            switch::back(state, layout)?;
            state.enter(Phase::Restoring, layout)?;
        }
        Phase::Restoring if state.install != Install::Done && state.from != running() => return Ok(Next::Other),
        Phase::Restoring => {
            let mut why = restore(appliance, state, by)?;
            drop(_lock);
            if let Err(failure) = switch::start(state) {
                why = format!("{why}; and the service did not start: {}", failure.what());
            }
            return Ok(Next::Ended(Ended::Back(why)));
        }
    }
    Ok(Next::Done)
}

/// Nothing was switched: what was begun goes.
fn abandoned(appliance: &Appliance, state: &State, by: &Actor) -> Result<Ended, Failure> {
    let why = "it was cut off before anything was switched".to_owned();
    told(appliance, state, by, &why, ActOutcome::Failed)?;
    came_back(appliance, state, &why)?;
    Ok(Ended::Back(why))
}

pub(super) fn told(
    appliance: &Appliance,
    state: &State,
    by: &Actor,
    what: &str,
    outcome: ActOutcome,
) -> Result<u64, Failure> {
    as_owner(&appliance.layout, || {
        let opened = appliance.open_without_shipping()?;
        let mut entry = entry(&opened, by, &format!("from {} to {}: {what}", former(&state.from), state.to));
        entry.phase = audit::Phase::Outcome;
        entry.outcome = outcome;
        let logged = opened.store.append(vec![entry]).wait().and_then(|_| opened.store.upgrade_end());
        let size = opened.store.read(|tx| tx.log_size()).wait();
        close(opened)?;
        logged?;
        Ok(size?)
    })
}

fn conclude(appliance: &Appliance, state: &mut State, by: &Actor) -> Result<(), Failure> {
    state.entries = told(appliance, state, by, "the self-test was well", ActOutcome::Ok)?;
    state.since = appliance.clock.now();
    state.enter(Phase::Waiting, &appliance.layout)
}

/// The data as they were, and the entry that says so.
fn restore(appliance: &Appliance, state: &mut State, by: &Actor) -> Result<String, Failure> {
    let mut why = if state.why.is_empty() { "it was taken back".to_owned() } else { state.why.clone() };
    if state.restores {
        let (gone, kept) = data_back(appliance, state)?;
        if let Some(kept) = kept {
            let name = kept.file_name().unwrap_or_default().to_string_lossy().into_owned();
            why = format!("{why}; {gone} entries of the log went with the data, they lie in {name}");
        }
    }
    if state.install == Install::Done {
        // The version that could open these data is not here; its first start tells the log that it serves.
        tracing::info!(why, "the data are as they were");
    } else {
        told(appliance, state, by, &format!("back again: {why}"), ActOutcome::Failed)?;
    }
    came_back(appliance, state, &why)?;
    Ok(why)
}

/// Puts the data back. Entries of the log that go with that are counted before, and what signed them is kept beside; how many, and
/// where.
fn data_back(appliance: &Appliance, state: &mut State) -> Result<(u64, Option<PathBuf>), Failure> {
    let (layout, now) = (&appliance.layout, appliance.clock.now());
    let (config, copy) = (appliance.store_config()?, layout.upgrade_copy());
    let gone = match state.given_up {
        Some(gone) => gone,
        None => {
            let gone = as_owner(layout, || Ok(Store::newer_than_copy(&config.engine, &copy)?))?;
            state.given_up = Some(gone);
            state.keep(layout)?;
            gone
        }
    };
    let kept = (gone > 0).then(|| layout.log_given_up(&state.to.to_string(), state.since));
    as_owner(layout, || {
        Store::copy_back(&config, &copy, &state.others, kept.as_deref(), now)?;
        store::link_files(&copy.join("files"), &config.files_folder)
            .map_err(|error| Failure::file(&config.files_folder, &error))
    })?;
    Ok((gone, kept))
}

fn came_back(appliance: &Appliance, state: &State, why: &str) -> Result<(), Failure> {
    let last = Last {
        from: state.from.clone(),
        to: state.to.clone(),
        at: appliance.clock.now(),
        outcome: "back".to_owned(),
        why: why.to_owned(),
    };
    last.keep(&appliance.layout)?;
    clear(appliance)
}

fn ended_back(appliance: &Appliance) -> Ended {
    Ended::Back(Last::read(&appliance.layout).map(|last| last.why).unwrap_or_default())
}

/// Takes away what an upgrade has in the folder of the appliance; the state first, since it is what others go by.
pub(super) fn clear(appliance: &Appliance) -> Result<(), Failure> {
    let pieces = [NEXT, NEXT_DEB, NEXT_RPM, PREVIOUS, PREVIOUS_DEB, PREVIOUS_RPM];
    own::remove(&appliance.layout, [own::STATE].into_iter().chain(pieces))?;
    mark::forget(&appliance.layout)?;
    // What is left of it takes room and nothing else: the next upgrade takes it away, or says why it cannot.
    if let Err(failure) = own::remove_copy_folder(&appliance.layout) {
        tracing::warn!(why = failure.what(), "the copy of the data could not be taken away");
    }
    Ok(())
}
