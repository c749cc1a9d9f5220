//! Runs users' scripts as processes of their own.

use crate::core::{Input, ScriptEnd, ScriptId};
use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use tokio::process::Command;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// The scripts that run.
pub(super) struct Scripts {
    running: HashMap<ScriptId, oneshot::Sender<()>>,
    inputs: UnboundedSender<Input>,
}

impl Scripts {
    pub(super) fn new(inputs: UnboundedSender<Input>) -> Scripts {
        Scripts { running: HashMap::new(), inputs }
    }

    /// Starts a script; its process and its end come as inputs. What it prints goes where our own output goes.
    pub(super) fn run(&mut self, id: ScriptId, path: &str, args: &[String]) {
        let child = Command::new(path).args(args).stdin(Stdio::null()).kill_on_drop(true).spawn();
        let inputs = self.inputs.clone();
        let Ok(mut child) = child else {
            let _ = inputs.send(Input::ScriptEnded { script: id, end: ScriptEnd::NotStarted });
            return;
        };
        if let Some(pid) = child.id() {
            let _ = inputs.send(Input::ScriptStarted { script: id, pid });
        }
        let (kill, killed) = oneshot::channel();
        self.running.insert(id, kill);
        tokio::spawn(async move {
            let status = tokio::select! {
                status = child.wait() => status,
                Ok(()) = killed => {
                    // It may have ended by itself this moment.
                    let _ = child.start_kill();
                    child.wait().await
                }
            };
            let end = match status {
                Ok(s) => match (s.code(), s.signal()) {
                    (Some(code), _) => ScriptEnd::Exited(code),
                    (None, signal) => ScriptEnd::Signaled(signal.unwrap_or(0)),
                },
                Err(_) => ScriptEnd::NotStarted,
            };
            let _ = inputs.send(Input::ScriptEnded { script: id, end });
        });
    }

    /// Ends a script.
    pub(super) fn kill(&mut self, id: ScriptId) {
        if let Some(kill) = self.running.remove(&id) {
            let _ = kill.send(());
        }
    }

    /// A script ended.
    pub(super) fn ended(&mut self, id: ScriptId) {
        self.running.remove(&id);
    }
}
