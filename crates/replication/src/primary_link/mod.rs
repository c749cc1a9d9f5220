//! The replica's side of the link to its primary: connect, introduce oneself, ask, load a snapshot or go on, follow.
//!
//! The whole introduction is sent at once and its replies are taken in order, then comes `PSYNC`: two round trips
//! instead of one per word. (Redis refuses a `PSYNC` that comes while it still has replies to send.) Bytes come in as
//! they arrive; what they mean goes out as [`Incoming`] for the node to act on in order.
//!
//! Invariants (`docs/invariants.md`):
//! - R1/R3: no acknowledgement leaves before the node has said [`PrimaryLink::attached`].
//! - I-PL1: a byte handed out as stream was preceded by `+CONTINUE` or by a whole snapshot that the node has loaded.
//!
//! The end mark of a snapshot is looked for at the end of each piece only: Redis, Valkey and Tanist send nothing after
//! it before the replica's first acknowledgement.

#[cfg(test)]
mod tests;

use crate::wire::{self, Ack, LinkTerms, PsyncReply, PsyncRequest};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;
use tanist_resp::encode_command;
use tanist_types::{BootCount, Epoch, Mono, NodeId, RunId};

/// What a replica tells about itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Introduction {
    /// `masteruser`; empty for the default user.
    pub user: String,
    /// `masterauth`; empty for none.
    pub password: String,
    /// The port to announce.
    pub port: u16,
    /// `replica-announce-ip`, if set.
    pub announce_ip: Option<String>,
    /// The version to announce, of Redis' kind.
    pub version: String,
    /// The group, if any.
    pub group: Option<String>,
    /// This node.
    pub node: NodeId,
    /// Its present run.
    pub run: RunId,
    /// How often it has started.
    pub boot: BootCount,
    /// The epochs promised and accepted.
    pub epochs: (Epoch, Epoch),
    /// Where the log is to go on.
    pub request: PsyncRequest,
}

/// What the link waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    /// The moment for another attempt.
    Retry { at: Mono },
    /// The connection.
    Connect { since: Mono },
    /// Replies to the introduction.
    Replies { expected: VecDeque<Expect>, request: PsyncRequest },
    /// The head of the snapshot.
    SnapshotHead,
    /// The rest of the snapshot: so many bytes.
    SnapshotBytes { left: u64 },
    /// The rest of the snapshot, which ends with this mark; the last bytes, which may be part of it, are held back.
    SnapshotMark { mark: [u8; 40], held: Vec<u8> },
    /// The node to load what was handed out.
    Load,
    /// Entries.
    Stream,
}

/// The replies of the introduction, in the order in which they come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expect {
    Pong,
    Auth,
    /// Any reply will do: an older primary does not know this option.
    Any,
    /// The answer to `PSYNC`.
    Psync,
}

/// What came in, for the node to act on in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Incoming<'b> {
    /// The log goes on; check the terms before anything else.
    Continue {
        /// The primary's present history.
        id: Option<tanist_types::ReplId>,
        /// From a Tanist primary.
        terms: Option<LinkTerms>,
    },
    /// A snapshot begins; check the terms before anything else.
    FullSync {
        /// Its history.
        id: tanist_types::ReplId,
        /// Its position.
        pos: tanist_types::LogPos,
        /// From a Tanist primary.
        terms: Option<LinkTerms>,
    },
    /// The size of the snapshot, if the primary knows it.
    SnapshotSize(Option<u64>),
    /// Send these bytes.
    Send(Vec<u8>),
    /// Bytes of the snapshot.
    Snapshot(Cow<'b, [u8]>),
    /// The snapshot is complete: load it, then call [`PrimaryLink::loaded`].
    SnapshotEnd,
    /// Bytes of the log.
    Stream(&'b [u8]),
    /// The link is of no use: close it. [`PrimaryLink::closed`] says when to try again.
    Failed(LinkFault),
}

/// Why a link to the primary failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LinkFault {
    /// The connection was refused, reset or ended.
    #[error("connection lost: {0}")]
    Connection(String),
    /// Nothing was heard for `repl-timeout`.
    #[error("timeout: nothing heard from the primary")]
    Timeout,
    /// The primary refused the password, in the words that are looked for in logs.
    #[error("Unable to AUTH to MASTER: {0}")]
    Auth(String),
    /// The primary refused the introduction.
    #[error("the primary refused us: {0}")]
    Refused(String),
    /// The primary cannot serve now.
    #[error("the primary cannot serve now: {0}")]
    NotNow(String),
    /// The primary's epoch is over, for us or for it.
    #[error("fenced: epoch {0} is promised")]
    Fenced(Epoch),
    /// What the primary sent makes no sense.
    #[error("the primary broke the protocol: {0}")]
    Protocol(&'static str),
    /// The log holds a command that this node does not have.
    #[error("its log holds what this node cannot apply: {0}")]
    Unsupported(String),
    /// The snapshot could not be loaded.
    #[error("the snapshot could not be loaded: {0}")]
    Snapshot(String),
}

/// What the passing of time asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkDue {
    /// Open a connection to the primary.
    Connect,
    /// Send these bytes.
    Send(Vec<u8>),
    /// Close the link.
    Failed(LinkFault),
}

