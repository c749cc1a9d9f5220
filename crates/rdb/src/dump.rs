//! The payloads of `DUMP` and `RESTORE`: a type code, the value, two bytes of version and eight of checksum.
//!
//! The version written is the lowest that knows the value's encoding, so that the payload can be restored by as many
//! servers as possible; Redis and Valkey write their own version instead and refuse newer ones.

use crate::RdbError;
use crate::crc::Crc64;
use crate::cursor::{Cursor, Stop};
use crate::encoder::Encoder;
use crate::parts::{Part, Parts, Step, resolve, unsupported};
use crate::value::TypeCode;
use crate::version::RdbVersion;
use std::ops::Range;

/// Version and checksum.
const FOOTER: usize = 10;

/// Appends the payload of `DUMP` for a value of type `kind`, whose parts `encode` appends; strings of more than 20 bytes
/// are compressed if `compress` says so.
pub fn dump(kind: TypeCode, compress: bool, out: &mut Vec<u8>, encode: impl FnOnce(&mut Encoder<'_>)) {
    let begin = out.len();
    out.push(kind.0);
    let mut lzf = compress.then(crate::Compressor::new);
    encode(&mut Encoder { out, lzf: lzf.as_mut() });
    finish(out, begin, kind.since());
}

/// Appends version and checksum to a payload that begins at `begin`.
pub(crate) fn finish(out: &mut Vec<u8>, begin: usize, version: RdbVersion) {
    out.extend_from_slice(&version.number().to_le_bytes());
    let crc = Crc64::of(&out[begin..]);
    out.extend_from_slice(&crc.to_le_bytes());
}

/// A payload of `DUMP` that is being read.
#[derive(Debug)]
pub struct Payload<'a> {
    kind: TypeCode,
    body: &'a [u8],
    /// Bytes of `body` that have been read.
    start: usize,
    max_string: u64,
    parts: Parts,
    scratch: (Vec<u8>, Vec<u8>),
}

/// What is in front of version and checksum, if both are right.
pub(crate) fn body(payload: &[u8]) -> Result<&[u8], RdbError> {
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
    Ok(body)
}

impl<'a> Payload<'a> {
    /// Checks the frame of a payload.
    ///
    /// # Errors
    /// When the version is unknown, the checksum is wrong, or the type is not held here.
    pub fn open(payload: &'a [u8], max_string: u64) -> Result<Payload<'a>, RdbError> {
        let body = body(payload)?;
        let truncated = RdbError::Truncated(payload.len() as u64);
        let kind = TypeCode(*body.first().ok_or(truncated)?);
        let parts = Parts::of(kind).ok_or_else(|| unsupported(kind, 0))?;
        Ok(Payload { kind, body, start: 1, max_string, parts, scratch: (Vec::new(), Vec::new()) })
    }

    /// What the value is, and how its parts are encoded.
    #[must_use]
    pub fn kind(&self) -> TypeCode {
        self.kind
    }

    /// The next part; `None` at the end. A string value has one part.
    ///
    /// # Errors
    /// When the value is malformed or cut off, or is followed by something else.
    pub fn next_part(&mut self) -> Result<Option<Part<'_>>, RdbError> {
        loop {
            let begin = self.start;
            let mut cur = Cursor::new(&self.body[begin..], begin as u64, self.max_string);
            let step = match self.parts.step(&mut cur, (&mut self.scratch.0, &mut self.scratch.1)) {
                Ok(step) => step,
                Err(Stop::Fail(e)) => return Err(e),
                Err(Stop::NeedMore(_)) => return Err(RdbError::Truncated(self.body.len() as u64)),
            };
            self.start += cur.pos();
            match step {
                Step::Nothing => {}
                Step::Part(part) => {
                    let at = |range: &Range<usize>| &self.body[begin + range.start..begin + range.end];
                    return Ok(Some(resolve(&part, at, (&self.scratch.0, &self.scratch.1))));
                }
                Step::End if self.start == self.body.len() => return Ok(None),
                Step::End => {
                    return Err(RdbError::Corrupt { what: "bytes after the value", at: self.start as u64 });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Str;
    use proptest::prelude::*;

    const MAX: u64 = 1 << 20;

    fn dump_str(text: Str<'_>, out: &mut Vec<u8>) {
        dump(TypeCode::STRING, true, out, |to| to.string(text));
    }

    /// All parts as text.
    fn restore(payload: &[u8]) -> Result<String, RdbError> {
        let mut payload = Payload::open(payload, MAX)?;
        let mut all = String::new();
        while let Some(part) = payload.next_part()? {
            all += &format!("{part:?};");
        }
        Ok(all)
    }

    fn element(text: Str<'_>) -> Result<String, RdbError> {
        Ok(format!("{:?};", Part::Element(text)))
    }

    #[test]
    fn the_payload_of_redis_7_byte_for_byte() {
        let mut out = Vec::new();
        dump_str(Str::Bytes(b"hello"), &mut out);
        assert_eq!(out, b"\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a");
        out.clear();
        dump_str(Str::Int(2_147_483_648), &mut out);
        assert_eq!(out, b"\x00\x0a2147483648\x0a\x00\xe7\xb1\x29\xa3\x4c\x1d\x76\xee");
    }

    #[test]
    fn payloads_of_redis_8_and_valkey_9_are_restored() {
        let redis8 = b"\x00\x05hello\x0c\x00\xa8\x04\xeb\xb6\x9f\x1e\xbe\x43";
        assert_eq!(restore(redis8), element(Str::Bytes(b"hello")));
        let valkey9 = b"\x00\x05hello\x50\x00\xac\x58\x16\xe7\xfb\x66\x47\xfe";
        assert_eq!(restore(valkey9), element(Str::Bytes(b"hello")));
        let number = b"\x00\xc1\x80\x00\x0a\x00\xeb\x7a\xb3\xb5\x10\xcf\x4b\x65";
        assert_eq!(restore(number), element(Str::Int(128)));
    }

    #[test]
    fn a_flipped_bit_is_noticed() {
        let mut out = Vec::new();
        dump_str(Str::Bytes(b"hello"), &mut out);
        out[3] ^= 1;
        assert!(matches!(restore(&out), Err(RdbError::Checksum { .. })));
    }

    #[test]
    fn other_versions_and_types_are_named() {
        let module = [7, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let error = restore(&module).unwrap_err();
        assert_eq!(error.to_string(), "unsupported type module (code 7) at byte 0");
        let newer = [0, 0, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(restore(&newer), Err(RdbError::Version("13".into())));
    }

    proptest! {
        #[test]
        fn dump_and_restore_are_inverse(bytes in prop::collection::vec(0u8..8, 0..300)) {
            let mut out = Vec::new();
            dump_str(Str::Bytes(&bytes), &mut out);
            let mut payload = Payload::open(&out, MAX).unwrap();
            let Some(Part::Element(text)) = payload.next_part().unwrap() else { panic!("a string") };
            prop_assert_eq!(text.to_vec(), bytes);
            prop_assert_eq!(payload.next_part(), Ok(None));
        }

        #[test]
        fn any_payload_is_survived(mut payload in prop::collection::vec(any::<u8>(), 0..60)) {
            // A zero checksum lets the value's parser see the rest.
            payload.extend_from_slice(&[10, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            let _ = restore(&payload);
        }
    }
}
