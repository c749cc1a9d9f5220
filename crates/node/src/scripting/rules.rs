//! What scripts may do: before they begin, and at each of their commands.

use crate::acl::{Context, Denied};
use crate::command::{Command, Flags as CommandFlags};
use crate::context::Ctx;
use crate::dispatch::QueueRun;
use crate::error::Error;
use crate::node::Node;
use crate::session::Session;
use tanist_resp::Args;
use tanist_scripting::{Answer, Flags};

/// What a script may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// It may not write: by its flags, or by the command that runs it.
    pub(crate) read_only: bool,
    /// Memory was short when it began, and it may not add to what is there.
    pub(crate) out_of_memory: bool,
    /// It has carried out a command that writes; then it is not stopped any more.
    pub(crate) wrote: bool,
    /// Somebody debugs it: it may not wait for another server, since nobody else has a turn meanwhile.
    pub(crate) debugged: bool,
}

impl Node {
    /// What a script or function may do that is about to begin. What it says about itself the gates have judged.
    ///
    /// # Errors
    /// When it says nothing and the data are stale, or when it may write and must not.
    pub(crate) fn rules(ctx: &mut Ctx<'_>, said: Option<Flags>, read_only: bool) -> Result<Rules, Error> {
        let obeys = ctx.session.is_primary();
        if said.is_none() && ctx.node.is_stale() && !obeys {
            return Err(Error::MASTER_DOWN);
        }
        let writes = said.is_some_and(|said| !said.has(Flags::NO_WRITES));
        if writes && read_only {
            return Err(Error::new("ERR Can not execute a script with write flag using *_ro command."));
        }
        let bound = !writes && !said.is_some_and(|said| said.has(Flags::ALLOW_OOM));
        let out_of_memory = bound && !obeys && Node::lacks_memory(ctx);
        Ok(Rules {
            read_only: read_only || said.is_some() && !writes,
            out_of_memory,
            wrote: false,
            debugged: false,
        })
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
        if let Err(error) = self.check_from_script(ctx.session, command, args, *rules, allowed) {
            // Only if nothing else stands against it is it the user's rights that do.
            if let Err((denied, _)) = allowed
                && error == denied.error_in_script(&ctx.session.user, command)
            {
                self.note_denied(ctx.now, ctx.session, denied, Context::Script, command, args);
            }
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
        // What has begun to write goes on, so that its changes stay whole.
        if rules.out_of_memory && !rules.wrote && has(CommandFlags::DENYOOM) {
            return Err(Error::OOM);
        }
        if let Err((denied, _)) = allowed {
            return Err(denied.error_in_script(&session.user, command));
        }
        if rules.read_only && has(CommandFlags::WRITE.and(CommandFlags::MAY_REPLICATE)) {
            return Err(Error::SCRIPT_READ_ONLY);
        }
        if rules.debugged && command.name == "migrate" {
            return Err(Error::fixed("ERR MIGRATE is not possible while a script is debugged"));
        }
        // The primary's log is obeyed.
        if has(CommandFlags::WRITE)
            && !rules.wrote
            && !session.is_primary()
            && let Some(error) = self.refusal_of_write(true)
        {
            return Err(error);
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
