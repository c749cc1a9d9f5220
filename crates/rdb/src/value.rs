//! Values as they stand in a snapshot.

use crate::version::RdbVersion;
use std::fmt;

/// A string value: bytes, or a number that was stored as a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Str<'a> {
    /// Any bytes.
    Bytes(&'a [u8]),
    /// The decimal form of this number.
    Int(i64),
}

impl Str<'_> {
    /// The bytes that a client sees.
    #[must_use]
    pub fn to_vec(self) -> Vec<u8> {
        match self {
            Str::Bytes(b) => b.to_vec(),
            Str::Int(n) => itoa::Buffer::new().format(n).as_bytes().to_vec(),
        }
    }
}

/// The code of a value's type and encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TypeCode(pub u8);

impl TypeCode {
    /// A plain string.
    pub const STRING: TypeCode = TypeCode(0);
    /// A list, element by element.
    pub const LIST: TypeCode = TypeCode(1);
    /// A set, member by member.
    pub const SET: TypeCode = TypeCode(2);
    /// A sorted set with scores as text.
    pub const ZSET: TypeCode = TypeCode(3);
    /// A hash, field by field.
    pub const HASH: TypeCode = TypeCode(4);
    /// A sorted set with scores as eight bytes.
    pub const ZSET_2: TypeCode = TypeCode(5);
    /// A hash as a zipmap.
    pub const HASH_ZIPMAP: TypeCode = TypeCode(9);
    /// A list as a ziplist.
    pub const LIST_ZIPLIST: TypeCode = TypeCode(10);
    /// A set as an intset.
    pub const SET_INTSET: TypeCode = TypeCode(11);
    /// A sorted set as a ziplist.
    pub const ZSET_ZIPLIST: TypeCode = TypeCode(12);
    /// A hash as a ziplist.
    pub const HASH_ZIPLIST: TypeCode = TypeCode(13);
    /// A list of ziplists.
    pub const LIST_QUICKLIST: TypeCode = TypeCode(14);
    /// A stream.
    pub const STREAM_LISTPACKS: TypeCode = TypeCode(15);
    /// A hash as a listpack.
    pub const HASH_LISTPACK: TypeCode = TypeCode(16);
    /// A sorted set as a listpack.
    pub const ZSET_LISTPACK: TypeCode = TypeCode(17);
    /// A list of listpacks and plain elements.
    pub const LIST_QUICKLIST_2: TypeCode = TypeCode(18);
    /// A stream with its first and largest deleted identifiers.
    pub const STREAM_LISTPACKS_2: TypeCode = TypeCode(19);
    /// A set as a listpack (since version 11).
    pub const SET_LISTPACK: TypeCode = TypeCode(20);
    /// A stream whose consumers have an active time (since version 11).
    pub const STREAM_LISTPACKS_3: TypeCode = TypeCode(21);
    /// A hash, field by field, each with its expiry (Valkey 9).
    pub const HASH_EXPIRING: TypeCode = TypeCode(22);
    /// A hash, field by field, each with its time after the earliest expiry (Redis 7.4 and 8).
    pub const HASH_METADATA: TypeCode = TypeCode(24);
    /// A hash as a listpack of fields, values and expiries (Redis 7.4 and 8).
    pub const HASH_LISTPACK_EX: TypeCode = TypeCode(25);

    /// The oldest version whose readers know the type.
    #[must_use]
    pub const fn since(self) -> RdbVersion {
        match self.0 {
            20 | 21 => RdbVersion::V11,
            22 => RdbVersion::VALKEY80,
            23..=25 => RdbVersion::V12,
            _ => RdbVersion::V10,
        }
    }

    /// The type's name, `None` for codes that no version known here assigns.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "string",
            1 => "list",
            2 => "set",
            3 => "zset",
            4 => "hash",
            5 => "zset (binary scores)",
            6 => "module (pre-release)",
            7 => "module",
            9 => "hash (zipmap)",
            10 => "list (ziplist)",
            11 => "set (intset)",
            12 => "zset (ziplist)",
            13 => "hash (ziplist)",
            14 => "list (quicklist)",
            15 => "stream (listpacks)",
            16 => "hash (listpack)",
            17 => "zset (listpack)",
            18 => "list (quicklist 2)",
            19 => "stream (listpacks 2)",
            20 => "set (listpack)",
            21 => "stream (listpacks 3)",
            22 => "hash (field expiry)",
            23 => "hash (listpack, field expiry, pre-release)",
            24 => "hash (field expiry, metadata)",
            25 => "hash (listpack, field expiry)",
            _ => return None,
        })
    }
}

impl fmt::Display for TypeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or("unknown"))
    }
}
