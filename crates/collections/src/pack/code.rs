//! Elements as bytes: what is kept, its encoding, and its length again at the end, to be read backwards.
//!
//! ```text
//! 0xxxxxxx                 unsigned integer of 7 bits
//! 10llllll                 string of up to 63 bytes, which follow
//! 110xxxxx x               integer of 13 bits
//! 1110llll l               string of up to 4095 bytes
//! 11110000 llll            string of any length, in little-endian order as are the following
//! 11110001 .. 11110100     integer of 16, 24, 32, 64 bits
//! ```
//! The length at the end is in groups of seven bits, the most significant first; all but the first have their top bit
//! set. Redis gives the greatest length of two, three and four bytes one more byte, which is zero; Valkey 9.1 does not
//! and refuses it. Here both are read, and Redis' is written.

use super::{PackError, Value};

/// The longest head of an element: its encoding, and an integer itself.
const LONGEST_HEAD: usize = 9;
const LONGEST_BACK: usize = 5;

/// An element about to be written.
pub(super) struct Code<'a> {
    head: ([u8; LONGEST_HEAD], u8),
    data: &'a [u8],
    back: ([u8; LONGEST_BACK], u8),
}

impl<'a> Code<'a> {
    /// `None` for a string whose length has no encoding.
    #[inline]
    pub(super) fn of(value: Value<'a>) -> Option<Code<'a>> {
        let (head, data) = match value {
            Value::Int(n) => (int_head(n), &[][..]),
            Value::Str(bytes) => (str_head(bytes.len())?, bytes),
        };
        let len = usize::from(head.1) + data.len();
        let taken = back_len(len);
        Some(Code { head, data, back: (back(len, taken), taken as u8) })
    }

    #[inline]
    pub(super) fn parts(&self) -> [&[u8]; 3] {
        [&self.head.0[..usize::from(self.head.1)], self.data, &self.back.0[..usize::from(self.back.1)]]
    }
}

#[inline]
fn int_head(n: i64) -> ([u8; LONGEST_HEAD], u8) {
    let mut head = [0; LONGEST_HEAD];
    let le = n.to_le_bytes();
    let bytes = match n {
        0..=0x7f => {
            head[0] = le[0];
            return (head, 1);
        }
        -0x1000..=0xfff => {
            head[0] = 0xc0 | le[1] & 0x1f;
            head[1] = le[0];
            return (head, 2);
        }
        -0x8000..=0x7fff => 2,
        -0x80_0000..=0x7f_ffff => 3,
        -0x8000_0000..=0x7fff_ffff => 4,
        _ => 8,
    };
    head[0] = match bytes {
        2 => 0xf1,
        3 => 0xf2,
        4 => 0xf3,
        _ => 0xf4,
    };
    head[1..=bytes].copy_from_slice(&le[..bytes]);
    (head, bytes as u8 + 1)
}

#[inline]
fn str_head(len: usize) -> Option<([u8; LONGEST_HEAD], u8)> {
    let mut head = [0; LONGEST_HEAD];
    let taken = if len < 64 {
        head[0] = 0x80 | len as u8;
        1
    } else if len < 4096 {
        head[0] = 0xe0 | (len >> 8) as u8;
        head[1] = len as u8;
        2
    } else {
        head[0] = 0xf0;
        head[1..5].copy_from_slice(&u32::try_from(len).ok()?.to_le_bytes());
        5
    };
    Some((head, taken))
}

/// Bytes that the length `len` takes at an element's end.
pub(super) const fn back_len(len: usize) -> usize {
    match len {
        0..=0x7f => 1,
        0x80..0x3fff => 2,
        0x3fff..0x1f_ffff => 3,
        0x1f_ffff..0xfff_ffff => 4,
        _ => 5,
    }
}

/// The length `len` as it is at an element's end, in `taken` bytes.
#[inline]
pub(super) fn back(len: usize, taken: usize) -> [u8; LONGEST_BACK] {
    let mut back = [0; LONGEST_BACK];
    if taken == 1 {
        back[0] = len as u8;
    } else {
        for (i, byte) in back[..taken].iter_mut().enumerate() {
            *byte = (len >> (7 * (taken - 1 - i))) as u8 & 0x7f | if i == 0 { 0 } else { 0x80 };
        }
    }
    back
}

/// Bytes that the length `len` takes after the data that ends at `at`: see above for the lengths that have two forms.
#[inline]
fn back_len_at(bytes: &[u8], at: usize, len: usize) -> usize {
    let taken = back_len(len);
    let two_forms = matches!(len, 0x3fff | 0x1f_ffff | 0xfff_ffff);
    if two_forms && bytes.get(at).is_some_and(|&first| first != 0) { taken - 1 } else { taken }
}

/// The element at `at`, and where the next one begins.
///
/// May panic, or give another value, where no element of a valid pack begins.
#[inline(always)]
pub(super) fn decode(bytes: &[u8], at: usize) -> (Value<'_>, usize) {
    let lead = bytes[at];
    if lead < 0x80 {
        return (Value::Int(i64::from(lead)), at + 2);
    }
    if lead < 0xc0 {
        let end = at + 1 + usize::from(lead & 0x3f);
        return (Value::Str(&bytes[at + 1..end]), end + 1);
    }
    decode_longer(bytes, at, lead)
}

fn decode_longer(bytes: &[u8], at: usize, lead: u8) -> (Value<'_>, usize) {
    let (head, data) = extent(bytes, at, lead).expect("an element of a valid pack");
    let (from, end) = (at + head, at + head + data);
    let value = if matches!(lead, 0xe0..=0xf0) {
        Value::Str(&bytes[from..end])
    } else {
        Value::Int(wide_int(&bytes[at..from]))
    };
    (value, end + back_len_at(bytes, end, head + data))
}

/// The integer of more than 7 bits whose head this is.
fn wide_int(head: &[u8]) -> i64 {
    match *head {
        [high, low] => i64::from((i16::from_be_bytes([high, low]) << 3) >> 3),
        [_, ref bytes @ ..] => {
            let mut wide = [0; 8];
            wide[8 - bytes.len()..].copy_from_slice(bytes);
            i64::from_le_bytes(wide) >> (64 - 8 * bytes.len())
        }
        [] => 0,
    }
}

/// Where the element after the one at `at` begins.
#[inline(always)]
pub(super) fn skip(bytes: &[u8], at: usize) -> usize {
    let lead = bytes[at];
    match lead {
        0..0x80 => at + 2,
        0x80..0xc0 => at + 2 + usize::from(lead & 0x3f),
        _ => {
            let (head, data) = extent(bytes, at, lead).expect("an element of a valid pack");
            let len = head + data;
            at + len + back_len_at(bytes, at + len, len)
        }
    }
}

/// Where the element that ends at `end` begins.
#[inline]
pub(super) fn skip_back(bytes: &[u8], end: usize) -> usize {
    let (at, len) = read_back(bytes, end);
    at - len
}

/// The length that ends at `end`, and where it begins itself.
#[inline]
pub(super) fn read_back(bytes: &[u8], end: usize) -> (usize, usize) {
    let (mut at, mut len, mut shift) = (end, 0, 0);
    loop {
        at -= 1;
        len |= usize::from(bytes[at] & 0x7f) << shift;
        if bytes[at] < 0x80 {
            return (at, len);
        }
        shift += 7;
    }
}

/// The lengths of the head and of the string after it, by the element's first bytes.
#[inline]
fn extent(bytes: &[u8], at: usize, lead: u8) -> Option<(usize, usize)> {
    Some(match lead {
        0..0x80 => (1, 0),
        0x80..0xc0 => (1, usize::from(lead & 0x3f)),
        0xc0..0xe0 => (2, 0),
        0xe0..0xf0 => (2, usize::from(lead & 0xf) << 8 | usize::from(*bytes.get(at + 1)?)),
        0xf0 => (5, u32::from_le_bytes(*bytes.get(at + 1..)?.first_chunk()?) as usize),
        0xf1 => (3, 0),
        0xf2 => (4, 0),
        0xf3 => (5, 0),
        0xf4 => (9, 0),
        _ => return None,
    })
}

/// Makes sure that a valid element begins at `at` of foreign bytes; where the next one begins.
pub(super) fn check(bytes: &[u8], at: usize) -> Result<usize, PackError> {
    let lead = *bytes.get(at).ok_or(PackError::Element { at })?;
    let (head, data) = extent(bytes, at, lead).ok_or(PackError::Element { at })?;
    let len = head + data;
    let end = at + len;
    let taken = back_len_at(bytes, end, len);
    match bytes.get(end..end + taken) {
        None => Err(PackError::Element { at }),
        Some(found) if *found == back(len, taken)[..taken] => Ok(end + taken),
        Some(_) => Err(PackError::Back { at }),
    }
}
