//! How an upgrade begins, ends, or is taken back: what has to be so before the first step, and what is told in the log. The steps in
//! between are `drive`'s.

use crate::appliance::upgrade::last::Last;
use crate::appliance::upgrade::own::{self, Piece};
use crate::appliance::upgrade::owner::{self, as_owner};
use crate::appliance::upgrade::state::{Alone, Install, PRIVATE, PUBLIC};
use crate::appliance::upgrade::switch::{self, Owner};
use crate::appliance::upgrade::{
    Ended, Phase, Secrecy, State, UNKNOWN, drive, kept, mark, plan, platform, refused, running, self_test, told,
};
use crate::appliance::{Appliance, FolderLock, Opened};
use crate::cli::failure::Failure;
use audit::{ActOutcome, Entry, Verb};
use identity::Actor;
use kernel::Code;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use store::Store;
use upgrade::{Bundle, Kind};

/// What is asked for.
pub(crate) struct Wanted {
    /// The bundle; without one the program was switched already.
    pub(crate) bundle: Option<PathBuf>,
    /// Where the program lies, if it is not the one that runs.
    pub(crate) binary: Option<PathBuf>,
    /// The package of the version that runs, where the program belongs to one.
    pub(crate) previous: Option<PathBuf>,
    /// The service that serves the appliance.
    pub(crate) service: Option<String>,
}

/// Closes an appliance that a verb has opened.
pub(super) fn close(opened: Opened) -> Result<(), Failure> {
    let sealed = opened.store.seal_log(opened.signer.as_ref());
    opened.store.close();
    Ok(sealed.map(drop)?)
}

pub(super) fn entry(opened: &Opened, by: &Actor, told: &str) -> Entry {
    let mut entry = opened.store.entry(by, Verb::Upgrade);
    entry.note = plan::noted(&entry, told);
    entry
}

/// Brings the appliance to the version of a bundle, or the database to the version that runs.
pub(crate) fn apply(
    appliance: &mut Appliance,
    wanted: &Wanted,
    by: &Actor,
    secrecy: &Secrecy,
) -> Result<Ended, Failure> {
    let alone = Alone::take(&appliance.layout)?;
    if let Some(state) = State::read(&appliance.layout)? {
        let (from, to, phase) = (told(&state.from), &state.to, state.phase.word());
        let told = format!("the upgrade from {from} to {to} is not finished ({phase})");
        return Err(Failure::new(Code::Unavailable, told)
            .kept("nothing was changed")
            .todo("`kontor upgrade finalize`, `rollback` or `resume` first"));
    }
    let state = match &wanted.bundle {
        Some(bundle) => from_bundle(appliance, wanted, bundle, by)?,
        None => from_schema(appliance, wanted)?,
    };
    appliance.upgrading = true;
    drop(alone);
    drive(appliance, by, secrecy, Some(state))
}

