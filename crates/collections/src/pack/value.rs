//! Elements as they are handed in and out.

use crate::parse_int;

/// An element.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// An integer, whose text is its canonical decimal form.
    Int(i64),
    /// A string. One that came in as bytes is not the canonical text of an integer.
    Str(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The text; an integer is written into `buffer`.
    #[inline]
    pub fn as_bytes<'b>(self, buffer: &'b mut itoa::Buffer) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Value::Int(n) => buffer.format(n).as_bytes(),
            Value::Str(bytes) => bytes,
        }
    }

    /// Appends the text.
    #[inline]
    pub fn write_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes(&mut itoa::Buffer::new()));
    }

    /// The length of the text in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.as_bytes(&mut itoa::Buffer::new()).len()
    }

    /// Whether the text is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        matches!(self, Value::Str([]))
    }

    /// Whether this is the text.
    #[inline]
    #[must_use]
    pub fn eq_bytes(self, text: &[u8]) -> bool {
        match self {
            Value::Int(n) => parse_int(text) == Some(n),
            Value::Str(bytes) => bytes == text,
        }
    }

    /// The integer whose canonical text this is, if any.
    #[inline]
    #[must_use]
    pub fn to_int(self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(n),
            Value::Str(bytes) => parse_int(bytes),
        }
    }
}

/// The element that a text becomes: an integer if it is the canonical text of one, as in Redis.
impl<'a> From<&'a [u8]> for Value<'a> {
    #[inline]
    fn from(text: &'a [u8]) -> Value<'a> {
        parse_int(text).map_or(Value::Str(text), Value::Int)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    #[inline]
    fn from(text: &'a [u8; N]) -> Value<'a> {
        Value::from(&text[..])
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    #[inline]
    fn from(text: &'a Vec<u8>) -> Value<'a> {
        Value::from(text.as_slice())
    }
}

impl From<i64> for Value<'_> {
    #[inline]
    fn from(n: i64) -> Self {
        Value::Int(n)
    }
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Int(n) => n.fmt(f),
            Value::Str(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
        }
    }
}
