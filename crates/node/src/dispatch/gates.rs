//! The gates: whether a command may run now, by its sender, by its number of arguments, and by the state of the session
//! and the node.

use super::{Nature, Run};
use crate::acl::Context;
use crate::command::{Command, Flags};
use crate::error::Error;
use crate::node::Node;
use crate::session::Session;
use crate::table::CommandIndex;
use tanist_config::choice::ProtectedAction;
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
        if command.flags.has(Flags::PROTECTED)
            && let Some(error) = self.refusal_of_protected(session, command)
        {
            return Gate::Refuse(error);
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

    /// Why the sender may not use a command that a directive guards.
    #[cold]
    fn refusal_of_protected(&self, session: &Session, command: &Command) -> Option<Error> {
        let (from, name, directive) = match command.full_name {
            "debug" => (self.config.enable_debug_command, "DEBUG", "enable-debug-command"),
            _ => (self.config.enable_module_command, "MODULE", "enable-module-command"),
        };
        let allowed = match from {
            ProtectedAction::Yes => true,
            ProtectedAction::Local => session.peer.local,
            ProtectedAction::No => false,
        };
        (!allowed).then(|| {
            Error::new(format!(
                "ERR {name} command not allowed. If the {directive} option is set to \"local\", you can run it from a \
                 local connection, otherwise you need to set this option in the configuration file, and then restart \
                 the server."
            ))
        })
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
        // Most often nothing about the node stands against anything.
        let limited = self.config.maxmemory > 0;
        let nature =
            if self.gated || limited { self.nature(session, command, args) } else { Nature::of(command) };
        if self.gated
            && let Some(redirection) = self.redirection(session, nature)
        {
            return Gate::Refuse(redirection);
        }
        // While a script is suspended, nothing is evicted: its effects are not in the log yet.
        if limited
            && nature.adds()
            && !self.is_suspended()
            && Node::lacks_memory(&mut run.ctx(self, session, command))
        {
            return Gate::Refuse(Error::OOM);
        }
        if self.gated
            && nature.writes()
            && let Some(error) = self.refusal_of_write(false)
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
        if let Some(error) = self.refusal_of_state(nature) {
            return Gate::Refuse(error);
        }
        if !command.flags.has(Flags::ALLOW_BUSY)
            && let Some(busy) = self.busy()
        {
            return busy.map_or(Gate::Hold, Gate::Refuse);
        }
        if self.holds_back(session, command, nature) { Gate::Hold } else { Gate::Pass }
    }

    /// Refusals that come from the node's role and state, for a command that is run out of a transaction's queue: what
    /// ran before it may have changed them.
    pub(super) fn refusal(&self, session: &Session, command: &Command, args: Args<'_, '_>) -> Option<Error> {
        if !self.gated {
            return None;
        }
        let nature = self.nature_alone(command, args);
        self.redirection(session, nature)
            .or_else(|| self.refusal_of_write(false).filter(|_| nature.writes()))
            .or_else(|| self.refusal_of_state(nature))
    }

    /// Why the node takes no writes. Of two reasons a command of a script is told the other one, as in Valkey.
    pub(crate) fn refusal_of_write(&self, in_script: bool) -> Option<Error> {
        let unsaved = self.cannot_save().then_some(Error::MISCONF);
        let alone = (!self.is_replica() && !self.repl.enough).then_some(Error::NO_REPLICAS);
        let reason = if in_script { alone.or(unsaved) } else { unsaved.or(alone) };
        reason.or_else(|| (self.is_replica() && self.config.replica_read_only).then_some(Error::READ_ONLY))
    }

    /// Why the node shows no data, or takes no commands at all.
    fn refusal_of_state(&self, nature: Nature) -> Option<Error> {
        if self.is_stale() && !nature.runs_stale() {
            Some(Error::MASTER_DOWN)
        } else if (self.loading.is_some() || self.is_flushed_for_load()) && !nature.runs_loading() {
            Some(Error::LOADING)
        } else {
            None
        }
    }

    /// Whether the command has to wait until something else is over.
    fn holds_back(&self, session: &Session, command: &'static Command, nature: Nature) -> bool {
        if let Some(pause) = self.pause
            && session.kind == crate::SessionKind::Normal
            && !command.flags.has(Flags::NO_AUTH)
            && (pause.all && command.name != "client" || nature.logs())
        {
            return true;
        }
        // A node that is ending takes no more writes, so that its replicas can have them all.
        // The same for a switchover; a sentinel's own messages are no writes of a client's.
        let held = self.repl.hold.is_some() && (!session.is_sentinel() || nature.writes());
        if (self.ending.is_some() || held) && nature.logs() {
            return true;
        }
        // Keys that are on their way elsewhere must not change, nor must data that are loaded again.
        (self.migration.is_some() || self.saving.reloading.is_some()) && nature.may_write()
    }

    /// Whether this replica's data are older than it may show.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_replica()
            && (self.repl.outdated || !self.config.replica_serve_stale_data)
            && !self.is_fresh_replica()
    }

    /// A client that can follow is sent to the primary, with reads too unless it has asked to read here.
    fn redirection(&self, session: &Session, nature: Nature) -> Option<Error> {
        let primary = self.repl.upstream.as_ref().filter(|_| session.redirects)?;
        let reads = nature.reads() && !session.readonly;
        let address = &primary.address;
        (reads || nature.writes()).then(|| Error::new(format!("REDIRECT {}:{}", address.host, address.port)))
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
}

fn allowed_while_subscribed(command: &Command) -> bool {
    matches!(
        command.full_name,
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
