//! Reads replies, for clients: incremental, with bounded depth and size.
//!
//! Each byte is looked at once, however the input is cut: what a half-read collection lacks is kept on a stack.
//! Attributes are read and dropped. Streamed collections (`*?`) are refused: no server of ours sends them.

use crate::{Value, number};

/// Bounds on one reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeLimits {
    /// How deep collections may be nested.
    pub max_depth: usize,
    /// The most bytes of one reply, on the wire.
    pub max_bytes: usize,
}

impl Default for DecodeLimits {
    fn default() -> DecodeLimits {
        DecodeLimits { max_depth: 32, max_bytes: 512 * 1024 * 1024 }
    }
}

/// What a server sent wrong. The connection cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// A reply begins with this byte, which no kind of reply does.
    UnknownType(u8),
    /// A length that is no number, negative or too large.
    BadLength,
    /// An integer, double or truth value that is none.
    BadScalar,
    /// A string that does not end where it should, or CR without LF.
    BadLineEnd,
    /// A line that does not end.
    LineTooLong,
    /// More collections within each other than allowed.
    TooDeep,
    /// A larger reply than allowed.
    TooLarge,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DecodeError::UnknownType(b) => {
                write!(f, "the server's reply begins with '{}'", b.escape_ascii())
            }
            DecodeError::BadLength => f.write_str("the server sent an invalid length"),
            DecodeError::BadScalar => f.write_str("the server sent an invalid number"),
            DecodeError::BadLineEnd => f.write_str("the server sent an invalid line end"),
            DecodeError::LineTooLong => f.write_str("the server sent a line without end"),
            DecodeError::TooDeep => f.write_str("the server's reply is nested too deeply"),
            DecodeError::TooLarge => f.write_str("the server's reply is too large"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// The most bytes of a line: a status, an error, a number.
const MAX_LINE: usize = 64 * 1024;
/// Consumed bytes are cut off the buffer only beyond this many, so that small replies do not move it each time.
const COMPACT: usize = 16 * 1024;

#[derive(Debug)]
enum Kind {
    Array,
    Set,
    Push,
    Map,
    Attribute,
}

/// A collection that lacks elements.
#[derive(Debug)]
struct Frame {
    kind: Kind,
    items: Vec<Value>,
    missing: usize,
}

/// Reads replies from bytes that come in pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    buf: Vec<u8>,
    /// The first byte not consumed.
    at: usize,
    /// Bytes behind `at` known to hold no line end.
    scanned: usize,
    stack: Vec<Frame>,
    /// Bytes of the present reply consumed already.
    spent: usize,
    limits: DecodeLimits,
}

enum Token {
    Value(Value),
    Open(Kind, usize),
}

impl Decoder {
    /// A decoder with the ordinary limits.
    #[must_use]
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// A decoder with other limits.
    #[must_use]
    pub fn with_limits(limits: DecodeLimits) -> Decoder {
        Decoder { limits, ..Decoder::default() }
    }

