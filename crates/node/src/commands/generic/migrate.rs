//! `MIGRATE`: keys go to another server and are removed here once they are there.
//!
//! The shell makes the connection; the session waits. Redis stands still meanwhile. Here reads go on, and writes of
//! every kind wait until it is over (the timeout bounds that), so nothing that is written between the dump and the
//! removal can be lost. Nothing expires and nothing is evicted either. Inside a transaction or a script everybody waits:
//! others may not see what it has done so far.

use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::scripting::suspend_transaction;
use crate::session::{SessionId, Waiting};
use crate::tracking::By;
use std::time::Duration;
use tanist_resp::{Args, Decoder, Value as Reply, encode_command};
use tanist_types::{DbIndex, Mono, Now};

/// The one migration that is under way.
#[derive(Debug)]
pub(crate) struct Migration {
    /// Names its connection.
    number: u64,
    session: SessionId,
    /// Belongs to a transaction or a script, which is suspended until it is over.
    inside: bool,
    until: Mono,
    db: DbIndex,
    /// What was sent, in the order of the replies.
    keys: Vec<Box<[u8]>>,
    copy: bool,
    /// Replies that come before those to the keys (`AUTH`, `SELECT`), less those that have come.
    head: usize,
    replies: Decoder,
    /// Replies to keys that have come, and the keys that have arrived.
    answered: usize,
    arrived: Vec<Box<[u8]>>,
    /// The first error of the target.
    refusal: Option<String>,
    /// The target refuses everything.
    shut_out: bool,
}

#[derive(Clone, Copy, Default)]
struct Options<'b> {
    copy: bool,
    replace: bool,
    user: Option<&'b [u8]>,
    password: Option<&'b [u8]>,
}

impl<'b> Options<'b> {
    fn parse(args: Args<'_, 'b>) -> Result<Options<'b>, Error> {
        let mut o = Options::default();
        let mut i = 6;
        while let Some(word) = args.get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            if is(b"COPY") {
                o.copy = true;
            } else if is(b"REPLACE") {
                o.replace = true;
            } else if is(b"AUTH") {
                o.password = Some(args.get(i + 1).ok_or(Error::SYNTAX)?);
                i += 1;
            } else if is(b"AUTH2") {
                o.user = args.get(i + 1);
                o.password = Some(args.get(i + 2).ok_or(Error::SYNTAX)?);
                i += 2;
            } else if is(b"KEYS") {
                if !args.at(3).is_empty() {
                    return Err(Error::fixed(
                        "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
                    ));
                }
                break;
            } else {
                return Err(Error::SYNTAX);
            }
            i += 1;
        }
        Ok(o)
    }
}

/// `MIGRATE host port key|"" destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password]
/// [KEYS key ...]`
pub(crate) fn migrate(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let options = Options::parse(args)?;
    let timeout = parse_int(args.at(5))?;
    parse_int(args.at(4))?;
    if ctx.session.is_primary() {
        return Err(Error::fixed("ERR MIGRATE in the primary's log: what it removes is logged as DEL"));
    }
    let (mut bytes, identity, head) = opening(&options, args.at(4));
    let mut keys = Vec::new();
    for i in crate::keys::migrated(args) {
        if put_key(ctx, args.at(i), options.replace, &mut bytes) {
            keys.push(args.at(i).into());
        }
    }
    if keys.is_empty() {
        ctx.reply().simple("NOKEY");
        return Ok(());
    }
    let timeout = u64::try_from(timeout).ok().filter(|&ms| ms > 0).unwrap_or(1000);
    ctx.node.migrations += 1;
    let number = ctx.node.migrations;
    ctx.node.migration = Some(Migration {
        number,
        session: ctx.session.id,
        inside: ctx.in_transaction,
        until: ctx.now.mono + Duration::from_millis(timeout),
        db: ctx.session.db,
        keys,
        copy: options.copy,
        head,
        replies: Decoder::new(),
        answered: 0,
        arrived: Vec::new(),
        refusal: None,
        shut_out: false,
    });
    ctx.node.refresh_gates();
    match (ctx.in_transaction, ctx.session.in_script) {
        (false, _) => ctx.session.waiting = Some(Waiting::Busy),
        (true, false) => suspend_transaction(ctx),
        // Who runs the script suspends it.
        (true, true) => {}
    }
    let host = String::from_utf8_lossy(args.at(1)).into_owned();
    let port = parse_int(args.at(2)).ok().and_then(|port| port.try_into().ok()).unwrap_or(0);
    ctx.outs.push(Output::Exchange { number, host, port, identity, bytes });
    Ok(())
}

/// What is sent before the keys, the part of it that says who we are, and how many replies it has.
fn opening(options: &Options<'_>, db: &[u8]) -> (Vec<u8>, Vec<u8>, usize) {
    let mut bytes = Vec::new();
    match (options.user, options.password) {
        (Some(user), Some(password)) => encode_command(&mut bytes, &[b"AUTH", user, password]),
        (None, Some(password)) => encode_command(&mut bytes, &[b"AUTH", password]),
        (_, None) => {}
    }
    let identity = bytes.clone();
    encode_command(&mut bytes, &[b"SELECT", db]);
    (bytes, identity, 1 + usize::from(options.password.is_some()))
}

/// Appends the `RESTORE` of a key, if it is there.
fn put_key(ctx: &mut Ctx<'_>, key: &[u8], replace: bool, bytes: &mut Vec<u8>) -> bool {
    let now = ctx.wall();
    let hash = ctx.node.data.hash(key);
    let compress = ctx.node.config.rdbcompression;
    ctx.read(key, hash, |found, _| {
        let Some(entry) = found else { return false };
        let mut payload = Vec::new();
        crate::values::dump(entry.value(), compress, &mut payload);
        let mut digits = itoa::Buffer::new();
        let left = entry.expiry().map_or(0, |at| (at.0 - now.0).max(1));
        let mut words: Vec<&[u8]> = vec![b"RESTORE", key, digits.format(left).as_bytes(), &payload];
        if replace {
            words.push(b"REPLACE");
        }
        encode_command(bytes, &words);
        true
    })
}

