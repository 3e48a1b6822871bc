//! The verbs of identity from outside, over ports in memory and a clock that is moved by hand.

use crate::{
    ActorKind, AuthMethod, Identity, Locale, PasswordError, PasswordHash, PasswordOrigin, PasswordWeakness,
    ROLE_APPLIANCE, ROLE_LOCAL_OPERATOR, SessionEnd, SessionError, SignInEvent, SignInRefusal, TokenScopes, TokenVerb,
    memory::{CountingRandom, Memory, facts, session_actor, token_actor},
    service_fixture::{PASSWORD, World, code, context, password_hash},
};
use kernel::{
    Clock, Code, Fault, Timestamp, UserId,
    limits::{SESSION_ABSOLUTE_SECONDS, SESSION_IDLE_SECONDS, SESSIONS_PER_USER_MAX, SIGN_IN_FREE_FAILURES},
};
use std::sync::Arc;

#[test]
fn a_password_becomes_an_actor_and_a_cookie_resumes_it() {
    let world = World::new();
    let signed_in = world.sign_in();
    assert_eq!((signed_in.actor.user(), signed_in.actor.login()), (world.anna, "Anna"));
    assert_eq!((signed_in.actor.kind(), signed_in.actor.auth()), (ActorKind::User, AuthMethod::Password));
    assert_eq!(signed_in.expires, world.clock.now().plus_seconds(SESSION_ABSOLUTE_SECONDS));
    let context = context().with_locale(Locale::Zh).with_purpose("call back").unwrap();
    let resumed = world.identity.resume(signed_in.cookie.expose(), context).unwrap();
    assert_eq!(resumed.actor.session(), signed_in.actor.session());
    assert_eq!((resumed.actor.locale(), resumed.actor.purpose()), (Locale::Zh, Some("call back")));
    assert!(resumed.actor.token_allows("account", TokenVerb::Admin), "a session is not narrowed");
    assert_eq!(world.identity.check_csrf(&resumed, Some(signed_in.csrf.expose())), Ok(()));
    let refused = world.identity.check_csrf(&resumed, Some("x")).unwrap_err();
    assert_eq!(code(refused), Code::CsrfRequired);
    assert!(world.memory.user(world.anna).unwrap().signed_in.is_some());
    let shown = format!("{:?} {signed_in:?} {resumed:?}", world.identity);
    for secret in ["Anna", "10.0.0.1", signed_in.cookie.expose(), signed_in.csrf.expose()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn wrong_passwords_unknown_logins_and_closed_accounts_look_and_cost_the_same() {
    let world = World::new();
    let closed = facts("closed");
    world.memory.user_put(closed.clone(), Some(password_hash()));
    world.memory.user_change(closed.user, |user| user.facts.active = false);
    world.memory.user_put(facts("directory"), None);
    for (login, password) in [
        ("anna", "wrong horse"),
        ("nobody", PASSWORD),
        ("closed", PASSWORD),
        ("directory", PASSWORD),
        ("", PASSWORD),
        (&"x".repeat(70), "y"),
    ] {
        let before = world.identity.password_hashes_computed();
        let error = world.identity.sign_in(login, password, context()).unwrap_err();
        assert!(matches!(error.refusal, SignInRefusal::Failed), "{login}");
        assert_eq!(world.identity.password_hashes_computed() - before, 1, "one Argon2 run for {login:?}");
        let fault = Fault::from(error);
        assert_eq!((fault.code, fault.cause()), (Code::SignInFailed, None));
    }
    assert_eq!(
        world.memory.calls("record_failures"),
        0,
        "a failure writes nothing, so it takes as long for an unknown login"
    );
}

#[test]
fn failures_delay_are_stored_at_upkeep_and_survive_a_restart() {
    let world = World::new();
    let first = world.fail("anna");
    assert!(matches!(first.event, Some(SignInEvent::Failed(_))));
    for _ in 0..SIGN_IN_FREE_FAILURES {
        assert!(world.fail("anna").event.is_none());
    }
    let before = world.identity.password_hashes_computed();
    let delayed = world.identity.sign_in("anna", PASSWORD, context()).unwrap_err();
    assert!(matches!(delayed.refusal, SignInRefusal::Delayed { seconds: 2 }), "{delayed:?}");
    assert_eq!(world.identity.password_hashes_computed(), before, "a refused attempt costs nothing");
    let fault = Fault::from(delayed);
    assert_eq!(fault.code, Code::SignInDelayed);
    assert_eq!(fault.extension.as_deref(), Some("{\"retry_after_seconds\":2}"));

    let (events, stored) = world.identity.upkeep(true);
    stored.unwrap();
    let [SignInEvent::FailedAgain(report)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((report.failures, report.refused, report.users.as_slice()), (5, 1, [world.anna].as_slice()));
    assert_eq!(world.memory.user(world.anna).unwrap().failed_count, 6);

    let restarted = world.restarted();
    let delayed = restarted.sign_in("anna", PASSWORD, context()).unwrap_err();
    assert!(matches!(delayed.refusal, SignInRefusal::Delayed { seconds: 2 }), "{delayed:?}");
    world.clock.advance_seconds(2);
    assert!(restarted.sign_in("anna", PASSWORD, context()).is_ok());
    assert_eq!(world.memory.user(world.anna).unwrap().failed_count, 0);
}

#[test]
fn a_broken_storage_is_not_the_users_failure() {
    let world = World::new();
    world.memory.break_down(true);
    for _ in 0..20 {
        let error = world.identity.sign_in("anna", PASSWORD, context()).unwrap_err();
        let fault = Fault::from(error);
        assert_eq!((fault.code, fault.cause()), (Code::Internal, Some("the disk is full")));
    }
    world.memory.break_down(false);
    world.fail("anna");
    world.memory.break_down(true);
    assert!(world.identity.upkeep(false).1.is_err());
    world.memory.break_down(false);
    assert!(world.identity.upkeep(false).1.is_ok());
    assert_eq!(
        world.memory.user(world.anna).unwrap().failed_count,
        1,
        "a count that could not be stored is tried again"
    );
    assert!(world.identity.sign_in("anna", PASSWORD, context()).is_ok());
}

#[test]
fn sessions_end_by_idleness_age_and_sign_out() {
    let world = World::new();
    let session = world.sign_in();
    world.clock.advance_seconds(SESSION_IDLE_SECONDS - 1);
    assert_eq!(world.end_of(&session), None);
    world.clock.advance_seconds(SESSION_IDLE_SECONDS);
    assert_eq!(world.end_of(&session), Some(SessionEnd::Idle));
    assert_eq!(world.end_of(&session), Some(SessionEnd::Unknown), "it is gone");

    let session = world.sign_in();
    for _ in 0..SESSION_ABSOLUTE_SECONDS / 1_000 {
        world.clock.advance_seconds(1_000);
        assert_eq!(world.end_of(&session), None);
    }
    world.clock.advance_seconds(SESSION_ABSOLUTE_SECONDS % 1_000);
    assert_eq!(world.end_of(&session), Some(SessionEnd::Absolute));

    let session = world.sign_in();
    assert_eq!(world.end_of(&session), None);
    world.identity.sign_out(&session.actor).unwrap();
    assert_eq!(world.end_of(&session), Some(SessionEnd::Unknown), "also from the cache");
    let fault = Fault::from(SessionError::Ended(SessionEnd::Idle));
    assert_eq!((fault.code, fault.detail.contains("30 minutes")), (Code::SignInRequired, true));
}

#[test]
fn wrong_cookies_open_nothing_and_end_nothing() {
    let world = World::new();
    let (session, other) = (world.sign_in(), world.sign_in());
    let (id, _) = session.cookie.expose().split_once('.').unwrap();
    let (_, secret) = other.cookie.expose().split_once('.').unwrap();
    for cookie in ["", "x.y", &format!("{id}.{secret}")] {
        for _ in 0..2 {
            let error = world.identity.resume(cookie, context()).unwrap_err();
            assert!(matches!(error, SessionError::Ended(SessionEnd::Unknown)), "{cookie}");
        }
        assert_eq!(world.end_of(&session), None, "also once it is cached");
    }
}

#[test]
fn a_request_loads_nothing_for_ten_seconds_and_stores_one_use_a_minute() {
    let world = World::new();
    let session = world.sign_in();
    for _ in 0..100 {
        assert_eq!(world.end_of(&session), None);
    }
    assert_eq!((world.memory.calls("session_load"), world.memory.calls("session_touch")), (1, 0));
    for _ in 0..120 {
        world.clock.advance_seconds(1);
        assert_eq!(world.end_of(&session), None);
    }
    assert_eq!(world.memory.calls("session_load"), 13);
    assert_eq!(world.memory.calls("session_touch"), 2);
}

#[test]
fn changed_rights_and_closed_accounts_end_sessions() {
    let world = World::new();
    let session = world.sign_in();
    assert_eq!(world.end_of(&session), None);
    world.memory.user_change(world.anna, |user| user.facts.auth_epoch += 1);
    assert_eq!(world.end_of(&session), None, "another node's change is seen after ten seconds at most");
    world.clock.advance_seconds(10);
    assert_eq!(world.end_of(&session), Some(SessionEnd::RightsChanged));

    let session = world.sign_in();
    assert_eq!(world.end_of(&session), None);
    world.memory.user_change(world.anna, |user| user.facts.active = false);
    world.identity.invalidate_user(world.anna);
    assert_eq!(world.end_of(&session), Some(SessionEnd::UserClosed), "this process's change at once");

    world.memory.user_change(world.anna, |user| user.facts.active = true);
    let session = world.sign_in();
    assert_eq!(world.end_of(&session), None);
    assert_eq!(world.identity.sessions_end(world.anna).unwrap(), 1);
    assert_eq!(world.end_of(&session), Some(SessionEnd::Unknown));
}

#[test]
fn changed_units_reach_the_actor_without_a_new_sign_in() {
    let world = World::new();
    let session = world.sign_in();
    let name = |world: &World| {
        let resumed = world.identity.resume(session.cookie.expose(), context()).unwrap();
        resumed.actor.display_name().to_owned()
    };
    assert_eq!(name(&world), "Anna");
    world.memory.user_change(world.anna, |user| user.facts.display_name = "Anna B.".to_owned());
    world.identity.invalidate_all();
    assert_eq!(name(&world), "Anna B.");
}

#[test]
fn the_oldest_sessions_make_room() {
    let world = World::new();
    let first = world.sign_in();
    let second = world.sign_in();
    world.clock.advance_seconds(1);
    for _ in 2..SESSIONS_PER_USER_MAX {
        world.sign_in();
    }
    world.clock.advance_seconds(60);
    assert_eq!(world.end_of(&first), None, "used last");
    let last = world.sign_in();
    assert_eq!(world.end_of(&second), Some(SessionEnd::Unknown));
    assert_eq!((world.end_of(&first), world.end_of(&last)), (None, None));
    assert_eq!(world.identity.sessions_list(world.anna).unwrap().len(), SESSIONS_PER_USER_MAX);
    world.clock.advance_seconds(SESSION_IDLE_SECONDS + 1);
    assert!(world.identity.sessions_list(world.anna).unwrap().is_empty());
    assert_eq!(world.identity.sessions_sweep().unwrap(), SESSIONS_PER_USER_MAX);
}

#[test]
fn a_password_changes_with_the_old_one_only_and_ends_all_sessions() {
    let world = World::new();
    let (session, other) = (world.sign_in(), world.sign_in());
    let change = |old: &str, new: &str| world.identity.password_change(&session.actor, old, new);
    assert!(matches!(change(PASSWORD, PASSWORD), Err(PasswordError::Weak(PasswordWeakness::Unchanged))));
    assert!(matches!(
        change(PASSWORD, "anna and the horse"),
        Err(PasswordError::Weak(PasswordWeakness::ContainsLogin))
    ));
    assert_eq!(code(change("wrong horse battery", "a bird in the hand").unwrap_err()), Code::SignInFailed);
    let renewed = change(PASSWORD, "a bird in the hand").unwrap();
    assert_eq!(world.end_of(&renewed), None);
    assert_ne!(renewed.actor.session(), session.actor.session());
    assert_eq!((world.end_of(&session), world.end_of(&other)), (Some(SessionEnd::Unknown), Some(SessionEnd::Unknown)));
    assert!(world.identity.sign_in("anna", PASSWORD, context()).is_err());
    assert!(world.identity.sign_in("anna", "a bird in the hand", context()).is_ok());
    for _ in 0..=SIGN_IN_FREE_FAILURES {
        let _ = world.identity.password_change(&renewed.actor, "wrong horse battery", "two in the bush");
    }
    let error = world.identity.password_change(&renewed.actor, "a bird in the hand", "two in the bush").unwrap_err();
    assert_eq!(code(error), Code::SignInDelayed, "a stolen session cannot guess the password");
}

#[test]
fn an_administrator_sets_a_password_and_old_sessions_die() {
    let world = World::new();
    let session = world.sign_in();
    assert!(matches!(
        world.identity.password_set(world.anna, "short", PasswordOrigin::First),
        Err(PasswordError::Weak(PasswordWeakness::TooShort))
    ));
    assert_eq!(world.end_of(&session), None, "a refused password changes nothing");
    world.identity.password_set(world.anna, "a bird in the hand", PasswordOrigin::First).unwrap();
    assert_eq!(world.end_of(&session), Some(SessionEnd::Unknown));
    let first = world.identity.sign_in("anna", "a bird in the hand", context()).unwrap();
    assert!(first.actor.must_change_password());
    let own = world.identity.password_change(&first.actor, "a bird in the hand", "two birds in the bush").unwrap();
    assert!(!own.actor.must_change_password());
    let unknown =
        world.identity.password_set(facts("nobody").user, "a bird in the hand", PasswordOrigin::Own).unwrap_err();
    assert_eq!(code(unknown), Code::RecordNotFound);
}

#[test]
fn an_old_hash_is_renewed_at_sign_in_and_keeps_the_sessions() {
    let world = World::new();
    let session = world.sign_in();
    // Argon2id of the test password with 8 MiB and one pass, made by the library with other parameters.
    let params = argon2::Params::new(8 * 1024, 1, 1, None).unwrap();
    let salt = argon2::password_hash::SaltString::encode_b64(&[3; 16]).unwrap();
    let old = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let old = argon2::PasswordHasher::hash_password(&old, PASSWORD.as_bytes(), &salt).unwrap().to_string();
    world.memory.user_change(world.anna, |user| user.password = Some(PasswordHash::parse(&old).unwrap()));
    world.sign_in();
    let renewed = world.memory.user(world.anna).unwrap().password.unwrap();
    assert!(renewed.expose().contains("m=19456,t=2,p=1"), "{}", renewed.expose());
    world.sign_in();
    assert_eq!(world.end_of(&session), None);
}

#[test]
fn reserved_roles_never_reach_a_user() {
    let world = World::new();
    let roles = [ROLE_LOCAL_OPERATOR, "seller", ROLE_APPLIANCE].map(str::to_owned);
    world.memory.user_change(world.anna, |user| user.facts.roles = roles.to_vec());
    let session = world.sign_in();
    assert_eq!(session.actor.roles(), ["seller"]);
    let resumed = world.identity.resume(session.cookie.expose(), context()).unwrap();
    assert_eq!(resumed.actor.roles(), ["seller"]);
}

#[test]
fn a_password_changed_while_signing_in_opens_no_session() {
    /// Answers with a credential of the epoch before.
    struct Late(Arc<Memory>);
    impl crate::UserDirectory for Late {
        fn facts(&self, user: UserId) -> Result<Option<crate::ActorFacts>, crate::PortError> {
            Ok(self.0.facts(user)?.map(|facts| crate::ActorFacts { auth_epoch: facts.auth_epoch + 1, ..facts }))
        }
        fn credential_by_login(&self, login: &str) -> Result<Option<crate::Credential>, crate::PortError> {
            self.0.credential_by_login(login)
        }
        fn set_password_hash(&self, _: UserId, _: &PasswordHash, _: PasswordOrigin) -> Result<(), crate::PortError> {
            Ok(())
        }
        fn replace_password_hash(&self, _: UserId, _: &PasswordHash, _: &PasswordHash) -> Result<(), crate::PortError> {
            Ok(())
        }
        fn record_sign_in(&self, _: UserId, _: Timestamp, _: Option<std::net::IpAddr>) -> Result<(), crate::PortError> {
            Ok(())
        }
        fn record_failures(&self, _: UserId, _: u32, _: Timestamp) -> Result<(), crate::PortError> {
            Ok(())
        }
    }
    let world = World::new();
    let ports = crate::Ports { users: Arc::new(Late(world.memory.clone())), ..world.memory.ports() };
    let identity = Identity::new(ports, world.clock.clone(), Arc::new(CountingRandom::new(3)));
    let error = identity.sign_in("anna", PASSWORD, context()).unwrap_err();
    assert!(matches!(error.refusal, SignInRefusal::Failed));
}

#[test]
fn actors_for_other_crates_tests_come_on_the_same_road() {
    let actor = session_actor(facts("bert"), context()).unwrap();
    assert_eq!((actor.user(), actor.auth()), (facts("bert").user, AuthMethod::Password));
    let scopes = TokenScopes::parse(&["account:read"]).unwrap();
    let actor = token_actor(facts("bert"), scopes, context()).unwrap();
    assert!(!actor.token_allows("contact", TokenVerb::Read));
    let closed = crate::ActorFacts { active: false, ..facts("bert") };
    assert!(matches!(session_actor(closed, context()), Err(SessionError::Ended(SessionEnd::UserClosed))));
}
