//! Results, row by row, and the table made of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::{Sample, machine};
use crate::shell::root;

/// What there is to reach in a row.
#[derive(Clone, Copy, Debug)]
enum Goal {
    /// Not more than this.
    AtMost(f64),
    /// Not more than this share of the better peer.
    OfPeer(f64),
    /// Nothing: for information.
    None,
}

/// Rows in the order of the table: name, description with unit, goal.
const ROWS: [(&str, &str, Goal); 72] = [
    ("gap-crash", "longest gap in writes, kill -9 of the primary, down-after 1 s (ms)", Goal::AtMost(150.0)),
    ("gap-hang", "the same, SIGSTOP (ms)", Goal::AtMost(1150.0)),
    ("planned-gap", "planned switchover, gap (ms)", Goal::AtMost(50.0)),
    ("planned-lost", "planned switchover, acknowledged writes lost", Goal::AtMost(0.0)),
    ("planned-coordinated-gap", "Valkey's COORDINATED switchover, gap (ms)", Goal::None),
    ("planned-coordinated-lost", "the same, acknowledged writes lost", Goal::None),
    ("reboot-lost", "primary killed and restarted empty, acknowledged writes lost", Goal::None),
    ("reboot-gap", "the same, gap (ms)", Goal::None),
    ("cpu-p100-ping", "server CPU, pipeline 100, PING (µs per command)", Goal::None),
    ("cpu-p100-set", "the same, SET", Goal::OfPeer(0.5)),
    ("cpu-p100-get", "the same, GET", Goal::OfPeer(0.5)),
    ("cpu-p16-ping", "pipeline 16, PING (µs)", Goal::None),
    ("cpu-p16-set", "the same, SET", Goal::OfPeer(0.7)),
    ("cpu-p16-get", "the same, GET", Goal::OfPeer(0.8)),
    ("cpu-p1-ping", "pipeline 1, PING (µs)", Goal::OfPeer(1.0)),
    ("cpu-p1-set", "the same, SET", Goal::OfPeer(1.0)),
    ("cpu-p1-get", "the same, GET", Goal::OfPeer(1.0)),
    ("memory-8", "memory beyond key and value, 1 M keys of 16 B, 8 B values (B per key)", Goal::OfPeer(0.8)),
    ("memory-64", "the same, 64 B", Goal::OfPeer(0.8)),
    ("memory-512", "the same, 512 B", Goal::OfPeer(0.8)),
    ("fullsync-time", "full sync of 3 M keys of 128 B (s)", Goal::OfPeer(0.5)),
    ("fullsync-stall", "worst wait of a SET meanwhile (ms)", Goal::AtMost(5.0)),
    ("fullsync-calm", "worst wait of a SET in the two seconds before (ms)", Goal::None),
    ("fullsync-memory", "extra memory during a full sync under writes (% of the data)", Goal::AtMost(10.0)),
    ("replica-primary", "SET with one replica, pipeline 16, CPU of the primary (µs)", Goal::OfPeer(0.75)),
    ("replica-replica", "the same, CPU of the replica (µs)", Goal::OfPeer(0.6)),
    ("types-p100-incr", "server CPU, pipeline 100, INCR of 1 M counters (µs)", Goal::OfPeer(0.5)),
    ("types-p100-hset", "the same, HSET in a hash of 1 M fields", Goal::OfPeer(0.5)),
    ("types-p100-zadd", "the same, ZADD of a new score in a sorted set of 1 M members", Goal::OfPeer(0.5)),
    ("types-p100-sadd", "the same, SADD in a set of 1 M members", Goal::OfPeer(0.5)),
    ("types-p100-lpush", "the same, LPUSH", Goal::OfPeer(0.65)),
    ("types-p100-evalsha", "the same, EVALSHA of a script with one call", Goal::OfPeer(1.0)),
    ("addjob", "the same, BullMQ's script that adds a job", Goal::OfPeer(1.0)),
    ("types-p16-lrange", "pipeline 16, LRANGE of 100 elements (µs)", Goal::OfPeer(0.6)),
    ("types-p16-mset", "the same, MSET of 10 keys", Goal::OfPeer(0.5)),
    ("strings-plain", "memory, 1 M strings of 8 B with keys of 12 B (B per key)", Goal::OfPeer(1.0)),
    ("strings-expiring", "the same, each expiring", Goal::OfPeer(1.0)),
    ("elements-hash-10", "memory, hashes of 10 elements (B per element)", Goal::OfPeer(1.0)),
    ("elements-hash-1000", "the same, hashes of 1000", Goal::OfPeer(1.0)),
    ("elements-hash-1000000", "the same, hashes of a million", Goal::OfPeer(1.0)),
    ("elements-set-10", "memory, sets of 10 elements (B per element)", Goal::OfPeer(1.0)),
    ("elements-set-1000", "the same, sets of 1000", Goal::OfPeer(1.0)),
    ("elements-set-1000000", "the same, sets of a million", Goal::OfPeer(1.0)),
    ("elements-zset-10", "memory, sorted sets of 10 elements (B per element)", Goal::OfPeer(1.0)),
    ("elements-zset-1000", "the same, sorted sets of 1000", Goal::OfPeer(1.0)),
    ("elements-zset-1000000", "the same, sorted sets of a million", Goal::OfPeer(1.0)),
    ("elements-list-10", "memory, lists of 10 elements (B per element)", Goal::OfPeer(1.0)),
    ("elements-list-1000", "the same, lists of 1000", Goal::OfPeer(1.0)),
    ("elements-list-1000000", "the same, lists of a million", Goal::OfPeer(1.0)),
    ("elements-stream-10", "memory, streams of 10 elements (B per element)", Goal::OfPeer(1.0)),
    ("elements-stream-1000", "the same, streams of 1000", Goal::OfPeer(1.0)),
    ("elements-stream-1000000", "the same, streams of a million", Goal::OfPeer(1.0)),
    (
        "stall-calm",
        "worst wait of a GET, nothing else to do, without what the machine takes (ms)",
        Goal::None,
    ),
    ("stall-grow", "the same, while 10 M keys are added", Goal::AtMost(2.0)),
    ("stall-flush", "the same, after FLUSHALL ASYNC of 10 M keys", Goal::AtMost(2.0)),
    ("stall-unlink", "the same, after UNLINK of a set of 10 M members", Goal::AtMost(2.0)),
    ("stall-expire", "the same, while 1 M keys expire in one second", Goal::AtMost(2.0)),
    ("stall-calm-seen", "worst wait of a GET as seen, nothing else to do (ms)", Goal::None),
    ("stall-grow-seen", "the same, while 10 M keys are added", Goal::None),
    ("stall-flush-seen", "the same, after FLUSHALL ASYNC of 10 M keys", Goal::None),
    ("stall-unlink-seen", "the same, after UNLINK of a set of 10 M members", Goal::None),
    ("stall-expire-seen", "the same, while 1 M keys expire in one second", Goal::None),
    ("zrank-1e3", "server CPU, pipeline 100, ZRANK among a thousand members (µs)", Goal::None),
    ("zrank-1e4", "the same, ten thousand", Goal::None),
    ("zrank-1e5", "the same, a hundred thousand", Goal::None),
    ("zrank-1e6", "the same, a million", Goal::None),
    ("zrank-1e7", "the same, ten million", Goal::None),
    ("zrange-1e3", "the same, ZRANGE of one rank among a thousand", Goal::None),
    ("zrange-1e4", "the same, ten thousand", Goal::None),
    ("zrange-1e5", "the same, a hundred thousand", Goal::None),
    ("zrange-1e6", "the same, a million", Goal::None),
    ("zrange-1e7", "the same, ten million", Goal::None),
];

