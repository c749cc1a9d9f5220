//! What can be wrong with a snapshot or a `RESTORE` payload, and where.

use crate::value::TypeCode;

/// Why a snapshot was refused. `at` is the byte offset in the stream where the offending part begins.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RdbError {
    /// The stream does not begin like a snapshot.
    #[error("not an RDB snapshot: it begins with {0:?}")]
    BadMagic(String),
    /// A snapshot of a version that this build cannot read.
    #[error("RDB version {0} is not supported (readable: REDIS 1 to 12 and VALKEY 80)")]
    Version(String),
    /// A value of a known type that this build does not hold.
    #[error("unsupported type {kind} (code {}) at byte {at}", kind.0)]
    UnsupportedType {
        /// The type.
        kind: TypeCode,
        /// Where its value begins.
        at: u64,
    },
    /// A code that no known version assigns, or one of a feature that does not exist here.
    #[error("unknown opcode or type {code} at byte {at}")]
    UnknownCode {
        /// The code found.
        code: u8,
        /// Where it was found.
        at: u64,
    },
    /// A malformed part.
    #[error("corrupt snapshot at byte {at}: {what}")]
    Corrupt {
        /// What was wrong.
        what: &'static str,
        /// Where the part begins.
        at: u64,
    },
    /// A declared length beyond the limit.
    #[error("{what} of {len} bytes at byte {at} is over the limit of {limit}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// Its declared length in bytes.
        len: u64,
        /// The limit in bytes.
        limit: u64,
        /// Where the part begins.
        at: u64,
    },
    /// The stored checksum does not agree with the bytes.
    #[error("checksum mismatch: stored {stored:016x}, computed {computed:016x}")]
    Checksum {
        /// What the snapshot says.
        stored: u64,
        /// What its bytes give.
        computed: u64,
    },
    /// The input ended in the middle of the snapshot.
    #[error("the snapshot ends early, after {0} bytes")]
    Truncated(u64),
}