fn from_bundle(appliance: &Appliance, wanted: &Wanted, bundle: &Path, by: &Actor) -> Result<State, Failure> {
    let bundle = plan::bundle_of(appliance, bundle)?;
    let (plan, accepted, known) = as_owner(&appliance.layout, || {
        let opened = appliance.open_without_shipping()?;
        let planned = kept::keep_from_first(&opened, &appliance.vault, by).and_then(|_| {
            let plan = plan::plan(appliance, &opened, &bundle)?;
            Ok((plan, kept::accepted(&opened, &appliance.vault, &bundle)?))
        });
        close(opened)?;
        let (plan, accepted) = planned?;
        Ok((plan, accepted, Store::schema_of(&appliance.store_config()?.engine)?.known))
    })?;
    if !plan.blockers.is_empty() {
        return Err(Failure::new(Code::Unavailable, format!("this cannot begin:\n  {}", plan.blockers.join("\n  ")))
            .kept("nothing was changed")
            .todo("mend these, and look again with `kontor upgrade plan`"));
    }
    let installed = match &wanted.binary {
        Some(path) => fs::canonicalize(path).map_err(|error| Failure::file(path, &error))?,
        None => std::env::current_exe().map_err(|error| Failure::file(Path::new("/proc/self/exe"), &error))?,
    };
    owner::require_roots_program(&appliance.layout, &installed)?;
    let (install, previous) = install(appliance, wanted, &bundle, &installed)?;
    let to = bundle.manifest().version.clone();
    let mut state = State::begin(appliance, (running(), to), installed, install);
    state.service.clone_from(&wanted.service);
    state.sockets = wanted.service.as_deref().map(switch::open_sockets).unwrap_or_default();
    state.accepted = Some(accepted);
    state.known = known;
    if let Err(failure) = switch::stop(&state) {
        // Its sockets are closed already, and it may have stopped after all.
        return Err(not_begun(appliance, &state, by, failure));
    }
    if let Err(failure) = begin(appliance, &mut state, &previous, &bundle, by) {
        return Err(not_begun(appliance, &state, by, failure));
    }
    Ok(state)
}

/// Nothing was switched: where the log has the intent it gets the outcome, what was begun goes, and the service goes on. Told is what
/// failed first, and what of this failed too.
fn not_begun(appliance: &Appliance, state: &State, by: &Actor, failure: Failure) -> Failure {
    let is_logged = matches!(State::read(&appliance.layout), Ok(Some(_)));
    let logged = if is_logged {
        super::drive::told(appliance, state, by, "it could not begin", ActOutcome::Failed).map(drop)
    } else {
        Ok(())
    };
    let cleared = super::drive::clear(appliance);
    match [logged, cleared, switch::start(state)].into_iter().find_map(Result::err) {
        Some(also) => failure.kept(format!("data and program are as they were; but then: {}", also.what())),
        None => failure,
    }
}

fn begin(
    appliance: &Appliance,
    state: &mut State,
    previous: &Path,
    bundle: &Bundle,
    by: &Actor,
) -> Result<(), Failure> {
    let kept = "nothing was switched; data and program are as they were";
    let _lock = as_owner(&appliance.layout, || FolderLock::take(&appliance.layout))?;
    let told = format!("from {} to {}", told(&state.from), state.to);
    as_owner(&appliance.layout, || {
        let opened = appliance.open_without_shipping()?;
        let mut intent = entry(&opened, by, &told);
        intent.phase = audit::Phase::Intent;
        let logged = opened.store.upgrade_begin().and_then(|()| opened.store.append(vec![intent]).wait());
        close(opened)?;
        Ok(logged?)
    })?;
    mark::keep(&appliance.layout, &state.id)?;
    state.enter(Phase::Begun, &appliance.layout)?;
    unpack(appliance, state, previous, bundle)
        .and_then(|()| copy(appliance, state))
        .map_err(|failure| failure.kept(kept))
}

/// The copy of everything that a migration may change.
fn copy(appliance: &Appliance, state: &mut State) -> Result<(), Failure> {
    own::make_copy_folder(&appliance.layout)?;
    state.others = as_owner(&appliance.layout, || {
        let (config, folder) = (appliance.store_config()?, appliance.layout.upgrade_copy());
        let others = Store::copy_still(&config, &folder, appliance.clock.now())?;
        let files = folder.join("files");
        store::link_files(&config.files_folder, &files).map_err(|error| Failure::file(&files, &error))?;
        self_test::before(appliance)?;
        Ok(others)
    })?;
    state.enter(Phase::Copied, &appliance.layout)
}

