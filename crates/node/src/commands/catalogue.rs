//! `COMMAND`: the table of commands, told to clients and proxies.

use super::reply_help;
use crate::command::{Action, Command, Flags, Group, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::keys::{self, FoundKey};
use tanist_resp::{Args, Reply};
use tanist_text::acl::CATEGORIES;
use tanist_text::glob;

/// The categories of a command: those that follow from its flags and its group, and its own.
pub(crate) fn categories(command: &Command) -> Vec<&'static str> {
    let f = command.flags;
    let implied = [
        ("write", f.has(Flags::WRITE)),
        // Nobody can tell what a script reads.
        ("read", f.has(Flags::READONLY) && command.group != Group::Scripting),
        ("admin", f.has(Flags::ADMIN)),
        ("pubsub", f.has(Flags::PUBSUB)),
        ("fast", f.has(Flags::FAST)),
        ("slow", !f.has(Flags::FAST)),
        ("blocking", f.has(Flags::BLOCKING)),
        ("dangerous", f.has(Flags::ADMIN)),
    ];
    let of_group = match command.group {
        // A container does nothing by itself.
        _ if matches!(command.action, Action::Container(_)) => "",
        Group::String => "string",
        Group::List => "list",
        Group::Set => "set",
        Group::Hash => "hash",
        Group::SortedSet => "sortedset",
        Group::Stream => "stream",
        Group::Bitmap => "bitmap",
        Group::Hyperloglog => "hyperloglog",
        Group::Geo => "geo",
        Group::Transactions => "transaction",
        Group::Connection => "connection",
        Group::Scripting => "scripting",
        Group::Generic | Group::Pubsub | Group::Server | Group::Cluster => "",
    };
    let has =
        |name: &&str| implied.contains(&(*name, true)) || command.acl.contains(name) || *name == of_group;
    CATEGORIES.into_iter().filter(has).collect()
}

/// Whether a command is in a category.
pub(crate) fn in_category(command: &Command, category: &str) -> bool {
    categories(command).contains(&category)
}

/// `COMMAND`: every command.
pub(crate) fn command(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let all: Vec<&Command> = ctx.node.table.top_level().map(|(_, c)| c).collect();
    let mut reply = ctx.reply();
    reply.array(all.len());
    for command in all {
        describe(&mut reply, command);
    }
    Ok(())
}

/// `COMMAND COUNT`
pub(crate) fn count(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let count = ctx.node.table.top_level().count();
    ctx.reply().int(count as i64);
    Ok(())
}

/// `COMMAND INFO [command ...]`
pub(crate) fn info(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len() == 2 {
        return command(ctx, args);
    }
    let found: Vec<Option<&Command>> = args.iter().skip(2).map(|name| by_full_name(ctx, name)).collect();
    let mut reply = ctx.reply();
    reply.array(found.len());
    for command in found {
        match command {
            Some(command) => describe(&mut reply, command),
            None => reply.null(),
        }
    }
    Ok(())
}

/// A command by `name` or `container|name`.
pub(crate) fn by_full_name(ctx: &Ctx<'_>, name: &[u8]) -> Option<&'static Command> {
    let table = &ctx.node.table;
    let mut parts = name.splitn(2, |&b| b == b'|');
    let top = table.find(parts.next()?)?;
    let index = match parts.next() {
        Some(sub) => table.find_sub(top, sub)?,
        None => top,
    };
    Some(table.get(index))
}

/// Writes the ten fields of `COMMAND INFO`.
fn describe(reply: &mut Reply<'_>, command: &Command) {
    reply.array(10);
    reply.bulk_str(command.full_name);
    reply.int(i64::from(command.arity));
    let flags: Vec<&str> = Flags::NAMED
        .iter()
        .filter(|(flag, name)| command.flags.has(*flag) && !name.is_empty())
        .map(|(_, name)| *name)
        .collect();
    words(reply, &flags, "");
    let (first, last, step) = keys::legacy_range(command);
    reply.int(first);
    reply.int(last);
    reply.int(step);
    words(reply, &categories(command), "@");
    reply.set(command.tips.len());
    for tip in command.tips {
        reply.bulk_str(tip);
    }
    reply.set(command.keys.len());
    for spec in command.keys {
        describe_keys(reply, spec);
    }
    let subs = subcommands(command);
    reply.array(subs.len());
    for sub in subs {
        describe(reply, sub);
    }
}

/// The subcommands of a container; none of any other.
pub(crate) fn subcommands(command: &Command) -> &'static [Command] {
    match command.action {
        Action::Run(_) => &[],
        Action::Container(subs) | Action::RunOrContainer(_, subs) => subs,
    }
}

