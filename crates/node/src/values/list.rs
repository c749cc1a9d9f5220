//! Lists in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack, ziplist};
use crate::sha::Digest;
use tanist_keyspace::Policy;
use tanist_keyspace::collections::{List, ListNode};
use tanist_rdb::{Encoder, Part, Str, TypeCode};

/// Marks a node that is one large element.
const PLAIN: u64 = 1;
/// Marks a node that is a listpack.
const PACKED: u64 = 2;

pub(super) fn kind(_: &List) -> TypeCode {
    TypeCode::LIST_QUICKLIST_2
}

pub(super) fn encode(list: &List, to: &mut Encoder<'_>) {
    let nodes = list.nodes();
    to.number(nodes.len() as u64);
    nodes.for_each(|node| put(node, to));
}

/// A node.
pub(super) fn put(node: ListNode<'_>, to: &mut Encoder<'_>) {
    match node {
        ListNode::Packed(pack) => {
            to.number(PACKED);
            to.bytes(pack.as_bytes());
        }
        ListNode::Plain(element) => {
            to.number(PLAIN);
            to.bytes(element);
        }
    }
}

pub(super) fn push(
    list: &mut List,
    kind: TypeCode,
    part: Part<'_>,
    policy: &Policy,
) -> Result<(), Malformed> {
    match (kind, part) {
        (TypeCode::LIST_QUICKLIST_2, Part::Blob(bytes)) => list.append_pack(pack(bytes)?, policy),
        (TypeCode::LIST_QUICKLIST_2, Part::Element(element)) => {
            with_text(element, |text| list.append_plain(text))
        }
        (TypeCode::LIST, Part::Element(element)) => with_text(element, |text| list.append(text, policy)),
        (TypeCode::LIST_ZIPLIST | TypeCode::LIST_QUICKLIST, Part::Blob(bytes)) => {
            list.append_pack(ziplist::to_pack(bytes)?, policy);
        }
        _ => return Err(UNEXPECTED),
    }
    Ok(())
}

fn with_text(element: Str<'_>, f: impl FnOnce(&[u8])) {
    match element {
        Str::Bytes(bytes) => f(bytes),
        Str::Int(n) => f(itoa::Buffer::new().format(n).as_bytes()),
    }
}

pub(super) fn mix(digest: &mut Digest, list: &List) {
    let mut digits = itoa::Buffer::new();
    for element in list.iter() {
        digest.mix(element.as_bytes(&mut digits));
    }
}
