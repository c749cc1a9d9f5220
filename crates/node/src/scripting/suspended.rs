//! A script between two slices, or at its `MIGRATE`, and a transaction at its `MIGRATE`: what waits for it, and how it
//! goes on. Nobody sees or disturbs the data meanwhile.

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
use tanist_types::{DbIndex, Now};

/// A script between two slices, or a transaction at its `MIGRATE`, and what follows it.
#[derive(Debug)]
pub(crate) struct Suspended {
    what: What,
    /// It goes on only when the target of its `MIGRATE` has answered.
    awaits_target: bool,
    session: SessionId,
    /// The session, once its connection has ended.
    orphan: Option<Box<Session>>,
    effects: Effects,
    /// What is left of the transaction that it is or is part of.
    queue: Vec<Queued>,
    /// The client does not want the reply.
    muted: bool,
    /// What has come from the primary meanwhile, by connection.
    held: Vec<(u64, Vec<u8>)>,
}

/// What is suspended.
#[derive(Debug)]
enum What {
    Script(SuspendedScript),
    /// A transaction at its `MIGRATE`, and the reply to that once it is there.
    Migrate(Vec<u8>),
}

/// A script between two slices.
#[derive(Debug)]
pub(crate) struct SuspendedScript {
    pub(crate) script: Script,
    /// The digest of a script or the name of a function.
    pub(crate) name: String,
    /// The command that runs it.
    command: &'static Command,
    /// The words of that command, for `FUNCTION STATS`.
    pub(crate) words: Vec<Vec<u8>>,
    in_transaction: bool,
    /// Other clients are told.
    busy: bool,
}

/// Puts a script aside whose slice is over; its session waits for it.
pub(super) fn suspend(ctx: &mut Ctx<'_>, script: Script, args: Args<'_, '_>) {
    let what = What::Script(SuspendedScript {
        name: name(&script, args),
        command: ctx.command,
        words: args.iter().map(<[u8]>::to_vec).collect(),
        in_transaction: ctx.in_transaction,
        busy: false,
        script,
    });
    put_aside(ctx, what, ctx.node.awaits_target());
}

/// Puts the running transaction aside until the target of its `MIGRATE` has answered.
pub(crate) fn suspend_transaction(ctx: &mut Ctx<'_>) {
    put_aside(ctx, What::Migrate(Vec::new()), true);
}

