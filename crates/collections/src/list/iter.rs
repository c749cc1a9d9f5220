//! Walking through a list.

use super::node::{Content, Node};
use crate::pack::{self, Value};
use std::collections::vec_deque;
use std::iter::FusedIterator;

/// The elements of a list. See [`super::List::iter`].
#[derive(Clone)]
pub struct Elements<'a> {
    front: Part<'a>,
    nodes: vec_deque::Iter<'a, Node>,
    back: Part<'a>,
}

/// What is left of a node that has been begun.
#[derive(Clone)]
enum Part<'a> {
    Nothing,
    Packed(pack::Iter<'a>),
    Plain(&'a [u8]),
}

impl<'a> Part<'a> {
    fn of(node: &'a Node) -> Part<'a> {
        match node.content() {
            Content::Packed(pack) => Part::Packed(pack.iter()),
            Content::Plain(element) => Part::Plain(element),
        }
    }

    /// The next element, from the front or the back.
    #[inline]
    fn take(&mut self, step: impl FnOnce(&mut pack::Iter<'a>) -> Option<Value<'a>>) -> Option<Value<'a>> {
        match self {
            Part::Packed(elements) => step(elements),
            Part::Plain(element) => {
                let element = Value::Str(element);
                *self = Part::Nothing;
                Some(element)
            }
            Part::Nothing => None,
        }
    }
}

impl<'a> Elements<'a> {
    pub(super) fn none() -> Elements<'a> {
        Elements { front: Part::Nothing, nodes: Default::default(), back: Part::Nothing }
    }

    pub(super) fn of_pack(pack: pack::Iter<'a>) -> Elements<'a> {
        Elements { front: Part::Packed(pack), ..Elements::none() }
    }

    /// The elements of `nodes`, of the first one from the index `within` on.
    pub(super) fn of_nodes(mut nodes: vec_deque::Iter<'a, Node>, within: usize) -> Elements<'a> {
        let front = match nodes.next().map(Node::content) {
            Some(Content::Packed(pack)) => match pack.seek(within as isize) {
                Some(pos) => Part::Packed(pack.iter_from(pos)),
                None => Part::Nothing,
            },
            Some(Content::Plain(element)) => Part::Plain(element),
            None => Part::Nothing,
        };
        Elements { front, nodes, back: Part::Nothing }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        loop {
            if let Some(element) = self.front.take(Iterator::next) {
                return Some(element);
            }
            match self.nodes.next() {
                Some(node) => self.front = Part::of(node),
                None => return self.back.take(Iterator::next),
            }
        }
    }
}

impl<'a> DoubleEndedIterator for Elements<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Value<'a>> {
        loop {
            if let Some(element) = self.back.take(DoubleEndedIterator::next_back) {
                return Some(element);
            }
            match self.nodes.next_back() {
                Some(node) => self.back = Part::of(node),
                None => return self.front.take(DoubleEndedIterator::next_back),
            }
        }
    }
}

impl FusedIterator for Elements<'_> {}