/// All results so far.
#[derive(Debug, Default)]
pub(crate) struct Results {
    path: PathBuf,
    /// Row, then contender, then samples.
    rows: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
    /// Row, then when and what was measured.
    stamps: BTreeMap<String, String>,
}

impl Results {
    /// Reads what earlier runs left; a damaged file counts as none.
    pub(crate) fn load(path: &Path) -> Results {
        let text = fs::read_to_string(path).unwrap_or_default();
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        let mut rows = BTreeMap::new();
        let mut stamps = BTreeMap::new();
        for (row, entry) in json.as_object().unwrap_or(&Map::new()) {
            stamps.insert(row.clone(), entry["stamp"].as_str().unwrap_or_default().to_owned());
            let values = |v: &Value| v.as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
            let by = entry["values"].as_object().into_iter().flatten();
            rows.insert(row.clone(), by.map(|(who, v)| (who.clone(), values(v))).collect());
        }
        Results { path: path.to_owned(), rows, stamps }
    }

    /// The values of a row by contender, if it was measured.
    pub(crate) fn row(&self, name: &str) -> Option<&BTreeMap<String, Vec<f64>>> {
        self.rows.get(name)
    }

    /// Adds a value.
    pub(crate) fn add(&mut self, row: &str, who: &str, value: f64) {
        self.rows.entry(row.to_owned()).or_default().entry(who.to_owned()).or_default().push(value);
    }

