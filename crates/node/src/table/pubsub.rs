//! Publish and subscribe.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeySpec};
use crate::commands::pubsub as run;

const LISTEN: Flags = Flags::PUBSUB.and(Flags::NOSCRIPT).and(Flags::LOADING).and(Flags::STALE);
const SEND: Flags =
    Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE).and(Flags::FAST).and(Flags::MAY_REPLICATE);
const ASK: Flags = Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE);
const SHARD_CHANNELS: &[KeySpec] = &[KeySpec::range(1, -1, 1, KeyAccess::Channel, &[])];
const HELP: Flags = Flags::LOADING.and(Flags::STALE);

pub(super) const COMMANDS: &[Command] = &[
    Command::new("subscribe", -2, Group::Pubsub, run::subscribe)
        .flags(LISTEN)
        .since("2.0.0")
        .about("Listens to channels.", "O(N) where N is the number of channels to subscribe to.")
        .args(&[Arg::new("channel", "string").multiple()]),
    Command::new("unsubscribe", -1, Group::Pubsub, run::unsubscribe)
        .flags(LISTEN)
        .since("2.0.0")
        .about("Stops listening to channels, to all without arguments.", "O(N) where N is the number of channels to unsubscribe.")
        .args(&[Arg::new("channel", "string").optional().multiple()]),
    Command::new("psubscribe", -2, Group::Pubsub, run::psubscribe)
        .flags(LISTEN)
        .since("2.0.0")
        .about("Listens to the channels that match patterns.", "O(N) where N is the number of patterns to subscribe to.")
        .args(&[Arg::new("pattern", "pattern").multiple()]),
    Command::new("punsubscribe", -1, Group::Pubsub, run::punsubscribe)
        .flags(LISTEN)
        .since("2.0.0")
        .about("Stops listening to patterns, to all without arguments.", "O(N) where N is the number of patterns to unsubscribe.")
        .args(&[Arg::new("pattern", "pattern").optional().multiple()]),
    Command::new("publish", 3, Group::Pubsub, run::publish)
        .flags(SEND)
        .since("2.0.0")
        .about(
            "Sends a message to the listeners of a channel.",
            "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).",
        )
        .args(&[Arg::new("channel", "string"), Arg::new("message", "string")]),
    Command::new("ssubscribe", -2, Group::Pubsub, run::ssubscribe)
        .flags(LISTEN)
        .keys(SHARD_CHANNELS)
        .since("7.0.0")
        .about("Listens to shard channels.", "O(N) where N is the number of shard channels to subscribe to.")
        .args(&[Arg::new("shardchannel", "string").multiple()]),
    Command::new("sunsubscribe", -1, Group::Pubsub, run::sunsubscribe)
        .flags(LISTEN)
        .keys(SHARD_CHANNELS)
        .since("7.0.0")
        .about("Stops listening to shard channels, to all without arguments.", "O(N) where N is the number of shard channels to unsubscribe.")
        .args(&[Arg::new("shardchannel", "string").optional().multiple()]),
    Command::new("spublish", 3, Group::Pubsub, run::spublish)
        .flags(SEND)
        .keys(&[KeySpec::one(1, KeyAccess::Channel, &[])])
        .since("7.0.0")
        .about("Sends a message to the listeners of a shard channel.", "O(N) where N is the number of clients subscribed to the receiving shard channel.")
        .args(&[Arg::new("shardchannel", "string"), Arg::new("message", "string")]),
    Command::container("pubsub", Group::Pubsub, &[
        Command::sub("channels", "pubsub|channels", -2, Group::Pubsub, run::channels)
            .flags(ASK)
            .since("2.8.0")
            .about("Lists the channels that somebody listens to.", "O(N) where N is the number of active channels, and assuming constant time pattern matching (relatively short channels and patterns)")
            .args(&[Arg::new("pattern", "pattern").optional()]),
        Command::sub("help", "pubsub|help", 2, Group::Pubsub, run::help)
            .flags(HELP)
            .since("6.2.0")
            .about("Explains the subcommands.", "O(1)"),
        Command::sub("numpat", "pubsub|numpat", 2, Group::Pubsub, run::numpat)
            .flags(ASK)
            .since("2.8.0")
            .about("Counts the patterns that somebody listens to.", "O(1)"),
        Command::sub("numsub", "pubsub|numsub", -2, Group::Pubsub, run::numsub)
            .flags(ASK)
            .since("2.8.0")
            .about("Counts the listeners of channels.", "O(N) for the NUMSUB subcommand, where N is the number of requested channels")
            .args(&[Arg::new("channel", "string").optional().multiple()]),
        Command::sub("shardchannels", "pubsub|shardchannels", -2, Group::Pubsub, run::shardchannels)
            .flags(ASK)
            .since("7.0.0")
            .about("Lists the shard channels that somebody listens to.", "O(N) where N is the number of active shard channels, and assuming constant time pattern matching (relatively short shard channels).")
            .args(&[Arg::new("pattern", "pattern").optional()]),
        Command::sub("shardnumsub", "pubsub|shardnumsub", -2, Group::Pubsub, run::shardnumsub)
            .flags(ASK)
            .since("7.0.0")
            .about("Counts the listeners of shard channels.", "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels")
            .args(&[Arg::new("shardchannel", "string").optional().multiple()]),
    ])
    .since("2.8.0")
    .about("A container for commands about channels and their listeners.", "Depends on subcommand."),
];
