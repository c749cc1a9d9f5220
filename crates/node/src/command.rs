//! What the node knows about a command before running it: one declarative value per command.
//!
//! Dispatch, `COMMAND` in all its forms and the help texts are made from these values alone. The vocabulary
//! (flags, key specifications, groups, ACL categories) is that of Redis' `COMMAND INFO` and `COMMAND DOCS`.

use crate::context::Ctx;
use crate::error::Outcome;
use tanist_resp::Args;

/// Carries out one command whose name, arity and gates have been checked.
pub(crate) type Handler = fn(&mut Ctx<'_>, Args<'_, '_>) -> Outcome;

/// A set of command flags, as in `COMMAND INFO`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Flags(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:expr, $text:expr;)*) => {
        impl Flags {
            $($(#[$doc])* pub(crate) const $name: Flags = Flags(1 << $bit);)*
            /// Every flag with the name that `COMMAND INFO` prints, in that order; empty if it prints none.
            pub(crate) const NAMED: &'static [(Flags, &'static str)] = &[$((Flags::$name, $text)),*];
        }
    };
}

flags! {
    /// May change data.
    WRITE = 0, "write";
    /// Only reads data.
    READONLY = 1, "readonly";
    /// Refused when memory is short.
    DENYOOM = 2, "denyoom";
    /// For operators.
    ADMIN = 3, "admin";
    /// Belongs to publish and subscribe.
    PUBSUB = 4, "pubsub";
    /// Not allowed in scripts.
    NOSCRIPT = 5, "noscript";
    /// May block the client.
    BLOCKING = 6, "blocking";
    /// Allowed while a data set is being loaded.
    LOADING = 7, "loading";
    /// Allowed on a replica whose data are stale.
    STALE = 8, "stale";
    /// Not shown by `MONITOR`.
    SKIP_MONITOR = 9, "skip_monitor";
    /// Not recorded by the slow log.
    SKIP_SLOWLOG = 10, "skip_commandlog";
    /// Does what `ASKING` before it would allow.
    ASKING = 21, "asking";
    /// Takes constant or logarithmic time.
    FAST = 11, "fast";
    /// Allowed before authentication.
    NO_AUTH = 12, "no_auth";
    /// Not a write, but its effects may reach replicas.
    MAY_REPLICATE = 13, "";
    /// Not allowed while old data serve during a load.
    NO_ASYNC_LOADING = 14, "no_async_loading";
    /// Not allowed inside `MULTI`.
    NO_MULTI = 15, "no_multi";
    /// Its key arguments may be absent.
    NO_MANDATORY_KEYS = 16, "no_mandatory_keys";
    /// Guarded by a `enable-...-command` directive.
    PROTECTED = 17, "";
    /// Allowed while a script runs for too long.
    ALLOW_BUSY = 18, "allow_busy";
    /// May touch keys that its arguments do not name.
    TOUCHES_ARBITRARY_KEYS = 19, "touches_arbitrary_keys";
    /// The positions of its keys depend on its arguments.
    MOVABLE_KEYS = 20, "movablekeys";
}

impl Flags {
    /// The union of two sets.
    pub(crate) const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Those of `self` that `other` does not have.
    pub(crate) const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// The set itself, or the empty one.
    pub(crate) const fn when(self, holds: bool) -> Flags {
        if holds { self } else { Flags(0) }
    }

    /// Whether `self` has any flag of `other`.
    pub(crate) const fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

/// The group that `COMMAND DOCS` and the help texts file a command under.
#[allow(dead_code, reason = "a group may have no command yet")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Group {
    /// Keys of any type.
    Generic,
    /// Strings.
    String,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Hashes.
    Hash,
    /// Sorted sets.
    SortedSet,
    /// Streams.
    Stream,
    /// Strings as arrays of bits.
    Bitmap,
    /// Counters of distinct elements.
    Hyperloglog,
    /// Sorted sets of places.
    Geo,
    /// Scripts and functions.
    Scripting,
    /// Publish and subscribe.
    Pubsub,
    /// Transactions.
    Transactions,
    /// The connection itself.
    Connection,
    /// The server.
    Server,
    /// Clusters.
    Cluster,
}