/// The longest line that a primary may send in the introduction.
const MAX_LINE: usize = 4096;
/// How much of the log may come in while the snapshot is being loaded.
const MAX_EARLY: usize = 64 << 20;
/// Pauses between attempts: the first comes at once, then ever later, at most this.
const MAX_PAUSE: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// How often a loading replica shows that it is alive.
const LOAD_KEEPALIVE: Duration = Duration::from_secs(1);

/// The link to a primary, from the attempt to connect to the stream.
#[derive(Debug)]
pub struct PrimaryLink {
    state: State,
    /// The beginning of a line that is not complete yet.
    line: Vec<u8>,
    /// Bytes of the log that came before the snapshot was loaded.
    early: Vec<u8>,
    timeout: Duration,
    heard: Mono,
    last_sent: Mono,
    failures: u32,
    streaming_since: Mono,
    attached: bool,
    /// When the link was last streaming.
    pub(crate) down_since: Option<Mono>,
}

impl PrimaryLink {
    /// A link that is to connect at once.
    #[must_use]
    pub fn new(timeout: Duration, now: Mono) -> PrimaryLink {
        PrimaryLink {
            state: State::Retry { at: now },
            line: Vec::new(),
            early: Vec::new(),
            timeout,
            heard: now,
            last_sent: now,
            failures: 0,
            streaming_since: now,
            attached: false,
            down_since: Some(now),
        }
    }

    /// Changes `repl-timeout`.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Follows the log.
    #[must_use]
    pub fn is_streaming(&self) -> bool {
        self.state == State::Stream
    }

    /// Receives or loads a snapshot.
    #[must_use]
    pub fn is_syncing(&self) -> bool {
        use State::{Load, SnapshotBytes, SnapshotHead, SnapshotMark};
        matches!(self.state, SnapshotHead | SnapshotBytes { .. } | SnapshotMark { .. } | Load)
    }

