//! `COMMAND DOCS`: what each command is for and how it is written. `redis-cli` makes its hints from it.

use super::catalogue::{by_full_name, subcommands};
use crate::command::{Arg, Command};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::table::history;
use tanist_resp::{Args, Reply};

/// `COMMAND DOCS [command ...]`
pub(crate) fn docs(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let wanted: Vec<&Command> = if args.len() == 2 {
        ctx.node.table.top_level().map(|(_, c)| c).collect()
    } else {
        args.iter().skip(2).filter_map(|name| by_full_name(ctx, name)).collect()
    };
    let mut reply = ctx.reply();
    reply.map(wanted.len());
    for command in wanted {
        document(&mut reply, command);
    }
    Ok(())
}

fn document(reply: &mut Reply<'_>, command: &Command) {
    reply.bulk_str(command.full_name);
    let mark = reply.deferred();
    let mut fields = 3;
    text(reply, "summary", command.summary);
    text(reply, "since", command.since);
    text(reply, "group", command.group.name());
    if !command.complexity.is_empty() {
        fields += 1;
        text(reply, "complexity", command.complexity);
    }
    fields += past(reply, command.full_name);
    if !command.args.is_empty() {
        fields += 1;
        reply.bulk(b"arguments");
        arguments(reply, command.args);
    }
    let subs = subcommands(command);
    if !subs.is_empty() {
        fields += 1;
        reply.bulk(b"subcommands");
        reply.map(subs.len());
        for sub in subs {
            document(reply, sub);
        }
    }
    reply.finish_map(mark, fields);
}

/// What has become of the command since it was added; says how many fields that took.
fn past(reply: &mut Reply<'_>, full_name: &str) -> usize {
    let mut fields = 0;
    let events = history::history(full_name);
    if !events.is_empty() {
        fields += 1;
        reply.bulk(b"history");
        reply.set(events.len());
        for (version, what) in events {
            reply.array(2);
            reply.bulk_str(version);
            reply.bulk_str(what);
        }
    }
    let replaced = history::replaced(full_name);
    if replaced.is_some() || history::is_for_servers(full_name) {
        fields += 1;
        reply.bulk(b"doc_flags");
        reply.set(1);
        reply.simple(if replaced.is_some() { "deprecated" } else { "syscmd" });
    }
    if let Some((since, by)) = replaced {
        fields += 2;
        text(reply, "deprecated_since", since);
        text(reply, "replaced_by", by);
    }
    fields
}

fn text(reply: &mut Reply<'_>, name: &str, value: &str) {
    reply.bulk_str(name);
    reply.bulk_str(value);
}

fn arguments(reply: &mut Reply<'_>, args: &[Arg]) {
    reply.array(args.len());
    for arg in args {
        argument(reply, arg);
    }
}

fn argument(reply: &mut Reply<'_>, arg: &Arg) {
    let mark = reply.deferred();
    let mut fields = 2;
    text(reply, "name", arg.name);
    text(reply, "type", arg.kind);
    if arg.parts.is_empty() {
        fields += 1;
        text(reply, "display_text", arg.shown.unwrap_or(arg.name));
    }
    if let Some(spec) = arg.key_spec {
        fields += 1;
        reply.bulk(b"key_spec_index");
        reply.int(spec as i64);
    }
    for (name, value) in [("token", arg.token), ("since", arg.since), ("deprecated_since", arg.deprecated)] {
        if let Some(value) = value {
            fields += 1;
            text(reply, name, value);
        }
    }
    let flags =
        [(arg.optional, "optional"), (arg.multiple, "multiple"), (arg.multiple_token, "multiple_token")];
    let set: Vec<&str> = flags.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
    if !set.is_empty() {
        fields += 1;
        reply.bulk(b"flags");
        reply.set(set.len());
        for flag in set {
            reply.simple(flag);
        }
    }
    if !arg.parts.is_empty() {
        fields += 1;
        reply.bulk(b"arguments");
        arguments(reply, arg.parts);
    }
    reply.finish_map(mark, fields);
}
