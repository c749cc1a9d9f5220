//! The RDB snapshot format: bytes in, bytes out.
//!
//! [`Writer`] turns entries into a snapshot, [`Reader`] turns the bytes of a snapshot, in whatever pieces they
//! arrive, back into [`Item`]s. [`dump`] and [`Payload`] write and read the payloads of `DUMP` and
//! `RESTORE`, which are one value with a version and a checksum.
//!
//! Invariants:
//! - Foreign bytes never cause a panic, and no allocation is sized by a length that has only been declared: memory
//!   grows with the bytes that have really arrived (LZF: by the most that the compressed bytes present can expand to).
//! - A reader that has failed stays failed; it never resumes in the middle of something.
//! - A number is written in the same form that Redis writes it in, so that equal strings have equal bytes.
//!
//! Source: the format as Redis 7.0 to 8.0 and Valkey 9.1 write it (`rdb.h` names the opcodes), seen on the wire.

#![forbid(unsafe_code)]

mod crc;
mod cursor;
mod dump;
mod encoder;
mod error;
mod functions;
mod length;
mod lzf;
mod old;
mod parts;
mod reader;
mod stream;
mod string;
mod value;
mod version;
mod writer;

pub use crc::Crc64;
pub use dump::{Payload, dump};
pub use encoder::Encoder;
pub use error::RdbError;
pub use functions::{dump_functions, restore_functions};
pub use lzf::Compressor;
pub use old::{BadEncoding, Ziplist, Zipmap};
pub use parts::Part;
pub use reader::{Item, Limits, Reader};
pub use stream::{StreamInfo, StreamPast};
pub use value::{Str, TypeCode};
pub use version::RdbVersion;
pub use writer::{Aux, Writer};

/// The one-byte codes that introduce everything which is not a value.
mod opcode {
    pub(crate) const SLOT_INFO: u8 = 0xf4;
    pub(crate) const FUNCTION2: u8 = 0xf5;
    pub(crate) const FUNCTION_PRE_GA: u8 = 0xf6;
    pub(crate) const MODULE_AUX: u8 = 0xf7;
    pub(crate) const IDLE: u8 = 0xf8;
    pub(crate) const FREQ: u8 = 0xf9;
    pub(crate) const AUX: u8 = 0xfa;
    pub(crate) const RESIZE_DB: u8 = 0xfb;
    pub(crate) const EXPIRE_MS: u8 = 0xfc;
    pub(crate) const EXPIRE_SECS: u8 = 0xfd;
    pub(crate) const SELECT_DB: u8 = 0xfe;
    pub(crate) const EOF: u8 = 0xff;
}
