//! Both clocks of the machine, read together and handed to the cores.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tanist_types::{Mono, Now};

/// The process' clocks. Copies agree with each other; the origin of the monotonic one is where it was started.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Starts the monotonic clock. Once per process: moments of two clocks cannot be compared.
    #[must_use]
    pub fn start() -> Clock {
        Clock { origin: Instant::now() }
    }

    /// Both clocks, now.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { mono: self.mono(), wall_us: wall_us() }
    }

    /// Both clocks, now. The wall clock is read when `wall` has grown old; until then it goes on with the monotonic
    /// one, so a wall clock that is set is noticed within [`WALL_AGE`].
    #[must_use]
    pub fn now_by(&self, wall: &mut Wall) -> Now {
        let mono = self.mono();
        let age = mono.since(wall.read);
        if wall.read == Mono::ZERO || age >= WALL_AGE {
            *wall = Wall { read: mono, wall_us: wall_us() };
            return Now { mono, wall_us: wall.wall_us };
        }
        Now { mono, wall_us: wall.wall_us.saturating_add(age.as_micros() as i64) }
    }

    /// The monotonic clock, now. Never zero: a core may use zero as "never yet".
    #[must_use]
    pub fn mono(&self) -> Mono {
        let nanos = u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX - 1);
        Mono::from_nanos(nanos.max(1))
    }

    /// The moment for a timer of the runtime; `None` if it lies too far ahead to be waited for.
    #[must_use]
    pub fn instant(&self, mono: Mono) -> Option<Instant> {
        if mono == Mono::NEVER {
            return None;
        }
        self.origin.checked_add(Duration::from_nanos(mono.nanos()))
    }
}

/// The time for which [`Clock::now_by`] relies on a reading of the wall clock.
pub const WALL_AGE: Duration = Duration::from_millis(1);

/// A reading of the wall clock; the default is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wall {
    /// Zero: never.
    read: Mono,
    wall_us: i64,
}

fn wall_us() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_the_way_to_an_instant() {
        let clock = Clock::start();
        let mono = clock.mono() + Duration::from_secs(5);
        let instant = clock.instant(mono).unwrap();
        assert_eq!(instant.duration_since(clock.origin).as_nanos(), u128::from(mono.nanos()));
        assert_eq!(clock.instant(Mono::NEVER), None);
        assert!(clock.now().mono >= Mono::from_nanos(1));
    }

    #[test]
    fn the_wall_clock_goes_on_between_readings() {
        let clock = Clock::start();
        let mut wall = Wall::default();
        let first = clock.now_by(&mut wall);
        let hour = 3_600_000_000;
        wall.wall_us += hour;
        let second = clock.now_by(&mut wall);
        if second.mono.since(first.mono) < WALL_AGE {
            let passed = second.wall_us - hour - first.wall_us;
            assert_eq!(passed, second.mono.since(first.mono).as_micros() as i64);
        }
        std::thread::sleep(WALL_AGE);
        let third = clock.now_by(&mut wall);
        assert!(third.wall_us - first.wall_us < hour, "a clock that was set is noticed");
    }
}
