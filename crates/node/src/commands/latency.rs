//! `LATENCY`: spikes by event, and the distribution of commands' times.

use super::reply_help;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::latency::{Event, Spike};
use std::fmt::Write;
use tanist_resp::{Args, Reply};

/// `LATENCY LATEST`: name, time of the latest spike, its and the worst one's milliseconds, then sum and number.
pub(crate) fn latest(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let mut reply = Reply::new(ctx.out, ctx.session.proto);
    let events = &ctx.node.latency.events;
    reply.array(events.len());
    for (name, event) in events {
        let last = event.spikes.back().copied().unwrap_or(Spike { at: 0, millis: 0 });
        reply.array(6);
        reply.bulk_str(name);
        reply.int(last.at);
        reply.int(last.millis as i64);
        reply.int(event.worst as i64);
        reply.int(event.spikes.iter().map(|s| s.millis as i64).sum());
        reply.int(event.spikes.len() as i64);
    }
    Ok(())
}

/// `LATENCY HISTORY event`
pub(crate) fn history(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut reply = Reply::new(ctx.out, ctx.session.proto);
    let empty = Event::default();
    let name = String::from_utf8_lossy(args.at(2));
    let event = ctx.node.latency.events.get(&*name).unwrap_or(&empty);
    reply.array(event.spikes.len());
    for spike in &event.spikes {
        reply.array(2);
        reply.int(spike.at);
        reply.int(spike.millis as i64);
    }
    Ok(())
}

/// `LATENCY RESET [event ...]`: how many events were forgotten.
pub(crate) fn reset(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let events = &mut ctx.node.latency.events;
    let before = events.len();
    if args.len() == 2 {
        events.clear();
    }
    for name in args.iter().skip(2) {
        events.remove(&*String::from_utf8_lossy(name));
    }
    let forgotten = before - events.len();
    ctx.reply().int(forgotten as i64);
    Ok(())
}

/// `LATENCY HISTOGRAM [command ...]`; a container stands for its subcommands.
pub(crate) fn histogram(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let node = &*ctx.node;
    let asked: Vec<String> =
        args.iter().skip(2).map(|a| String::from_utf8_lossy(a).to_ascii_lowercase()).collect();
    let wanted = |name: &str| {
        let of_container =
            |a: &String| name.strip_prefix(a.as_str()).is_some_and(|rest| rest.starts_with('|'));
        asked.is_empty() || asked.iter().any(|a| a == name || of_container(a))
    };
    let mut reply = Reply::new(ctx.out, ctx.session.proto);
    let mark = reply.deferred();
    let mut count = 0;
    for (index, command) in node.table.all().filter(|(_, c)| wanted(c.full_name)) {
        let Some(times) = node.stats.histogram(index) else { continue };
        count += 1;
        reply.bulk_str(command.full_name);
        reply.map(2);
        reply.bulk(b"calls");
        reply.int(times.total() as i64);
        reply.bulk(b"histogram_usec");
        let pairs = times.cumulative();
        reply.map(pairs.len());
        for (bound, calls) in pairs {
            reply.int(bound as i64);
            reply.int(calls as i64);
        }
    }
    reply.finish_map(mark, count);
    Ok(())
}

/// `LATENCY DOCTOR`
pub(crate) fn doctor(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let text = diagnosis(ctx);
    ctx.reply().verbatim(*b"txt", text.as_bytes());
    Ok(())
}

fn diagnosis(ctx: &Ctx<'_>) -> String {
    let threshold = ctx.node.config.latency_monitor_threshold;
    let events = &ctx.node.latency.events;
    if threshold == 0 && events.is_empty() {
        return "The latency monitor is off. Turn it on with CONFIG SET latency-monitor-threshold <milliseconds>.\n"
            .to_owned();
    }
    if events.is_empty() {
        return format!("No event has taken {threshold} ms or more since the start or the last reset.\n");
    }
    let mut text = String::from("Events that took long:\n\n");
    for (name, event) in events {
        let count = event.spikes.len() as u64;
        let mean = event.spikes.iter().map(|s| s.millis).sum::<u64>() / count.max(1);
        let _ =
            writeln!(text, "- {name}: {count} spikes, {mean} ms on average, {} ms at worst.", event.worst);
        text.push_str(advice(name));
    }
    text
}

fn advice(event: &str) -> &'static str {
    match event {
        "command" => "  A command was slow by itself: see SLOWLOG GET, and prefer SCAN to KEYS.\n",
        "fast-command" => {
            "  A command of constant time was slow: the machine was busy, swapped, or its memory is shared.\n"
        }
        _ => "",
    }
}

/// `LATENCY GRAPH event`: the latest spikes as bars, the newest on the right.
pub(crate) fn graph(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let name = String::from_utf8_lossy(args.at(2)).into_owned();
    let Some(event) = ctx.node.latency.events.get(&*name) else {
        return Err(Error::new(format!("ERR No samples available for event '{name}'")));
    };
    let text = bars(&name, event, ctx.now.wall().secs());
    ctx.reply().verbatim(*b"txt", text.as_bytes());
    Ok(())
}

const WIDTH: usize = 80;
const HEIGHT: u64 = 4;

fn bars(name: &str, event: &Event, now: i64) -> String {
    let shown: Vec<Spike> = event.spikes.iter().rev().take(WIDTH).rev().copied().collect();
    let high = shown.iter().map(|s| s.millis).max().unwrap_or(0);
    let low = shown.iter().map(|s| s.millis).min().unwrap_or(0);
    let mut text = format!("{name} - high {high} ms, low {low} ms (all time high {} ms)\n", event.worst);
    text.push_str(&"-".repeat(WIDTH));
    text.push('\n');
    for row in (1..=HEIGHT).rev() {
        let bar = |s: &Spike| if s.millis * HEIGHT >= high * row { '#' } else { ' ' };
        text.extend(shown.iter().map(bar));
        text.push('\n');
    }
    if let (Some(first), Some(last)) = (shown.first(), shown.last()) {
        let _ = writeln!(text, "\nfrom {} s ago to {} s ago", now - first.at, now - last.at);
    }
    text
}

/// `LATENCY HELP`
pub(crate) fn help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "LATENCY",
        &[
            ("DOCTOR", "Explain the spikes seen."),
            ("GRAPH <event>", "Draw the latest spikes of an event."),
            ("HISTOGRAM [<command> ...]", "Give the distribution of commands' times, cumulative."),
            ("HISTORY <event>", "Give the spikes of an event with their times."),
            ("LATEST", "Give the latest and the worst spike of every event."),
            ("RESET [<event> ...]", "Forget the spikes of events, of all without arguments."),
        ],
    )
}
