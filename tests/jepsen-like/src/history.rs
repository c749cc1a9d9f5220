//! What clients did and saw, operation by operation.

use std::time::Duration;

/// One operation on a register. A register's values are 1, 2, 3, ... in the order of its only writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The register.
    pub(crate) register: usize,
    /// Who did it; readers only are told apart by it.
    pub(crate) client: usize,
    /// What it was.
    pub(crate) what: What,
    /// When it was sent, since the run's zero.
    pub(crate) begin: Duration,
    /// When the answer was there, or hope was given up.
    pub(crate) end: Duration,
}

/// The kinds of operations, with their ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Acknowledged; `confirmed` if a replica had it as well.
    Wrote { value: u64, confirmed: bool },
    /// Refused: not executed.
    Refused { value: u64 },
    /// Perhaps executed.
    Perhaps { value: u64 },
    /// Read; zero is a register that is not there.
    Read { value: u64 },
}