    /// Keeps everything.
    pub(crate) fn save(&self) -> Result<()> {
        let row = |(name, values)| {
            let stamp = self.stamps.get(name).cloned().unwrap_or_default();
            (String::clone(name), json!({"stamp": stamp, "values": values}))
        };
        let json: Map<String, Value> = self.rows.iter().map(row).collect();
        fs::write(&self.path, serde_json::to_string_pretty(&json)?)
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Takes fresh samples in the place of older ones of the same row and contender; with `join`, beside those of the
    /// same code. `what` says which code was measured.
    pub(crate) fn take(&mut self, fresh: &[(String, Sample)], what: &str, join: bool) {
        let stale = |stamps: &BTreeMap<String, String>, row: &str| {
            !join || !stamps.get(row).is_some_and(|stamp| stamp.ends_with(&format!(", {what}")))
        };
        for (who, sample) in fresh {
            if stale(&self.stamps, &sample.row) {
                self.rows.entry(sample.row.clone()).or_default().remove(who);
            }
        }
        for (_, sample) in fresh {
            self.stamps.insert(sample.row.clone(), format!("{}, {what}", machine::today()));
        }
        for (who, sample) in fresh {
            self.add(&sample.row, who, sample.value);
        }
    }

    /// The table; `own` is the contender that has to reach the goals.
    pub(crate) fn markdown(&self, own: &str) -> String {
        let mut who: Vec<&String> = self.rows.values().flat_map(BTreeMap::keys).collect();
        who.sort_by_key(|w| (*w != own, *w));
        who.dedup();
        let mut out = format!("{}.\n\n", machine::facts());
        let _ = write!(out, "| measure |");
        for w in &who {
            let _ = write!(out, " {w} |");
        }
        out.push_str(" ratio to the better peer | to reach | | measured |\n|---|");
        out.push_str(&"---|".repeat(who.len() + 4));
        out.push('\n');
        for (row, label, goal) in ROWS {
            if let Some(values) = self.rows.get(row) {
                self.line(&mut out, row, label, goal, values, &who, own);
            }
        }
        out
    }

    #[expect(clippy::too_many_arguments, reason = "one caller, one line")]
    fn line(
        &self,
        out: &mut String,
        row: &str,
        label: &str,
        goal: Goal,
        values: &BTreeMap<String, Vec<f64>>,
        who: &[&String],
        own: &str,
    ) {
        let _ = write!(out, "| {label} |");
        for w in who {
            let cell = values.get(*w).map_or_else(|| "-".to_owned(), |v| cell(v));
            let _ = write!(out, " {cell} |");
        }
        let ours = values.get(own).map(|v| median(v));
        let best = values.iter().filter(|(w, _)| *w != own).map(|(_, v)| median(v)).min_by(f64::total_cmp);
        let ratio = ours.zip(best).filter(|(_, b)| *b > 0.0).map(|(o, b)| o / b);
        let (aim, met) = judge(goal, ours, ratio);
        let ratio = ratio.map_or_else(|| "-".to_owned(), |r| format!("{r:.2}"));
        let stamp = self.stamps.get(row).map_or("", String::as_str);
        let _ = writeln!(out, " {ratio} | {aim} | {met} | {stamp} |");
    }
}

fn judge(goal: Goal, ours: Option<f64>, ratio: Option<f64>) -> (String, &'static str) {
    let verdict = |met: Option<bool>| match met {
        Some(true) => "reached",
        Some(false) => "not yet",
        None => "",
    };
    match goal {
        Goal::AtMost(limit) => (format!("≤ {limit}"), verdict(ours.map(|o| o <= limit))),
        Goal::OfPeer(share) => (format!("≤ {share} ×"), verdict(ratio.map(|r| r <= share))),
        Goal::None => (String::new(), ""),
    }
}

/// `median (least to most)`.
fn cell(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} ({} to {})", short(median(values)), short(least), short(most))
}

fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 || v == 0.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

const BEGIN: &str = "<!-- bench: begin -->";
const END: &str = "<!-- bench: end -->";

/// Puts the table between the markers of docs/benchmarks.md.
pub(crate) fn write_docs(table: &str) -> Result<()> {
    let path = root().join("docs/benchmarks.md");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let new = between_markers(&text, table).with_context(|| format!("no markers in {}", path.display()))?;
    fs::write(&path, new).with_context(|| format!("cannot write {}", path.display()))
}

fn between_markers(text: &str, table: &str) -> Option<String> {
    let (head, rest) = text.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}\n{table}{END}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let mut r = Results { path: PathBuf::new(), rows: BTreeMap::new(), stamps: BTreeMap::new() };
        let add = |r: &mut Results, row: &str, who: &str, values: &[f64]| {
            r.rows.entry(row.into()).or_default().insert(who.into(), values.to_vec());
        };
        add(&mut r, "cpu-p100-set", "tanist 1", &[0.3, 0.2, 0.4]);
        add(&mut r, "cpu-p100-set", "redis 7", &[1.0]);
        add(&mut r, "cpu-p100-set", "valkey 9", &[0.5]);
        add(&mut r, "gap-crash", "tanist 1", &[140.0]);
        r
    }

    #[test]
    fn the_ratio_is_to_the_better_peer() {
        let text = results().markdown("tanist 1");
        let line = text.lines().find(|l| l.contains("the same, SET")).unwrap();
        assert!(
            line.contains("| 0.30 (0.20 to 0.40) | 1.00 (1.00 to 1.00) | 0.50 (0.50 to 0.50) | 0.60 |"),
            "{line}"
        );
        assert!(line.contains("≤ 0.5 × | not yet"), "{line}");
        let gap = text.lines().find(|l| l.contains("longest gap")).unwrap();
        assert!(gap.contains("≤ 150 | reached"), "{gap}");
    }

    #[test]
    fn a_run_in_pieces_joins_only_its_own_code() {
        let mut r = results();
        let sample = |value| ("tanist 1".to_owned(), Sample { row: "gap-crash".into(), value });
        let values = |r: &Results| r.rows["gap-crash"]["tanist 1"].clone();
        r.take(&[sample(1.0), sample(2.0)], "abc", true);
        assert_eq!(values(&r), [1.0, 2.0], "what was there is of another commit");
        r.take(&[sample(3.0)], "abc", true);
        assert_eq!(values(&r), [1.0, 2.0, 3.0]);
        r.take(&[sample(4.0)], "abc", false);
        assert_eq!(values(&r), [4.0]);
    }

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nz\n");
        assert_eq!(between_markers(&text, "new\n").unwrap(), format!("a\n{BEGIN}\nnew\n{END}\nz\n"));
        assert!(between_markers("nothing", "new").is_none());
    }
}
