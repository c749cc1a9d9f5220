//! Ending in order: writes stop, replicas catch up, the data are saved if asked, the process exits.
//!
//! Each step is an enum variant that names what is awaited; `SHUTDOWN ABORT` leads back from all of them.

use crate::error::Error;
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::SessionId;
use crate::snapshot::SaveKind;
use std::time::Duration;
use tanist_types::{Mono, Now};

/// How the end is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ShutdownRequest {
    /// Save or not; `None`: save if there are save points.
    pub save: Option<bool>,
    /// Do not wait for replicas.
    pub now: bool,
    /// End even if saving fails.
    pub force: bool,
}

/// An end that is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shutdown {
    request: ShutdownRequest,
    /// The session that asked, which is answered if nothing comes of it.
    by: Option<SessionId>,
    awaits: Awaits,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Awaits {
    /// Replicas to acknowledge the log's end, or the deadline.
    Replicas { until: Mono },
    /// The snapshot file.
    Save,
}

impl Shutdown {
    /// When something is due even if nothing happens.
    pub(crate) fn deadline(&self) -> Mono {
        match self.awaits {
            Awaits::Replicas { until } => until,
            Awaits::Save => Mono::NEVER,
        }
    }
}

impl Node {
    /// Begins to end, on behalf of a session or of a signal.
    pub fn shutdown(
        &mut self,
        now: Now,
        request: ShutdownRequest,
        by: Option<SessionId>,
        outs: &mut Outputs,
    ) {
        outs.log(LogLevel::Warning, "User requested shutdown...");
        let patience = if request.now { 0 } else { self.config.shutdown_timeout };
        let until = now.mono + Duration::from_secs(u64::from(patience));
        self.ending = Some(Shutdown { request, by, awaits: Awaits::Replicas { until } });
        self.refresh_gates();
        self.shutdown_step(now, outs);
    }

    /// A signal asks to end. It belongs to what is done by time, and waits while that does (`DEBUG PAUSE-CRON`).
    pub fn shutdown_by_signal(&mut self, now: Now, request: ShutdownRequest, outs: &mut Outputs) {
        if self.cron_paused {
            self.signalled = Some(request);
        } else {
            self.shutdown(now, request, None, outs);
        }
    }

    /// Obeys a signal that has waited.
    pub(crate) fn obey_signal(&mut self, now: Now, outs: &mut Outputs) {
        if let Some(request) = self.signalled.take() {
            self.shutdown(now, request, None, outs);
        }
    }

    /// Whether the node is ending, or has yet to obey a signal that says so.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.ending.is_some() || self.signalled.is_some()
    }

    /// Goes on as far as it can: called whenever an acknowledgement came, the deadline passed or a save ended.
    pub(crate) fn shutdown_step(&mut self, now: Now, outs: &mut Outputs) {
        let Some(mut ending) = self.ending else { return };
        let Awaits::Replicas { until } = ending.awaits else { return };
        if !self.replicas_have_all() && now.mono < until {
            return;
        }
        if !ending.request.save.unwrap_or(!self.config.save.is_empty()) {
            return self.exit(outs);
        }
        if self.snapshot_running() {
            // The next tick tries again; a running save or transfer holds the key space's one snapshot.
            return;
        }
        ending.awaits = Awaits::Save;
        self.ending = Some(ending);
        outs.log(LogLevel::Notice, "Saving the final RDB snapshot before exiting.");
        self.save_begin(now, SaveKind::Shutdown, outs);
    }

    /// The final save has ended.
    pub(crate) fn shutdown_saved(&mut self, ok: bool, outs: &mut Outputs) {
        let Some(ending) = self.ending else { return };
        if ok || ending.request.force {
            return self.exit(outs);
        }
        outs.log(LogLevel::Warning, "Error trying to save the DB, can't exit.");
        self.shutdown_over(ending, outs);
    }

    /// `SHUTDOWN ABORT`.
    ///
    /// # Errors
    /// When nothing is under way.
    pub(crate) fn shutdown_abort(&mut self, outs: &mut Outputs) -> Result<(), Error> {
        let ending = self.ending;
        if self.signalled.take().is_none() && ending.is_none() {
            return Err(Error::new("ERR No shutdown in progress."));
        }
        outs.log(LogLevel::Notice, "Shutdown manually aborted.");
        if let Some(ending) = ending {
            self.shutdown_over(ending, outs);
        }
        Ok(())
    }

    fn shutdown_over(&mut self, ending: Shutdown, outs: &mut Outputs) {
        self.ending = None;
        self.refresh_gates();
        if let Some(id) = ending.by {
            self.release(id, b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n", outs);
        }
        self.release_paused(outs);
    }

    fn exit(&mut self, outs: &mut Outputs) {
        outs.log(LogLevel::Warning, "Tanist is now ready to exit, bye bye...");
        outs.push(Output::Exit(0));
    }
}
