//! One set of rights. A user may do what any of its selectors allows as a whole.

use super::Surroundings;
use super::commands::CommandSet;
use crate::table::CommandIndex;
use std::collections::BTreeSet;
use tanist_text::glob;

/// A pattern of keys and what may be done with them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeyPattern {
    pub(crate) glob: Box<[u8]>,
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// Everything, or what is listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Scope<T> {
    All,
    Listed(T),
}

impl<T: Default> Scope<T> {
    /// The list, empty if everything was allowed.
    pub(crate) fn listed(&mut self) -> &mut T {
        if matches!(self, Scope::All) {
            *self = Scope::Listed(T::default());
        }
        match self {
            Scope::Listed(list) => list,
            Scope::All => unreachable!("replaced above"),
        }
    }

    pub(crate) fn is_all(&self) -> bool {
        matches!(self, Scope::All)
    }
}

/// What may be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Selector {
    pub(crate) commands: CommandSet,
    /// Commands that are allowed with these first arguments only.
    pub(crate) first_args: Vec<(CommandIndex, Vec<Box<[u8]>>)>,
    /// The rules about commands that still count, in their order: allowed or not, and what in lower case.
    pub(crate) rules: Vec<(bool, Box<str>)>,
    pub(crate) keys: Scope<Vec<KeyPattern>>,
    pub(crate) channels: Scope<Vec<Box<[u8]>>>,
    /// Databases by number, whether they exist or not.
    pub(crate) databases: Scope<BTreeSet<u32>>,
}

impl Selector {
    /// Everything.
    pub(crate) fn all() -> Selector {
        Selector {
            commands: CommandSet::ALL,
            first_args: Vec::new(),
            rules: Vec::new(),
            keys: Scope::All,
            channels: Scope::All,
            databases: Scope::All,
        }
    }

    /// Nothing, in any database; every channel if `channels` says so.
    pub(crate) fn none(channels: bool) -> Selector {
        Selector {
            commands: CommandSet::NONE,
            keys: Scope::Listed(Vec::new()),
            channels: if channels { Scope::All } else { Scope::Listed(Vec::new()) },
            ..Selector::all()
        }
    }

    /// Whether it allows everything there is and will be.
    pub(crate) fn is_all(&self) -> bool {
        self.commands.is_all() && self.keys.is_all() && self.channels.is_all() && self.databases.is_all()
    }

    /// Lets a command in or out, and its subcommands with it.
    pub(crate) fn change(&mut self, command: CommandIndex, on: bool, surroundings: Surroundings<'_>) {
        self.commands.set(command.slot(), on);
        self.first_args.retain(|(of, _)| *of != command);
        for sub in surroundings.table.subs(command) {
            self.commands.set(sub.slot(), on);
        }
    }

    /// Allows a command with one more first argument.
    pub(crate) fn allow_first_arg(&mut self, command: CommandIndex, arg: &[u8]) {
        let at = self.first_args.iter().position(|(of, _)| *of == command).unwrap_or_else(|| {
            self.first_args.push((command, Vec::new()));
            self.first_args.len() - 1
        });
        let args = &mut self.first_args[at].1;
        if !args.iter().any(|known| known.eq_ignore_ascii_case(arg)) {
            args.push(arg.into());
        }
    }

    /// Whether a command may run, its first argument being `first`.
    pub(crate) fn allows_command(&self, command: CommandIndex, first: Option<&[u8]>) -> bool {
        self.commands.has(command.slot())
            || first.is_some_and(|first| {
                let of_command = self.first_args.iter().filter(|(of, _)| *of == command);
                of_command.flat_map(|(_, args)| args).any(|arg| arg.eq_ignore_ascii_case(first))
            })
    }

    /// Whether a key may be read, or written, or both as one pattern allows.
    pub(crate) fn allows_key(&self, key: &[u8], read: bool, write: bool) -> bool {
        match &self.keys {
            Scope::All => true,
            Scope::Listed(patterns) => patterns
                .iter()
                .any(|p| (p.read || !read) && (p.write || !write) && glob::matches(&p.glob, key)),
        }
    }

    /// Whether every key there is may be read.
    pub(crate) fn reads_every_key(&self) -> bool {
        match &self.keys {
            Scope::All => true,
            Scope::Listed(patterns) => patterns.iter().any(|p| p.read && *p.glob == *b"*"),
        }
    }

    /// Whether a channel may be used; a pattern of channels must be one of those listed.
    pub(crate) fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        match &self.channels {
            Scope::All => true,
            Scope::Listed(patterns) if is_pattern => patterns.iter().any(|p| **p == *channel),
            Scope::Listed(patterns) => patterns.iter().any(|p| glob::matches(p, channel)),
        }
    }

    /// Whether a database may be used.
    pub(crate) fn allows_database(&self, db: u32) -> bool {
        match &self.databases {
            Scope::All => true,
            Scope::Listed(databases) => databases.contains(&db),
        }
    }

    /// Notes a rule about commands, and drops those before it that it makes void.
    pub(crate) fn note_rule(&mut self, on: bool, what: &str) {
        let what = what.to_lowercase();
        let of_same =
            |old: &str| old.strip_prefix(&*what).is_some_and(|rest| rest.is_empty() || rest.starts_with('|'));
        self.rules.retain(|(_, old)| !of_same(old));
        self.rules.push((on, what.into()));
    }

    /// The rules about commands, as a user's line has them.
    pub(crate) fn describe_commands(&self) -> String {
        let mut text = if self.commands.has_future() { "+@all" } else { "-@all" }.to_owned();
        for (on, what) in &self.rules {
            text.push_str(if *on { " +" } else { " -" });
            text.push_str(what);
        }
        text
    }

    /// The patterns of keys.
    pub(crate) fn describe_keys(&self) -> Vec<u8> {
        let Scope::Listed(patterns) = &self.keys else { return b"~*".to_vec() };
        let one = |p: &KeyPattern| {
            let sign: &[u8] = match (p.read, p.write) {
                (true, true) => b"~",
                (true, false) => b"%R~",
                (false, _) => b"%W~",
            };
            [sign, &p.glob].concat()
        };
        patterns.iter().map(one).collect::<Vec<_>>().join(&b' ')
    }

    /// The patterns of channels.
    pub(crate) fn describe_channels(&self) -> Vec<u8> {
        let Scope::Listed(patterns) = &self.channels else { return b"&*".to_vec() };
        patterns.iter().map(|p| [b"&", &**p].concat()).collect::<Vec<_>>().join(&b' ')
    }

    /// The databases; empty if there is none.
    pub(crate) fn describe_databases(&self) -> String {
        match &self.databases {
            Scope::All => "alldbs".to_owned(),
            Scope::Listed(none) if none.is_empty() => String::new(),
            Scope::Listed(some) => {
                format!("db={}", some.iter().map(u32::to_string).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// The words that make it out of [`Selector::none`] (without channels).
    pub(crate) fn words(&self) -> Vec<Vec<u8>> {
        let mut words = Vec::new();
        let mut add = |list: Vec<u8>| words.extend(list.split(|&b| b == b' ').map(<[u8]>::to_vec));
        let (keys, channels) = (self.describe_keys(), self.describe_channels());
        if !keys.is_empty() {
            add(keys);
        }
        if !self.channels.is_all() {
            add(b"resetchannels".to_vec());
        }
        if !channels.is_empty() {
            add(channels);
        }
        match self.describe_databases() {
            none if none.is_empty() => add(b"resetdbs".to_vec()),
            _ if self.databases.is_all() => {}
            some => add(some.into_bytes()),
        }
        add(self.describe_commands().into_bytes());
        words
    }
}
