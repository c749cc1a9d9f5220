//! Positions in the replication log and the sizes and indices that travel with them.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A position in the replication log: the number of bytes produced before it (half-open, zero-based).
///
/// Redis' `PSYNC` argument is one-based; only the wire functions of the replication crate know that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogPos(pub u64);

impl LogPos {
    /// The beginning of every log.
    pub const ZERO: LogPos = LogPos(0);

    /// The number of bytes from `earlier` to `self`; `None` if `earlier` lies behind `self`.
    #[must_use]
    pub const fn checked_since(self, earlier: LogPos) -> Option<ByteLen> {
        match self.0.checked_sub(earlier.0) {
            Some(n) => Some(ByteLen(n)),
            None => None,
        }
    }
}

/// A length in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct ByteLen(pub u64);

impl Add<ByteLen> for LogPos {
    type Output = LogPos;
    fn add(self, n: ByteLen) -> LogPos {
        LogPos(self.0 + n.0)
    }
}

impl AddAssign<ByteLen> for LogPos {
    fn add_assign(&mut self, n: ByteLen) {
        self.0 += n.0;
    }
}

impl Sub<LogPos> for LogPos {
    type Output = ByteLen;
    /// The distance between two positions; the caller knows that `rhs` is not later.
    fn sub(self, rhs: LogPos) -> ByteLen {
        ByteLen(self.0 - rhs.0)
    }
}

impl fmt::Debug for LogPos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

impl fmt::Display for LogPos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a database, `0..databases`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct DbIndex(pub u16);

impl DbIndex {
    /// As an index into a slice of databases.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}
