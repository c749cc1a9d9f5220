//! Scripts and functions.

use crate::command::{Arg, Command, Flags, Group, Handler, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::commands::script::{cache, eval, function, payload};

const RUNS: Flags = Flags::NOSCRIPT
    .and(Flags::STALE)
    .and(Flags::SKIP_MONITOR)
    .and(Flags::NO_MANDATORY_KEYS)
    .and(Flags::MOVABLE_KEYS);
const WRITES: Flags = RUNS.and(Flags::MAY_REPLICATE);
const READS: Flags = RUNS.and(Flags::READONLY);
const KEEPS: Flags = Flags::NOSCRIPT.and(Flags::STALE);
const CHANGES: Flags = Flags::WRITE.and(Flags::NOSCRIPT);
const ALL_SHARDS: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];
const ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];
const ONE_SHARD: &[&str] = &["request_policy:all_shards", "response_policy:one_succeeded"];

/// The keys that a script is told of, counted by the second argument.
const fn keys(access: KeyAccess, flags: &'static [&'static str]) -> KeySpec {
    KeySpec {
        access,
        flags,
        begin: KeyBegin::Index(2),
        find: KeyFind::Count { count: 0, first: 1, step: 1 },
        notes: "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE",
    }
}

const READ_WRITE: &[KeySpec] = &[keys(KeyAccess::ReadWrite, &["access", "update"])];
const READ_WRITE_BY_NAME: &[KeySpec] = &[KeySpec { notes: "", ..READ_WRITE[0] }];
const READ_ONLY: &[KeySpec] = &[KeySpec {
    notes: "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS",
    ..keys(KeyAccess::Read, &["access"])
}];
const READ_ONLY_BY_NAME: &[KeySpec] = &[KeySpec { notes: "", ..READ_ONLY[0] }];

const KEY: Arg = Arg::key("key", 0).optional().multiple();
const ARG: Arg = Arg::new("arg", "string").optional().multiple();
const SCRIPT_ARGS: &[Arg] = &[Arg::new("script", "string"), Arg::new("numkeys", "integer"), KEY, ARG];
const SHA_ARGS: &[Arg] = &[Arg::new("sha1", "string"), Arg::new("numkeys", "integer"), KEY, ARG];
const CALL_ARGS: &[Arg] = &[Arg::new("function", "string"), Arg::new("numkeys", "integer"), KEY, ARG];
const MODE: Arg =
    Arg::one_of("flush-type", &[Arg::word("async", "ASYNC"), Arg::word("sync", "SYNC")]).optional();

const fn runner(name: &'static str, handler: Handler, summary: &'static str) -> Command {
    Command::new(name, -3, Group::Scripting, handler)
        .about(summary, "Depends on the script that is executed.")
}

const fn of_function(name: &'static str, full: &'static str, arity: i16, handler: Handler) -> Command {
    Command::sub(name, full, arity, Group::Scripting, handler).since("7.0.0")
}

const fn of_script(name: &'static str, full: &'static str, arity: i16, handler: Handler) -> Command {
    Command::sub(name, full, arity, Group::Scripting, handler).since("2.6.0")
}

