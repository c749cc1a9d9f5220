//! Encodes replies straight into a byte buffer, in the protocol version that the client chose.

use crate::{double, encode};

/// The protocol version of a connection (`HELLO`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Proto {
    /// Version 2.
    #[default]
    Resp2,
    /// Version 3.
    Resp3,
}

/// The place of a length that is not known yet; see [`Reply::deferred`].
#[derive(Debug)]
#[must_use]
pub struct Deferred(usize);

/// Appends replies to a buffer. Borrows it for one command; holds nothing itself.
#[derive(Debug)]
pub struct Reply<'a> {
    out: &'a mut Vec<u8>,
    proto: Proto,
}

impl<'a> Reply<'a> {
    /// Replies in version `proto`, behind what `out` already holds.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, proto: Proto) -> Reply<'a> {
        Reply { out, proto }
    }

    /// The protocol version.
    #[must_use]
    pub fn proto(&self) -> Proto {
        self.proto
    }

    /// Changes the version for what follows (`HELLO`).
    pub fn set_proto(&mut self, proto: Proto) {
        self.proto = proto;
    }

    /// Bytes in the buffer, earlier replies included.
    #[must_use]
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// Takes back everything after `position`.
    pub fn truncate(&mut self, position: usize) {
        self.out.truncate(position);
    }

    /// What was written after `position`.
    #[must_use]
    pub fn written_since(&self, position: usize) -> &[u8] {
        self.out.get(position..).unwrap_or_default()
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A status; `text` holds no line end.
    pub fn simple(&mut self, text: &str) {
        encode::line(self.out, b'+', text.as_bytes());
    }

    /// An error, its code first (`ERR …`); line ends in it become spaces.
    pub fn error(&mut self, text: &str) {
        self.error_bytes(text.as_bytes());
    }

    /// An error that quotes a client's bytes.
    pub fn error_bytes(&mut self, text: &[u8]) {
        self.out.push(b'-');
        let trimmed = text.len() - text.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        self.out.extend(text[..trimmed].iter().map(|&b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }));
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, n: i64) {
        match u8::try_from(n) {
            Ok(n @ 0..=9) => self.out.extend_from_slice(&[b':', b'0' + n, b'\r', b'\n']),
            _ => encode::line(self.out, b':', itoa::Buffer::new().format(n).as_bytes()),
        }
    }

    /// A string of any bytes.
    #[inline]
    pub fn bulk(&mut self, data: &[u8]) {
        encode::bulk(self.out, data);
    }

    /// A string of UTF-8 text.
    pub fn bulk_str(&mut self, text: &str) {
        encode::bulk(self.out, text.as_bytes());
    }

    /// An integer as a string.
    pub fn bulk_int(&mut self, n: i64) {
        encode::bulk(self.out, itoa::Buffer::new().format(n).as_bytes());
    }

    /// Nothing, where a string would be.
    #[inline]
    pub fn null(&mut self) {
        self.out.extend_from_slice(match self.proto {
            Proto::Resp2 => b"$-1\r\n",
            Proto::Resp3 => b"_\r\n",
        });
    }

    /// Nothing, where an array would be.
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(match self.proto {
            Proto::Resp2 => b"*-1\r\n",
            Proto::Resp3 => b"_\r\n",
        });
    }

    /// The head of an array: `n` replies follow.
    #[inline]
    pub fn array(&mut self, n: usize) {
        encode::header(self.out, b'*', n as u64);
    }

    /// The head of a map: `n` pairs follow. Version 2 has a flat array of `2 n` instead.
    pub fn map(&mut self, n: usize) {
        match self.proto {
            Proto::Resp2 => self.array(2 * n),
            Proto::Resp3 => encode::header(self.out, b'%', n as u64),
        }
    }

    /// The head of a set: `n` replies follow.
    pub fn set(&mut self, n: usize) {
        self.head(b'~', n);
    }

    /// The head of a message out of band: `n` replies follow.
    pub fn push(&mut self, n: usize) {
        self.head(b'>', n);
    }

    /// The head of attributes for the next reply: `n` pairs follow. For version 3 only; the caller asks
    /// [`Reply::proto`] first, since version 2 has no place for them.
    pub fn attribute(&mut self, n: usize) {
        debug_assert!(self.proto == Proto::Resp3, "attributes exist in RESP3 only");
        encode::header(self.out, b'|', n as u64);
    }

    /// A truth value; 1 or 0 in version 2.
    pub fn bool(&mut self, b: bool) {
        self.out.extend_from_slice(match (self.proto, b) {
            (Proto::Resp2, true) => b":1\r\n",
            (Proto::Resp2, false) => b":0\r\n",
            (Proto::Resp3, true) => b"#t\r\n",
            (Proto::Resp3, false) => b"#f\r\n",
        });
    }

    /// A number with a fraction; a string in version 2.
    pub fn double(&mut self, d: f64) {
        let text = double::format(d);
        match self.proto {
            Proto::Resp2 => encode::bulk(self.out, text.as_bytes()),
            Proto::Resp3 => encode::line(self.out, b',', text.as_bytes()),
        }
    }

    /// An integer of any size by its digits; a string in version 2.
    pub fn big_number(&mut self, digits: &str) {
        match self.proto {
            Proto::Resp2 => encode::bulk(self.out, digits.as_bytes()),
            Proto::Resp3 => encode::line(self.out, b'(', digits.as_bytes()),
        }
    }

    /// A text to be shown as it is, in the format `ext` (`txt`, `mkd`); a string in version 2.
    pub fn verbatim(&mut self, ext: [u8; 3], text: &[u8]) {
        match self.proto {
            Proto::Resp2 => encode::bulk(self.out, text),
            Proto::Resp3 => encode::verbatim(self.out, ext, text),
        }
    }

    /// Bytes that are a reply already.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Begins a collection whose length comes out only later. Write its elements, then call one of the
    /// `finish_` functions with how many they were. Nested ones are finished inner first.
    pub fn deferred(&mut self) -> Deferred {
        Deferred(self.out.len())
    }

    /// The elements since `mark` are an array of `n`.
    pub fn finish_array(&mut self, mark: Deferred, n: usize) {
        self.insert(mark, b'*', n);
    }

    /// The elements since `mark` are a map of `n` pairs.
    pub fn finish_map(&mut self, mark: Deferred, n: usize) {
        match self.proto {
            Proto::Resp2 => self.insert(mark, b'*', 2 * n),
            Proto::Resp3 => self.insert(mark, b'%', n),
        }
    }

    /// The elements since `mark` are a set of `n`.
    pub fn finish_set(&mut self, mark: Deferred, n: usize) {
        match self.proto {
            Proto::Resp2 => self.insert(mark, b'*', n),
            Proto::Resp3 => self.insert(mark, b'~', n),
        }
    }

    fn head(&mut self, resp3: u8, n: usize) {
        let prefix = if self.proto == Proto::Resp3 { resp3 } else { b'*' };
        encode::header(self.out, prefix, n as u64);
    }

    fn insert(&mut self, mark: Deferred, prefix: u8, n: usize) {
        let end = self.out.len();
        encode::header(self.out, prefix, n as u64);
        let head = self.out.len() - end;
        self.out[mark.0..].rotate_right(head);
    }
}
