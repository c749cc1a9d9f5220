//! The entries of a stream as its groups see them, and what can be told of groups without counting entries.

use super::node::Node;
use super::{About, Group, StreamId};
use std::collections::VecDeque;

/// A stream without its groups.
#[derive(Clone, Copy, Debug)]
pub struct StreamView<'a> {
    pub(super) nodes: &'a VecDeque<Node>,
    pub(super) about: About,
}

impl StreamView<'_> {
    /// What the stream knows of its past.
    #[must_use]
    pub fn about(self) -> About {
        self.about
    }

    /// The last live entry, or zero.
    #[must_use]
    pub fn last_live(self) -> StreamId {
        self.range(StreamId::MIN, StreamId::MAX).next_back().map_or(StreamId::MIN, |entry| entry.id)
    }

    /// Whether there is a live entry of this identifier.
    #[must_use]
    pub fn contains(self, id: StreamId) -> bool {
        self.range(id, id).next().is_some()
    }

    /// How many entries a group has still to read, less than none if it claims to have read more than there were; `None`
    /// if that is not known, because entries were deleted or because the group did not begin at a known one.
    #[must_use]
    pub fn lag(self, group: &Group) -> Option<i64> {
        if self.about.added == 0 {
            return Some(0);
        }
        let read = match group.read {
            Some(read) if !self.has_gap_from(group.last) => Some(read),
            _ => self.read_up_to(group.last),
        };
        Some(self.about.added.wrapping_sub(read?) as i64)
    }

    /// Whether an entry at `from` or behind it was deleted.
    pub(super) fn has_gap_from(self, from: StreamId) -> bool {
        let about = self.about;
        about.len > 0 && about.max_deleted != StreamId::MIN && from <= about.max_deleted
    }

    /// How many entries were ever added up to `id`, if that can be told without counting.
    #[must_use]
    pub fn read_up_to(self, id: StreamId) -> Option<u64> {
        let about = self.about;
        match id {
            _ if about.added == 0 => Some(0),
            _ if about.len == 0 && id < about.last => Some(about.added),
            _ if id != StreamId::MIN && id < about.max_deleted => None,
            _ if id == about.last => Some(about.added),
            _ if id > about.last => None,
            _ if about.max_deleted != StreamId::MIN && about.max_deleted >= about.first => None,
            _ if id < about.first => Some(about.added.saturating_sub(about.len)),
            _ if id == about.first => Some(about.added.saturating_sub(about.len).saturating_add(1)),
            _ => None,
        }
    }
}
