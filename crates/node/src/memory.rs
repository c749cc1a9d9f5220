//! `maxmemory`: commands that may add data are refused while the data occupy more than that and no room can be made
//! (see `eviction`).

use crate::command::{Command, Flags};
use crate::context::Ctx;
use crate::error::Error;
use crate::eviction::Room;
use crate::node::Node;
use crate::session::Session;
use tanist_config::choice::MaxmemoryPolicy;

impl Node {
    /// Whether the data occupy more than `maxmemory` allows. A replica leaves that judgement to its primary.
    pub(crate) fn is_short_of_memory(&self) -> bool {
        let most = self.config.maxmemory;
        most > 0
            && !(self.is_replica() && self.config.replica_ignore_maxmemory)
            && self.memory_of_data() > most
    }

    /// What `maxmemory` limits: keys, values and their tables, without what a snapshot holds back.
    pub(crate) fn memory_of_data(&self) -> u64 {
        (self.data.used_memory() - self.data.snapshot_memory()) as u64
    }

    /// Makes room for what the command may add. Refuses it if there is none and none can be made.
    pub(crate) fn make_room(ctx: &mut Ctx<'_>) -> Result<(), Error> {
        if ctx.node.may_add(ctx.session, ctx.command) && Node::lacks_memory(ctx) {
            return Err(Error::OOM);
        }
        Ok(())
    }

    /// Whether memory is short and no room can be made. In the middle of a transaction nothing is evicted: its effects
    /// are not in the log yet.
    pub(crate) fn lacks_memory(ctx: &mut Ctx<'_>) -> bool {
        if !ctx.node.is_short_of_memory() {
            return false;
        }
        if ctx.in_transaction {
            return ctx.node.config.maxmemory_policy == MaxmemoryPolicy::NoEviction;
        }
        let mut gone = Vec::new();
        let room = ctx.node.evict_slice(ctx.now, Some(&mut *ctx.session), &mut gone, ctx.outs, ctx.watch);
        for (db, key) in gone {
            ctx.own_event(b'e', "evicted", db, &key);
        }
        room == Room::None
    }

    /// Whether the command could add data. Any command that is queued counts, and `EXEC` if one of its queue could.
    fn may_add(&self, session: &Session, command: &Command) -> bool {
        match &session.multi {
            None => command.flags.has(Flags::DENYOOM),
            Some(multi) if command.name == "exec" => {
                multi.queue.iter().any(|q| q.command.flags.has(Flags::DENYOOM))
            }
            Some(_) => !matches!(command.name, "discard" | "multi" | "quit" | "reset"),
        }
    }
}
