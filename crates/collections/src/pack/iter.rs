//! Walking through a pack.

use super::code;
use super::{Pos, Value};
use std::iter::FusedIterator;

/// The elements of a pack. See [`super::Pack::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Iter<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8], at: usize, end: usize) -> Iter<'a> {
        Iter { bytes, at, end }
    }

    /// Where the next element begins.
    #[inline]
    #[must_use]
    pub fn pos(&self) -> Option<Pos> {
        (self.at < self.end).then_some(Pos(self.at))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        if self.at >= self.end {
            return None;
        }
        let (value, next) = code::decode(self.bytes, self.at);
        self.at = next;
        Some(value)
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Value<'a>> {
        if self.at >= self.end {
            return None;
        }
        self.end = code::skip_back(self.bytes, self.end);
        Some(code::decode(self.bytes, self.end).0)
    }
}

impl FusedIterator for Iter<'_> {}

/// The elements of a pack, two at a time. See [`super::Pack::pairs`].
#[derive(Clone, Debug)]
pub struct Pairs<'a>(Iter<'a>);

impl<'a> Pairs<'a> {
    #[inline]
    pub(super) fn new(iter: Iter<'a>) -> Pairs<'a> {
        Pairs(iter)
    }

    /// Where the next pair begins.
    #[inline]
    #[must_use]
    pub fn pos(&self) -> Option<Pos> {
        self.0.pos()
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Value<'a>, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}

impl FusedIterator for Pairs<'_> {}
