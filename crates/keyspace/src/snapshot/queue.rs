//! Old forms of small entries on their way out.

use crate::entry::OwnedEntry;
use std::collections::VecDeque;
use tanist_types::DbIndex;

/// Entries in the order they came, in chunks, so that a long queue grows without copying itself.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Never an empty one.
    chunks: VecDeque<VecDeque<(DbIndex, OwnedEntry)>>,
    bytes: usize,
}

impl Queue {
    const CHUNK: usize = 512;

    pub(super) fn push(&mut self, index: DbIndex, entry: OwnedEntry) {
        self.bytes += Queue::cost(&entry);
        match self.chunks.back_mut() {
            Some(chunk) if chunk.len() < Queue::CHUNK => chunk.push_back((index, entry)),
            _ => self.chunks.push_back(VecDeque::from([(index, entry)])),
        }
    }

    pub(super) fn pop(&mut self) -> Option<(DbIndex, OwnedEntry)> {
        let chunk = self.chunks.front_mut()?;
        let (index, entry) = chunk.pop_front()?;
        if chunk.is_empty() {
            self.chunks.pop_front();
        }
        self.bytes -= Queue::cost(&entry);
        Some((index, entry))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.chunks.iter().map(VecDeque::len).sum()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn cost(entry: &OwnedEntry) -> usize {
        entry.entry().allocated() + size_of::<(DbIndex, OwnedEntry)>()
    }
}
