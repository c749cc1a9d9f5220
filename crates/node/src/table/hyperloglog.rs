//! Counters of distinct elements.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::commands::hyperloglog as run;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("pfadd", -2, Group::Hyperloglog, run::pfadd)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["insert"])])
        .since("2.8.9")
        .about(
            "Adds elements to a counter of distinct ones.",
            "O(1) to add every element.",
        )
        .acl(&["hyperloglog"])
        .args(&[Arg::key("key", 0), Arg::new("element", "string").optional().multiple()]),
    Command::new("pfcount", -2, Group::Hyperloglog, run::pfcount)
        .flags(Flags::READONLY.and(Flags::MAY_REPLICATE))
        .keys(&[KeySpec { access: KeyAccess::ReadWrite, flags: &["access"], begin: KeyBegin::Index(1), find: KeyFind::Range { last: -1, step: 1, limit: 0 }, notes: "RW because it may change the internal representation of the key, and propagate to replicas" }])
        .since("2.8.9")
        .about(
            "Tells how many distinct elements counters have seen, about.",
            "O(1) with a very small average constant time when called with a single key. O(N) \
             with N being the number of keys, and much bigger constant times, when called with \
             multiple keys.",
        )
        .acl(&["hyperloglog"])
        .args(&[Arg::key("key", 0).multiple()]),
    Command::new("pfdebug", 3, Group::Hyperloglog, run::pfdebug)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::ADMIN))
        .keys(&[KeySpec::one(2, KeyAccess::ReadWrite, &["access"])])
        .since("2.8.9")
        .about(
            "Looks inside a counter of distinct elements.",
            "N/A",
        )
        .acl(&["hyperloglog"])
        .args(&[Arg::new("subcommand", "string"), Arg::key("key", 0)]),
    Command::new("pfmerge", -2, Group::Hyperloglog, run::pfmerge)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "insert"]), KeySpec::range(2, -1, 1, KeyAccess::Read, &["access"])])
        .since("2.8.9")
        .about(
            "Makes one counter of several.",
            "O(N) to merge N HyperLogLogs, but with high constant times.",
        )
        .acl(&["hyperloglog"])
        .args(&[Arg::key("destkey", 0), Arg::key("sourcekey", 1).optional().multiple()]),
    Command::new("pfselftest", 1, Group::Hyperloglog, run::pfselftest)
        .flags(Flags::ADMIN)
        .since("2.8.9")
        .about(
            "Checks the counters of distinct elements against what is added to them.",
            "N/A",
        )
        .acl(&["hyperloglog"]),
];
