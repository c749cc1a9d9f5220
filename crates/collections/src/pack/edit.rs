//! Changing a pack: every edit moves what follows once, and allocates only when the size class changes.

use super::code::{self, Code};
use super::{END, HEADER, LONGEST, Pack, Pos, Side, TooLarge, UNCOUNTED, Value};
use crate::blob::Blob;

fn header(total: usize, count: usize) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&(total as u32).to_le_bytes());
    header[4..].copy_from_slice(&u16::try_from(count).unwrap_or(UNCOUNTED).to_le_bytes());
    header
}

impl Pack {
    /// Replaces `old` bytes at `at`, which are `removed` whole elements, by `parts`, which are `added` of them.
    fn splice(
        &mut self,
        at: usize,
        (old, removed): (usize, usize),
        parts: &[&[u8]],
        added: usize,
    ) -> Result<(), TooLarge> {
        let new: usize = parts.iter().map(|part| part.len()).sum();
        let kept = self.bytes() - old;
        if new > old && new > LONGEST - kept {
            return Err(TooLarge);
        }
        // As in Redis, what is not counted stays so.
        let count = self.known_count().map_or(usize::from(UNCOUNTED), |count| count - removed + added);
        self.blob.splice(at, old, parts, &header(kept + new, count));
        Ok(())
    }

    pub(super) fn set_count(&mut self, count: usize) {
        let total = self.bytes();
        self.blob.splice(total, 0, &[], &header(total, count));
    }

    fn put(&mut self, at: usize, old: (usize, usize), value: Value<'_>) -> Result<(), TooLarge> {
        let code = Code::of(value).ok_or(TooLarge)?;
        self.splice(at, old, &code.parts(), 1)
    }

    fn put_pair(&mut self, at: usize, first: Value<'_>, second: Value<'_>) -> Result<(), TooLarge> {
        let (first, second) = (Code::of(first).ok_or(TooLarge)?, Code::of(second).ok_or(TooLarge)?);
        let ([a, b, c], [d, e, f]) = (first.parts(), second.parts());
        self.splice(at, (0, 0), &[a, b, c, d, e, f], 2)
    }

    fn beside(&self, pos: Pos, side: Side) -> usize {
        match side {
            Side::Before => pos.0,
            Side::After => code::skip(self.as_bytes(), pos.0),
        }
    }

    /// Appends an element.
    #[inline]
    pub fn push_back<'v>(&mut self, value: impl Into<Value<'v>>) -> Result<(), TooLarge> {
        self.put(self.end(), (0, 0), value.into())
    }

    /// Appends an integer.
    #[inline]
    pub fn push_back_int(&mut self, n: i64) -> Result<(), TooLarge> {
        self.push_back(n)
    }

    /// Puts an element before all others.
    #[inline]
    pub fn push_front<'v>(&mut self, value: impl Into<Value<'v>>) -> Result<(), TooLarge> {
        self.put(HEADER, (0, 0), value.into())
    }

    /// Appends two elements at once: both or none.
    #[inline]
    pub fn push_pair<'v>(
        &mut self,
        first: impl Into<Value<'v>>,
        second: impl Into<Value<'v>>,
    ) -> Result<(), TooLarge> {
        self.put_pair(self.end(), first.into(), second.into())
    }

    /// Puts an element beside another one; where it is.
    pub fn insert<'v>(&mut self, pos: Pos, side: Side, value: impl Into<Value<'v>>) -> Result<Pos, TooLarge> {
        let at = self.beside(pos, side);
        self.put(at, (0, 0), value.into())?;
        Ok(Pos(at))
    }

    /// Puts two elements beside another one, both or none; where the first one is.
    pub fn insert_pair<'v>(
        &mut self,
        pos: Pos,
        side: Side,
        first: impl Into<Value<'v>>,
        second: impl Into<Value<'v>>,
    ) -> Result<Pos, TooLarge> {
        let at = self.beside(pos, side);
        self.put_pair(at, first.into(), second.into())?;
        Ok(Pos(at))
    }

    /// Puts another element in the place of this one, whose position stays what it is.
    pub fn replace<'v>(&mut self, pos: Pos, value: impl Into<Value<'v>>) -> Result<(), TooLarge> {
        let old = code::skip(self.as_bytes(), pos.0) - pos.0;
        self.put(pos.0, (old, 1), value.into())
    }

    /// Removes an element; where the next one is now.
    pub fn remove(&mut self, pos: Pos) -> Option<Pos> {
        self.remove_range(pos, 1);
        (pos.0 < self.end()).then_some(pos)
    }

    /// Removes up to `count` elements from this one on; how many they were. The next one is at `pos` then.
    pub fn remove_range(&mut self, pos: Pos, count: usize) -> usize {
        let (bytes, end) = (self.as_bytes(), self.end());
        let (mut at, mut removed) = (pos.0, 0);
        while at < end && removed < count {
            at = code::skip(bytes, at);
            removed += 1;
        }
        self.splice(pos.0, (at - pos.0, removed), &[], 0).expect("a pack that becomes shorter");
        removed
    }

    /// Removes all elements.
    pub fn clear(&mut self) {
        *self = Pack::new();
    }

    /// Appends copies of another pack's elements, all or none.
    pub fn append(&mut self, other: &Pack) -> Result<(), TooLarge> {
        self.put_all(self.end(), other)
    }

    /// Puts copies of another pack's elements before all others, all or none.
    pub fn prepend(&mut self, other: &Pack) -> Result<(), TooLarge> {
        self.put_all(HEADER, other)
    }

    fn put_all(&mut self, at: usize, other: &Pack) -> Result<(), TooLarge> {
        let elements = &other.as_bytes()[HEADER..other.end()];
        self.splice(at, (0, 0), &[elements], other.len())
    }

    /// Both packs' elements, in the larger one's allocation; the packs themselves if that is too large.
    pub fn merge(mut first: Pack, mut second: Pack) -> Result<Pack, (Pack, Pack)> {
        if first.bytes() >= second.bytes() {
            if first.append(&second).is_ok() { Ok(first) } else { Err((first, second)) }
        } else if second.prepend(&first).is_ok() {
            Ok(second)
        } else {
            Err((first, second))
        }
    }

    /// All packs' elements in one.
    pub fn join(packs: &[&Pack]) -> Result<Pack, TooLarge> {
        let bodies = packs.iter().map(|pack| &pack.as_bytes()[HEADER..pack.end()]);
        let total = HEADER + bodies.clone().map(<[u8]>::len).sum::<usize>() + 1;
        if total > LONGEST {
            return Err(TooLarge);
        }
        let head = header(total, packs.iter().map(|pack| pack.len()).sum());
        let parts: Vec<&[u8]> =
            std::iter::once(head.as_slice()).chain(bodies).chain(std::iter::once([END].as_slice())).collect();
        Ok(Pack { blob: Blob::new(&parts) })
    }

    /// Takes the elements from this one on into a pack of their own.
    #[must_use]
    pub fn split_at(&mut self, pos: Pos) -> Pack {
        let end = self.end();
        let count = self.count_from(pos.0);
        let taken = &self.as_bytes()[pos.0..end];
        let head = header(HEADER + taken.len() + 1, count);
        let tail = Pack { blob: Blob::new(&[&head, taken, &[END]]) };
        self.splice(pos.0, (end - pos.0, count), &[], 0).expect("a pack that becomes shorter");
        tail
    }
}
