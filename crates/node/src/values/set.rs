//! Sets in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack};
use crate::sha::Digest;
use tanist_keyspace::Policy;
use tanist_keyspace::collections::Set;
use tanist_rdb::{Encoder, Part, RdbVersion, TypeCode};

pub(super) fn kind(_: &Set, _: RdbVersion) -> TypeCode {
    TypeCode::SET_LISTPACK
}

pub(super) fn encode(value: &Set, _: TypeCode, to: &mut Encoder<'_>) {
    to.bytes(value.pack().as_bytes());
}

pub(super) fn push(value: &mut Set, kind: TypeCode, part: Part<'_>, _: &Policy) -> Result<(), Malformed> {
    match (kind, part) {
        (TypeCode::SET_LISTPACK, Part::Blob(bytes)) => {
            *value = Set::from(pack(bytes)?);
            Ok(())
        }
        _ => Err(UNEXPECTED),
    }
}

pub(super) fn mix(digest: &mut Digest, set: &Set) {
    let mut digits = itoa::Buffer::new();
    for member in set.pack().iter() {
        digest.xor(member.as_bytes(&mut digits));
    }
}
