//! The person at the command line of the server itself: allowed because the appliance's private files open for this
//! account, audited under the name of the account. It looks at owners and modes; it never changes them.

use crate::appliance::Layout;
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
    let opened = File::open(&slots).and_then(|file| file.metadata());
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

/// The name of the account, and behind root the account that called sudo.
fn account_name(uid: u32) -> String {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name_of(&accounts, uid).map_or_else(|| format!("uid {uid}"), str::to_owned);
    match std::env::var("SUDO_UID").ok().filter(|_| uid == 0).and_then(|text| text.parse().ok()) {
        Some(caller) if caller != 0 => {
            name_of(&accounts, caller).map_or_else(|| format!("uid {caller}"), str::to_owned)
        }
        _ => name,
    }
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
    fn accounts_are_found_by_number() {
        let text = "root:x:0:0:root:/:/bin/sh\nbroken\nkontor:x:900:900::/var/lib/kontor:/usr/sbin/nologin\n";
        assert_eq!(name_of(text, 0), Some("root"));
        assert_eq!(name_of(text, 900), Some("kontor"));
        assert_eq!(name_of(text, 901), None);
    }
}
