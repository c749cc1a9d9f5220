//! `FUNCTION`: libraries of functions.

use super::{flush_mode, kill};
use crate::commands::{quoted, reply_help};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::{Args, Reply};
use tanist_scripting::{Library, Purpose};

/// `FUNCTION LOAD [REPLACE] code`
pub(crate) fn load(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut replace = false;
    for word in args.iter().skip(2).take(args.len() - 3) {
        if !word.eq_ignore_ascii_case(b"replace") {
            return Err(Error::new(format!("ERR Unknown option given: {}", quoted(word))));
        }
        replace = true;
    }
    let loaded = ctx.node.scripting.libraries.load(args.at(args.len() - 1), replace);
    ctx.node.log_lines_of_libraries(ctx.outs);
    let name = loaded.map_err(Error::new)?;
    ctx.node.dirty += 1;
    ctx.reply().bulk(&name);
    Ok(())
}

/// `FUNCTION DELETE library`
pub(crate) fn delete(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if !ctx.node.scripting.libraries.remove(args.at(2)) {
        return Err(Error::new("ERR Library not found"));
    }
    ctx.node.dirty += 1;
    ctx.reply().ok();
    Ok(())
}

/// `FUNCTION FLUSH [SYNC | ASYNC]`
pub(crate) fn flush(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len() > 3 {
        return Err(super::wrong_subcommand("FUNCTION", args.at(1)));
    }
    flush_mode(args.get(2), false, "ERR FUNCTION FLUSH only supports SYNC|ASYNC option")?;
    ctx.node.scripting.libraries.flush();
    ctx.node.dirty += 1;
    ctx.reply().ok();
    Ok(())
}

/// `FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE]`
pub(crate) fn list(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (mut pattern, mut with_code, mut i) = (None, false, 2);
    while let Some(word) = args.get(i) {
        if !with_code && word.eq_ignore_ascii_case(b"withcode") {
            with_code = true;
        } else if pattern.is_none() && word.eq_ignore_ascii_case(b"libraryname") {
            i += 1;
            let Some(given) = args.get(i) else {
                return Err(Error::new("ERR library name argument was not given"));
            };
            pattern = Some(given);
        } else {
            return Err(Error::new(format!("ERR Unknown argument {}", quoted(word))));
        }
        i += 1;
    }
    let listed = |library: &&Library| pattern.is_none_or(|p| tanist_text::glob::matches(p, &library.name));
    let mut reply = Reply::new(ctx.out, ctx.session.proto);
    reply.array(ctx.node.scripting.libraries.iter().filter(listed).count());
    for library in ctx.node.scripting.libraries.iter().filter(listed) {
        describe(&mut reply, library, with_code);
    }
    Ok(())
}

fn describe(reply: &mut Reply<'_>, library: &Library, with_code: bool) {
    reply.map(if with_code { 4 } else { 3 });
    reply.bulk(b"library_name");
    reply.bulk(&library.name);
    reply.bulk(b"engine");
    reply.bulk(b"LUA");
    reply.bulk(b"functions");
    reply.array(library.functions.len());
    for f in &library.functions {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(&f.name);
        reply.bulk(b"description");
        match &f.description {
            Some(text) => reply.bulk(text),
            None => reply.null(),
        }
        reply.bulk(b"flags");
        reply.set(f.flags.names().count());
        f.flags.names().for_each(|name| reply.simple(name));
    }
    if with_code {
        reply.bulk(b"library_code");
        reply.bulk(&library.code);
    }
}

/// `FUNCTION STATS`
pub(crate) fn stats(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let suspended = ctx.node.suspended_script();
    if let Some(script) = suspended.filter(|s| s.script.purpose == Purpose::Scripts) {
        return Err(script.busy_error());
    }
    let (libraries, functions) = ctx.node.scripting.libraries.count();
    let mut reply = Reply::new(ctx.out, ctx.session.proto);
    reply.map(2);
    reply.bulk(b"running_script");
    match ctx.node.suspended_script() {
        None => reply.null(),
        Some(suspended) => {
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk_str(&suspended.name);
            reply.bulk(b"command");
            reply.array(suspended.words.len());
            suspended.words.iter().for_each(|word| reply.bulk(word));
            reply.bulk(b"duration_ms");
            reply.int(suspended.running_for(ctx.now).as_millis() as i64);
        }
    }
    reply.bulk(b"engines");
    reply.map(1);
    reply.bulk(b"LUA");
    reply.map(2);
    reply.bulk(b"libraries_count");
    reply.int(libraries as i64);
    reply.bulk(b"functions_count");
    reply.int(functions as i64);
    Ok(())
}

/// `FUNCTION KILL`
pub(crate) fn kill_function(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    kill(ctx, Purpose::Functions)
}

/// `FUNCTION HELP`
pub(crate) fn help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "FUNCTION",
        &[
            ("LOAD [REPLACE] <FUNCTION CODE>", "Add a library, whose name is in the first line of its code."),
            ("DELETE <LIBRARY NAME>", "Remove a library."),
            ("LIST [LIBRARYNAME PATTERN] [WITHCODE]", "Describe the libraries and their functions."),
            ("STATS", "Tell which function is running, and how many there are."),
            ("KILL", "End the function that is running, if it has not written anything."),
            ("FLUSH [ASYNC|SYNC]", "Remove all libraries."),
            ("DUMP", "Give all libraries as a payload for RESTORE."),
            (
                "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
                "Add the libraries of a payload, or put them in the place of others.",
            ),
        ],
    )
}
