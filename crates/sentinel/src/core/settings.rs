//! What people set: for all groups and for each.

use std::collections::BTreeMap;
use std::time::Duration;
use tanist_types::RunId;

/// Which node may be chosen when a primary failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum PickPolicy {
    /// The best of those that answer, as Redis does: a group of two survives the loss of one.
    #[default]
    BestEffort,
    /// Only a node that holds everything a majority of the group's nodes acknowledged.
    Majority,
}

impl PickPolicy {
    /// The word in the configuration.
    pub(crate) fn word(self) -> &'static str {
        match self {
            PickPolicy::BestEffort => "best-effort",
            PickPolicy::Majority => "majority",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(word: &str) -> Option<PickPolicy> {
        match word {
            "best-effort" => Some(PickPolicy::BestEffort),
            "majority" => Some(PickPolicy::Majority),
            _ => None,
        }
    }
}

/// The settings of one group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct GroupSettings {
    pub(crate) quorum: u32,
    pub(crate) down_after: Duration,
    pub(crate) failover_timeout: Duration,
    pub(crate) parallel_syncs: u32,
    pub(crate) reboot_down_after: Duration,
    pub(crate) notification_script: Option<String>,
    pub(crate) reconfig_script: Option<String>,
    pub(crate) auth_user: Option<String>,
    pub(crate) auth_pass: Option<String>,
    /// Commands that the nodes know under another name.
    pub(crate) renames: BTreeMap<String, String>,
    pub(crate) fast_crash: bool,
    pub(crate) pick: PickPolicy,
    /// After so long without a majority of the sentinels, the primary is no longer named; zero: always named.
    pub(crate) stale_view: Duration,
}

impl GroupSettings {
    /// The settings of a new group.
    pub(crate) fn new(quorum: u32, down_after: Duration, failover_timeout: Duration) -> GroupSettings {
        GroupSettings {
            quorum,
            down_after,
            failover_timeout,
            parallel_syncs: 1,
            reboot_down_after: Duration::ZERO,
            notification_script: None,
            reconfig_script: None,
            auth_user: None,
            auth_pass: None,
            renames: BTreeMap::new(),
            fast_crash: true,
            pick: PickPolicy::BestEffort,
            stale_view: STALE_VIEW,
        }
    }

    /// The name under which the nodes know `command`.
    pub(crate) fn command<'a>(&'a self, command: &'a str) -> &'a str {
        self.renames.get(command).map_or(command, String::as_str)
    }
}

/// The default of `sentinel stale-view-timeout`.
pub(crate) const STALE_VIEW: Duration = Duration::from_secs(10);

/// The settings for all groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Globals {
    /// This sentinel's identity; drawn at the first start and kept in the configuration.
    pub(crate) id: Option<RunId>,
    pub(crate) announce_ip: Option<String>,
    pub(crate) announce_port: Option<u16>,
    pub(crate) resolve_hostnames: bool,
    pub(crate) announce_hostnames: bool,
    pub(crate) sentinel_user: Option<String>,
    pub(crate) sentinel_pass: Option<String>,
    pub(crate) deny_scripts_reconfig: bool,
    pub(crate) requirepass: Option<String>,
    pub(crate) loglevel: String,
    /// Most connections of others to us at once.
    pub(crate) max_clients: u32,
}

/// The default of `maxclients`, that of Redis.
const MAX_CLIENTS: u32 = 10_000;

impl Default for Globals {
    fn default() -> Globals {
        Globals {
            id: None,
            announce_ip: None,
            announce_port: None,
            resolve_hostnames: false,
            announce_hostnames: false,
            sentinel_user: None,
            sentinel_pass: None,
            deny_scripts_reconfig: true,
            requirepass: None,
            loglevel: "notice".to_owned(),
            max_clients: MAX_CLIENTS,
        }
    }
}
