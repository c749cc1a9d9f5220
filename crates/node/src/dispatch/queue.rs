//! The queue of a transaction: what goes into it, and how `EXEC` runs it.

use super::Run;
use crate::acl::Context;
use crate::command::Command;
use crate::error::Error;
use crate::input::Stopwatch;
use crate::node::Node;
use crate::output::Outputs;
use crate::session::Session;
use crate::table::CommandIndex;
use crate::transaction::Queued;
use tanist_resp::{Args, OwnedArgs, Reply};
use tanist_types::Now;

/// What `EXEC` runs its queue with.
pub(crate) struct QueueRun<'a> {
    pub(crate) now: Now,
    pub(crate) session: &'a mut Session,
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) outs: &'a mut Outputs,
    /// Times the commands of the queue one by one.
    pub(crate) watch: &'a dyn Stopwatch,
}

impl Node {
    pub(super) fn queue(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
        index: CommandIndex,
        command: &'static Command,
        args: Args<'_, '_>,
    ) {
        if let Some(multi) = &mut session.multi {
            multi.queue.push(Queued { index, command, args: OwnedArgs::new(&args) });
        }
        Reply::new(run.out, session.proto).simple("QUEUED");
    }

    /// An `EXEC` that is refused ends its transaction, and its error says so whether or not there was one.
    pub(super) fn abort_exec(&mut self, session: &mut Session, command: &Command, error: Error) -> Error {
        if command.full_name != "exec" {
            return error;
        }
        session.multi = None;
        self.unwatch_all(session);
        let reason = error.text().strip_prefix("ERR ").unwrap_or(error.text());
        Error::new(format!("EXECABORT Transaction discarded because of: {reason}"))
    }

    /// Runs the queue of a transaction; the caller has written the array's head.
    ///
    /// A script in it may be suspended, or the transaction itself by `MIGRATE`; then the rest runs after that.
    pub(crate) fn run_queue(&mut self, ctx: &mut QueueRun<'_>, queue: Vec<Queued>) {
        let mut queue = queue.into_iter();
        while let Some(queued) = queue.next() {
            // The user's rights may have changed since the command was queued.
            let args = queued.args.as_args();
            let wish = self.wish(queued.index, queued.command, args, ctx.session.db);
            if !ctx.session.free
                && let Err(denied) = ctx.session.user.check(&wish)
            {
                self.note_denied(ctx.now, ctx.session, denied, Context::Multi, queued.command, args);
                self.stats.commands[queued.index.slot()].rejected += 1;
                self.refuse(ctx.out, ctx.session, &denied.error_in_exec());
                continue;
            }
            if let Some(error) = self.refusal(ctx.session, queued.command, args) {
                self.stats.commands[queued.index.slot()].rejected += 1;
                self.refuse(ctx.out, ctx.session, &error);
                continue;
            }
            self.call_inside(ctx, args, (queued.index, queued.command));
            if self.is_suspended() {
                return self.continue_after_suspended(queue.collect());
            }
        }
    }
}

/// Commands that act on the transaction itself are not queued.
pub(super) fn is_queued(command: &Command) -> bool {
    !matches!(command.full_name, "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
}