impl Group {
    /// The name in `COMMAND DOCS`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::Hash => "hash",
            Group::SortedSet => "sorted-set",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
            Group::Hyperloglog => "hyperloglog",
            Group::Geo => "geo",
            Group::Scripting => "scripting",
            Group::Pubsub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Cluster => "cluster",
        }
    }
}

/// What a command does with the keys of one specification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyAccess {
    /// Reads (`RO`).
    Read,
    /// Reads and writes (`RW`).
    ReadWrite,
    /// Overwrites (`OW`).
    Overwrite,
    /// Removes (`RM`).
    Remove,
    /// Nothing: it is a channel that is placed like a key (`not_key`).
    Channel,
}

/// Where the keys of a specification begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyBegin {
    /// At a fixed argument.
    Index(usize),
    /// After a keyword, looked for from an argument on (from the end when negative).
    Keyword(&'static str, isize),
    /// Nobody can tell from the arguments.
    Unknown,
}

/// How many keys follow, and how they are spaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyFind {
    /// Up to `last` arguments after the first (negative: from the end of the arguments), every `step`-th;
    /// `limit` as in Redis (0 or 1: all, n: only the first n-th part).
    Range {
        /// Relative position of the last key.
        last: isize,
        /// Distance between keys.
        step: usize,
        /// Divisor of the remaining arguments.
        limit: usize,
    },
    /// A count at `count`, then the keys from `first`, both relative to the beginning.
    Count {
        /// Where the number of keys stands.
        count: usize,
        /// Where the first key stands.
        first: usize,
        /// Distance between keys.
        step: usize,
    },
    /// Nobody can tell from the arguments.
    Unknown,
}

/// One key specification (`COMMAND INFO`, field 9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeySpec {
    /// What is done with the keys.
    pub(crate) access: KeyAccess,
    /// The remaining flags by name, as `COMMAND INFO` prints them (`access`, `update`, `insert`, `delete`, ...).
    pub(crate) flags: &'static [&'static str],
    /// Where they begin.
    pub(crate) begin: KeyBegin,
    /// How they go on.
    pub(crate) find: KeyFind,
    /// A remark of `COMMAND DOCS`, or empty.
    pub(crate) notes: &'static str,
}

impl KeySpec {
    /// One key at argument `index`.
    pub(crate) const fn one(index: usize, access: KeyAccess, flags: &'static [&'static str]) -> KeySpec {
        KeySpec::range(index, 0, 1, access, flags)
    }

    /// Keys from argument `first` to `last` arguments after it (negative: from the end), every `step`-th.
    pub(crate) const fn range(
        first: usize,
        last: isize,
        step: usize,
        access: KeyAccess,
        flags: &'static [&'static str],
    ) -> KeySpec {
        KeySpec {
            access,
            flags,
            begin: KeyBegin::Index(first),
            find: KeyFind::Range { last, step, limit: 0 },
            notes: "",
        }
    }
}

/// One argument of `COMMAND DOCS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Arg {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its type, as `COMMAND DOCS` prints it (`key`, `string`, `integer`, `double`, `pattern`, `unix-time`,
    /// `pure-token`, `oneof`, `block`).
    pub(crate) kind: &'static str,
    /// What help shows in its place, if not its name.
    pub(crate) shown: Option<&'static str>,
    /// The word that precedes it, or is it.
    pub(crate) token: Option<&'static str>,
    /// The version that brought it, if later than the command.
    pub(crate) since: Option<&'static str>,
    /// The version in which it became one of old.
    pub(crate) deprecated: Option<&'static str>,
    /// Which key specification it belongs to.
    pub(crate) key_spec: Option<usize>,
    /// May be left out.
    pub(crate) optional: bool,
    /// May be repeated.
    pub(crate) multiple: bool,
    /// The token is repeated with it.
    pub(crate) multiple_token: bool,
    /// Its parts, for `oneof` and `block`.
    pub(crate) parts: &'static [Arg],
}

