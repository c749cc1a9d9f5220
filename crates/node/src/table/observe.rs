//! What the server tells about itself: counters, logs of slow commands, latency, memory, monitoring.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeySpec};
use crate::commands::{info, latency, memory, server, slowlog};

pub(super) const COMMANDS: &[Command] = &[
    Command::container(
        "commandlog",
        Group::Server,
        &[
            Command::sub("get", "commandlog|get", 4, Group::Server, slowlog::commandlog_get)
                .flags(Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE))
                .since("8.1.0")
                .about("Shows the latest entries of a log.", "O(N), N being the number of entries shown")
                .tips(&["request_policy:all_nodes", "nondeterministic_output"])
                .args(&[
                    Arg::new("count", "integer"),
                    Arg::one_of(
                        "type",
                        &[
                            Arg::word("slow", "SLOW"),
                            Arg::word("large-request", "LARGE-REQUEST"),
                            Arg::word("large-reply", "LARGE-REPLY"),
                        ],
                    ),
                ]),
            Command::sub("help", "commandlog|help", 2, Group::Server, slowlog::commandlog_help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("8.1.0")
                .about("Lists the subcommands.", "O(1)"),
            Command::sub("len", "commandlog|len", 3, Group::Server, slowlog::commandlog_len)
                .flags(Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE))
                .since("8.1.0")
                .about("Tells how many entries a log has.", "O(1)")
                .tips(&["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"])
                .args(&[Arg::one_of(
                    "type",
                    &[
                        Arg::word("slow", "SLOW"),
                        Arg::word("large-request", "LARGE-REQUEST"),
                        Arg::word("large-reply", "LARGE-REPLY"),
                    ],
                )]),
            Command::sub("reset", "commandlog|reset", 3, Group::Server, slowlog::commandlog_reset)
                .flags(Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE))
                .since("8.1.0")
                .about("Clears a log.", "O(N), N being the number of entries")
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
                .args(&[Arg::one_of(
                    "type",
                    &[
                        Arg::word("slow", "SLOW"),
                        Arg::word("large-request", "LARGE-REQUEST"),
                        Arg::word("large-reply", "LARGE-REPLY"),
                    ],
                )]),
        ],
    )
    .since("8.1.0")
    .about(
        "A container for commands about the logs of slow, large and talkative commands.",
        "Depends on the subcommand",
    ),
    Command::new("info", -1, Group::Server, info::info)
        .flags(Flags::LOADING.and(Flags::STALE))
        .about("Tells about the server's state and counters.", "O(1)")
        .acl(&["dangerous"])
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"])
        .args(&[Arg::new("section", "string").optional().multiple()]),
    Command::container(
        "latency",
        Group::Server,
        &[
            Command::sub("doctor", "latency|doctor", 2, Group::Server, latency::doctor)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("2.8.13")
                .about("Explains the latency spikes seen.", "O(1)")
                .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
            Command::sub("graph", "latency|graph", 3, Group::Server, latency::graph)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("2.8.13")
                .about("Draws the latest spikes of an event.", "O(1)")
                .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"])
                .args(&[Arg::new("event", "string")]),
            Command::sub("help", "latency|help", 2, Group::Server, latency::help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("2.8.13")
                .about("Lists the subcommands.", "O(1)"),
            Command::sub("histogram", "latency|histogram", -2, Group::Server, latency::histogram)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("7.0.0")
                .about(
                    "Gives the distribution of commands' times.",
                    "O(N), N being the number of commands asked for",
                )
                .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"])
                .args(&[Arg::new("command", "string").optional().multiple()]),
            Command::sub("history", "latency|history", 3, Group::Server, latency::history)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("2.8.13")
                .about("Gives the spikes of an event with their times.", "O(1)")
                .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"])
                .args(&[Arg::new("event", "string")]),
            Command::sub("latest", "latency|latest", 2, Group::Server, latency::latest)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("2.8.13")
                .about("Gives the latest and the worst spike of every event.", "O(1)")
                .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
            Command::sub("reset", "latency|reset", -2, Group::Server, latency::reset)
                .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
                .since("2.8.13")
                .about("Forgets the spikes of events.", "O(1)")
                .tips(&["request_policy:all_nodes", "response_policy:agg_sum"])
                .args(&[Arg::new("event", "string").optional().multiple()]),
        ],
    )
    .since("2.8.13")
    .about("A container for commands about latency.", "Depends on the subcommand"),
    Command::container(
        "memory",
        Group::Server,
        &[
            Command::sub("doctor", "memory|doctor", 2, Group::Server, memory::doctor)
                .since("4.0.0")
                .about("Judges the use of memory.", "O(1)")
                .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
            Command::sub("help", "memory|help", 2, Group::Server, memory::help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("4.0.0")
                .about("Lists the subcommands.", "O(1)"),
            Command::sub("malloc-stats", "memory|malloc-stats", 2, Group::Server, memory::malloc_stats)
                .flags(Flags::LOADING)
                .since("4.0.0")
                .about("Gives the allocator's own report.", "Depends on the allocator")
                .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
            Command::sub("purge", "memory|purge", 2, Group::Server, memory::purge)
                .flags(Flags::LOADING)
                .since("4.0.0")
                .about("Does nothing: the allocator gives memory back by itself.", "Depends on the allocator")
                .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
            Command::sub("stats", "memory|stats", 2, Group::Server, memory::stats)
                .since("4.0.0")
                .about("Gives figures about the use of memory.", "O(1)")
                .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
            Command::sub("usage", "memory|usage", -3, Group::Server, memory::usage)
                .flags(Flags::READONLY)
                .keys(&[KeySpec::one(2, KeyAccess::Read, &[])])
                .since("4.0.0")
                .about(
                    "Tells how many bytes a key and its value take.",
                    "O(N), N being the number of samples",
                )
                .args(&[Arg::key("key", 0), Arg::new("count", "integer").after("SAMPLES").optional()]),
        ],
    )
    .since("4.0.0")
    .about("A container for commands about memory.", "Depends on the subcommand"),
    Command::new("monitor", 1, Group::Server, server::monitor)
        .flags(Flags::ADMIN.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE))
        .about("Shows every command that the server runs.", "O(1)"),
    Command::container(
        "slowlog",
        Group::Server,
        &[
            Command::sub("get", "slowlog|get", -2, Group::Server, slowlog::slowlog_get)
                .flags(Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE))
                .since("2.2.12")
                .about("Shows the latest entries.", "O(N), N being the number of entries shown")
                .tips(&["request_policy:all_nodes", "nondeterministic_output"])
                .args(&[Arg::new("count", "integer").optional()]),
            Command::sub("help", "slowlog|help", 2, Group::Server, slowlog::slowlog_help)
                .flags(Flags::LOADING.and(Flags::STALE))
                .since("6.2.0")
                .about("Lists the subcommands.", "O(1)"),
            Command::sub("len", "slowlog|len", 2, Group::Server, slowlog::slowlog_len)
                .flags(Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE))
                .since("2.2.12")
                .about("Tells how many entries there are.", "O(1)")
                .tips(&["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"]),
            Command::sub("reset", "slowlog|reset", 2, Group::Server, slowlog::slowlog_reset)
                .flags(Flags::ADMIN.and(Flags::LOADING).and(Flags::STALE))
                .since("2.2.12")
                .about("Clears the log.", "O(N), N being the number of entries")
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
        ],
    )
    .since("2.2.12")
    .about("A container for commands about the log of slow commands.", "Depends on the subcommand"),
];
