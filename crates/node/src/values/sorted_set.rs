//! Sorted sets in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack};
use crate::sha::Digest;
use tanist_keyspace::Policy;
use tanist_keyspace::collections::SortedSet;
use tanist_rdb::{Encoder, Part, TypeCode};

pub(super) fn kind(_: &SortedSet) -> TypeCode {
    TypeCode::ZSET_LISTPACK
}

pub(super) fn encode(value: &SortedSet, to: &mut Encoder<'_>) {
    to.bytes(value.pack().as_bytes());
}

pub(super) fn push(
    value: &mut SortedSet,
    kind: TypeCode,
    part: Part<'_>,
    _: &Policy,
) -> Result<(), Malformed> {
    match (kind, part) {
        (TypeCode::ZSET_LISTPACK, Part::Blob(bytes)) => {
            *value = SortedSet::from(pack(bytes)?);
            Ok(())
        }
        _ => Err(UNEXPECTED),
    }
}

pub(super) fn mix(digest: &mut Digest, set: &SortedSet) {
    let mut digits = itoa::Buffer::new();
    for (member, score) in set.pack().pairs() {
        let mut one = Digest::default();
        one.mix(member.as_bytes(&mut digits));
        one.mix(score.as_bytes(&mut digits));
        digest.xor(&one.0);
    }
}
