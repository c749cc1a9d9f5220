//! Commands that wait for keys: `BLPOP`, `BZPOPMIN`, `XREAD` and their kin.
//!
//! **How a command blocks.** Its handler first tries to do its work, as the form that does not block would. If there is
//! nothing to do it, it reads its time-out with [`Ctx::seconds`] or [`Ctx::milliseconds`] (*before* the try, because a bad
//! time-out is an error in any case), calls [`Ctx::block`] with the keys and the type it waits for, and returns `Ok(())`
//! without a reply. Inside `EXEC` and scripts nothing blocks: [`Ctx::block`] answers a null array at once there. A
//! command that answers something else there (`BLMOVE` answers null) asks `ctx.in_transaction` itself.
//!
//! **How it goes on.** Every change of a key that somebody waits for, reported as ever through [`Ctx::changed`] (or by
//! expiry, eviction, `FLUSHALL`, `SWAPDB`, a loaded snapshot), puts the key on a list. When the command, transaction or
//! script that made the change is over and in the log, [`Node::serve_ready`] goes through the list in the order of the
//! changes, and through each key's queue in the order of coming. While the key holds a value of the type that a session
//! waits for, that session's command is *run again from the beginning*, as if it came now, past all gates: so it looks
//! at its keys in its own order, logs what it does as it would without blocking (`LPOP`, ...) as an entry of its own, and
//! may meet errors. If it calls [`Ctx::block`] once more, it goes on waiting where it stood, with its first arguments,
//! place and time-out; else its reply is sent and it waits no more. What it did may make other keys ready in turn.
//!
//! A key of another type wakes nobody, one that is gone only those who asked for that (`or_gone`, for `XREADGROUP`).
//! While a pause or a switchover holds writes back, sessions that would write wait on. A node that steps down answers
//! all of them with `-UNBLOCKED`. The argument list that is run again is the one given to [`Ctx::block`]: a command
//! whose arguments mean something else later (`$` of `XREAD`) hands in what they mean now.
//!
//! Invariants: a session is in here exactly while it is `Waiting::Blocked` by [`Ctx::block`]; it has one place in the
//! queue of each of its keys.

mod queues;
mod serve;

pub(crate) use serve::waits_for_keys;

use crate::context::Ctx;
use crate::error::Error;
use crate::long_double::LongDouble;
use crate::session::{SessionId, Waiting};
use hashbrown::HashMap;
use queues::{PlaceId, QueueId, Queues};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use tanist_keyspace::ValueRef;
use tanist_resp::{Args, OwnedArgs};
use tanist_types::{DbIndex, Mono};

/// The type of value that a session waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    List,
    SortedSet,
    Stream,
}

impl Wanted {
    /// The type that a waiting session may want of which this is a value.
    fn of(value: ValueRef<'_>) -> Option<Wanted> {
        match value {
            ValueRef::List(_) => Some(Wanted::List),
            ValueRef::SortedSet(_) => Some(Wanted::SortedSet),
            ValueRef::Stream(_) => Some(Wanted::Stream),
            _ => None,
        }
    }
}

/// How a session waits; see [`Ctx::block`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wait {
    /// What one of the keys must hold.
    pub(crate) wanted: Wanted,
    /// When it gives up with a null array, if ever: from [`Ctx::seconds`] or [`Ctx::milliseconds`].
    pub(crate) until: Option<Mono>,
    /// Run the command again also when one of the keys is gone, or holds something else.
    pub(crate) or_gone: bool,
}

/// A session that waits.
#[derive(Debug)]
struct Waiter {
    wait: Wait,
    /// What is run again; `None` while it runs.
    args: Option<OwnedArgs>,
    places: Vec<PlaceId>,
}

/// Who waits for keys, and which of these have changed.
#[derive(Debug, Default)]
pub(crate) struct Blocking {
    queues: Queues,
    waiters: HashMap<SessionId, Waiter>,
    deadlines: BTreeSet<(Mono, SessionId)>,
    /// Keys that have changed, in the order of their changes.
    ready: VecDeque<QueueId>,
    /// Keys that have changed while sessions that wait for them were held back.
    held: Vec<QueueId>,
}

impl Blocking {
    /// The number of keys that somebody waits for, and of those whose end somebody waits for as well.
    pub(crate) fn keys(&self) -> (usize, usize) {
        (self.queues.len(), self.queues.len_for_gone())
    }

