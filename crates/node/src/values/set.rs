//! Sets in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack};
use crate::sha::Digest;
use tanist_keyspace::collections::{IntSet, Set, SetForm, Value};
use tanist_keyspace::{Collection, Policy};
use tanist_rdb::{Encoder, Part, RdbVersion, Str, TypeCode};

pub(super) fn kind(set: &Set, version: RdbVersion) -> TypeCode {
    match set.form() {
        SetForm::Ints(_) => TypeCode::SET_INTSET,
        SetForm::Pack(_) if version >= TypeCode::SET_LISTPACK.since() => TypeCode::SET_LISTPACK,
        SetForm::Pack(_) | SetForm::Table => TypeCode::SET,
    }
}

pub(super) fn encode(set: &Set, kind: TypeCode, to: &mut Encoder<'_>) {
    match (kind, set.form()) {
        (TypeCode::SET_INTSET, SetForm::Ints(ints)) => to.bytes(ints.as_bytes()),
        (TypeCode::SET_LISTPACK, SetForm::Pack(pack)) => to.bytes(pack.as_bytes()),
        _ => {
            to.number(set.len() as u64);
            set.for_each(&mut |member| to.string(super::str_of(member)));
        }
    }
}

pub(super) fn push(set: &mut Set, kind: TypeCode, part: Part<'_>, policy: &Policy) -> Result<(), Malformed> {
    const TWICE: Malformed = Malformed("a member that is there twice");
    match (kind, part) {
        (TypeCode::SET_INTSET, Part::Blob(bytes)) => {
            *set = Set::from_ints(IntSet::from_bytes(bytes).map_err(|_| Malformed("a bad intset"))?, policy);
            Ok(())
        }
        (TypeCode::SET_LISTPACK, Part::Blob(bytes)) => {
            *set = Set::from_pack(pack(bytes)?, policy).map_err(|_| TWICE)?;
            Ok(())
        }
        (TypeCode::SET, Part::Element(member)) => {
            if set.is_empty() {
                *set = Set::ints();
            }
            let mut digits = itoa::Buffer::new();
            let member = match member {
                Str::Bytes(bytes) => bytes,
                Str::Int(n) => digits.format(n).as_bytes(),
            };
            if set.insert(member, policy) { Ok(()) } else { Err(TWICE) }
        }
        _ => Err(UNEXPECTED),
    }
}

pub(super) fn mix(digest: &mut Digest, set: &Set) {
    let mut digits = itoa::Buffer::new();
    set.for_each(&mut |member: Value<'_>| digest.xor(member.as_bytes(&mut digits)));
}
