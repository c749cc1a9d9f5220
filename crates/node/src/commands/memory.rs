//! `MEMORY`: how much is used, and for what.

use super::info::{Figures, keys, ratio};
use super::{parse_int, reply_help};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;

/// `MEMORY USAGE key [SAMPLES count]`; strings need no sampling.
pub(crate) fn usage(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut i = 3;
    while i < args.len() {
        let count = args.get(i + 1).filter(|_| args.at(i).eq_ignore_ascii_case(b"samples"));
        if parse_int(count.ok_or(Error::SYNTAX)?)? < 0 {
            return Err(Error::SYNTAX);
        }
        i += 2;
    }
    let key = args.at(2);
    let hash = ctx.node.data.hash(key);
    let now = ctx.judged();
    let found = ctx.node.find_live(ctx.session.db, key, hash, now).map(|e| e.memory_usage());
    match found {
        Some(bytes) => ctx.reply().int(bytes as i64),
        None => ctx.reply().null(),
    }
    Ok(())
}

/// One figure of `MEMORY STATS`.
enum Figure {
    Int(i64),
    Real(f64),
}

/// `MEMORY STATS`
pub(crate) fn stats(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let figures = figures(ctx);
    let mut reply = ctx.reply();
    reply.map(figures.len());
    for (name, figure) in figures {
        reply.bulk_str(name);
        match figure {
            Figure::Int(n) => reply.int(n),
            Figure::Real(x) => reply.double(x),
        }
    }
    Ok(())
}

fn figures(ctx: &Ctx<'_>) -> Vec<(&'static str, Figure)> {
    let node = &*ctx.node;
    let m = Figures::of(node, ctx.session);
    let (rss, a) = (node.host.rss, &node.host.allocator);
    let keys = keys(node);
    let int = |n: u64| Figure::Int(n as i64);
    let less = |part: u64, whole: u64| Figure::Int(part as i64 - whole as i64);
    vec![
        ("peak.allocated", int(m.peak)),
        ("total.allocated", int(m.used)),
        ("startup.allocated", int(m.startup)),
        ("replication.backlog", int(super::info::backlog_memory(node))),
        ("replicas.repl.buffer", int(node.repl.replicas.held())),
        ("clients.slaves", int(m.replicas)),
        ("clients.normal", int(m.clients)),
        ("cluster.links", int(0)),
        ("cluster.slot_import", int(0)),
        ("cluster.slot_export", int(0)),
        ("aof.buffer", int(0)),
        ("lua.caches", int(0)),
        ("functions.caches", int(0)),
        ("overhead.total", int(m.overhead)),
        ("db.dict.rehashing.count", int(0)),
        ("keys.count", int(keys)),
        ("keys.bytes-per-key", int(m.used.saturating_sub(m.startup).checked_div(keys).unwrap_or(0))),
        ("dataset.bytes", int(m.dataset)),
        ("dataset.percentage", Figure::Real(m.dataset_percent())),
        ("peak.percentage", Figure::Real(m.peak_percent())),
        ("allocator.allocated", int(a.allocated)),
        ("allocator.active", int(a.active)),
        ("allocator.resident", int(a.resident)),
        ("allocator.muzzy", int(a.muzzy)),
        ("allocator-fragmentation.ratio", Figure::Real(ratio(a.active, a.allocated))),
        ("allocator-fragmentation.bytes", less(a.active, a.allocated)),
        ("allocator-rss.ratio", Figure::Real(ratio(a.resident, a.active))),
        ("allocator-rss.bytes", less(a.resident, a.active)),
        ("rss-overhead.ratio", Figure::Real(ratio(rss, a.resident))),
        ("rss-overhead.bytes", less(rss, a.resident)),
        ("fragmentation", Figure::Real(ratio(rss, m.used))),
        ("fragmentation.bytes", less(rss, m.used)),
    ]
}

/// `MEMORY DOCTOR`: what is out of the ordinary.
pub(crate) fn doctor(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let text = diagnosis(ctx);
    ctx.reply().verbatim(*b"txt", text.as_bytes());
    Ok(())
}

fn diagnosis(ctx: &Ctx<'_>) -> String {
    const LITTLE: u64 = 5 << 20;
    let node = &*ctx.node;
    let m = Figures::of(node, ctx.session);
    if m.used < LITTLE {
        return "There is too little data in memory for a diagnosis.\n".to_owned();
    }
    let mut found = Vec::new();
    if m.peak as f64 > m.used as f64 * 1.5 {
        found.push(
            "- The peak lies far above what is used now, so the process may hold more than it needs.\n",
        );
    }
    if ratio(node.host.rss, m.used) > 1.4 {
        found.push("- The process holds far more than the data need: memory is fragmented.\n");
    }
    if m.clients / node.sessions.len().max(1) as u64 > 200 << 10 {
        found.push("- Clients keep large buffers: long requests are pending.\n");
    }
    if found.is_empty() {
        return "Nothing out of the ordinary.\n".to_owned();
    }
    format!("Out of the ordinary:\n\n{}", found.concat())
}

/// `MEMORY PURGE`: the allocator gives unused memory back by itself within seconds, so there is nothing to hasten.
pub(crate) fn purge(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    ctx.reply().ok();
    Ok(())
}

/// `MEMORY MALLOC-STATS`
pub(crate) fn malloc_stats(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let a = &ctx.node.host.allocator;
    let text = format!(
        "{}: allocated {}, active {}, resident {}, muzzy {}\n",
        a.name, a.allocated, a.active, a.resident, a.muzzy
    );
    ctx.reply().verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// `MEMORY HELP`
pub(crate) fn help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "MEMORY",
        &[
            ("DOCTOR", "Judge the use of memory."),
            ("MALLOC-STATS", "Give the allocator's own figures."),
            ("PURGE", "Does nothing: the allocator gives memory back by itself."),
            ("STATS", "Give figures about the use of memory."),
            ("USAGE <key> [SAMPLES <count>]", "Tell how many bytes a key and its value take."),
        ],
    )
}
