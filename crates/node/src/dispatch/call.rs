//! Carrying out one command that has passed the gates: for a client, inside another command, or from a primary's log.

use super::{Prepared, QueueRun, Run};
use crate::blocking::waits_for_keys;
use crate::command::{Action, Command, Flags};
use crate::context::Ctx;
use crate::error::Error;
use crate::node::Node;
use crate::output::LogLevel;
use crate::session::{Session, Waiting};
use crate::table::CommandIndex;
use std::time::Duration;
use tanist_keyspace::KeyHash;
use tanist_resp::{Args, Reply};
use tanist_types::Now;

impl Node {
    /// Runs one command that has passed all gates and counts it. Its effects are not yet in the log.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn call(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
        args: Args<'_, '_>,
        index: CommandIndex,
        command: &'static Command,
        first_hash: Option<KeyHash>,
        in_transaction: bool,
    ) {
        let (Action::Run(handler) | Action::RunOrContainer(handler, _)) = command.action else { return };
        let shown = !self.monitors.is_empty()
            && !run.again
            && !command.flags.has(Flags::SKIP_MONITOR.and(Flags::ADMIN));
        // The commands of a transaction are shown before the one that carries them out; and who leaves MONITOR with
        // RESET is shown nothing more.
        let shown_after = shown && matches!(command.full_name, "exec" | "reset");
        if shown && !shown_after {
            self.feed_monitors(run.now, session, command, args, (run.out, run.outs), in_transaction);
        }
        let timed = self.thresholds.time_all || self.table.is_timed(index);
        let before = if timed { run.watch.read() } else { run.now.mono };
        let start = run.out.len();
        let db = session.db;
        let outer = (self.dirty, self.rewritten);
        (self.dirty, self.rewritten) = (0, false);
        let stalled_before = self.stalled;
        session.last_command = Some(command);
        let mut ctx = Ctx { first_hash, in_transaction, ..run.ctx(self, session, command) };
        let outcome = handler(&mut ctx, args);
        ctx.tell_births();
        if shown_after {
            self.feed_monitors(run.now, session, command, args, (run.out, run.outs), in_transaction);
        }
        session.commands += 1;
        if let Err(error) = outcome {
            run.out.truncate(start);
            Reply::new(run.out, session.proto).error(error.text());
            self.stats.count_error(error.code());
            self.stats.commands[index.slot()].failed += 1;
        }
        if session.tracking.is_some() {
            self.remember_reads(session, command, args, run.outs);
        }
        self.stats.dirty_since_save += self.dirty;
        if self.dirty > 0 && !self.rewritten && self.is_logging() {
            self.effects.add_verbatim(db, args);
        }
        (self.dirty, self.rewritten) = outer;
        let sizes = (args.raw().map_or(0, <[u8]>::len), run.out.len().saturating_sub(start));
        if sizes.0 > self.thresholds.request || sizes.1 > self.thresholds.reply {
            self.note_sizes(run.now, session, command, args, sizes);
        }
        let cost = if timed {
            let cost = run.watch.read().since(before);
            run.timed += cost;
            let cost = cost + self.stalled.saturating_sub(stalled_before);
            // Of a script that is suspended, the whole cost is noted at its end.
            if session.waiting != Some(Waiting::Suspended) {
                self.note_cost(run.now, session, (index, command), args, cost);
            }
            if !in_transaction && !self.stalled.is_zero() {
                // The shell stands still before it does anything else: for what follows, that time has passed.
                run.now = later(run.now, std::mem::take(&mut self.stalled));
            }
            cost
        } else {
            run.untimed += 1;
            self.fast_cost
        };
        if waits_for_keys(self, session) {
            // It is counted when it is over.
            session.commands -= 1;
            return;
        }
        self.stats.total_commands += 1;
        let stats = &mut self.stats.commands[index.slot()];
        stats.calls += 1;
        stats.time += cost;
    }

    /// Carries out a command that has passed all checks, inside another one.
    pub(crate) fn call_inside(
        &mut self,
        ctx: &mut QueueRun<'_>,
        args: Args<'_, '_>,
        (index, command): (CommandIndex, &'static Command),
    ) {
        let mut run = Run::new(ctx.now, ctx.out, ctx.outs, ctx.watch);
        self.call(&mut run, ctx.session, args, index, command, None, true);
    }

    /// Runs one command of the primary's log: past all gates, without a reply, and with a wall clock that stands before
    /// all expiry times, because only the primary decides what has expired. `now` is when the log came in.
    ///
    /// # Errors
    /// When there is no such command here.
    #[inline]
    pub(crate) fn apply(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
        args: Args<'_, '_>,
        prepared: Prepared,
        now: Now,
    ) -> Result<(), Error> {
        let (index, command) = self.resolve(args, prepared.index)?;
        if !command.accepts(args.len()) {
            return Err(Error::arity(command.full_name));
        }
        run.now = if has_relative_expiry(command, args) { now } else { Now { wall_us: 0, ..now } };
        run.out.clear();
        self.call(run, session, args, index, command, prepared.hash, true);
        if run.out.first() == Some(&b'-') {
            log_failure(run, command);
        }
        Ok(())
    }
}

/// A command of the primary's log has failed here: data or versions differ.
#[cold]
fn log_failure(run: &mut Run<'_>, command: &Command) {
    let reply = String::from_utf8_lossy(run.out).trim_end().to_owned();
    run.outs.log(LogLevel::Warning, format!("The primary's log: '{}' gave {reply}", command.full_name));
}

fn later(now: Now, by: Duration) -> Now {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Now { mono: now.mono + by, wall_us: now.wall_us.saturating_add(micros) }
}

/// Whether the command counts a time to live from now on, as the logs of old primaries do.
#[inline]
fn has_relative_expiry(command: &Command, args: Args<'_, '_>) -> bool {
    let has = |word: &[u8]| args.skip(3).iter().any(|arg| arg.eq_ignore_ascii_case(word));
    match command.full_name {
        "set" => args.len() > 3 && (has(b"ex") || has(b"px")),
        "expire" | "pexpire" | "setex" | "psetex" => true,
        _ => false,
    }
}