fn words(reply: &mut Reply<'_>, words: &[&str], prefix: &str) {
    reply.set(words.len());
    for word in words {
        reply.simple(&format!("{prefix}{word}"));
    }
}

fn access_name(access: KeyAccess) -> &'static str {
    match access {
        KeyAccess::Read => "RO",
        KeyAccess::ReadWrite => "RW",
        KeyAccess::Overwrite => "OW",
        KeyAccess::Remove => "RM",
        KeyAccess::Channel => "not_key",
    }
}

fn describe_keys(reply: &mut Reply<'_>, spec: &KeySpec) {
    reply.map(3 + usize::from(!spec.notes.is_empty()));
    if !spec.notes.is_empty() {
        reply.bulk(b"notes");
        reply.bulk_str(spec.notes);
    }
    reply.bulk(b"flags");
    let flags: Vec<&str> =
        std::iter::once(access_name(spec.access)).chain(spec.flags.iter().copied()).collect();
    words(reply, &flags, "");
    reply.bulk(b"begin_search");
    describe_begin(reply, spec.begin);
    reply.bulk(b"find_keys");
    describe_find(reply, spec.find);
}

fn describe_begin(reply: &mut Reply<'_>, begin: KeyBegin) {
    let kind = match begin {
        KeyBegin::Index(_) => "index",
        KeyBegin::Keyword(..) => "keyword",
        KeyBegin::Unknown => "unknown",
    };
    type_and_spec(reply, kind);
    match begin {
        KeyBegin::Index(index) => numbers(reply, &[("index", index as i64)]),
        KeyBegin::Keyword(word, from) => {
            reply.map(2);
            reply.bulk(b"keyword");
            reply.bulk_str(word);
            reply.bulk(b"startfrom");
            reply.int(from as i64);
        }
        KeyBegin::Unknown => reply.map(0),
    }
}

fn describe_find(reply: &mut Reply<'_>, find: KeyFind) {
    let kind = match find {
        KeyFind::Range { .. } => "range",
        KeyFind::Count { .. } => "keynum",
        KeyFind::Unknown => "unknown",
    };
    type_and_spec(reply, kind);
    match find {
        KeyFind::Range { last, step, limit } => {
            numbers(reply, &[("lastkey", last as i64), ("keystep", step as i64), ("limit", limit as i64)]);
        }
        KeyFind::Count { count, first, step } => {
            numbers(
                reply,
                &[("keynumidx", count as i64), ("firstkey", first as i64), ("keystep", step as i64)],
            );
        }
        KeyFind::Unknown => reply.map(0),
    }
}

fn type_and_spec(reply: &mut Reply<'_>, kind: &str) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk_str(kind);
    reply.bulk(b"spec");
}

fn numbers(reply: &mut Reply<'_>, pairs: &[(&str, i64)]) {
    reply.map(pairs.len());
    for (name, n) in pairs {
        reply.bulk_str(name);
        reply.int(*n);
    }
}

