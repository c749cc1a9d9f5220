//! Directives that may stand many times, are no part of CONFIG GET, and old ones that no longer mean anything.

use crate::file::{LineError, Statement};
use tanist_text::words::quote;

/// `user <name> <rule> ...`, as a line of a file has it. What the rules mean, and whether they can be, is the node's
/// business. Where a line stood makes no difference between two of them.
#[derive(Clone, Debug)]
pub struct UserLine {
    /// The name and the rules; a selector has as many words here as it has in the line.
    pub args: Vec<Vec<u8>>,
    /// Where it stood, for an error; zero if it is to be written.
    line: usize,
    text: Vec<u8>,
}

impl UserLine {
    /// A line that is to be written; what has blanks in it is taken for several words.
    #[must_use]
    pub fn new(args: Vec<Vec<u8>>) -> UserLine {
        let words = args.iter().flat_map(|arg| arg.split(|&b| b == b' ')).map(<[u8]>::to_vec).collect();
        UserLine { args: words, line: 0, text: Vec::new() }
    }

    pub(crate) fn read(statement: &Statement) -> UserLine {
        UserLine { args: statement.args.clone(), line: statement.line, text: statement.raw.clone() }
    }

    /// What is wrong with the line, in the words of every wrong line of a configuration.
    #[must_use]
    pub fn error(&self, reason: &str) -> String {
        let text = String::from_utf8_lossy(&self.text).into_owned();
        LineError { line: self.line, text, reason: reason.to_owned() }.to_string()
    }

    /// The line, which is read as the same words. One that would be read as another is put in quotes; a hash stands as it
    /// is, for it begins a comment only at the beginning of a line.
    pub(crate) fn text(&self) -> String {
        let plain = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'\\');
        let mut line = "user".to_owned();
        for arg in &self.args {
            line.push(' ');
            let bare = !arg.is_empty() && arg.iter().all(plain);
            match std::str::from_utf8(arg) {
                Ok(text) if bare => line.push_str(text),
                _ => line.push_str(&quote(arg)),
            }
        }
        line
    }
}

impl PartialEq for UserLine {
    fn eq(&self, other: &UserLine) -> bool {
        self.args == other.args
    }
}

impl Eq for UserLine {}

/// Lines kept as they were given, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// `user <name> <rule> ...`
    pub users: Vec<UserLine>,
    /// `rename-command <old> <new>`; an empty new name removes the command.
    pub renames: Vec<(String, String)>,
    /// `loadmodule <path> <arg> ...`: arguments after `loadmodule`.
    pub modules: Vec<Vec<String>>,
}

/// What a name outside the table means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    User,
    Rename,
    Module,
    Include,
    /// The server does not take sentinel directives.
    Sentinel,
    /// Once known, now without meaning: accepted in silence.
    Obsolete,
    /// Known to Redis or one of its modules but not to Valkey 9.1: accepted with a warning.
    Foreign,
}

const OBSOLETE: [&str; 5] = [
    "list-max-ziplist-entries",
    "list-max-ziplist-value",
    "lua-replicate-commands",
    "io-threads-do-reads",
    "dynamic-hz",
];

const FOREIGN: [&str; 5] = [
    "aof-disable-auto-gc",
    "cluster-compatibility-sample-ratio",
    "loadmodule-ex",
    "replica-full-sync-buffer-limit",
    "sanitize-dump-payload",
];

/// Prefixes of the directives of the modules that Redis 8 ships with.
const FOREIGN_PREFIXES: [&str; 4] = ["bf-", "cf-", "search-", "ts-"];

/// What `name` (in lower case) means if it is not a directive of the table.
pub(crate) fn listed(name: &str) -> Option<Listed> {
    Some(match name {
        "user" => Listed::User,
        "rename-command" => Listed::Rename,
        "loadmodule" => Listed::Module,
        "include" => Listed::Include,
        "sentinel" => Listed::Sentinel,
        old if OBSOLETE.contains(&old) => Listed::Obsolete,
        other if FOREIGN.contains(&other) => Listed::Foreign,
        other if FOREIGN_PREFIXES.iter().any(|p| other.starts_with(p)) => Listed::Foreign,
        _ => return None,
    })
}
