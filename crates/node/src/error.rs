//! Error replies: a code in capitals, then a sentence, as clients parse them.

use std::borrow::Cow;
use std::fmt;

/// What a handler returns: nothing, its reply being written already, or an error reply.
pub(crate) type Outcome = Result<(), Error>;

/// An error reply without its leading `-`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(Cow<'static, str>);

macro_rules! errors {
    ($($name:ident = $text:expr;)*) => {
        #[allow(missing_docs)]
        impl Error {
            $(pub(crate) const $name: Error = Error(Cow::Borrowed($text));)*
        }
    };
}

errors! {
    WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
    SYNTAX = "ERR syntax error";
    NOT_AN_INTEGER = "ERR value is not an integer or out of range";
    NOT_A_FLOAT = "ERR value is not a valid float";
    OVERFLOW = "ERR increment or decrement would overflow";
    NAN_OR_INFINITY = "ERR increment would produce NaN or Infinity";
    NO_SUCH_KEY = "ERR no such key";
    SAME_OBJECT = "ERR source and destination objects are the same";
    DB_OUT_OF_RANGE = "ERR DB index is out of range";
    OUT_OF_RANGE = "ERR value is out of range";
    NOT_32_BITS = "ERR value is out of range, value must between -2147483648 and 2147483647";
    STRING_TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    NO_AUTH = "NOAUTH Authentication required.";
    WRONG_PASS = "WRONGPASS invalid username-password pair or user is disabled.";
    NO_PROTO = "NOPROTO unsupported protocol version";
    NESTED_MULTI = "ERR MULTI calls can not be nested";
    WATCH_IN_MULTI = "ERR WATCH inside MULTI is not allowed";
    EXEC_WITHOUT_MULTI = "ERR EXEC without MULTI";
    DISCARD_WITHOUT_MULTI = "ERR DISCARD without MULTI";
    EXEC_ABORT = "EXECABORT Transaction discarded because of previous errors.";
    READ_ONLY = "READONLY You can't write against a read only replica.";
    LOADING = "LOADING Valkey is loading the dataset in memory";
    MASTER_DOWN = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    NO_REPLICAS = "NOREPLICAS Not enough good replicas to write.";
    UNBLOCKED = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";
    MISCONF = "MISCONF Valkey is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Valkey logs for details about the RDB error.";
    BUSY_SCRIPT = "BUSY Valkey is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
    BUSY_FUNCTION = "BUSY Valkey is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
    NO_SCRIPT = "NOSCRIPT No matching script.";
    SCRIPT_UNKNOWN = "ERR Unknown command called from script";
    SCRIPT_ARITY = "ERR Wrong number of args calling command from script";
    SCRIPT_REFUSED = "ERR This Valkey command is not allowed from script";
    SCRIPT_STALE = "ERR Can not execute the command on a stale replica";
    SCRIPT_READ_ONLY = "ERR Write commands are not allowed from read-only scripts.";
    OOM = "OOM command not allowed when used memory > 'maxmemory'.";
}

impl Error {
    /// An error with a text known when it was compiled.
    pub(crate) const fn fixed(text: &'static str) -> Error {
        Error(Cow::Borrowed(text))
    }

    /// An error with this text; it begins with its code.
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Error {
        Error(text.into())
    }

    /// The number of arguments is not one that `command` takes.
    pub(crate) fn arity(command: &str) -> Error {
        Error(format!("ERR wrong number of arguments for '{command}' command").into())
    }

    /// `command` cannot be part of a transaction.
    pub(crate) fn not_in_multi(command: &str) -> Error {
        Error(format!("ERR Command '{command}' not allowed inside a transaction").into())
    }

    /// A time to live that cannot be.
    pub(crate) fn invalid_expire(command: &str) -> Error {
        Error(format!("ERR invalid expire time in '{command}' command").into())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The code that `errorstats` counts it under.
    #[must_use]
    pub fn code(&self) -> &str {
        self.0.split(' ').next().unwrap_or("ERR")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
