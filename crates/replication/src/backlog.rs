//! The log that all replicas read from: entries are appended once, every replica link is a cursor into it.
//!
//! The backlog exists from the first replica on until `repl-backlog-ttl` after the last one left; without it nothing is
//! recorded and the log's end stands still, as in Redis, so a backlog that begins anew needs a new replication id.
//!
//! Invariants (`docs/invariants.md`):
//! - I-BL1: a byte keeps its position for as long as it is held.
//! - I-BL2: at least `size` bytes are held (if that many were appended), and more only for a reader's cursor, up to
//!   `reserve` bytes.

use crate::blocks::{BLOCK, Blocks};
use std::time::Duration;
use tanist_types::{ByteLen, LogPos, Mono};

/// How much is kept, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BacklogConfig {
    /// `repl-backlog-size`: what is kept for replicas that may come back.
    pub size: ByteLen,
    /// What is kept at most for replicas that are connected and have not read it yet.
    pub reserve: ByteLen,
    /// `repl-backlog-ttl`: how long the backlog outlives its last replica; zero for ever.
    pub ttl: Duration,
}

impl Default for BacklogConfig {
    fn default() -> Self {
        let reserve = ByteLen(256 << 20);
        BacklogConfig { size: ByteLen(1 << 20), reserve, ttl: Duration::from_secs(3600) }
    }
}

/// The shared log.
#[derive(Debug)]
pub struct Backlog {
    config: BacklogConfig,
    /// `None` while nobody needs the log.
    blocks: Option<Blocks>,
    /// The log's end while there are no blocks.
    parked: LogPos,
    /// Since when there has been no replica.
    unused_since: Option<Mono>,
    /// The end at which the front is looked at next: trimming costs nothing between.
    trim_at: LogPos,
}

impl Backlog {
    /// No backlog yet; the log's end is `end`.
    #[must_use]
    pub fn new(config: BacklogConfig, end: LogPos) -> Backlog {
        Backlog { config, blocks: None, parked: end, unused_since: None, trim_at: LogPos::ZERO }
    }

    /// Changes the sizes; they take effect with the next bytes.
    pub fn configure(&mut self, config: BacklogConfig) {
        self.config = config;
        self.trim_at = LogPos::ZERO;
    }

    /// The sizes in force.
    #[must_use]
    pub fn config(&self) -> BacklogConfig {
        self.config
    }

    /// Whether entries are recorded.
    #[inline]
    #[must_use]
    pub fn active(&self) -> bool {
        self.blocks.is_some()
    }

    /// The position after the last entry.
    #[inline]
    #[must_use]
    pub fn end(&self) -> LogPos {
        self.blocks.as_ref().map_or(self.parked, Blocks::end)
    }

    /// The first position that can be read; `None` without a backlog.
    #[must_use]
    pub fn first(&self) -> Option<LogPos> {
        self.blocks.as_ref().map(Blocks::first)
    }

    /// How many bytes are held.
    #[must_use]
    pub fn histlen(&self) -> ByteLen {
        ByteLen(self.blocks.as_ref().map_or(0, Blocks::len))
    }

    /// Starts recording at the present end, if that is not so already; says whether it has begun now.
    pub fn activate(&mut self) -> bool {
        self.unused_since = None;
        if self.blocks.is_some() {
            return false;
        }
        self.blocks = Some(Blocks::new(self.parked));
        self.trim_at = LogPos::ZERO;
        true
    }

    /// Forgets everything and goes on at `end`, recording if it was: another history has taken this one's place.
    pub fn reset(&mut self, end: LogPos) {
        let active = self.active();
        self.free();
        self.parked = end;
        if active {
            self.activate();
        }
    }

    /// Stops recording; the end stays where it is.
    pub fn free(&mut self) {
        self.parked = self.end();
        self.blocks = None;
        self.unused_since = None;
    }

    /// Appends (part of) an entry. Without a backlog nothing happens, as nobody reads.
    #[inline]
    pub fn append(&mut self, bytes: &[u8]) {
        if let Some(blocks) = &mut self.blocks {
            blocks.append(bytes);
        }
    }

    /// Whether it is time to call [`trim`](Backlog::trim).
    #[inline]
    #[must_use]
    pub fn wants_trim(&self) -> bool {
        self.blocks.as_ref().is_some_and(|b| b.end() >= self.trim_at)
    }

