//! Two clocks, never mixed: a monotonic one for protocols and a wall clock for key expiry and display.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on the process' monotonic clock, in nanoseconds since an arbitrary origin (the start of the process).
///
/// All timers of the cores use this clock, so a jumped wall clock cannot disturb them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Mono(u64);

impl Mono {
    /// The origin.
    pub const ZERO: Mono = Mono(0);
    /// Later than every other moment: a timer that never fires.
    pub const NEVER: Mono = Mono(u64::MAX);

    /// The moment `nanos` nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Mono {
        Mono(nanos)
    }

    /// The moment `millis` milliseconds after the origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Mono {
        Mono(millis.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the origin.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The time from `earlier` to `self`, zero if `earlier` is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Mono) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, d: Duration) -> Mono {
        Mono(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Mono {
    type Output = Mono;
    fn sub(self, d: Duration) -> Mono {
        Mono(self.0.saturating_sub(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Debug for Mono {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000_000, self.0 / 1_000 % 1_000_000)
    }
}

/// A moment on the wall clock, in milliseconds since 1970-01-01 UTC.
///
/// Used for key expiry and for what people read, never for a protocol decision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// Whole seconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// The time that a shell hands to a core with each input: both clocks, read together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// The monotonic clock.
    pub mono: Mono,
    /// The wall clock in microseconds since 1970-01-01 UTC (`TIME` reports microseconds).
    pub wall_us: i64,
}

impl Now {
    /// The wall clock in milliseconds.
    #[must_use]
    pub const fn wall(self) -> UnixMs {
        UnixMs(self.wall_us.div_euclid(1000))
    }
}
