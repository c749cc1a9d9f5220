//! Values as they are handed in and out: Redis' string encodings and the conversions between text and integer.

use tanist_collections::{Ahead, Hash, List, Set, SortedSet, Stream};
pub use tanist_collections::{Encoding, parse_int};

/// The longest string that Redis stores together with its object header (`embstr`).
const LONGEST_EMBSTR: usize = 44;

/// A string value handed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StrValue<'a> {
    /// Bytes; the keyspace stores them as an integer when they are the canonical text of one.
    Bytes(&'a [u8]),
    /// Bytes that are stored as such, be they the text of an integer (what `INCRBYFLOAT` leaves behind).
    Text(&'a [u8]),
    /// Bytes that a command has put together or was to change: `raw`, however short and whatever they say.
    Made(&'a [u8]),
    /// An integer.
    Int(i64),
}

/// A value handed out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ValueRef<'a> {
    /// A string.
    Str(StrRef<'a>),
    /// A list.
    List(&'a List),
    /// A set.
    Set(&'a Set),
    /// A hash.
    Hash(&'a Hash),
    /// A sorted set.
    SortedSet(&'a SortedSet),
    /// A stream.
    Stream(&'a Stream),
}

impl<'a> ValueRef<'a> {
    /// To fetch elements before they are looked for, if it is a collection that keeps them in a table.
    #[inline]
    #[must_use]
    pub fn ahead(self) -> Option<Ahead<'a>> {
        match self {
            ValueRef::Set(set) => set.ahead(),
            ValueRef::Hash(hash) => hash.ahead(),
            ValueRef::SortedSet(set) => set.ahead(),
            ValueRef::Str(_) | ValueRef::List(_) | ValueRef::Stream(_) => None,
        }
    }
}

/// A string value handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StrRef<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// An integer, whose text is its canonical decimal form.
    Int(i64),
}

/// The encoding of a string of `len` bytes that was set as a whole and is not an integer.
pub(crate) const fn of_len(len: usize) -> Encoding {
    if len <= LONGEST_EMBSTR { Encoding::Embstr } else { Encoding::Raw }
}

impl<'a> StrRef<'a> {
    /// The length of the text in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            StrRef::Bytes(bytes) => bytes.len(),
            StrRef::Int(n) => itoa::Buffer::new().format(*n).len(),
        }
    }

    /// Whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, StrRef::Bytes([]))
    }

    /// The text; an integer is written into `buffer`.
    #[inline]
    pub fn as_bytes<'b>(self, buffer: &'b mut itoa::Buffer) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            StrRef::Bytes(bytes) => bytes,
            StrRef::Int(n) => buffer.format(n).as_bytes(),
        }
    }

    /// The integer whose canonical text this is, if any (what INCR accepts).
    #[must_use]
    pub fn to_int(self) -> Option<i64> {
        match self {
            StrRef::Bytes(bytes) => parse_int(bytes),
            StrRef::Int(n) => Some(n),
        }
    }
}

impl<'a> StrValue<'a> {
    /// The same value with canonical integer text turned into the integer.
    #[inline]
    pub(crate) fn encoded(self) -> StrValue<'a> {
        match self {
            StrValue::Bytes(bytes) => match parse_int(bytes) {
                Some(n) => StrValue::Int(n),
                None => self,
            },
            StrValue::Text(_) | StrValue::Made(_) | StrValue::Int(_) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_length_of_an_integer_agree() {
        for n in [0, -1, 7, 1234567890123, i64::MIN, i64::MAX] {
            let value = StrRef::Int(n);
            let text = n.to_string();
            assert_eq!(value.as_bytes(&mut itoa::Buffer::new()), text.as_bytes());
            assert_eq!(value.len(), text.len());
        }
    }
}
