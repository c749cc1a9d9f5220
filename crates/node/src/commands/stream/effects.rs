//! What is logged of groups: who has which entry, how far a group has read, and which consumers there are. These are
//! commands that come to the same end however often they are carried out.

use super::IdText;
use crate::context::Ctx;
use tanist_keyspace::collections::StreamId;

/// An entry that was handed to a consumer, or was found to be gone from the stream.
pub(super) struct Claim {
    pub(super) id: StreamId,
    /// The consumer that it belongs to, unless that is the one the command speaks of.
    pub(super) owner: Option<Box<[u8]>>,
    /// When it was handed out, in milliseconds since 1970.
    pub(super) at: u64,
    /// How often.
    pub(super) count: u64,
    /// The last entry that the group had been handed then.
    pub(super) last: StreamId,
}

/// Logs `XCLAIM` for each of these entries of a key, a group and a consumer.
pub(super) fn log_claims(ctx: &mut Ctx<'_>, (key, group, consumer): (&[u8], &[u8], &[u8]), claims: &[Claim]) {
    for claim in claims {
        let (mut at, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
        ctx.effect(&[
            b"XCLAIM",
            key,
            group,
            claim.owner.as_deref().unwrap_or(consumer),
            b"0",
            IdText::new(claim.id).as_bytes(),
            b"TIME",
            at.format(claim.at).as_bytes(),
            b"RETRYCOUNT",
            count.format(claim.count).as_bytes(),
            b"FORCE",
            b"JUSTID",
            b"LASTID",
            IdText::new(claim.last).as_bytes(),
        ]);
    }
}

/// Logs how far a group has read: up to which entry, and how many, if that is known.
pub(super) fn log_group(ctx: &mut Ctx<'_>, key: &[u8], group: &[u8], (last, read): (StreamId, Option<u64>)) {
    let (last, mut digits) = (IdText::new(last), itoa::Buffer::new());
    let read = read.map_or("-1", |read| digits.format(read));
    ctx.effect(&[b"XGROUP", b"SETID", key, group, last.as_bytes(), b"ENTRIESREAD", read.as_bytes()]);
}

/// Logs that a group has a new consumer.
pub(super) fn log_consumer(ctx: &mut Ctx<'_>, key: &[u8], group: &[u8], consumer: &[u8]) {
    ctx.effect(&[b"XGROUP", b"CREATECONSUMER", key, group, consumer]);
}
