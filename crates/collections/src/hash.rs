//! Hashes.

use crate::collection::{Collection, Encoding};
use crate::pack::Pack;

/// A hash.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Hash(Pack);

impl From<Pack> for Hash {
    fn from(pack: Pack) -> Self {
        Hash(pack)
    }
}

impl Hash {
    /// The elements.
    #[must_use]
    pub fn pack(&self) -> &Pack {
        &self.0
    }
}

impl Collection for Hash {
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
