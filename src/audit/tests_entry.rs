//! The bytes of an entry: fixed for ever, one spelling each, never too long.

use crate::{
    ActOutcome, Actor, ActorKind, AuthMethod, Change, Channel, Disclosed, Effect, Entry, EntryError, FieldUse, How,
    Phase, SealedChange, Verb,
    sample::{record, state},
};
use kernel::{Code, Id, ManualClock, Timestamp, limits::AUDIT_ENTRY_BYTES_MAX};
use proptest::prelude::*;

/// An entry with something in every member.
fn full() -> Entry {
    let mut actor = Actor::user(record(1), AuthMethod::Token);
    actor.session = Some(Id::from_bytes([0x51; 16]));
    actor.token = Some(Id::from_bytes([0x52; 16]));
    actor.on_behalf_of = Some(record(2));
    actor.approvers = vec![record(3), record(4)];
    let mut entry = Entry { node: "n1".to_owned(), ..Entry::default() }.by(actor, Channel::Api, "192.0.2.1");
    entry.at = Timestamp::from_micros(1_700_000_000_123_456);
    entry.monotonic_micros = 77;
    entry.boot = Id::from_bytes([9; 16]);
    entry.request = Some(Id::from_bytes([8; 16]));
    entry.act.verb = Verb::Update;
    entry.act.purpose = "call back".to_owned();
    entry.act.ticket = "T-1".to_owned();
    entry = entry.on_record("account", record(5));
    entry.target.query = Some([0x21; 32]);
    entry.target.scope = Some([0x22; 32]);
    entry.target.ids = vec![record(5)];
    entry.target.count = 2;
    entry.related = vec![Disclosed { object: "unit".to_owned(), ids: vec![record(6)], count: 1 }];
    entry.fields = vec![FieldUse { field: "phone".to_owned(), how: How::Masked }];
    entry.decision.epoch = Some([0x23; 32]);
    entry.decision.rules = vec!["seller/account".to_owned()];
    entry.decision.error = "x".to_owned();
    entry.changes = vec![Change { field: "phone".to_owned(), before: Some([1; 16]), after: None }];
    entry.sealed = vec![SealedChange { class: 2, bytes: vec![0xC1, 0xFF] }];
    entry.state_before = Some([0x24; 32]);
    entry.state_after = Some([0x25; 32]);
    entry.outcome = ActOutcome::Failed;
    entry.phase = Phase::Outcome;
    entry.repeats = 300;
    entry.note = "note".to_owned();
    entry
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_bytes_of_a_small_entry_are_fixed() {
    let entry = Entry { node: "n".to_owned(), boot: Id::from_bytes([0; 16]), ..Entry::default() };
    let expected = concat!(
        "aa",                                   // ten members
        "0001",                                 // format 1
        "01820000",                             // time: wall, monotonic
        "025000000000000000000000000000000000", // boot
        "03616e",                               // node "n"
        "04a200010201",                         // anonymous, not authenticated
        "05a10106",                             // channel system
        "07a10001",                             // verb read
        "0ba10001",                             // allowed
        "1001",                                 // ok
        "1101",                                 // single
    );
    assert_eq!(hex(&entry.encode().unwrap()), expected);
}

#[test]
fn the_bytes_of_a_full_entry_are_fixed_and_read_back() {
    let bytes = full().encode().unwrap();
    assert_eq!(hex(&bytes), include_str!("golden_entry.hex").trim());
    assert_eq!(Entry::decode(&bytes).unwrap(), full());
}

#[test]
fn other_spellings_are_refused() {
    let good = Entry { node: "n".to_owned(), ..Entry::default() }.encode().unwrap();
    let with = |from: &str, to: &str| {
        let text = hex(&good).replacen(from, to, 1);
        assert_ne!(text, hex(&good));
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[i * 2..i * 2 + 2], 16).unwrap()).collect::<Vec<u8>>()
    };
    for (case, bytes) in [
        ("a longer integer than needed", with("1101", "111801")),
        ("members out of order", with("10011101", "11011001")),
        ("a member twice", with("10011101", "11011101")),
        ("a member that says nothing", with("aa0001", "ab0001").into_iter().chain([0x13, 0x60]).collect()),
        ("a byte after the end", good.iter().copied().chain([0]).collect()),
        ("an indefinite map", with("aa0001", "bf0001").into_iter().chain([0xff]).collect()),
        ("a member too few", with("aa0001", "a90001")),
        ("an unknown member", with("aa0001", "ab0001").into_iter().chain([0x14, 0x01]).collect()),
        ("an unknown verb", with("07a10001", "07a10018ff")),
        ("nothing", Vec::new()),
    ] {
        assert!(Entry::decode(&bytes).is_err(), "{case}");
    }
    assert!(matches!(Entry::decode(&with("aa0001", "aa0002")), Err(EntryError::Format(2))));
}

#[test]
fn ids_make_room_but_the_count_stays() {
    let ids: Vec<_> = (0..1_500).map(record).collect();
    let mut entry = full().on_list("account", ids);
    entry.related.push(Disclosed { object: "contact".to_owned(), ids: (0..60).map(record).collect(), count: 60 });
    let bytes = entry.encode().unwrap();
    assert!(bytes.len() <= AUDIT_ENTRY_BYTES_MAX && bytes.len() > AUDIT_ENTRY_BYTES_MAX - 64, "{}", bytes.len());
    let kept = Entry::decode(&bytes).unwrap();
    assert_eq!((kept.target.count, kept.related[1].count), (1_500, 60));
    assert!(kept.target.ids.len() > 900 && kept.related.iter().all(|item| item.ids.is_empty()));
    assert_eq!(kept.target.ids[..], entry.target.ids[..kept.target.ids.len()], "the first ones are kept");

    let mut entry = full();
    entry.sealed[0].bytes = vec![0; AUDIT_ENTRY_BYTES_MAX];
    assert!(matches!(entry.encode(), Err(EntryError::TooLarge { .. })));
}

