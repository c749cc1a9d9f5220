//! The way of one command: look-up, gates, queue, execution, propagation, counting.
//!
//! A batch is run in windows ([`window`]); each command of one is looked up ([`lookup`]), passes the gates ([`gates`]), which
//! judge it by what it may do ([`nature`]), and is then carried out ([`call`]) or put into the queue of its session's transaction ([`queue`]).

mod call;
mod gates;
mod lookup;
mod monitors;
mod nature;
mod queue;
mod window;

use crate::blocking::waits_for_keys;
use crate::command::Command;
use crate::context::Ctx;
use crate::error::Error;
use crate::input::{Next, Ran, Stopwatch};
use crate::node::Node;
use crate::output::Outputs;
use crate::session::{ReplyMode, Session, SessionId, Waiting};
use gates::Gate;
use queue::is_queued;
use std::time::Duration;
use tanist_resp::{Args, Batch, Reply};
use tanist_types::Now;

pub(crate) use nature::Nature;
pub(crate) use queue::QueueRun;
pub(crate) use window::{Prepared, WINDOW};

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
            Err(_) if self.is_unknown(session) => self.refuse(run.out, session, &Error::NO_AUTH),
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

    pub(crate) fn refuse(&mut self, out: &mut Vec<u8>, session: &mut Session, error: &Error) {
        if let Some(multi) = &mut session.multi {
            multi.aborted = true;
        }
        self.stats.count_error(error.code());
        Reply::new(out, session.proto).error(error.text());
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

    /// Where a command of the batch runs that is not part of a transaction and whose first key is not hashed yet.
    #[inline]
    fn ctx<'c>(
        &'c mut self,
        node: &'c mut Node,
        session: &'c mut Session,
        command: &'static Command,
    ) -> Ctx<'c> {
        Ctx {
            node,
            session,
            out: self.out,
            outs: self.outs,
            watch: self.watch,
            now: self.now,
            command,
            first_hash: None,
            in_transaction: false,
        }
    }
}

/// A stopwatch that stands still.
pub(crate) struct Stopped(pub(crate) tanist_types::Mono);

impl Stopwatch for Stopped {
    fn read(&self) -> tanist_types::Mono {
        self.0
    }
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
