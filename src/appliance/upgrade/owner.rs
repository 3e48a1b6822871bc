//! Whose rights a part of an upgrade has. Root switches programs, and an appliance whose account is somebody else's may be in wrong
//! hands: so all that is read and done in its folder is read and done with that account's rights, which lead nowhere that it could not
//! go by itself. It decides nothing about the upgrade.

use crate::appliance::Layout;
use crate::cli::failure::Failure;
use kernel::Code;
use nix::unistd::{User, getgrouplist};
use rustix::fs::{Gid, Uid};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The account that an appliance belongs to, where root acts for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Who has an appliance; nobody where whoever acts has it, or is not root. Asked once: what is asked again may have been exchanged.
///
/// # Errors
/// `access_denied` where others than root could exchange the folder of root's own appliance, and for an account of root's group.
pub(crate) fn owner_of(dir: &Path) -> Result<Option<Owner>, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let found = |path: &Path| fs::symlink_metadata(path).map_err(|error| Failure::file(path, &error));
    let mut has = found(dir)?;
    if has.uid() == 0 {
        // The folder itself lies where only root can put it; what is in it is asked only there.
        has = found(&dir.join("keys"))?;
    }
    if has.uid() == 0 {
        let todo = "put the appliance where only root writes; or give its folder to the account that serves it";
        return require_roots(dir, "is the folder of root's own appliance", todo).map(|()| None);
    }
    let known =
        User::from_uid(nix::unistd::Uid::from_raw(has.uid())).map_err(|error| Failure::file(dir, &error.into()))?;
    let gid = known.map_or(has.gid(), |user| user.gid.as_raw());
    if gid == 0 {
        let told =
            format!("the account with the number {}, which has {}, is in root's group", has.uid(), dir.display());
        return Err(Failure::new(Code::AccessDenied, told)
            .kept("nothing was changed")
            .todo("give that account a group of its own"));
    }
    Ok(Some(Owner { uid: has.uid(), gid }))
}

/// Refuses a program or package that root would start or install and others than root can exchange.
pub(super) fn require_roots_program(layout: &Layout, program: &Path) -> Result<(), Failure> {
    if layout.owner().is_none() {
        return Ok(());
    }
    let todo =
        "put it where only root writes, /usr/bin, /opt or /var/cache; or upgrade as the account of the appliance";
    require_roots(program, "would be started or installed by root", todo)
}

fn require_roots(path: &Path, what: &str, todo: &str) -> Result<(), Failure> {
    for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
        let found = fs::symlink_metadata(part).map_err(|error| Failure::file(part, &error))?;
        // In a folder where everybody may make something, nobody takes away what is another's.
        let shared = found.is_dir() && found.mode() & 0o1000 != 0;
        if found.uid() != 0 || (found.mode() & 0o022 != 0 && !shared) {
            let told = format!("{} {what}, and others than root can write {}", path.display(), part.display());
            return Err(Failure::new(Code::AccessDenied, told).kept("nothing was changed").todo(todo));
        }
    }
    Ok(())
}

/// Does something as the account that has an appliance, where root acts for it: in a thread of its own, whose rights are that account's
/// until it ends, and so are those of the threads that it starts.
///
/// # Errors
/// Those of what is done; `unavailable` where the rights cannot be had.
pub(crate) fn as_owner<T: Send>(
    layout: &Layout,
    done: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    let Some(owner) = layout.owner().filter(|_| rustix::process::geteuid().is_root()) else { return done() };
    let refused = |error: io::Error| {
        Failure::new(Code::Unavailable, format!("the rights of the account with the number {}: {error}", owner.uid))
            .kept("nothing was changed")
            .todo("upgrade as root with the right to become that account (CAP_SETUID, CAP_SETGID)")
    };
    let done = || take_rights(owner).map_err(refused).and_then(|()| done());
    std::thread::scope(|scope| scope.spawn(done).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// The rights of this thread become those of an account: the user last, since nobody else may change the others. Its real and saved
/// user stay root, so the account can neither stop nor limit a process that is root's.
fn take_rights(owner: Owner) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
    set_thread_groups(&groups(owner)?)?;
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(Uid::ROOT, user, Uid::ROOT)?;
    // The change has allowed core dumps again.
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// The groups that an account is in; a number without a name is in its own.
fn groups(owner: Owner) -> io::Result<Vec<Gid>> {
    let group = Gid::from_raw(owner.gid);
    let Some(user) = User::from_uid(nix::unistd::Uid::from_raw(owner.uid))? else { return Ok(vec![group]) };
    let found = getgrouplist(&CString::new(user.name)?, nix::unistd::Gid::from_raw(owner.gid))?;
    Ok(found.into_iter().map(|group| Gid::from_raw(group.as_raw())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::path::PathBuf;

    /// An account that nothing belongs to.
    const OTHER: u32 = 65_534;

    fn root_acts() -> bool {
        let acts = rustix::process::geteuid().is_root();
        if !acts {
            println!("SKIPPED: only root can act for another account");
        }
        acts
    }

    /// A folder of that account, beside which something is root's.
    fn house(place: &Path) -> PathBuf {
        let dir = place.join("kontor");
        fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(&dir).unwrap();
        chown(&dir, Some(OTHER), Some(OTHER)).unwrap();
        dir
    }

    #[test]
    fn an_owner_s_part_has_the_owner_s_rights() {
        if !root_acts() {
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let (dir, roots) = (house(place.path()), place.path().join("secret"));
        fs::write(&roots, "root's").unwrap();
        fs::set_permissions(&roots, fs::Permissions::from_mode(0o600)).unwrap();
        let layout = Layout::new(&dir).acting().unwrap();
        as_owner(&layout, || {
            fs::write(dir.join("own"), "").unwrap();
            assert_eq!(fs::read(&roots).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
            // Nor has a thread that it starts.
            std::thread::scope(|scope| scope.spawn(|| fs::read(&roots).unwrap_err()).join().unwrap());
            Ok(())
        })
        .unwrap();
        let found = fs::metadata(dir.join("own")).unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (OTHER, 0o644));
        assert_ne!(found.gid(), 0);
        // Everybody else goes on as who they are.
        assert_eq!(fs::read_to_string(&roots).unwrap(), "root's");
    }

    #[test]
    fn who_has_it_is_asked_once_and_root_s_own_lies_where_only_root_writes() {
        if !root_acts() {
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let dir = house(place.path());
        let layout = Layout::new(&dir).acting().unwrap();
        chown(&dir, Some(0), Some(0)).unwrap();
        assert_eq!(layout.owner().map(|owner| owner.uid), Some(OTHER));
        // Now the keys say it; what they lead to is not asked.
        fs::create_dir(dir.join("keys")).unwrap();
        assert_eq!(Layout::new(&dir).acting().unwrap().owner(), None);
        chown(dir.join("keys"), Some(OTHER), Some(OTHER)).unwrap();
        assert_eq!(Layout::new(&dir).acting().unwrap().owner().map(|owner| owner.uid), Some(OTHER));
        chown(dir.join("keys"), Some(0), Some(0)).unwrap();
        chown(place.path(), Some(OTHER), None).unwrap();
        assert!(Layout::new(&dir).acting().unwrap_err().what().contains("others than root can write"));
    }
}
