//! The two clocks of a host: a monotonic one that may run a little fast or slow, and a wall clock that may jump.

use std::time::Duration;
use tanist_types::{Mono, Now};

/// Parts per million.
const MILLION: i64 = 1_000_000;
/// The wall clock at the beginning of the world, in microseconds since 1970.
const EPOCH_US: i64 = 1_700_000_000_000_000;

/// How a host measures the time of the world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// How much faster than the world it runs.
    drift_ppm: i64,
    /// How far the wall clock is ahead of the world, in microseconds.
    wall_offset_us: i64,
    /// What the monotonic clock showed at the beginning of the world: processes must not rely on zero.
    base: Mono,
}

impl Clock {
    pub(crate) fn new(drift_ppm: i64, wall_offset_us: i64, base: Mono) -> Clock {
        Clock { drift_ppm, wall_offset_us, base }
    }

    /// What the host's clocks show at the world's time.
    pub(crate) fn read(&self, world: Mono) -> Now {
        let nanos = self.scaled(world);
        let wall_us = EPOCH_US + (nanos / 1000) as i64 + self.wall_offset_us;
        Now { mono: Mono::from_nanos(self.base.nanos() + nanos), wall_us }
    }

    /// The world's time at which the monotonic clock shows `local`.
    pub(crate) fn world(&self, local: Mono) -> Mono {
        let nanos = local.nanos().saturating_sub(self.base.nanos());
        let rate = MILLION + self.drift_ppm;
        // A run fits into the first; divisions of 128 bits are for timers that will never fire.
        let world = match nanos.checked_mul(MILLION as u64) {
            Some(millionfold) => millionfold / rate as u64,
            None => {
                u64::try_from(i128::from(nanos) * i128::from(MILLION) / i128::from(rate)).unwrap_or(u64::MAX)
            }
        };
        Mono::from_nanos(world)
    }

    /// Moves the wall clock.
    pub(crate) fn jump(&mut self, by_us: i64) {
        self.wall_offset_us += by_us;
    }

    fn scaled(&self, world: Mono) -> u64 {
        let nanos = world.nanos() as i64;
        (nanos + nanos * self.drift_ppm / MILLION) as u64
    }
}

/// The world's time in whole microseconds, for traces.
pub(crate) fn micros(at: Mono) -> u128 {
    at.since(Mono::ZERO).as_micros()
}

/// Milliseconds, shortly.
pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_shows_more_and_wakes_earlier() {
        let c = Clock::new(10_000, 0, Mono::from_millis(5));
        assert_eq!(c.read(Mono::from_millis(100)).mono, Mono::from_millis(106));
        assert_eq!(c.world(Mono::from_millis(106)), Mono::from_millis(100));
    }

    #[test]
    fn a_moment_too_far_away_for_short_numbers_is_still_a_moment() {
        let c = Clock::new(10_000, 0, Mono::ZERO);
        let far = 101 * 1_000_000_000_000_000;
        assert_eq!(c.world(Mono::from_nanos(far)), Mono::from_nanos(far / 101 * 100));
        assert_eq!(Clock::new(-10_000, 0, Mono::ZERO).world(Mono::NEVER), Mono::NEVER);
    }

    #[test]
    fn a_jump_moves_the_wall_clock_only() {
        let mut c = Clock::new(0, 0, Mono::ZERO);
        let before = c.read(Mono::from_millis(1));
        c.jump(-5_000_000);
        let after = c.read(Mono::from_millis(1));
        assert_eq!((after.mono, after.wall_us), (before.mono, before.wall_us - 5_000_000));
    }
}
