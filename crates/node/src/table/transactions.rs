//! Transactions.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeySpec};
use crate::commands::transactions as run;

const ALWAYS: Flags = Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::FAST);

pub(super) const COMMANDS: &[Command] = &[
    Command::new("multi", 1, Group::Transactions, run::multi)
        .flags(ALWAYS.and(Flags::NO_MULTI).and(Flags::ALLOW_BUSY))
        .since("1.2.0")
        .about("Begins a transaction: the commands that follow are queued.", "O(1)"),
    Command::new("exec", 1, Group::Transactions, run::exec)
        .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::SKIP_SLOWLOG))
        .since("1.2.0")
        .about(
            "Runs the queued commands as one, unless a watched key has changed.",
            "Depends on commands in the transaction",
        ),
    Command::new("discard", 1, Group::Transactions, run::discard)
        .flags(ALWAYS.and(Flags::ALLOW_BUSY))
        .since("2.0.0")
        .about(
            "Forgets the queued commands and ends the transaction.",
            "O(N), when N is the number of queued commands",
        ),
    Command::new("watch", -2, Group::Transactions, run::watch)
        .flags(ALWAYS.and(Flags::NO_MULTI).and(Flags::ALLOW_BUSY))
        .keys(&[KeySpec::range(1, -1, 1, KeyAccess::Read, &[])])
        .since("2.2.0")
        .about("Makes the next transaction depend on keys staying as they are.", "O(1) for every key.")
        .args(&[Arg::key("key", 0).multiple()]),
    Command::new("unwatch", 1, Group::Transactions, run::unwatch)
        .flags(ALWAYS.and(Flags::ALLOW_BUSY))
        .since("2.2.0")
        .about("Forgets the watched keys.", "O(1)"),
];
