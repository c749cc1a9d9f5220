//! The way of one command: look-up, gates, queue, execution, propagation, counting.
//!
//! Commands come in batches. For a window of them the buckets, then the entries, of their first keys are
//! prefetched, so that the cache misses of a pipeline overlap instead of following each other.

use crate::acl::Context;
use crate::blocking::waits_for_keys;
use crate::command::{Action, Command, Flags, Group};
use crate::command_log::shown;
use crate::context::Ctx;
use crate::error::Error;
use crate::input::{Next, Ran, Stopwatch};
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::{ReplyMode, Session, SessionId, Waiting};
use crate::table::CommandIndex;
use crate::transaction::Queued;
use std::time::Duration;
use tanist_keyspace::collections::Ahead;
use tanist_keyspace::{Db, KeyHash};
use tanist_resp::{Args, Batch, OwnedArgs, Proto, Reply};
use tanist_types::Now;

/// How many commands are prepared together: enough misses in flight to hide the memory's latency.
pub(crate) const WINDOW: usize = 16;

/// A command of the window, looked up.
#[derive(Clone, Copy, Default)]
pub(crate) struct Prepared {
    index: Option<CommandIndex>,
    hash: Option<KeyHash>,
}

impl Prepared {
    /// Whether there is such a command.
    pub(crate) fn is_known(self) -> bool {
        self.index.is_some()
    }
}

/// What the gates say.
enum Gate {
    Pass,
    Refuse(Error),
    /// The command waits, and with it the rest of the session's batch.
    Hold,
}

impl Node {
    /// Runs the commands of `batch` from the `from`-th on, for one session. Replies are appended to `out`;
    /// what concerns others goes to `outs`.
    #[allow(clippy::too_many_arguments)]
    pub fn run(
        &mut self,
        now: Now,
        id: SessionId,
        batch: &Batch,
        buf: &[u8],
        from: usize,
        out: &mut Vec<u8>,
        outs: &mut Outputs,
        watch: &dyn Stopwatch,
    ) -> Ran {
        if from == 0 && !self.admits_request(id, buf.len(), now, outs) {
            return Ran { done: batch.len(), next: Next::Close };
        }
        let Some(mut session) = self.sessions.take(id) else {
            return Ran { done: batch.len(), next: Next::Close };
        };
        session.last_active = now.mono;
        self.stats.batches += 1;
        if from == 0 {
            session.bytes_in += batch.consumed() as u64;
            session.query_buffer = buf.len();
            self.buffers.recent.note(now.mono, buf.len(), 0);
            self.stats.net_in += batch.consumed() as u64;
        }
        let (written, sent) = (out.len(), outs.len());
        let mut run = Run::new(now, out, outs, watch);
        let mut done = from;
        let ran = loop {
            let ran = self.run_windows(&mut run, &mut session, batch, buf, done);
            if !self.has_somebody_to_serve() {
                break ran;
            }
            // They see this session as they see every other one.
            self.sessions.put_back(session);
            self.serve_ready(run.now, watch, run.outs);
            session = match self.sessions.take(id) {
                Some(session) => session,
                None => return Ran { done: batch.len(), next: Next::Close },
            };
            if ran.next != Next::Go || ran.done == batch.len() {
                break ran;
            }
            done = ran.done;
        };
        self.learn_fast_cost(&run);
        let written = (run.out.len() - written) as u64;
        session.bytes_out += written;
        if ran.next == Next::Go {
            session.query_buffer = buf.len().saturating_sub(batch.consumed() + batch.taken());
        }
        self.stats.net_out += written;
        self.sessions.put_back(session);
        self.count_client(id, now, outs);
        if self.config.maxmemory > 0 {
            self.make_room_soon();
        }
        self.save_emptied(now, outs);
        self.broadcast_changes(outs);
        self.after_batch(now, outs);
        self.give_garbage(outs);
        self.count_sent(outs, sent);
        ran
    }

    /// Hands out large values that were removed, to be freed elsewhere.
    #[inline]
    pub(crate) fn give_garbage(&mut self, outs: &mut Outputs) {
        if self.data.has_garbage() {
            let garbage = self.data.take_garbage();
            self.stats.freed_elsewhere += garbage.entries() as u64;
            outs.push_garbage(garbage);
        }
    }

