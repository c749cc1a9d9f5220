//! Commands that clients of a cluster send, and their answers where there is none.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeySpec};
use crate::commands::cluster as run;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("asking", 1, Group::Cluster, run::disabled)
        .flags(Flags::FAST)
        .since("3.0.0")
        .about("Tells that the next command follows a redirection.", "O(1)")
        .acl(&["connection"]),
    Command::container(
        "cluster",
        Group::Cluster,
        &[
            Command::sub("countkeysinslot", "cluster|countkeysinslot", 3, Group::Cluster, run::disabled)
                .flags(Flags::STALE)
                .since("3.0.0")
                .about("Counts the keys of a slot.", "O(1)")
                .args(&[Arg::new("slot", "integer")]),
            Command::sub("getkeysinslot", "cluster|getkeysinslot", 4, Group::Cluster, run::disabled)
                .flags(Flags::STALE)
                .since("3.0.0")
                .about("Lists keys of a slot.", "O(1)")
                .tips(&["nondeterministic_output"])
                .args(&[Arg::new("slot", "integer"), Arg::new("count", "integer")]),
            Command::sub("help", "cluster|help", 2, Group::Cluster, run::disabled)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("5.0.0")
                .about("Lists the subcommands.", "O(1)"),
            Command::sub("info", "cluster|info", 2, Group::Cluster, run::disabled)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("3.0.0")
                .about("Tells how the cluster stands.", "O(1)")
                .tips(&["nondeterministic_output"]),
            Command::sub("links", "cluster|links", 2, Group::Cluster, run::disabled)
                .flags(Flags::STALE)
                .since("7.0.0")
                .about("Describes the links between nodes.", "O(1)")
                .tips(&["nondeterministic_output"]),
            Command::sub("myid", "cluster|myid", 2, Group::Cluster, run::disabled)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("3.0.0")
                .about("Gives the number of this node.", "O(1)"),
            Command::sub("myshardid", "cluster|myshardid", 2, Group::Cluster, run::disabled)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("7.2.0")
                .about("Gives the number of this shard.", "O(1)")
                .tips(&["nondeterministic_output"]),
            Command::sub("nodes", "cluster|nodes", 2, Group::Cluster, run::disabled)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("3.0.0")
                .about("Describes the nodes.", "O(1)")
                .tips(&["nondeterministic_output"]),
            Command::sub("replicas", "cluster|replicas", 3, Group::Cluster, run::disabled)
                .flags(Flags::ADMIN.and(Flags::STALE))
                .since("5.0.0")
                .about("Describes the replicas of a node.", "O(1)")
                .tips(&["nondeterministic_output"])
                .args(&[Arg::new("node-id", "string")]),
            Command::sub("reset", "cluster|reset", -2, Group::Cluster, run::disabled)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::STALE))
                .since("3.0.0")
                .about(
                    "Makes the node forget the cluster.",
                    "O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.",
                )
                .args(&[Arg::one_of("reset-type", &[Arg::word("hard", "HARD"), Arg::word("soft", "SOFT")])
                    .optional()]),
            Command::sub("shards", "cluster|shards", 2, Group::Cluster, run::disabled)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("7.0.0")
                .about("Describes the shards.", "O(1)")
                .tips(&["nondeterministic_output"]),
            Command::sub("slaves", "cluster|slaves", 3, Group::Cluster, run::disabled)
                .flags(Flags::ADMIN.and(Flags::STALE))
                .since("3.0.0")
                .about("The older name of CLUSTER REPLICAS.", "O(1)")
                .tips(&["nondeterministic_output"])
                .args(&[Arg::new("node-id", "string")]),
            Command::sub("slots", "cluster|slots", 2, Group::Cluster, run::disabled)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("3.0.0")
                .about("Tells which node has which slots.", "O(1)")
                .tips(&["nondeterministic_output"]),
        ],
    )
    .since("3.0.0")
    .about(
        "A container for commands about a cluster, which this server is no part of.",
        "Depends on the subcommand",
    ),
    Command::new("clusterscan", -2, Group::Cluster, run::disabled)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Channel, &[])])
        .since("9.1.0")
        .about(
            "Walks through the keys of a cluster, step by step.",
            "O(1) for every call, O(N) for a complete iteration, N being the number of keys.",
        )
        .acl(&["keyspace"])
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"])
        .args(&[
            Arg::new("cursor", "string"),
            Arg::new("match-pattern", "pattern").after("MATCH").optional(),
            Arg::new("count", "integer").after("COUNT").optional(),
            Arg::new("type", "string").after("TYPE").optional(),
            Arg::new("slot", "integer").after("SLOT").optional(),
        ]),
    Command::new("readonly", 1, Group::Cluster, run::readonly)
        .flags(Flags::LOADING.and(Flags::STALE).and(Flags::FAST))
        .since("3.0.0")
        .about("Lets a client that follows redirections read from this replica.", "O(1)")
        .acl(&["connection"]),
    Command::new("readwrite", 1, Group::Cluster, run::readwrite)
        .flags(Flags::LOADING.and(Flags::STALE).and(Flags::FAST))
        .since("3.0.0")
        .about("Ends what READONLY began.", "O(1)")
        .acl(&["connection"]),
];