/// Puts both programs or packages into the folder, and writes down what they are: they are used only as that.
fn unpack(appliance: &Appliance, state: &mut State, previous: &Path, bundle: &Bundle) -> Result<(), Failure> {
    let layout = &appliance.layout;
    let (former, kind, name) = match state.install {
        Install::File => (switch::PREVIOUS, Kind::Binary, switch::NEXT),
        Install::Deb => (switch::PREVIOUS_DEB, Kind::Deb, switch::NEXT_DEB),
        Install::Rpm => (switch::PREVIOUS_RPM, Kind::Rpm, switch::NEXT_RPM),
        Install::Done => return Ok(()),
    };
    let mut made = own::create(layout, former, PRIVATE)?;
    let copied = File::open(previous).and_then(|mut previous| {
        std::io::copy(&mut previous, &mut made)?;
        made.sync_all()?;
        Piece::of(former, &mut made)
    });
    state.pieces = vec![copied.map_err(|error| Failure::file(&layout.upgrade().join(former), &error))?];
    for (kind, name, mode) in [(kind, name, PRIVATE), (Kind::Advisories, "advisories.json", PUBLIC)] {
        let Some(member) = bundle.manifest().member(kind, &platform()) else { continue };
        let failed = |error: std::io::Error| Failure::file(&layout.upgrade().join(name), &error);
        let mut file = own::create(layout, name, mode)?;
        bundle.copy(member, &mut file).map_err(refused)?;
        file.sync_all().map_err(failed)?;
        state.pieces.push(Piece::of(name, &mut file).map_err(failed)?);
    }
    Ok(())
}

/// How the program gets into its place, and the file of what is there now.
fn install(
    appliance: &Appliance,
    wanted: &Wanted,
    bundle: &Bundle,
    installed: &Path,
) -> Result<(Install, PathBuf), Failure> {
    let (kind, install) = match switch::owner(installed) {
        Owner::Nobody => {
            require_version(&switch::version_of(Kind::Binary, installed), installed)?;
            return Ok((Install::File, installed.to_owned()));
        }
        Owner::Deb => (Kind::Deb, Install::Deb),
        Owner::Rpm => (Kind::Rpm, Install::Rpm),
    };
    let refuse = |what: &str, todo: &str| {
        Err(Failure::new(Code::ParameterInvalid, format!("{} belongs to a package{what}", installed.display()))
            .kept("nothing was changed")
            .todo(todo))
    };
    if bundle.manifest().member(kind, &platform()).is_none() {
        return refuse(", and the bundle has none of that kind", "use a bundle with packages");
    }
    let Some(previous) = &wanted.previous else {
        return refuse("; the way back needs that package", "name the file of the installed version with --previous");
    };
    let previous = fs::canonicalize(previous).map_err(|error| Failure::file(previous, &error))?;
    owner::require_roots_program(&appliance.layout, &previous)?;
    require_version(&switch::version_of(kind, &previous), &previous)?;
    Ok((install, previous))
}

/// Refuses what should be the version that runs and is another: there would be no way back with it.
fn require_version(found: &str, path: &Path) -> Result<(), Failure> {
    let wanted = running().to_string();
    if found == wanted {
        return Ok(());
    }
    Err(Failure::new(
        Code::ParameterInvalid,
        format!("{} is version {found:?}, and version {wanted} runs: it could not go back to that", path.display()),
    )
    .kept("nothing was changed")
    .todo("upgrade with the program that is installed; name the package of its version with --previous"))
}

/// The program was switched by other means: the database follows, with a copy to go back to.
fn from_schema(appliance: &Appliance, wanted: &Wanted) -> Result<State, Failure> {
    let schema = as_owner(&appliance.layout, || Ok(Store::schema_of(&appliance.store_config()?.engine)?))?;
    if schema.pending.is_empty() {
        return Err(
            Failure::new(Code::ParameterInvalid, "the database is of this version already").kept("nothing was changed")
        );
    }
    let installed = std::env::current_exe().map_err(|error| Failure::file(Path::new("/proc/self/exe"), &error))?;
    let mut state = State::begin(appliance, (UNKNOWN, running()), installed, Install::Done);
    state.service.clone_from(&wanted.service);
    state.known = schema.at;
    let _lock = as_owner(&appliance.layout, || FolderLock::take(&appliance.layout))?;
    mark::keep(&appliance.layout, &state.id)?;
    state.enter(Phase::Begun, &appliance.layout)?;
    let copied = copy(appliance, &mut state);
    if copied.is_err() {
        super::drive::clear(appliance)?;
    }
    copied.map(|()| state)
}