    /// As `ROLE` calls it.
    #[must_use]
    pub fn role_word(&self) -> &'static str {
        match self.state {
            State::Retry { .. } => "connect",
            State::Connect { .. } => "connecting",
            State::Replies { .. } => "handshake",
            State::Stream => "connected",
            _ => "sync",
        }
    }

    /// When something was last heard from the primary.
    #[must_use]
    pub fn last_heard(&self) -> Mono {
        self.heard
    }

    /// Since when the link has not been streaming.
    #[must_use]
    pub fn down_since(&self) -> Option<Mono> {
        self.down_since
    }

    /// The connection stands: returns what to send.
    pub fn connected(&mut self, introduction: &Introduction, now: Mono) -> Vec<u8> {
        let (bytes, expected) = introduce(introduction);
        self.state = State::Replies { expected, request: introduction.request };
        self.line.clear();
        self.early.clear();
        self.attached = false;
        self.heard = now;
        self.last_sent = now;
        bytes
    }

    /// The connection ended or could not be made; another attempt follows, the first one at once.
    pub fn closed(&mut self, now: Mono) {
        if self.is_streaming() {
            // A link that fails again and again as soon as it streams is not tried without a pause.
            if now.since(self.streaming_since) >= MAX_PAUSE {
                self.failures = 0;
            }
            self.down_since = Some(now);
        }
        let pause = match self.failures {
            0 => Duration::ZERO,
            n => (FIRST_PAUSE * 2u32.pow((n - 1).min(10))).min(MAX_PAUSE),
        };
        self.failures = self.failures.saturating_add(1);
        self.attached = false;
        self.state = State::Retry { at: now + pause };
    }

    /// Somebody who knows says that the primary can be reached now: a pause ends.
    pub fn hurry(&mut self, now: Mono) {
        if let State::Retry { at } = &mut self.state {
            *at = now;
            self.failures = 0;
        }
    }

    /// The node accepts the terms of the link, durably where they have to be: acknowledgements may leave.
    pub fn attached(&mut self) {
        self.attached = true;
    }

    /// The node has loaded the snapshot: the log follows. Returns what of it has come in already.
    #[must_use = "these bytes belong to the log"]
    pub fn loaded(&mut self, now: Mono) -> Vec<u8> {
        if self.state == State::Load {
            self.state = State::Stream;
            self.streaming_since = now;
            self.down_since = None;
            self.heard = now;
        }
        std::mem::take(&mut self.early)
    }

    /// Appends an acknowledgement, if one may leave now; says whether it did.
    pub fn ack(&mut self, ack: Ack, now: Mono, out: &mut Vec<u8>) -> bool {
        let may = self.attached && self.is_streaming();
        if may {
            self.last_sent = now;
            wire::put_ack(out, ack);
        }
        may
    }

    /// Takes in bytes from the primary and appends what they mean to `incoming`.
    pub fn receive<'b>(&mut self, mut bytes: &'b [u8], now: Mono, incoming: &mut Vec<Incoming<'b>>) {
        self.heard = now;
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::Stream => {
                    incoming.push(Incoming::Stream(bytes));
                    return;
                }
                State::Replies { .. } | State::SnapshotHead => self.take_line(bytes, incoming),
                State::SnapshotBytes { left } => {
                    let n = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    let (now, later) = bytes.split_at(n);
                    *left -= n as u64;
                    let over = *left == 0;
                    incoming.push(Incoming::Snapshot(Cow::Borrowed(now)));
                    if over {
                        self.state = State::Load;
                        incoming.push(Incoming::SnapshotEnd);
                    }
                    later
                }
                State::SnapshotMark { mark, held } => {
                    let over = take_marked(mark, held, bytes, incoming);
                    if over {
                        self.state = State::Load;
                        incoming.push(Incoming::SnapshotEnd);
                    }
                    &[]
                }
                State::Load => {
                    // A primary that told the snapshot's length sends the log right behind it.
                    if self.early.len() + bytes.len() > MAX_EARLY {
                        incoming.push(fault("too much data before the snapshot was loaded"));
                    }
                    self.early.extend_from_slice(bytes);
                    return;
                }
                State::Retry { .. } | State::Connect { .. } => return,
            };
            if matches!(incoming.last(), Some(Incoming::Failed(_))) {
                return;
            }
        }
    }

    /// Takes one line, or the beginning of one, from the front; returns the rest.
    fn take_line<'b>(&mut self, bytes: &'b [u8], incoming: &mut Vec<Incoming<'b>>) -> &'b [u8] {
        let end = bytes.iter().position(|&b| b == b'\n');
        let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        self.line.extend_from_slice(part);
        if self.line.len() > MAX_LINE {
            incoming.push(fault("an endless line"));
            return &[];
        }
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            let line = line.trim_ascii_end();
            // Empty lines keep the link alive while the primary prepares.
            if !line.is_empty() {
                self.take_reply(line, incoming);
            }
        }
        rest
    }

    fn take_reply(&mut self, line: &[u8], incoming: &mut Vec<Incoming<'_>>) {
        let refused =
            |line: &[u8]| Incoming::Failed(LinkFault::Refused(String::from_utf8_lossy(line).into_owned()));
        match &mut self.state {
            State::Replies { expected, request } => {
                match expected.pop_front() {
                    Some(Expect::Psync) => return self.take_psync_reply(line, incoming),
                    Some(Expect::Auth) if line.starts_with(b"-") => {
                        let text = String::from_utf8_lossy(line).into_owned();
                        return incoming.push(Incoming::Failed(LinkFault::Auth(text)));
                    }
                    Some(Expect::Pong) if line.starts_with(b"-") && !is_auth_error(line) => {
                        return incoming.push(refused(line));
                    }
                    Some(_) => {}
                    None => return incoming.push(fault("a reply to nothing")),
                }
                if expected.is_empty() {
                    let mut bytes = Vec::new();
                    wire::put_psync(&mut bytes, *request);
                    expected.push_back(Expect::Psync);
                    incoming.push(Incoming::Send(bytes));
                }
            }
            State::SnapshotHead => {
                if let Some(mark) = line.strip_prefix(b"$EOF:").and_then(|m| m.try_into().ok()) {
                    incoming.push(Incoming::SnapshotSize(None));
                    self.state = State::SnapshotMark { mark, held: Vec::new() };
                } else if let Some(left) = snapshot_size(line) {
                    incoming.push(Incoming::SnapshotSize(Some(left)));
                    self.state = State::SnapshotBytes { left };
                } else if line.starts_with(b"-") {
                    incoming.push(refused(line));
                } else {
                    incoming.push(fault("a snapshot without a head"));
                }
            }
            _ => {}
        }
    }

    fn take_psync_reply(&mut self, line: &[u8], incoming: &mut Vec<Incoming<'_>>) {
        match wire::parse_psync_reply(line) {
            PsyncReply::Continue { id, terms } => {
                self.state = State::Stream;
                self.streaming_since = self.heard;
                self.down_since = None;
                incoming.push(Incoming::Continue { id, terms });
            }
            PsyncReply::FullSync { id, pos, terms } => {
                self.state = State::SnapshotHead;
                incoming.push(Incoming::FullSync { id, pos, terms });
            }
            PsyncReply::Fenced(epoch) => incoming.push(Incoming::Failed(LinkFault::Fenced(epoch))),
            PsyncReply::NotNow(text) => incoming.push(Incoming::Failed(LinkFault::NotNow(text))),
            PsyncReply::Refused(text) => incoming.push(Incoming::Failed(LinkFault::Refused(text))),
        }
    }

    /// What is due by now.
    pub fn tick(&mut self, now: Mono) -> Option<LinkDue> {
        if now < self.next_deadline() {
            return None;
        }
        match self.state {
            State::Retry { .. } => {
                self.state = State::Connect { since: now };
                Some(LinkDue::Connect)
            }
            State::Load => {
                self.last_sent = now;
                Some(LinkDue::Send(b"\n".to_vec()))
            }
            _ => Some(LinkDue::Failed(LinkFault::Timeout)),
        }
    }

    /// When [`tick`](PrimaryLink::tick) is due next.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        match self.state {
            State::Retry { at } => at,
            State::Connect { since } => since + self.timeout,
            State::Load => self.last_sent + LOAD_KEEPALIVE,
            _ => self.heard + self.timeout,
        }
    }
}

