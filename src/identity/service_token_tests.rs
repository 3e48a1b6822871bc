//! API tokens from outside: scopes, expiry, revocation, networks, limits.

use crate::{
    ActorContext, AuthMethod, BearerError, Channel, Cidr, PasswordError, TokenError, TokenVerb,
    memory::facts,
    service_fixture::{PASSWORD, World, code, context, from},
};
use kernel::{
    Clock, Code, Fault, Timestamp,
    limits::{TOKEN_LIFE_SECONDS_MAX, TOKEN_NAME_CHARS_MAX, TOKEN_NETWORKS_MAX, TOKENS_PER_USER_MAX},
};

#[test]
fn a_token_carries_its_scopes_until_it_expires_or_is_revoked() {
    let world = World::new();
    let session = world.sign_in();
    let expires = world.clock.now().plus_seconds(3_600);
    let make = || world.identity.token_create(&session.actor, " nightly ", &["account:read"], expires, vec![]).unwrap();
    let (record, text) = make();
    assert_eq!(record.name, "nightly");
    assert!(text.expose().starts_with(&record.prefix()));
    assert!(!format!("{record:?}{text:?}").contains("nightly"));
    let actor = world.identity.bearer(text.expose(), from("10.9.9.9")).unwrap();
    assert_eq!(
        (actor.user(), actor.auth(), actor.token(), actor.session()),
        (world.anna, AuthMethod::Token, Some(record.id), None)
    );
    assert!(actor.token_allows("account", TokenVerb::Read) && !actor.token_allows("account", TokenVerb::Update));
    let used = world.identity.tokens_list(world.anna).unwrap()[0].last_used_at;
    assert_eq!(used, Some(world.clock.now()), "the first use is stored at once");
    assert!(matches!(
        world.identity.token_create(&actor, "child", &["*:*"], expires, vec![]),
        Err(TokenError::SessionRequired)
    ));
    assert!(matches!(
        world.identity.password_change(&actor, PASSWORD, "a bird in the hand"),
        Err(PasswordError::SessionRequired)
    ));

    let (revoked, revoked_text) = make();
    assert!(world.identity.bearer(revoked_text.expose(), context()).is_ok());
    assert!(matches!(world.identity.token_revoke(facts("bert").user, revoked.id), Err(TokenError::NotFound)));
    world.identity.token_revoke(world.anna, revoked.id).unwrap();
    assert!(matches!(world.identity.bearer(revoked_text.expose(), context()), Err(BearerError::Revoked)));

    let foreign = format!("{}{}", record.prefix(), revoked_text.expose().strip_prefix(&revoked.prefix()).unwrap());
    assert!(matches!(world.identity.bearer(&foreign, context()), Err(BearerError::Unknown)));
    world.clock.advance_seconds(3_599);
    assert!(world.identity.bearer(text.expose(), context()).is_ok());
    world.clock.advance_seconds(1);
    assert!(matches!(world.identity.bearer(text.expose(), context()), Err(BearerError::Expired)));
}

#[test]
fn tokens_are_cached_touched_once_a_minute_and_end_with_the_account() {
    let world = World::new();
    let session = world.sign_in();
    let expires = world.clock.now().plus_seconds(3_600);
    let (_, text) = world.identity.token_create(&session.actor, "a", &["*:read"], expires, vec![]).unwrap();
    for _ in 0..120 {
        assert!(world.identity.bearer(text.expose(), context()).is_ok());
        world.clock.advance_seconds(1);
    }
    assert_eq!((world.memory.calls("token_load"), world.memory.calls("token_touch")), (12, 2));
    world.memory.user_change(world.anna, |user| user.facts.active = false);
    world.identity.invalidate_user(world.anna);
    let error = world.identity.bearer(text.expose(), context()).unwrap_err();
    assert!(matches!(error, BearerError::UserClosed));
    assert_eq!(code(error), Code::SignInRequired);
}

