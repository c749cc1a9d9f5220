//! A script between two slices: what waits for it, and how it goes on.

use super::{Progress, Script, finish};
use crate::command::Command;
use crate::context::Ctx;
use crate::dispatch::QueueRun;
use crate::error::Error;
use crate::input::Stopwatch;
use crate::log::Effects;
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::{ReplyMode, Session, SessionId, Waiting};
use crate::transaction::Queued;
use std::time::Duration;
use tanist_resp::Args;
use tanist_scripting::{Purpose, sha1};
use tanist_types::Now;

/// A script between two slices, and what follows it.
#[derive(Debug)]
pub(crate) struct Suspended {
    pub(crate) script: Script,
    /// The digest of a script or the name of a function.
    pub(crate) name: String,
    /// The command that runs it.
    command: &'static Command,
    /// The words of that command, for `FUNCTION STATS`.
    pub(crate) words: Vec<Vec<u8>>,
    session: SessionId,
    /// The session, once its connection has ended.
    orphan: Option<Box<Session>>,
    effects: Effects,
    in_transaction: bool,
    /// What is left of the transaction that it is part of.
    queue: Vec<Queued>,
    /// The client does not want the reply.
    muted: bool,
    /// Other clients are told.
    busy: bool,
    /// What has come from the primary meanwhile, by connection.
    held: Vec<(u64, Vec<u8>)>,
}

/// Puts a script aside whose slice is over; its session waits for it.
pub(super) fn suspend(ctx: &mut Ctx<'_>, script: Script, args: Args<'_, '_>) {
    ctx.session.waiting = Some(Waiting::Script);
    ctx.node.scripting.suspended = Some(Box::new(Suspended {
        name: name(&script, args),
        command: ctx.command,
        words: args.iter().map(<[u8]>::to_vec).collect(),
        session: ctx.session.id,
        orphan: None,
        effects: std::mem::take(&mut ctx.node.effects),
        in_transaction: ctx.in_transaction,
        queue: Vec::new(),
        muted: !matches!(ctx.session.reply_mode, ReplyMode::On | ReplyMode::SkipNext),
        busy: false,
        held: Vec::new(),
        script,
    }));
    ctx.node.refresh_gates();
}

/// What a script is called in messages.
fn name(script: &Script, args: Args<'_, '_>) -> String {
    let word = args.at(1);
    let name = match script.purpose {
        Purpose::Scripts if sha1::parse_hex(word).is_none() => sha1::hex(&sha1::digest(word)).to_vec(),
        Purpose::Scripts => word.to_ascii_lowercase(),
        Purpose::Functions => word.to_vec(),
    };
    String::from_utf8_lossy(&name).into_owned()
}

impl Suspended {
    /// What commands are told that cannot run.
    pub(crate) fn busy_error(&self) -> Error {
        match self.script.purpose {
            Purpose::Scripts => Error::BUSY_SCRIPT,
            Purpose::Functions => Error::BUSY_FUNCTION,
        }
    }

    /// For how long it has been running.
    pub(crate) fn running_for(&self, now: Now) -> Duration {
        now.mono.since(self.script.began.mono)
    }
}

impl Node {
    /// Whether a script is suspended: data may be in the middle of its changes.
    pub(crate) fn script_is_suspended(&self) -> bool {
        self.scripting.suspended.is_some()
    }

    /// What becomes of a command while a script is suspended: it waits, or is refused if the script has been running
    /// for too long.
    pub(crate) fn busy(&self) -> Option<Option<Error>> {
        let suspended = self.scripting.suspended.as_ref()?;
        Some(suspended.busy.then(|| suspended.busy_error()))
    }

    /// The next slice of a suspended script, and what follows its end.
    pub(crate) fn script_slice(&mut self, now: Now, outs: &mut Outputs, watch: &dyn Stopwatch) {
        let Some(mut suspended) = self.scripting.suspended.take() else { return };
        self.note_busy(&mut suspended, now, outs);
        let orphan = suspended.orphan.take();
        let orphaned = orphan.is_some();
        let Some(mut session) = orphan.or_else(|| self.sessions.take(suspended.session)) else {
            self.scripting.suspended = Some(suspended);
            return;
        };
        self.effects = std::mem::take(&mut suspended.effects);
        let began = suspended.script.began;
        let mut out = Vec::new();
        let mut ctx = Ctx {
            node: self,
            session: &mut session,
            out: &mut out,
            outs,
            watch,
            now: Now { mono: now.mono, wall_us: began.wall_us },
            command: suspended.command,
            first_hash: None,
            in_transaction: suspended.in_transaction,
        };
        let failed = match suspended.script.slice(&mut ctx, true) {
            Progress::Done { failed } => failed,
            Progress::Paused => {
                suspended.effects = std::mem::take(&mut self.effects);
                self.put_away(session, orphaned, &mut suspended);
                self.scripting.suspended = Some(suspended);
                return;
            }
        };
        let Suspended { script, queue, muted, held, words, command, .. } = *suspended;
        finish(&mut ctx, script, failed);
        session.waiting = None;
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        self.note_script_cost(now, &session, command, Args::from_slices(&words), now.mono.since(began.mono));
        if !queue.is_empty() {
            let mut run = QueueRun { now, session: &mut session, out: &mut out, outs, watch };
            self.run_queue(&mut run, queue);
        }
        if let Some(next) = &mut self.scripting.suspended {
            // Another script of the same transaction.
            (next.muted, next.held) = (muted, held);
            if !muted && !orphaned {
                outs.push(Output::Send { session: session.id, bytes: out });
            }
            if orphaned {
                next.orphan = Some(session);
            } else {
                self.sessions.put_back(session);
            }
            return;
        }
        self.script_over(session, orphaned, (!muted).then_some(out), held, now, outs);
    }

