//! The data node as one deterministic state machine: sessions, commands, key space, pub/sub, transactions, replication.
//!
//! [`Node::run`] carries out the commands of one connection's readable batch; [`Node::step`] takes everything
//! else. The node reads no clock, draws no randomness of its own and does no I/O: a shell (or the simulator)
//! feeds it and carries out its [`Output`]s.
//!
//! Where things are:
//! - `command`, `table/`: the declarative list of commands, from which dispatch, `COMMAND` and help are made.
//! - `dispatch`: the way of one command through look-up, gates, queueing, execution and propagation.
//! - `commands/`: what the commands do, one file per group or family.
//! - `context`: what a handler sees; every change of data goes through it, so that log, watched keys and
//!   notifications cannot be forgotten.
//! - `scripting`: scripts that run, suspended between slices, and debugged.
//! - `acl/`: who may do what.
//! - `tracking/`: who has copies of which keys.
//! - `blocking`: sessions that wait for keys, and their turn.
//! - `log`: one entry per command or transaction, appended at one place.

#![forbid(unsafe_code)]

mod acl;
mod blocking;
mod buffers;
mod client_eviction;
mod command;
mod command_log;
mod commands;
mod context;
mod dispatch;
mod error;
mod eviction;
mod expiry;
mod field_expiry;
mod histogram;
mod host;
mod http;
mod input;
mod keys;
mod latency;
mod log;
mod long_double;
mod memory;
mod node;
mod notify;
mod observe;
mod output;
mod pubsub;
mod replication;
mod scripting;
mod session;
mod sha;
mod shell;
mod shutdown;
mod snapshot;
mod stats;
mod table;
mod tracking;
mod transaction;
mod usage;
mod values;

#[cfg(test)]
mod tests;

pub use error::Error;
pub use host::{Allocator, CpuTimes, HostFacts};
pub use input::{DebugLink, Forked, Identity, Input, Next, Peer, Ran, Stopwatch};
pub use node::{Node, Seeds};
pub use output::{LogLevel, Output, Outputs};
pub use replication::Standing;
pub use session::{SessionId, SessionKind};
pub use shutdown::ShutdownRequest;
pub use snapshot::LoadError;
pub use tanist_keyspace::Garbage;
pub use tanist_replication::{Durable, StateFileError, decode_state};

/// The version of Redis whose commands and replies this node speaks (`INFO`'s `redis_version`, `HELLO`'s `version`).
pub const REDIS_VERSION: &str = "7.2.4";
/// The version of Valkey whose functions for scripts this node has (`server.VALKEY_VERSION`).
pub const VALKEY_VERSION: &str = "9.1.0";
