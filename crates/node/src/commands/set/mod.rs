//! Sets.

mod algebra;
mod many;
mod pop;
mod read;

pub(crate) use algebra::{sdiff, sdiffstore, sinter, sintercard, sinterstore, sunion, sunionstore};
pub(crate) use many::{sadd, smove, srem};
pub(crate) use pop::{spop, srandmember};
pub(crate) use read::{scard, sismember, smembers, smismember, sscan};

use crate::error::Error;
use tanist_keyspace::collections::Value;
use tanist_resp::{Args, Reply, number};

/// Writes an element as a bulk string.
#[inline]
pub(crate) fn reply_value(reply: &mut Reply<'_>, value: Value<'_>) {
    match value {
        Value::Int(n) => reply.bulk_int(n),
        Value::Str(bytes) => reply.bulk(bytes),
    }
}

/// How many elements are to be picked: so many, or so many that may repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Picks {
    /// Different ones, at most so many.
    Distinct(usize),
    /// Exactly so many, each picked anew.
    Repeating(u64),
}

impl Picks {
    /// The number that argument `i` tells, for a reply that may reach so far (see
    /// [`crate::context::Ctx::reply_bound`]); a negative one lets picks repeat.
    ///
    /// # Errors
    /// When it is no integer, the least of all, which has no counterpart, or more than may repeat.
    pub(crate) fn parse(args: Args<'_, '_>, i: usize, bound: usize) -> Result<Picks, Error> {
        const RANGE: Error = Error::fixed(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        );
        match number::parse_i64(args.at(i)).ok_or(Error::NOT_AN_INTEGER)? {
            i64::MIN => Err(RANGE),
            n @ 0.. => Ok(Picks::Distinct(n as usize)),
            n => Picks::check_repeating(n.unsigned_abs(), bound).map(|()| Picks::Repeating(n.unsigned_abs())),
        }
    }

    /// Whether so many picks may repeat. What is picked does not bound them, and the whole reply is made before any of it
    /// leaves: without a bound of its own it would be of several hundred megabytes at least.
    ///
    /// # Errors
    /// When they are more.
    pub(crate) fn check_repeating(count: u64, bound: usize) -> Result<(), Error> {
        const MOST: u64 = 1 << 26;
        if count > MOST && bound == usize::MAX { Err(Error::OUT_OF_RANGE) } else { Ok(()) }
    }
}
