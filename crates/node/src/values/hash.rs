//! Hashes in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack};
use crate::sha::Digest;
use tanist_keyspace::Policy;
use tanist_keyspace::collections::Hash;
use tanist_rdb::{Encoder, Part, RdbVersion, TypeCode};

pub(super) fn kind(_: &Hash, _: RdbVersion) -> TypeCode {
    TypeCode::HASH_LISTPACK
}

pub(super) fn encode(value: &Hash, _: TypeCode, to: &mut Encoder<'_>) {
    to.bytes(value.pack().as_bytes());
}

pub(super) fn push(value: &mut Hash, kind: TypeCode, part: Part<'_>, _: &Policy) -> Result<(), Malformed> {
    match (kind, part) {
        (TypeCode::HASH_LISTPACK, Part::Blob(bytes)) => {
            *value = Hash::from(pack(bytes)?);
            Ok(())
        }
        _ => Err(UNEXPECTED),
    }
}

pub(super) fn mix(digest: &mut Digest, hash: &Hash) {
    let mut digits = itoa::Buffer::new();
    for (field, value) in hash.pack().pairs() {
        let mut one = Digest::default();
        one.mix(field.as_bytes(&mut digits));
        one.mix(value.as_bytes(&mut digits));
        digest.xor(&one.0);
    }
}
