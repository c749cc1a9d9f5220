//! `ACL LOG`: what was refused lately.

use super::usage;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::Outcome;
use tanist_resp::{Args, Reply};

/// So many entries are shown unless somebody asks for more.
const SHOWN: usize = 10;

/// `ACL LOG [count | RESET]`
pub(crate) fn log(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let count = match args.get(2) {
        _ if args.len() > 3 => return Err(usage(args)),
        Some(word) if word.eq_ignore_ascii_case(b"reset") => {
            ctx.node.denials.entries.clear();
            ctx.reply().ok();
            return Ok(());
        }
        Some(count) => usize::try_from(parse_int(count)?).unwrap_or(0),
        None => SHOWN,
    };
    let now = ctx.wall();
    let entries = &ctx.node.denials.entries;
    let mut reply = Reply::new(ctx.out, ctx.session.proto);
    reply.array(count.min(entries.len()));
    for entry in entries.iter().take(count) {
        reply.map(10);
        reply.bulk(b"count");
        reply.int(entry.count as i64);
        reply.bulk(b"reason");
        reply.bulk_str(entry.refusal.reason.name());
        reply.bulk(b"context");
        reply.bulk_str(entry.refusal.context.name());
        reply.bulk(b"object");
        reply.bulk(&entry.refusal.object);
        reply.bulk(b"username");
        reply.bulk(&entry.refusal.user);
        reply.bulk(b"age-seconds");
        reply.double((now.0 - entry.updated.0) as f64 / 1000.0);
        reply.bulk(b"client-info");
        reply.bulk_str(&entry.client);
        reply.bulk(b"entry-id");
        reply.int(entry.id as i64);
        reply.bulk(b"timestamp-created");
        reply.int(entry.created.0);
        reply.bulk(b"timestamp-last-updated");
        reply.int(entry.updated.0);
    }
    Ok(())
}
