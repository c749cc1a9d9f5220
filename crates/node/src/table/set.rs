//! Sets.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::commands::set as run;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("sadd", -3, Group::Set, run::sadd)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["insert"])])
        .about(
            "Adds members to a set; a missing key becomes one.",
            "O(1) for each element added, so O(N) to add N elements when the command is \
             called with multiple arguments.",
        )
        .acl(&["set"])
        .args(&[Arg::key("key", 0), Arg::new("member", "string").multiple()]),
    Command::new("scard", 2, Group::Set, run::scard)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &[])])
        .about("Counts the members of a set.", "O(1)")
        .acl(&["set"])
        .args(&[Arg::key("key", 0)]),
    Command::new("sdiff", -2, Group::Set, run::sdiff)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::range(1, -1, 1, KeyAccess::Read, &["access"])])
        .about(
            "Gives the members of the first set that are in none of the others.",
            "O(N) where N is the total number of elements in all given sets.",
        )
        .acl(&["set"])
        .tips(&["nondeterministic_output_order"])
        .args(&[Arg::key("key", 0).multiple()]),
    Command::new("sdiffstore", -3, Group::Set, run::sdiffstore)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[
            KeySpec::one(1, KeyAccess::Overwrite, &["update"]),
            KeySpec::range(2, -1, 1, KeyAccess::Read, &["access"]),
        ])
        .about(
            "Stores the members of the first set that are in none of the others.",
            "O(N) where N is the total number of elements in all given sets.",
        )
        .acl(&["set"])
        .args(&[Arg::key("destination", 0), Arg::key("key", 1).multiple()]),
    Command::new("sinter", -2, Group::Set, run::sinter)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::range(1, -1, 1, KeyAccess::Read, &["access"])])
        .about(
            "Gives the members that all sets have.",
            "O(N*M) worst case where N is the cardinality of the smallest set and M is the \
             number of sets.",
        )
        .acl(&["set"])
        .tips(&["nondeterministic_output_order"])
        .args(&[Arg::key("key", 0).multiple()]),
    Command::new("sintercard", -3, Group::Set, run::sintercard)
        .flags(Flags::READONLY.and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec {
            access: KeyAccess::Read,
            flags: &["access"],
            begin: KeyBegin::Index(1),
            find: KeyFind::Count { count: 0, first: 1, step: 1 },
            notes: "",
        }])
        .since("7.0.0")
        .about(
            "Counts the members that all sets have.",
            "O(N*M) worst case where N is the cardinality of the smallest set and M is the \
             number of sets.",
        )
        .acl(&["set"])
        .args(&[
            Arg::new("numkeys", "integer"),
            Arg::key("key", 0).multiple(),
            Arg::new("limit", "integer").after("LIMIT").optional(),
        ]),
    Command::new("sinterstore", -3, Group::Set, run::sinterstore)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[
            KeySpec::one(1, KeyAccess::Overwrite, &["update"]),
            KeySpec::range(2, -1, 1, KeyAccess::Read, &["access"]),
        ])
        .about(
            "Stores the members that all sets have.",
            "O(N*M) worst case where N is the cardinality of the smallest set and M is the \
             number of sets.",
        )
        .acl(&["set"])
        .args(&[Arg::key("destination", 0), Arg::key("key", 1).multiple()]),
    Command::new("sismember", 3, Group::Set, run::sismember)
        .flags(Flags::READONLY.and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &[])])
        .about("Tells whether something is a member of a set.", "O(1)")
        .acl(&["set"])
        .args(&[Arg::key("key", 0), Arg::new("member", "string")]),
    Command::new("smembers", 2, Group::Set, run::smembers)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .about("Gives all members of a set.", "O(N) where N is the set cardinality.")
        .acl(&["set"])
        .tips(&["nondeterministic_output_order"])
        .args(&[Arg::key("key", 0)]),
    Command::new("smismember", -3, Group::Set, run::smismember)
        .flags(Flags::READONLY.and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("6.2.0")
        .about(
            "Tells for each of several things whether it is a member of a set.",
            "O(N) where N is the number of elements being checked for membership",
        )
        .acl(&["set"])
        .args(&[Arg::key("key", 0), Arg::new("member", "string").multiple()]),
    Command::new("smove", 4, Group::Set, run::smove)
        .flags(Flags::WRITE.and(Flags::FAST))
        .element(3)
        .keys(&[
            KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"]),
            KeySpec::one(2, KeyAccess::ReadWrite, &["insert"]),
        ])
        .about("Moves a member from one set to another.", "O(1)")
        .acl(&["set"])
        .args(&[Arg::key("source", 0), Arg::key("destination", 1), Arg::new("member", "string")]),
    Command::new("spop", -2, Group::Set, run::spop)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"])])
        .about(
            "Removes random members from a set and gives them.",
            "Without the count argument O(1), otherwise O(N) where N is the value of the \
             passed count.",
        )
        .acl(&["set"])
        .tips(&["nondeterministic_output"])
        .args(&[Arg::key("key", 0), Arg::new("count", "integer").since("3.2.0").optional()]),
    Command::new("srandmember", -2, Group::Set, run::srandmember)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .about(
            "Gives random members of a set.",
            "Without the count argument O(1), otherwise O(N) where N is the absolute value of \
             the passed count.",
        )
        .acl(&["set"])
        .tips(&["nondeterministic_output"])
        .args(&[Arg::key("key", 0), Arg::new("count", "integer").since("2.6.0").optional()]),
    Command::new("srem", -3, Group::Set, run::srem)
        .flags(Flags::WRITE.and(Flags::FAST))
        .element(2)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .about("Removes members from a set.", "O(N) where N is the number of members to be removed.")
        .acl(&["set"])
        .args(&[Arg::key("key", 0), Arg::new("member", "string").multiple()]),
    Command::new("sscan", -3, Group::Set, run::sscan)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.8.0")
        .about(
            "Walks through the members of a set, some at a time.",
            "O(1) for every call. O(N) for a complete iteration, including enough command \
             calls for the cursor to return back to 0. N is the number of elements inside the \
             collection.",
        )
        .acl(&["set"])
        .tips(&["nondeterministic_output"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("cursor", "integer"),
            Arg::new("pattern", "pattern").after("MATCH").optional(),
            Arg::new("count", "integer").after("COUNT").optional(),
        ]),
    Command::new("sunion", -2, Group::Set, run::sunion)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::range(1, -1, 1, KeyAccess::Read, &["access"])])
        .about(
            "Gives the members that any of the sets has.",
            "O(N) where N is the total number of elements in all given sets.",
        )
        .acl(&["set"])
        .tips(&["nondeterministic_output_order"])
        .args(&[Arg::key("key", 0).multiple()]),
    Command::new("sunionstore", -3, Group::Set, run::sunionstore)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[
            KeySpec::one(1, KeyAccess::Overwrite, &["update"]),
            KeySpec::range(2, -1, 1, KeyAccess::Read, &["access"]),
        ])
        .about(
            "Stores the members that any of the sets has.",
            "O(N) where N is the total number of elements in all given sets.",
        )
        .acl(&["set"])
        .args(&[Arg::key("destination", 0), Arg::key("key", 1).multiple()]),
];
