//! Identifiers as clients write them.

use crate::error::Error;
use tanist_keyspace::collections::StreamId;

const INVALID: Error = Error::fixed("ERR Invalid stream ID specified as stream command argument");
/// The longest text that is looked at, in bytes.
const LONGEST: usize = 127;

/// `ms` or `ms-seq`; `seq` is `missing` if it is not there.
pub(super) fn parse_strict(text: &[u8], missing: u64) -> Result<StreamId, Error> {
    let (ms, seq) = halves(text)?;
    let seq = seq.map_or(Some(missing), number);
    Ok(StreamId { ms: number(ms).ok_or(INVALID)?, seq: seq.ok_or(INVALID)? })
}

/// [`parse_strict`], and `-` and `+` for the lowest and the highest.
pub(super) fn parse(text: &[u8], missing: u64) -> Result<StreamId, Error> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        _ => parse_strict(text, missing),
    }
}

/// [`parse_strict`], and `ms-*` for any `seq`, which is `None`.
pub(super) fn parse_new(text: &[u8]) -> Result<(u64, Option<u64>), Error> {
    let (ms, seq) = halves(text)?;
    let ms = number(ms).ok_or(INVALID)?;
    match seq {
        Some(b"*") => Ok((ms, None)),
        Some(seq) => Ok((ms, Some(number(seq).ok_or(INVALID)?))),
        None => Ok((ms, Some(0))),
    }
}

/// An end of an interval, and whether it is left out of it.
pub(super) fn parse_end(text: &[u8], missing: u64) -> Result<(StreamId, bool), Error> {
    match text {
        [b'(', rest @ ..] if !rest.is_empty() => Ok((parse_strict(rest, missing)?, true)),
        _ => Ok((parse(text, missing)?, false)),
    }
}

fn halves(text: &[u8]) -> Result<(&[u8], Option<&[u8]>), Error> {
    if text.len() > LONGEST {
        return Err(INVALID);
    }
    // The reference, which is written in C, sees no further than a NUL byte.
    let text = &text[..memchr::memchr(0, text).unwrap_or(text.len())];
    Ok(match memchr::memchr(b'-', text) {
        Some(dash) => (&text[..dash], Some(&text[dash + 1..])),
        None => (text, None),
    })
}

/// A number as C's `strtoull` reads it: spaces and a sign in front, and leading zeros.
fn number(text: &[u8]) -> Option<u64> {
    if let Some(n) = tanist_resp::number::parse_i64(text) {
        return u64::try_from(n).ok();
    }
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let n = digits.iter().try_fold(0u64, |n, d| n.checked_mul(10)?.checked_add(u64::from(d - b'0')))?;
    Some(if negative { n.wrapping_neg() } else { n })
}
