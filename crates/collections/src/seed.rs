//! The hash of keys and elements.

/// SipHash-1-3 of a key (or an element of a collection) under the keyspace's secret seed.
///
/// The number itself is the key's position in the order that SCAN and snapshots walk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyHash(pub u64);

impl KeyHash {
    /// The 64 bits.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// The seed: secret, so that nobody can choose keys that collide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    k0: u64,
    k1: u64,
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

impl Seed {
    /// The seed made of two random words.
    #[must_use]
    pub fn new(seed: [u64; 2]) -> Seed {
        Seed { k0: seed[0], k1: seed[1] }
    }

    /// SipHash-1-3 (Aumasson and Bernstein, 2012) of a whole message at once: about twice as fast for a short key as a
    /// hasher that is fed piece by piece.
    #[inline]
    #[must_use]
    pub fn hash(self, key: &[u8]) -> KeyHash {
        let mut state = State([
            self.k0 ^ 0x736f_6d65_7073_6575,
            self.k1 ^ 0x646f_7261_6e64_6f6d,
            self.k0 ^ 0x6c79_6765_6e65_7261,
            self.k1 ^ 0x7465_6462_7974_6573,
        ]);
        let mut words = key.chunks_exact(8);
        for word in &mut words {
            state.absorb(read(word));
        }
        let tail = words.remainder();
        let mut last = (key.len() as u64) << 56;
        for (at, byte) in tail.iter().enumerate() {
            last |= u64::from(*byte) << (8 * at);
        }
        state.absorb(last);
        state.0[2] ^= 0xff;
        for _ in 0..3 {
            state.round();
        }
        KeyHash(state.0[0] ^ state.0[1] ^ state.0[2] ^ state.0[3])
    }
}

#[inline]
fn read(word: &[u8]) -> u64 {
    word.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

struct State([u64; 4]);

impl State {
    #[inline]
    fn absorb(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.0[0] ^= word;
    }

    #[inline]
    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32).wrapping_add(d);
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        d = d.rotate_left(21) ^ a;
        c = c.rotate_left(32);
        self.0 = [a, b, c, d];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use siphasher::sip::SipHasher13;
    use std::hash::Hasher;

    #[test]
    fn the_hash_is_siphash_1_3() {
        let message: Vec<u8> = (0..=255).collect();
        for len in 0..message.len() {
            let seed = [(len as u64).wrapping_mul(0x1234_5678_9abc_def1), !(len as u64)];
            let mut hasher = SipHasher13::new_with_keys(seed[0], seed[1]);
            hasher.write(&message[..len]);
            assert_eq!(Seed::new(seed).hash(&message[..len]).bits(), hasher.finish(), "{len} bytes");
        }
    }
}
