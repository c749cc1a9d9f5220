//! The histories that a log is made of: which replication id, from which position on, in which epoch.
//!
//! A node's log is the concatenation of segments, one per promotion that it has lived through. Redis knows the last
//! two of them (`master_replid`, `master_replid2`); here all are kept, up to [`MAX_SEGMENTS`].
//!
//! Invariants (`docs/invariants.md`):
//! - I-LI1: segments begin in ascending order, and epochs never descend.
//! - R2: a replica may continue if and only if its log is a prefix of ours.
//! - R4: among Tanist nodes only an applied marker adds a segment.

use std::fmt;
use std::str::FromStr;
use tanist_types::{Epoch, LogPos, ReplId};

/// The number of segments remembered. A replica of an older one needs a full sync.
pub const MAX_SEGMENTS: usize = 32;

/// The end of a log: the epoch of its last entry, and its position. Ordered by what it may contain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Key {
    /// The epoch of the last entry.
    pub epoch: Epoch,
    /// The position after it.
    pub pos: LogPos,
}

/// One history within a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Its name, drawn at the promotion that began it.
    pub id: ReplId,
    /// The epoch of that promotion; zero for one by hand before any election.
    pub epoch: Epoch,
    /// The position of its first byte.
    pub start: LogPos,
}

/// The segments of a log, oldest first; never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lineage {
    segments: Vec<Segment>,
}

/// Whether a replica's log is a prefix of ours, and what we know if it is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// It is a prefix: the replica may continue.
    Prefix,
    /// The replica's history is none of ours.
    Unknown,
    /// The replica has entries that we do not have: it went on in a history that we left earlier, or is ahead.
    Diverged,
}

impl Lineage {
    /// A new history that begins at `start`.
    #[must_use]
    pub fn new(id: ReplId, epoch: Epoch, start: LogPos) -> Lineage {
        Lineage { segments: vec![Segment { id, epoch, start }] }
    }

    /// The segments, oldest first.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The history that the last entry belongs to.
    #[must_use]
    pub fn current(&self) -> Segment {
        self.segments[self.segments.len() - 1]
    }

    /// The one before it and where it ended: `master_replid2` and `second_repl_offset`.
    #[must_use]
    pub fn previous(&self) -> Option<(ReplId, LogPos)> {
        let before = self.segments.len().checked_sub(2)?;
        Some((self.segments[before].id, self.current().start))
    }

    /// The key of a log with this lineage that ends at `end`.
    #[must_use]
    pub fn key(&self, end: LogPos) -> Key {
        Key { epoch: self.current().epoch, pos: end }
    }

    /// The log goes on under a new id at `at`, its present end.
    ///
    /// # Panics
    /// When `at` lies before the current segment, or the epoch descends: our own code's mistake.
    pub fn shift(&mut self, id: ReplId, epoch: Epoch, at: LogPos) {
        let current = self.current();
        assert!(at >= current.start && epoch >= current.epoch, "I-LI1: {current:?} then {epoch:?} {at:?}");
        self.segments.push(Segment { id, epoch, start: at });
        if self.segments.len() > MAX_SEGMENTS {
            self.segments.remove(0);
        }
    }

    /// Gives the current segment another name, which nobody has seen under the old one: the backlog begins anew, and
    /// what was written meanwhile was not recorded.
    pub fn rename(&mut self, id: ReplId, at: LogPos) {
        let epoch = self.current().epoch;
        *self = Lineage::new(id, epoch, at);
    }

    /// How the log of somebody who has `id` up to `pos` relates to ours, which ends at `end`.
    #[must_use]
    pub fn relation(&self, id: ReplId, pos: LogPos, end: LogPos) -> Relation {
        let Some(i) = self.segments.iter().position(|s| s.id == id) else { return Relation::Unknown };
        let segment_end = self.segments.get(i + 1).map_or(end, |next| next.start);
        if pos <= segment_end { Relation::Prefix } else { Relation::Diverged }
    }

    /// The lineage that begins with these segments; `None` unless they are in order.
    #[must_use]
    pub fn from_segments(segments: Vec<Segment>) -> Option<Lineage> {
        let ordered = segments.windows(2).all(|w| w[0].start <= w[1].start && w[0].epoch <= w[1].epoch);
        (ordered && (1..=MAX_SEGMENTS).contains(&segments.len())).then_some(Lineage { segments })
    }
}

