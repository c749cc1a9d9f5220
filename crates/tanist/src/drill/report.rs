//! A drill's report: for people, and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::faults::Fault;
use super::timeline::Timeline;
use super::verify::{Content, Tally};

/// What one run showed.
#[derive(Clone, Debug)]
pub struct Run {
    /// The old primary and the new one.
    pub from: String,
    /// The new one.
    pub to: String,
    /// Times after the fault.
    pub times: Timeline,
    /// Fates of the writes.
    pub tally: Tally,
    /// What every node held in the end; `None` on a cluster that is not the drill's own.
    pub content: Option<Content>,
    /// Different error texts the writers got.
    pub errors: Vec<String>,
    /// What went wrong beside lost writes: the cluster did not come together again, ...
    pub troubles: Vec<String>,
}

/// All runs of one drill.
#[derive(Clone, Debug)]
pub struct Report {
    /// The fault.
    pub fault: Fault,
    /// What ran, e.g. `tanist 0.1.0`.
    pub version: String,
    /// One line on the setting.
    pub setting: String,
    /// In order.
    pub runs: Vec<Run>,
}

type Pick = fn(&Timeline) -> Option<f64>;

/// The report's rows: name in JSON, name for people, value.
const ROWS: [(&str, &str, Pick); 10] = [
    ("sdown_ms", "first +sdown", |t| t.sdown),
    ("odown_ms", "first +odown", |t| t.odown),
    ("elected_ms", "leader elected", |t| t.elected),
    ("promoted_ms", "+promoted-slave", |t| t.promoted),
    ("role_ms", "new primary says so", |t| t.role),
    ("switch_first_ms", "first +switch-master", |t| t.switched),
    ("switch_all_ms", "+switch-master on every sentinel", |t| t.switched_all),
    ("first_ack_ms", "first write acknowledged by it", |t| t.first_ack),
    ("rejoined_ms", "old primary in sync as a replica", |t| t.rejoined),
    ("gap_ms", "longest gap in acknowledged writes", |t| Some(t.gap)),
];

impl Run {
    /// Broken promises, in words; none for a good run.
    pub fn violations(&self, fault: Fault) -> Vec<String> {
        let t = &self.tally;
        let mut out = self.troubles.clone();
        let mut broken = |count: u64, what: &str| {
            if count > 0 {
                out.push(format!("{count} {what}"));
            }
        };
        if fault.promises_all() {
            broken(t.lost, "acknowledged writes lost");
        } else {
            broken(t.lost_confirmed, "writes lost that a replica had confirmed");
        }
        broken(t.refused_present, "writes there that had been refused");
        broken(t.wrong, "keys with a wrong value");
        out
    }

    fn json(&self, fault: Fault) -> Value {
        let times: serde_json::Map<String, Value> =
            ROWS.iter().map(|(name, _, pick)| ((*name).to_owned(), json!(pick(&self.times)))).collect();
        let t = &self.tally;
        json!({
            "old_primary": self.from, "new_primary": self.to, "times": times,
            "writes": {
                "acknowledged": t.acked, "confirmed": t.confirmed, "lost": t.lost,
                "lost_confirmed": t.lost_confirmed, "refused": t.refused,
                "refused_present": t.refused_present, "unknown": t.unknown,
                "unknown_present": t.unknown_present, "wrong": t.wrong,
            },
            "content": self.content.as_ref().map(|c| json!({"keys": c.keys, "digest": c.digest})),
            "errors": self.errors, "violations": self.violations(fault),
        })
    }
}