#[test]
fn every_size_around_the_limit_fits_or_fails() {
    for ids in [0usize, 1, 2, 1000] {
        for filling in 16_000..AUDIT_ENTRY_BYTES_MAX {
            let mut entry = Entry::default().on_list("a", (0..ids as u64).map(record).collect());
            entry.sealed = vec![SealedChange { class: 1, bytes: vec![0; filling] }];
            match entry.encode() {
                Ok(bytes) => {
                    assert!(bytes.len() <= AUDIT_ENTRY_BYTES_MAX);
                    assert_eq!(Entry::decode(&bytes).unwrap().target.count, ids as u64);
                }
                Err(error) => assert!(matches!(error, EntryError::TooLarge { .. }) && filling > 16_250, "{filling}"),
            }
        }
    }
}

#[test]
fn debug_tells_the_act_and_no_values() {
    let mut entry = full();
    entry.note = "SECRET".to_owned();
    entry.act.purpose = "SECRET".to_owned();
    let text = format!("{entry:?} {:?} {:?} {:?}", entry.sealed, entry.act, entry.source);
    assert!(text.contains("Update") && text.contains("SealedChange(class 2, 2 bytes)"), "{text}");
    for hidden in ["SECRET", "192.0.2.1", "255", "T-1"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
}

#[test]
fn numbers_and_names_of_codes_are_unique_and_lead_back() {
    for (position, verb) in Verb::ALL.iter().enumerate() {
        assert_eq!(usize::from(verb.number()), position + 1, "numbers are dense and never reused");
        assert_eq!(Verb::from_number(verb.number().into()), Some(*verb));
        assert_eq!(Verb::from_name(verb.name()), Some(*verb));
    }
    let beyond = u64::try_from(Verb::ALL.len()).unwrap() + 1;
    assert_eq!(Verb::from_number(beyond), None);
}

#[test]
fn builders_say_what_happened() {
    let clock = ManualClock::at_seconds(1_700_000_000);
    clock.advance_seconds(2);
    let entry =
        Entry::new(Verb::Export, &clock, Id::from_bytes([1; 16]), "n").denied(Code::RateLimited, vec!["r".into()]);
    assert_eq!((entry.at.micros(), entry.monotonic_micros), (1_700_000_002_000_000, 2_000_000));
    assert_eq!((entry.decision.effect, entry.outcome), (Effect::Deny, ActOutcome::Failed));
    assert_eq!(entry.decision.error, "rate_limited");
    assert_eq!(Actor::system().kind, ActorKind::System);
    assert_eq!(Actor::local_operator().auth, AuthMethod::Cli);
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let text = "[a-z王\\PC]{0,12}";
    let macs = prop::option::of(any::<[u8; 16]>());
    let ids = prop::collection::vec(any::<[u8; 16]>(), 0..6);
    (
        (any::<i64>(), any::<u64>(), text, prop::sample::select(Verb::ALL), text, ids),
        prop::collection::vec((text, macs.clone(), macs), 0..4),
        prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..80)), 0..3),
        prop::collection::vec((text, prop::sample::select(How::ALL)), 0..4),
        (prop::option::of(any::<[u8; 32]>()), any::<u64>(), prop::sample::select(Phase::ALL), text),
    )
        .prop_map(
            |((at, monotonic, node, verb, purpose, ids), changes, sealed, fields, (hash, repeats, phase, note))| {
                let mut entry = full();
                entry.at = Timestamp::from_micros(at);
                entry.monotonic_micros = monotonic;
                entry.node = node;
                entry.act.verb = verb;
                entry.act.purpose = purpose;
                entry = entry.on_list("account", ids.into_iter().map(Id::from_bytes).collect());
                entry.changes =
                    changes.into_iter().map(|(field, before, after)| Change { field, before, after }).collect();
                entry.sealed = sealed.into_iter().map(|(class, bytes)| SealedChange { class, bytes }).collect();
                entry.fields = fields.into_iter().map(|(field, how)| FieldUse { field, how }).collect();
                entry.state_after = hash;
                entry.repeats = repeats.max(1);
                entry.phase = phase;
                entry.note = note;
                entry
            },
        )
}

proptest! {
    #[test]
    fn every_entry_reads_back(entry in any_entry()) {
        prop_assert_eq!(Entry::decode(&entry.encode().unwrap()).unwrap(), entry);
    }

    #[test]
    fn what_decodes_is_canonical(entry in any_entry(), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut bytes = entry.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(other) = Entry::decode(&bytes) {
            prop_assert_eq!(other.encode().unwrap(), bytes);
            prop_assert_ne!(other, entry);
        }
    }

    #[test]
    fn random_bytes_never_hurt(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Entry::decode(&bytes).is_err());
    }
}

#[test]
fn the_state_of_a_row_is_told_by_carried_out_acts_only() {
    let mut entry = Entry { state_after: Some(state(1)), ..Entry::default() };
    assert!(entry.tells_state());
    entry.phase = Phase::Intent;
    assert!(!entry.tells_state());
    entry.phase = Phase::Single;
    entry.outcome = ActOutcome::Failed;
    assert!(!entry.tells_state());
}
