//! Recovery shares that were given to a sealed server and wait for more. They live in memory only, and not for long: when
//! nobody brings another one in time, a thread wipes them. It unseals nothing itself.

use api::SharesGiven;
use kernel::{Clock, Fault, limits};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use vault::{Gathered, Gathering, Secret, Vault};

/// How often it is looked whether the time is over.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Shares that were given so far.
struct Held {
    gathering: Gathering,
    /// Set, number and where it came from, for the log.
    from: Vec<(u16, u8, Option<IpAddr>)>,
    /// When they are forgotten, on the monotonic clock.
    until: Duration,
}

/// What became of a share that was given.
pub(super) enum Given {
    /// More are needed.
    Waiting(SharesGiven),
    /// They are enough: the secret, and what the log is told.
    Enough(Secret, String),
}

/// The place where shares wait.
pub(super) struct WaitingShares {
    clock: Arc<dyn Clock>,
    held: Arc<Mutex<Option<Held>>>,
}

fn lock(held: &Mutex<Option<Held>>) -> MutexGuard<'_, Option<Held>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WaitingShares {
    /// Nothing waits.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, held: Arc::default() }
    }

    /// Takes a share. One that does not help is refused and named; those that were given stay.
    pub(super) fn give(&self, vault: &Vault, words: &str, source: Option<IpAddr>) -> Result<Given, Fault> {
        let slots = vault.share_slots()?;
        let mut place = lock(&self.held);
        forget_if_over(&mut place, self.clock.as_ref());
        let begun = place.is_none();
        let mut held = place.take().unwrap_or_else(|| Held {
            gathering: Gathering::new(),
            from: Vec::new(),
            until: Duration::ZERO,
        });
        let gathered = held.gathering.add(&slots, words);
        // Only a share that helps prolongs the wait of the others.
        if gathered.is_ok() {
            held.until = self.clock.monotonic() + Duration::from_secs(limits::RECOVERY_SHARES_WAIT_SECONDS);
        }
        let result = gathered.map_err(Fault::from).and_then(|gathered| self.step(&mut held, &slots, gathered, source));
        if held.until > Duration::ZERO {
            *place = Some(held);
        }
        drop(place);
        if begun && matches!(result, Ok(Given::Waiting(_))) {
            self.watch()?;
        }
        result
    }

    fn step(
        &self,
        held: &mut Held,
        slots: &[vault::ShareSlot],
        gathered: Gathered,
        source: Option<IpAddr>,
    ) -> Result<Given, Fault> {
        let newest = gathered
            .shares
            .iter()
            .find(|share| !held.from.iter().any(|(set, number, _)| *set == gathered.set && number == *share));
        held.from.extend(newest.map(|number| (gathered.set, *number, source)));
        if gathered.is_enough() {
            return Ok(Given::Enough(held.gathering.secret(slots)?, told(&held.from, &gathered)));
        }
        tracing::info!(
            set = gathered.set,
            shares = gathered.shares.len(),
            needed = gathered.needed,
            source = source.map(tracing::field::display),
            "a recovery share was given"
        );
        Ok(Given::Waiting(SharesGiven {
            set: gathered.set,
            given: gathered.shares,
            needed: gathered.needed,
            forgotten_after_seconds: limits::RECOVERY_SHARES_WAIT_SECONDS,
        }))
    }

    /// Wipes what waits.
    pub(super) fn forget(&self) {
        *lock(&self.held) = None;
    }

    /// Looks each second whether the time is over, until nothing waits any more or this is gone.
    fn watch(&self) -> Result<(), Fault> {
        let (held, clock): (Weak<_>, _) = (Arc::downgrade(&self.held), Arc::clone(&self.clock));
        let look = move || {
            while let Some(held) = held.upgrade() {
                let mut place = lock(&held);
                forget_if_over(&mut place, clock.as_ref());
                if place.is_none() {
                    return;
                }
                drop(place);
                drop(held);
                std::thread::park_timeout(LOOK_EVERY);
            }
        };
        let started = std::thread::Builder::new().name("shares".to_owned()).spawn(look);
        started.map(drop).map_err(|error| {
            // Shares that nobody would wipe are not kept.
            self.forget();
            Fault::internal(error)
        })
    }
}

fn forget_if_over(held: &mut Option<Held>, clock: &dyn Clock) {
    if held.as_ref().is_some_and(|held| clock.monotonic() >= held.until) {
        *held = None;
        tracing::warn!("recovery shares waited too long for the next one; they were forgotten");
    }
}

fn told(from: &[(u16, u8, Option<IpAddr>)], gathered: &Gathered) -> String {
    let of_set = from.iter().filter(|(set, ..)| *set == gathered.set);
    let shares: Vec<String> = of_set
        .map(|(_, number, source)| match source {
            Some(source) => format!("{number} from {source}"),
            None => number.to_string(),
        })
        .collect();
    format!("recovery shares of set {} for slot {}: {}", gathered.set, gathered.slot, shares.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ManualClock;
    use std::cell::RefCell;
    use vault::{OsRandom, PassphraseCost, VaultError};

    #[test]
    fn shares_wait_a_quarter_of_an_hour_and_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at_seconds(1_790_000_000));
        let cost = PassphraseCost { memory_kib: 1024, passes: 1, lanes: 1 };
        let passphrase = Secret::passphrase("correct horse battery".to_owned());
        let id = kernel::Id::generate(clock.as_ref(), &OsRandom::new());
        let path = folder.path().join("slots.json");
        let random = Arc::new(OsRandom::new());
        let vault = Vault::create(path, id, (&passphrase, "p", cost), clock.as_ref(), random).unwrap();
        let words = RefCell::new(Vec::new());
        let deliver = |_, shares: &[vault::Share]| {
            words.borrow_mut().extend(shares.iter().map(|share| share.words().to_string()));
            Ok::<(), VaultError>(())
        };
        vault.slot_add_shares((2, 3), "s", None, clock.as_ref(), deliver).unwrap();
        vault.seal();
        let words = words.into_inner();
        let waiting = WaitingShares::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let (here, there) = (Some([192, 0, 2, 1].into()), Some([192, 0, 2, 2].into()));
        let waits = |given: Result<Given, Fault>| matches!(given, Ok(Given::Waiting(given)) if given.given.len() == 1);
        assert!(waits(waiting.give(&vault, &words[0], here)));
        clock.advance_seconds(14 * 60);
        // What is no share does not prolong the wait.
        assert!(waiting.give(&vault, "no share", here).is_err());
        assert!(waiting.give(&vault, &words[0], here).is_err(), "twice the same");
        clock.advance_seconds(60);
        assert!(waits(waiting.give(&vault, &words[1], there)), "the first was forgotten");
        assert!(waits(waiting.give(&vault, &words[1], there)).eq(&false));
        let Ok(Given::Enough(secret, told)) = waiting.give(&vault, &words[2], here) else { panic!("not enough") };
        assert!(told.ends_with("for slot 2: 2 from 192.0.2.2, 3 from 192.0.2.1"), "{told}");
        vault.unseal(&secret).unwrap();
        waiting.forget();
        assert!(lock(&waiting.held).is_none());
        // The thread wipes them by itself.
        assert!(waits(waiting.give(&vault, &words[0], here)));
        clock.advance_seconds(16 * 60);
        while lock(&waiting.held).is_some() {
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}
