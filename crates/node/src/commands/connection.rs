//! The connection itself: `AUTH`, `HELLO`, `PING`, `ECHO`, `SELECT`, `QUIT`, `RESET`.

use super::parse_int;
use crate::acl::{Context, DEFAULT};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::session::{ReplyMode, SessionKind};
use tanist_resp::{Args, Proto};
use tanist_types::DbIndex;

/// `PING [message]`
pub(crate) fn ping(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len() > 2 {
        return Err(ctx.arity_error());
    }
    if ctx.session.is_subscribed() && ctx.session.proto == Proto::Resp2 {
        let mut reply = ctx.reply();
        reply.array(2);
        reply.bulk(b"pong");
        reply.bulk(args.get(1).unwrap_or_default());
        return Ok(());
    }
    match args.get(1) {
        Some(message) => ctx.reply().bulk(message),
        None => ctx.reply().simple("PONG"),
    }
    Ok(())
}

/// `ECHO message`
pub(crate) fn echo(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    ctx.reply().bulk(args.at(1));
    Ok(())
}

/// `SELECT index`
pub(crate) fn select(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let index = parse_int(args.at(1))?;
    if i32::try_from(index).is_err() {
        return Err(Error::NOT_32_BITS);
    }
    ctx.session.db = database(ctx, index)?;
    ctx.reply().ok();
    Ok(())
}

/// The database with this number.
pub(crate) fn database(ctx: &Ctx<'_>, index: i64) -> Result<DbIndex, Error> {
    u16::try_from(index)
        .ok()
        .filter(|&i| i < ctx.node.data.databases())
        .map(DbIndex)
        .ok_or(Error::DB_OUT_OF_RANGE)
}

/// `QUIT`
pub(crate) fn quit(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    ctx.reply().ok();
    ctx.session.close_after_reply = true;
    Ok(())
}

/// `RESET`
pub(crate) fn reset(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    super::transactions::forget(ctx);
    super::pubsub::leave_all(ctx);
    super::client::stop_tracking(ctx);
    let id = ctx.session.id;
    ctx.node.monitors.retain(|&m| m != id);
    let user = ctx.node.users.default().clone();
    let s = &mut *ctx.session;
    s.monitor = false;
    s.kind = SessionKind::Normal;
    s.db = DbIndex(0);
    s.proto = Proto::Resp2;
    s.name = Box::default();
    s.reply_mode = ReplyMode::On;
    s.no_evict = false;
    s.no_touch = false;
    s.import_source = false;
    s.readonly = false;
    s.redirects = false;
    s.become_default(user);
    ctx.reply().simple("RESET");
    Ok(())
}

/// `AUTH [username] password`
pub(crate) fn auth(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    match (args.len(), args.get(1), args.get(2)) {
        (2, Some(password), _) => {
            if ctx.node.users.default().no_password {
                return Err(Error::new(
                    "ERR AUTH <password> called without any password configured for the default user. \
                     Are you sure your configuration is correct?",
                ));
            }
            log_in(ctx, args, DEFAULT, password)?;
        }
        (3, Some(user), Some(password)) => log_in(ctx, args, user, password)?,
        _ => return Err(Error::SYNTAX),
    }
    ctx.reply().ok();
    Ok(())
}

fn log_in(ctx: &mut Ctx<'_>, args: Args<'_, '_>, name: &[u8], password: &[u8]) -> Outcome {
    match ctx.node.users.get(name).filter(|user| user.admits(password)).cloned() {
        Some(user) => {
            ctx.session.set_user(user, true);
            Ok(())
        }
        None => {
            let context = if ctx.in_transaction { Context::Multi } else { Context::TopLevel };
            ctx.node.note_bad_login(ctx.now, ctx.session, name, context, args);
            Err(Error::WRONG_PASS)
        }
    }
}

/// `HELLO [protover [AUTH username password] [SETNAME clientname]]`
pub(crate) fn hello(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut proto = ctx.session.proto;
    if let Some(version) = args.get(1) {
        proto = match parse_int(version) {
            Ok(2) => Proto::Resp2,
            Ok(3) => Proto::Resp3,
            Ok(_) => return Err(Error::NO_PROTO),
            Err(_) => return Err(Error::new("ERR Protocol version is not an integer or out of range")),
        };
    }
    let mut name = None;
    let mut i = 2;
    while i < args.len() {
        let rest = args.len() - i - 1;
        if args.at(i).eq_ignore_ascii_case(b"auth") && rest >= 2 {
            log_in(ctx, args, args.at(i + 1), args.at(i + 2))?;
            i += 3;
        } else if args.at(i).eq_ignore_ascii_case(b"setname") && rest >= 1 {
            check_name(args.at(i + 1))?;
            name = Some(args.at(i + 1));
            i += 2;
        } else {
            return Err(Error::new(format!(
                "ERR Syntax error in HELLO option '{}'",
                String::from_utf8_lossy(args.at(i))
            )));
        }
    }
    if !ctx.session.authenticated && !ctx.node.users.default().is_open() {
        return Err(Error::new(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
             <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
             the same time",
        ));
    }
    if let Some(name) = name {
        ctx.session.name = name.into();
    }
    ctx.session.proto = proto;
    let role = if ctx.node.is_replica() { "replica" } else { "master" };
    let id = ctx.session.id.0 as i64;
    let zone = ctx.node.config.availability_zone.clone();
    let mut reply = ctx.reply();
    reply.map(7 + usize::from(!zone.is_empty()));
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(crate::REDIS_VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.int(if proto == Proto::Resp3 { 3 } else { 2 });
    reply.bulk(b"id");
    reply.int(id);
    reply.bulk(b"mode");
    reply.bulk(b"standalone");
    reply.bulk(b"role");
    reply.bulk(role.as_bytes());
    reply.bulk(b"modules");
    reply.array(0);
    if !zone.is_empty() {
        reply.bulk(b"availability_zone");
        reply.bulk(zone.as_bytes());
    }
    Ok(())
}

/// A client's name may hold any printable character but the space.
pub(crate) fn check_name(name: &[u8]) -> Outcome {
    if name.iter().all(|b| (b'!'..=b'~').contains(b)) {
        return Ok(());
    }
    Err(Error::new("ERR Client names cannot contain spaces, newlines or special characters."))
}
