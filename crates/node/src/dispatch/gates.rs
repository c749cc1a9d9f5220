//! The gates: whether a command may run now, by its sender, by its number of arguments, and by the state of the session
//! and the node.

use super::Run;
use crate::acl::Context;
use crate::command::{Command, Flags, Group};
use crate::error::Error;
use crate::node::Node;
use crate::session::Session;
use crate::table::CommandIndex;
use tanist_resp::{Args, Proto};
use tanist_types::Now;

/// What the gates say.
pub(super) enum Gate {
    Pass,
    Refuse(Error),
    /// The command waits, and with it the rest of the session's batch.
    Hold,
}

impl Node {
    /// Whether the command may run now: its sender, its number of arguments, and the node's state. Where several things
    /// stand against it, the error is the one that Valkey gives.
    pub(super) fn check(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
        args: Args<'_, '_>,
        index: CommandIndex,
        command: &'static Command,
    ) -> Gate {
        if !session.free && !command.flags.has(Flags::NO_AUTH) && self.is_unknown(session) {
            return Gate::Refuse(Error::NO_AUTH);
        }
        if !command.accepts(args.len()) {
            return Gate::Refuse(Error::arity(command.full_name));
        }
        if session.multi.is_some() && command.flags.has(Flags::NO_MULTI) {
            return Gate::Refuse(Error::not_in_multi(command.full_name));
        }
        if !session.free
            && let Err(error) = self.check_rights(run.now, session, args, index, command)
        {
            return Gate::Refuse(error);
        }
        self.gate(run, session, command, args)
    }

    /// Whether the sender has yet to say who it is. Until then it learns nothing, not even which commands there are.
    pub(super) fn is_unknown(&self, session: &Session) -> bool {
        !session.authenticated && !self.users.default().is_open()
    }

    /// Whether the sender's user is allowed to run this command.
    #[cold]
    fn check_rights(
        &mut self,
        now: Now,
        session: &mut Session,
        args: Args<'_, '_>,
        index: CommandIndex,
        command: &'static Command,
    ) -> Result<(), Error> {
        let context = if session.multi.is_some() { Context::Multi } else { Context::TopLevel };
        let user = session.user.clone();
        user.check(&self.wish(index, command, args, session.db)).map_err(|denied| {
            self.note_denied(now, session, denied, context, command, args);
            denied.error(&user, command)
        })
    }

    /// Whether the state of node and session lets the command run now. The commands of a transaction are judged when
    /// they are queued and when `EXEC` begins; one by one only as [`Node::refusal`] does.
    fn gate(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
        command: &'static Command,
        args: Args<'_, '_>,
    ) -> Gate {
        if self.gated
            && let Some(redirection) = self.redirection(session, command)
        {
            return Gate::Refuse(redirection);
        }
        // While a script is suspended, nothing is evicted: its effects are not in the log yet.
        if self.config.maxmemory > 0
            && !self.is_suspended()
            && let Err(full) = Node::make_room(&mut run.ctx(self, session, command))
        {
            return Gate::Refuse(full);
        }
        if self.gated
            && let Some(error) = self.refusal_of_write(session, command)
        {
            return Gate::Refuse(error);
        }
        if session.proto == Proto::Resp2 && session.is_subscribed() && !allowed_while_subscribed(command) {
            return Gate::Refuse(Error::new(format!(
                "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
                command.full_name
            )));
        }
        if !self.gated {
            return Gate::Pass;
        }
        if let Some(error) = self.refusal_of_state(command) {
            return Gate::Refuse(error);
        }
        if !command.flags.has(Flags::ALLOW_BUSY)
            && let Some(busy) = self.busy()
        {
            return busy.map_or(Gate::Hold, Gate::Refuse);
        }
        if self.holds_back(session, command, args) { Gate::Hold } else { Gate::Pass }
    }

    /// Refusals that come from the node's role and state, for a command that is run out of a transaction's queue: what
    /// ran before it may have changed them.
    pub(super) fn refusal(&self, session: &Session, command: &Command) -> Option<Error> {
        if !self.gated {
            return None;
        }
        self.redirection(session, command)
            .or_else(|| self.refusal_of_write(session, command))
            .or_else(|| self.refusal_of_state(command))
    }

    /// Why the node takes no writes.
    fn refusal_of_write(&self, session: &Session, command: &Command) -> Option<Error> {
        if !changes_data(session, command) {
            None
        } else if self.is_replica() {
            self.config.replica_read_only.then_some(Error::READ_ONLY)
        } else if self.cannot_save() {
            Some(Error::MISCONF)
        } else if !self.repl.enough {
            Some(Error::NO_REPLICAS)
        } else {
            None
        }
    }

