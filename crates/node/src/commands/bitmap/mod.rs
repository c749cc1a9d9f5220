//! Strings as arrays of bits. Bit 0 is the highest bit of the first byte.

mod bits;
mod count;
mod field;
mod operation;

pub(crate) use bits::{getbit, setbit};
pub(crate) use count::{bitcount, bitpos};
pub(crate) use field::{bitfield, bitfield_ro};
pub(crate) use operation::bitop;

use crate::context::Ctx;
use crate::error::Error;
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
