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
}
