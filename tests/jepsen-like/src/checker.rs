//! What a history shows.
//!
//! A register has one writer, which writes ascending values one after the other. So for a read of `x`:
//! - `x` was sent before the read ended and was not refused, else the value came from nowhere (*impossible*);
//! - no greater value was acknowledged before the read began, else it is *stale*;
//! - no greater value was read before it began, else what had been seen was taken back (*backward*): the
//!   earlier read saw something that was not there to stay.
//!
//! The registers' last values are read when everything has calmed down: a greater acknowledged value is
//! *lost*, and so, worse, is a greater confirmed one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::history::{Operation, What};

/// Counts of what ought not to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Reads that were judged.
    pub(crate) reads: u64,
    /// Acknowledged writes.
    pub(crate) writes: u64,
    /// Reads of a value that was never written, or was refused.
    pub(crate) impossible: u64,
    /// Reads that miss an acknowledged write.
    pub(crate) stale: u64,
    /// Stale reads that found nothing at all: the node had lost its data.
    pub(crate) emptied: u64,
    /// Reads that miss what an earlier read had seen.
    pub(crate) backward: u64,
    /// Registers whose last value is older than an acknowledged one.
    pub(crate) lost: u64,
    /// Registers whose last value is older than a confirmed one.
    pub(crate) lost_confirmed: u64,
}

impl Findings {
    /// Broken promises. Stale and vanished reads are the price of asynchronous replication: they are
    /// promised not to happen only where all faults were planned.
    pub(crate) fn violations(&self, only_planned: bool) -> Vec<String> {
        let mut out = Vec::new();
        let mut broken = |count: u64, what: &str| {
            if count > 0 {
                out.push(format!("{count} {what}"));
            }
        };
        broken(self.impossible, "reads of values that cannot be");
        broken(self.lost_confirmed, "registers lost a confirmed write");
        if only_planned {
            broken(self.stale, "stale reads");
            broken(self.backward, "reads that went backward");
            broken(self.lost, "registers lost an acknowledged write");
        }
        out
    }
}

/// Judges `operations`; `last` are the registers' values in the end.
pub(crate) fn check(operations: &[Operation], last: &BTreeMap<usize, u64>) -> Findings {
    let mut findings = Findings::default();
    let registers: BTreeSet<usize> = operations.iter().map(|o| o.register).collect();
    for register in registers {
        let own: Vec<&Operation> = operations.iter().filter(|o| o.register == register).collect();
        check_register(&own, last.get(&register).copied().unwrap_or(0), &mut findings);
    }
    findings
}

fn check_register(operations: &[&Operation], last: u64, findings: &mut Findings) {
    let mut sent: BTreeMap<u64, (Duration, bool)> = BTreeMap::new();
    let (mut acked, mut seen) = (Vec::new(), Vec::new());
    let (mut top, mut top_confirmed) = (0, 0);
    for o in operations {
        match o.what {
            What::Wrote { value, confirmed } => {
                findings.writes += 1;
                sent.insert(value, (o.begin, false));
                acked.push((o.end, value));
                top = top.max(value);
                top_confirmed = if confirmed { top_confirmed.max(value) } else { top_confirmed };
            }
            What::Refused { value } => drop(sent.insert(value, (o.begin, true))),
            What::Perhaps { value } => drop(sent.insert(value, (o.begin, false))),
            What::Read { value } => seen.push((o.end, value)),
        }
    }
    let (acked, seen) = (Greatest::new(acked), Greatest::new(seen));
    for o in operations {
        let What::Read { value } = o.what else { continue };
        findings.reads += 1;
        let possible =
            value == 0 || sent.get(&value).is_some_and(|(begin, refused)| *begin <= o.end && !refused);
        findings.impossible += u64::from(!possible);
        let stale = acked.before(o.begin) > value;
        findings.stale += u64::from(stale);
        findings.emptied += u64::from(stale && value == 0);
        findings.backward += u64::from(seen.before(o.begin) > value);
    }
    findings.lost += u64::from(last < top);
    findings.lost_confirmed += u64::from(last < top_confirmed);
}

/// The greatest value whose operation had ended by a moment.
struct Greatest(Vec<(Duration, u64)>);

impl Greatest {
    fn new(mut ended: Vec<(Duration, u64)>) -> Greatest {
        ended.sort_unstable();
        let mut greatest = 0;
        for entry in &mut ended {
            greatest = greatest.max(entry.1);
            entry.1 = greatest;
        }
        Greatest(ended)
    }

    fn before(&self, moment: Duration) -> u64 {
        let count = self.0.partition_point(|(end, _)| *end < moment);
        if count == 0 { 0 } else { self.0[count - 1].1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(what: What, begin: u64, end: u64) -> Operation {
        let ms = Duration::from_millis;
        Operation { register: 0, client: 0, what, begin: ms(begin), end: ms(end) }
    }

    fn wrote(value: u64, begin: u64, end: u64) -> Operation {
        op(What::Wrote { value, confirmed: false }, begin, end)
    }

    fn read(value: u64, begin: u64, end: u64) -> Operation {
        op(What::Read { value }, begin, end)
    }

    fn judge(operations: &[Operation], last: u64) -> Findings {
        check(operations, &[(0, last)].into())
    }

    #[test]
    fn a_good_history_is_clean() {
        let h =
            [read(0, 0, 1), wrote(1, 2, 4), read(1, 3, 5), wrote(2, 6, 9), read(1, 7, 8), read(2, 10, 11)];
        assert_eq!(judge(&h, 2), Findings { reads: 4, writes: 2, ..Findings::default() });
    }

    #[test]
    fn a_read_that_misses_an_acknowledged_write_is_stale() {
        assert_eq!(judge(&[wrote(1, 0, 1), wrote(2, 2, 3), read(1, 4, 5)], 2).stale, 1);
        assert_eq!(judge(&[wrote(1, 0, 1), wrote(2, 2, 4), read(1, 4, 5)], 2).stale, 0, "at the same time");
        let f = judge(&[wrote(1, 0, 1), read(0, 2, 3)], 1);
        assert_eq!((f.stale, f.emptied), (1, 1));
    }

    #[test]
    fn a_value_seen_and_gone_went_backward() {
        let h = [wrote(1, 0, 1), op(What::Perhaps { value: 2 }, 2, 9), read(2, 3, 4), read(1, 5, 6)];
        let f = judge(&h, 1);
        assert_eq!((f.backward, f.stale, f.lost), (1, 0, 0));
    }

    #[test]
    fn refused_and_unsent_values_cannot_be_read() {
        assert_eq!(judge(&[op(What::Refused { value: 1 }, 0, 1), read(1, 2, 3)], 0).impossible, 1);
        assert_eq!(judge(&[read(7, 2, 3)], 0).impossible, 1);
        assert_eq!(judge(&[read(1, 2, 3), wrote(1, 4, 5)], 1).impossible, 1, "read before it was sent");
    }

    #[test]
    fn the_last_value_tells_what_was_lost() {
        let confirmed = op(What::Wrote { value: 1, confirmed: true }, 0, 1);
        let f = judge(&[confirmed, wrote(2, 2, 3)], 1);
        assert_eq!((f.lost, f.lost_confirmed), (1, 0));
        assert!(f.violations(false).is_empty() && f.violations(true).len() == 1);
        assert_eq!(judge(&[confirmed], 0).lost_confirmed, 1);
    }
}
