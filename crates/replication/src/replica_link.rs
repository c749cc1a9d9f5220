//! The primary's side of one replica: what it waits for, and which bytes go to it next.
//!
//! Invariants (`docs/invariants.md`):
//! - I-RL1: a link online at cursor `c` has been sent every byte of the log before `c` that its replica lacked, once,
//!   in order.
//! - I-RL2: `acked ≤ cursor`: an acknowledgement beyond what was sent is the replica's fault and ends the link.
//! - R3: acknowledgements count only after `+CONTINUE` or the snapshot.

use crate::backlog::Backlog;
use crate::facts::ReplicaFacts;
use crate::release::Acked;
use crate::transfer::Transfer;
use crate::wire::Ack;
use tanist_types::{LogPos, Mono};

/// Names a link for as long as it lives; the node uses the numbers of its sessions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(pub u64);

/// How the end of a snapshot is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Framing {
    /// `$EOF:<mark>`, then the mark.
    Mark,
    /// `$<length>`.
    Length,
}

/// What a link waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// `PSYNC`; until then only facts come in.
    Handshake,
    /// A snapshot to begin.
    Snapshot {
        /// Since when.
        since: Mono,
    },
    /// The head of the snapshot: its length is not known yet, or nothing was sent yet.
    SnapshotHead { framing: Framing },
    /// The rest of the snapshot to be sent.
    SnapshotBody { framing: Framing, cursor: LogPos, progress: Mono },
    /// The replica to say that it has loaded the snapshot: more bytes before that could be taken for its end.
    Loaded,
    /// New entries.
    Online { cursor: LogPos },
    /// The replica to close: it wanted the snapshot only.
    Goodbye { since: Mono },
}

/// One replica.
#[derive(Debug)]
pub struct ReplicaLink {
    /// What it told about itself.
    pub facts: ReplicaFacts,
    /// The address its connection comes from.
    pub peer_ip: String,
    pub(crate) state: State,
    pub(crate) acked: Acked,
    /// Where the log goes on after the snapshot.
    pub(crate) log_from: LogPos,
    /// Asked with `SYNC`: it gets no reply line.
    pub(crate) plain_sync: bool,
    /// When it was last sent something while it waits for a snapshot.
    pub(crate) last_keepalive: Mono,
    /// Bytes handed to the shell that its socket has not taken.
    pub(crate) unsent: u64,
    /// Since when more of the log has waited for it than the soft limit allows.
    pub(crate) above_soft: Option<Mono>,
}

/// Why a link has to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The replica was silent or took nothing for too long.
    Timeout,
    /// The replica was too slow: what it needs next is gone.
    Overrun,
    /// The replica was too slow: more waits for it than its limits allow.
    TooSlow,
    /// The file that its snapshot is sent from has failed.
    Spill,
    /// The replica acknowledged what it was never sent.
    AckAhead,
}

/// What `ROLE` and `INFO` call the state of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkPhase {
    /// Waits for a snapshot.
    WaitSnapshot,
    /// Receives a snapshot.
    SendSnapshot,
    /// Follows the log.
    Online,
}

impl LinkPhase {
    /// As in INFO's `slaveN` lines.
    #[must_use]
    pub const fn info(self) -> &'static str {
        match self {
            LinkPhase::WaitSnapshot => "wait_bgsave",
            LinkPhase::SendSnapshot => "send_bulk",
            LinkPhase::Online => "online",
        }
    }
}

impl ReplicaLink {
    pub(crate) fn new(peer_ip: String, now: Mono) -> ReplicaLink {
        ReplicaLink {
            facts: ReplicaFacts::default(),
            peer_ip,
            state: State::Handshake,
            acked: Acked { heard: now, ..Acked::default() },
            log_from: LogPos::ZERO,
            plain_sync: false,
            last_keepalive: now,
            unsent: 0,
            above_soft: None,
        }
    }

    /// What it is doing, `None` before `PSYNC`.
    #[must_use]
    pub fn phase(&self) -> Option<LinkPhase> {
        Some(match self.state {
            State::Handshake => return None,
            State::Snapshot { .. } => LinkPhase::WaitSnapshot,
            // Until it has loaded it, a replica is none that writes can rely on.
            State::SnapshotHead { .. } | State::SnapshotBody { .. } | State::Loaded => {
                LinkPhase::SendSnapshot
            }
            State::Online { .. } | State::Goodbye { .. } => LinkPhase::Online,
        })
    }

