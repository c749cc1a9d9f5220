//! Hashes in snapshots, payloads and digests.
//!
//! Expiries of fields are written only where the reader is known to take Valkey's form of them. Other readers get the
//! fields without: our log removes from a replica what expires.

use super::{Malformed, UNEXPECTED, pack, str_of};
use crate::sha::Digest;
use tanist_keyspace::collections::{FieldExpiry, Hash, HashForm, NEVER, Pair, Value, Was};
use tanist_keyspace::{Collection, Policy};
use tanist_rdb::{Encoder, Part, RdbVersion, Str, TypeCode, Ziplist, Zipmap};
use tanist_types::UnixMs;

pub(super) fn kind(hash: &Hash, version: RdbVersion) -> TypeCode {
    match hash.form() {
        HashForm::Pack(_) => TypeCode::HASH_LISTPACK,
        HashForm::Table => table_kind(hash.expiring() > 0, version),
    }
}

/// [`kind`] of a hash in a table, of which some fields expire or none.
pub(super) fn table_kind(expiring: bool, version: RdbVersion) -> TypeCode {
    if expiring && version == TypeCode::HASH_EXPIRING.since() {
        TypeCode::HASH_EXPIRING
    } else {
        TypeCode::HASH
    }
}

pub(super) fn encode(hash: &Hash, kind: TypeCode, to: &mut Encoder<'_>) {
    if let (TypeCode::HASH_LISTPACK, HashForm::Pack(pack)) = (kind, hash.form()) {
        return to.bytes(pack.as_bytes());
    }
    to.number(hash.len() as u64);
    hash.for_each(&mut |pair| put(pair, kind, to));
}

/// A field of a hash in a table.
pub(super) fn put(pair: Pair<'_>, kind: TypeCode, to: &mut Encoder<'_>) {
    to.string(str_of(pair.field));
    to.string(str_of(pair.value));
    if kind == TypeCode::HASH_EXPIRING {
        to.raw(&pair.expiry.map_or(-1, |at| at.0).to_le_bytes());
    }
}

const TWICE: Malformed = Malformed("a field that is there twice, or has no value");

const OLD: Malformed = Malformed("a bad ziplist or zipmap");

pub(super) fn push(
    hash: &mut Hash,
    kind: TypeCode,
    part: Part<'_>,
    policy: &Policy,
) -> Result<(), Malformed> {
    match (kind, part) {
        (TypeCode::HASH_LISTPACK, Part::Blob(bytes)) => {
            *hash = Hash::from_pack(pack(bytes)?, policy).map_err(|_| TWICE)?;
            Ok(())
        }
        (TypeCode::HASH_LISTPACK_EX, Part::Blob(bytes)) => push_triples(hash, bytes, policy),
        (TypeCode::HASH_ZIPLIST, Part::Blob(bytes)) => {
            let mut elements = Ziplist::new(bytes).map_err(|_| OLD)?;
            while let Some(field) = elements.next() {
                let value = elements.next().ok_or(TWICE)?;
                add(hash, field.map_err(|_| OLD)?, value.map_err(|_| OLD)?, None, policy)?;
            }
            Ok(())
        }
        (TypeCode::HASH_ZIPMAP, Part::Blob(bytes)) => {
            for pair in Zipmap::new(bytes).map_err(|_| OLD)? {
                let (field, value) = pair.map_err(|_| OLD)?;
                add(hash, field, value, None, policy)?;
            }
            Ok(())
        }
        (TypeCode::HASH, Part::Pair(field, value)) => add(hash, field, value, None, policy),
        (TypeCode::HASH_EXPIRING | TypeCode::HASH_METADATA, Part::Expiring(field, value, expiry)) => {
            add(hash, field, value, expiry, policy)
        }
        _ => Err(UNEXPECTED),
    }
}

/// A field, its value and its expiry in turn, of which zero is none.
fn push_triples(hash: &mut Hash, bytes: &[u8], policy: &Policy) -> Result<(), Malformed> {
    let pack = pack(bytes)?;
    let mut elements = pack.iter();
    while let Some(field) = elements.next() {
        let (value, expiry) = elements.next().zip(elements.next()).ok_or(TWICE)?;
        let expiry = match expiry {
            Value::Int(0) => None,
            Value::Int(at @ 1..) => Some(UnixMs(at)),
            _ => return Err(Malformed("a bad expiry of a field")),
        };
        add(hash, str_of(field), str_of(value), expiry, policy)?;
    }
    Ok(())
}

fn add(
    hash: &mut Hash,
    field: Str<'_>,
    value: Str<'_>,
    expiry: Option<UnixMs>,
    policy: &Policy,
) -> Result<(), Malformed> {
    let mut digits = [itoa::Buffer::new(), itoa::Buffer::new()];
    let [of_field, of_value] = &mut digits;
    let (field, value) = (text(field, of_field), text(value, of_value));
    let expiry = expiry.map_or(FieldExpiry::Keep, FieldExpiry::At);
    if hash.set(field, value, expiry, NEVER, policy) == Was::New { Ok(()) } else { Err(TWICE) }
}

fn text<'t>(text: Str<'t>, digits: &'t mut itoa::Buffer) -> &'t [u8] {
    match text {
        Str::Bytes(bytes) => bytes,
        Str::Int(n) => digits.format(n).as_bytes(),
    }
}

pub(super) fn mix(digest: &mut Digest, hash: &Hash) {
    let mut digits = itoa::Buffer::new();
    hash.for_each(&mut |pair| {
        let mut one = Digest::default();
        one.mix(pair.field.as_bytes(&mut digits));
        one.mix(pair.value.as_bytes(&mut digits));
        digest.xor(&one.0);
    });
}
