//! Ziplists: what listpacks were before Redis 7. Only read, from old snapshots and payloads.
//!
//! ```text
//! total length, 4 bytes │ offset of the last element, 4 bytes │ elements, 2 bytes │ elements │ 0xff
//! ```
//! in little-endian order. An element is the length of the one before it (one byte, or 0xfe and four), an encoding, and
//! the text of a string; integers are in or behind their encoding. A count of 65535 means "count them".
//!
//! Source: the comment of Redis' ziplist.c.

use super::Malformed;
use tanist_keyspace::collections::{Pack, Value};

const HEADER: usize = 10;
const END: u8 = 0xff;
const UNCOUNTED: u16 = u16::MAX;
const BAD: Malformed = Malformed("a bad ziplist");

/// The elements of a ziplist as a listpack. All bytes are checked.
pub(super) fn to_pack(bytes: &[u8]) -> Result<Pack, Malformed> {
    let mut pack = Pack::new();
    let elements = elements(bytes)?;
    let (mut at, mut before, mut found) = (0, 0, 0);
    while at < elements.len() {
        let begin = at;
        let told = length_before(elements, &mut at)?;
        if told != before {
            return Err(BAD);
        }
        let pushed = match value(elements, &mut at)? {
            Value::Int(n) => pack.push_back_int(n),
            Value::Str(text) => pack.push_back(text),
        };
        pushed.map_err(|_| BAD)?;
        before = at - begin;
        found += 1;
    }
    let count = u16::from_le_bytes([bytes[8], bytes[9]]);
    let last = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
    let counted = count == UNCOUNTED || usize::from(count) == found;
    if counted && last == HEADER + at - before { Ok(pack) } else { Err(BAD) }
}

/// The bytes between header and end.
fn elements(bytes: &[u8]) -> Result<&[u8], Malformed> {
    let total = bytes.first_chunk::<4>().map(|total| u32::from_le_bytes(*total) as usize);
    match bytes {
        [body @ .., END] if body.len() >= HEADER && total == Some(bytes.len()) => Ok(&body[HEADER..]),
        _ => Err(BAD),
    }
}

fn take<const N: usize>(bytes: &[u8], at: &mut usize) -> Result<[u8; N], Malformed> {
    let taken = bytes.get(*at..).and_then(<[u8]>::first_chunk::<N>).ok_or(BAD)?;
    *at += N;
    Ok(*taken)
}

/// The length of the element before this one.
fn length_before(bytes: &[u8], at: &mut usize) -> Result<usize, Malformed> {
    match take::<1>(bytes, at)? {
        [0xfe] => Ok(u32::from_le_bytes(take(bytes, at)?) as usize),
        [END] => Err(BAD),
        [short] => Ok(usize::from(short)),
    }
}

/// An element from its encoding on.
fn value<'b>(bytes: &'b [u8], at: &mut usize) -> Result<Value<'b>, Malformed> {
    let [first] = take::<1>(bytes, at)?;
    let len = match first >> 6 {
        0b00 => usize::from(first),
        0b01 => usize::from(first & 0x3f) << 8 | usize::from(take::<1>(bytes, at)?[0]),
        0b10 => u32::from_be_bytes(take(bytes, at)?) as usize,
        _ => return integer(first, bytes, at).map(Value::Int),
    };
    let text = at.checked_add(len).and_then(|end| bytes.get(*at..end)).ok_or(BAD)?;
    *at += len;
    Ok(Value::Str(text))
}

fn integer(first: u8, bytes: &[u8], at: &mut usize) -> Result<i64, Malformed> {
    Ok(match first {
        0xc0 => i64::from(i16::from_le_bytes(take(bytes, at)?)),
        0xd0 => i64::from(i32::from_le_bytes(take(bytes, at)?)),
        0xe0 => i64::from_le_bytes(take(bytes, at)?),
        0xf0 => {
            let [low, mid, high] = take(bytes, at)?;
            i64::from(i32::from_le_bytes([0, low, mid, high]) >> 8)
        }
        0xfe => i64::from(take::<1>(bytes, at)?[0].cast_signed()),
        0xf1..=0xfd => i64::from(first - 0xf1),
        _ => return Err(BAD),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ziplist of elements that are given from their encoding on.
    fn ziplist(elements: &[&[u8]]) -> Vec<u8> {
        let (mut body, mut before, mut last) = (Vec::new(), 0, HEADER);
        for element in elements {
            last = HEADER + body.len();
            match u8::try_from(before) {
                Ok(short @ 0..=0xfd) => body.push(short),
                _ => {
                    body.push(0xfe);
                    body.extend((before as u32).to_le_bytes());
                }
            }
            body.extend_from_slice(element);
            before = HEADER + body.len() - last;
        }
        let mut bytes = ((HEADER + body.len() + 1) as u32).to_le_bytes().to_vec();
        bytes.extend((last as u32).to_le_bytes());
        bytes.extend((elements.len() as u16).to_le_bytes());
        bytes.extend(body);
        bytes.push(END);
        bytes
    }

    #[test]
    fn every_encoding_is_read() {
        let long = [&[0x41, 0x2c][..], &[b'x'; 300]].concat();
        let longer = [&[0x80, 0, 0, 0, 2][..], b"ab"].concat();
        let bytes = ziplist(&[
            b"\x05hello",
            &long,
            &longer,
            b"\xf1",
            b"\xfd",
            b"\xfe\xff",
            b"\xc0\xfe\xff",
            b"\xf0\x00\x00\x80",
            b"\xd0\x00\x00\x01\x00",
            b"\xe0\x00\x00\x00\x00\x01\x00\x00\x00",
        ]);
        let texts: Vec<Vec<u8>> = to_pack(&bytes)
            .expect("a ziplist")
            .iter()
            .map(|value| value.as_bytes(&mut itoa::Buffer::new()).to_vec())
            .collect();
        let x = "x".repeat(300);
        let expected = ["hello", &x, "ab", "0", "12", "-1", "-2", "-8388608", "65536", "4294967296"];
        assert_eq!(texts, expected.map(|text| text.as_bytes().to_vec()));
    }

    #[test]
    fn broken_ones_are_refused() {
        let good = ziplist(&[b"\x02ab", b"\xc0\x01\x02"]);
        assert!(to_pack(&good).is_ok());
        for at in 0..good.len() {
            assert!(to_pack(&good[..at]).is_err());
            for byte in [0, 1, 0x7f, 0xfe, 0xff] {
                let mut bad = good.clone();
                bad[at] = byte;
                // Texts and numbers may be any; all else is given twice.
                let free = (12..14).contains(&at) || (16..18).contains(&at);
                assert_eq!(to_pack(&bad).is_ok(), bad == good || free, "{at} {byte}");
            }
        }
    }
}