/// The text form used in the state file and in snapshots: `epoch:id:start` for each segment, separated by commas.
impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Segment { id, epoch, start }) in self.segments.iter().enumerate() {
            write!(f, "{}{epoch}:{id}:{start}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// The text is not a lineage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a lineage")]
pub struct BadLineage;

impl FromStr for Lineage {
    type Err = BadLineage;
    fn from_str(text: &str) -> Result<Lineage, BadLineage> {
        let segment = |part: &str| {
            let mut fields = part.split(':');
            let epoch = Epoch(fields.next()?.parse().ok()?);
            let id = fields.next()?.parse().ok()?;
            let start = LogPos(fields.next()?.parse().ok()?);
            fields.next().is_none().then_some(Segment { id, epoch, start })
        };
        let segments: Option<Vec<_>> = text.split(',').take(MAX_SEGMENTS + 1).map(segment).collect();
        segments.and_then(Lineage::from_segments).ok_or(BadLineage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tanist_types::Rng;

    fn ids<const N: usize>() -> [ReplId; N] {
        let mut rng = Rng::from_seed(1);
        std::array::from_fn(|_| ReplId::random(&mut rng))
    }

    fn three() -> (Lineage, [ReplId; 4]) {
        let ids = ids();
        let mut lineage = Lineage::new(ids[0], Epoch(0), LogPos(0));
        lineage.shift(ids[1], Epoch(3), LogPos(100));
        lineage.shift(ids[2], Epoch(5), LogPos(250));
        (lineage, ids)
    }

    /// R2: a prefix continues, in whichever segment it ends.
    #[test]
    fn a_prefix_continues() {
        let (lineage, ids) = three();
        for (id, pos) in [(0, 0), (0, 100), (1, 100), (1, 250), (2, 250), (2, 300), (2, 120)] {
            assert_eq!(lineage.relation(ids[id], LogPos(pos), LogPos(300)), Relation::Prefix, "{id} {pos}");
        }
    }

    /// R2: who went on in a history that we left, or is ahead of us, or comes from elsewhere, does not.
    #[test]
    fn everything_else_needs_a_full_sync() {
        let (lineage, ids) = three();
        for (id, pos) in [(0, 101), (1, 251), (2, 301)] {
            assert_eq!(lineage.relation(ids[id], LogPos(pos), LogPos(300)), Relation::Diverged, "{id} {pos}");
        }
        assert_eq!(lineage.relation(ids[3], LogPos(10), LogPos(300)), Relation::Unknown);
    }

    #[test]
    fn what_info_shows() {
        let (lineage, ids) = three();
        assert_eq!(lineage.previous(), Some((ids[1], LogPos(250))));
        assert_eq!(lineage.key(LogPos(300)), Key { epoch: Epoch(5), pos: LogPos(300) });
        assert_eq!(Lineage::new(ids[0], Epoch(0), LogPos(5)).previous(), None);
    }

    #[test]
    fn a_longer_log_of_an_older_epoch_is_the_lesser_one() {
        let old = Key { epoch: Epoch(1), pos: LogPos(900) };
        assert!(old < Key { epoch: Epoch(2), pos: LogPos(1) });
    }

    #[test]
    fn text_and_back() {
        let (lineage, _) = three();
        assert_eq!(lineage.to_string().parse(), Ok(lineage.clone()));
        let text = lineage.to_string();
        for bad in ["", "1:2:3", &text[1..], &format!("{text},"), &format!("9{text}"), &format!("{text}:1")] {
            assert_eq!(bad.parse::<Lineage>(), Err(BadLineage), "{bad}");
        }
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut rng = Rng::from_seed(2);
        let first = ReplId::random(&mut rng);
        let mut lineage = Lineage::new(first, Epoch(0), LogPos(0));
        for i in 0..100 {
            lineage.shift(ReplId::random(&mut rng), Epoch(i), LogPos(i * 10));
        }
        assert_eq!(lineage.segments().len(), MAX_SEGMENTS);
        assert_eq!(lineage.relation(first, LogPos(0), LogPos(5000)), Relation::Unknown);
        assert!(lineage.to_string().parse::<Lineage>().is_ok());
    }
}
