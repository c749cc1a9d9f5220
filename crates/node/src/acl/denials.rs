//! The log of what was refused (`ACL LOG`), and the counters of `INFO`.

use super::check::{Denied, Reason};
use crate::command::Command;
use crate::commands::client::{Running, line};
use crate::node::Node;
use crate::session::Session;
use std::collections::VecDeque;
use tanist_resp::Args;
use tanist_types::{Now, UnixMs};

/// An entry takes up another refusal of the same kind for so long, in milliseconds.
const SAME_FOR: i64 = 60_000;
/// So many of the latest entries are looked at for that.
const LOOKED_AT: usize = 10;

/// Where a command was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Context {
    TopLevel,
    /// While it was queued, or by `EXEC`.
    Multi,
    /// By a script.
    Script,
}

impl Context {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Context::TopLevel => "toplevel",
            Context::Multi => "multi",
            Context::Script => "lua",
        }
    }
}

/// What is the same in the refusals that one entry counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) context: Context,
    pub(crate) object: Box<[u8]>,
    pub(crate) user: Box<[u8]>,
}

/// An entry of the log.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) count: u64,
    pub(crate) refusal: Refusal,
    /// Who was refused last, as `CLIENT LIST` describes it.
    pub(crate) client: String,
    pub(crate) created: UnixMs,
    pub(crate) updated: UnixMs,
}

/// The log, the newest entry in front, and the counters.
#[derive(Debug, Default)]
pub(crate) struct Denials {
    pub(crate) entries: VecDeque<Entry>,
    next_id: u64,
}

impl Denials {
    fn add(&mut self, refusal: Refusal, client: String, now: UnixMs, most: u64) {
        if most == 0 {
            return self.entries.clear();
        }
        let same = |e: &Entry| e.refusal == refusal && now.0 - e.updated.0 <= SAME_FOR;
        let known = self.entries.iter().take(LOOKED_AT).position(same).and_then(|at| self.entries.remove(at));
        if let Some(e) = known {
            // Whatever may be kept by now: nothing has been added.
            return self.entries.push_front(Entry { count: e.count + 1, client, updated: now, ..e });
        }
        let entry = Entry { id: self.next_id, count: 1, refusal, client, created: now, updated: now };
        self.next_id += 1;
        self.entries.push_front(entry);
        self.entries.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }
}

impl Node {
    /// Counts and logs that a command of a session was refused.
    #[cold]
    pub(crate) fn note_denied(
        &mut self,
        now: Now,
        session: &Session,
        denied: Denied,
        context: Context,
        command: &'static Command,
        args: Args<'_, '_>,
    ) {
        let refusal = Refusal {
            reason: denied.reason,
            context,
            object: denied.object(command, args).into(),
            user: session.user.name.clone(),
        };
        self.log_refusal(now, session, refusal, args);
    }

    /// Counts and logs that somebody named a user and could not be it.
    #[cold]
    pub(crate) fn note_bad_login(
        &mut self,
        now: Now,
        session: &Session,
        user: &[u8],
        context: Context,
        args: Args<'_, '_>,
    ) {
        let refusal = Refusal { reason: Reason::Auth, context, object: args.at(0).into(), user: user.into() };
        self.log_refusal(now, session, refusal, args);
    }

    fn log_refusal(&mut self, now: Now, session: &Session, refusal: Refusal, args: Args<'_, '_>) {
        let counts = &mut self.stats.denied;
        *match refusal.reason {
            Reason::Auth => &mut counts.auth,
            Reason::Command => &mut counts.command,
            Reason::Key => &mut counts.key,
            Reason::Channel => &mut counts.channel,
            Reason::Database => &mut counts.database,
        } += 1;
        let client = line(session, now.mono, Running::refused(args));
        self.denials.add(refusal, client, now.wall(), self.config.acllog_max_len);
    }
}