    /// Puts a session back, or with the script if its connection has ended.
    fn put_away(&mut self, session: Box<Session>, orphaned: bool, suspended: &mut Suspended) {
        if orphaned {
            suspended.orphan = Some(session);
        } else {
            self.sessions.put_back(session);
        }
    }

    /// A script that was suspended has ended, and the transaction around it: everything goes on.
    fn script_over(
        &mut self,
        mut session: Box<Session>,
        orphaned: bool,
        reply: Option<Vec<u8>>,
        held: Vec<(u64, Vec<u8>)>,
        now: Now,
        outs: &mut Outputs,
    ) {
        if !self.effects.is_empty() {
            self.commit_effects(outs);
            session.last_write = self.repl.end();
        }
        let id = session.id;
        if !orphaned {
            session.bytes_out += reply.as_ref().map_or(0, Vec::len) as u64;
            self.sessions.put_back(session);
            if let Some(bytes) = reply {
                outs.push(Output::Send { session: id, bytes });
            }
            outs.push(Output::Resume(id));
        }
        self.refresh_gates();
        self.release_paused(outs);
        for (attempt, bytes) in held {
            self.primary_bytes(now, attempt, &bytes, outs);
        }
        self.after_batch(now, outs);
    }

    /// After `busy-reply-threshold` those who wait are told.
    fn note_busy(&mut self, suspended: &mut Suspended, now: Now, outs: &mut Outputs) {
        let threshold = self.config.busy_reply_threshold;
        let running = suspended.running_for(now);
        if suspended.busy || threshold == 0 || running < Duration::from_millis(threshold) {
            return;
        }
        suspended.busy = true;
        let command = match suspended.script.purpose {
            Purpose::Scripts => "SCRIPT KILL",
            Purpose::Functions => "FUNCTION KILL",
        };
        outs.log(
            LogLevel::Warning,
            format!(
                "Slow script detected: still in execution after {} milliseconds. You can try killing the script \
                 using the {command} command. Script name is: {}.",
                running.as_millis(),
                suspended.name
            ),
        );
        self.release_paused(outs);
    }

    /// A connection has ended; if its script is suspended, that goes on for nobody.
    pub(crate) fn orphan_script(&mut self, session: Box<Session>) {
        if let Some(suspended) = self.scripting.suspended.as_mut().filter(|s| s.session == session.id) {
            suspended.orphan = Some(session);
        }
    }

    /// Keeps what comes from the primary until the script has ended; `false` if none is suspended.
    pub(crate) fn hold_for_script(&mut self, attempt: u64, bytes: &[u8]) -> bool {
        let Some(suspended) = &mut self.scripting.suspended else { return false };
        suspended.held.push((attempt, bytes.to_vec()));
        true
    }

    /// Counts a failed call of a command.
    pub(super) fn count_failed(&mut self, command: &'static Command) {
        if let Some((index, _)) = self.table.all().find(|(_, c)| std::ptr::eq(*c, command)) {
            self.stats.commands[index.slot()].failed += 1;
        }
    }

    /// Notes what a script that was suspended has cost from its beginning to its end.
    fn note_script_cost(
        &mut self,
        now: Now,
        session: &Session,
        command: &'static Command,
        args: Args<'_, '_>,
        cost: Duration,
    ) {
        let found = self.table.all().find(|(_, c)| std::ptr::eq(*c, command));
        if let Some((index, _)) = found {
            self.stats.commands[index.slot()].time += cost;
            self.note_cost(now, session, (index, command), args, cost);
        }
    }

    /// What is left of a transaction waits for the script in it.
    pub(crate) fn continue_after_script(&mut self, rest: Vec<Queued>) {
        if let Some(suspended) = &mut self.scripting.suspended {
            suspended.queue = rest;
        }
    }

    /// `SCRIPT KILL` and `FUNCTION KILL`.
    pub(crate) fn kill_script(&mut self, purpose: Purpose) -> Result<(), Error> {
        let Some(suspended) = &mut self.scripting.suspended else {
            return Err(Error::new("NOTBUSY No scripts in execution right now."));
        };
        if suspended.script.rules.wrote {
            return Err(Error::new(
                "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either \
                 wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
            ));
        }
        if suspended.script.purpose != purpose {
            return Err(suspended.busy_error());
        }
        suspended.script.kill = true;
        Ok(())
    }
}
