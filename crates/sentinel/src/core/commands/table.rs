//! The table of commands.

use super::{Call, Done};
use crate::core::Sentinel;
use tanist_resp::Reply;

/// Carries out one command.
pub(crate) type Handler = fn(&mut Sentinel, &Call<'_>, &mut Reply<'_>) -> Done;

/// One command or subcommand.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// The number of words, the name included; negative: at least so many.
    pub(crate) arity: i32,
    pub(crate) flags: &'static [&'static str],
    pub(crate) categories: &'static [&'static str],
    pub(crate) tips: &'static [&'static str],
    pub(crate) summary: &'static str,
    pub(crate) handler: Handler,
    pub(crate) subs: &'static [Spec],
}

/// What a RESP2 session with subscriptions may still send.
pub(crate) const FOR_LISTENERS: &[&str] =
    &["subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ping", "quit", "reset"];

const ADMIN: &[&str] = &["admin", "only_sentinel"];
const NO_FLAGS: &[&str] = &[];
const SENTINEL: &[&str] = &["@admin", "@slow", "@dangerous"];
const CONNECTION: &[&str] = &["@slow", "@connection"];
const PUBSUB: &[&str] = &["@pubsub", "@slow"];

const fn sub(name: &'static str, arity: i32, summary: &'static str, handler: Handler) -> Spec {
    Spec { name, arity, flags: ADMIN, categories: SENTINEL, tips: &[], summary, handler, subs: &[] }
}

const fn plain(
    name: &'static str,
    arity: i32,
    flags: &'static [&'static str],
    categories: &'static [&'static str],
    summary: &'static str,
    handler: Handler,
) -> Spec {
    Spec { name, arity, flags, categories, tips: &[], summary, handler, subs: &[] }
}

const fn part(name: &'static str, arity: i32, summary: &'static str, handler: Handler) -> Spec {
    Spec { name, arity, flags: NO_FLAGS, categories: CONNECTION, tips: &[], summary, handler, subs: &[] }
}

