//! Walking through a hash.

use super::Pair;
use crate::member::{self, Field, Members};
use crate::pack::{Pack, Pairs};
use crate::word::Kind;

/// The fields of a hash. See [`super::Hash::iter`].
pub struct HashIter<'a>(Inner<'a>);

enum Inner<'a> {
    Pack(Pairs<'a>),
    Table(member::Iter<'a, Field>),
}

impl<'a> HashIter<'a> {
    pub(super) fn new<C>(kind: Kind<&'a Pack, &'a Members<Field>, C>) -> HashIter<'a> {
        HashIter(match kind {
            Kind::Compact(pack) => Inner::Pack(pack.pairs()),
            Kind::Large(members) => Inner::Table(members.iter()),
            Kind::Other(_) => unreachable!("a hash has two forms"),
        })
    }
}

impl<'a> Iterator for HashIter<'a> {
    type Item = Pair<'a>;

    #[inline]
    fn next(&mut self) -> Option<Pair<'a>> {
        match &mut self.0 {
            Inner::Pack(pairs) => pairs.next().map(Pair::packed),
            Inner::Table(iter) => iter.next().map(Pair::of),
        }
    }
}

impl std::fmt::Debug for HashIter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HashIter").finish_non_exhaustive()
    }
}
