//! `ACL SETUSER`, `GETUSER`, `DELUSER`, `LIST`, `USERS`: the users themselves.

use crate::acl::{DEFAULT, Selector, Surroundings, User, has_spaces, merged};
use crate::commands::quoted;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::session::{Session, SessionId};
use std::sync::Arc;
use tanist_resp::{Args, Reply};

/// `ACL USERS`
pub(crate) fn users(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let mut reply = Reply::new(ctx.out, ctx.session.proto);
    reply.array(ctx.node.users.iter().len());
    ctx.node.users.iter().for_each(|user| reply.bulk(&user.name));
    Ok(())
}

/// `ACL LIST`; passwords show as their SHA-256.
pub(crate) fn list(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    let mut reply = Reply::new(ctx.out, ctx.session.proto);
    reply.array(ctx.node.users.iter().len());
    ctx.node.users.iter().for_each(|user| reply.bulk(&user.line()));
    Ok(())
}

/// `ACL GETUSER name`
pub(crate) fn getuser(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let Some(user) = ctx.node.users.get(args.at(2)).cloned() else {
        ctx.reply().null();
        return Ok(());
    };
    let mut reply = ctx.reply();
    reply.map(7);
    reply.bulk(b"flags");
    reply.set(1 + usize::from(user.no_password));
    reply.bulk(if user.enabled { b"on" } else { b"off" });
    if user.no_password {
        reply.bulk(b"nopass");
    }
    reply.bulk(b"passwords");
    reply.array(user.passwords.len());
    for password in &user.passwords {
        reply.bulk_str(&password.hex());
    }
    let Some((root, others)) = user.selectors.split_first() else { return Ok(()) };
    describe(&mut reply, root);
    reply.bulk(b"selectors");
    reply.array(others.len());
    for selector in others {
        reply.map(4);
        describe(&mut reply, selector);
    }
    Ok(())
}

fn describe(reply: &mut Reply<'_>, selector: &Selector) {
    reply.bulk(b"commands");
    reply.bulk_str(&selector.describe_commands());
    reply.bulk(b"keys");
    reply.bulk(&selector.describe_keys());
    reply.bulk(b"channels");
    reply.bulk(&selector.describe_channels());
    reply.bulk(b"databases");
    reply.bulk_str(&selector.describe_databases());
}

/// `ACL SETUSER name [rule ...]`: all rules or none.
pub(crate) fn setuser(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let name = args.at(2);
    if has_spaces(name) {
        return Err(Error::new("ERR Usernames can't contain spaces or null characters"));
    }
    let rules = merged(args.skip(3).iter()).map_err(|at| {
        let open = quoted(args.at(at + 3)).into_owned();
        Error::new(format!("ERR Unmatched parenthesis in acl selector starting at '{open}'."))
    })?;
    let surroundings = Surroundings::new(&ctx.node.table, &ctx.node.config);
    let user = ctx.node.users.changed(name, &rules, surroundings).map_err(|(at, error)| {
        let rule = quoted(&rules[at]).into_owned();
        Error::new(format!("ERR Error in ACL SETUSER modifier '{rule}': {error}"))
    })?;
    ctx.node.users.put(user);
    ctx.adopt_users();
    ctx.reply().ok();
    Ok(())
}

/// `ACL DELUSER name [name ...]`
pub(crate) fn deluser(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let names = args.skip(2);
    if names.iter().any(|name| name == DEFAULT) {
        return Err(Error::new("ERR The 'default' user cannot be removed"));
    }
    let mut removed = 0;
    for name in names.iter() {
        removed += i64::from(ctx.node.users.remove(name));
    }
    ctx.adopt_users();
    ctx.reply().int(removed);
    Ok(())
}

impl Ctx<'_> {
    /// The users have changed: hands every session its user anew, the running one too. Who has lost its user, or listens to
    /// what it may not hear any more, is closed.
    pub(crate) fn adopt_users(&mut self) {
        self.node.adopt_users(self.outs);
        if !adopt(self.session, self.node.users.get(&self.session.user.name)) {
            let default = self.node.users.default().clone();
            self.session.set_user(default, false);
            self.session.close_after_reply = true;
        }
    }
}

impl Node {
    /// [`Ctx::adopt_users`] for every session but the running one.
    pub(crate) fn adopt_users(&mut self, outs: &mut Outputs) {
        let ids: Vec<SessionId> = self.sessions.ids().collect();
        for id in ids {
            let Some(session) = self.sessions.get_mut(id) else { continue };
            if !adopt(session, self.users.get(&session.user.name)) {
                self.closed(id);
                outs.push(Output::Close { session: id, flush: false });
            }
        }
    }
}

/// Whether a session may stay with what its user is now.
fn adopt(session: &mut Session, user: Option<&Arc<User>>) -> bool {
    let Some(user) = user else { return false };
    if Arc::ptr_eq(user, &session.user) {
        return true;
    }
    session.set_user(user.clone(), session.authenticated);
    session.channels.iter().chain(&session.shard_channels).all(|channel| user.allows_channel(channel, false))
        && session.patterns.iter().all(|pattern| user.allows_channel(pattern, true))
}