/// Makes the upgrade final: new formats may be written, older versions are refused, the copy goes.
pub(crate) fn finalize(appliance: &Appliance, by: &Actor) -> Result<State, Failure> {
    let _alone = Alone::take(&appliance.layout)?;
    let state = waiting(appliance)?;
    if state.to != running() {
        return Err(Failure::new(
            Code::SchemaUnknown,
            format!("version {} has to finalize it, this is {}", state.to, running()),
        )
        .kept("nothing was changed")
        .todo(format!("use {}", state.installed.display())));
    }
    as_owner(&appliance.layout, || {
        let opened = appliance.open_without_shipping()?;
        let told = format!("finalized {}: no way back to {}", state.to, told(&state.from));
        let raised = kept::raise(&opened, &appliance.vault, &state, entry(&opened, by, &told));
        // A way back that was cut off before anything was written down has said that it goes back.
        let raised = raised.and_then(|()| Ok(opened.store.upgrade_end()?));
        close(opened)?;
        raised
    })?;
    let last = Last {
        from: state.from.clone(),
        to: state.to.clone(),
        at: appliance.clock.now(),
        outcome: "finalized".to_owned(),
        why: String::new(),
    };
    last.keep(&appliance.layout)?;
    super::drive::clear(appliance)?;
    Ok(state)
}

fn waiting(appliance: &Appliance) -> Result<State, Failure> {
    super::refuse_half_done(&appliance.layout)?;
    State::read(&appliance.layout)?.ok_or_else(|| {
        Failure::new(Code::ParameterInvalid, "no upgrade waits to be finalized").kept("nothing was changed")
    })
}

/// Takes an upgrade back that waits to be finalized. Where the former version can read the schema as it is, nothing is lost;
/// otherwise the data go back to the copy, and what was written since has to be given up in so many words.
pub(crate) fn roll_back(
    appliance: &mut Appliance,
    by: &Actor,
    secrecy: &Secrecy,
    lose_newer: bool,
    out: &mut dyn FnMut(String),
) -> Result<Ended, Failure> {
    let alone = Alone::take(&appliance.layout)?;
    let mut state = waiting(appliance)?;
    let stopped = switch::stop(&state);
    if let Err(failure) = stopped.and_then(|()| leave(appliance, &mut state, by, lose_newer, out)) {
        // Unless that is written down already, nothing goes back, and the new version goes on.
        if State::read(&appliance.layout)?.is_some_and(|state| state.waits()) {
            switch::start(&state)?;
        }
        return Err(failure);
    }
    appliance.upgrading = true;
    drop(alone);
    drive(appliance, by, secrecy, None)
}

/// Counts what would be lost, and writes down that it goes back, while nobody else can write: what a server committed between the
/// count and the copy would go without a word.
fn leave(
    appliance: &Appliance,
    state: &mut State,
    by: &Actor,
    lose_newer: bool,
    out: &mut dyn FnMut(String),
) -> Result<(), Failure> {
    let _lock = as_owner(&appliance.layout, || FolderLock::take(&appliance.layout))?;
    let (told, lossless) = as_owner(&appliance.layout, || {
        let lossless = Store::schema_of(&appliance.store_config()?.engine)?.is_readable_from(state.known);
        let opened = appliance.open_without_shipping()?;
        let told = counted(appliance, &opened, state, by, (lossless, lose_newer));
        close(opened)?;
        Ok((told?, lossless))
    })?;
    out(told);
    state.restores = !lossless;
    state.why = "an operator took it back".to_owned();
    state.enter(Phase::Leaving, &appliance.layout)
}

