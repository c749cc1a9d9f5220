//! Backlog, lineage, PSYNC, acknowledgements, epochs: a core that moves bytes and positions and knows no command.
//!
//! - [`Backlog`] is the one log, [`Lineage`] names the histories that it is made of.
//! - [`Replicas`] is the primary's side: one [`ReplicaLink`] per replica, each a cursor into the log.
//! - [`PrimaryLink`] is the replica's side, from the connection attempt to the stream.
//! - [`Rule`] says when something that waits for a position may go.
//! - [`Member`] is the node's part in elections: promises, acceptance, votes; [`encode_state`] makes its durable part a
//!   file.
//!
//! Nothing here reads a clock, draws ambient randomness or does I/O; the invariants are in `docs/invariants.md`.

#![forbid(unsafe_code)]

mod backlog;
mod blocks;
mod facts;
mod lineage;
mod member;
mod primary_link;
mod release;
mod replica_link;
mod replicas;
mod state_file;
mod transfer;
mod wire;

pub use backlog::{Backlog, BacklogConfig};
pub use blocks::BLOCK;
pub use facts::{BadReplconf, Replconf, ReplicaFacts, SnapshotFilter, TanistId};
pub use lineage::{BadLineage, Key, Lineage, MAX_SEGMENTS, Relation, Segment};
pub use member::{
    Address, AttachKind, Durable, DurableRole, FenceAnswer, FenceAsk, FenceGrant, Floor, FollowAsk, Granted,
    Member, PersistId, PrepareAsk, Promise, PromoteAsk, Refusal, Role, Ticket, Upheaval,
};
pub use primary_link::{Incoming, Introduction, LinkDue, LinkFault, PrimaryLink};
pub use release::{Acked, Count, Local, Rule, enough_replicas, good_replicas};
pub use replica_link::{Fault, LinkId, LinkPhase, ReplicaLink};
pub use replicas::{
    Ask, Attached, Due, ReplicaLine, Replicas, ReplicasConfig, Served, WaitingLimit, WhyFull,
};
pub use state_file::{StateFileError, decode_state, encode_state};
pub use transfer::Spill;
pub use wire::{
    Ack, LinkTerms, Marker, PsyncReply, PsyncRequest, parse_psync, parse_psync_reply, put_ack, put_continue,
    put_full_sync, put_psync,
};
