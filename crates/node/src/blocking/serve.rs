//! Serving who waits, once a key is ready; and what else ends a wait.

use super::queues::QueueId;
use super::{Waiter, Wanted};
use crate::dispatch::{Run, Stopped, apply_reply_mode};
use crate::error::Error;
use crate::input::Stopwatch;
use crate::node::Node;
use crate::output::{Output, Outputs};
use crate::session::{ReplyMode, Session, SessionId, Waiting};
use tanist_resp::Reply;
use tanist_types::Now;

/// What became of a command that was run again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// It is over, or waits on.
    Ran,
    /// Something holds it back; it has not run.
    Held,
}

impl Node {
    /// Whether [`Node::serve_ready`] has anything to do. In the middle of a script or a
    /// transaction nobody else may change the data.
    #[inline]
    pub(crate) fn has_somebody_to_serve(&self) -> bool {
        !self.blocking.ready.is_empty() && !self.is_suspended()
    }

    /// Runs the commands again that wait for keys that have changed; see the module's comment. Called when a command is
    /// over and in the log, and after every other step.
    #[inline]
    pub(crate) fn serve_ready(&mut self, now: Now, watch: &dyn Stopwatch, outs: &mut Outputs) {
        if !self.has_somebody_to_serve() {
            return;
        }
        while let Some(queue) = self.blocking.ready.pop_front() {
            self.blocking.queues.set_ready(queue, false);
            self.serve(queue, now, watch, outs);
        }
    }

    /// [`Node::serve_ready`] where nothing else hands new entries of the log to the replicas.
    pub(crate) fn serve_after_step(&mut self, now: Now, outs: &mut Outputs) {
        if self.has_somebody_to_serve() {
            self.serve_ready(now, &Stopped(now.mono), outs);
            self.after_batch(now, outs);
        }
    }

    /// Everybody who waits at one queue and wants what is there. Whoever waits on afterwards has had its turn.
    fn serve(&mut self, queue: QueueId, now: Now, watch: &dyn Stopwatch, outs: &mut Outputs) {
        self.expire_at(queue, now, outs);
        let mut held = false;
        let mut next = self.blocking.queues.first(queue);
        let mut there = self.found_at(queue, now);
        while let Some(place) = next {
            if there.is_none() && !self.blocking.queues.is_for_gone(queue) {
                break;
            }
            // Running a command frees its own places at most.
            next = self.blocking.queues.after(place);
            let Some(id) = self.blocking.queues.session(place) else { break };
            let wait = self.blocking.waiters.get(&id).map(|waiter| waiter.wait);
            if wait.is_some_and(|wait| there == Some(wait.wanted) || wait.or_gone) {
                held |= self.run_again(id, now, watch, outs) == Again::Held;
                there = self.found_at(queue, now);
            }
        }
        if held {
            self.blocking.held.push(queue);
        }
    }

    /// Removes what is at a queue's key if it is past its time: that is nothing to be served with.
    fn expire_at(&mut self, queue: QueueId, now: Now, outs: &mut Outputs) {
        let Some((db, key)) = self.blocking.queues.key(queue) else { return };
        let hash = self.data.hash(key);
        if !self.is_paused_for_expiry() && self.is_to_expire(db, key, hash, now.wall()) {
            let key: Box<[u8]> = key.into();
            self.expire(db, &key, hash, outs);
            self.commit_effects(outs);
        }
    }

    /// What is at a queue's key that anybody may want.
    fn found_at(&self, queue: QueueId, now: Now) -> Option<Wanted> {
        let (db, key) = self.blocking.queues.key(queue)?;
        let entry = self.find_live(db, key, self.data.hash(key), now.wall())?;
        Wanted::of(entry.value())
    }

