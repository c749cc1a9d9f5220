//! What a command's handler sees: the node, its session, the reply it writes, and the time.
//!
//! Every change of data ends in [`Ctx::changed`] (or one of the methods built on it), so that the log, the
//! watched keys and the counters follow by construction.

use crate::command::{Command, Flags};
use crate::error::Error;
use crate::input::Stopwatch;
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::Session;
use crate::tracking::By;
use tanist_keyspace::collections::NEVER;
use tanist_keyspace::{Change, Db, DbMut, Edit, Edited, Entry, KeyHash, Missing, Policy, Typed};
use tanist_resp::{Args, Reply};
use tanist_types::{DbIndex, Now, UnixMs};

/// The surroundings of one running command.
pub(crate) struct Ctx<'a> {
    pub(crate) node: &'a mut Node,
    /// The session that sent it; it is not among `node.sessions` meanwhile.
    pub(crate) session: &'a mut Session,
    /// Where the reply goes.
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) outs: &'a mut Outputs,
    /// Times the commands that this one runs.
    pub(crate) watch: &'a dyn Stopwatch,
    pub(crate) now: Now,
    pub(crate) command: &'static Command,
    /// The hash of the command's first key, if its place is fixed.
    pub(crate) first_hash: Option<KeyHash>,
    /// Runs inside `EXEC` (or a script): nothing may block.
    pub(crate) in_transaction: bool,
}

