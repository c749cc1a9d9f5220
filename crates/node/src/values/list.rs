//! Lists in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack};
use crate::sha::Digest;
use tanist_keyspace::Policy;
use tanist_keyspace::collections::List;
use tanist_rdb::{Encoder, Part, TypeCode};

/// Marks a node that is a listpack.
const PACKED: u64 = 2;

pub(super) fn kind(_: &List) -> TypeCode {
    TypeCode::LIST_QUICKLIST_2
}

pub(super) fn encode(list: &List, to: &mut Encoder<'_>) {
    to.number(1);
    to.number(PACKED);
    to.bytes(list.pack().as_bytes());
}

pub(super) fn push(list: &mut List, kind: TypeCode, part: Part<'_>, _: &Policy) -> Result<(), Malformed> {
    match (kind, part) {
        (TypeCode::LIST_QUICKLIST_2, Part::Blob(bytes)) => {
            *list = List::from(pack(bytes)?);
            Ok(())
        }
        _ => Err(UNEXPECTED),
    }
}

pub(super) fn mix(digest: &mut Digest, list: &List) {
    let mut digits = itoa::Buffer::new();
    for element in list.pack().iter() {
        digest.mix(element.as_bytes(&mut digits));
    }
}
