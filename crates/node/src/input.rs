//! What goes into the node beside the commands of connections.

use crate::host::HostFacts;
use crate::session::SessionId;
use tanist_config::ServerConfig;
use tanist_types::{Mono, NodeId, RunId};

/// Who is at the other end of a connection, as text for display and `CLIENT KILL`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Peer {
    /// The remote end: `127.0.0.1:50000`, `[::1]:50000`, or the socket's path with `:0`.
    pub addr: String,
    /// The local end, the same way.
    pub laddr: String,
    /// Came over a unix socket.
    pub unix: bool,
    /// Comes from this machine (loopback or unix socket); protected mode lets only these in.
    pub local: bool,
    /// The descriptor of the socket, for display; negative if there is none.
    pub fd: i32,
}

/// What the shell has drawn or read at the start of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Random for this run.
    pub run_id: RunId,
    /// From the state file, or drawn with it.
    pub node_id: NodeId,
    /// The process id, for `INFO`.
    pub pid: u32,
}

/// One input of [`crate::Node::step`].
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A connection has ended.
    Closed(SessionId),
    /// The deadline of [`crate::Node::next_deadline`] has come, or background work may take a slice.
    Tick,
    /// The bytes of the last [`crate::Output::SaveBytes`] are written; with the last ones, the whole file is in its
    /// place and durable. Or why not: the file is given up then.
    SaveWritten(Result<(), String>),
    /// Everything that was sent to a session has left, as [`crate::Output::TellDrained`] has asked for.
    Drained(SessionId),
    /// What the shell holds for a session has changed. Told when the socket does not take all output at once, until
    /// all has left, and for long input that makes no whole command yet.
    Buffered {
        /// Whose.
        session: SessionId,
        /// Bytes read that belong to no command that has been handed to the node.
        unread: usize,
        /// Memory that is held for its input and output beyond those bytes.
        spare: usize,
        /// Bytes of output that the socket has not taken.
        unsent: usize,
    },
    /// More input of a session waits than `client-query-buffer-limit` allows: the shell closes the connection.
    Overlong(SessionId),
    /// What a session has sent breaks the protocol: the shell tells it so and closes the connection.
    Malformed,
    /// The connection of [`crate::Output::PrimaryConnect`] stands. Its bytes go to [`crate::Node::primary_bytes`].
    PrimaryConnected {
        /// Which one.
        attempt: u64,
    },
    /// The connection to the primary could not be made, or has ended.
    PrimaryClosed {
        /// Which one.
        attempt: u64,
        /// Why, for the log.
        why: String,
    },
    /// Bytes that came back in an [`crate::Output::Exchange`].
    Exchanged {
        /// Which one.
        number: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// The connection of an exchange could not be made, or has ended before the node said so.
    ExchangeEnded {
        /// Which one.
        number: u64,
        /// Everything had been sent by then.
        sent: bool,
    },
    /// So many connections of exchanges are kept for the next ones.
    ExchangesKept(usize),
    /// [`crate::Output::SpillWrite`] is done (`None`), or [`crate::Output::SpillRead`] with these bytes; or why not.
    Spilled {
        /// Which file.
        file: u64,
        /// What came of it.
        result: Result<Option<Vec<u8>>, String>,
    },
    /// The state of [`crate::Output::Persist`] is on disk, or could not be written.
    Persisted {
        /// Which one.
        id: u64,
        /// Why not.
        result: Result<(), String>,
    },
    /// All bytes of the file that [`crate::Output::LoadSnapshot`] asked for have gone to [`crate::Node::load_bytes`];
    /// or why not.
    SnapshotLoaded(Result<(), String>),
    /// Fresh facts about process and machine.
    Host(Box<HostFacts>),
    /// The answer to [`crate::Output::Reconfigure`]: done, or which directive could not be followed and why.
    Reconfigured {
        /// The session that waits.
        session: SessionId,
        /// The configuration that is to be in force, or a directive's name and a sentence.
        result: Result<Box<ServerConfig>, (String, String)>,
    },
    /// The answer to [`crate::Output::ReadUsers`]: the file's bytes, or why it could not be read.
    UsersRead {
        /// The session that waits.
        session: SessionId,
        /// The bytes.
        result: Result<Vec<u8>, String>,
    },
    /// The answer to [`crate::Output::WriteUsers`].
    UsersWritten {
        /// The session that waits, if any does.
        session: Option<SessionId>,
        /// Done durably, or why not.
        result: Result<(), String>,
    },
    /// The answer to [`crate::Output::RewriteConfig`].
    Rewritten {
        /// The session that waits, if any does.
        session: Option<SessionId>,
        /// Done durably, or why not.
        result: Result<(), String>,
    },
}

/// How far [`crate::Node::run`] came with a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ran {
    /// The number of commands of the batch that are done with, counted from its beginning.
    pub done: usize,
    /// What to do now.
    pub next: Next,
}

/// What a connection's shell does after a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Write the replies and read on.
    Go,
    /// Keep the rest of the batch until [`crate::Output::Resume`].
    Wait,
    /// Write the replies and close.
    Close,
}

/// Reads the monotonic clock while the node works: for the slow log, latency and command statistics, and for how much of
/// its background work it does at a time.
///
/// Nothing else depends on it. The simulator's stands still.
pub trait Stopwatch {
    /// The present moment.
    fn read(&self) -> Mono;

    /// The connection whose batch is being carried out, to be spoken to while a script of its is debugged.
    fn debug_link(&self) -> Option<&dyn DebugLink> {
        None
    }
}

/// Speaks with who debugs a script (`SCRIPT DEBUG`), past the batch, while the node stands still.
pub trait DebugLink {
    /// Makes a second process, which has the connection and a copy of everything else. It must end with
    /// [`DebugLink::exit`], and nothing that it does is seen by anybody but who debugs.
    ///
    /// # Errors
    /// The system's reason, when there can be none.
    fn fork(&self) -> Result<Forked, String>;
    /// Sends all of `bytes`. Whether they were taken.
    fn tell(&self, bytes: &[u8]) -> bool;
    /// Waits until there is something to read and appends it to `room`. Whether there was; otherwise nobody is there any
    /// more.
    fn hear(&self, room: &mut Vec<u8>) -> bool;
    /// Ends the second process, after sending its last words.
    fn exit(&self, last: &[u8]) -> !;
}

/// Which of the two processes this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forked {
    /// The one that was there before. The connection is none of its any more.
    Parent,
    /// The second one.
    Child,
}
