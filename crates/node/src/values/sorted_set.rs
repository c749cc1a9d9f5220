//! Sorted sets in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack, str_of, ziplist};
use crate::sha::Digest;
use tanist_keyspace::Policy;
use tanist_keyspace::collections::{Collection, SortedSet, Value};
use tanist_rdb::{Encoder, Part, Str, TypeCode};
use tanist_text::double::seventeen_digits;

pub(super) fn kind(set: &SortedSet) -> TypeCode {
    if set.pack().is_some() { TypeCode::ZSET_LISTPACK } else { TypeCode::ZSET_2 }
}

pub(super) fn encode(set: &SortedSet, to: &mut Encoder<'_>) {
    if let Some(pack) = set.pack() {
        return to.bytes(pack.as_bytes());
    }
    to.number(set.len() as u64);
    // From the highest to the lowest, as Redis does: who inserts into a skip list finds each place at once.
    set.walk(set.len() - 1, true, &mut |member, score| {
        put(member.value(), score, to);
        true
    });
}

/// A member with its score, in whatever order.
pub(super) fn put(member: Value<'_>, score: f64, to: &mut Encoder<'_>) {
    to.string(str_of(member));
    to.double(score);
}

pub(super) fn push(
    set: &mut SortedSet,
    kind: TypeCode,
    part: Part<'_>,
    policy: &Policy,
) -> Result<(), Malformed> {
    match (kind, part) {
        (TypeCode::ZSET_LISTPACK | TypeCode::ZSET_ZIPLIST, Part::Blob(bytes)) => {
            let pairs = if kind == TypeCode::ZSET_ZIPLIST { ziplist::to_pack(bytes)? } else { pack(bytes)? };
            *set = SortedSet::from_foreign(&pairs, policy).ok_or(Malformed("a bad sorted set"))?;
        }
        (TypeCode::ZSET | TypeCode::ZSET_2, Part::Scored(member, score)) => {
            let old = match member {
                Str::Bytes(bytes) => set.set(bytes, score, policy),
                Str::Int(n) => set.set(itoa::Buffer::new().format(n).as_bytes(), score, policy),
            };
            if old.is_some() {
                return Err(Malformed("a member twice"));
            }
        }
        _ => return Err(UNEXPECTED),
    }
    Ok(())
}

pub(super) fn mix(digest: &mut Digest, set: &SortedSet) {
    let mut digits = itoa::Buffer::new();
    set.walk(0, false, &mut |member, score| {
        let mut one = Digest::default();
        one.mix(member.value().as_bytes(&mut digits));
        one.mix(seventeen_digits(score).as_bytes());
        digest.xor(&one.0);
        true
    });
}
