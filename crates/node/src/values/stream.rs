//! Streams in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack};
use crate::sha::Digest;
use tanist_keyspace::Policy;
use tanist_keyspace::collections::Stream;
use tanist_rdb::{Encoder, Part, RdbVersion, TypeCode};

pub(super) fn kind(_: &Stream, _: RdbVersion) -> TypeCode {
    TypeCode::STREAM_LISTPACKS_3
}

pub(super) fn encode(value: &Stream, _: TypeCode, to: &mut Encoder<'_>) {
    to.bytes(value.pack().as_bytes());
}

pub(super) fn push(value: &mut Stream, kind: TypeCode, part: Part<'_>, _: &Policy) -> Result<(), Malformed> {
    match (kind, part) {
        (TypeCode::STREAM_LISTPACKS_3, Part::Blob(bytes)) => {
            *value = Stream::from(pack(bytes)?);
            Ok(())
        }
        _ => Err(UNEXPECTED),
    }
}

pub(super) fn mix(digest: &mut Digest, stream: &Stream) {
    digest.mix(stream.pack().as_bytes());
}
