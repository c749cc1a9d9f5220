//! Configuration, the catalogue of commands, and what an operator does to the server.

use crate::command::{Arg, Command, Flags, Group};
use crate::commands::{acl, catalogue, config, debug, docs, persistence, server, shutdown};

/// What loads modules.
const GUARDED: Flags = Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::NO_ASYNC_LOADING).and(Flags::PROTECTED);

pub(super) const COMMANDS: &[Command] = &[
    Command::container(
        "acl",
        Group::Server,
        &[
            Command::sub("cat", "acl|cat", -2, Group::Server, acl::cat)
                .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about("Lists the categories, or the commands of one.", "O(1), the lists being fixed")
                .args(&[Arg::new("category", "string").optional()]),
            Command::sub("deluser", "acl|deluser", -3, Group::Server, acl::deluser)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about(
                    "Removes users and closes their connections.",
                    "O(N), N being the number of connections",
                )
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
                .args(&[Arg::new("username", "string").multiple()]),
            Command::sub("dryrun", "acl|dryrun", -4, Group::Server, acl::dryrun)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("7.0.0")
                .about(
                    "Tells whether a user could run a command, without running it.",
                    "O(N), N being the number of rules of the user",
                )
                .args(&[
                    Arg::new("username", "string"),
                    Arg::new("command", "string"),
                    Arg::new("arg", "string").optional().multiple(),
                ]),
            Command::sub("genpass", "acl|genpass", -2, Group::Server, acl::genpass)
                .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about("Makes up a password.", "O(1)")
                .args(&[Arg::new("bits", "integer").optional()]),
            Command::sub("getuser", "acl|getuser", 3, Group::Server, acl::getuser)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about("Tells what a user may do.", "O(N), N being the number of rules of the user")
                .args(&[Arg::new("username", "string")]),
            Command::sub("help", "acl|help", 2, Group::Server, acl::help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("6.0.0")
                .about("Lists the subcommands.", "O(1)"),
            Command::sub("list", "acl|list", 2, Group::Server, acl::list)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about("Lists the users with their rules.", "O(N), N being the number of users"),
            Command::sub("load", "acl|load", 2, Group::Server, acl::load)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about("Takes the users from their file, all or none.", "O(N), N being the number of users"),
            Command::sub("log", "acl|log", -2, Group::Server, acl::log)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about(
                    "Shows or clears the log of refused clients.",
                    "O(N), N being the number of entries shown",
                )
                .args(&[Arg::one_of(
                    "operation",
                    &[Arg::new("count", "integer"), Arg::word("reset", "RESET")],
                )
                .optional()]),
            Command::sub("save", "acl|save", 2, Group::Server, acl::save)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about("Writes the users into their file.", "O(N), N being the number of users")
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Command::sub("setuser", "acl|setuser", -3, Group::Server, acl::setuser)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about("Adds a user, or adds rules to one.", "O(N), N being the number of rules given")
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
                .args(&[Arg::new("username", "string"), Arg::new("rule", "string").optional().multiple()]),
            Command::sub("users", "acl|users", 2, Group::Server, acl::users)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about("Lists the users' names.", "O(N), N being the number of users"),
            Command::sub("whoami", "acl|whoami", 2, Group::Server, acl::whoami)
                .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE))
                .since("6.0.0")
                .about("Tells which user this connection is.", "O(1)"),
        ],
    )
    .since("6.0.0")
    .about("A container for commands about users and their rights.", "Depends on the subcommand"),
    Command::new("bgrewriteaof", 1, Group::Server, persistence::bgrewriteaof)
        .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::NO_ASYNC_LOADING))
        .about("Would write the append-only file anew; there is none.", "O(1)"),
    Command::new("bgsave", -1, Group::Server, persistence::bgsave)
        .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::NO_ASYNC_LOADING))
        .about("Writes a snapshot to the disk while commands go on.", "O(1)")
        .args(&[Arg::one_of(
            "operation",
            &[Arg::word("schedule", "SCHEDULE").since("3.2.2"), Arg::word("cancel", "CANCEL").since("8.1.0")],
        )
        .optional()]),
    Command::new("command", -1, Group::Server, catalogue::command)
        .flags(Flags::LOADING.and(Flags::STALE))
        .since("2.8.13")
        .about("Describes all commands.", "O(N), N being the number of commands")
        .acl(&["connection"])
        .tips(&["nondeterministic_output_order"])
        .with(&[
            Command::sub("count", "command|count", 2, Group::Server, catalogue::count)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("2.8.13")
                .about("Tells how many commands there are.", "O(1)")
                .acl(&["connection"]),
            Command::sub("docs", "command|docs", -2, Group::Server, docs::docs)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("7.0.0")
                .about("Documents commands.", "O(N), N being the number of commands asked for")
                .acl(&["connection"])
                .tips(&["nondeterministic_output_order"])
                .args(&[Arg::new("command-name", "string").optional().multiple()]),
            Command::sub("getkeys", "command|getkeys", -3, Group::Server, catalogue::getkeys)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("2.8.13")
                .about(
                    "Finds the keys among the arguments of a command.",
                    "O(N), N being the number of arguments",
                )
                .acl(&["connection"])
                .args(&[Arg::new("command", "string"), Arg::new("arg", "string").optional().multiple()]),
            Command::sub(
                "getkeysandflags",
                "command|getkeysandflags",
                -3,
                Group::Server,
                catalogue::getkeysandflags,
            )
            .flags(Flags::LOADING.and(Flags::STALE))
            .since("7.0.0")
            .about(
                "Finds the keys among the arguments of a command, with what is done to them.",
                "O(N), N being the number of arguments",
            )
            .acl(&["connection"])
            .args(&[Arg::new("command", "string"), Arg::new("arg", "string").optional().multiple()]),
            Command::sub("help", "command|help", 2, Group::Server, catalogue::help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("5.0.0")
                .about("Lists the subcommands.", "O(1)")
                .acl(&["connection"]),
            Command::sub("info", "command|info", -2, Group::Server, catalogue::info)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("2.8.13")
                .about("Describes commands.", "O(N), N being the number of commands asked for")
                .acl(&["connection"])
                .tips(&["nondeterministic_output_order"])
                .args(&[Arg::new("command-name", "string").optional().multiple()]),
            Command::sub("list", "command|list", -2, Group::Server, catalogue::list)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("7.0.0")
                .about("Lists the names of commands.", "O(N), N being the number of commands")
                .acl(&["connection"])
                .tips(&["nondeterministic_output_order"])
                .args(&[Arg::one_of(
                    "filterby",
                    &[
                        Arg::new("module-name", "string").after("MODULE"),
                        Arg::new("category", "string").after("ACLCAT"),
                        Arg::new("pattern", "pattern").after("PATTERN"),
                    ],
                )
                .after("FILTERBY")
                .optional()]),
        ]),
    Command::container(
        "config",
        Group::Server,
        &[
            Command::sub("get", "config|get", -3, Group::Server, config::get)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("2.0.0")
                .about("Gives the values of directives.", "O(N), N being the number of directives asked for")
                .args(&[Arg::new("parameter", "string").multiple()]),
            Command::sub("help", "config|help", 2, Group::Server, config::help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("5.0.0")
                .about("Lists the subcommands.", "O(1)"),
            Command::sub("resetstat", "config|resetstat", 2, Group::Server, config::resetstat)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("2.0.0")
                .about("Sets the counters back.", "O(1)")
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Command::sub("rewrite", "config|rewrite", 2, Group::Server, config::rewrite)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("2.8.0")
                .about("Writes the present configuration into its file.", "O(1)")
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Command::sub("set", "config|set", -4, Group::Server, config::set)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("2.0.0")
                .about("Changes directives, all or none.", "O(N), N being the number of directives given")
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
                .args(&[Arg::block("data", &[Arg::new("parameter", "string"), Arg::new("value", "string")])
                    .multiple()]),
        ],
    )
    .since("2.0.0")
    .about("A container for commands about the configuration.", "Depends on the subcommand"),
    Command::new("debug", -2, Group::Server, debug::debug)
        .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE).and(Flags::PROTECTED))
        .about("A container for commands that help to debug.", "Depends on the subcommand"),
    Command::new("lastsave", 1, Group::Server, persistence::lastsave)
        .flags(Flags::LOADING.and(Flags::STALE).and(Flags::FAST))
        .about("Tells when the last snapshot succeeded.", "O(1)")
        .acl(&["admin", "dangerous"])
        .tips(&["nondeterministic_output"]),
    Command::new("lolwut", -1, Group::Server, server::lolwut)
        .flags(Flags::READONLY.and(Flags::FAST))
        .since("5.0.0")
        .about("Draws a picture and tells the version.", "O(1)")
        .args(&[Arg::new("version", "integer").after("VERSION").optional()]),
    Command::container(
        "module",
        Group::Server,
        &[
            Command::sub("help", "module|help", 2, Group::Server, server::module_help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("5.0.0")
                .about("Lists the subcommands.", "O(1)"),
            Command::sub("list", "module|list", 2, Group::Server, server::module_list)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT))
                .since("4.0.0")
                .about("Lists the loaded modules.", "O(N), N being the number of modules")
                .tips(&["nondeterministic_output_order"]),
            Command::sub("load", "module|load", -3, Group::Server, server::module_load)
                .flags(GUARDED)
                .since("4.0.0")
                .about("Would load a module; this server loads none.", "O(1)")
                .args(&[Arg::new("path", "string"), Arg::new("arg", "string").optional().multiple()]),
            Command::sub("loadex", "module|loadex", -3, Group::Server, server::module_load)
                .flags(GUARDED)
                .since("7.0.0")
                .about("Would load a module with directives; this server loads none.", "O(1)")
                .args(&[
                    Arg::new("path", "string"),
                    Arg::block("configs", &[Arg::new("name", "string"), Arg::new("value", "string")])
                        .after("CONFIG")
                        .optional()
                        .multiple_token(),
                    Arg::new("args", "string").after("ARGS").optional().multiple(),
                ]),
            Command::sub("unload", "module|unload", 3, Group::Server, server::module_unload)
                .flags(GUARDED)
                .since("4.0.0")
                .about("Would unload a module; there is none.", "O(1)")
                .args(&[Arg::new("name", "string")]),
        ],
    )
    .since("4.0.0")
    .about("A container for commands about modules.", "Depends on the subcommand"),
    Command::new("save", 1, Group::Server, persistence::save)
        .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::NO_ASYNC_LOADING).and(Flags::NO_MULTI))
        .about(
            "Writes a snapshot to the disk; the client waits for it.",
            "O(N), N being the number of keys in all databases",
        ),
    Command::new("shutdown", -1, Group::Server, shutdown::shutdown)
        .flags(
            Flags::ADMIN
                .and(Flags::NOSCRIPT)
                .and(Flags::LOADING)
                .and(Flags::STALE)
                .and(Flags::NO_MULTI)
                .and(Flags::ALLOW_BUSY),
        )
        .about(
            "Saves if that is configured and ends the server.",
            "O(N), N being the number of keys if a snapshot is written",
        )
        .args(&[Arg::one_of(
            "abort-selector",
            &[
                Arg::block(
                    "save-selector-block",
                    &[
                        Arg::one_of(
                            "save-selector",
                            &[Arg::word("nosave", "NOSAVE"), Arg::word("save", "SAVE")],
                        )
                        .optional(),
                        Arg::word("now", "NOW").since("7.0.0").optional(),
                        Arg::word("force", "FORCE").since("7.0.0").optional(),
                        Arg::word("safe", "SAFE").since("9.0.0").optional(),
                        Arg::word("failover", "FAILOVER").since("9.0.0").optional(),
                    ],
                ),
                Arg::word("abort", "ABORT").since("7.0.0"),
            ],
        )
        .optional()]),
    Command::new("time", 1, Group::Server, server::time)
        .flags(Flags::LOADING.and(Flags::STALE).and(Flags::FAST))
        .since("2.6.0")
        .about("Gives the wall clock.", "O(1)")
        .tips(&["nondeterministic_output"]),
];