    /// Follows the log.
    #[must_use]
    pub fn is_online(&self) -> bool {
        matches!(self.state, State::Online { .. })
    }

    /// The address that others should use for it.
    #[must_use]
    pub fn address(&self) -> (&str, u16) {
        (self.facts.ip.as_deref().unwrap_or(&self.peer_ip), self.facts.port.unwrap_or(0))
    }

    /// What it has acknowledged; nothing before it is online.
    #[must_use]
    pub fn acked(&self) -> Acked {
        self.acked
    }

    /// The first position of the log that it still needs.
    pub(crate) fn needs_from(&self) -> Option<LogPos> {
        match self.state {
            State::Handshake | State::Snapshot { .. } | State::Goodbye { .. } => None,
            State::SnapshotHead { .. } | State::SnapshotBody { .. } | State::Loaded => {
                (!self.facts.rdb_only).then_some(self.log_from)
            }
            State::Online { cursor } => Some(cursor),
        }
    }

    /// Bytes of the log that wait for it. What is on its way of a snapshot does not count, as in Redis.
    #[must_use]
    pub fn waiting(&self, end: LogPos) -> u64 {
        let unsent = if self.is_online() { self.unsent } else { 0 };
        self.needs_from().map_or(0, |from| end.0.saturating_sub(from.0)) + unsent
    }

    /// The next byte of the snapshot that it needs.
    pub(crate) fn snapshot_cursor(&self) -> Option<LogPos> {
        match self.state {
            State::SnapshotHead { .. } => Some(LogPos::ZERO),
            State::SnapshotBody { cursor, .. } => Some(cursor),
            _ => None,
        }
    }

    /// Takes in an acknowledgement.
    pub(crate) fn ack(&mut self, ack: Ack, end: LogPos, now: Mono) -> Result<(), Fault> {
        match self.state {
            State::Online { cursor } => {
                if ack.applied > cursor {
                    return Err(Fault::AckAhead);
                }
                self.acked.update(ack, now);
            }
            State::Loaded => {
                if ack.applied > end {
                    return Err(Fault::AckAhead);
                }
                self.state = State::Online { cursor: self.log_from };
                self.acked.update(Ack { applied: ack.applied.min(self.log_from), ..ack }, now);
            }
            // Redis' replicas acknowledge before they know whether they may continue: not counted (R3).
            _ => self.acked.heard = now,
        }
        Ok(())
    }

    /// Appends up to about `max` bytes that the replica needs next.
    pub(crate) fn pump(
        &mut self,
        backlog: &Backlog,
        transfer: Option<&Transfer>,
        max: usize,
        now: Mono,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        match self.state {
            State::Online { cursor } => {
                let cursor = backlog.read(cursor, max, out).ok_or(Fault::Overrun)?;
                self.state = State::Online { cursor };
            }
            State::SnapshotHead { framing } => {
                let Some(transfer) = transfer else { return Ok(()) };
                match (framing, transfer.len()) {
                    (Framing::Mark, _) => {
                        out.extend_from_slice(b"$EOF:");
                        out.extend_from_slice(&transfer.mark);
                        out.extend_from_slice(b"\r\n");
                    }
                    (Framing::Length, Some(len)) => out.extend_from_slice(format!("${len}\r\n").as_bytes()),
                    (Framing::Length, None) => return Ok(()),
                }
                self.state = State::SnapshotBody { framing, cursor: LogPos::ZERO, progress: now };
                self.pump_body(transfer, max, now, out)?;
            }
            State::SnapshotBody { .. } => {
                let Some(transfer) = transfer else { return Ok(()) };
                self.pump_body(transfer, max, now, out)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn pump_body(
        &mut self,
        transfer: &Transfer,
        max: usize,
        now: Mono,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let State::SnapshotBody { framing, cursor, progress } = self.state else { return Ok(()) };
        let next = transfer.read(cursor, max, out).ok_or(Fault::Overrun)?;
        let progress = if next > cursor { now } else { progress };
        self.state = State::SnapshotBody { framing, cursor: next, progress };
        if transfer.len() == Some(next.0) {
            if framing == Framing::Mark {
                out.extend_from_slice(&transfer.mark);
            }
            self.acked.heard = now;
            self.state = if self.facts.rdb_only {
                State::Goodbye { since: now }
            } else if framing == Framing::Mark {
                State::Loaded
            } else {
                State::Online { cursor: self.log_from }
            };
        }
        Ok(())
    }
}
