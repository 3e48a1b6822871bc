//! Actors that no password makes: the operator at the server's own command line, and the appliance itself.
//! It never looks at the file system; the caller states what it found there.

use crate::{
    actor::{Actor, ActorFacts, Shown},
    context::{ActorContext, Channel, Locale},
};
use kernel::{BootKind, Id, UserId};
use std::sync::Arc;

/// The role of the local operator. Reserved: no user can have it.
pub const ROLE_LOCAL_OPERATOR: &str = "local_operator";
/// The role of the appliance's own acts. Reserved: no user can have it.
pub const ROLE_APPLIANCE: &str = "appliance";
/// The id under which the appliance acts. A version 7 id of the year 1970, so it never meets a generated one.
pub const SYSTEM_USER: UserId = Id::from_bytes([0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1]);
/// The id under which the local operator acts; the login tells which account of the operating system it was.
pub const LOCAL_OPERATOR_USER: UserId = Id::from_bytes([0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 2]);

/// What the caller found out about the appliance's directory.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryOwnership {
    /// The user id that owns the appliance's private files.
    pub owner_uid: u32,
    /// The effective user id of this process.
    pub process_uid: u32,
    /// Whether this process has just opened a private file of the appliance (mode 0600) for reading.
    pub private_file_opened: bool,
}

/// This process is not the local operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("run this as the account that owns the appliance's directory, or as root")]
pub struct NotLocalOperator;

/// Shows that this process may act as the local operator. Only [`LocalOperator::assert`] makes one.
///
/// ```compile_fail
/// let proof = identity::LocalOperatorProof { private: () };
/// ```
#[derive(Debug)]
pub struct LocalOperatorProof {
    private: (),
}

/// The command line on the server itself.
///
/// Whoever can read the appliance's key file as its service account already holds what the appliance holds, so a password
/// would protect nothing. What is left to do is to say who it was: each act is audited under the operating system's user name.
#[derive(Clone, Copy, Debug)]
pub struct LocalOperator;

impl LocalOperator {
    /// Decides from what the caller found: the private files must open, and belong to this process's account or to be read by root.
    pub const fn assert(found: DirectoryOwnership) -> Result<LocalOperatorProof, NotLocalOperator> {
        if found.private_file_opened && (found.process_uid == found.owner_uid || found.process_uid == 0) {
            Ok(LocalOperatorProof { private: () })
        } else {
            Err(NotLocalOperator)
        }
    }

    /// The actor of one command. `os_user` is the operating system's user name (who called sudo, where known), cut at 64 characters.
    /// The channel is the import's or the command line's, whatever the context says: nothing local comes over the network.
    pub fn actor(proof: &LocalOperatorProof, os_user: &str, context: ActorContext) -> Actor {
        let LocalOperatorProof { private: () } = proof;
        let channel = if context.channel() == Channel::Import { Channel::Import } else { Channel::Cli };
        let name: String = os_user.chars().filter(|char| !char.is_control()).take(64).collect();
        let facts = facts(LOCAL_OPERATOR_USER, name, ROLE_LOCAL_OPERATOR);
        Actor::mint(Arc::new(facts), Shown::LocalOperator, context.through(channel))
    }
}

/// The appliance's own acts: start and stop, checkpoints, schedules.
#[derive(Clone, Copy, Debug)]
pub struct SystemActor;

impl SystemActor {
    /// The actor of this start of the process. The login names the boot, so that its acts can be told from those of another.
    pub fn for_boot(boot: Id<BootKind>, context: ActorContext) -> Actor {
        let facts = facts(SYSTEM_USER, format!("boot {boot}"), ROLE_APPLIANCE);
        Actor::mint(Arc::new(facts), Shown::System, context)
    }
}

fn facts(user: UserId, login: String, role: &str) -> ActorFacts {
    ActorFacts {
        user,
        active: true,
        auth_epoch: 0,
        display_name: login.clone(),
        login,
        roles: vec![role.to_owned()],
        unit: None,
        units_below: Arc::from([]),
        teams: Arc::from([]),
        team_members: Arc::from([user]),
        locale: Locale::En,
        first_password: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActorKind, AuthMethod};

    #[test]
    fn only_the_owner_or_root_with_an_open_file_is_local() {
        for (owner_uid, process_uid, private_file_opened, expected) in [
            (900, 900, true, true),
            (900, 0, true, true),
            (900, 1000, true, false),
            (900, 900, false, false),
            (0, 0, false, false),
        ] {
            let found = DirectoryOwnership { owner_uid, process_uid, private_file_opened };
            assert_eq!(LocalOperator::assert(found).is_ok(), expected, "{found:?}");
        }
    }

    #[test]
    fn local_and_system_actors_say_what_they_are() {
        let found = DirectoryOwnership { owner_uid: 1, process_uid: 1, private_file_opened: true };
        let proof = LocalOperator::assert(found).unwrap();
        let context = ActorContext::new(Channel::Ui, "r").unwrap();
        let operator = LocalOperator::actor(&proof, "an\u{0}na", context.clone());
        assert_eq!((operator.kind(), operator.auth()), (ActorKind::LocalOperator, AuthMethod::LocalOperator));
        assert_eq!((operator.channel(), operator.login()), (Channel::Cli, "anna"));
        assert!(operator.has_role(ROLE_LOCAL_OPERATOR) && !operator.has_role(ROLE_APPLIANCE));
        let system = SystemActor::for_boot(Id::from_bytes([7; 16]), context.through(Channel::System));
        assert_eq!((system.kind(), system.user()), (ActorKind::System, SYSTEM_USER));
        assert_eq!(system.roles(), [ROLE_APPLIANCE]);
        assert_eq!(SYSTEM_USER.to_string(), "00000000-0000-7000-8000-000000000001");
    }
}
