//! What a client may ask the parser to hold.

/// Bounds on one command. The defaults are those of Redis and Valkey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The most arguments of one command.
    pub max_multibulk: usize,
    /// The most bytes of one argument (`proto-max-bulk-len`); at least 1 MiB by configuration.
    pub max_bulk: usize,
    /// The most bytes of one inline command, and of one length line.
    pub max_inline: usize,
    /// Whether the client has not authenticated yet where it must: then the two limits below hold as well.
    pub unauthenticated: bool,
}

impl Limits {
    /// The most arguments of a command from a client that has not authenticated.
    pub const UNAUTHENTICATED_MULTIBULK: usize = 10;
    /// The most bytes of an argument from a client that has not authenticated.
    pub const UNAUTHENTICATED_BULK: usize = 16 * 1024;
    /// The most bytes of one command: its parts are addressed by 32 bits.
    pub const COMMAND: usize = u32::MAX as usize;

    /// These limits, with the small ones for a client that still has to authenticate.
    #[must_use]
    pub const fn unauthenticated(self) -> Limits {
        Limits { unauthenticated: true, ..self }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_multibulk: i32::MAX as usize,
            max_bulk: 512 * 1024 * 1024,
            max_inline: 64 * 1024,
            unauthenticated: false,
        }
    }
}

const _: () = assert!(Limits::UNAUTHENTICATED_BULK < Limits::COMMAND);
