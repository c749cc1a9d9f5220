//! Sorted sets.

#[allow(dead_code, reason = "for large sets")]
mod order;

use crate::collection::{Collection, Encoding};
use crate::pack::Pack;

/// A sorted set.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct SortedSet(Pack);

impl From<Pack> for SortedSet {
    fn from(pack: Pack) -> Self {
        SortedSet(pack)
    }
}

impl SortedSet {
    /// The elements.
    #[must_use]
    pub fn pack(&self) -> &Pack {
        &self.0
    }
}

impl Collection for SortedSet {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn encoding(&self) -> Encoding {
        Encoding::Listpack
    }

    fn allocated(&self) -> usize {
        self.0.allocated()
    }

    fn effort(&self) -> usize {
        1
    }
}