    /// Runs commands until the batch is over, one of them waits, or somebody is to be served who waits for a key.
    fn run_windows(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
        batch: &Batch,
        buf: &[u8],
        from: usize,
    ) -> Ran {
        let mut done = from;
        let begin = run.out.len();
        let most = self.reply_limit(session);
        let mut window = [Prepared::default(); WINDOW];
        'windows: while done < batch.len() {
            let count = WINDOW.min(batch.len() - done);
            self.prepare(&mut window[..count], session, batch, buf, done);
            for prepared in &window[..count] {
                if session.waiting.is_some() {
                    return Ran { done, next: Next::Wait };
                }
                let args = batch.args(done, buf);
                if !self.command(run, session, args, *prepared) {
                    return Ran { done, next: Next::Wait };
                }
                done += 1;
                if run.out.len() - begin >= most {
                    run.out.truncate(begin);
                    self.refuse_replies(session, run.now, run.outs);
                }
                if session.close_after_reply {
                    return Ran { done, next: Next::Close };
                }
                if self.has_somebody_to_serve() {
                    break 'windows;
                }
            }
        }
        let next = if session.waiting.is_some() { Next::Wait } else { Next::Go };
        Ran { done, next }
    }

    /// Looks up a window of commands and starts to fetch what they will touch.
    pub(crate) fn prepare(
        &self,
        window: &mut [Prepared],
        session: &Session,
        batch: &Batch,
        buf: &[u8],
        from: usize,
    ) {
        let db = self.data.db(session.db);
        let mut elements = false;
        for (i, slot) in window.iter_mut().enumerate() {
            let args = batch.args(from + i, buf);
            let index = self.table.find(args.at(0));
            let first_key = index.map_or(0, |i| self.table.first_key(i));
            let hash = (first_key > 0 && first_key < args.len()).then(|| self.data.hash(args.at(first_key)));
            if let Some(hash) = hash {
                db.prefetch(hash);
            }
            elements |= index.is_some_and(|i| self.table.element(i) != 0);
            *slot = Prepared { index, hash };
        }
        if window.len() > 1 {
            for hash in window.iter().filter_map(|p| p.hash) {
                db.prefetch_entry(hash);
            }
            if elements {
                self.prepare_elements(window, db, batch, buf, from);
            }
        }
    }

    /// Starts to fetch the elements of large collections that a window of commands will look for.
    fn prepare_elements(&self, window: &[Prepared], db: &Db, batch: &Batch, buf: &[u8], from: usize) {
        let mut places = [None; WINDOW];
        // Neighbours often name the same key; another one of the same hash would only be fetched in vain.
        let mut last: Option<(KeyHash, Option<Ahead<'_>>)> = None;
        for (i, (prepared, place)) in window.iter().zip(&mut places).enumerate() {
            let Some((index, hash)) = prepared.index.zip(prepared.hash) else { continue };
            let args = batch.args(from + i, buf);
            let at = match self.table.element(index) {
                0 => continue,
                at if at < 0 => args.len().wrapping_sub(usize::from(at.unsigned_abs())),
                at => usize::from(at.unsigned_abs()),
            };
            if at >= args.len() {
                continue;
            }
            let ahead = match last {
                Some((known, ahead)) if known == hash => ahead,
                _ => db
                    .find(args.at(self.table.first_key(index)), hash)
                    .and_then(|entry| entry.value().ahead()),
            };
            last = Some((hash, ahead));
            *place = ahead.map(|ahead| (ahead, ahead.bucket(args.at(at))));
        }
        for (ahead, element) in places.iter().flatten() {
            ahead.element(*element);
        }
    }

    /// Carries out one command, or queues or refuses it. `false`: it must wait and has not run.
    fn command(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
        args: Args<'_, '_>,
        prepared: Prepared,
    ) -> bool {
        let start = run.out.len();
        match self.resolve(args, prepared.index) {
            Ok((index, command)) => match self.check(run, session, args, index, command) {
                Gate::Hold => {
                    session.waiting = Some(Waiting::Paused);
                    return false;
                }
                Gate::Refuse(error) => {
                    self.stats.commands[index.slot()].rejected += 1;
                    let error = self.abort_exec(session, command, error);
                    self.refuse(run.out, session, &error);
                }
                Gate::Pass if session.multi.is_some() && is_queued(command) => {
                    self.queue(run, session, index, command, args);
                }
                Gate::Pass => {
                    self.call(run, session, args, index, command, prepared.hash, false);
                    if !self.effects.is_empty() {
                        self.commit_effects(run.outs);
                        session.last_write = self.repl.end();
                    }
                }
            },
            Err(_) if tanist_resp::begins_http_line(args.at(0)) => self.hang_up_on_http(run, session),
            Err(error) => self.refuse(run.out, session, &error),
        }
        if session.reply_mode != ReplyMode::On && !waits_for_keys(self, session) {
            apply_reply_mode(session, run.out, start);
        }
        // Pushes are no replies: they follow in any case.
        if !self.behind_reply.is_empty() {
            run.out.append(&mut self.behind_reply);
        }
        if session.tracking.is_some() || self.tracking.has_pending() {
            self.end_tracked_command(session, run.out, run.outs);
        }
        true
    }

    /// Carries out a command again that waits for keys. `false`: something holds it back, and it has not run.
    pub(crate) fn command_again(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
        args: Args<'_, '_>,
    ) -> bool {
        run.again = true;
        match self.resolve(args, self.table.find(args.at(0))) {
            Ok((index, command)) => match self.check(run, session, args, index, command) {
                Gate::Hold => return false,
                Gate::Refuse(error) => {
                    self.stats.commands[index.slot()].rejected += 1;
                    self.refuse(run.out, session, &error);
                }
                Gate::Pass => {
                    self.call(run, session, args, index, command, None, false);
                    if !self.effects.is_empty() {
                        self.commit_effects(run.outs);
                        session.last_write = self.repl.end();
                    }
                }
            },
            Err(error) => self.refuse(run.out, session, &error),
        }
        true
    }

    /// Finds the command, or the subcommand, that is meant.
    pub(crate) fn resolve(
        &self,
        args: Args<'_, '_>,
        index: Option<CommandIndex>,
    ) -> Result<(CommandIndex, &'static Command), Error> {
        let Some(mut index) = index else {
            return Err(unknown_command(args));
        };
        let mut command = self.table.get(index);
        if let Action::Container(_) | Action::RunOrContainer(..) = command.action
            && args.len() > 1
        {
            index = self
                .table
                .find_sub(index, args.at(1))
                .ok_or_else(|| unknown_subcommand(command, args.at(1)))?;
            command = self.table.get(index);
        }
        Ok((index, command))
    }

    /// Whether the command may run now: its number of arguments, its sender, and the node's state.
    fn check(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
        args: Args<'_, '_>,
        index: CommandIndex,
        command: &'static Command,
    ) -> Gate {
        if !command.accepts(args.len()) {
            return Gate::Refuse(Error::arity(command.full_name));
        }
        if !session.free
            && let Err(error) = self.check_rights(run.now, session, args, index, command)
        {
            return Gate::Refuse(error);
        }
        if session.multi.is_some() && command.flags.has(Flags::NO_MULTI) {
            return Gate::Refuse(Error::not_in_multi(command.full_name));
        }
        self.gate_with_memory(run, session, command, args)
    }

    /// Whether the sender may run this command: it must have said who it is, and that user must be allowed to.
    #[cold]
    fn check_rights(
        &mut self,
        now: Now,
        session: &mut Session,
        args: Args<'_, '_>,
        index: CommandIndex,
        command: &'static Command,
    ) -> Result<(), Error> {
        if !session.authenticated && !self.users.default().is_open() && !command.flags.has(Flags::NO_AUTH) {
            return Err(Error::NO_AUTH);
        }
        let context = if session.multi.is_some() { Context::Multi } else { Context::TopLevel };
        let user = session.user.clone();
        user.check(&self.wish(index, command, args, session.db)).map_err(|denied| {
            self.note_denied(now, session, denied, context, command, args);
            denied.error(&user, command)
        })
    }

    /// Whether the state of node and session lets the command run now.
    fn gate(&self, session: &Session, command: &'static Command, args: Args<'_, '_>) -> Gate {
        if session.proto == Proto::Resp2 && session.is_subscribed() && !allowed_while_subscribed(command) {
            return Gate::Refuse(Error::new(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
                command.full_name.split('|').next().unwrap_or(command.name)
            )));
        }
        if !self.gated {
            return Gate::Pass;
        }
        if !command.flags.has(Flags::ALLOW_BUSY)
            && let Some(busy) = self.busy()
        {
            return busy.map_or(Gate::Hold, Gate::Refuse);
        }
        if let Some(error) = self.refusal(session, command) {
            return Gate::Refuse(error);
        }
        if let Some(pause) = self.pause
            && session.kind == crate::SessionKind::Normal
            && !command.flags.has(Flags::NO_AUTH)
            && (pause.all && command.name != "client" || self.is_write(session, command, args))
        {
            return Gate::Hold;
        }
        // A node that is ending takes no more writes, so that its replicas can have them all.
        // The same for a switchover; a sentinel's own messages are no writes of a client's.
        let held = self.repl.hold.is_some() && (!session.is_sentinel() || changes_data(session, command));
        if (self.ending.is_some() || held) && self.is_write(session, command, args) {
            return Gate::Hold;
        }
        // Keys that are on their way elsewhere must not change, nor must data that are loaded again.
        if (self.migration.is_some() || self.saving.reloading.is_some())
            && self.may_change_data(session, command, args)
        {
            return Gate::Hold;
        }
        Gate::Pass
    }

    /// [`Node::gate`], and whether there is memory for what the command may add. The commands of a transaction are
    /// judged when it is queued and when `EXEC` begins, not one by one.
    fn gate_with_memory(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
        command: &'static Command,
        args: Args<'_, '_>,
    ) -> Gate {
        match self.gate(session, command, args) {
            Gate::Pass if self.config.maxmemory > 0 => {
                let mut ctx = Ctx {
                    node: self,
                    session,
                    out: run.out,
                    outs: run.outs,
                    watch: run.watch,
                    now: run.now,
                    command,
                    first_hash: None,
                    in_transaction: false,
                };
                Node::make_room(&mut ctx).map_or_else(Gate::Refuse, |()| Gate::Pass)
            }
            gate => gate,
        }
    }

    /// An `EXEC` that is refused ends its transaction, and its error says so.
    fn abort_exec(&mut self, session: &mut Session, command: &Command, error: Error) -> Error {
        if command.name != "exec" || session.multi.take().is_none() {
            return error;
        }
        self.unwatch_all(session);
        Error::new(format!("EXECABORT Transaction discarded because of: {}", error.text()))
    }

    /// Whether the command may change the data, or put something else into the log.
    fn is_write(&self, session: &Session, command: &Command, args: Args<'_, '_>) -> bool {
        const LOGGED: Flags = Flags::WRITE.and(Flags::MAY_REPLICATE);
        let writes =
            |command: &Command, args| command.flags.has(LOGGED) && !self.disclaims_writing(command, args);
        match &session.multi {
            Some(multi) if command.name == "exec" => {
                multi.queue.iter().any(|q| writes(q.command, q.args.as_args()))
            }
            _ => writes(command, args),
        }
    }

    /// Whether the command, or the script that it runs, may change the data.
    fn may_change_data(&self, session: &Session, command: &Command, args: Args<'_, '_>) -> bool {
        let may = |command: &Command, args| {
            let runs = command.group == Group::Scripting && command.flags.has(Flags::MAY_REPLICATE);
            command.flags.has(Flags::WRITE) || runs && !self.disclaims_writing(command, args)
        };
        match &session.multi {
            Some(multi) if command.name == "exec" => {
                multi.queue.iter().any(|q| may(q.command, q.args.as_args()))
            }
            _ => may(command, args),
        }
    }

    /// Refusals that come from the node's role and state.
    fn refusal(&self, session: &Session, command: &'static Command) -> Option<Error> {
        if self.is_replica() {
            if let Some(redirection) = self.redirection(session, command) {
                return Some(redirection);
            }
            if self.config.replica_read_only && changes_data(session, command) {
                return Some(Error::READ_ONLY);
            }
            if self.is_stale() && !command.flags.has(Flags::STALE) {
                return Some(Error::MASTER_DOWN);
            }
        } else if !self.repl.enough && changes_data(session, command) {
            return Some(Error::NO_REPLICAS);
        } else if self.cannot_save() && changes_data(session, command) {
            return Some(Error::MISCONF);
        }
        if (self.loading.is_some() || self.is_flushed_for_load()) && !command.flags.has(Flags::LOADING) {
            return Some(Error::LOADING);
        }
        None
    }

    /// Whether this replica's data are older than it may show.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_replica()
            && (self.repl.outdated || !self.config.replica_serve_stale_data)
            && !self.is_fresh_replica()
    }

    /// A client that can follow is sent to the primary, with reads too unless it has asked to read here.
    fn redirection(&self, session: &Session, command: &Command) -> Option<Error> {
        let primary = self.repl.upstream.as_ref().filter(|_| session.redirects)?;
        let reads = command.flags.has(Flags::READONLY) && !session.readonly;
        let address = &primary.address;
        (reads || changes_data(session, command))
            .then(|| Error::new(format!("REDIRECT {}:{}", address.host, address.port)))
    }

    /// Saving is configured but has failed: what is written now would be lost with the process. `PING` is answered
    /// all the same, unlike in Redis, lest a full disk make somebody kill a process whose data are in memory only.
    pub(crate) fn cannot_save(&self) -> bool {
        !self.saving.last_ok && self.config.stop_writes_on_bgsave_error && !self.config.save.is_empty()
    }

    /// Recomputes whether [`Node::gate`] must look at the node's state at all.
    pub(crate) fn refresh_gates(&mut self) {
        if !self.is_replica() {
            self.repl.outdated = false;
        }
        self.gated = self.pause.is_some()
            || self.is_suspended()
            || self.loading.is_some()
            || self.ending.is_some()
            || self.repl.hold.is_some()
            || self.migration.is_some()
            || self.saving.reloading.is_some()
            || self.is_replica()
            || self.cannot_save()
            || self.config.min_replicas_to_write > 0;
    }

    fn queue(
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

    pub(crate) fn refuse(&mut self, out: &mut Vec<u8>, session: &mut Session, error: &Error) {
        if let Some(multi) = &mut session.multi {
            multi.aborted = true;
        }
        self.stats.count_error(error.code());
        Reply::new(out, session.proto).error(error.text());
    }

    /// Runs one command that has passed all gates and counts it. Its effects are not yet in the log.
    #[allow(clippy::too_many_arguments)]
    fn call(
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
        // The commands of a transaction are shown before the one that carries them out; and who leaves MONITOR with RESET is
        // shown nothing more.
        let shown_after = shown && matches!(command.name, "exec" | "reset");
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
        let mut ctx = Ctx {
            node: self,
            session,
            out: run.out,
            outs: run.outs,
            watch: run.watch,
            now: run.now,
            command,
            first_hash,
            in_transaction,
        };
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

    /// Looks up one command.
    pub(crate) fn prepare_one(&self, args: Args<'_, '_>) -> Prepared {
        Prepared { index: self.table.find(args.at(0)), hash: None }
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
            match self.gate(ctx.session, queued.command, args) {
                Gate::Refuse(error) => {
                    self.stats.commands[queued.index.slot()].rejected += 1;
                    self.refuse(ctx.out, ctx.session, &error);
                }
                Gate::Pass | Gate::Hold => {
                    self.call_inside(ctx, queued.args.as_args(), (queued.index, queued.command));
                    if self.is_suspended() {
                        return self.continue_after_suspended(queue.collect());
                    }
                }
            }
        }
    }

    /// What the batch's constant-time commands have cost, spread over them evenly.
    fn learn_fast_cost(&mut self, run: &Run<'_>) {
        if run.untimed == 0 {
            return;
        }
        let all = run.watch.read().since(run.now.mono).saturating_sub(run.timed);
        let mean = all / run.untimed;
        self.fast_cost = (self.fast_cost * 7 + mean) / 8;
    }

    /// Shows a command to everybody who monitors. Whoever monitors its own commands sees each before its reply, but not
    /// amid the replies of a transaction or a script.
    pub(crate) fn feed_monitors(
        &mut self,
        now: Now,
        session: &Session,
        command: &Command,
        args: Args<'_, '_>,
        (out, outs): (&mut Vec<u8>, &mut Outputs),
        amid: bool,
    ) {
        let from = if session.in_script {
            "lua".to_owned()
        } else if session.peer.unix {
            "unix:".to_owned() + &session.peer.laddr
        } else {
            session.peer.addr.clone()
        };
        let mut line = format!(
            "+{}.{:06} [{} {}]",
            now.wall_us / 1_000_000,
            now.wall_us % 1_000_000,
            session.db.0,
            from
        )
        .into_bytes();
        for i in 0..args.len() {
            line.push(b' ');
            crate::commands::quote_into(&mut line, shown(command, args, i));
        }
        line.extend_from_slice(b"\r\n");
        for &id in &self.monitors {
            if id == session.id && !amid && !session.in_script {
                out.extend_from_slice(&line);
            } else {
                outs.push(Output::Send { session: id, bytes: line.clone() });
            }
        }
    }
}

