//! Walking through a set.

use crate::intset::IntSet;
use crate::member::{self, Members, Plain};
use crate::pack::{self, Pack, Value};
use crate::word::{Guard, Kind};

/// The members of a set. See [`super::Set::iter`].
pub struct SetIter<'a>(Inner<'a>);

enum Inner<'a> {
    Ints(Guard<'a, IntSet>, usize),
    Pack(pack::Iter<'a>),
    Table(member::Iter<'a, Plain>),
}

impl<'a> SetIter<'a> {
    pub(super) fn new(kind: Kind<&'a Pack, &'a Members<Plain>, Guard<'a, IntSet>>) -> SetIter<'a> {
        SetIter(match kind {
            Kind::Other(ints) => Inner::Ints(ints, 0),
            Kind::Compact(pack) => Inner::Pack(pack.iter()),
            Kind::Large(members) => Inner::Table(members.iter()),
        })
    }
}

impl<'a> Iterator for SetIter<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        match &mut self.0 {
            Inner::Ints(ints, next) => {
                let n = ints.get(*next)?;
                *next += 1;
                Some(Value::Int(n))
            }
            Inner::Pack(iter) => iter.next(),
            Inner::Table(iter) => iter.next().map(|member| Value::Str(member.name())),
        }
    }
}

impl std::fmt::Debug for SetIter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetIter").finish_non_exhaustive()
    }
}
