//! What must hold in the whole world at all times (`docs/invariants.md`), seen from outside the processes.

use crate::disk::Ending;
use crate::net::HostId;

/// Remembers what has been seen.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The first invariant that was broken.
    pub(crate) broken: Option<String>,
}

impl Watch {
    /// A process has ended.
    pub(crate) fn ended(&mut self, _id: HostId, _how: Ending) {}

    pub(crate) fn fail(&mut self, problem: String) {
        self.broken.get_or_insert(problem);
    }
}
