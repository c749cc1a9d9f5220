//! What comes out of the node: plain data for the shell to carry out, in order.

use crate::session::SessionId;

/// How grave a log line is, in Redis' four levels.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogLevel {
    /// `.`
    Debug,
    /// `-`
    Verbose,
    /// `*`
    Notice,
    /// `#`
    Warning,
}

/// One thing for the shell to do.
#[derive(Debug)]
pub enum Output {
    /// Append these bytes to a session's output buffer.
    Send {
        /// To whom.
        session: SessionId,
        /// RESP in the session's protocol.
        bytes: Vec<u8>,
    },
    /// Close a session: at once, or after what is buffered has left.
    Close {
        /// Which.
        session: SessionId,
        /// Let the buffered replies leave first.
        flush: bool,
    },
    /// Run the rest of a session's batch, which [`crate::input::Next::Wait`] had left.
    Resume(SessionId),
    /// Write a line to the log.
    Log(LogLevel, String),
    /// Memory to free, on a thread that nobody waits for.
    Discard(tanist_keyspace::Garbage),
    /// Begin a new snapshot file beside the old one.
    SaveBegin,
    /// Append to it; with the last bytes, make it durable and put it in the old one's place. Each is answered by
    /// [`crate::Input::SaveWritten`] before the next one comes.
    SaveBytes {
        /// What to append.
        bytes: Vec<u8>,
        /// The file is complete.
        last: bool,
    },
    /// Connect to another server, send these bytes, and tell what comes back ([`crate::Input::Exchanged`]) until
    /// [`Output::ExchangeEnd`]. The one before is given up. A connection that was kept may be used again.
    Exchange {
        /// Names it.
        number: u64,
        /// Address or host name.
        host: String,
        /// TCP port.
        port: u16,
        /// As whom; a kept connection is only for the same.
        identity: Vec<u8>,
        /// What to send.
        bytes: Vec<u8>,
    },
    /// That exchange is over; the end of its connection is not reported.
    ExchangeEnd {
        /// Which one.
        number: u64,
        /// Everything was answered: the connection may be kept for a while.
        keep: bool,
    },
    /// Load the snapshot file: [`crate::Node::load_begin`], [`crate::Node::load_bytes`], then
    /// [`crate::Input::SnapshotLoaded`].
    LoadSnapshot,
    /// Append to an unnamed temporary file, which begins with this if it has not been named before. Answered by
    /// [`crate::Input::Spilled`].
    SpillWrite {
        /// Which file.
        file: u64,
        /// What to append.
        bytes: Vec<u8>,
    },
    /// Read from that file; answered by [`crate::Input::Spilled`].
    SpillRead {
        /// Which file.
        file: u64,
        /// From where.
        at: u64,
        /// So many bytes, which are there.
        len: usize,
    },
    /// That file is of no use any more. Orders that were given before are still answered.
    SpillEnd {
        /// Which file.
        file: u64,
    },
    /// Tell with [`crate::Input::Drained`] when everything sent to a session so far has been written to its socket.
    TellDrained(SessionId),
    /// Connect to the primary; one that is connected before is closed first.
    PrimaryConnect {
        /// Names the connection.
        attempt: u64,
        /// Address or host name.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// Send to the primary.
    PrimarySend {
        /// On which connection.
        attempt: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// Read nothing more from the primary, or go on reading.
    PrimaryHold {
        /// On which connection.
        attempt: u64,
        /// Stop.
        hold: bool,
    },
    /// Close the connection to the primary; its end is not reported.
    PrimaryClose {
        /// Which one.
        attempt: u64,
    },
    /// Replace the state file by these bytes, durably, and report it with [`crate::Input::Persisted`].
    Persist {
        /// Names the state.
        id: u64,
        /// The whole file.
        bytes: Vec<u8>,
    },
    /// Give up the file begun with [`Output::SaveBegin`]. Bytes that are being written are still answered.
    SaveCancel,
    /// This configuration is in force: the shell takes from it what concerns it (log level, limits, ...).
    Configured(Box<tanist_config::ServerConfig>),
    /// Listen where this configuration says and work in its folder, or change nothing; answered by
    /// [`crate::Input::Reconfigured`].
    Reconfigure {
        /// The session that waits for it.
        session: SessionId,
        /// The whole configuration that is asked for.
        config: Box<tanist_config::ServerConfig>,
    },
    /// Rewrite the configuration file with these values (see [`tanist_config::rewritten`]), durably; answered by
    /// [`crate::Input::Rewritten`].
    RewriteConfig {
        /// The session that waits for it, if any does.
        session: Option<SessionId>,
        /// The values.
        config: Box<tanist_config::ServerConfig>,
        /// Also those that are not in the file and have their defaults ([`tanist_config::rewritten_whole`]).
        whole: bool,
    },
    /// Read the file of users (`aclfile`) to its end; answered by [`crate::Input::UsersRead`].
    ReadUsers {
        /// The session that waits for it.
        session: SessionId,
    },
    /// Replace the file of users by these bytes, durably; answered by [`crate::Input::UsersWritten`].
    WriteUsers {
        /// The session that waits for it, if any does.
        session: Option<SessionId>,
        /// The whole file.
        bytes: Vec<u8>,
    },
    /// Hold the whole node for this long, the lock kept (`DEBUG SLEEP`).
    Stall(std::time::Duration),
    /// End the process with this status.
    Exit(i32),
}

/// Collects outputs; the shell drains it after each call.
#[derive(Debug, Default)]
pub struct Outputs {
    items: Vec<Output>,
}

impl Outputs {
    /// An empty collection.
    #[must_use]
    pub fn new() -> Outputs {
        Outputs::default()
    }

    /// Adds one.
    pub fn push(&mut self, output: Output) {
        self.items.push(output);
    }

    /// Adds a log line.
    pub fn log(&mut self, level: LogLevel, text: impl Into<String>) {
        self.push(Output::Log(level, text.into()));
    }

    /// Hands over memory to be freed, if there is any.
    pub(crate) fn push_garbage(&mut self, garbage: tanist_keyspace::Garbage) {
        if !garbage.is_empty() {
            self.push(Output::Discard(garbage));
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Those from the `first`-th on.
    pub(crate) fn from(&self, first: usize) -> &[Output] {
        self.items.get(first..).unwrap_or_default()
    }

    /// Takes all, in order; the room is kept.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Output> {
        self.items.drain(..)
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