    /// Runs the command of a session that waits from the beginning.
    fn run_again(&mut self, id: SessionId, now: Now, watch: &dyn Stopwatch, outs: &mut Outputs) -> Again {
        let Some(mut session) = self.sessions.take(id) else { return Again::Ran };
        let Some(args) = self.blocking.waiters.get_mut(&id).and_then(|waiter| waiter.args.take()) else {
            self.sessions.put_back(session);
            return Again::Ran;
        };
        let waiting = session.waiting.take();
        let mut out = Vec::new();
        let mut run = Run::new(now, &mut out, outs, watch);
        let ran = self.command_again(&mut run, &mut session, args.as_args());
        if !ran {
            session.waiting = waiting;
        }
        match self.blocking.waiters.get_mut(&id) {
            Some(Waiter { args: slot, .. }) if session.waiting.is_some() => {
                *slot = Some(args);
                self.send_behind(&mut session, outs);
            }
            _ => {
                self.blocking.forget(id);
                self.send_late(&mut session, out, outs);
                self.send_behind(&mut session, outs);
                outs.push(Output::Resume(id));
            }
        }
        self.sessions.put_back(session);
        if ran { Again::Ran } else { Again::Held }
    }

    /// Sends what a command has brought up that is no reply: it follows in any case.
    fn send_behind(&mut self, session: &mut Session, outs: &mut Outputs) {
        let mut pushes = std::mem::take(&mut self.behind_reply);
        if session.tracking.is_some() || self.tracking.has_pending() {
            self.end_tracked_command(session, &mut pushes, outs);
        }
        if !pushes.is_empty() {
            session.bytes_out += pushes.len() as u64;
            outs.push(Output::Send { session: session.id, bytes: pushes });
        }
    }

    /// Sends the reply of a command that has waited.
    fn send_late(&mut self, session: &mut Session, mut reply: Vec<u8>, outs: &mut Outputs) {
        if session.reply_mode != ReplyMode::On {
            apply_reply_mode(session, &mut reply, 0);
        }
        session.bytes_out += reply.len() as u64;
        if !reply.is_empty() {
            outs.push(Output::Send { session: session.id, bytes: reply });
        }
    }

    /// Ends the wait of one session for keys, as its time-out would or with an error; says whether it waited for any.
    pub(crate) fn unblock(&mut self, id: SessionId, error: Option<&Error>, outs: &mut Outputs) -> bool {
        if !self.blocking.forget(id) {
            return false;
        }
        let Some(mut session) = self.sessions.take(id) else { return false };
        session.waiting = None;
        session.commands += 1;
        self.stats.total_commands += 1;
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, session.proto);
        match error {
            None => reply.null_array(),
            Some(error) => {
                reply.error(error.text());
                self.stats.count_error(error.code());
            }
        }
        if let Some(index) = session.last_command.and_then(|c| self.table.index_of(c)) {
            let stats = &mut self.stats.commands[index.slot()];
            stats.calls += 1;
            stats.failed += u64::from(error.is_some());
        }
        self.send_late(&mut session, out, outs);
        outs.push(Output::Resume(id));
        self.sessions.put_back(session);
        true
    }

    /// The node is a primary no more: what was waited for will come to another one.
    pub(crate) fn unblock_all(&mut self, outs: &mut Outputs) {
        let mut ids: Vec<SessionId> = self.blocking.waiters.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.unblock(id, Some(&Error::UNBLOCKED), outs);
        }
    }

    /// Answers those whose time is up.
    pub(crate) fn blocking_tick(&mut self, now: Now, outs: &mut Outputs) {
        while let Some(&(at, id)) = self.blocking.deadlines.first()
            && at <= now.mono
        {
            if !self.unblock(id, None, outs) {
                self.blocking.deadlines.remove(&(at, id));
            }
        }
    }
}

/// Whether a session waits for keys, and not for something else.
pub(crate) fn waits_for_keys(node: &Node, session: &Session) -> bool {
    matches!(session.waiting, Some(Waiting::Blocked { .. })) && node.blocking.holds(session.id)
}
