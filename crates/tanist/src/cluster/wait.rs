//! Waiting for something that takes a moment as a rule, and is said to stderr when it does not.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::view::View;
use crate::output::note;

/// One wait.
#[derive(Debug)]
pub(super) struct Wait {
    began: Instant,
    /// Since when nothing has come nearer.
    since: Instant,
    limit: Duration,
    /// Of each node, the most that it had read of its data.
    read: Vec<u64>,
    said: String,
    said_at: Option<Instant>,
}

impl Wait {
    /// What takes longer than that is said.
    const QUIET: Duration = Duration::from_secs(5);
    /// And not more often than this: some of it changes with every look.
    const PAUSE: Duration = Duration::from_secs(2);

    /// Gives up after `limit` without progress.
    pub(super) fn new(limit: Duration) -> Wait {
        let now = Instant::now();
        Wait { began: now, since: now, limit, read: Vec::new(), said: String::new(), said_at: None }
    }

    /// Notes what is waited for; an error once it has taken too long. Nodes that load their data, or receive a copy of
    /// the primary's, take as long as they need while they get on with it.
    pub(super) fn on(&mut self, reason: &str, view: &View) -> Result<()> {
        let now = Instant::now();
        if self.progressed(view) {
            self.since = now;
        } else if now - self.since >= self.limit {
            bail!("gave up after {} s of waiting: {reason}", self.limit.as_secs());
        }
        let due = self.said_at.map_or(self.began + Wait::QUIET, |at| at + Wait::PAUSE);
        if now >= due && self.said != reason {
            note(format_args!("waiting: {reason}"));
            reason.clone_into(&mut self.said);
            self.said_at = Some(now);
        }
        Ok(())
    }

    /// Whether a node has read more than it ever had: one that begins again and again does not get on.
    fn progressed(&mut self, view: &View) -> bool {
        self.read.resize(view.nodes.len(), 0);
        let mut any = false;
        for (most, node) in self.read.iter_mut().zip(&view.nodes) {
            any |= node.progress > *most;
            *most = node.progress.max(*most);
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::NodeView;
    use super::*;

    /// A limit of nothing, so that only progress keeps the wait alive.
    #[test]
    fn who_gets_on_is_waited_for() {
        let view = |read: [u64; 2]| View {
            nodes: read.map(|progress| NodeView { progress, ..NodeView::default() }).to_vec(),
            ..View::default()
        };
        let mut wait = Wait::new(Duration::ZERO);
        assert!(wait.on("x", &view([10, 0])).is_ok());
        assert!(wait.on("x", &view([20, 0])).is_ok());
        assert!(wait.on("x", &view([0, 5])).is_ok(), "one has ended, the other has begun");
        let gave_up = wait.on("x", &view([15, 5])).unwrap_err().to_string();
        assert_eq!(gave_up, "gave up after 0 s of waiting: x", "what was read before is read again");
    }
}
