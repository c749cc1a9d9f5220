//! The 24 bits that each entry keeps about its use: Redis' LRU clock or LFU counter.
//!
//! The keyspace only stores them; which of the two they mean follows `maxmemory-policy`, which the node knows.

use tanist_types::{Rng, UnixMs};

/// The 24 bits: seconds modulo 2²⁴ (LRU), or 16 bits of minutes and 8 bits of a logarithmic counter (LFU).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Access(u32);

/// The counter that a new entry starts with, so that it is not evicted at once.
const LFU_INITIAL: u8 = 5;
const MASK: u32 = 0xff_ffff;

/// What new and overwritten entries are stamped with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stamp {
    /// The bits of a new entry.
    pub access: Access,
    /// Whether an overwritten entry keeps its bits (LFU) or is stamped anew (LRU).
    pub keep_on_overwrite: bool,
}

impl Stamp {
    /// The bits of an entry that is overwritten, of those that it had.
    #[inline]
    pub(crate) fn over(&self, old: Access) -> Access {
        if self.keep_on_overwrite { old } else { self.access }
    }
}

impl Access {
    /// From the low 24 bits of `bits`.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Access {
        Access(bits & MASK)
    }

    /// The 24 bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The LRU clock at `now`, in seconds.
    #[must_use]
    pub const fn lru(now: UnixMs) -> Access {
        Access(now.secs() as u32 & MASK)
    }

    /// Seconds since an entry with these LRU bits was last used; the clock wraps after 194 days.
    #[must_use]
    pub const fn lru_idle_secs(self, now: UnixMs) -> u32 {
        Access::lru(now).0.wrapping_sub(self.0) & MASK
    }

    /// The LRU bits of an entry unused for `idle_secs` (RESTORE IDLETIME).
    #[must_use]
    pub const fn lru_idle(now: UnixMs, idle_secs: u32) -> Access {
        Access(Access::lru(now).0.wrapping_sub(idle_secs) & MASK)
    }

    /// The LFU bits of a new entry.
    #[must_use]
    pub const fn lfu_new(now: UnixMs) -> Access {
        Access::lfu(now, LFU_INITIAL)
    }

    /// The LFU bits for a given counter.
    #[must_use]
    pub const fn lfu(now: UnixMs, counter: u8) -> Access {
        Access(lfu_minutes(now) << 8 | counter as u32)
    }

    /// The counter as of `now`: one less per `decay_minutes` that passed unused (no decay when zero).
    #[must_use]
    pub const fn lfu_counter(self, now: UnixMs, decay_minutes: u32) -> u8 {
        let counter = self.0 as u8;
        if decay_minutes == 0 {
            return counter;
        }
        let elapsed = lfu_minutes(now).wrapping_sub(self.0 >> 8) & 0xffff;
        let periods = elapsed / decay_minutes;
        if periods >= counter as u32 { 0 } else { counter - periods as u8 }
    }

    /// The LFU bits after one more use: decayed, then raised with probability 1 / ((counter - 5) × factor + 1).
    #[must_use]
    pub fn lfu_used(self, now: UnixMs, decay_minutes: u32, log_factor: u32, rng: &mut Rng) -> Access {
        let counter = self.lfu_counter(now, decay_minutes);
        let base = u64::from(counter.saturating_sub(LFU_INITIAL));
        let raise = counter < u8::MAX && rng.chance(1, base * u64::from(log_factor) + 1);
        Access::lfu(now, counter + u8::from(raise))
    }
}

/// Minutes modulo 2¹⁶.
const fn lfu_minutes(now: UnixMs) -> u32 {
    now.secs().div_euclid(60) as u32 & 0xffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_survives_the_wrap_of_the_clock() {
        let before = UnixMs((0xff_ffff - 3) * 1000);
        let after = UnixMs((0xff_ffff + 8) * 1000);
        assert_eq!(Access::lru(before).lru_idle_secs(after), 11);
        assert_eq!(Access::lru_idle(after, 11), Access::lru(before));
    }

    #[test]
    #[cfg_attr(miri, ignore = "too slow")]
    fn the_counter_decays_and_saturates() {
        let now = UnixMs(1_700_000_000_000);
        let later = UnixMs(now.0 + 7 * 60_000);
        let access = Access::lfu(now, 20);
        assert_eq!(access.lfu_counter(now, 1), 20);
        assert_eq!(access.lfu_counter(later, 1), 13);
        assert_eq!(access.lfu_counter(later, 0), 20);
        assert_eq!(Access::lfu(now, 3).lfu_counter(later, 1), 0);
        let mut rng = Rng::from_seed(1);
        let mut hot = Access::lfu_new(now);
        for _ in 0..2_000_000 {
            hot = hot.lfu_used(now, 1, 10, &mut rng);
        }
        assert_eq!(hot.lfu_counter(now, 1), 255);
    }
}
