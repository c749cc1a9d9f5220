//! How the use of entries is noted: the LRU clock or the LFU counter, whichever `maxmemory-policy` asks for.

use tanist_config::ServerConfig;
use tanist_config::choice::MaxmemoryPolicy;
use tanist_keyspace::{Access, Entry, Stamp};
use tanist_types::{Rng, UnixMs};

/// What a use writes on an entry; refreshed with the clock's tick.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    access: Access,
    lfu: Option<Lfu>,
}

/// The parameters of the logarithmic counter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lfu {
    decay_minutes: u32,
    log_factor: u32,
}

impl Usage {
    /// As the configuration asks for, at `now`.
    pub(crate) fn new(config: &ServerConfig, now: UnixMs) -> Usage {
        let lfu =
            matches!(config.maxmemory_policy, MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu)
                .then_some(Lfu { decay_minutes: config.lfu_decay_time, log_factor: config.lfu_log_factor });
        Usage { access: if lfu.is_some() { Access::lfu_new(now) } else { Access::lru(now) }, lfu }
    }

    /// What new and overwritten entries get.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { access: self.access, keep_on_overwrite: self.lfu.is_some() }
    }

    /// Whether entries carry the LFU counter.
    pub(crate) fn is_lfu(&self) -> bool {
        self.lfu.is_some()
    }

    /// The counter of an entry as of now (`OBJECT FREQ`).
    pub(crate) fn frequency(&self, entry: Entry<'_>, now: UnixMs) -> u8 {
        entry.access().lfu_counter(now, self.lfu.map_or(0, |l| l.decay_minutes))
    }
}

/// Notes that `entry` is used now.
#[inline]
pub(crate) fn touch(entry: Entry<'_>, usage: &Usage, now: UnixMs, rng: &mut Rng) {
    match usage.lfu {
        None => entry.set_access(usage.access),
        Some(l) => entry.set_access(entry.access().lfu_used(now, l.decay_minutes, l.log_factor, rng)),
    }
}
