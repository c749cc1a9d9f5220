//! How fields and values are answered.

use tanist_keyspace::Collection;
use tanist_keyspace::collections::{Hash, Pair};
use tanist_resp::{Deferred, Reply};
use tanist_types::UnixMs;

pub(super) use crate::commands::set::reply_value as reply_text;

/// Writes the value of a field, or null if there is none.
#[inline]
pub(super) fn reply_value(reply: &mut Reply<'_>, pair: Option<Pair<'_>>) {
    match pair {
        Some(pair) => reply_text(reply, pair.value),
        None => reply.null(),
    }
}

/// Answers with all fields that are not past their time: `head` writes the length where it is known beforehand, `finish`
/// where it is not.
pub(super) fn reply_all<'r>(
    reply: &mut Reply<'r>,
    hash: Option<&Hash>,
    now: UnixMs,
    head: fn(&mut Reply<'r>, usize),
    finish: fn(&mut Reply<'r>, Deferred, usize),
    mut write: impl FnMut(&mut Reply<'r>, Pair<'_>),
) {
    let Some(hash) = hash else { return head(reply, 0) };
    if hash.expiring() == 0 {
        head(reply, hash.len());
        return hash.for_each(&mut |pair| write(reply, pair));
    }
    let (mark, mut count) = (reply.deferred(), 0);
    hash.for_each(&mut |pair| {
        if pair.is_live(now) {
            write(reply, pair);
            count += 1;
        }
    });
    finish(reply, mark, count);
}