impl Arg {
    /// An argument of a type.
    pub(crate) const fn new(name: &'static str, kind: &'static str) -> Arg {
        Arg {
            name,
            kind,
            shown: None,
            token: None,
            since: None,
            deprecated: None,
            key_spec: None,
            optional: false,
            multiple: false,
            multiple_token: false,
            parts: &[],
        }
    }

    /// A key of key specification `spec`.
    pub(crate) const fn key(name: &'static str, spec: usize) -> Arg {
        Arg { key_spec: Some(spec), ..Arg::new(name, "key") }
    }

    /// A word that stands for itself.
    pub(crate) const fn word(name: &'static str, token: &'static str) -> Arg {
        Arg { token: Some(token), ..Arg::new(name, "pure-token") }
    }

    /// One of several.
    pub(crate) const fn one_of(name: &'static str, parts: &'static [Arg]) -> Arg {
        Arg { parts, ..Arg::new(name, "oneof") }
    }

    /// Several together.
    pub(crate) const fn block(name: &'static str, parts: &'static [Arg]) -> Arg {
        Arg { parts, ..Arg::new(name, "block") }
    }

    /// Shown like this in help.
    pub(crate) const fn shown(self, text: &'static str) -> Arg {
        Arg { shown: Some(text), ..self }
    }

    /// Made of keys of key specification `spec`, though its type is another.
    pub(crate) const fn of_keys(self, spec: usize) -> Arg {
        Arg { key_spec: Some(spec), ..self }
    }

    /// Preceded by a word.
    pub(crate) const fn after(self, token: &'static str) -> Arg {
        Arg { token: Some(token), ..self }
    }

    /// Brought by a later version.
    pub(crate) const fn since(self, version: &'static str) -> Arg {
        Arg { since: Some(version), ..self }
    }

    /// Of old since this version.
    pub(crate) const fn deprecated(self, version: &'static str) -> Arg {
        Arg { deprecated: Some(version), ..self }
    }

    /// May be left out.
    pub(crate) const fn optional(self) -> Arg {
        Arg { optional: true, ..self }
    }

    /// May be repeated.
    pub(crate) const fn multiple(self) -> Arg {
        Arg { multiple: true, ..self }
    }

    /// May be repeated with its token.
    pub(crate) const fn multiple_token(self) -> Arg {
        Arg { multiple: true, multiple_token: true, ..self }
    }
}

/// What a command or a container of subcommands does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Run this.
    Run(Handler),
    /// Look further by the first argument.
    Container(&'static [Command]),
    /// Without arguments run this, else look further.
    RunOrContainer(Handler, &'static [Command]),
}

/// Places in a sorted set's order that belong to an element which a command names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Places {
    /// It looks for none.
    None,
    /// That of the element as it is.
    Own,
    /// That, and the one of the score that the argument in front of the element gives it.
    OwnAndNew,
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    /// Its name in lower case; of a subcommand, only its own part.
    pub(crate) name: &'static str,
    /// For a subcommand, `container|name`; else the name.
    pub(crate) full_name: &'static str,
    /// The number of arguments with the name; negative: at least as many.
    pub(crate) arity: i16,
    /// Its flags.
    pub(crate) flags: Flags,
    /// Where its keys are.
    pub(crate) keys: &'static [KeySpec],
    /// Its group.
    pub(crate) group: Group,
    /// The version of Redis that brought it.
    pub(crate) since: &'static str,
    /// What it does, in a sentence of ours.
    pub(crate) summary: &'static str,
    /// Its cost.
    pub(crate) complexity: &'static str,
    /// ACL categories beyond those that follow from the flags (`keyspace`, `string`, `dangerous`, ...).
    pub(crate) acl: &'static [&'static str],
    /// Hints for clients and proxies.
    pub(crate) tips: &'static [&'static str],
    /// Its arguments for `COMMAND DOCS`.
    pub(crate) args: &'static [Arg],
    /// The argument that names the element of a collection it looks for first, negative from the end; zero if there is
    /// none. A pipeline fetches it ahead.
    pub(crate) element: i8,
    /// The places in a sorted set's order that it looks for then.
    pub(crate) places: Places,
    /// What it does.
    pub(crate) action: Action,
}

