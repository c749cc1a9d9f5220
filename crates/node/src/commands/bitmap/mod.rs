//! Strings as arrays of bits. Bit 0 is the highest bit of the first byte.

mod bits;
mod count;
mod field;
mod operation;

pub(crate) use bits::{getbit, setbit};
pub(crate) use count::{bitcount, bitpos};
pub(crate) use field::{bitfield, bitfield_ro};
pub(crate) use operation::bitop;

use crate::commands::string::str_of;
use crate::context::Ctx;
use crate::error::Error;
use tanist_keyspace::{Encoding, Expiry, KeyHash, StrValue};
use tanist_resp::number::parse_i64;

const BAD_OFFSET: Error = Error::fixed("ERR bit offset is not an integer or out of range");

/// The number of a bit that a string may have; `#n` stands for the n-th group of `width` bits, where that is allowed.
fn parse_offset(ctx: &Ctx<'_>, text: &[u8], width: Option<u32>) -> Result<usize, Error> {
    let (factor, digits) = match (text, width) {
        ([b'#', rest @ ..], Some(width)) => (i64::from(width), rest),
        _ => (1, text),
    };
    let n = parse_i64(digits).and_then(|n| n.checked_mul(factor)).filter(|n| *n >= 0).ok_or(BAD_OFFSET)?;
    if (n as u64) >> 3 >= ctx.node.config.proto_max_bulk_len {
        return Err(BAD_OFFSET);
    }
    usize::try_from(n).map_err(|_| BAD_OFFSET)
}

/// Makes a string that a command was to write to `raw`, as in Redis, where it has turned out that nothing changes.
fn make_raw(ctx: &mut Ctx<'_>, key: &[u8], hash: KeyHash) -> Result<(), Error> {
    let found = ctx.node.find_live(ctx.session.db, key, hash, ctx.judged());
    let Some(entry) = found.filter(|entry| entry.encoding() != Encoding::Raw) else { return Ok(()) };
    let mut digits = itoa::Buffer::new();
    let text = str_of(entry)?.as_bytes(&mut digits).to_vec();
    ctx.db_mut().set(key, hash, StrValue::Made(&text), Expiry::Keep);
    Ok(())
}