pub(super) const COMMANDS: &[Command] = &[
    runner("eval", eval::eval, "Runs a Lua script.")
        .flags(WRITES)
        .since("2.6.0")
        .keys(READ_WRITE)
        .args(SCRIPT_ARGS),
    runner("eval_ro", eval::eval_ro, "Runs a Lua script that only reads.")
        .flags(READS)
        .since("7.0.0")
        .keys(READ_ONLY)
        .args(SCRIPT_ARGS),
    runner("evalsha", eval::evalsha, "Runs a Lua script of the cache by its SHA-1 digest.")
        .flags(WRITES)
        .since("2.6.0")
        .keys(READ_WRITE_BY_NAME)
        .args(SHA_ARGS),
    runner("evalsha_ro", eval::evalsha_ro, "Runs a Lua script of the cache, which only reads.")
        .flags(READS)
        .since("7.0.0")
        .keys(READ_ONLY_BY_NAME)
        .args(SHA_ARGS),
    runner("fcall", eval::fcall, "Calls a function of a library.")
        .flags(WRITES)
        .since("7.0.0")
        .keys(READ_WRITE)
        .args(CALL_ARGS),
    runner("fcall_ro", eval::fcall_ro, "Calls a function that only reads.")
        .flags(READS)
        .since("7.0.0")
        .keys(READ_ONLY)
        .args(CALL_ARGS),
    Command::container(
        "function",
        Group::Scripting,
        &[
            of_function("delete", "function|delete", 3, function::delete)
                .flags(CHANGES)
                .about("Removes a library and its functions.", "O(1)")
                .tips(ALL_SHARDS)
                .args(&[Arg::new("library-name", "string")]),
            of_function("dump", "function|dump", 2, payload::dump)
                .flags(Flags::NOSCRIPT)
                .about("Gives all libraries as a payload.", "O(N), N being the number of functions"),
            of_function("flush", "function|flush", -2, function::flush)
                .flags(CHANGES)
                .about("Removes all libraries.", "O(N), N being the number of functions removed")
                .tips(ALL_SHARDS)
                .args(&[MODE]),
            of_function("help", "function|help", 2, function::help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .about("Lists the subcommands.", "O(1)"),
            of_function("kill", "function|kill", 2, function::kill_function)
                .flags(Flags::NOSCRIPT.and(Flags::ALLOW_BUSY))
                .about("Ends the function that is running.", "O(1)")
                .tips(ONE_SHARD),
            of_function("list", "function|list", -2, function::list)
                .flags(Flags::NOSCRIPT)
                .about("Describes the libraries.", "O(N), N being the number of functions")
                .tips(&["nondeterministic_output_order"])
                .args(&[
                    Arg::new("library-name-pattern", "string").after("LIBRARYNAME").optional(),
                    Arg::word("withcode", "WITHCODE").optional(),
                ]),
            of_function("load", "function|load", -3, function::load)
                .flags(CHANGES.and(Flags::DENYOOM))
                .about("Adds a library.", "O(1), the time of compiling aside")
                .tips(ALL_SHARDS)
                .args(&[Arg::word("replace", "REPLACE").optional(), Arg::new("function-code", "string")]),
            of_function("restore", "function|restore", -3, payload::restore)
                .flags(CHANGES.and(Flags::DENYOOM))
                .about("Adds the libraries of a payload.", "O(N), N being the number of functions")
                .tips(ALL_SHARDS)
                .args(&[
                    Arg::new("serialized-value", "string"),
                    Arg::one_of(
                        "policy",
                        &[
                            Arg::word("flush", "FLUSH"),
                            Arg::word("append", "APPEND"),
                            Arg::word("replace", "REPLACE"),
                        ],
                    )
                    .optional(),
                ]),
            of_function("stats", "function|stats", 2, function::stats)
                .flags(Flags::NOSCRIPT.and(Flags::ALLOW_BUSY))
                .about("Tells which function is running, and how many there are.", "O(1)")
                .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
        ],
    )
    .since("7.0.0")
    .about("A container for commands about functions.", "Depends on the subcommand"),
    Command::container(
        "script",
        Group::Scripting,
        &[
            of_script("debug", "script|debug", -3, cache::debug)
                .flags(Flags::NOSCRIPT)
                .since("3.2.0")
                .about("Chooses how the scripts of this connection are debugged.", "O(1)")
                .args(&[
                    Arg::one_of(
                        "mode",
                        &[Arg::word("yes", "YES"), Arg::word("sync", "SYNC"), Arg::word("no", "NO")],
                    ),
                    Arg::new("engine", "string").since("9.1.0").optional(),
                ]),
            of_script("exists", "script|exists", -3, cache::exists)
                .flags(KEEPS)
                .about(
                    "Tells which scripts are in the cache.",
                    "O(N), N being the number of scripts asked for",
                )
                .tips(&["request_policy:all_shards", "response_policy:agg_logical_and"])
                .args(&[Arg::new("sha1", "string").multiple()]),
            of_script("flush", "script|flush", -2, cache::flush)
                .flags(KEEPS)
                .about("Forgets all scripts.", "O(N), N being the number of scripts in the cache")
                .tips(ALL_NODES)
                .args(&[MODE.since("6.2.0")]),
            of_script("help", "script|help", 2, cache::help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("5.0.0")
                .about("Lists the subcommands.", "O(1)"),
            of_script("kill", "script|kill", 2, cache::kill_script)
                .flags(Flags::NOSCRIPT.and(Flags::ALLOW_BUSY))
                .about("Ends the script that is running.", "O(1)")
                .tips(ONE_SHARD),
            of_script("load", "script|load", 3, cache::load)
                .flags(KEEPS)
                .about("Puts a script into the cache.", "O(N), N being the length of the script")
                .tips(ALL_NODES)
                .args(&[Arg::new("script", "string")]),
            of_script("show", "script|show", 3, cache::show)
                .flags(KEEPS)
                .since("8.0.0")
                .about("Shows the text of a script in the cache.", "O(1)")
                .args(&[Arg::new("sha1", "string")]),
        ],
    )
    .since("2.6.0")
    .about("A container for commands about scripts.", "Depends on the subcommand"),
];
