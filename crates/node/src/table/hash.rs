//! Hashes.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeySpec};
use crate::commands::hash as run;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("hdel", -3, Group::Hash, run::hdel)
        .flags(Flags::WRITE.and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .since("2.0.0")
        .about("Removes fields from a hash.", "O(N) where N is the number of fields to be removed.")
        .acl(&["hash"])
        .args(&[Arg::key("key", 0), Arg::new("field", "string").multiple()]),
    Command::new("hexists", 3, Group::Hash, run::hexists)
        .flags(Flags::READONLY.and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &[])])
        .since("2.0.0")
        .about("Tells whether a hash has a field.", "O(1)")
        .acl(&["hash"])
        .args(&[Arg::key("key", 0), Arg::new("field", "string")]),
    Command::new("hexpire", -6, Group::Hash, run::hexpire)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("9.0.0")
        .about(
            "Lets fields of a hash expire after so many seconds.",
            "O(N) where N is the number of specified fields.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("seconds", "integer"),
            Arg::one_of(
                "condition",
                &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
            )
            .optional(),
            Arg::block("fields", &[Arg::new("numfields", "integer"), Arg::new("field", "string").multiple()])
                .after("FIELDS"),
        ]),
    Command::new("hexpireat", -6, Group::Hash, run::hexpireat)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("9.0.0")
        .about(
            "Lets fields of a hash expire at a Unix time in seconds.",
            "O(N) where N is the number of specified fields.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("unix-time-seconds", "integer"),
            Arg::one_of(
                "condition",
                &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
            )
            .since("9.0.0")
            .optional(),
            Arg::block(
                "fields",
                &[Arg::new("numfields", "integer").of_keys(0), Arg::new("field", "string").multiple()],
            )
            .after("FIELDS"),
        ]),
    Command::new("hexpiretime", -5, Group::Hash, run::hexpiretime)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("9.0.0")
        .about(
            "Tells when fields of a hash expire, as a Unix time in seconds.",
            "O(N) where N is the number of specified fields.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::block(
                "fields",
                &[Arg::new("numfields", "integer").of_keys(0), Arg::new("field", "string").multiple()],
            )
            .after("FIELDS"),
        ]),
    Command::new("hget", 3, Group::Hash, run::hget)
        .flags(Flags::READONLY.and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.0.0")
        .about("Gives the value of a field of a hash.", "O(1)")
        .acl(&["hash"])
        .args(&[Arg::key("key", 0), Arg::new("field", "string")]),
    Command::new("hgetall", 2, Group::Hash, run::hgetall)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.0.0")
        .about("Gives all fields of a hash with their values.", "O(N) where N is the size of the hash.")
        .acl(&["hash"])
        .tips(&["nondeterministic_output_order"])
        .args(&[Arg::key("key", 0)]),
    Command::new("hgetdel", -5, Group::Hash, run::hgetdel)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"])])
        .since("9.1.0")
        .about(
            "Gives the values of fields of a hash and removes the fields.",
            "O(N) where N is the number of fields to be retrieved and deleted.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::block(
                "fields",
                &[Arg::new("numfields", "integer").of_keys(0), Arg::new("field", "string").multiple()],
            )
            .after("FIELDS"),
        ]),
    Command::new("hgetex", -5, Group::Hash, run::hgetex)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .since("9.0.0")
        .about(
            "Gives the values of fields of a hash and sets or removes their time to live.",
            "O(N) where N is the number of specified fields.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::one_of(
                "expiration",
                &[
                    Arg::new("seconds", "integer").after("EX"),
                    Arg::new("milliseconds", "integer").after("PX"),
                    Arg::new("unix-time-seconds", "unix-time").after("EXAT"),
                    Arg::new("unix-time-milliseconds", "unix-time").after("PXAT"),
                    Arg::word("persist", "PERSIST"),
                ],
            )
            .optional(),
            Arg::block(
                "fields",
                &[Arg::new("numfields", "integer").of_keys(0), Arg::new("field", "string").multiple()],
            )
            .after("FIELDS"),
        ]),
    Command::new("hincrby", 4, Group::Hash, run::hincrby)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .since("2.0.0")
        .about("Adds a number to the integer in a field of a hash.", "O(1)")
        .acl(&["hash"])
        .args(&[Arg::key("key", 0), Arg::new("field", "string"), Arg::new("increment", "integer")]),
    Command::new("hincrbyfloat", 4, Group::Hash, run::hincrbyfloat)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .since("2.6.0")
        .about("Adds a decimal fraction to the number in a field of a hash.", "O(1)")
        .acl(&["hash"])
        .args(&[Arg::key("key", 0), Arg::new("field", "string"), Arg::new("increment", "double")]),
    Command::new("hkeys", 2, Group::Hash, run::hkeys)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.0.0")
        .about("Gives all fields of a hash.", "O(N) where N is the size of the hash.")
        .acl(&["hash"])
        .tips(&["nondeterministic_output_order"])
        .args(&[Arg::key("key", 0)]),
    Command::new("hlen", 2, Group::Hash, run::hlen)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &[])])
        .since("2.0.0")
        .about("Counts the fields of a hash.", "O(1)")
        .acl(&["hash"])
        .args(&[Arg::key("key", 0)]),
    Command::new("hmget", -3, Group::Hash, run::hmget)
        .flags(Flags::READONLY.and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.0.0")
        .about(
            "Gives the values of several fields of a hash.",
            "O(N) where N is the number of fields being requested.",
        )
        .acl(&["hash"])
        .args(&[Arg::key("key", 0), Arg::new("field", "string").multiple()]),
    Command::new("hmset", -4, Group::Hash, run::hmset)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("2.0.0")
        .about("Sets fields of a hash.", "O(N) where N is the number of fields being set.")
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::block("data", &[Arg::new("field", "string"), Arg::new("value", "string")]).multiple(),
        ]),
    Command::new("hpersist", -5, Group::Hash, run::hpersist)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("9.0.0")
        .about("Keeps fields of a hash from expiring.", "O(N) where N is the number of specified fields.")
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::block(
                "fields",
                &[Arg::new("numfields", "integer").of_keys(0), Arg::new("field", "string").multiple()],
            )
            .after("FIELDS"),
        ]),
    Command::new("hpexpire", -6, Group::Hash, run::hpexpire)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("9.0.0")
        .about(
            "Lets fields of a hash expire after so many milliseconds.",
            "O(N) where N is the number of specified fields.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("milliseconds", "integer"),
            Arg::one_of(
                "condition",
                &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
            )
            .since("9.0.0")
            .optional(),
            Arg::block(
                "fields",
                &[Arg::new("numfields", "integer").of_keys(0), Arg::new("field", "string").multiple()],
            )
            .after("FIELDS"),
        ]),
    Command::new("hpexpireat", -6, Group::Hash, run::hpexpireat)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("9.0.0")
        .about(
            "Lets fields of a hash expire at a Unix time in milliseconds.",
            "O(N) where N is the number of specified fields.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("unix-time-milliseconds", "integer"),
            Arg::one_of(
                "condition",
                &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
            )
            .since("9.0.0")
            .optional(),
            Arg::block(
                "fields",
                &[Arg::new("numfields", "integer").of_keys(0), Arg::new("field", "string").multiple()],
            )
            .after("FIELDS"),
        ]),
    Command::new("hpexpiretime", -5, Group::Hash, run::hpexpiretime)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("9.0.0")
        .about(
            "Tells when fields of a hash expire, as a Unix time in milliseconds.",
            "O(N) where N is the number of specified fields.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::block(
                "fields",
                &[Arg::new("numfields", "integer").of_keys(0), Arg::new("field", "string").multiple()],
            )
            .after("FIELDS"),
        ]),
    Command::new("hpttl", -5, Group::Hash, run::hpttl)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("9.0.0")
        .about(
            "Tells how many milliseconds fields of a hash have left to live.",
            "O(N) where N is the number of specified fields.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::block(
                "fields",
                &[Arg::new("numfields", "integer").of_keys(0), Arg::new("field", "string").multiple()],
            )
            .after("FIELDS"),
        ]),
    Command::new("hrandfield", -2, Group::Hash, run::hrandfield)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("6.2.0")
        .about("Gives random fields of a hash.", "O(N) where N is the number of fields returned")
        .acl(&["hash"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::block(
                "options",
                &[Arg::new("count", "integer"), Arg::word("withvalues", "WITHVALUES").optional()],
            )
            .optional(),
        ]),
    Command::new("hscan", -3, Group::Hash, run::hscan)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.8.0")
        .about(
            "Walks through the fields of a hash, some at a time.",
            "O(1) for every call. O(N) for a complete iteration, including enough command \
             calls for the cursor to return back to 0. N is the number of elements inside the \
             collection.",
        )
        .acl(&["hash"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("cursor", "integer"),
            Arg::new("pattern", "pattern").after("MATCH").optional(),
            Arg::new("count", "integer").after("COUNT").optional(),
            Arg::word("novalues", "NOVALUES").optional(),
        ]),
    Command::new("hset", -4, Group::Hash, run::hset)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("2.0.0")
        .about(
            "Sets fields of a hash; a missing key becomes one.",
            "O(1) for each field/value pair added, so O(N) to add N field/value pairs when \
             the command is called with multiple field/value pairs.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::block("data", &[Arg::new("field", "string"), Arg::new("value", "string")]).multiple(),
        ]),
    Command::new("hsetex", -6, Group::Hash, run::hsetex)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["insert"])])
        .since("9.0.0")
        .about(
            "Sets fields of a hash and their time to live.",
            "O(N) where N is the number of specified fields.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::one_of("key-condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")]).optional(),
            Arg::one_of("fields-condition", &[Arg::word("fnx", "FNX"), Arg::word("fxx", "FXX")]).optional(),
            Arg::one_of(
                "expiration",
                &[
                    Arg::new("seconds", "integer").after("EX"),
                    Arg::new("milliseconds", "integer").after("PX"),
                    Arg::new("unix-time-seconds", "unix-time").after("EXAT"),
                    Arg::new("unix-time-milliseconds", "unix-time").after("PXAT"),
                    Arg::word("keepttl", "KEEPTTL"),
                ],
            )
            .optional(),
            Arg::block(
                "fields",
                &[
                    Arg::new("numfields", "integer").of_keys(0),
                    Arg::block("data", &[Arg::new("field", "string"), Arg::new("value", "string")])
                        .multiple(),
                ],
            )
            .after("FIELDS"),
        ]),
    Command::new("hsetnx", 4, Group::Hash, run::hsetnx)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["insert"])])
        .since("2.0.0")
        .about("Sets a field of a hash unless it is there.", "O(1)")
        .acl(&["hash"])
        .args(&[Arg::key("key", 0), Arg::new("field", "string"), Arg::new("value", "string")]),
    Command::new("hstrlen", 3, Group::Hash, run::hstrlen)
        .flags(Flags::READONLY.and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &[])])
        .since("3.2.0")
        .about("Gives the length of the value of a field of a hash.", "O(1)")
        .acl(&["hash"])
        .args(&[Arg::key("key", 0), Arg::new("field", "string")]),
    Command::new("httl", -5, Group::Hash, run::httl)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("9.0.0")
        .about(
            "Tells how many seconds fields of a hash have left to live.",
            "O(N) where N is the number of specified fields.",
        )
        .acl(&["hash"])
        .args(&[
            Arg::key("key", 0),
            Arg::block(
                "fields",
                &[Arg::new("numfields", "integer").of_keys(0), Arg::new("field", "string").multiple()],
            )
            .after("FIELDS"),
        ]),
    Command::new("hvals", 2, Group::Hash, run::hvals)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.0.0")
        .about("Gives all values of a hash.", "O(N) where N is the size of the hash.")
        .acl(&["hash"])
        .tips(&["nondeterministic_output_order"])
        .args(&[Arg::key("key", 0)]),
];