impl Command {
    /// A command that runs `handler`.
    pub(crate) const fn new(name: &'static str, arity: i16, group: Group, handler: Handler) -> Command {
        Command {
            name,
            full_name: name,
            arity,
            flags: Flags(0),
            keys: &[],
            group,
            since: "1.0.0",
            summary: "",
            complexity: "",
            acl: &[],
            tips: &[],
            args: &[],
            element: 0,
            places: Places::None,
            action: Action::Run(handler),
        }
    }

    /// A subcommand: `full_name` is `container|name`.
    pub(crate) const fn sub(
        name: &'static str,
        full_name: &'static str,
        arity: i16,
        group: Group,
        handler: Handler,
    ) -> Command {
        Command { full_name, ..Command::new(name, arity, group, handler) }
    }

    /// A command that is nothing without one of its subcommands.
    pub(crate) const fn container(name: &'static str, group: Group, subs: &'static [Command]) -> Command {
        Command {
            name,
            full_name: name,
            arity: -2,
            flags: Flags(0),
            keys: &[],
            group,
            since: "1.0.0",
            summary: "",
            complexity: "",
            acl: &[],
            tips: &[],
            args: &[],
            element: 0,
            places: Places::None,
            action: Action::Container(subs),
        }
    }

    /// With subcommands, which a first argument chooses.
    pub(crate) const fn with(self, subs: &'static [Command]) -> Command {
        let action = match self.action {
            Action::Run(handler) => Action::RunOrContainer(handler, subs),
            other => other,
        };
        Command { action, ..self }
    }

    /// With these flags.
    pub(crate) const fn flags(self, flags: Flags) -> Command {
        Command { flags, ..self }
    }

    /// With keys at these places.
    pub(crate) const fn keys(self, keys: &'static [KeySpec]) -> Command {
        Command { keys, ..self }
    }

    /// Brought by this version of Redis (or Valkey).
    pub(crate) const fn since(self, since: &'static str) -> Command {
        Command { since, ..self }
    }

    /// With this summary and cost.
    pub(crate) const fn about(self, summary: &'static str, complexity: &'static str) -> Command {
        Command { summary, complexity, ..self }
    }

    /// In these further ACL categories.
    pub(crate) const fn acl(self, acl: &'static [&'static str]) -> Command {
        Command { acl, ..self }
    }

    /// With these hints.
    pub(crate) const fn tips(self, tips: &'static [&'static str]) -> Command {
        Command { tips, ..self }
    }

    /// With these arguments.
    pub(crate) const fn args(self, args: &'static [Arg]) -> Command {
        Command { args, ..self }
    }

    /// Looking then for these places in the order.
    pub(crate) const fn places(self, places: Places) -> Command {
        Command { places, ..self }
    }

    /// Looking first for the element that argument `at` names.
    pub(crate) const fn element(self, at: i8) -> Command {
        Command { element: at, ..self }
    }

    /// Whether it is a subcommand of another.
    pub(crate) const fn is_sub(&self) -> bool {
        self.full_name.len() > self.name.len()
    }

    /// The argument that holds the first key, zero if there is none at a fixed place.
    pub(crate) const fn first_key(&self) -> usize {
        match self.keys {
            [KeySpec { begin: KeyBegin::Index(i), .. }, ..] => *i,
            _ => 0,
        }
    }

    /// Whether `count` arguments (the name included) are a possible number for it.
    pub(crate) const fn accepts(&self, count: usize) -> bool {
        if self.arity >= 0 {
            count == self.arity as usize
        } else {
            count >= self.arity.unsigned_abs() as usize
        }
    }
}