#[test]
fn a_token_works_from_its_networks_only() {
    let world = World::new();
    let session = world.sign_in();
    let allow: Vec<Cidr> = vec!["10.0.0.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    let expires = world.clock.now().plus_seconds(60);
    let (_, text) = world.identity.token_create(&session.actor, "a", &["*:*"], expires, allow).unwrap();
    for (address, allowed) in
        [("10.0.0.77", true), ("::ffff:10.0.0.1", true), ("10.0.1.1", false), ("2001:db8::9", true), ("::1", false)]
    {
        assert_eq!(world.identity.bearer(text.expose(), from(address)).is_ok(), allowed, "{address}");
    }
    let unknown = world.identity.bearer(text.expose(), ActorContext::new(Channel::Api, "r").unwrap()).unwrap_err();
    assert_eq!(code(unknown), Code::TokenScope, "an unknown address is outside");
}

#[test]
fn the_limits_of_tokens() {
    let world = World::new();
    let session = world.sign_in();
    let now = world.clock.now();
    let create = |name: &str, scope: &str, expires: Timestamp, networks: usize| {
        let allow = vec!["10.0.0.0/8".parse().unwrap(); networks];
        world.identity.token_create(&session.actor, name, &[scope], expires, allow).map(|_| ())
    };
    let (soon, longest) = (now.plus_seconds(1), now.plus_seconds(TOKEN_LIFE_SECONDS_MAX));
    for name in ["", "  ", "a\nb", &"n".repeat(TOKEN_NAME_CHARS_MAX + 1)] {
        assert!(matches!(create(name, "*:*", soon, 0), Err(TokenError::Name)), "{name:?}");
    }
    assert!(matches!(create("a", "*:write", soon, 0), Err(TokenError::Scopes(_))));
    assert!(matches!(create("a", "*:*", now, 0), Err(TokenError::Expiry)));
    assert!(matches!(create("a", "*:*", longest.plus_seconds(1), 0), Err(TokenError::Expiry)));
    assert!(matches!(create("a", "*:*", soon, TOKEN_NETWORKS_MAX + 1), Err(TokenError::Networks)));
    let fault = Fault::from(create("a", "*:*", now, 0).unwrap_err());
    assert_eq!((fault.code, fault.items[0].pointer.as_str()), (Code::ValidationFailed, "/expires_at"));
    for _ in 0..TOKENS_PER_USER_MAX {
        create(&"n".repeat(TOKEN_NAME_CHARS_MAX), "*:*", longest, TOKEN_NETWORKS_MAX).unwrap();
    }
    let error = create("a", "*:*", longest, 0).unwrap_err();
    assert_eq!(code(error), Code::LimitExceeded);
    let one = world.identity.tokens_list(world.anna).unwrap()[0].id;
    world.identity.token_revoke(world.anna, one).unwrap();
    assert!(create("a", "*:*", longest, 0).is_ok(), "a revoked token makes room");
}

#[test]
fn what_is_remembered_says_the_same_or_nothing() {
    let world = World::new();
    let session = world.sign_in();
    let expires = world.clock.now().plus_seconds(30);
    let allow: Vec<Cidr> = vec!["10.0.0.0/24".parse().unwrap()];
    let (_, text) = world.identity.token_create(&session.actor, "a", &["account:read"], expires, allow).unwrap();
    let here = from("10.0.0.5");
    assert!(world.identity.bearer_remembered(text.expose(), &here).is_none(), "nothing is remembered yet");
    assert!(world.identity.bearer(text.expose(), here.clone()).is_ok());
    let calls = world.memory.calls("token_load");
    let actor = world.identity.bearer_remembered(text.expose(), &here).unwrap();
    assert_eq!((actor.user(), actor.auth()), (world.anna, AuthMethod::Token));
    assert_eq!(world.memory.calls("token_load"), calls, "nothing was asked of the storage");
    assert!(world.identity.bearer_remembered(text.expose(), &from("10.0.9.9")).is_none(), "from elsewhere");
    let other = format!("{}x", &text.expose()[..text.expose().len() - 1]);
    assert!(world.identity.bearer_remembered(&other, &here).is_none(), "another secret");
    world.identity.invalidate_user(world.anna);
    assert!(world.identity.bearer_remembered(text.expose(), &here).is_none(), "forgotten");
    assert!(world.identity.bearer(text.expose(), here.clone()).is_ok());
    world.clock.advance_seconds(31);
    assert!(world.identity.bearer_remembered(text.expose(), &here).is_none(), "expired");

    let cookie = session.cookie.expose();
    assert!(world.identity.resume(cookie, context()).is_ok());
    assert_eq!(world.identity.resume_remembered(cookie, &context()).unwrap().actor.user(), world.anna);
    world.clock.advance_seconds(11);
    assert!(world.identity.resume_remembered(cookie, &context()).is_none(), "older than the memory lasts");
}
