//! The layout of an entry by its kind, and the forms that values are stored in. See [`super`].

use crate::object::Object;
use crate::value::{Encoding, StrValue, of_len};
use tanist_collections::class;

/// The longest string kept in the entry's own allocation.
pub(crate) const LONGEST_SHORT: usize = 2048;
/// The longest key: the wire's limit on an argument is far below.
pub(super) const LONGEST_KEY: usize = u32::MAX as usize;

pub(super) const REPR: u8 = 0b00_1111;
pub(super) const INT: u8 = 0;
pub(super) const EMBSTR: u8 = 1;
pub(super) const SHORT: u8 = 2;
pub(super) const LONG: u8 = 3;
pub(crate) const LIST: u8 = 4;
pub(crate) const SET: u8 = 5;
pub(crate) const HASH: u8 = 6;
pub(crate) const SORTED_SET: u8 = 7;
pub(crate) const STREAM: u8 = 8;
pub(super) const HAS_EXPIRY: u8 = 0b01_0000;
/// The key's length has four bytes. Set for every collection, whose word is aligned by that.
pub(super) const WIDE: u8 = 0b10_0000;
pub(super) const KINDS: usize = 64;

/// Where the key begins, by kind.
pub(super) const KEY_AT: [u8; KINDS] = key_offsets();

const fn key_offsets() -> [u8; KINDS] {
    let mut at = [0; KINDS];
    let mut kind = 0;
    while kind < KINDS {
        at[kind] = expiry_at(kind as u8) as u8 + if kind as u8 & HAS_EXPIRY != 0 { 8 } else { 0 };
        kind += 1;
    }
    at
}

pub(super) const fn field_at(kind: u8) -> usize {
    if kind & WIDE != 0 { 8 } else { 5 }
}

pub(super) const fn expiry_at(kind: u8) -> usize {
    field_at(kind)
        + match kind & REPR {
            INT => 8,
            EMBSTR | SHORT => 2,
            LONG => 24,
            // The word of a collection.
            _ => 8,
        }
}

/// The form that a value is stored in.
#[derive(Debug)]
pub(crate) enum Form<'a> {
    Int(i64),
    /// A string set as a whole.
    Whole(&'a [u8]),
    /// A string that was modified: `raw` however short.
    Modified(&'a [u8]),
    /// A long string in its own allocation.
    Long(Vec<u8>),
    /// A collection.
    Object(Object),
}

impl<'a> Form<'a> {
    /// The form of a value handed in, by Redis' rule.
    #[inline]
    pub(crate) fn of(value: StrValue<'a>) -> Form<'a> {
        match value.encoded() {
            StrValue::Int(n) => Form::Int(n),
            StrValue::Bytes(bytes) | StrValue::Text(bytes) => Form::Whole(bytes),
            StrValue::Made(bytes) => Form::Modified(bytes),
        }
    }

    #[inline]
    pub(super) fn repr(&self) -> u8 {
        match self {
            Form::Int(_) => INT,
            Form::Whole(bytes) if bytes.len() > LONGEST_SHORT => LONG,
            Form::Whole(bytes) if of_len(bytes.len()) == Encoding::Embstr => EMBSTR,
            Form::Modified(bytes) if bytes.len() > LONGEST_SHORT => LONG,
            Form::Whole(_) | Form::Modified(_) => SHORT,
            Form::Long(_) => LONG,
            Form::Object(object) => repr_of(object),
        }
    }

    #[inline]
    pub(super) fn short_len(&self) -> usize {
        match self {
            Form::Whole(bytes) | Form::Modified(bytes) if bytes.len() <= LONGEST_SHORT => bytes.len(),
            _ => 0,
        }
    }
}

pub(super) const fn repr_of(object: &Object) -> u8 {
    match object {
        Object::List(_) => LIST,
        Object::Set(_) => SET,
        Object::Hash(_) => HASH,
        Object::SortedSet(_) => SORTED_SET,
        Object::Stream(_) => STREAM,
    }
}

/// The kind bits that a form asks for besides those of the key and the expiry.
#[inline]
pub(super) fn kind_of(form: &Form<'_>) -> u8 {
    let repr = form.repr();
    repr | if is_object(repr) { WIDE } else { 0 }
}

/// Whether the representation is a collection's.
#[inline]
pub(super) const fn is_object(kind: u8) -> bool {
    kind & REPR >= LIST
}

/// A copy of `bytes` in a vector that fills its size class.
pub(super) fn long(bytes: &[u8]) -> Vec<u8> {
    let mut vec = Vec::with_capacity(class(bytes.len()));
    vec.extend_from_slice(bytes);
    vec
}

const _: () = assert!(usize::BITS == 64, "an entry's address shares a word with a 16-bit tag");
const _: () = assert!(LONGEST_SHORT <= u16::MAX as usize);