/// The running batch.
pub(crate) struct Run<'a> {
    pub(crate) now: Now,
    out: &'a mut Vec<u8>,
    pub(crate) outs: &'a mut Outputs,
    watch: &'a dyn Stopwatch,
    /// The command has been shown to those who monitor when it began to wait.
    again: bool,
    /// Time spent in commands that were timed by themselves.
    timed: Duration,
    /// Commands that were not.
    untimed: u32,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        now: Now,
        out: &'a mut Vec<u8>,
        outs: &'a mut Outputs,
        watch: &'a dyn Stopwatch,
    ) -> Run<'a> {
        Run { now, out, outs, watch, again: false, timed: Duration::ZERO, untimed: 0 }
    }
}

/// What `EXEC` runs its queue with.
pub(crate) struct QueueRun<'a> {
    pub(crate) now: Now,
    pub(crate) session: &'a mut Session,
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) outs: &'a mut Outputs,
    /// Times the commands of the queue one by one.
    pub(crate) watch: &'a dyn Stopwatch,
}

fn later(now: Now, by: Duration) -> Now {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Now { mono: now.mono + by, wall_us: now.wall_us.saturating_add(micros) }
}

/// A stopwatch that stands still.
pub(crate) struct Stopped(pub(crate) tanist_types::Mono);

