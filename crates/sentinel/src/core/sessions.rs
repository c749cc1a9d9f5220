//! Those who connected to us: clients, operators, and other sentinels. One command at a time, answers in order;
//! subscriptions to events.

use super::Sentinel;
use super::counts::Counts;
use super::io::{Output, SessionId};
use super::timing;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use tanist_resp::{Proto, Reply};
use tanist_types::Mono;

/// What a connection beyond `maxclients` is told.
const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";

/// One connection.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) remote: String,
    pub(crate) local: String,
    pub(crate) name: String,
    pub(crate) lib_name: String,
    pub(crate) lib_ver: String,
    pub(crate) proto: Proto,
    pub(crate) authenticated: bool,
    pub(crate) channels: BTreeSet<Vec<u8>>,
    pub(crate) patterns: BTreeSet<Vec<u8>>,
    pub(crate) since: Mono,
    pub(crate) last: Mono,
    pub(crate) last_command: String,
    pub(crate) commands: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) no_evict: bool,
    pub(crate) no_touch: bool,
    /// What `CLIENT REPLY` said.
    pub(crate) quiet: Quiet,
    /// A host name that its command waits for, with the command.
    pub(crate) waiting: Option<(String, Vec<Vec<u8>>)>,
    /// It has been hung up on: what it still sends is not carried out.
    pub(crate) closing: bool,
    /// Commands behind the one that waits.
    queue: VecDeque<Vec<Vec<u8>>>,
}

/// Whether replies are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Quiet {
    No,
    /// The reply of the next command is not.
    SkipNext,
    /// Nor that of the present one.
    Skip,
    Off,
}

impl Session {
    /// How many subscriptions it has.
    pub(crate) fn subscriptions(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// Whether only a few commands are allowed because pushes and replies could not be told apart.
    pub(crate) fn is_listener(&self) -> bool {
        self.proto == Proto::Resp2 && self.subscriptions() > 0
    }
}

/// All connections.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Sessions {
    pub(crate) all: BTreeMap<SessionId, Session>,
    pub(crate) counts: Counts,
    /// Our own address as instances see it.
    pub(crate) our_ip: Option<IpAddr>,
}

impl Sessions {
    /// The protocol that a session speaks.
    pub(crate) fn proto(&self, session: SessionId) -> Proto {
        self.all.get(&session).map_or(Proto::Resp2, |s| s.proto)
    }

    /// Counts what is sent.
    pub(crate) fn sent(&mut self, session: SessionId, bytes: usize, now: Mono) {
        self.counts.sent(bytes, now);
        if let Some(s) = self.all.get_mut(&session) {
            s.bytes_out += bytes as u64;
        }
    }
}

impl Sentinel {
    /// Somebody connected.
    pub(crate) fn session_opened(&mut self, id: SessionId, remote: String, local: String) {
        if self.sessions.all.len() >= self.globals.max_clients as usize {
            self.sessions.counts.rejected += 1;
            self.out.push(Output::Reply { session: id, bytes: TOO_MANY.to_vec() });
            self.out.push(Output::Hangup { session: id });
            return;
        }
        self.sessions.counts.connections += 1;
        let now = self.now.mono;
        let session = Session {
            id,
            remote,
            local,
            name: String::new(),
            lib_name: String::new(),
            lib_ver: String::new(),
            proto: Proto::Resp2,
            authenticated: self.globals.requirepass.is_none(),
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            since: now,
            last: now,
            last_command: "NULL".to_owned(),
            commands: 0,
            bytes_in: 0,
            bytes_out: 0,
            no_evict: false,
            no_touch: false,
            quiet: Quiet::No,
            waiting: None,
            closing: false,
            queue: VecDeque::new(),
        };
        self.sessions.all.insert(id, session);
    }

    /// Somebody left.
    pub(crate) fn session_closed(&mut self, id: SessionId) {
        self.sessions.all.remove(&id);
    }

    /// Bytes were read.
    pub(crate) fn received(&mut self, id: SessionId, bytes: usize) {
        let now = self.now.mono;
        self.sessions.counts.received(bytes, now);
        if let Some(s) = self.sessions.all.get_mut(&id) {
            s.bytes_in += bytes as u64;
        }
    }

    /// A command arrived: carried out now, or after the one that waits for a name server.
    pub(crate) fn command(&mut self, id: SessionId, args: Vec<Vec<u8>>) {
        let now = self.now.mono;
        let Some(s) = self.sessions.all.get_mut(&id) else { return };
        s.last = now;
        if s.waiting.is_some() {
            if s.queue.len() >= timing::MAX_QUEUED {
                return self.hang_up(id);
            }
            s.queue.push_back(args);
            return;
        }
        self.execute(id, args);
    }

    /// A host name was looked up: commands that waited for it go on.
    pub(crate) fn resolved(&mut self, host: String, ip: Option<IpAddr>) {
        self.names.insert(host.clone(), ip);
        let waiting: Vec<SessionId> = self
            .sessions
            .all
            .values()
            .filter(|s| s.waiting.as_ref().is_some_and(|(h, _)| *h == host))
            .map(|s| s.id)
            .collect();
        for id in waiting {
            let Some((_, args)) = self.sessions.all.get_mut(&id).and_then(|s| s.waiting.take()) else {
                continue;
            };
            self.execute(id, args);
            self.drain_queue(id);
        }
        self.names.remove(&host);
    }

    fn drain_queue(&mut self, id: SessionId) {
        loop {
            let Some(s) = self.sessions.all.get_mut(&id) else { return };
            if s.waiting.is_some() {
                return;
            }
            let Some(args) = s.queue.pop_front() else { return };
            self.execute(id, args);
        }
    }

    /// What a host name resolved to, if it has been looked up for the present command; if not, the command waits.
    /// Returns nothing while it waits.
    pub(crate) fn look_up(&mut self, id: SessionId, host: &str, args: &[Vec<u8>]) -> Option<Option<IpAddr>> {
        if let Some(ip) = self.names.get(host) {
            return Some(*ip);
        }
        if let Some(s) = self.sessions.all.get_mut(&id) {
            s.waiting = Some((host.to_owned(), args.to_vec()));
        }
        self.out.push(Output::Resolve { host: host.to_owned() });
        None
    }

    /// Sends an event to those who subscribed to it.
    pub(crate) fn publish(&mut self, channel: &str, text: &str) {
        let mut sent: Vec<(SessionId, Vec<u8>)> = Vec::new();
        for s in self.sessions.all.values() {
            let mut bytes = Vec::new();
            let mut reply = Reply::new(&mut bytes, s.proto);
            if s.channels.contains(channel.as_bytes()) {
                reply.push(3);
                reply.bulk(b"message");
                reply.bulk(channel.as_bytes());
                reply.bulk(text.as_bytes());
            }
            for pattern in s.patterns.iter().filter(|p| tanist_text::glob::matches(p, channel.as_bytes())) {
                reply.push(4);
                reply.bulk(b"pmessage");
                reply.bulk(pattern);
                reply.bulk(channel.as_bytes());
                reply.bulk(text.as_bytes());
            }
            if !bytes.is_empty() {
                sent.push((s.id, bytes));
            }
        }
        for (id, bytes) in sent {
            self.reply(id, bytes);
        }
    }
}