impl Report {
    /// Whether every promise was kept in every run.
    pub fn kept(&self) -> bool {
        self.runs.iter().all(|r| r.violations(self.fault).is_empty())
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let medians: serde_json::Map<String, Value> = ROWS
            .iter()
            .map(|(name, _, pick)| ((*name).to_owned(), json!(median(self.values(*pick)))))
            .collect();
        json!({
            "drill": self.fault.name(), "version": self.version, "setting": self.setting,
            "kept": self.kept(), "median": medians,
            "runs": self.runs.iter().map(|r| r.json(self.fault)).collect::<Vec<_>>(),
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!("drill {}: {}, {}\n", self.fault.name(), self.version, self.setting);
        self.write_times(&mut out);
        for (i, run) in self.runs.iter().enumerate() {
            self.write_run(&mut out, i, run);
        }
        let verdict = if self.kept() { "every promise kept" } else { "PROMISE BROKEN" };
        let _ = writeln!(out, "{verdict}");
        out
    }

    fn write_times(&self, out: &mut String) {
        let many = self.runs.len() > 1;
        let (head, unit) = if many { ("median        min        max", "ms") } else { ("ms", "") };
        let _ = writeln!(out, "\n  {:<36}{head:>12} {unit}", "after the fault");
        for (_, label, pick) in ROWS {
            let values = self.values(pick);
            let Some(middle) = median(values.clone()) else {
                let _ = writeln!(out, "  {label:<36}{:>12}", "-");
                continue;
            };
            let _ = write!(out, "  {label:<36}{middle:>12.1}");
            if many {
                let _ = write!(out, "{:>11.1}{:>11.1}", min(&values), max(&values));
            }
            if values.len() < self.runs.len() {
                let _ = write!(out, "   in {} of {} runs", values.len(), self.runs.len());
            }
            out.push('\n');
        }
        out.push('\n');
    }

    fn write_run(&self, out: &mut String, i: usize, run: &Run) {
        let t = &run.tally;
        if self.runs.len() > 1 {
            let _ = write!(out, "run {}: ", i + 1);
        }
        let _ = writeln!(out, "{} -> {}", run.from, run.to);
        let _ = writeln!(
            out,
            "  acknowledged {} ({} of them confirmed by a replica), lost {} ({} confirmed)",
            t.acked, t.confirmed, t.lost, t.lost_confirmed
        );
        let _ = writeln!(
            out,
            "  refused {} ({} there all the same), unknown {} ({} there)",
            t.refused, t.refused_present, t.unknown, t.unknown_present
        );
        match &run.content {
            Some(Content { keys, digest: Some(d) }) => {
                let _ = writeln!(out, "  all nodes hold the same {keys} keys, digest {d}");
            }
            Some(Content { keys, digest: None }) => {
                let _ = writeln!(out, "  all nodes hold {keys} keys");
            }
            None => {}
        }
        if !run.errors.is_empty() {
            let _ = writeln!(out, "  errors seen by writers: {}", run.errors.join("; "));
        }
        for violation in run.violations(self.fault) {
            let _ = writeln!(out, "  BROKEN: {violation}");
        }
    }

    fn values(&self, pick: Pick) -> Vec<f64> {
        self.runs.iter().filter_map(|r| pick(&r.times)).collect()
    }
}

/// The middle value; the mean of the two middle ones for an even number.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => None,
        _ if n % 2 == 1 => Some(values[n / 2]),
        _ => Some((values[n / 2 - 1] + values[n / 2]) / 2.0),
    }
}

fn min(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn max(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tally: Tally) -> Run {
        Run {
            from: "node-1".into(),
            to: "node-2".into(),
            times: Timeline { gap: 3.0, sdown: Some(1.0), ..Timeline::default() },
            tally,
            content: None,
            errors: Vec::new(),
            troubles: Vec::new(),
        }
    }

    fn report(fault: Fault, tally: Tally) -> Report {
        Report { fault, version: "v".into(), setting: "s".into(), runs: vec![run(tally)] }
    }

    #[test]
    fn what_was_promised_depends_on_the_fault() {
        let lost = Tally { acked: 10, confirmed: 2, lost: 1, ..Tally::default() };
        assert!(report(Fault::Crash, lost.clone()).kept(), "asynchronous: not promised");
        assert!(!report(Fault::Planned, lost).kept(), "a planned switch loses nothing");
        let confirmed = Tally { acked: 10, confirmed: 2, lost: 1, lost_confirmed: 1, ..Tally::default() };
        assert!(!report(Fault::Reboot, confirmed).kept());
        assert!(!report(Fault::Hang, Tally { refused: 1, refused_present: 1, ..Tally::default() }).kept());
        assert!(!report(Fault::Hang, Tally { wrong: 1, ..Tally::default() }).kept());
    }

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
    }

    #[test]
    fn says_the_same_to_people_and_programs() {
        let report = report(Fault::Crash, Tally { acked: 7, lost_confirmed: 1, lost: 1, ..Tally::default() });
        assert!(report.text().contains("PROMISE BROKEN"));
        assert!(report.text().contains("acknowledged 7"));
        let json = report.json();
        assert_eq!(json["kept"], false);
        assert_eq!(json["median"]["sdown_ms"], 1.0);
        assert!(json["median"]["odown_ms"].is_null());
        assert_eq!(json["runs"][0]["writes"]["acknowledged"], 7);
    }
}
