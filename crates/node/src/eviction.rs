//! Eviction: what goes when the data occupy more than `maxmemory`, as `maxmemory-policy` says.
//!
//! Before a command that may add data a slice of keys is evicted; if that is not enough, the command runs all the same
//! and further slices follow between commands, so nobody waits for all of it. Only when there is nothing left to evict
//! is the command refused. The best candidates of random samples are kept in a small pool, as in Redis.
//!
//! A slice is bounded by time, read from the stopwatch; where that stands still, by a number of keys.
//!
//! Evictions are entries of the log of their own. What only a running snapshot still holds does not count as data:
//! evicting more would not free it.

use crate::input::Stopwatch;
use crate::node::Node;
use crate::output::Outputs;
use crate::session::Session;
use crate::tracking::By;
use std::time::Duration;
use tanist_config::ServerConfig;
use tanist_config::choice::MaxmemoryPolicy;
use tanist_keyspace::Entry;
use tanist_types::{DbIndex, Mono, Now, UnixMs};

/// The most candidates that are remembered from one sample to the next.
const POOL: usize = 16;
/// The time of one slice for each unit of `maxmemory-eviction-tenacity`: at its default, 10, half a millisecond.
const TIME_PER_TENACITY: Duration = Duration::from_micros(50);
/// The most keys of one slice for each unit.
const KEYS_PER_TENACITY: u64 = 64;

/// Which keys may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scope {
    All,
    /// Only keys with an expiry.
    Volatile,
}

/// Which of them goes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    /// The one unused for longest.
    Lru,
    /// The one used least.
    Lfu,
    /// The one that expires first.
    Ttl,
    Random,
}

/// A policy that evicts; `None` for `noeviction`.
fn policy(config: &ServerConfig) -> Option<(Scope, Order)> {
    Some(match config.maxmemory_policy {
        MaxmemoryPolicy::NoEviction => return None,
        MaxmemoryPolicy::AllkeysLru => (Scope::All, Order::Lru),
        MaxmemoryPolicy::AllkeysLfu => (Scope::All, Order::Lfu),
        MaxmemoryPolicy::AllkeysRandom => (Scope::All, Order::Random),
        MaxmemoryPolicy::VolatileLru => (Scope::Volatile, Order::Lru),
        MaxmemoryPolicy::VolatileLfu => (Scope::Volatile, Order::Lfu),
        MaxmemoryPolicy::VolatileRandom => (Scope::Volatile, Order::Random),
        MaxmemoryPolicy::VolatileTtl => (Scope::Volatile, Order::Ttl),
    })
}

/// What a slice has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Room {
    /// There is room, or this node is not the one to make it.
    Enough,
    /// More is to be evicted.
    More,
    /// Nothing may be evicted.
    None,
}

/// Candidates and counters.
#[derive(Debug, Default)]
pub(crate) struct Eviction {
    /// By rising score; the last one goes first.
    pool: Vec<Candidate>,
    /// The policy that the scores are of.
    scored: Option<MaxmemoryPolicy>,
    /// The database that a random policy takes from next.
    next_db: u16,
    /// Slices are to follow at once.
    pub(crate) more: bool,
    /// Since when there has been too much data, and for how long there was before.
    since: Option<Mono>,
    exceeded: Duration,
}

#[derive(Debug)]
struct Candidate {
    score: u64,
    db: DbIndex,
    key: Box<[u8]>,
}

impl Eviction {
    /// How long the limit has been exceeded, in all and this time, in milliseconds.
    pub(crate) fn exceeded_millis(&self, now: Mono) -> (u64, u64) {
        let current = self.since.map_or(Duration::ZERO, |since| now.since(since));
        ((self.exceeded + current).as_millis() as u64, current.as_millis() as u64)
    }

    /// `CONFIG RESETSTAT`
    pub(crate) fn reset(&mut self, now: Mono) {
        self.exceeded = Duration::ZERO;
        self.since = self.since.map(|_| now);
    }

    fn offer(&mut self, score: u64, db: DbIndex, key: &[u8]) {
        let at = self.pool.partition_point(|c| c.score < score);
        if self.pool.len() == POOL && at == 0 || self.pool.iter().any(|c| c.db == db && *c.key == *key) {
            return;
        }
        self.pool.insert(at, Candidate { score, db, key: key.into() });
        if self.pool.len() > POOL {
            self.pool.remove(0);
        }
    }
}

impl Node {
    /// One slice of eviction. `own` is the running session, which is not among the node's sessions meanwhile; what is
    /// evicted is appended to `gone` if somebody is to be told of it there.
    pub(crate) fn evict_slice(
        &mut self,
        now: Now,
        mut own: Option<&mut Session>,
        gone: &mut Vec<(DbIndex, Box<[u8]>)>,
        outs: &mut Outputs,
        watch: &dyn Stopwatch,
    ) -> Room {
        let (began, before) = (watch.read(), self.stats.evicted_keys);
        let room = self.evict_some(now, &mut own, gone, outs, watch);
        if self.stats.evicted_keys > before {
            self.note_latency("eviction-cycle", now, watch.read().since(began));
        }
        self.eviction.more = room == Room::More;
        if room == Room::Enough {
            if let Some(since) = self.eviction.since.take() {
                self.eviction.exceeded += now.mono.since(since);
            }
        } else {
            self.eviction.since.get_or_insert(now.mono);
        }
        room
    }

