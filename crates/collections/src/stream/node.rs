//! A stretch of entries in a listpack, laid out as Redis does:
//!
//! ```text
//! live entries │ deleted ones │ number of common fields │ field ... │ 0
//! flags │ ms │ seq │ value ...                                  │ elements of the entry before this one
//! flags │ ms │ seq │ number of fields │ field │ value ...       │ elements of the entry before this one
//! ```
//! The first line comes once; its fields are those of the first entry. An entry that has the same ones is of the second
//! form, any other of the third. `ms` and `seq` count from the node's identifier, that of its first entry.
//!
//! Invariants, which [`Node::check`] finds in foreign bytes: the elements are these and no others, identifiers rise, the
//! counts in front are right, and there is an entry. Without live ones a node stays only
//! if trimming by identifier stopped in front of its last entry, a deleted one.

use super::StreamId;
use crate::class::class;
use crate::pack::{Iter, Pack, Pos, Value};
use crate::word::{Kind, Word};
use std::sync::Arc;

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// See the module's comment. A million entries have ten thousand nodes, side by side: three words each.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) base: StreamId,
    held: Held,
}

/// Whose the listpack is: the stream's alone, or one that a frozen stream may have as well, so that it is not changed.
type Held = Word<Pack, Arc<Pack>>;

/// Bytes that lending a listpack takes from the allocator: its word with two counters, and the pointer to them.
const LOAN: usize = class(size_of::<Pack>() + 2 * size_of::<usize>()) + class(size_of::<Arc<Pack>>());

const _: () = assert!(size_of::<Node>() == 24);

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.base == other.base && self.pack() == other.pack()
    }
}

/// An entry of a stream.
#[derive(Clone, Debug)]
pub struct StreamEntry<'a> {
    /// Its identifier.
    pub id: StreamId,
    fields: Fields<'a>,
    /// Where its flags are.
    pub(super) at: Pos,
    pub(super) deleted: bool,
}

impl<'a> StreamEntry<'a> {
    /// Its fields with their values.
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        self.fields.clone()
    }
}