/// All commands.
pub(crate) const TABLE: &[Spec] = &[
    Spec {
        name: "ping",
        arity: -1,
        flags: &["fast"],
        categories: &["@fast", "@connection"],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        summary: "Returns the server's liveliness response.",
        handler: Sentinel::cmd_ping,
        subs: &[],
    },
    plain(
        "auth",
        -2,
        &["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
        &["@fast", "@connection"],
        "Authenticates the connection.",
        Sentinel::cmd_auth,
    ),
    plain(
        "hello",
        -1,
        &["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
        &["@fast", "@connection"],
        "Handshakes with the server.",
        Sentinel::cmd_hello,
    ),
    plain(
        "quit",
        -1,
        &["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
        &["@fast", "@connection"],
        "Closes the connection.",
        Sentinel::cmd_quit,
    ),
    plain(
        "reset",
        1,
        &["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
        &["@fast", "@connection"],
        "Resets the connection.",
        Sentinel::cmd_reset,
    ),
    plain(
        "role",
        1,
        &["noscript", "loading", "stale", "fast"],
        &["@admin", "@fast", "@dangerous"],
        "Returns the replication role.",
        Sentinel::cmd_role,
    ),
    plain(
        "info",
        -1,
        &["loading", "stale"],
        &["@slow", "@dangerous"],
        "Returns information and statistics about the server.",
        Sentinel::cmd_info,
    ),
    plain(
        "publish",
        3,
        &["pubsub", "loading", "stale", "fast"],
        &["@pubsub", "@fast"],
        "Posts a message to a channel.",
        Sentinel::cmd_publish,
    ),
    plain(
        "subscribe",
        -2,
        &["pubsub", "noscript", "loading", "stale"],
        PUBSUB,
        "Listens for messages published to channels.",
        Sentinel::cmd_subscribe,
    ),
    plain(
        "unsubscribe",
        -1,
        &["pubsub", "noscript", "loading", "stale"],
        PUBSUB,
        "Stops listening to messages posted to channels.",
        Sentinel::cmd_unsubscribe,
    ),
    plain(
        "psubscribe",
        -2,
        &["pubsub", "noscript", "loading", "stale"],
        PUBSUB,
        "Listens for messages published to channels that match one or more patterns.",
        Sentinel::cmd_psubscribe,
    ),
    plain(
        "punsubscribe",
        -1,
        &["pubsub", "noscript", "loading", "stale"],
        PUBSUB,
        "Stops listening to messages published to channels that match one or more patterns.",
        Sentinel::cmd_punsubscribe,
    ),
    plain(
        "shutdown",
        -1,
        &["admin", "noscript", "loading", "stale", "allow_busy"],
        &["@admin", "@slow", "@dangerous"],
        "Ends the sentinel.",
        Sentinel::cmd_shutdown,
    ),
    Spec {
        name: "client",
        arity: -2,
        flags: NO_FLAGS,
        categories: CONNECTION,
        tips: &[],
        summary: "A container for client connection commands.",
        handler: Sentinel::cmd_client_help,
        subs: &[
            part("caching", 3, "Refused: a sentinel has no keys.", Sentinel::cmd_client_caching),
            part("getname", 2, "Returns the name of the connection.", Sentinel::cmd_client_getname),
            part("getredir", 2, "Returns -1: nothing is tracked.", Sentinel::cmd_client_getredir),
            part("help", 2, "Returns helpful text about the subcommands.", Sentinel::cmd_client_help),
            part("id", 2, "Returns the identity of the connection.", Sentinel::cmd_client_id),
            part("info", 2, "Returns information about the connection.", Sentinel::cmd_client_info),
            part("kill", -3, "Closes connections.", Sentinel::cmd_client_kill),
            part("list", -2, "Lists open connections.", Sentinel::cmd_client_list),
            part("no-evict", 3, "Accepted for compatibility.", Sentinel::cmd_client_no_evict),
            part("no-touch", 3, "Accepted for compatibility.", Sentinel::cmd_client_no_touch),
            part("reply", 3, "Tells whether to send replies.", Sentinel::cmd_client_reply),
            part(
                "setinfo",
                4,
                "Sets the name or version of the client's library.",
                Sentinel::cmd_client_setinfo,
            ),
            part("setname", 3, "Sets the name of the connection.", Sentinel::cmd_client_setname),
            part("tracking", -3, "Turns tracking off; it cannot be on.", Sentinel::cmd_client_tracking),
            part("trackinginfo", 2, "Says that nothing is tracked.", Sentinel::cmd_client_trackinginfo),
            part("unblock", -3, "Returns 0: no command waits for a key.", Sentinel::cmd_client_unblock),
        ],
    },
    Spec {
        name: "command",
        arity: -1,
        flags: &["loading", "stale"],
        categories: CONNECTION,
        tips: &[],
        summary: "Returns detailed information about all commands.",
        handler: Sentinel::cmd_command,
        subs: &[
            part("count", 2, "Returns the number of commands.", Sentinel::cmd_command_count),
            part("docs", -2, "Returns documentation of commands.", Sentinel::cmd_command_docs),
            part("getkeys", -3, "Refused: no command has keys.", Sentinel::cmd_command_getkeys),
            part("help", 2, "Returns helpful text about the subcommands.", Sentinel::cmd_command_help),
            part("info", -2, "Returns information about commands.", Sentinel::cmd_command_info),
            part("list", -2, "Returns the names of commands.", Sentinel::cmd_command_list),
        ],
    },
    Spec {
        name: "acl",
        arity: -2,
        flags: NO_FLAGS,
        categories: SENTINEL,
        tips: &[],
        summary: "A container for access list commands.",
        handler: Sentinel::cmd_acl_help,
        subs: &[
            sub("cat", -2, "Lists the categories.", Sentinel::cmd_acl_cat),
            sub("getuser", 3, "Lists the rules of a user.", Sentinel::cmd_acl_getuser),
            sub("help", 2, "Returns helpful text about the subcommands.", Sentinel::cmd_acl_help),
            sub("list", 2, "Lists the rules of all users.", Sentinel::cmd_acl_list),
            sub("users", 2, "Lists all users.", Sentinel::cmd_acl_users),
            sub("whoami", 2, "Returns the user of the connection.", Sentinel::cmd_acl_whoami),
        ],
    },
    Spec {
        name: "sentinel",
        arity: -2,
        flags: ADMIN,
        categories: SENTINEL,
        tips: &[],
        summary: "A container for Sentinel commands.",
        handler: Sentinel::cmd_sentinel_help,
        subs: &[
            sub("ckquorum", 3, "Checks for a quorum.", Sentinel::cmd_ckquorum),
            sub("config", -4, "Configures the sentinel.", Sentinel::cmd_config),
            sub("debug", -2, "Lists or updates time parameters.", Sentinel::cmd_debug),
            sub("failover", -3, "Hands the role of primary to a replica.", Sentinel::cmd_failover),
            sub("flushconfig", 2, "Rewrites the configuration file.", Sentinel::cmd_flushconfig),
            sub("get-master-addr-by-name", 3, "Returns the address of a primary.", Sentinel::cmd_get_addr),
            sub("get-primary-addr-by-name", 3, "Returns the address of a primary.", Sentinel::cmd_get_addr),
            sub("help", 2, "Returns helpful text about the subcommands.", Sentinel::cmd_sentinel_help),
            sub("info-cache", -3, "Returns the last INFO of the nodes.", Sentinel::cmd_info_cache),
            sub(
                "is-master-down-by-addr",
                6,
                "Says whether a primary is down; asks for a vote.",
                Sentinel::cmd_is_down,
            ),
            sub(
                "is-primary-down-by-addr",
                6,
                "Says whether a primary is down; asks for a vote.",
                Sentinel::cmd_is_down,
            ),
            sub("master", 3, "Returns the state of a primary.", Sentinel::cmd_master),
            sub("masters", 2, "Returns a list of primaries.", Sentinel::cmd_masters),
            sub("monitor", 6, "Starts watching a group.", Sentinel::cmd_monitor),
            sub("myid", 2, "Returns the identity of the sentinel.", Sentinel::cmd_myid),
            sub("pending-scripts", 2, "Returns the scripts that wait or run.", Sentinel::cmd_pending_scripts),
            sub("primaries", 2, "Returns a list of primaries.", Sentinel::cmd_masters),
            sub("primary", 3, "Returns the state of a primary.", Sentinel::cmd_master),
            sub("remove", 3, "Stops watching a group.", Sentinel::cmd_remove),
            sub("replicas", 3, "Returns a list of replicas.", Sentinel::cmd_replicas),
            sub("reset", 3, "Forgets replicas and sentinels of groups.", Sentinel::cmd_sentinel_reset),
            sub("sentinels", 3, "Returns a list of the other sentinels.", Sentinel::cmd_sentinels),
            sub("set", -5, "Changes settings of a group.", Sentinel::cmd_set),
            sub("simulate-failure", -3, "Simulates a crash.", Sentinel::cmd_simulate_failure),
            sub("slaves", 3, "Returns a list of replicas.", Sentinel::cmd_replicas),
        ],
    },
];
