//! Streams: entries in the order of their identifiers, and the groups that consume them.
//!
//! Entries are kept in nodes ([`node`]), listpacks as Redis lays them out, so that snapshots carry them as they are. An
//! entry that is deleted is only marked, until its whole node goes.

mod group;
mod id;
mod node;
mod range;
#[cfg(test)]
mod tests;
mod trim;
mod view;

use crate::collection::{Collection, Encoding};
use crate::pack::Pack;
use crate::policy::Policy;
use crate::row::make_room;
use node::Node;
use std::collections::{BTreeMap, VecDeque};

pub use group::{Consumer, Delivery, Group};
pub use id::StreamId;
pub use node::{Fields, StreamEntry};
pub use range::Range;
pub use trim::{Limits, Trim};
pub use view::StreamView;

/// The longest text of one entry, and the longest node, in bytes.
const LONGEST: usize = 1 << 30;
/// What an entry takes besides its text, for each field and once.
const EXTRA: usize = 32;

/// A stream.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Stream(Box<Inner>);

#[derive(Clone, Default, PartialEq, Debug)]
struct Inner {
    nodes: VecDeque<Node>,
    groups: BTreeMap<Box<[u8]>, Group>,
    /// Bytes taken by the listpacks.
    packed: usize,
    about: About,
}

/// What a stream knows of its past.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct About {
    /// The live entries.
    pub len: u64,
    /// The highest identifier that was given out.
    pub last: StreamId,
    /// The first live entry; zero if there is none.
    pub first: StreamId,
    /// The highest identifier that was deleted, other than by trimming.
    pub max_deleted: StreamId,
    /// How many entries were ever added.
    pub added: u64,
}

/// Why an entry was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddError {
    /// There is no identifier behind the last one.
    Exhausted,
    /// The identifier is not behind the last one.
    NotBehind,
    /// The entry is too long.
    TooLong,
}

/// Which identifier a new entry gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewId {
    /// This one.
    Given(StreamId),
    /// The next one of this `ms`.
    NextOf(u64),
    /// The first of this moment, or the next one if the last is not before it.
    Now(u64),
}

impl Stream {
    /// What it knows of its past.
    #[must_use]
    pub fn about(&self) -> About {
        self.0.about
    }

    /// Changes what it knows of its past. `len` and `first` are not to be changed.
    pub fn about_mut(&mut self) -> &mut About {
        &mut self.0.about
    }

    /// The groups by their names.
    #[must_use]
    pub fn groups(&self) -> &BTreeMap<Box<[u8]>, Group> {
        &self.0.groups
    }

    /// The groups, to change.
    pub fn groups_mut(&mut self) -> &mut BTreeMap<Box<[u8]>, Group> {
        &mut self.0.groups
    }

    /// The entries, and the group of this name, to hand them to; `None` if there is no such group.
    pub fn view_and_group(&mut self, name: &[u8]) -> Option<(StreamView<'_>, &mut Group)> {
        let inner = &mut *self.0;
        Some((StreamView { nodes: &inner.nodes, about: inner.about }, inner.groups.get_mut(name)?))
    }

