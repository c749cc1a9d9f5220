//! What clients may expect: one register per key, written by one client, with three outcomes for each operation.
//!
//! A register's writes are numbered. A write was *done* (the server said so), *refused* (it said that it did nothing)
//! or is *unknown* (no answer came). A read must return a number that was written and not refused. It must not return
//! one older than the last write that was done, unless something happened that justifies the loss: replication is
//! asynchronous, so only an unplanned failover does. A write confirmed by `WAIT` of enough replicas is not lost at all
//! where the sentinels pick by majority.

use std::collections::{BTreeMap, BTreeSet};
use tanist_types::Mono;

/// How an operation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Done,
    Refused,
    Unknown,
}

/// The numbers of one register.
#[derive(Debug, Default)]
struct Register {
    /// The last number used.
    last: u64,
    /// Numbers of writes that were refused.
    refused: BTreeSet<u64>,
    /// The last write that was done.
    done: u64,
    /// The last write that enough replicas confirmed.
    confirmed: u64,
}

/// Counts for the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Writes that were done.
    pub done: u64,
    /// Writes that were refused.
    pub refused: u64,
    /// Writes whose outcome is not known.
    pub unknown: u64,
    /// Writes confirmed by replicas.
    pub confirmed: u64,
    /// Writes that were done and lost, with a justification.
    pub lost: u64,
    /// Reads that were checked.
    pub reads: u64,
}

impl Tally {
    /// Adds another run's counts.
    pub(crate) fn add(&mut self, more: &Tally) {
        self.done += more.done;
        self.refused += more.refused;
        self.unknown += more.unknown;
        self.confirmed += more.confirmed;
        self.lost += more.lost;
        self.reads += more.reads;
    }
}

/// Knows all registers.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    registers: BTreeMap<String, Register>,
    pub(crate) tally: Tally,
    /// When something last happened, or may still be going on, that justifies a loss.
    disrupted: Option<Mono>,
    /// Confirmed writes must not be lost.
    confirmed_are_safe: bool,
    /// The first promise that was broken.
    pub(crate) broken: Option<String>,
}

impl Oracle {
    pub(crate) fn new(confirmed_are_safe: bool) -> Oracle {
        Oracle { confirmed_are_safe, ..Oracle::default() }
    }

    /// From now on losses are justified, as far as asynchronous replication loses.
    pub(crate) fn disrupt(&mut self, now: Mono) {
        self.disrupted = Some(now);
    }

    /// The operator has chosen to lose what is lost.
    pub(crate) fn give_up_confirmed(&mut self) {
        self.confirmed_are_safe = false;
    }

    /// The number for the next write to `key`.
    pub(crate) fn next(&mut self, key: &str) -> u64 {
        let r = self.registers.entry(key.to_owned()).or_default();
        r.last += 1;
        r.last
    }

    /// A write has ended.
    pub(crate) fn wrote(&mut self, key: &str, number: u64, outcome: Outcome) {
        let r = self.registers.entry(key.to_owned()).or_default();
        match outcome {
            Outcome::Done => {
                self.tally.done += 1;
                r.done = r.done.max(number);
            }
            Outcome::Refused => {
                self.tally.refused += 1;
                r.refused.insert(number);
            }
            Outcome::Unknown => self.tally.unknown += 1,
        }
    }

    /// Enough replicas have confirmed a write.
    pub(crate) fn confirm(&mut self, key: &str, number: u64) {
        let r = self.registers.entry(key.to_owned()).or_default();
        self.tally.confirmed += 1;
        r.confirmed = r.confirmed.max(number);
    }

    /// A read by the register's owner, on the node that it takes for the primary, has returned `number` (zero: no
    /// such key).
    ///
    /// In times of trouble that node may be one that was overtaken and does not know yet, so nothing is said about
    /// what is older than expected; [`Oracle::settle`] says it in the end.
    pub(crate) fn read(&mut self, key: &str, number: u64, whence: &str) {
        self.tally.reads += 1;
        let strict = self.disrupted.is_none();
        self.compare(key, number, whence, strict);
    }

    /// What the group holds in the end.
    pub(crate) fn settle(&mut self, key: &str, number: u64, whence: &str) {
        self.compare(key, number, whence, true);
    }

