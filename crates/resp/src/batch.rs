//! The parser of the server's hot path: the commands of one readable buffer.
//!
//! Commands are remembered as positions, so nothing is copied and, once the vectors have grown, nothing is
//! allocated. A command that has come only in part is remembered too: the next call goes on where this one
//! stopped, so a huge command costs its length once, however it is cut. Invariants: positions of arguments
//! count from the beginning of their command and lie within it; the half-read command is always the last.
//!
//! An error is reported only when no complete command precedes it: what was sent before is still executed.

use crate::args::{Args, Span};
use crate::{Limits, ProtocolError, inline, number};
use std::ops::Range;

/// How far [`Batch::parse`] came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Complete commands found.
    pub commands: usize,
    /// Bytes they took, from the beginning of the buffer; empty lines and empty commands included.
    pub consumed: usize,
}

/// Parsed commands of one readable buffer; reusable.
#[derive(Default)]
pub struct Batch {
    commands: Vec<Command>,
    spans: Vec<Span>,
    /// The words of inline commands with quotes.
    words: Vec<u8>,
    partial: Partial,
    consumed: usize,
}

#[derive(Clone, Copy)]
struct Command {
    first: usize,
    count: usize,
    /// In the read buffer, or in `words` for `Source::Words`.
    start: usize,
    end: usize,
    source: Source,
}

#[derive(Clone, Copy, PartialEq)]
enum Source {
    Multibulk,
    Inline,
    Words,
}

/// A command that has not come whole yet.
#[derive(Clone, Copy, Default)]
struct Partial {
    /// Its first entry in `spans`.
    first: usize,
    /// Arguments it still lacks; zero before its first line was read.
    missing: usize,
    /// Bytes of it that need not be looked at again.
    scanned: usize,
    /// Bytes of it that the present argument needs in all; zero if unknown.
    wanted: usize,
    /// Bytes of it before what the present argument itself has: all that is understood.
    taken: usize,
}

enum Step {
    /// A command ends here.
    Command(usize),
    /// Something without arguments ends here.
    Nothing(usize),
    /// The rest has not come yet.
    Incomplete,
}

/// A line `prefix number CR LF`.
enum Line {
    /// The number and where the line ends.
    Number(usize, usize),
    Incomplete,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Parses complete commands from the front of `buf`, at most `max`. Replaces the commands of the call before.
    ///
    /// `buf` begins where the call before stopped: its consumed bytes are gone, what followed them is still
    /// there, possibly with more behind.
    ///
    /// # Errors
    /// When the first thing in `buf` is not a command. The connection cannot go on.
    pub fn parse(&mut self, buf: &[u8], limits: &Limits, max: usize) -> Result<Progress, ProtocolError> {
        self.clear();
        let mut at = 0;
        while at < buf.len() && self.commands.len() < max {
            match self.step(buf, at, limits) {
                Ok(Step::Command(end) | Step::Nothing(end)) => at = end,
                Ok(Step::Incomplete) => break,
                Err(error) if self.commands.is_empty() => return Err(error),
                Err(_) => {
                    // Found again by the next call, after these commands have been executed.
                    self.forget_partial();
                    break;
                }
            }
        }
        self.consumed = at;
        Ok(Progress { commands: self.commands.len(), consumed: at })
    }

