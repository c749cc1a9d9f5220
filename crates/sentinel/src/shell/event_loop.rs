//! The one place where the core is stepped: wait for an input or a deadline, step, carry out what comes out.

use super::disk::Disk;
use super::links::{self, Links};
use super::scripts::Scripts;
use super::sessions::{Accepted, Sessions};
use super::usage::{self, Turns};
use crate::core::{Input, Level, Output, Sentinel, wants_usage};
use tanist_runtime::signals::Signals;
use tanist_runtime::{Clock, log};
use tanist_types::Mono;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;

/// Everything that carries out outputs.
pub(super) struct Shell {
    pub(super) clock: Clock,
    pub(super) log: log::Handle,
    pub(super) disk: Disk,
    pub(super) links: Links,
    pub(super) sessions: Sessions,
    pub(super) scripts: Scripts,
    pub(super) turns: Turns,
    pub(super) inputs: UnboundedSender<Input>,
}

impl Shell {
    /// Runs until the core says to end; returns the exit status.
    pub(super) async fn run(
        mut self,
        mut core: Sentinel,
        mut inputs: UnboundedReceiver<Input>,
        mut accepted: UnboundedReceiver<Accepted>,
        mut signals: Signals,
    ) -> u8 {
        let mut outputs = Vec::new();
        let mut input = Some(Input::Tick);
        loop {
            let now = self.clock.now();
            let command = matches!(input, Some(Input::Command { .. }));
            if let Some(input) = input {
                self.note(&input, now.mono);
                if wants_usage(&input) {
                    let used = usage::read(&self.turns, &self.sessions, now.mono);
                    core.step(now, Input::Used(used), &mut outputs);
                }
                core.step(now, input, &mut outputs);
            }
            self.log_level(&core);
            if let Some(status) = self.perform(&mut outputs, now.mono) {
                return status;
            }
            self.turns.note(now.mono, self.clock.mono(), command);
            input = self.next(&core, &mut inputs, &mut accepted, &mut signals).await;
        }
    }

    async fn next(
        &mut self,
        core: &Sentinel,
        inputs: &mut UnboundedReceiver<Input>,
        accepted: &mut UnboundedReceiver<Accepted>,
        signals: &mut Signals,
    ) -> Option<Input> {
        let deadline = core.next_deadline().and_then(|(at, _)| self.clock.instant(at)).map(Instant::from_std);
        let sleep = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(input) = inputs.recv() => Some(input),
            Some(stream) = accepted.recv() => self.sessions.open(stream),
            () = sleep => Some(Input::Tick),
            stop = signals.stop() => {
                tracing::warn!("Received {} scheduling shutdown...", stop.name());
                Some(Input::Terminate)
            }
        }
    }

    /// What concerns the shell's own books, before the core hears of it.
    fn note(&mut self, input: &Input, now: Mono) {
        match input {
            Input::LinkDown { link, .. } => self.links.ended(*link),
            Input::SessionClosed { session } => self.sessions.closed(*session),
            Input::Received { bytes, .. } => self.sessions.received(*bytes, now),
            Input::ScriptEnded { script, .. } => self.scripts.ended(*script),
            _ => {}
        }
    }

    fn log_level(&self, core: &Sentinel) {
        if let Some(level) = log::Level::parse(core.log_level()) {
            self.log.set_level(level);
        }
    }

    fn perform(&mut self, outputs: &mut Vec<Output>, now: Mono) -> Option<u8> {
        let mut status = None;
        for output in outputs.drain(..) {
            match output {
                Output::Connect { link, host, port } => self.links.connect(link, host, port),
                Output::Disconnect { link } => self.links.disconnect(link),
                Output::Send { link, bytes } => self.links.send(link, bytes),
                Output::Reply { session, bytes } => self.sessions.reply(session, bytes, now),
                Output::Hangup { session } => self.sessions.hang_up(session),
                Output::Persist { id, text } => self.disk.write(id, text),
                Output::Log { level, line } => write_log(level, &line),
                Output::Resolve { host } => self.look_up(host),
                Output::RunScript { script, path, args } => self.scripts.run(script, &path, &args),
                Output::KillScript { script } => self.scripts.kill(script),
                Output::Exit { status: code } => status = status.or(Some(code)),
            }
        }
        status
    }

    fn look_up(&self, host: String) {
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            let ip = links::resolve(&host).await;
            let _ = inputs.send(Input::Resolved { host, ip });
        });
    }
}

fn write_log(level: Level, line: &str) {
    match level {
        Level::Debug => tracing::trace!("{line}"),
        Level::Verbose => tracing::debug!("{line}"),
        Level::Notice => tracing::info!("{line}"),
        Level::Warning => tracing::warn!("{line}"),
    }
}
