//! Scripts that run: by the rules for them, in slices, and suspended between slices.
//!
//! A script runs on a stack of its own (see `tanist-scripting`) and asks for each command, which is carried out here
//! like any other. One that takes long is suspended: the node goes on serving, but until the script has ended every
//! command that it might see or disturb waits, and after `busy-reply-threshold` is refused with `BUSY`. Its effects
//! are kept aside meanwhile and become one entry of the log at its end, so nobody sees half of them. One that is debugged
//! (`debugging`) is not suspended: the node stands still.

mod debugging;
mod rules;
mod suspended;

pub(crate) use debugging::debug;
pub(crate) use rules::Rules;
pub(crate) use suspended::{Suspended, suspend_transaction};

use crate::context::Ctx;
use crate::dispatch::QueueRun;
use crate::output::{LogLevel, Outputs};
use tanist_resp::Args;
use tanist_scripting::{Answer, Ask, Engine, Libraries, Purpose, Scripts, Step, Versions};
use tanist_types::{DbIndex, Now};

/// The bit of `redis.set_repl` that lets effects into the log (`REPL_REPLICA`).
const REPLICATE: u8 = 2;
/// The most commands that a script carries out in one slice.
const CALLS: u32 = 1000;

/// What scripts see of versions.
const VERSIONS: Versions =
    Versions { redis: crate::REDIS_VERSION, name: "tanist", valkey: crate::VALKEY_VERSION };

/// All scripts, functions, and the one that is suspended.
#[derive(Debug)]
pub(crate) struct Scripting {
    pub(crate) scripts: Scripts,
    pub(crate) libraries: Libraries,
    pub(crate) suspended: Option<Box<Suspended>>,
}

impl Default for Scripting {
    fn default() -> Scripting {
        Scripting { scripts: Scripts::new(VERSIONS), libraries: Libraries::new(VERSIONS), suspended: None }
    }
}

/// A script that runs.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) engine: Box<Engine>,
    pub(crate) purpose: Purpose,
    /// When it began. Its wall clock stands still.
    pub(crate) began: Now,
    pub(crate) rules: Rules,
    /// The database that it has selected.
    pub(crate) db: DbIndex,
    /// The answer that it waits for.
    pub(crate) answer: Answer,
    pub(crate) kill: bool,
}

/// Where a script has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    Paused,
    Done { failed: bool },
}

impl Script {
    /// Runs the script until it ends or its slice is over.
    fn slice(&mut self, ctx: &mut Ctx<'_>, may_pause: bool) -> Progress {
        let mut calls = 0;
        loop {
            match self.engine.resume(self.answer) {
                Step::Done { failed } => return Progress::Done { failed },
                Step::Asks(Ask::Call) => {
                    self.call(ctx);
                    self.answer = Answer::Go;
                    calls += 1;
                    if calls >= CALLS && may_pause || ctx.node.awaits_target() {
                        return Progress::Paused;
                    }
                }
                Step::Asks(Ask::Pause) => {
                    self.answer = if self.kill { Answer::Kill } else { Answer::Go };
                    if may_pause && !self.kill {
                        return Progress::Paused;
                    }
                }
                Step::Asks(Ask::Log) => {
                    let (request, _) = self.engine.request();
                    if let [level, text] = request {
                        log_line(ctx.outs, level.first().map_or(2, |b| b.wrapping_sub(b'0')), text);
                    }
                    self.answer = Answer::Go;
                }
                Step::Asks(Ask::Tell) => {
                    debugging::tell(ctx.watch, self.engine.request().0);
                    self.answer = Answer::Go;
                }
                Step::Asks(Ask::Hear) => {
                    self.answer = debugging::hear(ctx.watch, self.engine.request().1);
                }
                Step::Asks(Ask::Clock) => {
                    self.answer = Answer::Seconds(ctx.watch.read().nanos() as f64 / 1e9);
                }
                Step::Asks(Ask::Check) => {
                    let (request, _) = self.engine.request();
                    self.answer = ctx.node.check_for_script(ctx.session, Args::from_slices(request));
                }
            }
        }
    }

    /// Whether what the script does now goes into the log.
    fn replicates(&self) -> bool {
        self.engine.repl() & REPLICATE != 0
    }

    /// Carries out the command that the script asks for.
    fn call(&mut self, ctx: &mut Ctx<'_>) {
        let (proto, replicate) = (self.engine.proto(), self.replicates());
        let (request, reply) = self.engine.request();
        let session = &mut *ctx.session;
        let (own_db, own_proto) = (session.db, session.proto);
        (session.db, session.proto) = (self.db, proto);
        let (last_command, commands) = (session.last_command, session.commands);
        session.in_script = true;
        // What is not to be replicated goes nowhere.
        let kept = (!replicate).then(|| std::mem::take(&mut ctx.node.effects));
        let mut run =
            QueueRun { now: ctx.now, session: ctx.session, out: reply, outs: ctx.outs, watch: ctx.watch };
        ctx.node.call_from_script(&mut run, Args::from_slices(request), &mut self.rules);
        if let Some(kept) = kept {
            ctx.node.effects = kept;
        }
        let session = &mut *ctx.session;
        session.in_script = false;
        self.db = session.db;
        (session.db, session.proto) = (own_db, own_proto);
        (session.last_command, session.commands) = (last_command, commands);
    }
}

/// Writes a line that a script wants logged.
pub(crate) fn log_line(outs: &mut Outputs, level: u8, text: &[u8]) {
    let level = match level {
        0 => LogLevel::Debug,
        1 => LogLevel::Verbose,
        2 => LogLevel::Notice,
        _ => LogLevel::Warning,
    };
    outs.log(level, format!("<lua> {}", String::from_utf8_lossy(text)));
}

/// Runs a script that has been begun in its state, and answers its caller, or suspends it.
pub(crate) fn run(ctx: &mut Ctx<'_>, mut script: Script, args: Args<'_, '_>) {
    // What the primary's log holds is not interrupted, nor what is debugged.
    let may_pause = !ctx.session.is_primary() && !script.rules.debugged;
    match script.slice(ctx, may_pause) {
        Progress::Done { failed } => finish(ctx, script, failed),
        Progress::Paused => {
            suspended::suspend(ctx, script, args);
        }
    }
}

/// Writes the reply of a script that has ended, and gives its state back.
fn finish(ctx: &mut Ctx<'_>, script: Script, failed: bool) {
    ctx.out.extend_from_slice(script.engine.output());
    for code in script.engine.uncounted_errors() {
        ctx.node.stats.count_error(&String::from_utf8_lossy(code));
    }
    if failed {
        ctx.node.count_failed(ctx.command);
    }
    match script.purpose {
        Purpose::Scripts => ctx.node.scripting.scripts.return_engine(script.engine),
        Purpose::Functions => ctx.node.scripting.libraries.return_engine(script.engine),
    }
}