    /// Drops what is over the size, except what the slowest connected replica (`slowest` is its cursor) has yet to
    /// read, up to the reserve.
    pub fn trim(&mut self, slowest: Option<LogPos>) {
        let Some(blocks) = &mut self.blocks else { return };
        let end = blocks.end().0;
        let by_size = end.saturating_sub(self.config.size.0);
        let by_reserve = end.saturating_sub(self.config.reserve.0);
        let keep = slowest.map_or(by_size, |pos| by_size.min(pos.0)).max(by_reserve.min(by_size));
        blocks.drop_before(LogPos(keep));
        self.trim_at = LogPos(end + BLOCK as u64);
    }

    /// The bytes at `pos` as far as they lie together: empty at the end, `None` if they are not held.
    #[must_use]
    pub fn slice_at(&self, pos: LogPos) -> Option<&[u8]> {
        self.blocks.as_ref()?.slice_at(pos)
    }

    /// Appends up to `max` bytes from `pos` on to `out`; returns the position after them, `None` if `pos` is not held.
    pub fn read(&self, pos: LogPos, max: usize, out: &mut Vec<u8>) -> Option<LogPos> {
        self.blocks.as_ref()?.read(pos, max, out)
    }

    /// Whether everything from `pos` to the end is held.
    #[must_use]
    pub fn holds(&self, pos: LogPos) -> bool {
        self.blocks.as_ref().is_some_and(|b| (b.first()..=b.end()).contains(&pos))
    }

    /// Notes whether there are replicas now; from the moment the last one leaves the backlog's time runs.
    pub fn note_replicas(&mut self, any: bool, now: Mono) {
        match (any, self.unused_since) {
            (true, _) => self.unused_since = None,
            (false, None) if self.active() => self.unused_since = Some(now),
            (false, _) => {}
        }
    }

    /// When the backlog's time is up, if nothing changes.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        let since = self.unused_since?;
        (!self.config.ttl.is_zero()).then(|| since + self.config.ttl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog(size: u64, reserve: u64) -> Backlog {
        let config =
            BacklogConfig { size: ByteLen(size), reserve: ByteLen(reserve), ttl: Duration::from_secs(10) };
        Backlog::new(config, LogPos(100))
    }

    #[test]
    fn without_replicas_the_log_stands_still() {
        let mut log = backlog(1 << 20, 1 << 20);
        log.append(b"lost");
        assert_eq!((log.end(), log.first(), log.holds(LogPos(100))), (LogPos(100), None, false));
        assert!(log.activate());
        assert!(!log.activate());
        log.append(b"kept");
        assert_eq!((log.end(), log.first()), (LogPos(104), Some(LogPos(100))));
        assert_eq!(log.slice_at(LogPos(101)), Some(&b"ept"[..]));
        log.free();
        assert_eq!((log.end(), log.first()), (LogPos(104), None));
    }

    /// I-BL2: `size` bytes are always there.
    #[test]
    fn the_size_is_kept_and_little_more() {
        let mut log = backlog(3 * BLOCK as u64, 1 << 30);
        log.activate();
        for _ in 0..100 {
            log.append(&[7; BLOCK / 3]);
            if log.wants_trim() {
                log.trim(Some(log.end()));
            }
            let held = log.histlen().0;
            assert!(held >= (3 * BLOCK as u64).min(log.end().0 - 100));
            assert!(held <= 5 * BLOCK as u64 + 100, "{held}");
        }
    }

    /// I-BL2: a slow reader keeps its bytes up to the reserve, not beyond.
    #[test]
    fn a_reader_keeps_what_it_needs_up_to_the_reserve() {
        let mut log = backlog(BLOCK as u64, 10 * BLOCK as u64);
        log.activate();
        for _ in 0..8 {
            log.append(&[1; BLOCK]);
            log.trim(Some(LogPos(150)));
        }
        assert!(log.holds(LogPos(150)));
        for _ in 0..8 {
            log.append(&[1; BLOCK]);
            log.trim(Some(LogPos(150)));
        }
        assert!(!log.holds(LogPos(150)));
        assert!(log.histlen().0 <= 11 * BLOCK as u64);
    }

    #[test]
    fn time_runs_from_the_last_replica_on() {
        let mut log = backlog(1, 1);
        log.activate();
        log.note_replicas(false, Mono::from_millis(1000));
        log.note_replicas(false, Mono::from_millis(5000));
        assert_eq!(log.deadline(), Some(Mono::from_millis(11_000)));
        log.note_replicas(true, Mono::from_millis(6000));
        assert_eq!(log.deadline(), None);
    }
}