impl Stopwatch for Stopped {
    fn read(&self) -> tanist_types::Mono {
        self.0
    }
}

/// Commands that act on the transaction itself are not queued.
fn is_queued(command: &Command) -> bool {
    !matches!(command.name, "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
}

/// Whether a replica that is only read from refuses it.
fn changes_data(session: &Session, command: &Command) -> bool {
    command.flags.has(Flags::WRITE)
        || command.name == "exec"
            && session
                .multi
                .as_ref()
                .is_some_and(|m| m.queue.iter().any(|q| q.command.flags.has(Flags::WRITE)))
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

fn allowed_while_subscribed(command: &Command) -> bool {
    matches!(
        command.name,
        "subscribe"
            | "unsubscribe"
            | "psubscribe"
            | "punsubscribe"
            | "ssubscribe"
            | "sunsubscribe"
            | "ping"
            | "quit"
            | "reset"
    )
}

/// Takes back the reply from `start` on if the client does not want it.
pub(crate) fn apply_reply_mode(session: &mut Session, out: &mut Vec<u8>, start: usize) {
    match session.reply_mode {
        ReplyMode::On => {}
        ReplyMode::Off => out.truncate(start),
        ReplyMode::SkipNext => {
            out.truncate(start);
            session.reply_mode = ReplyMode::Skip;
        }
        ReplyMode::Skip => {
            out.truncate(start);
            session.reply_mode = ReplyMode::On;
        }
    }
}

fn unknown_command(args: Args<'_, '_>) -> Error {
    const MOST: usize = 128;
    let name = printable(args.at(0), MOST);
    let mut shown = String::new();
    for arg in args.skip(1).iter() {
        if shown.len() >= MOST {
            break;
        }
        shown.push_str(&format!("'{}' ", printable(arg, MOST - shown.len())));
    }
    Error::new(format!("ERR unknown command '{name}', with args beginning with: {shown}"))
}

fn unknown_subcommand(container: &Command, name: &[u8]) -> Error {
    Error::new(format!(
        "ERR unknown subcommand '{}'. Try {} HELP.",
        printable(name, 128),
        container.name.to_uppercase()
    ))
}

/// The text of foreign bytes in an error reply, without line breaks.
fn printable(bytes: &[u8], most: usize) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(most)]).replace(['\r', '\n'], " ")
}
