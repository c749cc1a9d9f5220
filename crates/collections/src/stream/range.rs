//! Stretches of a stream, from either end.

use super::node::{Node, StreamEntry};
use super::{StreamId, StreamView, index_of};
use std::collections::VecDeque;

/// The live entries between two identifiers. See [`StreamView::range`].
#[derive(Clone, Debug)]
pub struct Range<'a> {
    all: &'a VecDeque<Node>,
    /// The nodes that have not been begun.
    nodes: std::ops::Range<usize>,
    from: StreamId,
    to: StreamId,
    /// What is left of the first node.
    front: Option<super::node::Entries<'a>>,
    /// What is left of the last node, which is read from the beginning.
    back: VecDeque<StreamEntry<'a>>,
}

impl<'a> StreamView<'a> {
    /// The live entries from `from` to `to`, both included.
    #[must_use]
    pub fn range(self, from: StreamId, to: StreamId) -> Range<'a> {
        let begin = index_of(self.nodes, from).unwrap_or(0);
        let end = index_of(self.nodes, to).map_or(0, |index| index + 1);
        Range { all: self.nodes, nodes: begin..end.max(begin), from, to, front: None, back: VecDeque::new() }
    }
}

impl<'a> Range<'a> {
    fn wants(&self, entry: &StreamEntry<'_>) -> bool {
        !entry.deleted && entry.id >= self.from && entry.id <= self.to
    }

    fn node(&self, index: usize) -> &'a Node {
        &self.all[index]
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = StreamEntry<'a>;

    fn next(&mut self) -> Option<StreamEntry<'a>> {
        loop {
            if let Some(front) = &mut self.front {
                match front.next() {
                    None => self.front = None,
                    Some(entry) if entry.id > self.to => {
                        self.front = None;
                        self.nodes.start = self.nodes.end;
                    }
                    Some(entry) if self.wants(&entry) => return Some(entry),
                    Some(_) => {}
                }
            } else if let Some(index) = self.nodes.next() {
                self.front = Some(self.node(index).entries());
            } else {
                return self.back.pop_front();
            }
        }
    }
}

impl DoubleEndedIterator for Range<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.back.pop_back() {
                return Some(entry);
            }
            let entries = match self.nodes.next_back() {
                Some(index) => self.node(index).entries(),
                None => self.front.take()?,
            };
            let mut back = std::mem::take(&mut self.back);
            back.extend(entries.filter(|entry| self.wants(entry)));
            self.back = back;
        }
    }
}
