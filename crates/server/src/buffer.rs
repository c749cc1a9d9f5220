//! The bytes of one connection that have been read and not yet carried out, with their parser.
//!
//! A thread keeps a few and lends them to connections that have something to read, so an idle connection holds
//! none. Bytes are kept initialised once and for all: `filled` says how many are the connection's.

use tanist_resp::{Batch, Limits, Progress, ProtocolError};

/// The room that every buffer begins with: enough for a pipeline of hundreds of small commands.
pub(crate) const ROOM: usize = 64 * 1024;
/// A buffer that has grown beyond this is not kept for others.
const KEEP: usize = 256 * 1024;
/// How much more than has come is made room for on a client's word, as a factor.
const BELIEVED: usize = 4;
/// The least room worth a read.
const LEAST: usize = 16 * 1024;

/// A read buffer and its parser.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// What lies between is read and not yet carried out.
    start: usize,
    filled: usize,
    pub(crate) batch: Batch,
    /// Bytes that the parsed commands take.
    parsed: usize,
}

impl Buffer {
    pub(crate) fn new() -> Buffer {
        Buffer { bytes: vec![0; ROOM], start: 0, filled: 0, batch: Batch::new(), parsed: 0 }
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.filled - self.start
    }

    /// Bytes that wait and that the parser has not understood: what is done with of a command that has come in part is
    /// not among them.
    pub(crate) fn unread(&self) -> usize {
        self.len().saturating_sub(self.batch.taken())
    }

    /// Bytes of memory for input.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the rest of a large argument is to come.
    pub(crate) fn awaits_much(&self) -> bool {
        self.batch.wanted() > self.len() + LEAST
    }

    /// The bytes that wait; what the parser has seen.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.bytes[self.start..self.filled]
    }

    /// Puts in bytes that were kept elsewhere.
    pub(crate) fn restore(&mut self, kept: &[u8]) {
        debug_assert!(self.is_empty() && kept.len() <= ROOM);
        self.bytes[..kept.len()].copy_from_slice(kept);
        (self.start, self.filled) = (0, kept.len());
    }

    /// Room for the next read, at most `most` bytes of it; makes some if there is little.
    pub(crate) fn room(&mut self, most: usize) -> &mut [u8] {
        if self.start > 0 && (self.is_empty() || self.bytes.len() - self.filled < LEAST) {
            self.bytes.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        // A large argument announces its length; believe it once a part of it has come. Then make just the room that it
        // takes: many clients with an argument each are to hold no more than those have bytes.
        let wanted = self.start + self.batch.wanted().min(BELIEVED * self.filled);
        let left = self.bytes.len() - self.filled;
        if left < LEAST && self.bytes.len() < wanted {
            self.bytes.resize(wanted, 0);
        } else if left == 0 || left < LEAST && wanted <= self.filled {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        let end = self.bytes.len().min(self.filled.saturating_add(most));
        &mut self.bytes[self.filled..end]
    }

    /// Notes that `n` bytes were read into [`Buffer::room`].
    pub(crate) fn grew(&mut self, n: usize) {
        self.filled += n;
    }

    /// Parses what waits.
    pub(crate) fn parse(&mut self, limits: &Limits, max: usize) -> Result<Progress, ProtocolError> {
        let progress = self.batch.parse(&self.bytes[self.start..self.filled], limits, max)?;
        self.parsed = progress.consumed;
        Ok(progress)
    }

    /// Drops the parsed commands: they are done.
    pub(crate) fn done(&mut self) {
        self.start += self.parsed;
        self.parsed = 0;
        self.batch.clear();
    }

    /// Forgets everything, so that another connection can have it.
    pub(crate) fn clear(&mut self) {
        (self.start, self.filled, self.parsed) = (0, 0, 0);
        self.batch.clear();
        if self.batch.is_mid_command() {
            self.batch.reset();
        }
    }

    /// Whether it is small enough to be kept.
    pub(crate) fn is_ordinary(&self) -> bool {
        self.bytes.len() <= KEEP && self.batch.memory() <= KEEP
    }

    #[cfg(test)]
    fn range(&self) -> std::ops::Range<usize> {
        self.start..self.filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(buffer: &mut Buffer, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = buffer.room(usize::MAX);
            let n = room.len().min(rest.len());
            room[..n].copy_from_slice(&rest[..n]);
            buffer.grew(n);
            rest = &rest[n..];
        }
    }

    #[test]
    fn commands_come_out_however_the_room_moves() {
        let mut buffer = Buffer::new();
        let command = [b"*2\r\n$4\r\nECHO\r\n$1000\r\n".as_slice(), &[b'x'; 1000], b"\r\n"].concat();
        let (mut fed, mut seen) = (0, 0);
        for piece in command.repeat(500).chunks(777) {
            feed(&mut buffer, piece);
            fed += piece.len();
            let progress = buffer.parse(&Limits::default(), 64).unwrap();
            for i in 0..buffer.batch.len() {
                assert_eq!(buffer.batch.args(i, buffer.waiting()).at(1), [b'x'; 1000]);
            }
            seen += progress.commands;
            buffer.done();
        }
        assert_eq!((fed, seen), (command.len() * 500, 500));
        assert!(buffer.is_empty() && buffer.is_ordinary(), "{:?}", buffer.range());
    }

    #[test]
    fn a_large_argument_makes_room_as_it_comes() {
        let mut buffer = Buffer::new();
        feed(&mut buffer, b"*2\r\n$3\r\nGET\r\n$100000000\r\n");
        buffer.parse(&Limits::default(), 64).unwrap();
        buffer.room(usize::MAX);
        assert!(buffer.bytes.len() < 1 << 20, "a promise alone takes no memory");
        feed(&mut buffer, &vec![b'x'; 10_000_000]);
        buffer.parse(&Limits::default(), 64).unwrap();
        assert!(!buffer.is_ordinary());
        assert_eq!(buffer.len(), 10_000_025);
    }

    #[test]
    fn an_argument_takes_the_room_that_it_announces() {
        let mut buffer = Buffer::new();
        let mut client = b"*2\r\n$3\r\nGET\r\n$300000\r\n".to_vec();
        let head = client.len();
        client.resize(head + 300_000, b'x');
        for piece in client.chunks(10_000) {
            feed(&mut buffer, piece);
            assert_eq!(buffer.parse(&Limits::default(), 64).unwrap().commands, 0);
            buffer.done();
            assert_eq!(buffer.awaits_much(), buffer.len() + LEAST < head + 300_002);
        }
        assert_eq!((buffer.len(), buffer.unread()), (head + 300_000, 300_000));
        assert_eq!(buffer.capacity(), head + 300_002);
        feed(&mut buffer, b"\r\nPING\r\n");
        assert_eq!(buffer.parse(&Limits::default(), 64).unwrap().commands, 2);
        buffer.done();
        assert!(buffer.is_empty() && buffer.unread() == 0 && !buffer.awaits_much());
    }

    #[test]
    fn a_lent_buffer_forgets_its_borrower() {
        let mut buffer = Buffer::new();
        feed(&mut buffer, b"*2\r\n$3\r\nGET\r\n");
        buffer.parse(&Limits::default(), 64).unwrap();
        buffer.clear();
        feed(&mut buffer, b"PING\r\n");
        assert_eq!(buffer.parse(&Limits::default(), 64).unwrap().commands, 1);
    }
}
