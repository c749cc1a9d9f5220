//! Strings in the format: plain, as an 8, 16 or 32-bit number, or compressed.

use crate::cursor::{Cursor, Stop};
use crate::length::{self, Length};
use crate::lzf::{self, Compressor};
use crate::value::Str;
use std::ops::Range;

const INT8: u8 = 0;
const INT16: u8 = 1;
const INT32: u8 = 2;
const LZF: u8 = 3;

/// The longest decimal form of a 32-bit number: longer strings are never written as numbers.
const INT_DIGITS: usize = 11;
/// Strings of this length or less are never compressed.
const TOO_SHORT_TO_COMPRESS: usize = 20;

/// A string found by [`get`]: where its bytes are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Text {
    /// In the buffer that was parsed, relative to the cursor's beginning.
    At(Range<usize>),
    /// In the scratch buffer.
    Scratch,
    /// The decimal form of a number.
    Int(i64),
}

/// Reads a string. Compressed ones are expanded into `scratch`, whose size is bounded by what the compressed bytes,
/// all present by then, can expand to.
pub(crate) fn get(cur: &mut Cursor<'_>, scratch: &mut Vec<u8>) -> Result<Text, Stop> {
    let code = match cur.length()? {
        Length::Plain(len) => {
            return Ok(Text::At({
                let n = cur.checked(len)?;
                cur.range(n)?
            }));
        }
        Length::Special(code) => code,
    };
    Ok(match code {
        INT8 => Text::Int(i64::from(i8::from_le_bytes(cur.array()?))),
        INT16 => Text::Int(i64::from(i16::from_le_bytes(cur.array()?))),
        INT32 => Text::Int(i64::from(i32::from_le_bytes(cur.array()?))),
        LZF => {
            let compressed = cur.number()?;
            let compressed = cur.checked(compressed)?;
            let expanded = cur.number()?;
            let expanded = cur.checked(expanded)?;
            let bytes = cur.bytes(compressed)?;
            lzf::decompress(bytes, expanded, scratch).map_err(|_| cur.corrupt("a bad LZF string"))?;
            Text::Scratch
        }
        _ => return Err(cur.corrupt("a string of unknown encoding")),
    })
}

/// Appends a string value.
pub(crate) fn put(out: &mut Vec<u8>, text: Str<'_>, lzf: Option<&mut Compressor>) {
    match text {
        Str::Bytes(bytes) => put_bytes(out, bytes, lzf),
        Str::Int(n) => match i32::try_from(n) {
            Ok(n) => put_int(out, n),
            Err(_) => put_plain(out, itoa::Buffer::new().format(n).as_bytes()),
        },
    }
}

/// Appends a string in the form that Redis chooses: as a number if it is the canonical form of one of 32 bits,
/// compressed if that is shorter, plain otherwise.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8], lzf: Option<&mut Compressor>) {
    if bytes.len() <= INT_DIGITS
        && let Some(n) = canonical_int(bytes)
    {
        return put_int(out, n);
    }
    if bytes.len() > TOO_SHORT_TO_COMPRESS
        && let Some(lzf) = lzf
        && put_compressed(out, bytes, lzf)
    {
        return;
    }
    put_plain(out, bytes);
}

fn put_plain(out: &mut Vec<u8>, bytes: &[u8]) {
    length::put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_int(out: &mut Vec<u8>, n: i32) {
    if let Ok(n) = i8::try_from(n) {
        out.push(0xc0 | INT8);
        out.extend_from_slice(&n.to_le_bytes());
    } else if let Ok(n) = i16::try_from(n) {
        out.push(0xc0 | INT16);
        out.extend_from_slice(&n.to_le_bytes());
    } else {
        out.push(0xc0 | INT32);
        out.extend_from_slice(&n.to_le_bytes());
    }
}

fn put_compressed(out: &mut Vec<u8>, bytes: &[u8], lzf: &mut Compressor) -> bool {
    let Some(packed) = lzf.compress(bytes, bytes.len() - 4) else { return false };
    out.push(0xc0 | LZF);
    length::put(out, packed.len() as u64);
    length::put(out, bytes.len() as u64);
    out.extend_from_slice(packed);
    true
}

/// The number whose decimal form `bytes` is, exactly (no sign but a minus, no leading zero).
fn canonical_int(bytes: &[u8]) -> Option<i32> {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    match digits {
        [] => return None,
        [b'0', ..] if bytes != b"0" => return None,
        _ => {}
    }
    let mut n = 0i64;
    for d in digits {
        if !d.is_ascii_digit() {
            return None;
        }
        n = n * 10 + i64::from(d - b'0');
    }
    i32::try_from(if digits.len() < bytes.len() { -n } else { n }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_bytes(&mut out, bytes, None);
        out
    }

    /// The forms that Redis 7.0.15, Redis 8.0.6 and Valkey 9.1.2 give these strings in `DUMP`.
    #[test]
    fn numbers_take_the_forms_that_redis_gives_them() {
        assert_eq!(encoded(b"0"), b"\xc0\x00");
        assert_eq!(encoded(b"-1"), b"\xc0\xff");
        assert_eq!(encoded(b"127"), b"\xc0\x7f");
        assert_eq!(encoded(b"128"), b"\xc1\x80\x00");
        assert_eq!(encoded(b"-129"), b"\xc1\x7f\xff");
        assert_eq!(encoded(b"32768"), b"\xc2\x00\x80\x00\x00");
        assert_eq!(encoded(b"2147483647"), b"\xc2\xff\xff\xff\x7f");
        assert_eq!(encoded(b"-2147483648"), b"\xc2\x00\x00\x00\x80");
        assert_eq!(encoded(b"2147483648"), b"\x0a2147483648");
        for plain in ["007", "-0", "+1", "", "-", "1a", "99999999999"] {
            assert_eq!(encoded(plain.as_bytes())[0] as usize, plain.len(), "{plain}");
        }
    }
}
