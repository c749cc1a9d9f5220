//! One database, for reading.

use crate::entry::Entry;
use crate::snapshot::Stop;
use crate::store::Store;
use tanist_collections::{KeyHash, Seed};
use tanist_types::{Rng, UnixMs};

/// A position in a scan; zero is the start, and the end when returned. Fits 48 bits, so that clients that read it as a
/// double or as a signed number can.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cursor(pub u64);

/// The bits of a position that a cursor leaves out: boundaries of buckets have zeros there.
const CURSOR_SHIFT: u32 = 16;

/// What one step of active expiry did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExpireProgress {
    /// Entries with an expiry that were looked at.
    pub examined: usize,
    /// Entries past their time that were reported.
    pub expired: usize,
    /// Whether the walk came round to the start.
    pub wrapped: bool,
}

/// One database, for reading.
#[derive(Debug)]
pub struct Db {
    pub(crate) store: Store,
    /// Its place in the active snapshot, if it has one.
    pub(crate) stop: Option<Stop>,
    /// Where active expiry goes on.
    expire_from: u64,
    avg_ttl_ms: u64,
}

impl Db {
    pub(crate) fn new(seed: Seed) -> Db {
        Db { store: Store::new(seed), stop: None, expire_from: 0, avg_ttl_ms: 0 }
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.store.len() == 0
    }

    /// The number of keys with an expiry.
    #[must_use]
    pub fn expires_len(&self) -> usize {
        self.store.volatile_len()
    }

    /// The number of hashes with fields that expire.
    #[must_use]
    pub fn expiring_fields_len(&self) -> usize {
        self.store.fields_len()
    }

    /// Visits some of the hashes with fields that expire, from position `from` on; returns where to go on, `None` at the
    /// end.
    pub fn visit_expiring_fields(&self, from: u64, see: &mut dyn FnMut(Entry<'_>)) -> Option<u64> {
        self.store.visit_fields(from, see)
    }

    /// The average time to live of keys with an expiry in milliseconds, as sampled by active expiry; zero if unknown.
    #[must_use]
    pub fn avg_ttl_ms(&self) -> u64 {
        self.avg_ttl_ms
    }

    /// An estimate of the bytes that entries and tables occupy in the allocator.
    #[must_use]
    pub fn used_memory(&self) -> usize {
        self.store.bytes()
    }

    /// Brings the bucket of `h` into the cache; to be called for a whole batch before [`Db::prefetch_entry`].
    #[inline]
    pub fn prefetch(&self, h: KeyHash) {
        self.store.prefetch(h);
    }

    /// Brings the entry of `h` into the cache, once its bucket is there.
    #[inline]
    pub fn prefetch_entry(&self, h: KeyHash) {
        self.store.prefetch_entry(h);
    }

    /// The entry of `key`, whose hash is `h`.
    #[inline]
    #[must_use]
    pub fn find(&self, key: &[u8], h: KeyHash) -> Option<Entry<'_>> {
        self.store.find(key, h)
    }

    /// Visits about `count` entries from `cursor` on and returns where to go on; [`Cursor`] zero is the end.
    ///
    /// An entry that is present during a whole scan is visited at least once, however the table changes meanwhile.
    pub fn scan(&self, cursor: Cursor, count: usize, visit: &mut dyn FnMut(Entry<'_>)) -> Cursor {
        // Empty buckets are seldom, but a step must end even then.
        let mut buckets = count.saturating_mul(4).saturating_add(16);
        let mut seen = 0;
        let mut at = Some(cursor.0 << CURSOR_SHIFT);
        while let Some(position) = at {
            if (seen >= count.max(1) || buckets == 0) && position != cursor.0 << CURSOR_SHIFT {
                return Cursor(position >> CURSOR_SHIFT);
            }
            buckets = buckets.saturating_sub(1);
            at = self.store.visit(position, &mut |entry| {
                seen += 1;
                visit(entry);
            });
        }
        Cursor(0)
    }

    /// All keys, in no order.
    pub(crate) fn keys(&self) -> Vec<Box<[u8]>> {
        let mut keys = Vec::new();
        let mut cursor = Cursor::default();
        loop {
            cursor = self.scan(cursor, 1000, &mut |entry| keys.push(entry.key().into()));
            if cursor == Cursor::default() {
                return keys;
            }
        }
    }

    /// A random entry, each about as likely; `None` if there is none.
    #[must_use]
    pub fn random(&self, rng: &mut Rng) -> Option<Entry<'_>> {
        self.store.random(rng)
    }

    /// A random entry among those with an expiry.
    #[must_use]
    pub fn random_volatile(&self, rng: &mut Rng) -> Option<Entry<'_>> {
        self.store.random_volatile(rng)
    }

    /// See [`Keyspace::expired`](crate::Keyspace::expired).
    pub(crate) fn expired(
        &mut self,
        now: UnixMs,
        budget: usize,
        report: &mut dyn FnMut(Entry<'_>),
    ) -> ExpireProgress {
        let mut progress = ExpireProgress::default();
        let mut buckets = budget.saturating_add(16);
        let mut ttl_ms = 0u128;
        while progress.examined < budget && buckets > 0 && !progress.wrapped {
            buckets -= 1;
            let next = self.store.visit_volatile(self.expire_from, &mut |entry| {
                progress.examined += 1;
                match entry.expiry() {
                    Some(at) if at > now => ttl_ms += at.0.abs_diff(now.0) as u128,
                    _ => {
                        progress.expired += 1;
                        report(entry);
                    }
                }
            });
            progress.wrapped = next.is_none();
            self.expire_from = next.unwrap_or(0);
        }
        self.note_ttl(ttl_ms, (progress.examined - progress.expired) as u128);
        progress
    }

    /// A running average that the latest sample enters with a fiftieth.
    fn note_ttl(&mut self, ttl_ms: u128, entries: u128) {
        if self.expires_len() == 0 {
            self.avg_ttl_ms = 0;
        }
        let Some(sample) = ttl_ms.checked_div(entries) else { return };
        let sample = u64::try_from(sample).unwrap_or(u64::MAX);
        self.avg_ttl_ms = if self.avg_ttl_ms == 0 { sample } else { self.avg_ttl_ms / 50 * 49 + sample / 50 };
    }

    /// Panics unless the invariants of the tables hold. Slow: for tests and `debug` builds.
    pub fn check(&self) {
        self.store.check();
    }
}
