//! What data nodes and sentinels say of themselves, compared with what was seen of them: acknowledgements, votes, claims.

use super::Seen;
use crate::net::HostId;
use std::collections::{BTreeMap, BTreeSet};
use tanist_replication::Key;
use tanist_types::{Epoch, LogPos, ReplId, RunId};

/// Remembers what was said.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The furthest that each data node has said it has the log, as a replica or, by its own count, as a primary.
    had: BTreeMap<HostId, Key>,
    /// Histories of which a replica has acknowledged something: their primaries count themselves, too.
    shared: BTreeSet<ReplId>,
    /// The epoch of each history, and where its marker begins.
    begun: BTreeMap<ReplId, (Epoch, LogPos)>,
    /// The epoch that each data node has led, and in which run, if it has followed nobody since.
    led: BTreeMap<HostId, (RunId, Epoch)>,
    /// The epoch of the last vote that is on each sentinel's disk.
    kept: BTreeMap<HostId, u64>,
    /// Nobody has waived anything: what was acknowledged is not given up.
    pub(super) waived: bool,
}

impl Claims {
    /// A data node acknowledges the log up to a position.
    pub(super) fn acknowledges(&mut self, id: HostId, s: &Seen, to: LogPos) -> Result<(), String> {
        if to > s.end.pos {
            return Err(format!("W15: {id} acknowledges {to} and has {s:?}"));
        }
        self.shared.insert(s.history);
        let has = Key { pos: to, ..s.end };
        let had = self.had.entry(id).or_insert(has);
        *had = has.max(*had);
        Ok(())
    }

    /// A data node shows what it is, and what it was before.
    pub(super) fn see(&mut self, id: HostId, s: &Seen, before: Option<&Seen>) -> Result<(), String> {
        if s.leads {
            self.led.insert(id, (s.run, s.accepted));
            // Who waits for its promotion has a log that does not grow.
            if let Some(before) = before.filter(|b| b.run == s.run && b.history != s.history && !b.leads) {
                self.begun.entry(s.history).or_insert((s.accepted, before.end.pos));
            }
            if self.shared.contains(&s.history) {
                let had = self.had.entry(id).or_insert(s.end);
                *had = s.end.max(*had);
            }
        } else if s.follows {
            self.led.remove(&id);
        }
        self.votes_with_all_it_had(id, s)?;
        self.is_in_a_history_by_its_marker(id, s)?;
        match s.claims {
            Some(epoch) if self.led.get(&id) != Some(&(s.run, epoch)) => {
                Err(format!("W17: {id} claims to have been the primary of epoch {epoch} all along"))
            }
            _ => Ok(()),
        }
    }

    fn votes_with_all_it_had(&self, id: HostId, s: &Seen) -> Result<(), String> {
        match self.had.get(&id) {
            Some(had) if s.votes && s.end < *had && !self.waived => {
                Err(format!("W15: {id} votes with a log to {:?} and has acknowledged {had:?}", s.end))
            }
            _ => Ok(()),
        }
    }

    fn is_in_a_history_by_its_marker(&self, id: HostId, s: &Seen) -> Result<(), String> {
        match self.begun.get(&s.history) {
            Some((epoch, marker)) if s.end.epoch != *epoch || s.end.pos <= *marker => Err(format!(
                "W16: {id} is at {:?} of history {}, whose marker of epoch {epoch} is at {marker}",
                s.end, s.history
            )),
            _ => Ok(()),
        }
    }

    /// A data node has lost its disk.
    pub(super) fn wiped(&mut self, id: HostId) {
        self.had.remove(&id);
    }

    /// A vote of this epoch is on the sentinel's disk.
    pub(super) fn keeps_vote(&mut self, id: HostId, epoch: u64) {
        let kept = self.kept.entry(id).or_default();
        *kept = epoch.max(*kept);
    }

    /// A sentinel tells of its vote.
    pub(super) fn tells_vote(&mut self, id: HostId, epoch: u64) -> Result<(), String> {
        let kept = self.kept.get(&id).copied().unwrap_or_default();
        if kept >= epoch {
            return Ok(());
        }
        Err(format!("W4: {id} tells of a vote in epoch {epoch}, and its disk knows of none after {kept}"))
    }
}
