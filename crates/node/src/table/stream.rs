//! Streams.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::commands::stream as run;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("xack", -4, Group::Stream, run::xack)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("5.0.0")
        .about(
            "Marks entries as done by a group.",
            "O(1) for each message ID processed.",
        )
        .acl(&["stream"])
        .args(&[Arg::key("key", 0), Arg::new("group", "string"), Arg::new("id", "string").multiple()]),
    Command::new("xadd", -5, Group::Stream, run::xadd)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec {
            access: KeyAccess::ReadWrite,
            flags: &["update"],
            begin: KeyBegin::Index(1),
            find: KeyFind::Range { last: 0, step: 1, limit: 0 },
            notes: "UPDATE instead of INSERT because of the optional trimming feature",
        }])
        .since("5.0.0")
        .about(
            "Appends an entry to a stream, which is created if need be.",
            "O(1) when adding a new entry, O(N) when trimming where N being the number of \
             entries evicted.",
        )
        .acl(&["stream"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::word("nomkstream", "NOMKSTREAM").since("6.2.0").optional(),
            Arg::block(
                "trim",
                &[
                    Arg::one_of(
                        "strategy",
                        &[Arg::word("maxlen", "MAXLEN"), Arg::word("minid", "MINID").since("6.2.0")],
                    ),
                    Arg::one_of("operator", &[Arg::word("equal", "="), Arg::word("approximately", "~")])
                        .optional(),
                    Arg::new("threshold", "string"),
                    Arg::new("count", "integer").after("LIMIT").since("6.2.0").optional(),
                ],
            )
            .optional(),
            Arg::one_of("id-selector", &[Arg::word("auto-id", "*"), Arg::new("id", "string")]),
            Arg::block("data", &[Arg::new("field", "string"), Arg::new("value", "string")]).multiple(),
        ]),
    Command::new("xautoclaim", -6, Group::Stream, run::xautoclaim)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .since("6.2.0")
        .about("Takes entries over from consumers of a group that have had them for long.", "O(1) if COUNT is small.")
        .acl(&["stream"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("group", "string"),
            Arg::new("consumer", "string"),
            Arg::new("min-idle-time", "string"),
            Arg::new("start", "string"),
            Arg::new("count", "integer").after("COUNT").optional(),
            Arg::word("justid", "JUSTID").optional(),
        ]),
    Command::new("xclaim", -6, Group::Stream, run::xclaim)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("5.0.0")
        .about(
            "Takes entries over from other consumers of a group.",
            "O(log N) with N being the number of messages in the PEL of the consumer group.",
        )
        .acl(&["stream"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("group", "string"),
            Arg::new("consumer", "string"),
            Arg::new("min-idle-time", "string"),
            Arg::new("id", "string").multiple(),
            Arg::new("ms", "integer").after("IDLE").optional(),
            Arg::new("unix-time-milliseconds", "unix-time").after("TIME").optional(),
            Arg::new("count", "integer").after("RETRYCOUNT").optional(),
            Arg::word("force", "FORCE").optional(),
            Arg::word("justid", "JUSTID").optional(),
            Arg::new("lastid", "string").after("LASTID").optional(),
        ]),
    Command::new("xdel", -3, Group::Stream, run::xdel)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .since("5.0.0")
        .about(
            "Deletes entries of a stream.",
            "O(1) for each single item to delete in the stream, regardless of the stream size.",
        )
        .acl(&["stream"])
        .args(&[Arg::key("key", 0), Arg::new("id", "string").multiple()]),
    Command::container(
        "xgroup",
        Group::Stream,
        &[
            Command::sub("create", "xgroup|create", -5, Group::Stream, run::xgroup_create)
                .flags(Flags::WRITE.and(Flags::DENYOOM))
                .keys(&[KeySpec::one(2, KeyAccess::ReadWrite, &["insert"])])
                .since("5.0.0")
                .about("Makes a group of a stream's consumers.", "O(1)")
                .acl(&["stream"])
                .args(&[
                    Arg::key("key", 0),
                    Arg::new("group", "string"),
                    Arg::one_of("id-selector", &[Arg::new("id", "string"), Arg::word("new-id", "$")]),
                    Arg::word("mkstream", "MKSTREAM").optional(),
                    Arg::new("entriesread", "integer").shown("entries-read").after("ENTRIESREAD").optional(),
                ]),
            Command::sub("createconsumer", "xgroup|createconsumer", 5, Group::Stream, run::xgroup_createconsumer)
                .flags(Flags::WRITE.and(Flags::DENYOOM))
                .keys(&[KeySpec::one(2, KeyAccess::ReadWrite, &["insert"])])
                .since("6.2.0")
                .about("Adds a consumer to a group.", "O(1)")
                .acl(&["stream"])
                .args(&[Arg::key("key", 0), Arg::new("group", "string"), Arg::new("consumer", "string")]),
            Command::sub("delconsumer", "xgroup|delconsumer", 5, Group::Stream, run::xgroup_delconsumer)
                .flags(Flags::WRITE)
                .keys(&[KeySpec::one(2, KeyAccess::ReadWrite, &["delete"])])
                .since("5.0.0")
                .about("Removes a consumer from a group, with what waits for it.", "O(1)")
                .acl(&["stream"])
                .args(&[Arg::key("key", 0), Arg::new("group", "string"), Arg::new("consumer", "string")]),
            Command::sub("destroy", "xgroup|destroy", 4, Group::Stream, run::xgroup_destroy)
                .flags(Flags::WRITE)
                .keys(&[KeySpec::one(2, KeyAccess::ReadWrite, &["delete"])])
                .since("5.0.0")
                .about(
                    "Removes a group.",
                    "O(N) where N is the number of entries in the group's pending entries list (PEL).",
                )
                .acl(&["stream"])
                .args(&[Arg::key("key", 0), Arg::new("group", "string")]),
            Command::sub("help", "xgroup|help", 2, Group::Stream, run::xgroup_help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("5.0.0")
                .about("Shows the subcommands.", "O(1)")
                .acl(&["stream"]),
            Command::sub("setid", "xgroup|setid", -5, Group::Stream, run::xgroup_setid)
                .flags(Flags::WRITE)
                .keys(&[KeySpec::one(2, KeyAccess::ReadWrite, &["update"])])
                .since("5.0.0")
                .about("Sets how far a group has read.", "O(1)")
                .acl(&["stream"])
                .args(&[
                    Arg::key("key", 0),
                    Arg::new("group", "string"),
                    Arg::one_of("id-selector", &[Arg::new("id", "string"), Arg::word("new-id", "$")]),
                    Arg::new("entriesread", "integer").shown("entries-read").after("ENTRIESREAD").optional(),
                ]),
        ],
    )
    .since("5.0.0")
    .about("A container for commands that manage groups of consumers.", "Depends on subcommand."),
    Command::container(
        "xinfo",
        Group::Stream,
        &[
            Command::sub("consumers", "xinfo|consumers", 4, Group::Stream, run::xinfo_consumers)
                .flags(Flags::READONLY)
                .keys(&[KeySpec::one(2, KeyAccess::Read, &["access"])])
                .since("5.0.0")
                .about("Shows the consumers of a group.", "O(1)")
                .acl(&["stream"])
                .tips(&["nondeterministic_output"])
                .args(&[Arg::key("key", 0), Arg::new("group", "string")]),
            Command::sub("groups", "xinfo|groups", 3, Group::Stream, run::xinfo_groups)
                .flags(Flags::READONLY)
                .keys(&[KeySpec::one(2, KeyAccess::Read, &["access"])])
                .since("5.0.0")
                .about("Shows the groups of a stream.", "O(1)")
                .acl(&["stream"])
                .args(&[Arg::key("key", 0)]),
            Command::sub("help", "xinfo|help", 2, Group::Stream, run::xinfo_help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("5.0.0")
                .about("Shows the subcommands.", "O(1)")
                .acl(&["stream"]),
            Command::sub("stream", "xinfo|stream", -3, Group::Stream, run::xinfo_stream)
                .flags(Flags::READONLY)
                .keys(&[KeySpec::one(2, KeyAccess::Read, &["access"])])
                .since("5.0.0")
                .about("Shows what is known of a stream.", "O(1)")
                .acl(&["stream"])
                .args(&[
                    Arg::key("key", 0),
                    Arg::block(
                        "full-block",
                        &[Arg::word("full", "FULL"), Arg::new("count", "integer").after("COUNT").optional()],
                    )
                    .optional(),
                ]),
        ],
    )
    .since("5.0.0")
    .about("A container for commands that show streams.", "Depends on subcommand."),
    Command::new("xlen", 2, Group::Stream, run::xlen)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &[])])
        .since("5.0.0")
        .about("Counts the entries of a stream.", "O(1)")
        .acl(&["stream"])
        .args(&[Arg::key("key", 0)]),
    Command::new("xpending", -3, Group::Stream, run::xpending)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("5.0.0")
        .about(
            "Shows the entries that consumers of a group have not marked as done.",
            "O(N) with N being the number of elements returned, so asking for a small fixed number of entries per \
             call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE filter.",
        )
        .acl(&["stream"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("group", "string"),
            Arg::block(
                "filters",
                &[
                    Arg::new("min-idle-time", "integer").after("IDLE").since("6.2.0").optional(),
                    Arg::new("start", "string"),
                    Arg::new("end", "string"),
                    Arg::new("count", "integer"),
                    Arg::new("consumer", "string").optional(),
                ],
            )
            .optional(),
        ]),
    Command::new("xrange", -4, Group::Stream, run::xrange)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("5.0.0")
        .about(
            "Gives the entries of a stream between two identifiers.",
            "O(N) with N being the number of elements being returned. If N is constant (e.g. \
             always asking for the first 10 elements with COUNT), you can consider it O(1).",
        )
        .acl(&["stream"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("start", "string"),
            Arg::new("end", "string"),
            Arg::new("count", "integer").after("COUNT").optional(),
        ]),
    Command::new("xread", -4, Group::Stream, run::xread)
        .flags(Flags::READONLY.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec {
            access: KeyAccess::Read,
            flags: &["access"],
            begin: KeyBegin::Keyword("STREAMS", 1),
            find: KeyFind::Range { last: -1, step: 1, limit: 2 },
            notes: "",
        }])
        .since("5.0.0")
        .about(
            "Gives the entries of several streams behind given identifiers.",
            "O(N) for each stream, with N being the number of entries returned.",
        )
        .acl(&["stream"])
        .args(&[
            Arg::new("count", "integer").after("COUNT").optional(),
            Arg::new("milliseconds", "integer").after("BLOCK").optional(),
            Arg::block("streams", &[Arg::key("key", 0).multiple(), Arg::new("id", "string").multiple()])
                .after("STREAMS"),
        ]),
    Command::new("xreadgroup", -7, Group::Stream, run::xreadgroup)
        .flags(Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec {
            access: KeyAccess::Read,
            flags: &["access"],
            begin: KeyBegin::Keyword("STREAMS", 4),
            find: KeyFind::Range { last: -1, step: 1, limit: 2 },
            notes: "",
        }])
        .since("5.0.0")
        .about(
            "Hands entries of several streams to a consumer of a group.",
            "O(M) for each stream, with M being the number of entries returned.",
        )
        .acl(&["stream"])
        .args(&[
            Arg::block("group-block", &[Arg::new("group", "string"), Arg::new("consumer", "string")]).after("GROUP"),
            Arg::new("count", "integer").after("COUNT").optional(),
            Arg::new("milliseconds", "integer").after("BLOCK").optional(),
            Arg::word("noack", "NOACK").optional(),
            Arg::block("streams", &[Arg::key("key", 0).multiple(), Arg::new("id", "string").multiple()])
                .after("STREAMS"),
        ]),
    Command::new("xrevrange", -4, Group::Stream, run::xrevrange)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("5.0.0")
        .about(
            "Gives the entries of a stream between two identifiers, the last one first.",
            "O(N) with N being the number of elements returned. If N is constant (e.g. always \
             asking for the first 10 elements with COUNT), you can consider it O(1).",
        )
        .acl(&["stream"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("end", "string"),
            Arg::new("start", "string"),
            Arg::new("count", "integer").after("COUNT").optional(),
        ]),
    Command::new("xsetid", -3, Group::Stream, run::xsetid)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("5.0.0")
        .about("Sets the last identifier of a stream.", "O(1)")
        .acl(&["stream"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("last-id", "string"),
            Arg::new("entries-added", "integer").after("ENTRIESADDED").since("7.0.0").optional(),
            Arg::new("max-deleted-id", "string").after("MAXDELETEDID").since("7.0.0").optional(),
        ]),
    Command::new("xtrim", -4, Group::Stream, run::xtrim)
        .flags(Flags::WRITE)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .since("5.0.0")
        .about(
            "Removes the oldest entries of a stream.",
            "O(N), with N being the number of evicted entries. Constant times are very small \
             however, since entries are organized in macro nodes containing multiple entries \
             that can be released with a single deallocation.",
        )
        .acl(&["stream"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::block(
                "trim",
                &[
                    Arg::one_of(
                        "strategy",
                        &[Arg::word("maxlen", "MAXLEN"), Arg::word("minid", "MINID").since("6.2.0")],
                    ),
                    Arg::one_of("operator", &[Arg::word("equal", "="), Arg::word("approximately", "~")])
                        .optional(),
                    Arg::new("threshold", "string"),
                    Arg::new("count", "integer").after("LIMIT").since("6.2.0").optional(),
                ],
            ),
        ]),
];