/// What going back costs, told in the log; refused when that was not given up.
fn counted(
    appliance: &Appliance,
    opened: &Opened,
    state: &State,
    by: &Actor,
    (lossless, lose_newer): (bool, bool),
) -> Result<String, Failure> {
    let (since, others) = (since(opened, state.entries)?, plan::others_serve(appliance, opened)?);
    if !others.is_empty() {
        return Err(Failure::new(Code::Unavailable, others.join("; "))
            .kept("nothing was changed")
            .todo("then repeat it"));
    }
    if !lossless && since > 0 && !lose_newer {
        return Err(Failure::new(
            Code::ParameterInvalid,
            format!("{since} entries that change something were written since the upgrade"),
        )
        .kept("nothing was changed; the new version goes on")
        .todo("go on with the new version and finalize it; or give them up: --lose-newer"));
    }
    let told = match (lossless, since) {
        (true, _) => "nothing is lost: the former version can read the data as they are".to_owned(),
        (false, 0) => "nothing was written since".to_owned(),
        (false, since) => format!("{since} entries that change something were written since, and go"),
    };
    opened.store.upgrade_begin()?;
    let entry = entry(opened, by, &format!("back from {} to {}: {told}", state.to, super::told(&state.from)));
    opened.store.append(vec![entry]).wait()?;
    Ok(told)
}

/// Entries that change something, from this one on.
fn since(opened: &Opened, from: u64) -> Result<u64, Failure> {
    const PAGE: usize = 1_000;
    let (mut at, mut found) = (from, 0);
    loop {
        let lines = opened.store.read(move |tx| tx.log_lines(at, PAGE)).wait()?;
        for line in &lines {
            let entry = Entry::decode(&line.bytes).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
            found += u64::from(changes(entry.act.verb));
        }
        match lines.last() {
            Some(last) if lines.len() == PAGE => at = last.seq + 1,
            _ => return Ok(found),
        }
    }
}

/// Whether somebody would miss what this verb did. Reads, sign-ins, what left as a file and what the appliance tells of itself are in
/// the log only.
fn changes(verb: Verb) -> bool {
    match verb {
        Verb::Create
        | Verb::Update
        | Verb::Delete
        | Verb::Restore
        | Verb::Link
        | Verb::Unlink
        | Verb::Bulk
        | Verb::Import
        | Verb::TokenCreate
        | Verb::TokenRevoke
        | Verb::PasswordChange
        | Verb::DefinitionChange
        | Verb::RoleChange
        | Verb::KeyChange
        | Verb::ConfigChange
        | Verb::Job
        | Verb::ViewChange
        | Verb::CalendarFeed
        | Verb::AttachmentAdd
        | Verb::AttachmentRemove
        | Verb::Merge
        | Verb::BackupPin => true,
        Verb::Read
        | Verb::List
        | Verb::Search
        | Verb::History
        | Verb::Reveal
        | Verb::Export
        | Verb::SignIn
        | Verb::SignInFailed
        | Verb::SignOut
        | Verb::SessionEnd
        | Verb::Denied
        | Verb::Start
        | Verb::Stop
        | Verb::Heartbeat
        | Verb::ClockStep
        | Verb::Unseal
        | Verb::Seal
        | Verb::AuditRead
        | Verb::AuditVerify
        | Verb::Summary
        | Verb::AccessLog
        | Verb::Events
        | Verb::AttachmentList
        | Verb::AttachmentRead
        | Verb::RightsCheck
        | Verb::Backup
        | Verb::BackupRemove
        | Verb::Drill
        | Verb::BackupKey
        | Verb::DrExport
        | Verb::DrDump
        | Verb::BackupPick
        | Verb::Mail
        | Verb::Upgrade
        | Verb::SupportBundle => false,
    }
}
