//! Sets.

use crate::collection::{Collection, Encoding};
use crate::pack::Pack;

/// A set.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Set(Pack);

impl From<Pack> for Set {
    fn from(pack: Pack) -> Self {
        Set(pack)
    }
}

impl Set {
    /// The elements.
    #[must_use]
    pub fn pack(&self) -> &Pack {
        &self.0
    }
}

impl Collection for Set {
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
