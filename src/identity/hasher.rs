//! Argon2id (RFC 9106) with the parameters OWASP recommends: 19 MiB, two passes, one lane.
//! Bounds how many run at a time, and always spends the same work, also for a login that does not exist.

use crate::password::normalise;
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::{PasswordHash as Phc, PasswordHashString, SaltString},
};
use kernel::{
    Random,
    limits::{PASSWORD_HASHES_PARALLEL_MAX, PASSWORD_HASHES_WAITING_MAX},
};
use std::{
    fmt,
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use zeroize::Zeroizing;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Memory beyond which a stored hash is refused instead of computed: 256 MiB.
const STORED_MEMORY_KIB_MAX: u32 = 256 * 1024;
/// Passes beyond which a stored hash is refused.
const STORED_PASSES_MAX: u32 = 16;
/// A well-formed hash that no known password has; checked in place of the missing one of an unknown login.
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$a29udG9yLW5vLXN1Y2gtdXNlcg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A stored password hash: a PHC string of Argon2id. Prints nothing of itself.
#[derive(Clone)]
pub struct PasswordHash(Zeroizing<String>);

/// The text is not a hash this appliance can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an Argon2id hash in PHC form within the limits of this appliance")]
pub struct PasswordHashInvalid;

impl PasswordHash {
    /// Reads a stored hash. Other algorithms, and parameters that would exhaust the server, are refused.
    pub fn parse(text: &str) -> Result<Self, PasswordHashInvalid> {
        let phc = Phc::new(text).map_err(|_| PasswordHashInvalid)?;
        let params = Params::try_from(&phc).map_err(|_| PasswordHashInvalid)?;
        let known = phc.algorithm == Algorithm::Argon2id.ident() && phc.salt.is_some() && phc.hash.is_some();
        if !known || params.m_cost() > STORED_MEMORY_KIB_MAX || params.t_cost() > STORED_PASSES_MAX {
            return Err(PasswordHashInvalid);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
    /// The text to store; it goes nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    Wrong,
    Right,
    /// Right, but hashed with parameters of another time: hash it again.
    RightButOld,
}

/// Why nothing was hashed.
#[derive(Debug)]
pub(crate) enum HashError {
    /// Too many others wait.
    Busy,
    /// The algorithm refused; a defect.
    Failed(String),
}

/// Computes and checks hashes, a few at a time.
pub(crate) struct Hasher {
    gate: Gate,
    runs: AtomicU64,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self { gate: Gate::default(), runs: AtomicU64::new(0) }
    }

    /// How many times Argon2 ran since the start.
    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    pub(crate) fn hash(&self, password: &str, random: &dyn Random) -> Result<PasswordHash, HashError> {
        let failed = |error: &dyn fmt::Display| HashError::Failed(error.to_string());
        let normal = normalise(password).ok_or_else(|| failed(&"a password beyond the limit reached the hasher"))?;
        let mut salt = [0; 16];
        random.fill(&mut salt);
        let salt = SaltString::encode_b64(&salt).map_err(|error| failed(&error))?;
        let _pass = self.gate.enter()?;
        self.runs.fetch_add(1, Ordering::Relaxed);
        let hash: PasswordHashString =
            argon2()?.hash_password(normal.as_bytes(), &salt).map_err(|error| failed(&error))?.serialize();
        Ok(PasswordHash(Zeroizing::new(hash.as_str().to_owned())))
    }

    /// Checks a password against a stored hash. Without one the same work is done against a hash that nothing fits,
    /// so that an answer's duration does not tell whether the login exists.
    pub(crate) fn check(&self, password: &str, stored: Option<&PasswordHash>) -> Result<Checked, HashError> {
        // Too long for any password: refused before the work, for known and unknown logins alike.
        let Some(normal) = normalise(password) else { return Ok(Checked::Wrong) };
        let text = stored.map_or(DUMMY, PasswordHash::expose);
        let phc = Phc::new(text).map_err(|error| HashError::Failed(error.to_string()))?;
        let _pass = self.gate.enter()?;
        self.runs.fetch_add(1, Ordering::Relaxed);
        let fits = argon2()?.verify_password(normal.as_bytes(), &phc).is_ok() && stored.is_some();
        let current = Params::try_from(&phc)
            .is_ok_and(|params| (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES))
            && phc.version == Some(Version::V0x13.into());
        Ok(match (fits, current) {
            (false, _) => Checked::Wrong,
            (true, true) => Checked::Right,
            (true, false) => Checked::RightButOld,
        })
    }
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| HashError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Lets a few in, lets some wait, and turns the rest away: each hash takes 19 MiB, and a small server has few of those.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    left: Condvar,
}

#[derive(Default)]
struct GateState {
    running: usize,
    waiting: usize,
}

struct Pass<'a>(&'a Gate);

impl Gate {
    fn enter(&self) -> Result<Pass<'_>, HashError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.running >= PASSWORD_HASHES_PARALLEL_MAX {
            if state.waiting >= PASSWORD_HASHES_WAITING_MAX {
                return Err(HashError::Busy);
            }
            state.waiting += 1;
            while state.running >= PASSWORD_HASHES_PARALLEL_MAX {
                state = self.left.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.waiting -= 1;
        }
        state.running += 1;
        Ok(Pass(self))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::CountingRandom;

    #[test]
    fn hashes_fit_their_password_only_and_have_the_stated_parameters() {
        let (hasher, random) = (Hasher::new(), CountingRandom::new(1));
        let hash = hasher.hash("correct horse battery", &random).unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose());
        assert_eq!(hasher.check("correct horse battery", Some(&hash)).unwrap(), Checked::Right);
        assert_eq!(hasher.check("correct horse batterz", Some(&hash)).unwrap(), Checked::Wrong);
        let again = hasher.hash("correct horse battery", &random).unwrap();
        assert_ne!(hash.expose(), again.expose(), "each hash has its own salt");
        assert_eq!(format!("{hash:?}"), "PasswordHash");
        assert_eq!(PasswordHash::parse(hash.expose()).unwrap().expose(), hash.expose());
    }

    #[test]
    fn compatibility_forms_are_the_same_password() {
        let (hasher, random) = (Hasher::new(), CountingRandom::new(1));
        let hash = hasher.hash("Ｓalzspeicher ﬁnden", &random).unwrap();
        assert_eq!(hasher.check("Salzspeicher finden", Some(&hash)).unwrap(), Checked::Right);
    }

    #[test]
    fn a_hash_of_other_parameters_asks_for_another() {
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let salt = SaltString::encode_b64(&[3; 16]).unwrap();
        let old = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password(b"correct horse", &salt)
            .unwrap()
            .to_string();
        let old = PasswordHash::parse(&old).unwrap();
        let hasher = Hasher::new();
        assert_eq!(hasher.check("correct horse", Some(&old)).unwrap(), Checked::RightButOld);
        assert_eq!(hasher.check("wrong horse", Some(&old)).unwrap(), Checked::Wrong);
    }

    #[test]
    fn the_dummy_costs_a_run_and_never_fits() {
        assert!(PasswordHash::parse(DUMMY).is_ok());
        let hasher = Hasher::new();
        assert_eq!(hasher.check("anything", None).unwrap(), Checked::Wrong);
        assert_eq!(hasher.runs(), 1);
        assert_eq!(hasher.check(&"x".repeat(10_000), None).unwrap(), Checked::Wrong);
        assert_eq!(hasher.runs(), 1, "an impossible password costs nothing");
    }

    #[test]
    fn foreign_and_exhausting_hashes_are_refused() {
        for text in [
            "",
            "correct horse",
            "$argon2i$v=19$m=19456,t=2,p=1$a29udG9yLW5vLXN1Y2gtdXNlcg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=1048576,t=2,p=1$a29udG9yLW5vLXN1Y2gtdXNlcg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=99,p=1$a29udG9yLW5vLXN1Y2gtdXNlcg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$a29udG9yLW5vLXN1Y2gtdXNlcg",
        ] {
            assert_eq!(PasswordHash::parse(text).err(), Some(PasswordHashInvalid), "{text}");
        }
    }

    #[test]
    fn the_gate_turns_away_when_the_queue_is_full_and_lets_waiters_in() {
        let gate = Gate::default();
        let passes: Vec<_> = (0..PASSWORD_HASHES_PARALLEL_MAX).map(|_| gate.enter().unwrap()).collect();
        gate.state.lock().unwrap().waiting = PASSWORD_HASHES_WAITING_MAX;
        assert!(matches!(gate.enter(), Err(HashError::Busy)));
        gate.state.lock().unwrap().waiting = 0;
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| gate.enter().is_ok());
            drop(passes);
            assert!(waiter.join().unwrap());
        });
        assert_eq!(gate.state.lock().unwrap().running, 0);
    }
}
