//! The operating system's randomness, behind the port of `kernel`.
//! Never falls back to anything weaker: where the system has none, the process ends.

use kernel::Random;
use ring::rand::{SecureRandom, SystemRandom};

/// Unpredictable bytes from the operating system (getrandom on Linux).
#[derive(Debug)]
pub struct OsRandom {
    system: SystemRandom,
}

impl Default for OsRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl OsRandom {
    /// The system's source; opening it costs nothing.
    pub fn new() -> Self {
        Self { system: SystemRandom::new() }
    }
}

impl Random for OsRandom {
    fn fill(&self, buffer: &mut [u8]) {
        // A nonce or key from a broken source would betray data silently; no answer is better than that one.
        if self.system.fill(buffer).is_err() {
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_differ() {
        let (mut first, mut second) = ([0u8; 32], [0u8; 32]);
        OsRandom::new().fill(&mut first);
        OsRandom::new().fill(&mut second);
        assert_ne!(first, second);
    }
}