    /// The number of complete commands.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// The bytes that its commands took (see [`Progress::consumed`]).
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.consumed
    }

    /// Whether there is no complete command.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// The arguments of command `i`; `buf` is the buffer that was parsed.
    ///
    /// # Panics
    /// When there is no command `i`, or `buf` is shorter than the parsed buffer.
    #[inline(always)]
    #[must_use]
    pub fn args<'b>(&'b self, i: usize, buf: &'b [u8]) -> Args<'b, 'b> {
        let c = &self.commands[i];
        let spans = &self.spans[c.first..c.first + c.count];
        match c.source {
            Source::Multibulk => {
                let raw = &buf[c.start..c.end];
                Args::from_spans(spans, raw, Some(raw))
            }
            Source::Inline => Args::from_spans(spans, &buf[c.start..c.end], None),
            Source::Words => Args::from_spans(spans, &self.words[c.start..c.end], None),
        }
    }

    /// Where command `i` lies in the buffer, if it came as a multibulk.
    ///
    /// # Panics
    /// When there is no command `i`.
    #[inline]
    #[must_use]
    pub fn place(&self, i: usize) -> Range<usize> {
        let c = &self.commands[i];
        c.start..c.end
    }

    /// Whether the commands are multibulks that lie end to end: everything that was consumed belongs to one of them.
    #[must_use]
    pub fn is_contiguous(&self) -> bool {
        let mut at = 0;
        let follows =
            |c: &Command| c.source == Source::Multibulk && std::mem::replace(&mut at, c.end) == c.start;
        self.commands.iter().all(follows) && at == self.consumed
    }

    /// How many bytes must lie in the buffer before the half-read command can go on, as far as is known: room
    /// for a large argument can be made at once. Counts from the command's beginning.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.partial.wanted
    }

    /// How many bytes of the half-read command are understood: its lines so far and the arguments that have come whole.
    /// What follows them waits for more.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.partial.taken
    }

    /// Whether a part of a command has been seen.
    #[must_use]
    pub fn is_mid_command(&self) -> bool {
        self.partial.scanned > 0 || self.partial.missing > 0
    }

    /// Bytes of heap memory it holds.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.commands.capacity() * size_of::<Command>()
            + self.spans.capacity() * size_of::<Span>()
            + self.words.capacity()
    }

    /// Forgets the complete commands; a half-read one stays.
    #[inline]
    pub fn clear(&mut self) {
        self.commands.clear();
        self.words.clear();
        if self.partial.missing == 0 {
            self.spans.clear();
        } else if self.partial.first > 0 {
            self.spans.drain(..self.partial.first);
        }
        self.partial.first = 0;
    }

    /// Forgets everything and gives back memory beyond an ordinary amount: for a connection that falls idle.
    pub fn reset(&mut self) {
        self.forget_partial();
        self.clear();
        self.commands.shrink_to(0);
        self.spans.shrink_to(0);
        self.words.shrink_to(0);
    }

    fn forget_partial(&mut self) {
        self.spans.truncate(if self.partial.missing == 0 { self.spans.len() } else { self.partial.first });
        self.partial = Partial::default();
    }

    #[inline]
    fn step(&mut self, buf: &[u8], start: usize, limits: &Limits) -> Result<Step, ProtocolError> {
        if buf[start] == b'*' { self.multibulk(buf, start, limits) } else { self.inline(buf, start, limits) }
    }

    #[inline]
    fn multibulk(&mut self, buf: &[u8], start: usize, limits: &Limits) -> Result<Step, ProtocolError> {
        let (first, mut missing, mut at);
        if self.partial.missing == 0 {
            match &buf[start..] {
                [b'*', n @ b'1'..=b'9', b'\r', b'\n', ..] => {
                    missing = usize::from(n - b'0');
                    at = start + 4;
                }
                _ => match multibulk_count(buf, start, limits)? {
                    Line::Number(0, end) => return Ok(Step::Nothing(end)),
                    Line::Number(n, end) => (missing, at) = (n, end),
                    Line::Incomplete => return Ok(Step::Incomplete),
                },
            }
            first = self.spans.len();
        } else {
            Partial { first, missing, .. } = self.partial;
            at = start + self.partial.scanned;
        }
        while missing > 0 {
            let (len, data) = match &buf[at..] {
                [b'$', a @ b'0'..=b'9', b'\r', b'\n', ..] => (usize::from(a - b'0'), at + 4),
                [b'$', a @ b'1'..=b'9', b @ b'0'..=b'9', b'\r', b'\n', ..] => {
                    (usize::from(a - b'0') * 10 + usize::from(b - b'0'), at + 5)
                }
                _ => match bulk_length(buf, start, at, limits)? {
                    Line::Number(n, end) => (n, end),
                    Line::Incomplete => {
                        self.suspend(first, missing, at - start, 0, at - start);
                        return Ok(Step::Incomplete);
                    }
                },
            };
            let end = data + len;
            match buf.get(end..end + 2) {
                Some(b"\r\n") => {}
                Some(_) => return Err(ProtocolError::InvalidCrlf),
                None => {
                    self.suspend(first, missing, at - start, end + 2 - start, data - start);
                    return Ok(Step::Incomplete);
                }
            }
            self.spans.push(Span { start: (data - start) as u32, len: len as u32 });
            at = end + 2;
            missing -= 1;
        }
        self.partial.missing = 0;
        self.partial.scanned = 0;
        self.partial.wanted = 0;
        self.partial.taken = 0;
        let count = self.spans.len() - first;
        self.commands.push(Command { first, count, start, end: at, source: Source::Multibulk });
        Ok(Step::Command(at))
    }

    #[cold]
    fn suspend(&mut self, first: usize, missing: usize, scanned: usize, wanted: usize, taken: usize) {
        self.partial = Partial { first, missing, scanned, wanted, taken };
    }

    #[cold]
    fn inline(&mut self, buf: &[u8], start: usize, limits: &Limits) -> Result<Step, ProtocolError> {
        let scanned = start + self.partial.scanned;
        let Some(newline) = memchr::memchr(b'\n', &buf[scanned..]) else {
            if buf.len() - start > limits.max_inline {
                return Err(ProtocolError::TooBigInline);
            }
            self.partial.scanned = buf.len() - start;
            return Ok(Step::Incomplete);
        };
        let end = scanned + newline;
        self.partial.scanned = 0;
        let line = &buf[start..end];
        let first = self.spans.len();
        let (source, from, to);
        if inline::has_quotes(line) {
            from = self.words.len();
            if let Err(error) = inline::split_quoted(line, &mut self.words, from, &mut self.spans) {
                self.spans.truncate(first);
                return Err(error);
            }
            (source, to) = (Source::Words, self.words.len());
        } else {
            inline::split_plain(line, 0, &mut self.spans);
            (source, from, to) = (Source::Inline, start, end);
        }
        let count = self.spans.len() - first;
        if count == 0 {
            return Ok(Step::Nothing(end + 1));
        }
        self.commands.push(Command { first, count, start: from, end: to, source });
        Ok(Step::Command(end + 1))
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} commands)", self.commands.len())
    }
}