    /// Why the node shows no data, or takes no commands at all.
    fn refusal_of_state(&self, command: &Command) -> Option<Error> {
        if self.is_stale() && !command.flags.has(Flags::STALE) {
            Some(Error::MASTER_DOWN)
        } else if (self.loading.is_some() || self.is_flushed_for_load()) && !command.flags.has(Flags::LOADING)
        {
            Some(Error::LOADING)
        } else {
            None
        }
    }

    /// Whether the command has to wait until something else is over.
    fn holds_back(&self, session: &Session, command: &'static Command, args: Args<'_, '_>) -> bool {
        if let Some(pause) = self.pause
            && session.kind == crate::SessionKind::Normal
            && !command.flags.has(Flags::NO_AUTH)
            && (pause.all && command.name != "client" || self.is_write(session, command, args))
        {
            return true;
        }
        // A node that is ending takes no more writes, so that its replicas can have them all.
        // The same for a switchover; a sentinel's own messages are no writes of a client's.
        let held = self.repl.hold.is_some() && (!session.is_sentinel() || changes_data(session, command));
        if (self.ending.is_some() || held) && self.is_write(session, command, args) {
            return true;
        }
        // Keys that are on their way elsewhere must not change, nor must data that are loaded again.
        (self.migration.is_some() || self.saving.reloading.is_some())
            && self.may_change_data(session, command, args)
    }

    /// Whether this replica's data are older than it may show.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_replica()
            && (self.repl.outdated || !self.config.replica_serve_stale_data)
            && !self.is_fresh_replica()
    }

    /// A client that can follow is sent to the primary, with reads too unless it has asked to read here.
    fn redirection(&self, session: &Session, command: &Command) -> Option<Error> {
        let primary = self.repl.upstream.as_ref().filter(|_| session.redirects)?;
        let reads = command.flags.has(Flags::READONLY) && !session.readonly;
        let address = &primary.address;
        (reads || changes_data(session, command))
            .then(|| Error::new(format!("REDIRECT {}:{}", address.host, address.port)))
    }

    /// Saving is configured but has failed: what is written now would be lost with the process. `PING` is answered
    /// all the same, unlike in Redis, lest a full disk make somebody kill a process whose data are in memory only.
    pub(crate) fn cannot_save(&self) -> bool {
        !self.saving.last_ok && self.config.stop_writes_on_bgsave_error && !self.config.save.is_empty()
    }

    /// Recomputes whether the gates must look at the node's state at all.
    pub(crate) fn refresh_gates(&mut self) {
        if !self.is_replica() {
            self.repl.outdated = false;
        }
        self.gated = self.pause.is_some()
            || self.is_suspended()
            || self.loading.is_some()
            || self.ending.is_some()
            || self.repl.hold.is_some()
            || self.migration.is_some()
            || self.saving.reloading.is_some()
            || self.is_replica()
            || self.cannot_save()
            || self.config.min_replicas_to_write > 0;
    }

    /// Whether the command may change the data, or put something else into the log.
    fn is_write(&self, session: &Session, command: &Command, args: Args<'_, '_>) -> bool {
        const LOGGED: Flags = Flags::WRITE.and(Flags::MAY_REPLICATE);
        let writes =
            |command: &Command, args| command.flags.has(LOGGED) && !self.disclaims_writing(command, args);
        match &session.multi {
            Some(multi) if command.name == "exec" => {
                multi.queue.iter().any(|q| writes(q.command, q.args.as_args()))
            }
            _ => writes(command, args),
        }
    }

    /// Whether the command, or the script that it runs, may change the data.
    fn may_change_data(&self, session: &Session, command: &Command, args: Args<'_, '_>) -> bool {
        let may = |command: &Command, args| {
            let runs = command.group == Group::Scripting && command.flags.has(Flags::MAY_REPLICATE);
            command.flags.has(Flags::WRITE) || runs && !self.disclaims_writing(command, args)
        };
        match &session.multi {
            Some(multi) if command.name == "exec" => {
                multi.queue.iter().any(|q| may(q.command, q.args.as_args()))
            }
            _ => may(command, args),
        }
    }
}

/// Whether a replica that is only read from refuses it.
fn changes_data(session: &Session, command: &Command) -> bool {
    command.flags.has(Flags::WRITE)
        || command.name == "exec"
            && session
                .multi
                .as_ref()
                .is_some_and(|m| m.queue.iter().any(|q| q.command.flags.has(Flags::WRITE)))
}

fn allowed_while_subscribed(command: &Command) -> bool {
    matches!(
        command.name,
        "subscribe"
            | "unsubscribe"
            | "psubscribe"
            | "punsubscribe"
            | "ssubscribe"
            | "sunsubscribe"
            | "ping"
            | "quit"
            | "reset"
    )
}
