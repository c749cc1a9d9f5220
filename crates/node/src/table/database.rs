//! Whole databases.

use crate::command::{Arg, Command, Flags, Group};
use crate::commands::database as run;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("dbsize", 1, Group::Server, run::dbsize)
        .flags(Flags::READONLY.and(Flags::FAST))
        .about("Counts the keys of the database.", "O(1)")
        .acl(&["keyspace"])
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    Command::new("flushall", -1, Group::Server, run::flushall)
        .flags(Flags::WRITE)
        .about(
            "Deletes every key of every database.",
            "O(N) where N is the total number of keys in all databases",
        )
        .acl(&["keyspace", "dangerous"])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .args(&[Arg::one_of(
            "flush-type",
            &[Arg::word("async", "ASYNC").since("4.0.0"), Arg::word("sync", "SYNC").since("6.2.0")],
        )
        .optional()]),
    Command::new("flushdb", -1, Group::Server, run::flushdb)
        .flags(Flags::WRITE)
        .about(
            "Deletes every key of the database.",
            "O(N) where N is the number of keys in the selected database",
        )
        .acl(&["keyspace", "dangerous"])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .args(&[Arg::one_of(
            "flush-type",
            &[Arg::word("async", "ASYNC").since("4.0.0"), Arg::word("sync", "SYNC").since("6.2.0")],
        )
        .optional()]),
    Command::new("swapdb", 3, Group::Server, run::swapdb)
        .flags(Flags::WRITE.and(Flags::FAST))
        .since("4.0.0")
        .about(
            "Exchanges two databases.",
            "O(N) where N is the count of clients watching or blocking on keys from both \
             databases.",
        )
        .acl(&["keyspace", "dangerous"])
        .args(&[Arg::new("index1", "integer"), Arg::new("index2", "integer")]),
];