    fn evict_some(
        &mut self,
        now: Now,
        own: &mut Option<&mut Session>,
        gone: &mut Vec<(DbIndex, Box<[u8]>)>,
        outs: &mut Outputs,
        watch: &dyn Stopwatch,
    ) -> Room {
        // While clients are paused nothing changes the data.
        if !self.is_short_of_memory() || self.is_paused_for_expiry() {
            return Room::Enough;
        }
        let Some((scope, order)) = policy(&self.config) else { return Room::None };
        if self.is_importing() {
            return Room::None;
        }
        if self.eviction.scored.replace(self.config.maxmemory_policy) != Some(self.config.maxmemory_policy) {
            self.eviction.pool.clear();
        }
        let wants_notice = own.as_ref().is_some_and(|s| s.is_subscribed()) && self.notifies(b'e');
        let Bound { time, keys } = Bound::of(self.config.maxmemory_eviction_tenacity);
        let began = watch.read();
        for _ in 0..keys {
            let Some((db, key)) = self.pick(scope, order, now.wall()) else { return Room::None };
            let picked = watch.read();
            self.evict(db, &key, own, outs);
            let last = watch.read();
            self.note_latency("eviction-del", now, last.since(picked));
            if wants_notice {
                gone.push((db, key));
            }
            if !self.is_short_of_memory() {
                return Room::Enough;
            }
            if last.since(began) >= time {
                break;
            }
        }
        Room::More
    }

    /// The key that goes next.
    fn pick(&mut self, scope: Scope, order: Order, now: UnixMs) -> Option<(DbIndex, Box<[u8]>)> {
        if order == Order::Random {
            return self.pick_random(scope);
        }
        loop {
            let mut any = false;
            for index in 0..self.data.databases() {
                any |= self.sample(DbIndex(index), scope, order, now);
            }
            if !any {
                self.eviction.pool.clear();
                return None;
            }
            // A candidate of an earlier sample may be gone by now, or have lost its expiry.
            while let Some(Candidate { db, key, .. }) = self.eviction.pool.pop() {
                let hash = self.data.hash(&key);
                let entry = self.data.db(db).find(&key, hash);
                if entry.is_some_and(|e| scope == Scope::All || e.expiry().is_some()) {
                    return Some((db, key));
                }
            }
        }
    }

    fn pick_random(&mut self, scope: Scope) -> Option<(DbIndex, Box<[u8]>)> {
        let databases = self.data.databases();
        for _ in 0..databases {
            let db = DbIndex(self.eviction.next_db % databases);
            self.eviction.next_db = (db.0 + 1) % databases;
            if let Some(entry) = random(&self.data, db, scope, &mut self.rng) {
                return Some((db, entry.key().into()));
            }
        }
        None
    }

    /// Offers a few random keys of a database to the pool; says whether there are any.
    fn sample(&mut self, db: DbIndex, scope: Scope, order: Order, now: UnixMs) -> bool {
        for _ in 0..self.config.maxmemory_samples {
            let Some(entry) = random(&self.data, db, scope, &mut self.rng) else { return false };
            let score = match order {
                Order::Lru => u64::from(entry.access().lru_idle_secs(now)),
                Order::Lfu => u64::from(u8::MAX - self.usage.frequency(entry, now)),
                Order::Ttl => u64::MAX - entry.expiry().map_or(u64::MAX, |at| at.0.max(0) as u64),
                Order::Random => 0,
            };
            self.eviction.offer(score, db, entry.key());
        }
        true
    }

    fn note_latency(&mut self, event: &'static str, now: Now, time: Duration) {
        self.latency.note(event, self.config.latency_monitor_threshold, now.wall(), time);
    }

    fn evict(&mut self, db: DbIndex, key: &[u8], own: &mut Option<&mut Session>, outs: &mut Outputs) {
        let hash = self.data.hash(key);
        self.data.db_mut(db).remove(key, hash);
        self.stats.evicted_keys += 1;
        let verb: &[u8] = if self.config.lazyfree_lazy_eviction { b"UNLINK" } else { b"DEL" };
        self.add_effect(db, &[verb, key]);
        // Each one is an entry of its own: nothing makes them one transaction.
        self.commit_effects(outs);
        self.invalidate(key, By::Node, outs);
        self.mark_watchers(db, key);
        if let Some(own) = own
            && own.watched.iter().any(|w| w.db == db && *w.key == *key)
        {
            self.watchers.spoil(own);
        }
        self.publish_event(b'e', "evicted", db, key, outs);
    }
}

fn random<'d>(
    data: &'d tanist_keyspace::Keyspace,
    db: DbIndex,
    scope: Scope,
    rng: &mut tanist_types::Rng,
) -> Option<Entry<'d>> {
    match scope {
        Scope::All => data.db(db).random(rng),
        Scope::Volatile => data.db(db).random_volatile(rng),
    }
}

/// How long one slice may be. One key at least is evicted.
struct Bound {
    time: Duration,
    keys: u64,
}

impl Bound {
    /// Above 10, each unit of tenacity is 15 % more; 100 is without bound.
    fn of(tenacity: u16) -> Bound {
        let units = match tenacity {
            0..=10 => f64::from(tenacity),
            11..=99 => 10.0 * 1.15f64.powi(i32::from(tenacity) - 10),
            _ => return Bound { time: Duration::MAX, keys: u64::MAX },
        };
        let keys = (KEYS_PER_TENACITY as f64 * units) as u64;
        Bound { time: TIME_PER_TENACITY.mul_f64(units), keys: keys.max(1) }
    }
}
