//! A snapshot on its way: written once, read by every replica that waited for it.

use crate::blocks::Blocks;
use tanist_types::LogPos;

/// How many bytes may lie ready before the producer should pause: what is moved on in one go, while others wait.
const AHEAD: u64 = 256 << 10;

/// A snapshot being produced and sent. Positions within it count from its own beginning.
#[derive(Debug)]
pub(crate) struct Transfer {
    blocks: Blocks,
    /// What ends the snapshot on the wire for links that asked for a mark.
    pub(crate) mark: [u8; 40],
    complete: bool,
    /// Some link must be told the length first: everything is kept until the end.
    needs_length: bool,
}

impl Transfer {
    pub(crate) fn new(mark: [u8; 40], needs_length: bool) -> Transfer {
        Transfer { blocks: Blocks::new(LogPos::ZERO), mark, complete: false, needs_length }
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.blocks.append(bytes);
    }

    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    /// The length of the snapshot, once it is complete.
    pub(crate) fn len(&self) -> Option<u64> {
        self.complete.then(|| self.blocks.end().0)
    }

    pub(crate) fn read(&self, pos: LogPos, max: usize, out: &mut Vec<u8>) -> Option<LogPos> {
        self.blocks.read(pos, max, out)
    }

    /// Whether the producer should go on, `slowest` being the cursor of the slowest link.
    pub(crate) fn wants_more(&self, slowest: LogPos) -> bool {
        !self.complete
            && (self.needs_length || self.blocks.end().0 - slowest.0.min(self.blocks.end().0) < AHEAD)
    }

    pub(crate) fn trim(&mut self, slowest: LogPos) {
        if !self.needs_length || self.complete {
            self.blocks.drop_before(slowest);
        }
    }
}
