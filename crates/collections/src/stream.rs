//! Streams.

use crate::collection::{Collection, Encoding};
use crate::pack::Pack;

/// A stream.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Stream(Pack);

impl From<Pack> for Stream {
    fn from(pack: Pack) -> Self {
        Stream(pack)
    }
}

impl Stream {
    /// The elements.
    #[must_use]
    pub fn pack(&self) -> &Pack {
        &self.0
    }
}

impl Collection for Stream {
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