/// The fields of an entry with their values.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    /// The names, if they are not beside the values.
    names: Option<Iter<'a>>,
    values: Iter<'a>,
    left: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Value<'a>, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = match &mut self.names {
            Some(names) => names.next()?,
            None => self.values.next()?,
        };
        Some((name, self.values.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// All entries of a node, the deleted ones too.
#[derive(Clone, Debug)]
pub(super) struct Entries<'a> {
    base: StreamId,
    names: Iter<'a>,
    common: usize,
    rest: Iter<'a>,
}

fn int(value: Option<Value<'_>>) -> Option<i64> {
    match value {
        Some(Value::Int(n)) => Some(n),
        _ => None,
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = StreamEntry<'a>;

    #[inline]
    fn next(&mut self) -> Option<StreamEntry<'a>> {
        let at = self.rest.pos()?;
        let flags = int(self.rest.next())?;
        let id = self.base.plus(int(self.rest.next())?, int(self.rest.next())?);
        let (names, left) = if flags & SAME_FIELDS != 0 {
            (Some(self.names.clone()), self.common)
        } else {
            (None, usize::try_from(int(self.rest.next())?).ok()?)
        };
        let fields = Fields { names, values: self.rest.clone(), left };
        let values = if flags & SAME_FIELDS != 0 { left } else { left.checked_mul(2)? };
        // The values, and the number of elements at the end.
        for _ in 0..=values {
            self.rest.next()?;
        }
        Some(StreamEntry { id, fields, at, deleted: flags & DELETED != 0 })
    }
}

impl Node {
    /// A node whose first entry will have this identifier and these fields.
    pub(super) fn new<'f>(base: StreamId, names: impl ExactSizeIterator<Item = &'f [u8]>) -> Node {
        let mut pack = Pack::new();
        for n in [0, 0, names.len() as i64] {
            push_int(&mut pack, n);
        }
        for name in names {
            push(&mut pack, name);
        }
        push_int(&mut pack, 0);
        Node { base, held: Word::compact(pack) }
    }

    /// The listpack.
    #[inline]
    pub(super) fn pack(&self) -> &Pack {
        match self.held.get() {
            Kind::Compact(pack) => pack,
            Kind::Large(lent) => lent,
            Kind::Other(never) => match *never {},
        }
    }

    /// The listpack, to change; copied first if a frozen stream still has it.
    #[inline]
    fn pack_mut(&mut self) -> &mut Pack {
        if self.is_lent() {
            self.reclaim();
        }
        match self.held.get_mut() {
            Kind::Compact(pack) => pack,
            _ => unreachable!("reclaimed above"),
        }
    }

    fn is_lent(&self) -> bool {
        self.held.large_ref().is_some()
    }

    #[cold]
    fn reclaim(&mut self) {
        self.held = match std::mem::replace(&mut self.held, Word::compact(Pack::new())).into_kind() {
            Kind::Compact(own) => Word::compact(own),
            Kind::Large(lent) => Word::compact(Arc::unwrap_or_clone(*lent)),
            Kind::Other(never) => match never {},
        };
    }

    /// Bytes that lending it will take from the allocator.
    pub(super) fn loan(&self) -> usize {
        if self.is_lent() { 0 } else { LOAN }
    }

    /// The same node, from now on for several streams.
    pub(super) fn into_lent(self) -> Node {
        let held = match self.held.into_kind() {
            Kind::Compact(own) => Word::large(Box::new(Arc::new(own))),
            Kind::Large(lent) => Word::large(lent),
            Kind::Other(never) => match never {},
        };
        Node { base: self.base, held }
    }

    /// Bytes taken from the allocator.
    pub(super) fn allocated(&self) -> usize {
        self.pack().allocated() + if self.is_lent() { LOAN } else { 0 }
    }

    fn header(&self) -> (i64, i64) {
        let mut iter = self.pack().iter();
        (int(iter.next()).unwrap_or(0), int(iter.next()).unwrap_or(0))
    }

    /// The live entries.
    pub(super) fn live(&self) -> u64 {
        self.header().0 as u64
    }

    /// The live and deleted entries.
    pub(super) fn all(&self) -> u64 {
        let (live, deleted) = self.header();
        (live + deleted) as u64
    }

    /// Counts entries that came (`live` only) or were marked.
    fn count(&mut self, live: i64, deleted: i64) {
        let (old_live, old_deleted) = self.header();
        let Some(first) = self.pack().first() else { unreachable!("a node has a header") };
        replace(self.pack_mut(), first, old_live + live);
        if deleted != 0
            && let Some(second) = self.pack().next(first)
        {
            replace(self.pack_mut(), second, old_deleted + deleted);
        }
    }

    /// The entries, the deleted ones too.
    pub(super) fn entries(&self) -> Entries<'_> {
        let mut iter = self.pack().iter();
        iter.next();
        iter.next();
        let common = int(iter.next()).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let names = iter.clone();
        for _ in 0..=common {
            iter.next();
        }
        Entries { base: self.base, names, common, rest: iter }
    }

    /// The last entry, be it deleted or not.
    pub(super) fn last_id(&self) -> StreamId {
        let mut iter = self.pack().iter();
        let back = int(iter.next_back()).unwrap_or(0);
        // From the element in front of the count back to the flags.
        for _ in 3..back.max(3) {
            iter.next_back();
        }
        let (seq, ms) = (int(iter.next_back()), int(iter.next_back()));
        self.base.plus(ms.unwrap_or(0), seq.unwrap_or(0))
    }

    /// Appends an entry. The caller knows that it fits and comes behind the others.
    pub(super) fn append<'f, I>(&mut self, id: StreamId, pairs: I)
    where
        I: ExactSizeIterator<Item = (&'f [u8], &'f [u8])> + Clone,
    {
        let mut names = self.entries();
        let same = names.common == pairs.len()
            && pairs.clone().all(|(name, _)| names.names.next().is_some_and(|known| known.eq_bytes(name)));
        let fields = pairs.len() as i64;
        self.count(1, 0);
        let (ms, seq) = id.minus(self.base);
        for n in [if same { SAME_FIELDS } else { 0 }, ms, seq] {
            push_int(self.pack_mut(), n);
        }
        if !same {
            push_int(self.pack_mut(), fields);
        }
        for (name, value) in pairs {
            if !same {
                push(self.pack_mut(), name);
            }
            push(self.pack_mut(), value);
        }
        push_int(self.pack_mut(), if same { fields + 3 } else { 2 * fields + 4 });
    }

    /// Marks entries as deleted, at these positions of their flags.
    pub(super) fn mark(&mut self, at: &[Pos]) {
        // From the last: a flag keeps its length, but not if foreign bytes had it longer than needed.
        for &pos in at.iter().rev() {
            let Value::Int(flags) = self.pack().get(pos) else { continue };
            replace(self.pack_mut(), pos, flags | DELETED);
        }
        self.count(-(at.len() as i64), at.len() as i64);
    }

    /// A node in a listpack that somebody else has made; `None` if it is not one.
    pub(super) fn check(base: StreamId, pack: Pack) -> Option<Node> {
        let mut iter = pack.iter();
        let (live, deleted) = (int(iter.next())?, int(iter.next())?);
        let common = usize::try_from(int(iter.next())?).ok()?;
        if common > pack.len() {
            return None;
        }
        for _ in 0..common {
            iter.next()?;
        }
        if int(iter.next())? != 0 {
            return None;
        }
        let (mut seen, mut before) = ([0i64; 2], None);
        while iter.pos().is_some() {
            let flags = int(iter.next())?;
            let id = base.plus(int(iter.next())?, int(iter.next())?);
            if before.is_some_and(|before| before >= id) || flags & !(DELETED | SAME_FIELDS) != 0 {
                return None;
            }
            before = Some(id);
            let elements = if flags & SAME_FIELDS != 0 {
                common.checked_add(3)?
            } else {
                usize::try_from(int(iter.next())?).ok()?.checked_mul(2)?.checked_add(4)?
            };
            if elements > pack.len() {
                return None;
            }
            for _ in 0..elements - if flags & SAME_FIELDS != 0 { 3 } else { 4 } {
                iter.next()?;
            }
            if int(iter.next())? != elements as i64 {
                return None;
            }
            seen[(flags & DELETED) as usize] += 1;
        }
        (seen == [live, deleted] && live + deleted > 0).then(|| Node { base, held: Word::compact(pack) })
    }
}

/// A stream refuses entries that would not fit, so that what is written here does.
fn push(pack: &mut Pack, text: &[u8]) {
    assert!(pack.push_back(text).is_ok(), "an entry fits its node");
}

fn push_int(pack: &mut Pack, n: i64) {
    assert!(pack.push_back_int(n).is_ok(), "an entry fits its node");
}

fn replace(pack: &mut Pack, pos: Pos, n: i64) {
    assert!(pack.replace(pos, n).is_ok(), "a count fits its node");
}