    /// Whether a session waits for keys.
    pub(crate) fn holds(&self, id: SessionId) -> bool {
        self.waiters.contains_key(&id)
    }

    /// When the first of those who wait gives up.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// A key has changed, or is gone.
    #[inline]
    pub(crate) fn signal(&mut self, db: DbIndex, key: &[u8]) {
        if !self.waiters.is_empty()
            && let Some(queue) = self.queues.find(db, key)
        {
            self.make_ready(queue);
        }
    }

    /// All keys of a database, or of all, may have changed.
    pub(crate) fn signal_all(&mut self, db: Option<DbIndex>) {
        for queue in self.queues.of(db) {
            self.make_ready(queue);
        }
    }

    /// Nobody is held back any more: what changed meanwhile is looked at again.
    pub(crate) fn signal_held(&mut self) {
        for queue in std::mem::take(&mut self.held) {
            self.make_ready(queue);
        }
    }

    fn make_ready(&mut self, queue: QueueId) {
        if self.queues.set_ready(queue, true) {
            self.ready.push_back(queue);
        }
    }

    /// Enters a session, or lets it go on waiting; when it gives up.
    fn wait<'k>(
        &mut self,
        (id, db): (SessionId, DbIndex),
        args: Args<'_, '_>,
        keys: impl IntoIterator<Item = &'k [u8]>,
        wait: Wait,
    ) -> Option<Mono> {
        if let Some(waiter) = self.waiters.get(&id) {
            return waiter.wait.until;
        }
        let join = |key| self.queues.join(db, key, id, wait.or_gone);
        let places = keys.into_iter().filter_map(join).collect();
        self.deadlines.extend(wait.until.map(|at| (at, id)));
        self.waiters.insert(id, Waiter { wait, args: Some(OwnedArgs::new(&args)), places });
        wait.until
    }

    /// A session waits no more; says whether it did.
    pub(crate) fn forget(&mut self, id: SessionId) -> bool {
        let Some(waiter) = self.waiters.remove(&id) else { return false };
        for place in waiter.places {
            self.queues.leave(place);
        }
        if let Some(at) = waiter.wait.until {
            self.deadlines.remove(&(at, id));
        }
        true
    }
}

impl Ctx<'_> {
    /// Lets the session wait for `keys` of the selected database; see the module's comment. `again` is what is run when
    /// one of them is ready. Writes no reply, unless nothing may block here: then a null array.
    pub(crate) fn block<'k>(
        &mut self,
        again: Args<'_, '_>,
        keys: impl IntoIterator<Item = &'k [u8]>,
        wait: Wait,
    ) {
        if self.in_transaction {
            self.reply().null_array();
            return;
        }
        let who = (self.session.id, self.session.db);
        let until = self.node.blocking.wait(who, again, keys, wait);
        self.session.waiting = Some(Waiting::Blocked { until });
    }

    /// When a time-out in seconds, fractions included, is over; `None` is never (zero).
    ///
    /// # Errors
    /// When it is no number, negative, or beyond what milliseconds in 64 bits can tell.
    pub(crate) fn seconds(&self, text: &[u8]) -> Result<Option<Mono>, Error> {
        let seconds =
            LongDouble::parse(text).ok_or(Error::fixed("ERR timeout is not a float or out of range"))?;
        self.deadline(seconds.ceil_thousandths().ok_or(BEYOND)?)
    }

    /// [`Ctx::seconds`] for a time-out in whole milliseconds.
    pub(crate) fn milliseconds(&self, text: &[u8]) -> Result<Option<Mono>, Error> {
        let millis = tanist_resp::number::parse_i64(text);
        self.deadline(millis.ok_or(Error::fixed("ERR timeout is not an integer or out of range"))?)
    }

    fn deadline(&self, millis: i64) -> Result<Option<Mono>, Error> {
        let millis = u64::try_from(millis).map_err(|_| Error::fixed("ERR timeout is negative"))?;
        if millis > i64::MAX.abs_diff(self.wall().0) {
            return Err(BEYOND);
        }
        Ok((millis > 0).then(|| self.now.mono + Duration::from_millis(millis)))
    }
}

const BEYOND: Error = Error::fixed("ERR timeout is out of range");