/// `COMMAND LIST [FILTERBY (MODULE name | ACLCAT category | PATTERN pattern)]`
pub(crate) fn list(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let names: Vec<&str> = match (args.len(), args.get(2), args.get(3), args.get(4)) {
        (2, ..) => ctx.node.table.all().map(|(_, c)| c.full_name).collect(),
        (5, Some(word), Some(by), Some(what)) if word.eq_ignore_ascii_case(b"filterby") => {
            filtered(ctx, by, what)?
        }
        _ => return Err(Error::SYNTAX),
    };
    let mut reply = ctx.reply();
    reply.array(names.len());
    for name in names {
        reply.bulk_str(name);
    }
    Ok(())
}

fn filtered(ctx: &Ctx<'_>, by: &[u8], what: &[u8]) -> Result<Vec<&'static str>, Error> {
    let all = ctx.node.table.all().map(|(_, c)| c);
    Ok(match by.to_ascii_lowercase().as_slice() {
        b"module" => Vec::new(),
        b"aclcat" => {
            let category = String::from_utf8_lossy(what).to_ascii_lowercase();
            all.filter(|c| in_category(c, &category)).map(|c| c.full_name).collect()
        }
        b"pattern" => {
            let matches = |c: &&Command| glob::matches_with(what, c.full_name.as_bytes(), true);
            all.filter(matches).map(|c| c.full_name).collect()
        }
        _ => return Err(Error::SYNTAX),
    })
}

/// `COMMAND GETKEYS command [argument ...]`
pub(crate) fn getkeys(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let found = keys_of(ctx, args.skip(2))?;
    let mut reply = ctx.reply();
    reply.array(found.len());
    for key in found {
        reply.bulk(args.at(key.index + 2));
    }
    Ok(())
}

/// `COMMAND GETKEYSANDFLAGS command [argument ...]`
pub(crate) fn getkeysandflags(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let found = keys_of(ctx, args.skip(2))?;
    let mut reply = ctx.reply();
    reply.array(found.len());
    for key in found {
        reply.array(2);
        reply.bulk(args.at(key.index + 2));
        let flags: Vec<&str> =
            std::iter::once(access_name(key.access)).chain(key.flags.iter().copied()).collect();
        words(&mut reply, &flags, "");
    }
    Ok(())
}

fn keys_of(ctx: &Ctx<'_>, args: Args<'_, '_>) -> Result<Vec<FoundKey>, Error> {
    let table = &ctx.node.table;
    let invalid = Error::fixed("ERR Invalid command specified");
    let mut index = table.find(args.at(0)).ok_or(invalid.clone())?;
    if let Action::Container(_) = table.get(index).action
        && let Some(sub) = args.get(1)
    {
        index = table.find_sub(index, sub).ok_or(invalid)?;
    }
    let command = table.get(index);
    if command.keys.iter().all(|spec| spec.access == KeyAccess::Channel) {
        return Err(Error::fixed("ERR The command has no key arguments"));
    }
    if !command.accepts(args.len()) {
        return Err(Error::fixed("ERR Invalid number of arguments specified for command"));
    }
    match keys::find(command, args) {
        Some(found) if !found.is_empty() => Ok(found),
        // It may well have none.
        _ if command.flags.has(Flags::NO_MANDATORY_KEYS) => Ok(Vec::new()),
        _ => Err(Error::fixed("ERR Invalid arguments specified for command")),
    }
}

/// `COMMAND HELP`
pub(crate) fn help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "COMMAND",
        &[
            ("(no subcommand)", "Describe all commands."),
            ("COUNT", "Tell how many commands there are."),
            ("DOCS [<command> ...]", "Document commands, all without arguments."),
            ("GETKEYS <command> [<argument> ...]", "Find the keys among the arguments of a command."),
            (
                "GETKEYSANDFLAGS <command> [<argument> ...]",
                "Find the keys among the arguments of a command, with what is done to them.",
            ),
            ("INFO [<command> ...]", "Describe commands, all without arguments."),
            (
                "LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
                "List the names of commands.",
            ),
        ],
    )
}
