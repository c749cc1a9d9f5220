//! Compact encodings that servers before Redis 7 wrote: ziplists and zipmaps. They are only read.
//!
//! A ziplist: total length and offset of the last element (4 bytes each), number of elements (2), elements, 0xff. An
//! element: the length of the one before (one byte, or 0xfe and four), its own encoding, its data. A zipmap: a number of
//! pairs (1 byte), then for each field and value a length (one byte, or 0xfe and four), with a byte of padding's length
//! before a value; 0xff. Numbers are little-endian but for the lengths of strings.

use crate::value::Str;

/// Bytes that are not what they should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadEncoding;

/// The elements of a ziplist, of foreign bytes; ends after the first error.
#[derive(Clone, Debug)]
pub struct Ziplist<'a> {
    rest: Option<&'a [u8]>,
}

const ZIPLIST_HEADER: usize = 10;
const END: u8 = 0xff;
const LONG: u8 = 0xfe;

impl<'a> Ziplist<'a> {
    /// The ziplist that these bytes are.
    ///
    /// # Errors
    /// When they are not as long as they tell. Elements are checked one by one.
    pub fn new(bytes: &'a [u8]) -> Result<Ziplist<'a>, BadEncoding> {
        let total = bytes.first_chunk().map(|b| u32::from_le_bytes(*b) as usize);
        if total != Some(bytes.len()) || bytes.len() <= ZIPLIST_HEADER {
            return Err(BadEncoding);
        }
        Ok(Ziplist { rest: bytes.get(ZIPLIST_HEADER..) })
    }

    /// The next element, if this is not the end.
    fn step(&mut self) -> Option<Option<Str<'a>>> {
        let mut from = self.rest?;
        if from == [END] {
            return Some(None);
        }
        match take(&mut from, 1)?[0] {
            LONG => _ = take(&mut from, 4)?,
            END => return None,
            _ => {}
        }
        let element = element(&mut from)?;
        self.rest = Some(from);
        Some(Some(element))
    }
}

impl<'a> Iterator for Ziplist<'a> {
    type Item = Result<Str<'a>, BadEncoding>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest?;
        match self.step() {
            Some(element) => element.map(Ok),
            None => {
                self.rest = None;
                Some(Err(BadEncoding))
            }
        }
    }
}

/// The first `n` bytes, which are taken off.
fn take<'a>(from: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(n)?;
    *from = rest;
    Some(taken)
}

/// An integer of up to eight bytes.
fn integer(bytes: &[u8]) -> i64 {
    let mut wide = [0; 8];
    wide[8 - bytes.len()..].copy_from_slice(bytes);
    i64::from_le_bytes(wide) >> (64 - 8 * bytes.len())
}

fn element<'a>(from: &mut &'a [u8]) -> Option<Str<'a>> {
    let lead = take(from, 1)?[0];
    let width = match lead {
        0..0x40 => return take(from, usize::from(lead)).map(Str::Bytes),
        0x40..0x80 => {
            let low = take(from, 1)?[0];
            return take(from, usize::from(lead & 0x3f) << 8 | usize::from(low)).map(Str::Bytes);
        }
        0x80 => {
            let len = take(from, 4)?.first_chunk().map(|b| u32::from_be_bytes(*b) as usize)?;
            return take(from, len).map(Str::Bytes);
        }
        0xf1..=0xfd => return Some(Str::Int(i64::from(lead & 0xf) - 1)),
        0xc0 => 2,
        0xd0 => 4,
        0xe0 => 8,
        0xf0 => 3,
        0xfe => 1,
        _ => return None,
    };
    take(from, width).map(|bytes| Str::Int(integer(bytes)))
}

/// The pairs of a zipmap, of foreign bytes; ends after the first error.
#[derive(Clone, Debug)]
pub struct Zipmap<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Zipmap<'a> {
    /// The zipmap that these bytes are.
    ///
    /// # Errors
    /// When there are none. Pairs are checked one by one.
    pub fn new(bytes: &'a [u8]) -> Result<Zipmap<'a>, BadEncoding> {
        bytes.get(1..).map(|rest| Zipmap { rest: Some(rest) }).ok_or(BadEncoding)
    }

    fn step(&mut self) -> Option<Option<(Str<'a>, Str<'a>)>> {
        let mut from = self.rest?;
        if from == [END] {
            return Some(None);
        }
        let len = length(&mut from)?;
        let field = take(&mut from, len)?;
        let len = length(&mut from)?;
        let padding = usize::from(take(&mut from, 1)?[0]);
        let value = take(&mut from, len)?;
        take(&mut from, padding)?;
        self.rest = Some(from);
        Some(Some((Str::Bytes(field), Str::Bytes(value))))
    }
}

/// A length in a zipmap.
fn length(from: &mut &[u8]) -> Option<usize> {
    match take(from, 1)?[0] {
        END => None,
        LONG => take(from, 4)?.first_chunk().map(|b| u32::from_le_bytes(*b) as usize),
        len => Some(usize::from(len)),
    }
}

impl<'a> Iterator for Zipmap<'a> {
    type Item = Result<(Str<'a>, Str<'a>), BadEncoding>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rest?;
        match self.step() {
            Some(pair) => pair.map(Ok),
            None => {
                self.rest = None;
                Some(Err(BadEncoding))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ziplist(elements: &[u8]) -> Vec<u8> {
        let mut bytes = (elements.len() as u32 + 11).to_le_bytes().to_vec();
        bytes.extend([0; 6]);
        bytes.extend(elements);
        bytes.push(END);
        bytes
    }

    #[test]
    fn elements_of_a_ziplist_in_every_encoding() {
        let mut elements =
            b"\x00\x02hi\x04\x40\x03abc\x06\x80\x00\x00\x00\x01z\x07\xf1\x02\xfd\x02\xfe\xff".to_vec();
        elements.extend(b"\x03\xc0\x00\x80\x04\xf0\xff\xff\x7f\x05\xd0\xfe\xff\xff\xff");
        elements.extend(b"\xfe\x06\x00\x00\x00\xe0\x01\x00\x00\x00\x00\x00\x00\x80");
        let bytes = ziplist(&elements);
        let found: Result<Vec<Str<'_>>, _> = Ziplist::new(&bytes).and_then(Iterator::collect);
        let text = |text: &'static [u8]| Str::Bytes(text);
        let ints = [0, 12, -1, -32768, 0x7f_ffff, -2, i64::MIN + 1].map(Str::Int);
        let all: Vec<Str<'_>> = [text(b"hi"), text(b"abc"), text(b"z")].into_iter().chain(ints).collect();
        assert_eq!(found, Ok(all));
    }

    #[test]
    fn pairs_of_a_zipmap() {
        let bytes = b"\x02\x03foo\x03\x00bar\x05hello\xfe\x05\x00\x00\x00\x02world..\xff";
        let found: Result<Vec<_>, _> = Zipmap::new(bytes).and_then(Iterator::collect);
        let pair = |a: &'static [u8], b: &'static [u8]| (Str::Bytes(a), Str::Bytes(b));
        assert_eq!(found, Ok(vec![pair(b"foo", b"bar"), pair(b"hello", b"world")]));
        assert_eq!(Zipmap::new(&bytes[..bytes.len() - 1]).map(Iterator::last), Ok(Some(Err(BadEncoding))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let list = ziplist(&bytes);
            let _ = Ziplist::new(&list).map(Iterator::count);
            let _ = Ziplist::new(&bytes).map(Iterator::count);
            let _ = Zipmap::new(&bytes).map(Iterator::count);
        }
    }
}
