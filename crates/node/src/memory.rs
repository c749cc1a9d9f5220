//! `maxmemory`: commands that may add data are refused while the data occupy more than that.
//!
//! Without eviction policies that is all there is to do; a policy would free memory before this judges.

use crate::command::{Command, Flags};
use crate::error::Error;
use crate::node::Node;
use crate::session::Session;

impl Node {
    /// Whether the data occupy more than `maxmemory` allows. A replica leaves that judgement to its primary.
    pub(crate) fn is_short_of_memory(&self) -> bool {
        let most = self.config.maxmemory;
        most > 0
            && !(self.is_replica() && self.config.replica_ignore_maxmemory)
            && self.data.used_memory() as u64 > most
    }

    /// Why the command may not run, if it could add data and there is no room. Any command that is queued counts,
    /// and `EXEC` if one of its queue could.
    pub(crate) fn memory_refusal(&self, session: &Session, command: &Command) -> Option<Error> {
        let may_add = match &session.multi {
            None => command.flags.has(Flags::DENYOOM),
            Some(multi) if command.name == "exec" => {
                multi.queue.iter().any(|q| q.command.flags.has(Flags::DENYOOM))
            }
            Some(_) => !matches!(command.name, "discard" | "multi" | "quit" | "reset"),
        };
        (may_add && self.is_short_of_memory()).then_some(Error::OOM)
    }
}
