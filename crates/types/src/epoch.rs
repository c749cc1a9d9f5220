//! Epochs: the numbers that elections and configurations are ordered by.

use std::fmt;

/// An election epoch: at most one leader, and at most one primary, exists per epoch.
///
/// Zero is the time before any election: a node that was made a primary by hand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

/// The epoch space is used up, or a peer asked for a jump that would use it up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EpochOverflow;

impl Epoch {
    /// The time before any election.
    pub const ZERO: Epoch = Epoch(0);
    /// The largest jump that a single message may cause: a typing error must not burn the epoch space.
    pub const MAX_JUMP: u64 = 1 << 32;

    /// The epoch after this one.
    ///
    /// # Errors
    /// When the space is used up.
    pub const fn next(self) -> Result<Epoch, EpochOverflow> {
        match self.0.checked_add(1) {
            Some(e) => Ok(Epoch(e)),
            None => Err(EpochOverflow),
        }
    }

    /// Whether moving from `self` to `to` stays within the largest jump that a message may cause.
    #[must_use]
    pub const fn may_jump_to(self, to: Epoch) -> bool {
        to.0.saturating_sub(self.0) <= Epoch::MAX_JUMP
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{}", self.0)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The epoch in which a group's current configuration (who is primary) was decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct ConfigEpoch(pub u64);

impl fmt::Display for ConfigEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
