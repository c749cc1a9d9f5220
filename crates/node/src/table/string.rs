//! Strings.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::commands::string as run;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("append", 3, Group::String, run::append)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["insert"])])
        .since("2.0.0")
        .about(
            "Adds bytes at the end of the string at a key.",
            "O(1). The amortized time complexity is O(1) assuming the appended value is small \
             and the already present value is of any size, since the dynamic string library \
             used by the server will double the free space available on every reallocation.",
        )
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("value", "string")]),
    Command::new("decr", 2, Group::String, run::decr)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .about("Takes one from the integer at a key.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0)]),
    Command::new("decrby", 3, Group::String, run::decrby)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .about("Takes a number from the integer at a key.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("decrement", "integer")]),
    Command::new("delifeq", 3, Group::String, run::delifeq)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Remove, &["delete"])])
        .since("9.0.0")
        .about("Deletes a key if its string equals the given one.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("value", "string")]),
    Command::new("get", 2, Group::String, run::get)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .about("Gives the string at a key.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0)]),
    Command::new("getdel", 2, Group::String, run::getdel)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"])])
        .since("6.2.0")
        .about("Gives the string at a key and deletes the key.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0)]),
    Command::new("getex", -2, Group::String, run::getex)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec {
            notes: "RW and UPDATE because it changes the TTL",
            ..KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])
        }])
        .since("6.2.0")
        .about("Gives the string at a key and sets or removes its time to live.", "O(1)")
        .acl(&["string"])
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
        ]),
    Command::new("getrange", 4, Group::String, run::getrange)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.4.0")
        .about(
            "Gives a part of the string at a key.",
            "O(N) where N is the length of the returned string. The complexity is ultimately \
             determined by the returned length, but because creating a substring from an \
             existing string is very cheap, it can be considered O(1) for small strings.",
        )
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("start", "integer"), Arg::new("end", "integer")]),
    Command::new("getset", 3, Group::String, run::getset)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .about("Sets the string at a key and gives the one that was there.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("value", "string")]),
    Command::new("incr", 2, Group::String, run::incr)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .about("Adds one to the integer at a key.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0)]),
    Command::new("incrby", 3, Group::String, run::incrby)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .about("Adds a number to the integer at a key.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("increment", "integer")]),
    Command::new("incrbyfloat", 3, Group::String, run::incrbyfloat)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .since("2.6.0")
        .about("Adds a decimal fraction to the number at a key.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("increment", "double")]),
    Command::new("lcs", -3, Group::String, run::lcs)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::range(1, 1, 1, KeyAccess::Read, &["access"])])
        .since("7.0.0")
        .about(
            "Finds the longest common subsequence of two strings.",
            "O(N*M) where N and M are the lengths of s1 and s2, respectively",
        )
        .acl(&["string"])
        .args(&[
            Arg::key("key1", 0),
            Arg::key("key2", 0),
            Arg::word("len", "LEN").optional(),
            Arg::word("idx", "IDX").optional(),
            Arg::new("min-match-len", "integer").after("MINMATCHLEN").optional(),
            Arg::word("withmatchlen", "WITHMATCHLEN").optional(),
        ]),
    Command::new("mget", -2, Group::String, run::mget)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::range(1, -1, 1, KeyAccess::Read, &["access"])])
        .about(
            "Gives the strings at several keys at once.",
            "O(N) where N is the number of keys to retrieve.",
        )
        .acl(&["string"])
        .tips(&["request_policy:multi_shard"])
        .args(&[Arg::key("key", 0).multiple()]),
    Command::new("mset", -3, Group::String, run::mset)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::range(1, -1, 2, KeyAccess::Overwrite, &["update"])])
        .since("1.0.1")
        .about("Sets several keys at once.", "O(N) where N is the number of keys to set.")
        .acl(&["string"])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"])
        .args(&[Arg::block("data", &[Arg::key("key", 0), Arg::new("value", "string")]).multiple()]),
    Command::new("msetex", -4, Group::String, run::msetex)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec {
            access: KeyAccess::Overwrite,
            flags: &["update"],
            begin: KeyBegin::Index(1),
            find: KeyFind::Count { count: 0, first: 1, step: 2 },
            notes: "",
        }])
        .since("9.1.0")
        .about(
            "Sets several keys at once, on a condition and with a time to live if asked.",
            "O(N) where N is the number of keys to set.",
        )
        .acl(&["string"])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"])
        .args(&[
            Arg::new("numkeys", "integer"),
            Arg::block("data", &[Arg::key("key", 0), Arg::new("value", "string")]).multiple(),
            Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")]).optional(),
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
        ]),
    Command::new("msetnx", -3, Group::String, run::msetnx)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::range(1, -1, 2, KeyAccess::Overwrite, &["insert"])])
        .since("1.0.1")
        .about(
            "Sets several keys at once, if none of them exists.",
            "O(N) where N is the number of keys to set.",
        )
        .acl(&["string"])
        .args(&[Arg::block("data", &[Arg::key("key", 0), Arg::new("value", "string")]).multiple()]),
    Command::new("psetex", 4, Group::String, run::psetex)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::Overwrite, &["update"])])
        .since("2.6.0")
        .about("Sets the string at a key with a time to live in milliseconds.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("milliseconds", "integer"), Arg::new("value", "string")]),
    Command::new("set", -3, Group::String, run::set)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec {
            notes: "GET makes it a read as well",
            ..KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update", "variable_flags"])
        }])
        .about(
            "Puts a string at a key, whatever was there, on conditions and with a time to \
             live if asked.",
            "O(1)",
        )
        .acl(&["string"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("value", "string"),
            Arg::one_of(
                "condition",
                &[
                    Arg::word("nx", "NX").since("2.6.12"),
                    Arg::word("xx", "XX").since("2.6.12"),
                    Arg::new("comparison-value", "string").after("IFEQ").since("8.1.0"),
                ],
            )
            .optional(),
            Arg::word("get", "GET").since("6.2.0").optional(),
            Arg::one_of(
                "expiration",
                &[
                    Arg::new("seconds", "integer").after("EX").since("2.6.12"),
                    Arg::new("milliseconds", "integer").after("PX").since("2.6.12"),
                    Arg::new("unix-time-seconds", "unix-time").after("EXAT").since("6.2.0"),
                    Arg::new("unix-time-milliseconds", "unix-time").after("PXAT").since("6.2.0"),
                    Arg::word("keepttl", "KEEPTTL").since("6.0.0"),
                ],
            )
            .optional(),
        ]),
    Command::new("setex", 4, Group::String, run::setex)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::Overwrite, &["update"])])
        .since("2.0.0")
        .about("Sets the string at a key with a time to live in seconds.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("seconds", "integer"), Arg::new("value", "string")]),
    Command::new("setnx", 3, Group::String, run::setnx)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Overwrite, &["insert"])])
        .about("Sets the string at a key if there is none.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("value", "string")]),
    Command::new("setrange", 4, Group::String, run::setrange)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("2.2.0")
        .about(
            "Overwrites a part of the string at a key.",
            "O(1), not counting the time taken to copy the new string in place. Usually, this \
             string is very small so the amortized complexity is O(1). Otherwise, complexity \
             is O(M) with M being the length of the value argument.",
        )
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("offset", "integer"), Arg::new("value", "string")]),
    Command::new("strlen", 2, Group::String, run::strlen)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &[])])
        .since("2.2.0")
        .about("Gives the length of the string at a key.", "O(1)")
        .acl(&["string"])
        .args(&[Arg::key("key", 0)]),
    Command::new("substr", 4, Group::String, run::substr)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .about(
            "Gives a part of the string at a key (the old name of GETRANGE).",
            "O(N) where N is the length of the returned string. The complexity is ultimately \
             determined by the returned length, but because creating a substring from an \
             existing string is very cheap, it can be considered O(1) for small strings.",
        )
        .acl(&["string"])
        .args(&[Arg::key("key", 0), Arg::new("start", "integer"), Arg::new("end", "integer")]),
];
