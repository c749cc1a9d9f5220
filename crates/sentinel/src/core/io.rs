//! What goes into the core and what comes out: plain, printable, comparable data.

use std::fmt;
use std::net::IpAddr;
use tanist_resp::Value;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub u64);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// One connection attempt of ours to an instance; never used twice.
    LinkId
}
number! {
    /// One connection of a client, an operator or another sentinel to us.
    SessionId
}
number! {
    /// One version of our configuration file. A later one contains all earlier ones.
    PersistId
}
number! {
    /// One run of a user's script.
    ScriptId
}

/// Why a link could not be opened, or ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkLoss {
    /// The host answered that nobody listens there.
    Refused,
    /// The other side reset the connection.
    Reset,
    /// The other side closed the connection.
    Closed,
    /// Nothing came back in time.
    TimedOut,
    /// The network says that there is no way to the host.
    Unreachable,
    /// The host name has no address.
    Unresolved,
    /// What came back was not the protocol.
    Garbled,
}

/// How a user's script ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScriptEnd {
    /// It exited with this status.
    Exited(i32),
    /// A signal ended it.
    Signaled(i32),
    /// It could not be started.
    NotStarted,
}

/// What the process has used, for `INFO`. Microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Time in the kernel.
    pub sys_us: u64,
    /// Time in the program.
    pub user_us: u64,
    /// Of the time in the kernel, that of the thread which decides.
    pub main_sys_us: u64,
    /// Of the time in the program, that of the thread which decides.
    pub main_user_us: u64,
    /// How long all turns of the loop took so far, waiting for inputs not included.
    pub turns_us: u64,
    /// Of that, the turns that carried out a command.
    pub commands_us: u64,
    /// How long a turn took of late.
    pub turn_us: u64,
    /// Time in the kernel of scripts that have ended.
    pub children_sys_us: u64,
    /// Time in the program of scripts that have ended.
    pub children_user_us: u64,
    /// The most bytes that were read of a session at once, of late.
    pub most_input: u64,
    /// The most bytes that waited for a session to read them, of late.
    pub most_output: u64,
    /// Sessions closed because too many bytes waited for them.
    pub cut_off: u64,
}

/// What happened outside.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A deadline passed.
    Tick,
    /// A link is connected.
    LinkUp {
        /// Which.
        link: LinkId,
        /// The address that the host resolved to.
        remote: IpAddr,
        /// Our own address on that link.
        local: IpAddr,
    },
    /// A link could not be opened, or ended.
    LinkDown {
        /// Which.
        link: LinkId,
        /// Why.
        why: LinkLoss,
    },
    /// One reply, or one pushed message, arrived on a link.
    LinkReply {
        /// Which.
        link: LinkId,
        /// What.
        value: Value,
    },
    /// Somebody connected to us.
    SessionOpened {
        /// The new session.
        session: SessionId,
        /// The other side's address and port.
        remote: String,
        /// Our own address and port.
        local: String,
    },
    /// Bytes of a session were read; its commands among them follow.
    Received {
        /// Whose.
        session: SessionId,
        /// How many.
        bytes: usize,
    },
    /// A command of a session.
    Command {
        /// Whose.
        session: SessionId,
        /// Name and arguments; at least one.
        args: Vec<Vec<u8>>,
    },
    /// A session ended.
    SessionClosed {
        /// Which.
        session: SessionId,
    },
    /// The configuration file of this version, or a later one, is durable; or it could not be written.
    Persisted {
        /// Which version.
        id: PersistId,
        /// Why it failed, for people.
        result: Result<(), String>,
    },
    /// A host name was looked up.
    Resolved {
        /// The name.
        host: String,
        /// Its address; none if it has none.
        ip: Option<IpAddr>,
    },
    /// A user's script runs.
    ScriptStarted {
        /// Which run.
        script: ScriptId,
        /// Its process.
        pid: u32,
    },
    /// A user's script ended.
    ScriptEnded {
        /// Which run.
        script: ScriptId,
        /// How.
        end: ScriptEnd,
    },
    /// What the process has used so far; before every input that [`wants_usage`](super::wants_usage).
    Used(Usage),
    /// The operator asked the process to end (SIGTERM, SIGINT).
    Terminate,
}

/// How much a line matters to a reader of the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// For developers.
    Debug,
    /// Now and then useful.
    Verbose,
    /// What happens in ordinary work.
    Notice,
    /// What people are woken for.
    Warning,
}

/// What is to be done outside.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Open a link; answered by `LinkUp` or `LinkDown`.
    Connect {
        /// The link's name from now on.
        link: LinkId,
        /// A name or a literal address.
        host: String,
        /// The port.
        port: u16,
    },
    /// Close a link; no further input of it is wanted.
    Disconnect {
        /// Which.
        link: LinkId,
    },
    /// Send these bytes on a link.
    Send {
        /// Which.
        link: LinkId,
        /// Encoded commands.
        bytes: Vec<u8>,
    },
    /// Send these bytes to a session.
    Reply {
        /// Which.
        session: SessionId,
        /// Encoded replies.
        bytes: Vec<u8>,
    },
    /// Close a session once what was sent to it is out.
    Hangup {
        /// Which.
        session: SessionId,
    },
    /// Make this the content of the configuration file, durably; answered by `Persisted`. A later version may
    /// replace one that waits.
    Persist {
        /// The version.
        id: PersistId,
        /// The whole file.
        text: String,
    },
    /// Write a line to the log.
    Log {
        /// How much it matters.
        level: Level,
        /// The line.
        line: String,
    },
    /// Look up a host name; answered by `Resolved`.
    Resolve {
        /// The name.
        host: String,
    },
    /// Run a user's script; answered by `ScriptStarted` and `ScriptEnded`.
    RunScript {
        /// The run's name.
        script: ScriptId,
        /// The program.
        path: String,
        /// Its arguments.
        args: Vec<String>,
    },
    /// End a script that ran too long.
    KillScript {
        /// Which run.
        script: ScriptId,
    },
    /// End the process with this status.
    Exit {
        /// The status.
        status: u8,
    },
}
