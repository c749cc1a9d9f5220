//! Keys of any type.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::commands::generic as run;

/// What `RESTORE` and its twin for clusters cost.
const RESTORE_COST: &str = "O(1) to create the new key and additional O(N*M) to reconstruct the serialized \
     value, where N is the number of objects composing the value and M their average \
     size. For small string values the time complexity is thus O(1)+O(1*M) where M is \
     small, so simply O(1). However for sorted set values the complexity is \
     O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).";

/// Their arguments.
const RESTORE_ARGS: &[Arg] = &[
    Arg::key("key", 0),
    Arg::new("ttl", "integer"),
    Arg::new("serialized-value", "string"),
    Arg::word("replace", "REPLACE").since("3.0.0").optional(),
    Arg::word("absttl", "ABSTTL").since("5.0.0").optional(),
    Arg::new("seconds", "integer").after("IDLETIME").since("5.0.0").optional(),
    Arg::new("frequency", "integer").after("FREQ").since("5.0.0").optional(),
];

pub(super) const COMMANDS: &[Command] = &[
    Command::new("copy", -3, Group::Generic, run::copy)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[
            KeySpec::one(1, KeyAccess::Read, &["access"]),
            KeySpec::one(2, KeyAccess::Overwrite, &["update"]),
        ])
        .since("6.2.0")
        .about(
            "Copies the value of a key to another key.",
            "O(N) worst case for collections, where N is the number of nested items. O(1) for \
             string values.",
        )
        .acl(&["keyspace"])
        .args(&[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::new("destination-db", "integer").after("DB").optional(),
            Arg::word("replace", "REPLACE").optional(),
        ]),
    Command::new("del", -2, Group::Generic, run::del)
        .flags(Flags::WRITE)
        .keys(&[KeySpec::range(1, -1, 1, KeyAccess::Remove, &["delete"])])
        .about(
            "Deletes keys.",
            "O(N) where N is the number of keys that will be removed. When a key to remove \
             holds a value other than a string, the individual complexity for this key is \
             O(M) where M is the number of elements in the list, set, sorted set or hash. \
             Removing a single key that holds a string value is O(1).",
        )
        .acl(&["keyspace"])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .args(&[Arg::key("key", 0).multiple()]),
    Command::new("dump", 2, Group::Generic, run::dump)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.6.0")
        .about(
            "Gives the value at a key in a form that RESTORE takes.",
            "O(1) to access the key and additional O(N*M) to serialize it, where N is the \
             number of objects composing the value and M their average size. For small string \
             values the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1).",
        )
        .acl(&["keyspace"])
        .tips(&["nondeterministic_output"])
        .args(&[Arg::key("key", 0)]),
    Command::new("exists", -2, Group::Generic, run::exists)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::range(1, -1, 1, KeyAccess::Read, &[])])
        .about("Counts which of the keys exist.", "O(N) where N is the number of keys to check.")
        .acl(&["keyspace"])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .args(&[Arg::key("key", 0).multiple()]),
    Command::new("expire", -3, Group::Generic, run::expire)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .about("Sets the time to live of a key in seconds.", "O(1)")
        .acl(&["keyspace"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("seconds", "integer"),
            Arg::one_of(
                "condition",
                &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
            )
            .since("7.0.0")
            .optional(),
        ]),
    Command::new("expireat", -3, Group::Generic, run::expireat)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("1.2.0")
        .about("Sets the moment at which a key expires in Unix seconds.", "O(1)")
        .acl(&["keyspace"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("unix-time-seconds", "unix-time"),
            Arg::one_of(
                "condition",
                &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
            )
            .since("7.0.0")
            .optional(),
        ]),
    Command::new("expiretime", 2, Group::Generic, run::expiretime)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("7.0.0")
        .about("Tells the moment at which a key expires in Unix seconds.", "O(1)")
        .acl(&["keyspace"])
        .args(&[Arg::key("key", 0)]),
    Command::new("keys", 2, Group::Generic, run::keys)
        .flags(Flags::READONLY)
        .about(
            "Lists the keys that match a pattern.",
            "O(N) with N being the number of keys in the database, under the assumption that \
             the key names in the database and the given pattern have limited length.",
        )
        .acl(&["keyspace", "dangerous"])
        .tips(&["request_policy:all_shards", "nondeterministic_output_order"])
        .args(&[Arg::new("pattern", "pattern")]),
    Command::new("migrate", -6, Group::Generic, run::migrate)
        .flags(Flags::WRITE.and(Flags::MOVABLE_KEYS))
        .keys(&[
            KeySpec::one(3, KeyAccess::ReadWrite, &["access", "delete"]),
            KeySpec {
                begin: KeyBegin::Keyword("KEYS", -2),
                find: KeyFind::Range { last: -1, step: 1, limit: 0 },
                access: KeyAccess::ReadWrite,
                flags: &["access", "delete", "incomplete"],
                notes: "",
            },
        ])
        .since("2.6.0")
        .about(
            "Moves keys to another server: none is lost, and none is in both for longer than it takes.",
            "This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the target instance. \
             See the pages of these commands for time complexity. Also an O(N) data transfer between the two \
             instances is performed.",
        )
        .acl(&["keyspace", "dangerous"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::new("host", "string"),
            Arg::new("port", "integer"),
            Arg::one_of("key-selector", &[Arg::key("key", 0), Arg::word("empty-string", "")]),
            Arg::new("destination-db", "integer"),
            Arg::new("timeout", "integer"),
            Arg::word("copy", "COPY").since("3.0.0").optional(),
            Arg::word("replace", "REPLACE").since("3.0.0").optional(),
            Arg::one_of(
                "authentication",
                &[
                    Arg::new("auth", "string").shown("password").after("AUTH").since("4.0.7"),
                    Arg::block("auth2", &[Arg::new("username", "string"), Arg::new("password", "string")])
                        .after("AUTH2")
                        .since("6.0.0"),
                ],
            )
            .optional(),
            Arg::key("keys", 1).shown("key").after("KEYS").since("3.0.6").optional().multiple(),
        ]),
    Command::new("move", 3, Group::Generic, run::move_key)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .about("Moves a key to another database.", "O(1)")
        .acl(&["keyspace"])
        .args(&[Arg::key("key", 0), Arg::new("db", "integer")]),
    Command::container(
        "object",
        Group::Generic,
        &[
            Command::sub("encoding", "object|encoding", 3, Group::Generic, run::object_encoding)
                .flags(Flags::READONLY)
                .keys(&[KeySpec::one(2, KeyAccess::Read, &[])])
                .since("2.2.3")
                .about("Tells how the value at a key is stored.", "O(1)")
                .acl(&["keyspace"])
                .tips(&["nondeterministic_output"])
                .args(&[Arg::key("key", 0)]),
            Command::sub("freq", "object|freq", 3, Group::Generic, run::object_freq)
                .flags(Flags::READONLY)
                .keys(&[KeySpec::one(2, KeyAccess::Read, &[])])
                .since("4.0.0")
                .about("Tells how often a key is used, as a logarithmic counter.", "O(1)")
                .acl(&["keyspace"])
                .tips(&["nondeterministic_output"])
                .args(&[Arg::key("key", 0)]),
            Command::sub("help", "object|help", 2, Group::Generic, run::object_help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("6.2.0")
                .about("Explains the subcommands.", "O(1)")
                .acl(&["keyspace"]),
            Command::sub("idletime", "object|idletime", 3, Group::Generic, run::object_idletime)
                .flags(Flags::READONLY)
                .keys(&[KeySpec::one(2, KeyAccess::Read, &[])])
                .since("2.2.3")
                .about("Tells for how many seconds a key has not been used.", "O(1)")
                .acl(&["keyspace"])
                .tips(&["nondeterministic_output"])
                .args(&[Arg::key("key", 0)]),
            Command::sub("refcount", "object|refcount", 3, Group::Generic, run::object_refcount)
                .flags(Flags::READONLY)
                .keys(&[KeySpec::one(2, KeyAccess::Read, &[])])
                .since("2.2.3")
                .about("Tells how many references there are to the value at a key.", "O(1)")
                .acl(&["keyspace"])
                .tips(&["nondeterministic_output"])
                .args(&[Arg::key("key", 0)]),
        ],
    )
    .since("2.2.3")
    .about("A container for commands about how values are stored.", "Depends on subcommand."),
    Command::new("persist", 2, Group::Generic, run::persist)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("2.2.0")
        .about("Removes the time to live of a key.", "O(1)")
        .acl(&["keyspace"])
        .args(&[Arg::key("key", 0)]),
    Command::new("pexpire", -3, Group::Generic, run::pexpire)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("2.6.0")
        .about("Sets the time to live of a key in milliseconds.", "O(1)")
        .acl(&["keyspace"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("milliseconds", "integer"),
            Arg::one_of(
                "condition",
                &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
            )
            .since("7.0.0")
            .optional(),
        ]),
    Command::new("pexpireat", -3, Group::Generic, run::pexpireat)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("2.6.0")
        .about("Sets the moment at which a key expires in Unix milliseconds.", "O(1)")
        .acl(&["keyspace"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("unix-time-milliseconds", "unix-time"),
            Arg::one_of(
                "condition",
                &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
            )
            .since("7.0.0")
            .optional(),
        ]),
    Command::new("pexpiretime", 2, Group::Generic, run::pexpiretime)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("7.0.0")
        .about("Tells the moment at which a key expires in Unix milliseconds.", "O(1)")
        .acl(&["keyspace"])
        .args(&[Arg::key("key", 0)]),
    Command::new("pttl", 2, Group::Generic, run::pttl)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.6.0")
        .about("Tells the time to live of a key in milliseconds.", "O(1)")
        .acl(&["keyspace"])
        .tips(&["nondeterministic_output"])
        .args(&[Arg::key("key", 0)]),
    Command::new("randomkey", 1, Group::Generic, run::randomkey)
        .flags(Flags::READONLY)
        .about("Gives some key of the database.", "O(1)")
        .acl(&["keyspace"])
        .tips(&["request_policy:all_shards", "response_policy:special", "nondeterministic_output"]),
    Command::new("rename", 3, Group::Generic, run::rename)
        .flags(Flags::WRITE)
        .keys(&[
            KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"]),
            KeySpec::one(2, KeyAccess::Overwrite, &["update"]),
        ])
        .about("Gives a key another name, whatever had that name before.", "O(1)")
        .acl(&["keyspace"])
        .args(&[Arg::key("key", 0), Arg::key("newkey", 1)]),
    Command::new("renamenx", 3, Group::Generic, run::renamenx)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[
            KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"]),
            KeySpec::one(2, KeyAccess::Overwrite, &["insert"]),
        ])
        .about("Gives a key another name, if nothing has that name.", "O(1)")
        .acl(&["keyspace"])
        .args(&[Arg::key("key", 0), Arg::key("newkey", 1)]),
    Command::new("restore", -4, Group::Generic, run::restore)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::Overwrite, &["update"])])
        .since("2.6.0")
        .about(
            "Puts a value that DUMP gave at a key.",
            RESTORE_COST,
        )
        .acl(&["keyspace", "dangerous"])
        .args(RESTORE_ARGS),
    Command::new("restore-asking", -4, Group::Server, run::restore)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::ASKING))
        .keys(&[KeySpec::one(1, KeyAccess::Overwrite, &["update"])])
        .since("3.0.0")
        .about(
            "What RESTORE is between the nodes of a cluster.",
            RESTORE_COST,
        )
        .acl(&["keyspace", "dangerous"])
        .args(RESTORE_ARGS),
    Command::new("scan", -2, Group::Generic, run::scan)
        .flags(Flags::READONLY)
        .since("2.8.0")
        .about(
            "Walks through the keys of the database, step by step.",
            "O(1) for every call. O(N) for a complete iteration, including enough command \
             calls for the cursor to return back to 0. N is the number of elements inside the \
             collection.",
        )
        .acl(&["keyspace"])
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"])
        .args(&[
            Arg::new("cursor", "integer"),
            Arg::new("pattern", "pattern").after("MATCH").optional(),
            Arg::new("count", "integer").after("COUNT").optional(),
            Arg::new("type", "string").after("TYPE").since("6.0.0").optional(),
        ]),
    Command::new("sort", -2, Group::Generic, run::sort)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS))
        .keys(&[
            KeySpec::one(1, KeyAccess::Read, &["access"]),
            KeySpec {
                access: KeyAccess::Read,
                flags: &["access"],
                begin: KeyBegin::Unknown,
                find: KeyFind::Unknown,
                notes: "BY and GET: the names come from the elements that are sorted",
            },
            KeySpec {
                access: KeyAccess::Overwrite,
                flags: &["update"],
                begin: KeyBegin::Unknown,
                find: KeyFind::Unknown,
                notes: "STORE: the word may stand anywhere",
            },
        ])
        .about(
            "Sorts a list, a set or a sorted set, and stores the result if asked.",
            "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and \
             M the number of returned elements. When the elements are not sorted, complexity \
             is O(N).",
        )
        .acl(&["set", "sortedset", "list", "dangerous"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("by-pattern", "pattern").shown("pattern").of_keys(1).after("BY").optional(),
            Arg::block("limit", &[Arg::new("offset", "integer"), Arg::new("count", "integer")])
                .after("LIMIT")
                .optional(),
            Arg::new("get-pattern", "pattern")
                .shown("pattern")
                .of_keys(1)
                .after("GET")
                .optional()
                .multiple_token(),
            Arg::one_of("order", &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]).optional(),
            Arg::word("sorting", "ALPHA").optional(),
            Arg::key("destination", 2).after("STORE").optional(),
        ]),
    Command::new("sort_ro", -2, Group::Generic, run::sort_ro)
        .flags(Flags::READONLY.and(Flags::MOVABLE_KEYS))
        .keys(&[
            KeySpec::one(1, KeyAccess::Read, &["access"]),
            KeySpec {
                access: KeyAccess::Read,
                flags: &["access"],
                begin: KeyBegin::Unknown,
                find: KeyFind::Unknown,
                notes: "BY and GET: the names come from the elements that are sorted",
            },
        ])
        .since("7.0.0")
        .about(
            "Sorts a list, a set or a sorted set.",
            "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and \
             M the number of returned elements. When the elements are not sorted, complexity \
             is O(N).",
        )
        .acl(&["set", "sortedset", "list", "dangerous"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("by-pattern", "pattern").shown("pattern").of_keys(1).after("BY").optional(),
            Arg::block("limit", &[Arg::new("offset", "integer"), Arg::new("count", "integer")])
                .after("LIMIT")
                .optional(),
            Arg::new("get-pattern", "pattern")
                .shown("pattern")
                .of_keys(1)
                .after("GET")
                .optional()
                .multiple_token(),
            Arg::one_of("order", &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]).optional(),
            Arg::word("sorting", "ALPHA").optional(),
        ]),
    Command::new("touch", -2, Group::Generic, run::touch)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::range(1, -1, 1, KeyAccess::Read, &[])])
        .since("3.2.1")
        .about(
            "Counts which of the keys exist and marks them as used.",
            "O(N) where N is the number of keys that will be touched.",
        )
        .acl(&["keyspace"])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .args(&[Arg::key("key", 0).multiple()]),
    Command::new("ttl", 2, Group::Generic, run::ttl)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .about("Tells the time to live of a key in seconds.", "O(1)")
        .acl(&["keyspace"])
        .tips(&["nondeterministic_output"])
        .args(&[Arg::key("key", 0)]),
    Command::new("type", 2, Group::Generic, run::type_of)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &[])])
        .about("Tells the type of the value at a key.", "O(1)")
        .acl(&["keyspace"])
        .args(&[Arg::key("key", 0)]),
    Command::new("unlink", -2, Group::Generic, run::unlink)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::range(1, -1, 1, KeyAccess::Remove, &["delete"])])
        .since("4.0.0")
        .about(
            "Deletes keys and frees their memory elsewhere.",
            "O(1) for each key removed regardless of its size. Then the command does O(N) \
             work in a different thread in order to reclaim memory, where N is the number of \
             allocations the deleted objects where composed of.",
        )
        .acl(&["keyspace"])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .args(&[Arg::key("key", 0).multiple()]),
];
