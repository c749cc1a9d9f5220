//! `ACL`: users and their rights, and the log of what was refused.

mod file;
mod log;
mod users;

pub(crate) use file::{load, save};
pub(crate) use log::log;
pub(crate) use users::{deluser, getuser, list, setuser, users};

use super::catalogue::in_category;
use super::{quoted, reply_help};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;
use tanist_text::acl::CATEGORIES;

/// `ACL WHOAMI`
pub(crate) fn whoami(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let user = ctx.session.user.clone();
    ctx.reply().bulk(&user.name);
    Ok(())
}

/// `ACL CAT [category]`
pub(crate) fn cat(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len() > 3 {
        return Err(usage(args));
    }
    let Some(category) = args.get(2) else {
        let mut reply = ctx.reply();
        reply.array(CATEGORIES.len());
        for name in CATEGORIES {
            reply.bulk_str(name);
        }
        return Ok(());
    };
    let category = String::from_utf8_lossy(category).to_ascii_lowercase();
    if !CATEGORIES.contains(&category.as_str()) {
        return Err(Error::new(format!("ERR Unknown category '{}'", quoted(args.at(2)))));
    }
    let commands: Vec<&str> =
        ctx.node.table.all().filter(|(_, c)| in_category(c, &category)).map(|(_, c)| c.full_name).collect();
    let mut reply = ctx.reply();
    reply.array(commands.len());
    for name in commands {
        reply.bulk_str(name);
    }
    Ok(())
}

/// `ACL GENPASS [bits]`: hexadecimal digits, drawn from the node's own generator.
pub(crate) fn genpass(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    const BAD: &str = "ERR ACL GENPASS argument must be the number of bits for the output password, a positive \
                       number up to 4096";
    let bits = match args.get(2) {
        _ if args.len() > 3 => return Err(usage(args)),
        None => 256,
        Some(text) => parse_int(text)?,
    };
    if !(1..=4096).contains(&bits) {
        return Err(Error::fixed(BAD));
    }
    let digits = (bits as usize).div_ceil(4);
    let mut bytes = vec![0; digits.div_ceil(2)];
    ctx.node.rng.fill(&mut bytes);
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    ctx.reply().bulk_str(&hex[..digits]);
    Ok(())
}

/// `ACL DRYRUN username command [argument ...]`
pub(crate) fn dryrun(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let Some(user) = ctx.node.users.get(args.at(2)).cloned() else {
        return Err(Error::new(format!("ERR User '{}' not found", quoted(args.at(2)))));
    };
    let wanted = args.skip(3);
    let table = &ctx.node.table;
    let found = table.find(wanted.at(0)).and_then(|index| ctx.node.resolve(wanted, Some(index)).ok());
    let Some((_, command)) = found else {
        return Err(Error::new(format!("ERR Command '{}' not found", quoted(wanted.at(0)))));
    };
    if !command.accepts(wanted.len()) {
        return Err(Error::arity(command.full_name));
    }
    match ctx.node.acl_check(&user, ctx.session.db, wanted) {
        Ok(()) => ctx.reply().ok(),
        Err((denied, command)) => {
            let sentence = denied.sentence(&user, command, wanted);
            ctx.reply().bulk(&sentence);
        }
    }
    Ok(())
}

/// Too many arguments of a subcommand that may have fewer.
fn usage(args: Args<'_, '_>) -> Error {
    Error::new(format!(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try ACL HELP.",
        quoted(args.at(1))
    ))
}

/// `ACL HELP`
pub(crate) fn help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "ACL",
        &[
            ("CAT [<category>]", "List the categories, or the commands of one."),
            ("DELUSER <name> [<name> ...]", "Remove users; their connections are closed."),
            (
                "DRYRUN <name> <command> [<arg> ...]",
                "Tell whether a user could run a command, without running it.",
            ),
            ("GENPASS [<bits>]", "Make up a password, of 256 bits unless told."),
            ("GETUSER <name>", "Tell what a user may do."),
            ("LIST", "List the users with their rules, as a file of users has them."),
            ("LOAD", "Take the users from the file of users, all or none."),
            ("LOG [<count>|RESET]", "Show or clear the log of what was refused."),
            ("SAVE", "Write the users into the file of users."),
            ("SETUSER <name> [<rule> ...]", "Add a user, or add rules to one."),
            ("USERS", "List the users' names."),
            ("WHOAMI", "Tell which user this connection is."),
        ],
    )
}
