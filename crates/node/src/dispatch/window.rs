//! Looking up a window of commands before the first of them runs: the buckets, then the entries, of their first keys are
//! prefetched, then what of large collections they will look for and where that is in the order of sorted sets, so that
//! the cache misses of a pipeline overlap instead of following each other.

use crate::command::Places;
use crate::commands::sorted_set::parse_double;
use crate::node::Node;
use crate::session::Session;
use crate::table::CommandIndex;
use tanist_keyspace::collections::{Ahead, Sought};
use tanist_keyspace::{Db, KeyHash};
use tanist_resp::{Args, Batch};

/// How many commands are prepared together: enough misses in flight to hide the memory's latency.
pub(crate) const WINDOW: usize = 16;

/// A command of the window, looked up.
#[derive(Clone, Copy, Default)]
pub(crate) struct Prepared {
    pub(super) index: Option<CommandIndex>,
    pub(super) hash: Option<KeyHash>,
}

impl Prepared {
    /// Whether there is such a command.
    pub(crate) fn is_known(self) -> bool {
        self.index.is_some()
    }
}

impl Node {
    /// Looks up a window of commands and starts to fetch what they will touch.
    pub(crate) fn prepare(
        &self,
        window: &mut [Prepared],
        session: &Session,
        batch: &Batch,
        buf: &[u8],
        from: usize,
    ) {
        let db = self.data.db(session.db);
        let mut elements = false;
        let mut index = None;
        for (i, slot) in window.iter_mut().enumerate() {
            let args = batch.args(from + i, buf);
            index = self.table.find_behind(index, args.at(0));
            let first_key = index.map_or(0, |i| self.table.first_key(i));
            let key = if first_key > 0 { args.get(first_key) } else { None };
            let hash = key.map(|key| self.data.hash(key));
            elements |= index.is_some_and(|i| self.table.element(i) != 0);
            *slot = Prepared { index, hash };
        }
        // A loop of its own for each step of the way: what lies so close together is under way all at once, the walks to
        // pages that the processor does not remember included.
        for hash in window.iter().filter_map(|p| p.hash) {
            db.prefetch(hash);
        }
        if window.len() > 1 {
            for hash in window.iter().filter_map(|p| p.hash) {
                db.prefetch_entry(hash);
            }
            if elements {
                self.prepare_elements(window, db, batch, buf, from);
            }
        }
    }

    /// Starts to fetch the elements of large collections that a window of commands will look for.
    fn prepare_elements(&self, window: &[Prepared], db: &Db, batch: &Batch, buf: &[u8], from: usize) {
        let mut places = [None; WINDOW];
        // Neighbours often name the same key; another one of the same hash would only be fetched in vain.
        let mut last: Option<(KeyHash, Option<Ahead<'_>>)> = None;
        for (i, (prepared, place)) in window.iter().zip(&mut places).enumerate() {
            let Some((index, hash)) = prepared.index.zip(prepared.hash) else { continue };
            let args = batch.args(from + i, buf);
            let at = match self.table.element(index) {
                0 => continue,
                at if at < 0 => args.len().wrapping_sub(usize::from(at.unsigned_abs())),
                at => usize::from(at.unsigned_abs()),
            };
            if at >= args.len() {
                continue;
            }
            let ahead = match last {
                Some((known, ahead)) if known == hash => ahead,
                _ => db
                    .find(args.at(self.table.first_key(index)), hash)
                    .and_then(|entry| entry.value().ahead()),
            };
            last = Some((hash, ahead));
            *place = ahead.map(|ahead| (ahead, ahead.bucket(args.at(at))));
        }
        for (ahead, element) in places.iter().flatten() {
            ahead.element(*element);
        }
        if window.iter().filter_map(|p| p.index).any(|i| self.table.places(i) != Places::None) {
            self.prepare_places(window, &places, batch, buf, from);
        }
    }

    /// Starts to fetch where the elements of sorted sets are in their order, and where they will be.
    fn prepare_places(
        &self,
        window: &[Prepared],
        elements: &[Option<(Ahead<'_>, KeyHash)>],
        batch: &Batch,
        buf: &[u8],
        from: usize,
    ) {
        let (mut sought, mut len) = ([Sought::default(); 2 * WINDOW], 0);
        let mut last: Option<Ahead<'_>> = None;
        for (i, (prepared, element)) in window.iter().zip(elements).enumerate() {
            let (Some(index), Some((ahead, hash))) = (prepared.index, *element) else { continue };
            let places = self.table.places(index);
            if places == Places::None {
                continue;
            }
            if let Some(last) = last.filter(|last| !last.is_in_order_of(ahead)) {
                last.places(&sought[..len]);
                len = 0;
            }
            last = Some(ahead);
            let new = || {
                let args = batch.args(from + i, buf);
                args.len().checked_sub(2).and_then(|at| parse_double(args.at(at)))
            };
            let new = if places == Places::OwnAndNew { new() } else { None };
            for (score, is_new) in [(ahead.score(hash), false), (new, true)] {
                if let Some(score) = score {
                    sought[len] = Sought { score, is_new };
                    len += 1;
                }
            }
        }
        if let Some(last) = last {
            last.places(&sought[..len]);
        }
    }

    /// Looks up one command.
    pub(crate) fn prepare_one(&self, args: Args<'_, '_>) -> Prepared {
        Prepared { index: self.table.find(args.at(0)), hash: None }
    }
}