    fn compare(&mut self, key: &str, number: u64, whence: &str, strict: bool) {
        let Some(r) = self.registers.get_mut(key) else { return };
        let (name, problem) = if number > r.last {
            ("W7", "which was never written")
        } else if r.refused.contains(&number) {
            ("W7", "whose write was refused")
        } else if !strict {
            return;
        } else if number < r.confirmed && self.confirmed_are_safe {
            ("W9", "older than a write that enough replicas had confirmed")
        } else if number < r.done && self.disrupted.is_none() {
            ("W8", "older than the last acknowledged write, and nothing has happened that justifies a loss")
        } else {
            self.tally.lost += r.done.saturating_sub(number);
            return;
        };
        let state = format!("last {} done {} confirmed {}", r.last, r.done, r.confirmed);
        self.fail(format!("{name}: {key} on {whence} has {number}, {problem} ({state})"));
    }

    /// The registers of which something was confirmed that must not be lost.
    pub(crate) fn confirmed(&self) -> impl Iterator<Item = &str> {
        let kept = self.registers.iter().filter(|(_, r)| self.confirmed_are_safe && r.confirmed > 0);
        kept.map(|(key, _)| key.as_str())
    }

    /// What the primary of the latest epoch holds of a register of which something was confirmed.
    pub(crate) fn hold(&mut self, key: &str, number: u64, whence: &str) {
        let confirmed = self.registers.get(key).map_or(0, |r| r.confirmed);
        if number < confirmed {
            let problem = "older than a write that enough replicas had confirmed";
            self.fail(format!("W9: {key} on {whence} has {number}, {problem} ({confirmed})"));
        }
    }

    /// Two registers that are only ever written together were read together.
    pub(crate) fn read_pair(&mut self, key: &str, a: u64, b: u64, whence: &str) {
        if a != b {
            self.fail(format!("W7: half a transaction on {whence}: {key} has {a} and {b}"));
        }
    }

    pub(crate) fn fail(&mut self, problem: String) {
        self.broken.get_or_insert(problem);
    }

    /// All registers' keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.registers.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oracle() -> Oracle {
        let mut o = Oracle::new(true);
        for outcome in [Outcome::Done, Outcome::Refused, Outcome::Done, Outcome::Unknown] {
            let n = o.next("k");
            o.wrote("k", n, outcome);
        }
        o
    }

    fn read(mut o: Oracle, number: u64) -> Option<String> {
        o.read("k", number, "n0");
        o.broken
    }

    fn settle(mut o: Oracle, number: u64) -> Option<String> {
        o.settle("k", number, "n0");
        o.broken
    }

    #[test]
    fn the_last_done_or_an_unknown_one_may_be_read() {
        assert_eq!(read(oracle(), 3), None);
        assert_eq!(read(oracle(), 4), None);
    }

    #[test]
    fn inventions_refused_and_lost_writes_are_found() {
        for (number, words) in [(5, "never written"), (2, "refused"), (1, "justifies"), (0, "justifies")] {
            let broken = read(oracle(), number).unwrap();
            assert!(broken.contains(words), "{broken}");
        }
    }

    #[test]
    fn an_unplanned_failover_justifies_a_loss_but_not_of_what_was_confirmed() {
        let mut o = oracle();
        o.disrupt(Mono::ZERO);
        assert_eq!(settle(o, 1), None);
        let mut o = oracle();
        o.disrupt(Mono::ZERO);
        o.confirm("k", 3);
        assert!(settle(o, 1).unwrap().contains("confirmed"));
    }

    #[test]
    fn the_latest_primary_holds_what_was_confirmed() {
        let mut o = oracle();
        o.confirm("k", 3);
        assert_eq!(o.confirmed().collect::<Vec<_>>(), ["k"]);
        o.hold("k", 4, "n0");
        assert_eq!(o.broken, None);
        o.hold("k", 1, "n0");
        assert!(o.broken.unwrap().starts_with("W9"));
        let mut o = oracle();
        o.confirm("k", 3);
        o.give_up_confirmed();
        assert_eq!(o.confirmed().count(), 0);
    }

    #[test]
    fn what_was_refused_stays_refused_after_a_loss() {
        let mut o = oracle();
        o.disrupt(Mono::ZERO);
        assert!(read(o, 2).unwrap().contains("refused"));
    }
}
