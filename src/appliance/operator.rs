//! The person at the command line of the server itself: allowed because the appliance's private files open for this
//! account, audited under the name of the account. It looks at owners and modes; it never changes them.

use crate::appliance::Layout;
use crate::appliance::upgrade::as_owner;
use crate::cli::failure::Failure;
use identity::{Actor, ActorContext, Channel, DirectoryOwnership, LocalOperator};
use kernel::{AnyKind, Clock, Code, Id, Random};
use std::fs::File;
use std::os::unix::fs::MetadataExt;

/// The local operator, for one command. Refused to accounts that neither own the appliance nor are root.
pub(crate) fn local_operator(
    layout: &Layout,
    channel: Channel,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<Actor, Failure> {
    let slots = layout.slots();
    let opened = as_owner(layout, || Ok(File::open(&slots).and_then(|file| file.metadata())))?;
    let process_uid = rustix::process::geteuid().as_raw();
    let found = DirectoryOwnership {
        owner_uid: opened.as_ref().map_or(u32::MAX, MetadataExt::uid),
        process_uid,
        private_file_opened: opened.is_ok(),
    };
    let proof = LocalOperator::assert(found).map_err(|refused| {
        Failure::new(Code::AccessDenied, format!("this account does not own {}", slots.display()))
            .kept("nothing was changed")
            .todo(refused.to_string())
    })?;
    let request: Id<AnyKind> = Id::generate(clock, random);
    let context = ActorContext::new(channel, request.to_string())
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    Ok(LocalOperator::actor(&proof, &account_name(process_uid), context))
}

/// Refuses root where another account owns the appliance: what root writes there, that account could not open again.
pub(crate) fn refuse_root_on_foreign(layout: &Layout) -> Result<(), Failure> {
    let owner = std::fs::metadata(layout.dir()).map_or(0, |found| found.uid());
    if !rustix::process::geteuid().is_root() || owner == 0 {
        return Ok(());
    }
    let owner = passwd_name(owner);
    let told = format!(
        "{} belongs to the account {owner}, and root would make files there that it cannot open",
        layout.dir().display()
    );
    Err(Failure::new(Code::AccessDenied, told)
        .kept("nothing was changed")
        .todo(format!("run the same as that account: sudo -u {owner} kontor …")))
}

/// The name of whoever is at the machine: who signed in to it, else behind root who called sudo, else the account itself.
fn account_name(uid: u32) -> String {
    let signed_in = std::fs::read_to_string("/proc/self/loginuid").ok().and_then(|text| signed_in_as(&text));
    // Only what root was told by sudo is believed; anybody else may set a variable.
    let called_sudo =
        || std::env::var("SUDO_UID").ok().filter(|_| uid == 0)?.parse().ok().filter(|caller| *caller != 0);
    passwd_name(signed_in.or_else(called_sudo).unwrap_or(uid))
}

/// The user id in `/proc/self/loginuid`: the kernel keeps it through sudo and su. A service has none.
fn signed_in_as(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|uid| *uid != u32::MAX)
}

/// The name of an account.
fn passwd_name(uid: u32) -> String {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(&accounts, uid).map_or_else(|| format!("uid {uid}"), str::to_owned)
}

/// The name of a user id in the text of `passwd(5)`.
fn name_of(accounts: &str, uid: u32) -> Option<&str> {
    accounts.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, _, id) = (parts.next()?, parts.next()?, parts.next()?);
        (id.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signed_in_is_known_or_not() {
        for (text, expected) in [("1000\n", Some(1000)), ("0", Some(0)), ("4294967295", None), ("", None)] {
            assert_eq!(signed_in_as(text), expected, "{text}");
        }
    }

    #[test]
    fn accounts_are_found_by_number() {
        let text = "root:x:0:0:root:/:/bin/sh\nbroken\nkontor:x:900:900::/var/lib/kontor:/usr/sbin/nologin\n";
        assert_eq!(name_of(text, 0), Some("root"));
        assert_eq!(name_of(text, 900), Some("kontor"));
        assert_eq!(name_of(text, 901), None);
    }
}
