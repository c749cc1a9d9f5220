//! Lists.

use crate::collection::{Collection, Encoding};
use crate::pack::Pack;

/// A list.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct List(Pack);

impl From<Pack> for List {
    fn from(pack: Pack) -> Self {
        List(pack)
    }
}

impl List {
    /// The elements.
    #[must_use]
    pub fn pack(&self) -> &Pack {
        &self.0
    }
}

impl Collection for List {
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
