//! `ACL`: there is one user, `default`, who may do everything; `requirepass` is its password.

use super::catalogue::in_category;
use super::reply_help;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;
use tanist_text::acl::CATEGORIES;

/// `ACL WHOAMI`
pub(crate) fn whoami(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let user = ctx.session.user.clone();
    ctx.reply().bulk_str(&user);
    Ok(())
}

/// `ACL USERS`
pub(crate) fn users(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let mut reply = ctx.reply();
    reply.array(1);
    reply.bulk(b"default");
    Ok(())
}

/// `ACL LIST`; passwords show as their SHA-256.
pub(crate) fn list(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let password = match hashed_password(ctx) {
        None => "nopass".to_owned(),
        Some(hash) => format!("#{hash}"),
    };
    let mut reply = ctx.reply();
    reply.array(1);
    reply.bulk_str(&format!("user default on {password} ~* &* +@all"));
    Ok(())
}

/// `ACL GETUSER name`
pub(crate) fn getuser(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.at(2) != b"default" {
        ctx.reply().null();
        return Ok(());
    }
    let password = hashed_password(ctx);
    let mut reply = ctx.reply();
    reply.map(7);
    reply.bulk(b"flags");
    reply.set(if password.is_none() { 2 } else { 1 });
    reply.bulk(b"on");
    if password.is_none() {
        reply.bulk(b"nopass");
    }
    reply.bulk(b"passwords");
    reply.array(password.iter().len());
    if let Some(hash) = password {
        reply.bulk_str(&hash);
    }
    for (name, value) in [("commands", "+@all"), ("keys", "~*"), ("channels", "&*"), ("databases", "alldbs")]
    {
        reply.bulk_str(name);
        reply.bulk_str(value);
    }
    reply.bulk(b"selectors");
    reply.array(0);
    Ok(())
}

fn hashed_password(ctx: &Ctx<'_>) -> Option<String> {
    let password = ctx.node.config.requirepass.as_bytes();
    (!password.is_empty()).then(|| crate::sha::sha256_hex(password))
}

/// `ACL CAT [category]`
pub(crate) fn cat(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let Some(category) = args.get(2) else {
        let mut reply = ctx.reply();
        reply.array(CATEGORIES.len());
        for name in CATEGORIES {
            reply.bulk_str(name);
        }
        return Ok(());
    };
    let category = String::from_utf8_lossy(category).to_ascii_lowercase();
    if args.len() > 3 || !CATEGORIES.contains(&category.as_str()) {
        let given = String::from_utf8_lossy(args.at(2));
        return Err(Error::new(format!("ERR Unknown category '{given}'")));
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

/// `ACL LOG [count | RESET]`: refused clients are counted (`INFO`), but not logged one by one.
pub(crate) fn log(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    match args.get(2) {
        Some(word) if word.eq_ignore_ascii_case(b"reset") => ctx.reply().ok(),
        Some(count) => {
            parse_int(count)?;
            ctx.reply().array(0);
        }
        None => ctx.reply().array(0),
    }
    Ok(())
}

/// `ACL HELP`
pub(crate) fn help(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    reply_help(
        ctx,
        "ACL",
        &[
            ("CAT [<category>]", "List the categories, or the commands of one."),
            ("GENPASS [<bits>]", "Make up a password, of 256 bits unless told."),
            ("GETUSER <name>", "Tell what a user may do."),
            ("LIST", "List the users with their rules."),
            ("LOG [<count>|RESET]", "Show or clear the log of refused clients."),
            ("USERS", "List the users' names."),
            ("WHOAMI", "Tell which user this connection is."),
        ],
    )
}
