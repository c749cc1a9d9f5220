//! The server as a whole: time, monitoring, modules, and a picture.

use super::{parse_int, reply_help};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::output::LogLevel;
use crate::session::SessionId;
use tanist_resp::Args;

/// `TIME`
pub(crate) fn time(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let us = ctx.now.wall_us;
    let mut reply = ctx.reply();
    reply.array(2);
    reply.bulk_int(us.div_euclid(1_000_000));
    reply.bulk_int(us.rem_euclid(1_000_000));
    Ok(())
}

/// `MONITOR`
pub(crate) fn monitor(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    if ctx.in_transaction {
        return Err(Error::not_in_multi(ctx.command.full_name));
    }
    let id: SessionId = ctx.session.id;
    if !ctx.session.monitor {
        ctx.session.monitor = true;
        ctx.node.monitors.push(id);
    }
    ctx.reply().ok();
    Ok(())
}

/// `LOLWUT [VERSION version] [columns rows seed]`: a maze, different for every seed, and the version.
pub(crate) fn lolwut(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let rest = match args.get(1) {
        Some(word) if word.eq_ignore_ascii_case(b"version") => {
            parse_int(args.get(2).ok_or(Error::SYNTAX)?)?;
            args.skip(3)
        }
        _ => args.skip(1),
    };
    let number = |i: usize, default: i64, most: i64| match rest.get(i) {
        Some(text) => parse_int(text).map(|n| n.clamp(1, most)),
        None => Ok(default),
    };
    let (columns, rows) = (number(0, 60, 200)?, number(1, 12, 100)?);
    let mut rng = match rest.get(2) {
        Some(seed) => tanist_types::Rng::from_seed(parse_int(seed)? as u64),
        None => tanist_types::Rng::from_seed(ctx.node.rng.next_u64()),
    };
    let mut text = String::new();
    for _ in 0..rows {
        text.extend((0..columns).map(|_| if rng.chance(1, 2) { '╱' } else { '╲' }));
        text.push('\n');
    }
    text.push_str(&format!(
        "\nTanist {} speaking Redis {}\n",
        env!("CARGO_PKG_VERSION"),
        crate::REDIS_VERSION
    ));
    ctx.reply().verbatim(*b"txt", text.as_bytes());
    Ok(())
}

/// `MODULE LIST`: there are none.
pub(crate) fn module_list(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    ctx.reply().array(0);
    Ok(())
}

/// `MODULE LOAD path [arg ...]`, `MODULE LOADEX path ...`
pub(crate) fn module_load(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let path = String::from_utf8_lossy(args.at(2)).into_owned();
    ctx.log(LogLevel::Warning, format!("Module {path} is not loaded: this version has no modules"));
    Err(Error::fixed("ERR Error loading the extension. Please check the server logs."))
}

/// `MODULE UNLOAD name`
pub(crate) fn module_unload(_ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    Err(Error::fixed("ERR Error unloading module: no such module with that name"))
}

/// `MODULE HELP`
pub(crate) fn module_help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "MODULE",
        &[
            ("LIST", "List the loaded modules; this server loads none."),
            ("LOAD <path> [<arg> ...]", "Load a module, which fails here."),
            (
                "LOADEX <path> [CONFIG <name> <value>] [ARGS <arg> ...]",
                "Load a module with directives, which fails here.",
            ),
            ("UNLOAD <name>", "Unload a module, which fails here."),
        ],
    )
}
