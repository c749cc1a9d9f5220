//! Whoever speaks HTTP is hung up on (`tanist_resp::begins_http_line`).

use crate::dispatch::Run;
use crate::node::Node;
use crate::output::LogLevel;
use crate::session::Session;
use std::time::Duration;
use tanist_types::Mono;

/// The log names at most one of them in this time, so that they cannot fill the disk.
const QUIET: Duration = Duration::from_secs(60);

impl Node {
    /// Closes the connection without an answer, once what it asked before is answered.
    #[cold]
    pub(crate) fn hang_up_on_http(&mut self, run: &mut Run<'_>, session: &mut Session) {
        session.close_after_reply = true;
        let now = run.now.mono;
        if self.http_noted.is_some_and(|at: Mono| now < at + QUIET) {
            return;
        }
        self.http_noted = Some(now);
        let text = format!(
            "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Tanist. \
             This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your \
             instance. Connection from {} aborted.",
            session.peer.addr
        );
        run.outs.log(LogLevel::Warning, text);
    }
}