/// The size in `$<size>`; an empty snapshot is none.
fn snapshot_size(line: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(line.strip_prefix(b"$")?).ok()?;
    digits.parse().ok().filter(|&n| n > 0)
}

fn fault(what: &'static str) -> Incoming<'static> {
    Incoming::Failed(LinkFault::Protocol(what))
}

fn is_auth_error(line: &[u8]) -> bool {
    [&b"-NOAUTH"[..], b"-NOPERM", b"-ERR operation not permitted"].iter().any(|p| line.starts_with(p))
}

/// Hands out the bytes of a snapshot except the last ones, which may be the mark; says whether it was the mark.
fn take_marked<'b>(
    mark: &[u8; 40],
    held: &mut Vec<u8>,
    bytes: &'b [u8],
    incoming: &mut Vec<Incoming<'b>>,
) -> bool {
    let keep = mark.len();
    if bytes.len() >= keep {
        if !held.is_empty() {
            incoming.push(Incoming::Snapshot(Cow::Owned(std::mem::take(held))));
        }
        let (out, tail) = bytes.split_at(bytes.len() - keep);
        if !out.is_empty() {
            incoming.push(Incoming::Snapshot(Cow::Borrowed(out)));
        }
        held.extend_from_slice(tail);
    } else {
        held.extend_from_slice(bytes);
        if held.len() > keep {
            let out = held.drain(..held.len() - keep).collect();
            incoming.push(Incoming::Snapshot(Cow::Owned(out)));
        }
    }
    held == mark
}

/// The commands of the introduction, and the replies that they ask for.
fn introduce(i: &Introduction) -> (Vec<u8>, VecDeque<Expect>) {
    let mut out = Vec::new();
    let mut expected = VecDeque::new();
    let mut say = |args: &[&[u8]], reply| {
        encode_command(&mut out, args);
        expected.push_back(reply);
    };
    if i.password.is_empty() {
        say(&[b"PING"], Expect::Pong);
    } else if i.user.is_empty() {
        say(&[b"AUTH", i.password.as_bytes()], Expect::Auth);
    } else {
        say(&[b"AUTH", i.user.as_bytes(), i.password.as_bytes()], Expect::Auth);
    }
    let port = i.port.to_string();
    say(&[b"REPLCONF", b"listening-port", port.as_bytes()], Expect::Any);
    if let Some(ip) = &i.announce_ip {
        say(&[b"REPLCONF", b"ip-address", ip.as_bytes()], Expect::Any);
    }
    say(&[b"REPLCONF", b"capa", b"eof", b"capa", b"psync2", b"capa", b"tanist"], Expect::Any);
    say(&[b"REPLCONF", b"version", i.version.as_bytes()], Expect::Any);
    let group = i.group.as_deref().unwrap_or("-");
    let boot = i.boot.0.to_string();
    let id: [&[u8]; 6] =
        [b"REPLCONF", b"tanist-id", group.as_bytes(), &i.node.hex(), &i.run.hex(), boot.as_bytes()];
    say(&id, Expect::Any);
    let (promised, accepted) = (i.epochs.0.to_string(), i.epochs.1.to_string());
    say(&[b"REPLCONF", b"tanist-pos", promised.as_bytes(), accepted.as_bytes()], Expect::Any);
    (out, expected)
}