fn put_aside(ctx: &mut Ctx<'_>, what: What, awaits_target: bool) {
    ctx.session.waiting = Some(Waiting::Suspended);
    ctx.node.scripting.suspended = Some(Box::new(Suspended {
        what,
        awaits_target,
        session: ctx.session.id,
        orphan: None,
        effects: std::mem::take(&mut ctx.node.effects),
        queue: Vec::new(),
        muted: !matches!(ctx.session.reply_mode, ReplyMode::On | ReplyMode::SkipNext),
        held: Vec::new(),
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

impl SuspendedScript {
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
    /// Whether a script or a transaction is suspended: data may be in the middle of its changes.
    pub(crate) fn is_suspended(&self) -> bool {
        self.scripting.suspended.is_some()
    }

    /// Whether what is suspended can go on at once.
    pub(crate) fn has_slice_to_run(&self) -> bool {
        self.scripting.suspended.as_ref().is_some_and(|s| !s.awaits_target)
    }

    /// The script that is suspended.
    pub(crate) fn suspended_script(&self) -> Option<&SuspendedScript> {
        match &self.scripting.suspended.as_ref()?.what {
            What::Script(script) => Some(script),
            What::Migrate(_) => None,
        }
    }

    /// What becomes of a command while a script or a transaction is suspended: it waits, or is refused if a script has
    /// been running for too long.
    pub(crate) fn busy(&self) -> Option<Option<Error>> {
        self.scripting.suspended.as_ref()?;
        Some(self.suspended_script().filter(|script| script.busy).map(SuspendedScript::busy_error))
    }

    /// The next slice of what is suspended, and what follows its end.
    pub(crate) fn suspended_slice(&mut self, now: Now, outs: &mut Outputs, watch: &dyn Stopwatch) {
        let Some(mut suspended) = self.scripting.suspended.take() else { return };
        self.note_busy(&mut suspended, now, outs);
        if suspended.awaits_target {
            self.scripting.suspended = Some(suspended);
            return;
        }
        let orphan = suspended.orphan.take();
        let orphaned = orphan.is_some();
        let Some(mut session) = orphan.or_else(|| self.sessions.take(suspended.session)) else {
            self.scripting.suspended = Some(suspended);
            return;
        };
        self.effects = std::mem::take(&mut suspended.effects);
        let mut out = Vec::new();
        let mut run = QueueRun { now, session: &mut session, out: &mut out, outs, watch };
        if let Some(what) = self.go_on(&mut run, suspended.what) {
            suspended.what = what;
            suspended.awaits_target = self.awaits_target();
            suspended.effects = std::mem::take(&mut self.effects);
            self.put_away(session, orphaned, &mut suspended);
            self.scripting.suspended = Some(suspended);
            return;
        }
        let Suspended { queue, muted, held, .. } = *suspended;
        session.waiting = None;
        if !queue.is_empty() {
            let mut run = QueueRun { now, session: &mut session, out: &mut out, outs, watch };
            self.run_queue(&mut run, queue);
        }
        if let Some(next) = &mut self.scripting.suspended {
            // Another one of the same transaction.
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
        self.suspension_over(session, orphaned, (!muted).then_some(out), held, now, outs);
    }

    /// Runs a slice of a script, whose reply is written at its end, or writes the reply to a `MIGRATE`. Gives back what
    /// has not ended.
    fn go_on(&mut self, run: &mut QueueRun<'_>, what: What) -> Option<What> {
        let mut suspended = match what {
            What::Script(script) => script,
            What::Migrate(reply) => {
                run.out.extend_from_slice(&reply);
                return None;
            }
        };
        let began = suspended.script.began;
        let mut ctx = Ctx {
            node: self,
            session: run.session,
            out: run.out,
            outs: run.outs,
            watch: run.watch,
            now: Now { mono: run.now.mono, wall_us: began.wall_us },
            command: suspended.command,
            first_hash: None,
            in_transaction: suspended.in_transaction,
        };
        let failed = match suspended.script.slice(&mut ctx, true) {
            Progress::Done { failed } => failed,
            Progress::Paused => return Some(What::Script(suspended)),
        };
        let cost = suspended.running_for(run.now);
        finish(&mut ctx, suspended.script, failed);
        let words: Vec<&[u8]> = suspended.words.iter().map(Vec::as_slice).collect();
        self.note_script_cost(run.now, run.session, suspended.command, Args::from_slices(&words), cost);
        None
    }

    /// Puts a session back, or with the script if its connection has ended.
    fn put_away(&mut self, session: Box<Session>, orphaned: bool, suspended: &mut Suspended) {
        if orphaned {
            suspended.orphan = Some(session);
        } else {
            self.sessions.put_back(session);
        }
    }

    /// What was suspended has ended, and the transaction around it: everything goes on.
    fn suspension_over(
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
        let What::Script(suspended) = &mut suspended.what else { return };
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

    /// A connection has ended; if its script or transaction is suspended, that goes on for nobody.
    pub(crate) fn orphan_suspended(&mut self, session: Box<Session>) {
        if let Some(suspended) = self.scripting.suspended.as_mut().filter(|s| s.session == session.id) {
            suspended.orphan = Some(session);
        }
    }

    /// Keeps what comes from the primary until what is suspended has ended; `false` if nothing is.
    pub(crate) fn hold_for_suspended(&mut self, attempt: u64, bytes: &[u8]) -> bool {
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

    /// What is left of a transaction waits for the part of it that is suspended.
    pub(crate) fn continue_after_suspended(&mut self, rest: Vec<Queued>) {
        if let Some(suspended) = &mut self.scripting.suspended {
            suspended.queue = rest;
        }
    }

    /// `SCRIPT KILL` and `FUNCTION KILL`.
    pub(crate) fn kill_script(&mut self, purpose: Purpose) -> Result<(), Error> {
        let Some(What::Script(suspended)) = self.scripting.suspended.as_mut().map(|s| &mut s.what) else {
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

    /// The target of a suspended `MIGRATE` has answered, or never will: this is the reply.
    pub(crate) fn answer_suspended(&mut self, reply: &[u8]) {
        if let Some(suspended) = &mut self.scripting.suspended {
            suspended.awaits_target = false;
            match &mut suspended.what {
                What::Script(script) => script.script.engine.request().1.extend_from_slice(reply),
                What::Migrate(room) => room.extend_from_slice(reply),
            }
        }
    }

    /// Adds an effect to those of what is suspended, unless its script wants none in the log.
    pub(crate) fn add_suspended_effect(&mut self, db: DbIndex, args: &[&[u8]]) {
        let logging = self.is_logging();
        if let Some(suspended) = &mut self.scripting.suspended {
            let wanted = match &suspended.what {
                What::Script(script) => script.script.replicates(),
                What::Migrate(_) => true,
            };
            if logging && wanted {
                suspended.effects.add(db, args);
            }
        }
    }
}
