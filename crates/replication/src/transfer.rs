//! A snapshot on its way: written once, read by every replica that waited for it.
//!
//! Links that accept a mark at the end are sent bytes as they are produced. Those that must be told the length first
//! get nothing before the end: then what does not fit into memory goes to a file of the shell's, and is read back from
//! there piece by piece. Either way no more than about [`AHEAD`] bytes are held.

use crate::blocks::Blocks;
use tanist_types::LogPos;

/// How many bytes may lie ready before the producer should pause: what is moved on in one go, while others wait.
const AHEAD: u64 = 256 << 10;
/// How many bytes are read back at a time.
const PIECE: usize = 128 << 10;

/// What the shell is to do with the file of a snapshot; each is answered before the next one is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Spill {
    /// Append to it; the first time, begin a new one.
    Write {
        /// It is new.
        first: bool,
        /// What.
        bytes: Vec<u8>,
    },
    /// Read it back.
    Read {
        /// From where in the file.
        at: u64,
        /// How many bytes, all of which are there.
        len: usize,
    },
}

/// A snapshot being produced and sent. Positions within it count from its own beginning.
#[derive(Debug)]
pub(crate) struct Transfer {
    blocks: Blocks,
    /// What ends the snapshot on the wire for links that asked for a mark.
    pub(crate) mark: [u8; 40],
    complete: bool,
    stage: Stage,
}

/// Where the bytes of a snapshot are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// In memory only, and sent as they come.
    Streamed,
    /// In memory only, so far: the length must be known before they are sent.
    Collected,
    /// On their way to the file, which has been given everything before the first byte in memory.
    Written { busy: bool },
    /// In the file; memory holds what is about to be sent.
    ReadBack { len: u64, busy: bool },
}

impl Transfer {
    pub(crate) fn new(mark: [u8; 40], needs_length: bool) -> Transfer {
        let stage = if needs_length { Stage::Collected } else { Stage::Streamed };
        Transfer { blocks: Blocks::new(LogPos::ZERO), mark, complete: false, stage }
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.blocks.append(bytes);
    }

    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    /// The length of the snapshot, once it is known and its bytes can be read.
    pub(crate) fn len(&self) -> Option<u64> {
        match self.stage {
            Stage::Streamed | Stage::Collected => self.complete.then(|| self.blocks.end().0),
            Stage::Written { .. } => None,
            Stage::ReadBack { len, .. } => Some(len),
        }
    }

    /// Bytes in memory.
    pub(crate) fn held(&self) -> u64 {
        self.blocks.len()
    }

    pub(crate) fn read(&self, pos: LogPos, max: usize, out: &mut Vec<u8>) -> Option<LogPos> {
        self.blocks.read(pos, max, out)
    }

    /// Whether the producer should go on, `slowest` being the cursor of the slowest link.
    pub(crate) fn wants_more(&self, slowest: LogPos) -> bool {
        let unread = match self.stage {
            Stage::Streamed => self.blocks.end().0 - slowest.0.min(self.blocks.end().0),
            Stage::Collected | Stage::Written { .. } | Stage::ReadBack { .. } => self.blocks.len(),
        };
        !self.complete && unread < AHEAD
    }

    /// What is to be done with the file now, `slowest` being the cursor of the slowest link.
    pub(crate) fn spill(&mut self, slowest: LogPos) -> Option<Spill> {
        match self.stage {
            Stage::Collected if !self.complete && self.blocks.len() >= AHEAD => Some(self.write(true)),
            Stage::Written { busy: false } if self.blocks.len() > 0 => {
                (self.complete || self.blocks.len() >= AHEAD).then(|| self.write(false))
            }
            Stage::ReadBack { len, busy: false } => {
                let at = self.blocks.end().0;
                if at == len || at - slowest.0.min(at) >= AHEAD {
                    return None;
                }
                self.stage = Stage::ReadBack { len, busy: true };
                let rest = usize::try_from(len - at).unwrap_or(PIECE);
                Some(Spill::Read { at, len: rest.min(PIECE) })
            }
            _ => None,
        }
    }

    fn write(&mut self, first: bool) -> Spill {
        let mut bytes = Vec::new();
        let (from, end) = (self.blocks.first(), self.blocks.end());
        let mut at = from;
        while at < end {
            at = self.blocks.read(at, usize::MAX, &mut bytes).unwrap_or(end);
        }
        self.blocks = Blocks::new(end);
        self.stage = Stage::Written { busy: true };
        Spill::Write { first, bytes }
    }

    /// The bytes of the last write are in the file.
    pub(crate) fn spilled(&mut self) {
        if let Stage::Written { .. } = self.stage {
            self.stage = Stage::Written { busy: false };
            if self.complete && self.blocks.len() == 0 {
                let len = self.blocks.end().0;
                self.blocks = Blocks::new(LogPos::ZERO);
                self.stage = Stage::ReadBack { len, busy: false };
            }
        }
    }

    /// The bytes of the last read.
    pub(crate) fn read_back(&mut self, bytes: &[u8]) {
        if let Stage::ReadBack { len, busy: true } = self.stage {
            self.blocks.append(bytes);
            self.stage = Stage::ReadBack { len, busy: false };
        }
    }

    pub(crate) fn trim(&mut self, slowest: LogPos) {
        match self.stage {
            Stage::Streamed | Stage::ReadBack { .. } => self.blocks.drop_before(slowest),
            Stage::Collected if self.complete => self.blocks.drop_before(slowest),
            Stage::Collected | Stage::Written { .. } => {}
        }
    }
}