impl Migration {
    /// Takes one reply of the target.
    fn take(&mut self, reply: &Reply) {
        let error = match reply {
            Reply::Error(text) => Some(String::from_utf8_lossy(text).replace(['\r', '\n'], " ")),
            _ => None,
        };
        let failed = error.is_some();
        if let Some(text) = error {
            self.refusal.get_or_insert(text);
        }
        if self.head > 0 {
            self.head -= 1;
            self.shut_out |= failed;
            return;
        }
        if let Some(key) = self.keys.get_mut(self.answered).map(std::mem::take)
            && !failed
            && !self.shut_out
        {
            self.arrived.push(key);
        }
        self.answered += 1;
    }

    fn is_answered(&self) -> bool {
        self.head == 0 && self.answered == self.keys.len()
    }
}

impl Node {
    /// Whether the running transaction or script cannot go on before the target of its `MIGRATE` has answered.
    pub(crate) fn awaits_target(&self) -> bool {
        self.migration.as_ref().is_some_and(|m| m.inside)
    }

    /// Bytes from the target.
    pub(crate) fn exchanged(&mut self, number: u64, bytes: &[u8], now: Now, outs: &mut Outputs) {
        let Some(migration) = self.migration.as_mut().filter(|m| m.number == number) else { return };
        migration.replies.feed(bytes);
        let mut sense = true;
        while !migration.is_answered() {
            match migration.replies.next() {
                Ok(Some(reply)) => migration.take(&reply),
                Ok(None) => return,
                Err(_) => {
                    sense = false;
                    break;
                }
            }
        }
        outs.push(Output::ExchangeEnd { number, keep: sense });
        let reply = match &migration.refusal {
            _ if !sense => IO_READING.to_owned(),
            Some(text) => format!("-ERR Target instance replied with error: {text}\r\n"),
            None => "+OK\r\n".to_owned(),
        };
        self.end_migration(&reply, now, outs);
    }

    /// The connection to the target could not be made or has ended; `sent` says whether everything was sent before.
    pub(crate) fn exchange_ended(&mut self, number: u64, sent: bool, now: Now, outs: &mut Outputs) {
        if self.migration.as_ref().is_some_and(|m| m.number == number) {
            self.end_migration(if sent { IO_READING } else { IO_WRITING }, now, outs);
        }
    }

    /// What is due by time.
    pub(crate) fn migration_tick(&mut self, now: Now, outs: &mut Outputs) {
        if let Some(migration) = self.migration.as_ref().filter(|m| m.until <= now.mono) {
            outs.push(Output::ExchangeEnd { number: migration.number, keep: false });
            // Nobody can tell how far it came: the first reply at least would show that all was written.
            let heard = migration.answered > 0;
            self.end_migration(if heard { IO_READING } else { IO_WRITING }, now, outs);
        }
    }

    /// When [`Node::migration_tick`] is due.
    pub(crate) fn migration_deadline(&self) -> Mono {
        self.migration.as_ref().map_or(Mono::NEVER, |m| m.until)
    }

    /// This node is a primary no more, and may not remove anything.
    pub(crate) fn abandon_migration(&mut self, now: Now, outs: &mut Outputs) {
        if let Some(migration) = &mut self.migration {
            outs.push(Output::ExchangeEnd { number: migration.number, keep: false });
            migration.arrived.clear();
            self.end_migration(IO_READING, now, outs);
        }
    }

    /// Removes what has arrived, answers, and lets writes go on.
    fn end_migration(&mut self, reply: &str, now: Now, outs: &mut Outputs) {
        let Some(migration) = self.migration.take() else { return };
        if !migration.copy {
            self.remove_migrated(&migration, outs);
        }
        if let Some(code) = reply.strip_prefix('-').and_then(|text| text.split(' ').next()) {
            self.stats.count_error(code);
            outs.log(LogLevel::Verbose, format!("MIGRATE: {}", reply.trim_end()));
        }
        if migration.inside {
            // The next slice goes on with the transaction, and lets the others go on at its end.
            return self.answer_suspended(reply.as_bytes());
        }
        if let Some(s) = self.sessions.get_mut(migration.session)
            && s.waiting == Some(Waiting::Busy)
        {
            s.waiting = None;
            s.last_write = self.repl.end();
            outs.push(Output::Send { session: s.id, bytes: reply.as_bytes().to_vec() });
            outs.push(Output::Resume(s.id));
        }
        self.refresh_gates();
        self.release_paused(outs);
        self.after_batch(now, outs);
    }

    fn remove_migrated(&mut self, migration: &Migration, outs: &mut Outputs) {
        let mut words: Vec<&[u8]> = vec![b"DEL"];
        for key in &migration.arrived {
            let hash = self.data.hash(key);
            if self.data.db_mut(migration.db).remove(key, hash) {
                self.invalidate(key, By::Node, outs);
                self.mark_watchers(migration.db, key);
                self.publish_event(b'g', "del", migration.db, key, outs);
                words.push(key);
            }
        }
        if words.len() > 1 {
            self.stats.dirty_since_save += words.len() as u64 - 1;
            if migration.inside {
                return self.add_suspended_effect(migration.db, &words);
            }
            self.add_effect(migration.db, &words);
            self.commit_effects(outs);
        }
    }
}

const IO_WRITING: &str = "-IOERR error or timeout writing to target instance\r\n";
const IO_READING: &str = "-IOERR error or timeout reading to target instance\r\n";
