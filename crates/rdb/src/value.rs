//! Values as they stand in a snapshot.

use std::fmt;

/// A value of an entry.
///
/// Strings are the only kind so far; the other types get their variants here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A string.
    Str(Str<'a>),
}

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
