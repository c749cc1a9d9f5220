//! Bytes numbered by their position, in blocks of one size: appending moves nothing that is there already.
//!
//! The backlog and the snapshot being sent are both of this kind: one writer at the end, any number of readers with
//! cursors, and the front dropped block by block. Full blocks lie end to end, so a position is found by division.

use std::collections::VecDeque;
use tanist_types::LogPos;

/// The size of a block in bytes.
pub const BLOCK: usize = 64 << 10;
/// How many dropped blocks are kept for reuse.
const SPARE: usize = 4;

/// A run of bytes from [`first`](Blocks::first) to [`end`](Blocks::end).
#[derive(Debug)]
pub(crate) struct Blocks {
    blocks: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
    first: LogPos,
    end: LogPos,
}

impl Blocks {
    /// No bytes yet; the next one gets position `at`.
    #[must_use]
    pub(crate) fn new(at: LogPos) -> Blocks {
        Blocks { blocks: VecDeque::new(), spare: Vec::new(), first: at, end: at }
    }

    /// The position of the first byte held.
    #[must_use]
    pub(crate) fn first(&self) -> LogPos {
        self.first
    }

    /// The position after the last byte.
    #[must_use]
    pub(crate) fn end(&self) -> LogPos {
        self.end
    }

    /// The number of bytes held.
    #[must_use]
    pub(crate) fn len(&self) -> u64 {
        self.end.0 - self.first.0
    }

    /// Appends bytes at the end.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.end.0 += bytes.len() as u64;
        if let Some(last) = self.blocks.back_mut()
            && BLOCK - last.len() >= bytes.len()
        {
            last.extend_from_slice(bytes);
            return;
        }
        self.append_over_blocks(bytes);
    }

    #[cold]
    fn append_over_blocks(&mut self, mut bytes: &[u8]) {
        loop {
            let room = self.blocks.back().map_or(0, |last| BLOCK - last.len());
            if room == 0 {
                let block = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(BLOCK));
                self.blocks.push_back(block);
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if let Some(last) = self.blocks.back_mut() {
                last.extend_from_slice(now);
            }
            bytes = later;
            if bytes.is_empty() {
                return;
            }
        }
    }

    /// The bytes at `pos` as far as they lie together: empty at the end, `None` if they are not held.
    #[must_use]
    pub(crate) fn slice_at(&self, pos: LogPos) -> Option<&[u8]> {
        if pos > self.end {
            return None;
        }
        let into = usize::try_from(pos.0.checked_sub(self.first.0)?).ok()?;
        match self.blocks.get(into / BLOCK) {
            Some(block) => block.get(into % BLOCK..),
            None => Some(&[]),
        }
    }

    /// Appends up to `max` bytes from `pos` on to `out`; returns the position after them, `None` if `pos` is not held.
    pub(crate) fn read(&self, pos: LogPos, max: usize, out: &mut Vec<u8>) -> Option<LogPos> {
        let mut at = pos;
        let mut left = max;
        out.reserve(max.min(usize::try_from(self.end.0.saturating_sub(pos.0)).unwrap_or(max)));
        loop {
            let slice = self.slice_at(at)?;
            let n = slice.len().min(left);
            if n == 0 {
                return Some(at);
            }
            out.extend_from_slice(&slice[..n]);
            at.0 += n as u64;
            left -= n;
        }
    }

    /// Drops whole blocks from the front, none that holds a byte at or after `keep`.
    pub(crate) fn drop_before(&mut self, keep: LogPos) {
        while self.first.0 + BLOCK as u64 <= keep.0.min(self.end.0) {
            let Some(mut block) = self.blocks.pop_front() else { return };
            self.first.0 += BLOCK as u64;
            if self.spare.len() < SPARE {
                block.clear();
                self.spare.push(block);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// I-BL1: whatever is appended is read back at its position, until its whole block has been dropped.
        #[test]
        fn bytes_keep_their_positions(
            start in 0u64..1000,
            pieces in prop::collection::vec(0usize..BLOCK * 2, 1..8),
            drop_at in 0.0f64..1.0,
            read_at in 0.0f64..1.0,
            max in 0usize..BLOCK * 3,
        ) {
            let mut model = Vec::new();
            let mut blocks = Blocks::new(LogPos(start));
            for (i, len) in pieces.iter().enumerate() {
                let piece: Vec<u8> = (0..*len).map(|j| (i * 31 + j * 7 + j / 251) as u8).collect();
                model.extend_from_slice(&piece);
                blocks.append(&piece);
            }
            prop_assert_eq!(blocks.end(), LogPos(start + model.len() as u64));
            let keep = start + (model.len() as f64 * drop_at) as u64;
            blocks.drop_before(LogPos(keep));
            prop_assert!(blocks.first().0 <= keep && keep - blocks.first().0 <= BLOCK as u64);
            let at = blocks.first().0 + (blocks.len() as f64 * read_at) as u64;
            let mut out = Vec::new();
            let next = blocks.read(LogPos(at), max, &mut out).unwrap();
            let from = (at - start) as usize;
            let to = model.len().min(from + max);
            prop_assert_eq!(&out[..], &model[from..to]);
            prop_assert_eq!(next, LogPos(start + to as u64));
            if blocks.first().0 > start {
                prop_assert_eq!(blocks.read(LogPos(blocks.first().0 - 1), 1, &mut out), None);
            }
            prop_assert_eq!(blocks.read(LogPos(blocks.end().0 + 1), 1, &mut out), None);
        }
    }
}
