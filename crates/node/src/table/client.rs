//! What connections tell about each other and do to each other: `CLIENT`.

use crate::command::{Arg, Command, Flags, Group};
use crate::commands::client as run;

pub(super) const COMMANDS: &[Command] = &[Command::container(
    "client",
    Group::Connection,
    &[
        Command::sub("caching", "client|caching", 3, Group::Connection, run::caching)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::ALLOW_BUSY))
            .since("6.0.0")
            .about("Says whether the keys that the next command reads are tracked.", "O(1)")
            .acl(&["connection"])
            .args(&[Arg::one_of("mode", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])]),
        Command::sub("capa", "client|capa", -3, Group::Connection, run::capa)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::ALLOW_BUSY))
            .since("8.0.0")
            .about("Takes note of what the client is able to do.", "O(1)")
            .acl(&["connection"])
            .args(&[Arg::new("capability", "string").multiple()]),
        Command::sub("getname", "client|getname", 2, Group::Connection, run::getname)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::ALLOW_BUSY))
            .since("2.6.9")
            .about("Gives the connection's name.", "O(1)")
            .acl(&["connection"]),
        Command::sub("getredir", "client|getredir", 2, Group::Connection, run::getredir)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::ALLOW_BUSY))
            .since("6.0.0")
            .about("Tells where invalidation messages of this connection go.", "O(1)")
            .acl(&["connection"]),
        Command::sub("help", "client|help", 2, Group::Connection, run::help)
            .flags(Flags::LOADING.and(Flags::STALE))
            .since("5.0.0")
            .about("Lists the subcommands.", "O(1)")
            .acl(&["connection"]),
        Command::sub("id", "client|id", 2, Group::Connection, run::id)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::ALLOW_BUSY))
            .since("5.0.0")
            .about("Gives the connection's number.", "O(1)")
            .acl(&["connection"]),
        Command::sub("import-source", "client|import-source", 3, Group::Connection, run::import_source)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE))
            .since("8.1.0")
            .about("Says whether this connection copies data into a server in import mode.", "O(1)")
            .acl(&["connection"])
            .args(&[Arg::one_of("enabled", &[Arg::word("on", "ON"), Arg::word("off", "OFF")])]),
        Command::sub("info", "client|info", 2, Group::Connection, run::info)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE))
            .since("6.2.0")
            .about("Describes this connection in one line.", "O(1)")
            .acl(&["connection"])
            .tips(&["nondeterministic_output"]),
        Command::sub("kill", "client|kill", -3, Group::Connection, run::kill)
            .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
            .since("2.4.0")
            .about(
                "Closes connections chosen by address or by filters.",
                "O(N), N being the number of connections",
            )
            .acl(&["connection"])
            .args(&[Arg::one_of(
                "filter",
                &[
                    Arg::new("old-format", "string").shown("ip:port").deprecated("2.8.12"),
                    Arg::one_of(
                        "new-format",
                        &[
                            Arg::new("client-id", "integer")
                                .after("ID")
                                .since("2.8.12")
                                .optional()
                                .multiple(),
                            Arg::one_of(
                                "client-type",
                                &[
                                    Arg::word("normal", "NORMAL"),
                                    Arg::word("master", "MASTER").since("3.2.0"),
                                    Arg::word("primary", "PRIMARY").since("8.0.0"),
                                    Arg::word("slave", "SLAVE"),
                                    Arg::word("replica", "REPLICA").since("5.0.0"),
                                    Arg::word("pubsub", "PUBSUB"),
                                ],
                            )
                            .after("TYPE")
                            .since("2.8.12")
                            .optional(),
                            Arg::new("username", "string").after("USER").optional(),
                            Arg::new("addr", "string").shown("ip:port").after("ADDR").optional(),
                            Arg::new("laddr", "string")
                                .shown("ip:port")
                                .after("LADDR")
                                .since("6.2.0")
                                .optional(),
                            Arg::one_of("skipme", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])
                                .after("SKIPME")
                                .optional(),
                            Arg::new("maxage", "integer").after("MAXAGE").since("8.0.0").optional(),
                            Arg::new("name", "string").after("NAME").since("9.0.0").optional(),
                            Arg::new("idle", "integer").after("IDLE").since("9.0.0").optional(),
                            Arg::new("flags", "string").after("FLAGS").since("9.0.0").optional(),
                            Arg::new("lib-name", "string").after("LIB-NAME").since("9.0.0").optional(),
                            Arg::new("lib-ver", "string").after("LIB-VER").since("9.0.0").optional(),
                            Arg::new("db", "integer").after("DB").since("9.0.0").optional(),
                            Arg::new("capa", "string").after("CAPA").since("9.0.0").optional(),
                            Arg::new("ip", "string").after("IP").since("9.0.0").optional(),
                            Arg::one_of(
                                "not-client-type",
                                &[
                                    Arg::word("normal", "NORMAL"),
                                    Arg::word("master", "MASTER"),
                                    Arg::word("primary", "PRIMARY"),
                                    Arg::word("slave", "SLAVE"),
                                    Arg::word("replica", "REPLICA"),
                                    Arg::word("pubsub", "PUBSUB"),
                                ],
                            )
                            .after("NOT-TYPE")
                            .since("9.0.0")
                            .optional(),
                            Arg::new("not-client-id", "integer")
                                .after("NOT-ID")
                                .since("9.0.0")
                                .optional()
                                .multiple(),
                            Arg::new("not-username", "string").after("NOT-USER").since("9.0.0").optional(),
                            Arg::new("not-addr", "string")
                                .shown("ip:port")
                                .after("NOT-ADDR")
                                .since("9.0.0")
                                .optional(),
                            Arg::new("not-laddr", "string")
                                .shown("ip:port")
                                .after("NOT-LADDR")
                                .since("9.0.0")
                                .optional(),
                            Arg::new("not-name", "string").after("NOT-NAME").since("9.0.0").optional(),
                            Arg::new("not-flags", "string").after("NOT-FLAGS").since("9.0.0").optional(),
                            Arg::new("not-lib-name", "string")
                                .after("NOT-LIB-NAME")
                                .since("9.0.0")
                                .optional(),
                            Arg::new("not-lib-ver", "string").after("NOT-LIB-VER").since("9.0.0").optional(),
                            Arg::new("not-db", "integer").after("NOT-DB").since("9.0.0").optional(),
                            Arg::new("not-capa", "string").after("NOT-CAPA").since("9.0.0").optional(),
                            Arg::new("not-ip", "string").after("NOT-IP").since("9.0.0").optional(),
                        ],
                    )
                    .multiple(),
                ],
            )]),
        Command::sub("list", "client|list", -2, Group::Connection, run::list)
            .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
            .since("2.4.0")
            .about("Describes connections, one line each.", "O(N), N being the number of connections")
            .acl(&["connection"])
            .tips(&["nondeterministic_output"])
            .args(&[
                Arg::one_of(
                    "client-type",
                    &[
                        Arg::word("normal", "NORMAL"),
                        Arg::word("master", "MASTER"),
                        Arg::word("replica", "REPLICA"),
                        Arg::word("pubsub", "PUBSUB"),
                    ],
                )
                .after("TYPE")
                .since("5.0.0")
                .optional(),
                Arg::new("client-id", "integer").after("ID").since("6.2.0").optional().multiple(),
                Arg::new("username", "string").after("USER").since("8.1.0").optional(),
                Arg::new("addr", "string").shown("ip:port").after("ADDR").since("8.1.0").optional(),
                Arg::new("laddr", "string").shown("ip:port").after("LADDR").since("8.1.0").optional(),
                Arg::one_of("skipme", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])
                    .after("SKIPME")
                    .since("8.1.0")
                    .optional(),
                Arg::new("maxage", "integer").after("MAXAGE").since("8.1.0").optional(),
                Arg::new("name", "string").after("NAME").since("9.0.0").optional(),
                Arg::new("idle", "integer").after("IDLE").since("9.0.0").optional(),
                Arg::new("flags", "string").after("FLAGS").since("9.0.0").optional(),
                Arg::new("lib-name", "string").after("LIB-NAME").since("9.0.0").optional(),
                Arg::new("lib-ver", "string").after("LIB-VER").since("9.0.0").optional(),
                Arg::new("db", "integer").after("DB").since("9.0.0").optional(),
                Arg::new("capa", "string").after("CAPA").since("9.0.0").optional(),
                Arg::new("ip", "string").after("IP").since("9.0.0").optional(),
                Arg::one_of(
                    "not-client-type",
                    &[
                        Arg::word("normal", "NORMAL"),
                        Arg::word("master", "MASTER"),
                        Arg::word("replica", "REPLICA"),
                        Arg::word("pubsub", "PUBSUB"),
                    ],
                )
                .after("NOT-TYPE")
                .since("9.0.0")
                .optional(),
                Arg::new("not-client-id", "integer").after("NOT-ID").since("9.0.0").optional().multiple(),
                Arg::new("not-username", "string").after("NOT-USER").since("9.0.0").optional(),
                Arg::new("not-addr", "string").shown("ip:port").after("NOT-ADDR").since("9.0.0").optional(),
                Arg::new("not-laddr", "string").shown("ip:port").after("NOT-LADDR").since("9.0.0").optional(),
                Arg::new("not-name", "string").after("NOT-NAME").since("9.0.0").optional(),
                Arg::new("not-flags", "string").after("NOT-FLAGS").since("9.0.0").optional(),
                Arg::new("not-lib-name", "string").after("NOT-LIB-NAME").since("9.0.0").optional(),
                Arg::new("not-lib-ver", "string").after("NOT-LIB-VER").since("9.0.0").optional(),
                Arg::new("not-db", "integer").after("NOT-DB").since("9.0.0").optional(),
                Arg::new("not-capa", "string").after("NOT-CAPA").since("9.0.0").optional(),
                Arg::new("not-ip", "string").after("NOT-IP").since("9.0.0").optional(),
            ]),
        Command::sub("no-evict", "client|no-evict", 3, Group::Connection, run::no_evict)
            .flags(
                Flags::ADMIN
                    .and(Flags::NOSCRIPT)
                    .and(Flags::LOADING)
                    .and(Flags::STALE)
                    .and(Flags::ALLOW_BUSY),
            )
            .since("7.0.0")
            .about("Keeps this connection from being closed when client memory is short.", "O(1)")
            .acl(&["connection"])
            .args(&[Arg::one_of("enabled", &[Arg::word("on", "ON"), Arg::word("off", "OFF")])]),
        Command::sub("no-touch", "client|no-touch", 3, Group::Connection, run::no_touch)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::ALLOW_BUSY))
            .since("7.2.0")
            .about("Keeps this connection's reads from refreshing the keys' access time.", "O(1)")
            .acl(&["connection"])
            .args(&[Arg::one_of("enabled", &[Arg::word("on", "ON"), Arg::word("off", "OFF")])]),
        Command::sub("pause", "client|pause", -3, Group::Connection, run::pause)
            .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
            .since("3.0.0")
            .about("Makes commands of clients wait for a while.", "O(1)")
            .acl(&["connection"])
            .args(&[
                Arg::new("timeout", "integer"),
                Arg::one_of("mode", &[Arg::word("write", "WRITE"), Arg::word("all", "ALL")])
                    .since("6.2.0")
                    .optional(),
            ]),
        Command::sub("reply", "client|reply", 3, Group::Connection, run::reply)
            .flags(
                Flags::NOSCRIPT
                    .and(Flags::LOADING)
                    .and(Flags::STALE)
                    .and(Flags::NO_MULTI)
                    .and(Flags::ALLOW_BUSY),
            )
            .since("3.2.0")
            .about("Says whether this connection wants replies.", "O(1)")
            .acl(&["connection"])
            .args(&[Arg::one_of(
                "action",
                &[Arg::word("on", "ON"), Arg::word("off", "OFF"), Arg::word("skip", "SKIP")],
            )]),
        Command::sub("setinfo", "client|setinfo", 4, Group::Connection, run::setinfo)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::ALLOW_BUSY))
            .since("7.2.0")
            .about("Tells the name or version of the client's library.", "O(1)")
            .acl(&["connection"])
            .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
            .args(&[Arg::one_of(
                "attr",
                &[
                    Arg::new("libname", "string").after("LIB-NAME"),
                    Arg::new("libver", "string").after("LIB-VER"),
                ],
            )]),
        Command::sub("setname", "client|setname", 3, Group::Connection, run::setname)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE).and(Flags::ALLOW_BUSY))
            .since("2.6.9")
            .about("Names the connection.", "O(1)")
            .acl(&["connection"])
            .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
            .args(&[Arg::new("connection-name", "string")]),
        Command::sub("tracking", "client|tracking", -3, Group::Connection, run::tracking)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE))
            .since("6.0.0")
            .about(
                "Tells this connection, or another, when keys that it has read change.",
                "O(1). Some options may introduce additional complexity.",
            )
            .acl(&["connection"])
            .args(&[
                Arg::one_of("status", &[Arg::word("on", "ON"), Arg::word("off", "OFF")]),
                Arg::new("client-id", "integer").after("REDIRECT").optional(),
                Arg::new("prefix", "string").after("PREFIX").optional().multiple_token(),
                Arg::word("bcast", "BCAST").optional(),
                Arg::word("optin", "OPTIN").optional(),
                Arg::word("optout", "OPTOUT").optional(),
                Arg::word("noloop", "NOLOOP").optional(),
            ]),
        Command::sub("trackinginfo", "client|trackinginfo", 2, Group::Connection, run::trackinginfo)
            .flags(Flags::NOSCRIPT.and(Flags::LOADING).and(Flags::STALE))
            .since("6.2.0")
            .about("Tells what this connection has asked of client-side caching.", "O(1)")
            .acl(&["connection"]),
        Command::sub("unblock", "client|unblock", -3, Group::Connection, run::unblock)
            .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
            .since("5.0.0")
            .about(
                "Ends the wait of a client that is blocked.",
                "O(log N), N being the number of connections",
            )
            .acl(&["connection"])
            .args(&[
                Arg::new("client-id", "integer"),
                Arg::one_of("unblock-type", &[Arg::word("timeout", "TIMEOUT"), Arg::word("error", "ERROR")])
                    .optional(),
            ]),
        Command::sub("unpause", "client|unpause", 2, Group::Connection, run::unpause)
            .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
            .since("6.2.0")
            .about("Ends what CLIENT PAUSE began.", "O(N), N being the number of paused connections")
            .acl(&["connection"]),
    ],
)
.since("2.4.0")
.about("A container for commands about client connections.", "Depends on the subcommand")];