impl Ctx<'_> {
    /// The encoder of the reply, in the session's protocol.
    pub(crate) fn reply(&mut self) -> Reply<'_> {
        Reply::new(self.out, self.session.proto)
    }

    /// How far the reply may go in its buffer. A client that was sent more would be closed for it
    /// (`client-output-buffer-limit`), so nobody need write on.
    pub(crate) fn reply_bound(&self) -> usize {
        self.out.len().saturating_add(self.node.reply_limit(self.session))
    }

    /// The index of the selected database.
    pub(crate) fn db_index(&self) -> DbIndex {
        self.session.db
    }

    /// The selected database.
    pub(crate) fn db(&self) -> &Db {
        self.node.data.db(self.session.db)
    }

    /// The selected database, to change. The caller reports what it did with [`Ctx::changed`].
    pub(crate) fn db_mut(&mut self) -> DbMut<'_> {
        self.node.data.db_mut(self.session.db)
    }

    /// The hash of argument `i`, which is a key; that of the first key is at hand already.
    pub(crate) fn hash(&self, args: Args<'_, '_>, i: usize) -> KeyHash {
        match self.first_hash {
            Some(hash) if i == self.command.first_key() => hash,
            _ => self.node.data.hash(args.at(i)),
        }
    }

    /// Calls `each` with every argument of `keys`, by its number, and its hash. What several keys lead to is fetched
    /// together, so that the misses of a command with many keys overlap.
    pub(crate) fn each_key(
        &mut self,
        args: Args<'_, '_>,
        mut keys: impl Iterator<Item = usize>,
        mut each: impl FnMut(&mut Self, usize, KeyHash),
    ) {
        const TOGETHER: usize = 16;
        let mut ahead = [(0, KeyHash(0)); TOGETHER];
        loop {
            let mut count = 0;
            for (slot, i) in ahead.iter_mut().zip(&mut keys) {
                *slot = (i, self.hash(args, i));
                count += 1;
            }
            let ahead = &ahead[..count];
            if count > 1 {
                let db = self.db();
                ahead.iter().for_each(|&(_, hash)| db.prefetch(hash));
                ahead.iter().for_each(|&(_, hash)| db.prefetch_entry(hash));
            }
            ahead.iter().for_each(|&(i, hash)| each(self, i, hash));
            if count < TOGETHER {
                return;
            }
        }
    }

    /// The entry of `key` in the selected database, if it is there and not past its time, for a command that is
    /// going to change it.
    ///
    /// A primary removes an entry that is past its time on the way (through the log); a replica only hides it.
    pub(crate) fn lookup(&mut self, key: &[u8], hash: KeyHash) -> Option<Entry<'_>> {
        self.expire_if_due(key, hash);
        let (now, judged) = (self.now.wall(), self.judged());
        let node = &mut *self.node;
        let found = live(node.data.db(self.session.db).find(key, hash), judged);
        if let Some(entry) = found
            && !self.session.no_touch
        {
            crate::usage::touch(entry, &node.usage, now, &mut node.rng);
        }
        found
    }

    /// Gives `f` the entry of `key`, if it is there and not past its time, and the encoder of the reply; counts the
    /// hit or miss. One look-up in the table, which is why this takes a closure: the entry's borrow ends before
    /// anything that is past its time is removed.
    #[inline]
    pub(crate) fn read<R>(
        &mut self,
        key: &[u8],
        hash: KeyHash,
        f: impl FnOnce(Option<Entry<'_>>, &mut Reply<'_>) -> R,
    ) -> R {
        self.read_with(key, hash, !self.session.no_touch, true, f)
    }

    /// [`Ctx::read`] that leaves no trace of use on the entry (`TTL`, `TYPE`, `OBJECT`).
    pub(crate) fn read_untouched<R>(
        &mut self,
        key: &[u8],
        hash: KeyHash,
        f: impl FnOnce(Option<Entry<'_>>, &mut Reply<'_>) -> R,
    ) -> R {
        self.read_with(key, hash, false, true, f)
    }

    /// [`Ctx::read_untouched`] that publishes nothing if the key is not there (`OBJECT`).
    pub(crate) fn inspect<R>(
        &mut self,
        key: &[u8],
        hash: KeyHash,
        f: impl FnOnce(Option<Entry<'_>>, &mut Reply<'_>) -> R,
    ) -> R {
        self.read_with(key, hash, false, false, f)
    }

    /// [`Ctx::read`] that notes the use even if the client asked for no trace.
    pub(crate) fn read_and_touch<R>(
        &mut self,
        key: &[u8],
        hash: KeyHash,
        f: impl FnOnce(Option<Entry<'_>>, &mut Reply<'_>) -> R,
    ) -> R {
        self.read_with(key, hash, true, true, f)
    }

    #[inline]
    fn read_with<R>(
        &mut self,
        key: &[u8],
        hash: KeyHash,
        touch: bool,
        tell_miss: bool,
        f: impl FnOnce(Option<Entry<'_>>, &mut Reply<'_>) -> R,
    ) -> R {
        let (now, judged) = (self.now.wall(), self.judged());
        let node = &mut *self.node;
        let found = node.data.db(self.session.db).find(key, hash);
        if let Some(entry) = live(found, judged) {
            node.stats.hits += 1;
            if touch {
                crate::usage::touch(entry, &node.usage, now, &mut node.rng);
            }
            return f(Some(entry), &mut Reply::new(self.out, self.session.proto));
        }
        let due = found.is_some();
        node.stats.misses += 1;
        if due {
            self.expire_if_due(key, hash);
        }
        if tell_miss {
            self.event(b'm', "keymiss", key);
        }
        f(None, &mut Reply::new(self.out, self.session.proto))
    }

    /// Lets `decide` judge what is at `key`, what is past its time aside, and does what it says: one look-up for a
    /// command that reads and writes. The caller reports what it did with [`Ctx::changed`].
    #[inline]
    pub(crate) fn update<'v>(
        &mut self,
        key: &[u8],
        hash: KeyHash,
        decide: impl FnOnce(Option<Entry<'_>>) -> Change<'v>,
    ) {
        let (db, now, judged) = (self.session.db, self.now.wall(), self.judged());
        let touch = !self.session.no_touch;
        let node = &mut *self.node;
        let (usage, rng) = (&node.usage, &mut node.rng);
        let mut decide = Some(decide);
        node.data.db_mut(db).update(key, hash, |found| {
            if let Some(entry) = found {
                if live(found, judged).is_none() {
                    return Change::Leave;
                }
                if touch {
                    crate::usage::touch(entry, usage, now, rng);
                }
            }
            decide.take().map_or(Change::Leave, |decide| decide(found))
        });
        if let Some(decide) = decide {
            // Not judged yet: what is there is past its time.
            self.expire_if_due(key, hash);
            self.db_mut().update(key, hash, |_| decide(None));
        }
    }

    /// Gives `f` the collection of type `T` at `key`, if it is there and not past its time, and the encoder of the reply;
    /// counts the hit or miss.
    ///
    /// # Errors
    /// When the value is of another type; `f` has not run then.
    #[inline]
    #[allow(dead_code, reason = "for the commands of collections")]
    pub(crate) fn view<T: Typed, R>(
        &mut self,
        key: &[u8],
        hash: KeyHash,
        f: impl FnOnce(Option<&T>, &mut Reply<'_>) -> R,
    ) -> Result<R, Error> {
        self.read(key, hash, |found, reply| match found.map(|entry| T::of(entry.value())) {
            None => Ok(f(None, reply)),
            Some(Some(value)) => Ok(f(Some(value), reply)),
            Some(None) => Err(Error::WRONG_TYPE),
        })
    }

    /// Lets `f` change the collection of type `T` at `key`, which is created first if `missing` says so: one look-up.
    /// `None` if there is none. A collection that `f` leaves empty is removed. The caller reports what it did with
    /// [`Ctx::changed`].
    ///
    /// # Errors
    /// When the value is of another type; `f` has not run then.
    #[inline]
    #[allow(dead_code, reason = "for the commands of collections")]
    pub(crate) fn edit<T: Typed, R>(
        &mut self,
        key: &[u8],
        hash: KeyHash,
        missing: Missing,
        f: impl FnOnce(&mut T, &Policy) -> R,
    ) -> Result<Option<Edited<R>>, Error> {
        let (db, now, judged) = (self.session.db, self.now.wall(), self.judged());
        let touch = !self.session.no_touch;
        let node = &mut *self.node;
        let (usage, rng) = (&node.usage, &mut node.rng);
        let mut f = Some(f);
        let mut run = |value: &mut T, policy: &Policy| match f.take() {
            Some(f) => f(value, policy),
            None => unreachable!("a collection is changed at most once"),
        };
        let usable = |entry: Entry<'_>| {
            let usable = live(Some(entry), judged).is_some();
            if usable && touch {
                crate::usage::touch(entry, usage, now, rng);
            }
            usable
        };
        let mut edit = node.data.db_mut(db).edit(key, hash, missing, usable, &mut run);
        if matches!(edit, Edit::Unusable) {
            self.expire_if_due(key, hash);
            // A replica only hides what is past its time, and its primary knows better: there it is changed.
            edit = self.node.data.db_mut(db).edit(key, hash, missing, |_| true, &mut run);
        }
        match edit {
            Edit::Done(edited) => Ok(Some(edited)),
            Edit::Missing | Edit::Unusable => Ok(None),
            Edit::WrongType => Err(Error::WRONG_TYPE),
        }
    }

    /// [`Ctx::edit`] whose `f` writes into the reply as well.
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub(crate) fn edit_replying<T: Typed, R>(
        &mut self,
        key: &[u8],
        hash: KeyHash,
        missing: Missing,
        f: impl FnOnce(&mut T, &Policy, &mut Reply<'_>) -> R,
    ) -> Result<Option<Edited<R>>, Error> {
        let (mut out, proto) = (std::mem::take(self.out), self.session.proto);
        let edited = self.edit(key, hash, missing, |value: &mut T, policy| {
            f(value, policy, &mut Reply::new(&mut out, proto))
        });
        *self.out = out;
        edited
    }

    /// The collection of type `T` at `key`, for a command that looks at it before it reads or changes it: counts the hit,
    /// also of a key of another type, or the miss, which is told of by what follows.
    ///
    /// # Errors
    /// When the value is of another type.
    pub(crate) fn look<T: Typed>(&mut self, key: &[u8], hash: KeyHash) -> Result<Option<&T>, Error> {
        self.expire_if_due(key, hash);
        let (now, judged) = (self.now.wall(), self.judged());
        let node = &mut *self.node;
        let Some(entry) = live(node.data.db(self.session.db).find(key, hash), judged) else {
            node.stats.misses += 1;
            return Ok(None);
        };
        node.stats.hits += 1;
        if !self.session.no_touch {
            crate::usage::touch(entry, &node.usage, now, &mut node.rng);
        }
        T::of(entry.value()).map(Some).ok_or(Error::WRONG_TYPE)
    }

    /// Counts that a key was found, by a command that looks at it and may then change it.
    pub(crate) fn count_hit(&mut self) {
        self.node.stats.hits += 1;
    }

    /// Whether `key` is there; neither counts nor touches.
    pub(crate) fn exists(&mut self, key: &[u8], hash: KeyHash) -> bool {
        self.expire_if_due(key, hash);
        self.node.find_live(self.session.db, key, hash, self.judged()).is_some()
    }

    /// Removes `key` if it is past its time and this node is the one to do so.
    pub(crate) fn expire_if_due(&mut self, key: &[u8], hash: KeyHash) {
        if self.db().expires_len() == 0 {
            return;
        }
        // While everybody who writes waits, reading must not change the log.
        let writes = self.command.flags.has(Flags::WRITE);
        let held = self.node.is_paused_for_expiry() && !writes;
        // While data are imported, only a write makes way for itself.
        let may = self.node.may_expire() || self.node.is_importing() && writes;
        let db = self.session.db;
        if may && !held && self.node.is_due(db, key, hash, self.judged()) {
            self.node.expire(db, key, hash, self.outs);
            if self.session.watched_key_expired(db, key) {
                self.node.watchers.spoil(self.session);
            }
            self.own_event(b'x', "expired", db, key);
        }
    }

    /// [`Ctx::expire_if_due`] for one of several keys: unless the command belongs to a transaction, each removal is an
    /// entry of the log of its own, for nothing makes them one.
    pub(crate) fn expire_alone(&mut self, key: &[u8], hash: KeyHash) {
        self.expire_if_due(key, hash);
        if !self.in_transaction {
            self.node.commit_effects(self.outs);
            self.session.last_write = self.node.repl.end();
        }
    }

    /// Removes `key`; says whether it was there. Reports the change.
    pub(crate) fn remove(&mut self, key: &[u8], hash: KeyHash) -> bool {
        let mut there = false;
        self.update(key, hash, |found| {
            there = found.is_some();
            Change::Remove
        });
        if there {
            self.changed(key);
        }
        there
    }

    /// Whether something that expires at `at` is to be removed rather than written. A replica never judges so.
    pub(crate) fn has_passed(&self, at: UnixMs) -> bool {
        at <= self.wall() && self.node.may_expire()
    }

    /// Removes `key`, which is there, because it has been given a moment of expiry that has passed already: what is
    /// logged is the removal.
    pub(crate) fn remove_expired(&mut self, key: &[u8], hash: KeyHash) {
        self.db_mut().remove(key, hash);
        self.node.stats.expired_keys += 1;
        self.changed(key);
        self.event(b'x', "expired", key);
        let verb = self.node.expiry_verb();
        self.effect(&[verb, key]);
    }

    /// Reports that `key` of the selected database has changed: the command will be logged.
    pub(crate) fn changed(&mut self, key: &[u8]) {
        self.changed_in(self.session.db, key);
    }

    /// Reports that `count` changes were made to `key` of the selected database, at least one.
    pub(crate) fn changed_by(&mut self, key: &[u8], count: usize) {
        self.changed(key);
        self.node.dirty += (count as u64).saturating_sub(1);
    }

    /// Reports that `key` of database `db` has changed.
    pub(crate) fn changed_in(&mut self, db: DbIndex, key: &[u8]) {
        self.node.dirty += 1;
        self.notice_change(db, key);
    }

    /// Tells who watches `key`, keeps a copy of it or waits for it.
    #[inline]
    pub(crate) fn notice_change(&mut self, db: DbIndex, key: &[u8]) {
        self.node.invalidate(key, By::of(self.session), self.outs);
        self.node.mark_watchers(db, key);
        if !self.node.watchers.is_empty() {
            self.mark_own_watch(db, key);
        }
    }

    fn mark_own_watch(&mut self, db: DbIndex, key: &[u8]) {
        if self.session.watched.iter().any(|w| w.db == db && *w.key == *key) {
            self.node.watchers.spoil(self.session);
        }
    }

    /// Publishes that `key` of the selected database has met `event`, whose class is a letter of
    /// `notify-keyspace-events`.
    #[inline]
    pub(crate) fn event(&mut self, class: u8, event: &str, key: &[u8]) {
        self.event_in(self.session.db, class, event, key);
    }

    /// [`Ctx::event`] for another database.
    #[inline]
    pub(crate) fn event_in(&mut self, db: DbIndex, class: u8, event: &str, key: &[u8]) {
        if self.node.notifies(class) {
            self.tell_births();
            self.node.publish_event(class, event, db, key, self.outs);
            self.own_event(class, event, db, key);
        }
    }

    /// Publishes the keys that the command has made, before what else has happened to them.
    #[inline]
    pub(crate) fn tell_births(&mut self) {
        if self.node.data.has_births() {
            for (db, key) in self.node.data.take_births() {
                self.node.publish_event(b'n', "new", db, &key, self.outs);
                self.own_event(b'n', "new", db, &key);
            }
        }
    }

    /// The running session may listen itself; it is not among the node's sessions meanwhile.
    pub(crate) fn own_event(&mut self, class: u8, event: &str, db: DbIndex, key: &[u8]) {
        if self.node.notifies(class) && self.session.is_subscribed() {
            for (channel, payload) in self.node.event_messages(event, db, key) {
                crate::commands::pubsub::own_messages(self, &channel, &payload);
            }
        }
    }

    /// Puts `args` into the log instead of the command as it came in. May be called several times; the
    /// effects of one command form one entry.
    pub(crate) fn effect(&mut self, args: &[&[u8]]) {
        self.effect_in(self.session.db, args);
    }

    /// [`Ctx::effect`] for another database.
    pub(crate) fn effect_in(&mut self, db: DbIndex, args: &[&[u8]]) {
        self.node.rewritten = true;
        self.node.add_effect(db, args);
    }

    /// Keeps the command out of the log although it changed something that only this node has.
    pub(crate) fn no_effect(&mut self) {
        self.node.rewritten = true;
    }

    /// Writes a line to the log file.
    pub(crate) fn log(&mut self, level: LogLevel, text: impl Into<String>) {
        self.outs.log(level, text);
    }

    /// Hands memory to the thread that frees.
    pub(crate) fn discard(&mut self, garbage: tanist_keyspace::Garbage) {
        self.node.stats.freed_elsewhere += garbage.entries() as u64;
        self.outs.push(Output::Discard(garbage));
    }

    /// The wall clock in milliseconds.
    pub(crate) fn wall(&self) -> UnixMs {
        self.now.wall()
    }

    /// The moment by which it is judged what is past its time. While data are imported, their source judges, and sees
    /// everything.
    #[inline]
    pub(crate) fn judged(&self) -> UnixMs {
        if self.session.import_source && self.node.is_importing() { NEVER } else { self.now.wall() }
    }

    /// Whether the session's user may read keys that the command's arguments do not name.
    pub(crate) fn reads_every_key(&self, args: Args<'_, '_>) -> bool {
        let user = &self.session.user;
        let table = &self.node.table;
        user.is_omnipotent()
            || table.find_original(self.command.full_name.as_bytes()).is_some_and(|index| {
                user.reads_every_key(&self.node.wish(index, self.command, args, self.session.db))
            })
    }

    /// A wrong number of arguments, found by the handler itself.
    pub(crate) fn arity_error(&self) -> Error {
        Error::arity(self.command.full_name)
    }
}

/// `found` unless it is past its time.
pub(crate) fn live(found: Option<Entry<'_>>, now: UnixMs) -> Option<Entry<'_>> {
    found.filter(|e| e.expiry().is_none_or(|at| at > now))
}
