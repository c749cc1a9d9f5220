//! What scripts may do: before they begin, and at each of their commands.

use crate::acl::{Context, Denied};
use crate::command::{Command, Flags as CommandFlags};
use crate::context::Ctx;
use crate::dispatch::QueueRun;
use crate::error::Error;
use crate::node::Node;
use crate::session::Session;
use tanist_resp::Args;
use tanist_scripting::{Answer, Flags, sha1};

/// What a script may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// It may not write: by its flags, or by the command that runs it.
    pub(crate) read_only: bool,
    /// Memory was short when it began, and it may not add to what is there.
    pub(crate) out_of_memory: bool,
    /// It has carried out a command that writes; then it is not stopped any more.
    pub(crate) wrote: bool,
}

impl Node {
    /// Refuses a script or function by what it says about itself and by the node's state, before it begins.
    pub(crate) fn refuse_script(
        ctx: &mut Ctx<'_>,
        flags: Option<Flags>,
        read_only: bool,
    ) -> Result<Rules, Error> {
        let node = &*ctx.node;
        let obeys = ctx.session.is_primary();
        let stale = node.is_stale();
        let Some(flags) = flags else {
            if stale && !obeys {
                return Err(Error::MASTER_DOWN);
            }
            let out_of_memory = !obeys && Node::lacks_memory(ctx);
            return Ok(Rules { read_only, out_of_memory, wrote: false });
        };
        if stale && !obeys && !flags.has(Flags::ALLOW_STALE) {
            return Err(Error::MASTER_DOWN);
        }
        let writes = !flags.has(Flags::NO_WRITES);
        if writes && !obeys {
            if node.is_replica() && node.config.replica_read_only {
                return Err(Error::READ_ONLY);
            }
            if node.cannot_save() {
                return Err(Error::MISCONF);
            }
            if read_only {
                return Err(Error::new("ERR Can not execute a script with write flag using *_ro command."));
            }
            if !node.is_replica() && !node.repl.enough {
                return Err(Error::NO_REPLICAS);
            }
        }
        let bound = writes && !flags.has(Flags::ALLOW_OOM) && !obeys;
        if bound && Node::lacks_memory(ctx) {
            return Err(Error::OOM);
        }
        Ok(Rules { read_only: read_only || !writes, out_of_memory: false, wrote: false })
    }

    /// Whether the command runs a script or a function that says of itself that it writes nothing.
    #[cold]
    pub(crate) fn disclaims_writing(&self, command: &Command, args: Args<'_, '_>) -> bool {
        let flags = match command.name {
            "eval" => Flags::of_script(args.at(1)),
            "evalsha" => sha1::parse_hex(args.at(1))
                .and_then(|sha| self.scripting.scripts.body(&sha))
                .and_then(Flags::of_script),
            "fcall" => self.scripting.libraries.find(args.at(1)).map(|(_, flags)| flags),
            _ => None,
        };
        flags.is_some_and(|flags| flags.has(Flags::NO_WRITES))
    }

    /// Carries out a command for a script; what speaks against it is answered as an error.
    pub(crate) fn call_from_script(&mut self, ctx: &mut QueueRun<'_>, args: Args<'_, '_>, rules: &mut Rules) {
        let (index, command) = match self.resolve(args, self.table.find(args.at(0))) {
            Ok(found) => found,
            Err(_) if self.table.find(args.at(0)).is_none() => {
                return self.refuse(ctx.out, ctx.session, &Error::SCRIPT_UNKNOWN);
            }
            Err(error) => return self.refuse(ctx.out, ctx.session, &error),
        };
        let allowed = self.acl_check(&ctx.session.user, ctx.session.db, args);
        if let Err((denied, _)) = allowed {
            self.note_denied(ctx.now, ctx.session, denied, Context::Script, command, args);
        }
        if let Err(error) = self.check_from_script(ctx.session, command, args, *rules, allowed) {
            self.stats.commands[index.slot()].rejected += 1;
            return self.refuse(ctx.out, ctx.session, &error);
        }
        rules.wrote |= command.flags.has(CommandFlags::WRITE);
        self.call_inside(ctx, args, (index, command));
    }

    /// What speaks against a command of a script.
    fn check_from_script(
        &self,
        session: &Session,
        command: &'static Command,
        args: Args<'_, '_>,
        rules: Rules,
        allowed: Result<(), (Denied, &'static Command)>,
    ) -> Result<(), Error> {
        let has = |flags: CommandFlags| command.flags.has(flags);
        if !command.accepts(args.len()) {
            return Err(Error::SCRIPT_ARITY);
        }
        if has(CommandFlags::NOSCRIPT) && !self.scripts_unbound {
            return Err(Error::SCRIPT_REFUSED);
        }
        if self.is_stale() && !has(CommandFlags::STALE) {
            return Err(Error::SCRIPT_STALE);
        }
        if let Err((denied, _)) = allowed {
            return Err(denied.error_in_script(&session.user, command));
        }
        if rules.read_only && has(CommandFlags::WRITE.and(CommandFlags::MAY_REPLICATE)) {
            return Err(Error::SCRIPT_READ_ONLY);
        }
        // Nothing below concerns what the primary's log asks for.
        if session.is_primary() {
            return Ok(());
        }
        // What has begun to write goes on, so that its changes stay whole.
        if rules.out_of_memory && !rules.wrote && has(CommandFlags::DENYOOM) {
            return Err(Error::OOM);
        }
        if has(CommandFlags::WRITE) && !rules.wrote {
            if self.is_replica() && self.config.replica_read_only {
                return Err(Error::READ_ONLY);
            }
            if self.cannot_save() {
                return Err(Error::MISCONF);
            }
            if !self.is_replica() && !self.repl.enough {
                return Err(Error::NO_REPLICAS);
            }
        }
        Ok(())
    }

    /// Whether the running script's user may carry out a command.
    pub(super) fn check_for_script(&self, session: &Session, args: Args<'_, '_>) -> Answer {
        match self.resolve(args, self.table.find(args.at(0))) {
            Err(_) => Answer::Unknown,
            Ok(_) if self.acl_check(&session.user, session.db, args).is_ok() => Answer::Allowed,
            Ok(_) => Answer::Denied,
        }
    }
}