    /// Takes more bytes from the server.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.at == self.buf.len() {
            self.buf.clear();
            self.at = 0;
        } else if self.at > COMPACT && self.at > self.buf.len() / 2 {
            self.buf.drain(..self.at);
            self.at = 0;
        }
        self.buf.extend_from_slice(bytes);
    }

    /// The next reply, if it has come whole. Messages out of band appear as [`Value::Push`] among the others.
    ///
    /// # Errors
    /// When the bytes are no reply. Every later call fails as well.
    #[allow(clippy::should_implement_trait, reason = "its result is not an iterator's")]
    pub fn next(&mut self) -> Result<Option<Value>, DecodeError> {
        while let Some(token) = self.token()? {
            let mut value = match token {
                Token::Value(value) => value,
                Token::Open(kind, 0) => match Decoder::close(kind, Vec::new()) {
                    Some(value) => value,
                    None => continue,
                },
                Token::Open(kind, missing) => {
                    if self.stack.len() >= self.limits.max_depth {
                        return Err(DecodeError::TooDeep);
                    }
                    self.stack.push(Frame { kind, items: Vec::new(), missing });
                    continue;
                }
            };
            // Put it where it belongs, and close what it completes.
            loop {
                let Some(frame) = self.stack.last_mut() else {
                    self.spent = 0;
                    return Ok(Some(value));
                };
                frame.items.push(value);
                frame.missing -= 1;
                if frame.missing > 0 {
                    break;
                }
                let Some(frame) = self.stack.pop() else { break };
                match Decoder::close(frame.kind, frame.items) {
                    Some(closed) => value = closed,
                    None => break,
                }
            }
        }
        Ok(None)
    }

    /// Bytes received and not yet consumed. With no reply half read this is what follows the last one, in
    /// whatever format: a snapshot, say.
    #[must_use]
    pub fn buffered(&self) -> &[u8] {
        &self.buf[self.at..]
    }

    /// Takes [`Decoder::buffered`] out: the bytes behind the last reply are not replies.
    #[must_use]
    pub fn take_buffered(&mut self) -> Vec<u8> {
        let rest = self.buf.split_off(self.at);
        let limits = self.limits;
        *self = Decoder::with_limits(limits);
        rest
    }

    fn close(kind: Kind, items: Vec<Value>) -> Option<Value> {
        Some(match kind {
            Kind::Array => Value::Array(items),
            Kind::Set => Value::Set(items),
            Kind::Push => Value::Push(items),
            Kind::Attribute => return None,
            Kind::Map => {
                let mut pairs = Vec::with_capacity(items.len() / 2);
                let mut items = items.into_iter();
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    pairs.push((key, value));
                }
                Value::Map(pairs)
            }
        })
    }

    fn token(&mut self) -> Result<Option<Token>, DecodeError> {
        let rest = &self.buf[self.at..];
        let Some(&prefix) = rest.first() else { return Ok(None) };
        if !b"+-:$*_%~>,#(=!|".contains(&prefix) {
            return Err(DecodeError::UnknownType(prefix));
        }
        let Some(cr) = memchr::memchr(b'\r', &rest[self.scanned..]).map(|i| i + self.scanned) else {
            if rest.len() > MAX_LINE {
                return Err(DecodeError::LineTooLong);
            }
            self.scanned = rest.len();
            return Ok(None);
        };
        match rest.get(cr + 1) {
            Some(b'\n') => {}
            Some(_) => return Err(DecodeError::BadLineEnd),
            None => {
                self.scanned = cr;
                return Ok(None);
            }
        }
        let line = &rest[1..cr];
        let (token, used) = match prefix {
            b'+' => (Token::Value(Value::Simple(line.to_vec())), cr + 2),
            b'-' => (Token::Value(Value::Error(line.to_vec())), cr + 2),
            b':' => (Token::Value(Value::Int(integer(line)?)), cr + 2),
            b'_' => (Token::Value(Value::Null), cr + 2),
            b',' => (Token::Value(Value::Double(double(line)?)), cr + 2),
            b'#' => (Token::Value(Value::Bool(truth(line)?)), cr + 2),
            b'(' => (Token::Value(big_number(line)?), cr + 2),
            b'$' | b'=' | b'!' if line != b"-1" => {
                let len = length(line)?;
                if len > self.limits.max_bytes {
                    return Err(DecodeError::TooLarge);
                }
                let end = cr + 2 + len;
                match rest.get(end..end + 2) {
                    Some(b"\r\n") => {}
                    Some(_) => return Err(DecodeError::BadLineEnd),
                    None => {
                        self.scanned = cr;
                        return Ok(None);
                    }
                }
                (Token::Value(string(prefix, &rest[cr + 2..end])?), end + 2)
            }
            b'*' if line == b"-1" => (Token::Value(Value::Null), cr + 2),
            b'*' | b'~' | b'>' => (Token::Open(collection(prefix), length(line)?), cr + 2),
            b'%' | b'|' => {
                let twice = length(line)?.checked_mul(2).ok_or(DecodeError::BadLength)?;
                (Token::Open(collection(prefix), twice), cr + 2)
            }
            _ => (Token::Value(Value::Null), cr + 2),
        };
        self.scanned = 0;
        self.at += used;
        self.spent += used;
        if self.spent > self.limits.max_bytes {
            return Err(DecodeError::TooLarge);
        }
        Ok(Some(token))
    }
}

fn collection(prefix: u8) -> Kind {
    match prefix {
        b'~' => Kind::Set,
        b'>' => Kind::Push,
        b'%' => Kind::Map,
        b'|' => Kind::Attribute,
        _ => Kind::Array,
    }
}

fn length(line: &[u8]) -> Result<usize, DecodeError> {
    let n = number::parse_u64(line).ok_or(DecodeError::BadLength)?;
    u32::try_from(n).map(|n| n as usize).map_err(|_| DecodeError::BadLength)
}

fn integer(line: &[u8]) -> Result<i64, DecodeError> {
    let line = line.strip_prefix(b"+").unwrap_or(line);
    number::parse_i64(line).ok_or(DecodeError::BadScalar)
}

fn double(line: &[u8]) -> Result<f64, DecodeError> {
    let text = std::str::from_utf8(line).map_err(|_| DecodeError::BadScalar)?;
    text.parse().map_err(|_| DecodeError::BadScalar)
}

fn truth(line: &[u8]) -> Result<bool, DecodeError> {
    match line {
        b"t" => Ok(true),
        b"f" => Ok(false),
        _ => Err(DecodeError::BadScalar),
    }
}

fn big_number(line: &[u8]) -> Result<Value, DecodeError> {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(DecodeError::BadScalar);
    }
    Ok(Value::BigNumber(line.to_vec()))
}

fn string(prefix: u8, data: &[u8]) -> Result<Value, DecodeError> {
    Ok(match (prefix, data) {
        (b'$', _) => Value::Bulk(data.to_vec()),
        (b'!', _) => Value::Error(data.to_vec()),
        (_, [a, b, c, b':', text @ ..]) => Value::Verbatim([*a, *b, *c], text.to_vec()),
        _ => return Err(DecodeError::BadScalar),
    })
}