#[cold]
fn multibulk_count(buf: &[u8], start: usize, limits: &Limits) -> Result<Line, ProtocolError> {
    let Some((text, end)) = number_line(buf, start, limits, ProtocolError::TooBigMbulkCount)? else {
        return Ok(Line::Incomplete);
    };
    let n = number::parse_i64(text).ok_or(ProtocolError::InvalidMultibulkLength)?;
    let n = usize::try_from(n).unwrap_or(0);
    if n > limits.max_multibulk {
        return Err(ProtocolError::InvalidMultibulkLength);
    }
    if limits.unauthenticated && n > Limits::UNAUTHENTICATED_MULTIBULK {
        return Err(ProtocolError::UnauthenticatedMultibulkLength);
    }
    Ok(Line::Number(n, end))
}

#[cold]
fn bulk_length(buf: &[u8], start: usize, at: usize, limits: &Limits) -> Result<Line, ProtocolError> {
    let Some((text, end)) = number_line(buf, at, limits, ProtocolError::TooBigBulkCount)? else {
        return Ok(Line::Incomplete);
    };
    if buf[at] != b'$' {
        return Err(ProtocolError::ExpectedDollar(buf[at]));
    }
    let n = number::parse_i64(text).ok_or(ProtocolError::InvalidBulkLength)?;
    let n = usize::try_from(n).map_err(|_| ProtocolError::InvalidBulkLength)?;
    if n > limits.max_bulk || n > Limits::COMMAND - (end - start).min(Limits::COMMAND) {
        return Err(ProtocolError::InvalidBulkLength);
    }
    if limits.unauthenticated && n > Limits::UNAUTHENTICATED_BULK {
        return Err(ProtocolError::UnauthenticatedBulkLength);
    }
    Ok(Line::Number(n, end))
}

/// The text between the prefix at `at` and the line's end, and where the next line begins.
fn number_line<'b>(
    buf: &'b [u8],
    at: usize,
    limits: &Limits,
    too_long: ProtocolError,
) -> Result<Option<(&'b [u8], usize)>, ProtocolError> {
    let rest = &buf[at..];
    match memchr::memchr(b'\r', rest) {
        // The prefix itself may be the CR: then there is no number, and the caller looks at the prefix first.
        Some(cr) => match rest.get(cr + 1) {
            Some(b'\n') => Ok(Some((rest.get(1..cr).unwrap_or_default(), at + cr + 2))),
            Some(_) => Err(ProtocolError::InvalidCrlf),
            None => Ok(None),
        },
        None if rest.len() > limits.max_inline => Err(too_long),
        None => Ok(None),
    }
}
