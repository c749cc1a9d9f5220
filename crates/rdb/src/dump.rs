//! The payloads of `DUMP` and `RESTORE`: a type code, the value, two bytes of version and eight of checksum.
//!
//! The version written is the lowest that knows the value's encoding, so that the payload can be restored by as many
//! servers as possible; Redis and Valkey write their own version instead and refuse newer ones.

use crate::RdbError;
use crate::crc::Crc64;
use crate::cursor::{Cursor, Stop};
use crate::string;
use crate::value::{Str, TypeCode, Value};
use crate::version::RdbVersion;

/// Version and checksum.
const FOOTER: usize = 10;

/// Appends the payload of `DUMP` for `value`.
pub fn dump(value: Value<'_>, out: &mut Vec<u8>) {
    let begin = out.len();
    match value {
        Value::Str(text) => {
            out.push(TypeCode::STRING.0);
            let mut lzf = crate::Compressor::new();
            string::put(out, text, Some(&mut lzf));
        }
    }
    out.extend_from_slice(&RdbVersion::V10.number().to_le_bytes());
    let crc = Crc64::of(&out[begin..]);
    out.extend_from_slice(&crc.to_le_bytes());
}

/// Reads a payload of `DUMP`; `scratch` holds the value if it was compressed.
///
/// # Errors
/// When the version is unknown, the checksum is wrong, or the value is malformed or of a type not held here.
pub fn restore<'a>(
    payload: &'a [u8],
    max_string: u64,
    scratch: &'a mut Vec<u8>,
) -> Result<Value<'a>, RdbError> {
    let truncated = RdbError::Truncated(payload.len() as u64);
    let (body, footer) =
        payload.split_at_checked(payload.len().saturating_sub(FOOTER)).ok_or(truncated.clone())?;
    let [v0, v1, crc @ ..] = footer else { return Err(truncated) };
    let number = u16::from_le_bytes([*v0, *v1]);
    if RdbVersion::from_number(number).is_none() {
        return Err(RdbError::Version(number.to_string()));
    }
    let stored = crc.try_into().map(u64::from_le_bytes).map_err(|_| truncated.clone())?;
    let computed = Crc64::of(&payload[..payload.len() - 8]);
    if stored != 0 && stored != computed {
        return Err(RdbError::Checksum { stored, computed });
    }
    let mut cur = Cursor::new(body, 0, max_string);
    let text = match value(&mut cur, scratch) {
        Ok(text) if cur.pos() == body.len() => text,
        Ok(_) => return Err(RdbError::Corrupt { what: "bytes after the value", at: cur.at() }),
        Err(Stop::Fail(e)) => return Err(e),
        Err(Stop::NeedMore(_)) => return Err(truncated),
    };
    Ok(Value::Str(match text {
        string::Text::At(range) => Str::Bytes(&body[range]),
        string::Text::Scratch => Str::Bytes(scratch),
        string::Text::Int(n) => Str::Int(n),
    }))
}

fn value(cur: &mut Cursor<'_>, scratch: &mut Vec<u8>) -> Result<string::Text, Stop> {
    let at = cur.at();
    let kind = TypeCode(cur.byte()?);
    match kind {
        TypeCode::STRING => string::get(cur, scratch),
        _ if kind.name().is_some() => Err(RdbError::UnsupportedType { kind, at }.into()),
        _ => Err(RdbError::UnknownCode { code: kind.0, at }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: u64 = 1 << 20;

    #[test]
    fn the_payload_of_redis_7_byte_for_byte() {
        let mut out = Vec::new();
        dump(Value::Str(Str::Bytes(b"hello")), &mut out);
        assert_eq!(out, b"\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a");
        out.clear();
        dump(Value::Str(Str::Int(2_147_483_648)), &mut out);
        assert_eq!(out, b"\x00\x0a2147483648\x0a\x00\xe7\xb1\x29\xa3\x4c\x1d\x76\xee");
    }

    #[test]
    fn payloads_of_redis_8_and_valkey_9_are_restored() {
        let mut scratch = Vec::new();
        let redis8 = b"\x00\x05hello\x0c\x00\xa8\x04\xeb\xb6\x9f\x1e\xbe\x43";
        assert_eq!(restore(redis8, MAX, &mut scratch), Ok(Value::Str(Str::Bytes(b"hello"))));
        let valkey9 = b"\x00\x05hello\x50\x00\xac\x58\x16\xe7\xfb\x66\x47\xfe";
        assert_eq!(restore(valkey9, MAX, &mut scratch), Ok(Value::Str(Str::Bytes(b"hello"))));
        let number = b"\x00\xc1\x80\x00\x0a\x00\xeb\x7a\xb3\xb5\x10\xcf\x4b\x65";
        assert_eq!(restore(number, MAX, &mut scratch), Ok(Value::Str(Str::Int(128))));
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let mut out = Vec::new();
        dump(Value::Str(Str::Bytes(b"hello")), &mut out);
        out[3] ^= 1;
        assert!(matches!(restore(&out, MAX, &mut Vec::new()), Err(RdbError::Checksum { .. })));
    }

    #[test]
    fn other_versions_and_types_are_named() {
        let list = [1, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let error = restore(&list, MAX, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "unsupported type list (code 1) at byte 0");
        let newer = [0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(restore(&newer, MAX, &mut Vec::new()), Err(RdbError::Version("13".into())));
    }

    proptest! {
        #[test]
        fn dump_and_restore_are_inverse(bytes in prop::collection::vec(0u8..8, 0..300)) {
            let mut out = Vec::new();
            dump(Value::Str(Str::Bytes(&bytes)), &mut out);
            let mut scratch = Vec::new();
            let Value::Str(text) = restore(&out, MAX, &mut scratch).unwrap();
            prop_assert_eq!(text.to_vec(), bytes);
        }

        #[test]
        fn any_payload_is_survived(mut payload in prop::collection::vec(any::<u8>(), 0..60)) {
            // A zero checksum lets the value's parser see the rest.
            payload.extend_from_slice(&[10, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            let _ = restore(&payload, MAX, &mut Vec::new());
        }
    }
}
