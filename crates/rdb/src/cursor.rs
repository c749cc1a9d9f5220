//! A position in the bytes at hand, and what to do when they do not suffice.

use crate::RdbError;
use crate::length::{Form, Length, form};
use std::ops::Range;

/// Why parsing stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The part needs at least this many bytes from its beginning.
    NeedMore(usize),
    /// The input is bad.
    Fail(RdbError),
}

impl From<RdbError> for Stop {
    fn from(e: RdbError) -> Stop {
        Stop::Fail(e)
    }
}

/// Reads forward through `buf`. Positions are relative to the beginning of the part that is being parsed.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    buf: &'a [u8],
    pos: usize,
    /// The stream offset of `buf[0]`, for error messages.
    base: u64,
    /// The longest string accepted, in bytes.
    limit: u64,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(buf: &'a [u8], base: u64, limit: u64) -> Cursor<'a> {
        Cursor { buf, pos: 0, base, limit }
    }

    pub(crate) const fn pos(&self) -> usize {
        self.pos
    }

    /// The offset in the stream of the next byte.
    pub(crate) const fn at(&self) -> u64 {
        self.base + self.pos as u64
    }

    pub(crate) const fn corrupt(&self, what: &'static str) -> Stop {
        Stop::Fail(RdbError::Corrupt { what, at: self.at() })
    }

    /// The next `n` bytes, as a range of the buffer.
    pub(crate) fn range(&mut self, n: usize) -> Result<Range<usize>, Stop> {
        let end = self.pos.checked_add(n).ok_or_else(|| self.corrupt("a length that overflows"))?;
        if end > self.buf.len() {
            return Err(Stop::NeedMore(end));
        }
        let range = self.pos..end;
        self.pos = end;
        Ok(range)
    }

    pub(crate) fn bytes(&mut self, n: usize) -> Result<&'a [u8], Stop> {
        let range = self.range(n)?;
        Ok(&self.buf[range])
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut out = [0; N];
        out.copy_from_slice(self.bytes(N)?);
        Ok(out)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Stop> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn length(&mut self) -> Result<Length, Stop> {
        Ok(match form(self.byte()?) {
            Form::Done(length) => length,
            Form::Two(high) => Length::Plain(u64::from(high) << 8 | u64::from(self.byte()?)),
            Form::Four => Length::Plain(u64::from(u32::from_be_bytes(self.array()?))),
            Form::Eight => Length::Plain(u64::from_be_bytes(self.array()?)),
            Form::Bad => return Err(self.corrupt("a length of unknown form")),
        })
    }

    /// A length that must be a number.
    pub(crate) fn number(&mut self) -> Result<u64, Stop> {
        match self.length()? {
            Length::Plain(n) => Ok(n),
            Length::Special(_) => Err(self.corrupt("an encoded string where a number is expected")),
        }
    }

    /// Checks a string's declared length against the limit.
    pub(crate) fn checked(&self, len: u64) -> Result<usize, Stop> {
        let too_large = RdbError::TooLarge { what: "a string", len, limit: self.limit, at: self.at() };
        if len > self.limit {
            return Err(too_large.into());
        }
        usize::try_from(len).map_err(|_| too_large.into())
    }
}
