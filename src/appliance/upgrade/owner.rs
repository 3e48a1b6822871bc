//! Whose rights a part of an upgrade has. Root switches programs, and an appliance whose account is somebody else's may be in wrong
//! hands: so all that is done with its data is done with that account's rights, which lead nowhere that it could not go by itself.
//! It decides nothing about the upgrade.

use crate::appliance::Layout;
use crate::cli::failure::Failure;
use kernel::Code;
use nix::unistd::{User, getgrouplist};
use rustix::fs::{Gid, Uid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The account that an appliance belongs to, where root acts for it.
pub(super) fn acts_for(layout: &Layout) -> Result<Option<(u32, u32)>, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let above = fs::metadata(layout.dir()).map_err(|error| Failure::file(layout.dir(), &error))?;
    // The folder itself lies where only root can put it; the slots are asked only where that is root's.
    let found = match above.uid() {
        0 => fs::symlink_metadata(layout.slots()).map_err(|error| Failure::file(&layout.slots(), &error))?,
        _ => above,
    };
    Ok((found.uid() != 0).then_some((found.uid(), found.gid())))
}

/// Refuses a program that root would start and others than root can exchange.
pub(super) fn require_roots_program(layout: &Layout, program: &Path) -> Result<(), Failure> {
    if acts_for(layout)?.is_none() {
        return Ok(());
    }
    for path in program.ancestors() {
        let found = fs::symlink_metadata(path).map_err(|error| Failure::file(path, &error))?;
        // In a folder where everybody may make something, nobody takes away what is another's.
        let shared = found.is_dir() && found.mode() & 0o1000 != 0;
        if found.uid() != 0 || (found.mode() & 0o022 != 0 && !shared) {
            let told =
                format!("root would start {}, and others than root can write {}", program.display(), path.display());
            return Err(Failure::new(Code::AccessDenied, told).kept("nothing was changed").todo(
                "put the program where only root writes, /usr/bin or /opt; or upgrade as the account of the appliance",
            ));
        }
    }
    Ok(())
}

/// Does something with the data as the account that has them, where root acts for it. In a thread of its own, which gives root's rights
/// up for good; so do the threads that it starts.
///
/// # Errors
/// Those of what is done; `unavailable` where the rights cannot be had.
pub(crate) fn as_owner<T: Send>(
    layout: &Layout,
    done: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    let Some((uid, gid)) = acts_for(layout)? else { return done() };
    let refused = |error: io::Error| {
        Failure::new(Code::Unavailable, format!("the rights of the account with the number {uid}: {error}"))
            .kept("nothing was changed")
            .todo("upgrade as the account of the appliance, or as root with the right to become it (CAP_SETUID, CAP_SETGID)")
    };
    let done = || become_account(uid, gid).map_err(refused).and_then(|()| done());
    std::thread::scope(|scope| scope.spawn(done).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// The rights of this thread become those of an account: the user last, since nobody else may change the others.
fn become_account(uid: u32, gid: u32) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(gid));
    set_thread_groups(&groups(uid, gid)?)?;
    set_thread_res_gid(group, group, group)?;
    Ok(set_thread_res_uid(user, user, user)?)
}

/// The groups that an account is in; a number without a name is in its own.
fn groups(uid: u32, gid: u32) -> io::Result<Vec<Gid>> {
    let Some(user) = User::from_uid(nix::unistd::Uid::from_raw(uid))? else { return Ok(vec![Gid::from_raw(gid)]) };
    let name = CString::new(user.name)?;
    let found = getgrouplist(&name, nix::unistd::Gid::from_raw(gid))?;
    Ok(found.into_iter().map(|group| Gid::from_raw(group.as_raw())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown};

    /// An account that nothing belongs to.
    const OTHER: u32 = 65_534;

    #[test]
    fn an_owner_s_part_has_the_owner_s_rights_and_no_way_back_to_root_s() {
        if !rustix::process::geteuid().is_root() {
            println!("SKIPPED: only root can act for another account");
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let (dir, roots) = (place.path().join("kontor"), place.path().join("secret"));
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(&dir).unwrap();
        chown(&dir, Some(OTHER), Some(OTHER)).unwrap();
        fs::write(&roots, "root's").unwrap();
        fs::set_permissions(&roots, fs::Permissions::from_mode(0o600)).unwrap();
        let layout = Layout::new(&dir);
        as_owner(&layout, || {
            fs::write(dir.join("own"), "").unwrap();
            assert_eq!(fs::read(&roots).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
            // Nor has a thread that it starts, and nobody takes root's rights again.
            std::thread::scope(|scope| scope.spawn(|| fs::read(&roots).unwrap_err()).join().unwrap());
            set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).unwrap_err();
            Ok(())
        })
        .unwrap();
        let found = fs::metadata(dir.join("own")).unwrap();
        assert_eq!((found.uid(), found.gid()), (OTHER, OTHER));
        // Everybody else goes on as who they are.
        assert_eq!(fs::read_to_string(&roots).unwrap(), "root's");
    }
}