    /// The entries, without the groups.
    #[must_use]
    pub fn view(&self) -> StreamView<'_> {
        StreamView { nodes: &self.0.nodes, about: self.0.about }
    }

    /// All live entries.
    #[must_use]
    pub fn iter(&self) -> Range<'_> {
        self.range(StreamId::MIN, StreamId::MAX)
    }

    /// The live entries from `from` to `to`, both included.
    #[must_use]
    pub fn range(&self, from: StreamId, to: StreamId) -> Range<'_> {
        self.view().range(from, to)
    }

    /// The stream as it is now, whatever becomes of this one. The nodes are shared, however many there are, and one is
    /// copied when it is changed; the groups are copied.
    #[must_use]
    pub fn freeze(&mut self) -> Stream {
        let inner = &mut *self.0;
        let mut frozen = VecDeque::with_capacity(inner.nodes.len());
        let packed = &mut inner.packed;
        let lend = |node: Node| {
            *packed += node.loan();
            let node = node.into_lent();
            frozen.push_back(node.clone());
            node
        };
        inner.nodes = std::mem::take(&mut inner.nodes).into_iter().map(lend).collect();
        let (groups, packed, about) = (inner.groups.clone(), inner.packed, inner.about);
        Stream(Box::new(Inner { nodes: frozen, groups, packed, about }))
    }

    /// Bytes that a frozen stream takes besides the nodes that it shares.
    #[must_use]
    pub fn frozen_bytes(&self) -> usize {
        self.allocated() - self.0.packed
    }

    /// The nodes: their identifiers and listpacks.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (StreamId, &Pack)> {
        self.nodes_from(0)
    }

    /// The nodes from an index on.
    pub fn nodes_from(&self, from: usize) -> impl ExactSizeIterator<Item = (StreamId, &Pack)> {
        let nodes = &self.0.nodes;
        nodes.range(from.min(nodes.len())..).map(|node| (node.base, node.pack()))
    }

    /// The identifier that `new` stands for.
    ///
    /// # Errors
    /// When there is none behind the last one.
    pub fn choose(&self, new: NewId) -> Result<StreamId, AddError> {
        let last = self.0.about.last;
        let id = match new {
            _ if last == StreamId::MAX => return Err(AddError::Exhausted),
            NewId::Given(id) => id,
            NewId::NextOf(ms) if ms == last.ms => {
                StreamId { ms, seq: last.seq.checked_add(1).ok_or(AddError::NotBehind)? }
            }
            NewId::NextOf(ms) => StreamId { ms, seq: 0 },
            NewId::Now(ms) if ms > last.ms => StreamId { ms, seq: 0 },
            NewId::Now(_) => last.next().ok_or(AddError::Exhausted)?,
        };
        if id > last { Ok(id) } else { Err(AddError::NotBehind) }
    }

    /// Adds an entry of fields and their values; its identifier.
    ///
    /// # Errors
    /// When there is no such identifier, or the entry is too long. Nothing has changed then.
    pub fn add<'f, I>(&mut self, new: NewId, pairs: I, policy: &Policy) -> Result<StreamId, AddError>
    where
        I: ExactSizeIterator<Item = (&'f [u8], &'f [u8])> + Clone,
    {
        let id = self.choose(new)?;
        let text: usize = pairs.clone().map(|(name, value)| name.len() + value.len()).sum();
        let whole = text.saturating_add(EXTRA * (pairs.len() + 2));
        // A node of its own has the names twice at most.
        if whole > LONGEST / 2 {
            return Err(AddError::TooLong);
        }
        let inner = &mut *self.0;
        let most = if policy.stream_bytes == 0 { LONGEST } else { policy.stream_bytes.min(LONGEST) };
        let room = inner.nodes.back().is_some_and(|node| {
            node.pack().bytes() + text < most
                && node.pack().would_fit(whole)
                && (policy.stream_entries == 0 || node.all() < policy.stream_entries as u64)
        });
        if !room {
            make_room(&mut inner.nodes);
            inner.nodes.push_back(Node::new(id, pairs.clone().map(|(name, _)| name)));
        } else if let Some(node) = inner.nodes.back() {
            inner.packed -= node.allocated();
        }
        let Some(node) = inner.nodes.back_mut() else { unreachable!("there is one now") };
        node.append(id, pairs);
        inner.packed += node.allocated();
        inner.about.len += 1;
        inner.about.added = inner.about.added.wrapping_add(1);
        inner.about.last = id;
        if inner.about.len == 1 {
            inner.about.first = id;
        }
        Ok(id)
    }

    /// Deletes an entry; says whether it was there. [`Stream::renew_first`] is to follow.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let inner = &mut *self.0;
        let Some(index) = index_of(&inner.nodes, id) else { return false };
        let node = &mut inner.nodes[index];
        let found = node.entries().take_while(|entry| entry.id <= id).find(|entry| entry.id == id);
        let Some(at) = found.filter(|entry| !entry.deleted).map(|entry| entry.at) else { return false };
        inner.packed -= node.allocated();
        if node.live() == 1 {
            inner.nodes.remove(index);
        } else {
            node.mark(&[at]);
            inner.packed += node.allocated();
        }
        inner.about.len -= 1;
        inner.about.max_deleted = inner.about.max_deleted.max(id);
        true
    }

    /// Finds the first entry again, after some have gone.
    pub fn renew_first(&mut self) {
        self.0.about.first = self.iter().next().map_or(StreamId::MIN, |entry| entry.id);
    }

    /// Appends a node that somebody else has made; `None` if it is not one, or not behind the others.
    pub fn push_foreign(&mut self, base: StreamId, pack: Pack) -> Option<()> {
        let inner = &mut *self.0;
        let node = Node::check(base, pack)?;
        let first = node.entries().next()?.id;
        if first < base || inner.nodes.back().is_some_and(|before| before.last_id() >= base) {
            return None;
        }
        inner.about.len += node.live();
        inner.packed += node.allocated();
        make_room(&mut inner.nodes);
        inner.nodes.push_back(node);
        Some(())
    }

    /// The highest identifier of any entry, also of deleted ones whose nodes are still there.
    #[must_use]
    pub fn highest(&self) -> Option<StreamId> {
        self.0.nodes.back().map(Node::last_id)
    }
}

/// The node that an identifier would be in.
fn index_of(nodes: &VecDeque<Node>, id: StreamId) -> Option<usize> {
    nodes.partition_point(|node| node.base <= id).checked_sub(1)
}

impl Collection for Stream {
    fn len(&self) -> usize {
        usize::try_from(self.0.about.len).unwrap_or(usize::MAX)
    }

    fn encoding(&self) -> Encoding {
        Encoding::Stream
    }

    fn allocated(&self) -> usize {
        let groups: usize = self.0.groups.values().map(Group::allocated).sum();
        size_of::<Inner>() + self.0.packed + self.0.nodes.capacity() * size_of::<Node>() + groups
    }

    fn effort(&self) -> usize {
        self.0.nodes.len() + 2 * self.0.groups.values().map(Group::effort).sum::<usize>()
    }
}
