//! The hash of a key, computed once per command and passed along.

use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// SipHash-1-3 of a key under the keyspace's secret seed.
///
/// The number itself is the key's position in the order that SCAN and snapshots walk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyHash(pub(crate) u64);

impl KeyHash {
    /// The 64 bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// The seed: secret, so that nobody can choose keys that collide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seed {
    k0: u64,
    k1: u64,
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

impl Seed {
    pub(crate) fn new(seed: [u64; 2]) -> Seed {
        Seed { k0: seed[0], k1: seed[1] }
    }

    #[inline]
    pub(crate) fn hash(self, key: &[u8]) -> KeyHash {
        let mut hasher = SipHasher13::new_with_keys(self.k0, self.k1);
        hasher.write(key);
        KeyHash(hasher.finish())
    }
}
