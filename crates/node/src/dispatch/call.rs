//! Carrying out one command that has passed the gates: for a client, inside another command, or from a primary's log.

use super::{Prepared, QueueRun, Run, Stopped};
use crate::blocking::waits_for_keys;
use crate::command::{Action, Command, Flags};
use crate::context::Ctx;
use crate::error::Error;
use crate::node::Node;
use crate::output::{LogLevel, Outputs};
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
    /// all expiry times, because only the primary decides what has expired.
    ///
    /// # Errors
    /// When there is no such command here.
    pub(crate) fn apply(
        &mut self,
        now: Now,
        session: &mut Session,
        args: Args<'_, '_>,
        prepared: Prepared,
        out: &mut Vec<u8>,
        outs: &mut Outputs,
    ) -> Result<(), Error> {
        let (index, command) = self.resolve(args, prepared.index)?;
        if !command.accepts(args.len()) {
            return Err(Error::arity(command.full_name));
        }
        let now = if has_relative_expiry(args) { now } else { Now { wall_us: 0, ..now } };
        out.clear();
        let stopped = Stopped(now.mono);
        let mut run = Run::new(now, out, outs, &stopped);
        self.call(&mut run, session, args, index, command, prepared.hash, true);
        if out.starts_with(b"-") {
            let text = String::from_utf8_lossy(out).trim_end().to_owned();
            outs.log(LogLevel::Warning, format!("The primary's log: '{}' gave {text}", command.full_name));
        }
        Ok(())
    }
}

fn later(now: Now, by: Duration) -> Now {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Now { mono: now.mono + by, wall_us: now.wall_us.saturating_add(micros) }
}

/// Whether the command counts a time to live from now on, as the logs of old primaries do.
fn has_relative_expiry(args: Args<'_, '_>) -> bool {
    let is = |name: &[u8]| args.at(0).eq_ignore_ascii_case(name);
    let has = |word: &[u8]| args.iter().skip(3).any(|arg| arg.eq_ignore_ascii_case(word));
    is(b"expire")
        || is(b"pexpire")
        || is(b"setex")
        || is(b"psetex")
        || is(b"set") && (has(b"ex") || has(b"px"))
}
