//! The connection itself.

use crate::command::{Arg, Command, Flags, Group};
use crate::commands::connection as run;

const ANY: Flags = Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE);
const FREE: Flags = ANY.and(Flags::FAST).and(Flags::NO_AUTH).and(Flags::ALLOW_BUSY);

pub(super) const COMMANDS: &[Command] = &[
    Command::new("auth", -2, Group::Connection, run::auth)
        .flags(FREE)
        .about("Proves who the client is.", "O(N) where N is the number of passwords defined for the user")
        .args(&[Arg::new("username", "string").optional().since("6.0.0"), Arg::new("password", "string")]),
    Command::new("echo", 2, Group::Connection, run::echo)
        .flags(Flags::LOADING.and(Flags::STALE).and(Flags::FAST))
        .about("Gives back its argument.", "O(1)")
        .args(&[Arg::new("message", "string")]),
    Command::new("hello", -1, Group::Connection, run::hello)
        .flags(FREE)
        .since("6.0.0")
        .about(
            "Chooses the protocol, proves who the client is, names it, and tells about the server.",
            "O(1)",
        )
        .args(&[Arg::block(
            "arguments",
            &[
                Arg::new("protover", "integer"),
                Arg::block("auth", &[Arg::new("username", "string"), Arg::new("password", "string")])
                    .after("AUTH")
                    .optional(),
                Arg::new("clientname", "string").after("SETNAME").optional(),
            ],
        )
        .optional()]),
    Command::new("ping", -1, Group::Connection, run::ping)
        .flags(Flags::FAST)
        .about("Answers, with the argument if there is one.", "O(1)")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .args(&[Arg::new("message", "string").optional()]),
    Command::new("quit", -1, Group::Connection, run::quit)
        .flags(FREE)
        .about("Closes the connection.", "O(1)"),
    Command::new("reset", 1, Group::Connection, run::reset)
        .flags(FREE)
        .since("6.2.0")
        .about("Makes the connection as new.", "O(1)"),
    Command::new("select", 2, Group::Connection, run::select)
        .flags(Flags::LOADING.and(Flags::STALE).and(Flags::FAST).and(Flags::ALLOW_BUSY))
        .about("Chooses the database.", "O(1)")
        .args(&[Arg::new("index", "integer")]),
];
