//! The operations of a client, as commands, and what their replies mean.

use crate::oracle::{Oracle, Outcome};
use crate::plan::WorkPlan;
use std::fmt;
use tanist_resp::{Value, encode_command};
use tanist_types::Rng;

/// One operation.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Writes the next number.
    Write { slot: usize, key: String, number: u64, padding: u64 },
    /// Writes the next number and waits for replicas.
    Confirmed { slot: usize, key: String, number: u64, replicas: usize },
    /// Writes one number to two keys in a transaction.
    Pair { slot: usize, key: String, number: u64 },
    /// Reads a number.
    Read { key: String },
    /// Reads two keys that are written together.
    ReadPair { key: String },
    /// Writes something that expires soon; nobody reads it, but all nodes must agree on it.
    Expiring { key: String, millis: u64 },
}

/// How long `WAIT` waits.
const WAIT_MS: &str = "300";

/// The next operation.
pub(super) fn draw(
    rng: &mut Rng,
    work: &WorkPlan,
    client: &str,
    generations: &[u64],
    oracle: &mut Oracle,
) -> Op {
    let index = rng.below(work.keys);
    let single = format!("{client}:{index}.{}", generations[index as usize]);
    let pair_slot = (work.keys + index) as usize;
    let pair = format!("{client}:p{index}.{}", generations[pair_slot]);
    let slot = index as usize;
    match rng.below(10) {
        0..=3 if !work.confirming => {
            let number = oracle.next(&single);
            Op::Write { slot, key: single, number, padding: rng.below(work.padding + 1) }
        }
        0..=4 if work.wait > 0 => {
            let number = oracle.next(&single);
            Op::Confirmed { slot, key: single, number, replicas: work.wait }
        }
        5 => Op::Pair { slot: pair_slot, number: oracle.next(&pair), key: pair },
        6 => Op::ReadPair { key: pair },
        7 => Op::Expiring { key: format!("{client}:e{}", rng.below(8)), millis: 1 + rng.below(2_000) },
        _ => Op::Read { key: single },
    }
}

/// Errors by which a server says that it has done nothing.
const REFUSALS: &[&str] =
    &["READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "MISCONF", "NOAUTH", "BUSY", "EXECABORT"];

/// The number in a value, zero if there is none.
pub(crate) fn number_of(value: &Value) -> Option<u64> {
    match value {
        Value::Null => Some(0),
        other => other.as_str()?.split(':').next()?.parse().ok(),
    }
}

impl Op {
    /// The slot whose register it writes.
    pub(super) fn slot(&self) -> Option<usize> {
        match self {
            Op::Write { slot, .. } | Op::Confirmed { slot, .. } | Op::Pair { slot, .. } => Some(*slot),
            Op::Read { .. } | Op::ReadPair { .. } | Op::Expiring { .. } => None,
        }
    }

    /// Whether it changes anything.
    pub(super) fn writes(&self) -> bool {
        !matches!(self, Op::Read { .. } | Op::ReadPair { .. })
    }

    /// The number of commands, and so of replies.
    pub(super) fn commands(&self) -> usize {
        match self {
            Op::Confirmed { .. } => 2,
            Op::Pair { .. } => 4,
            _ => 1,
        }
    }

    /// The commands.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut say = |words: &[&str]| {
            let words: Vec<&[u8]> = words.iter().map(|w| w.as_bytes()).collect();
            encode_command(&mut out, &words);
        };
        match self {
            Op::Write { key, number, padding, .. } => {
                say(&["SET", key, &format!("{number}:{}", "x".repeat(*padding as usize))]);
            }
            Op::Confirmed { key, number, replicas, .. } => {
                say(&["SET", key, &number.to_string()]);
                say(&["WAIT", &replicas.to_string(), WAIT_MS]);
            }
            Op::Pair { key, number, .. } => {
                say(&["MULTI"]);
                say(&["SET", key, &number.to_string()]);
                say(&["SET", &twin(key), &number.to_string()]);
                say(&["EXEC"]);
            }
            Op::Read { key } => say(&["GET", key]),
            Op::ReadPair { key } => say(&["MGET", key, &twin(key)]),
            Op::Expiring { key, millis } => say(&["SET", key, "soon", "PX", &millis.to_string()]),
        }
        out
    }

    /// Tells the oracle what the replies mean. `Done` says that the connection is good for more.
    pub(super) fn judge(&self, server: &str, replies: &[Value], oracle: &mut Oracle) -> Outcome {
        for error in replies.iter().filter_map(Value::as_error) {
            if !has_code(error, REFUSALS) && !has_code(error, UNCERTAIN) {
                oracle.fail(format!("{server} answers {self} with {}", String::from_utf8_lossy(error)));
            }
        }
        let outcome = replies.iter().map(outcome_of).max_by_key(|o| *o as u8).unwrap_or(Outcome::Unknown);
        match self {
            Op::Write { key, number, .. } => oracle.wrote(key, *number, outcome),
            Op::Confirmed { key, number, replicas, .. } => {
                let written = outcome_of(&replies[0]);
                oracle.wrote(key, *number, written);
                let count = replies[1].as_int().unwrap_or(0);
                if written == Outcome::Done && count >= *replicas as i64 {
                    oracle.confirm(key, *number);
                }
                return written;
            }
            Op::Pair { key, number, .. } => {
                // Only EXEC counts; null is an aborted transaction.
                let outcome = match &replies[3] {
                    Value::Array(_) => Outcome::Done,
                    Value::Null => Outcome::Refused,
                    other => outcome_of(other),
                };
                oracle.wrote(key, *number, outcome);
                return outcome;
            }
            Op::Read { key } if outcome == Outcome::Done => match number_of(&replies[0]) {
                Some(number) => oracle.read(key, number, server),
                None => oracle.fail(format!("{key} on {server} has {:?}", replies[0])),
            },
            Op::ReadPair { key } if outcome == Outcome::Done => match &replies[0] {
                Value::Array(both) if both.len() == 2 => {
                    let (a, b) = (number_of(&both[0]), number_of(&both[1]));
                    oracle.read_pair(key, a.unwrap_or(u64::MAX), b.unwrap_or(u64::MAX), server);
                }
                other => oracle.fail(format!("MGET on {server} answers {other:?}")),
            },
            Op::Read { .. } | Op::ReadPair { .. } | Op::Expiring { .. } => {}
        }
        outcome
    }

    /// No answer came: the outcome is unknown.
    pub(super) fn unanswered(&self, oracle: &mut Oracle) {
        match self {
            Op::Write { key, number, .. }
            | Op::Confirmed { key, number, .. }
            | Op::Pair { key, number, .. } => {
                oracle.wrote(key, *number, Outcome::Unknown);
            }
            Op::Read { .. } | Op::ReadPair { .. } | Op::Expiring { .. } => {}
        }
    }
}

/// Errors that are neither refusals nor bugs: what happened is not known.
const UNCERTAIN: &[&str] = &["UNBLOCKED", "UNCERTAIN"];

/// Whether a key is the first of a pair.
pub(crate) fn is_pair(key: &str) -> bool {
    key.contains(":p")
}

/// The second key of a pair.
pub(crate) fn twin(key: &str) -> String {
    format!("{key}'")
}

fn outcome_of(value: &Value) -> Outcome {
    match value.as_error() {
        None => Outcome::Done,
        Some(text) if has_code(text, REFUSALS) => Outcome::Refused,
        Some(_) => Outcome::Unknown,
    }
}

fn has_code(error: &[u8], codes: &[&str]) -> bool {
    let code = error.split(|b| *b == b' ').next().unwrap_or_default();
    codes.iter().any(|c| c.as_bytes() == code)
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Write { key, number, .. } => write!(f, "SET {key} {number}"),
            Op::Confirmed { key, number, replicas, .. } => write!(f, "SET {key} {number} WAIT {replicas}"),
            Op::Pair { key, number, .. } => write!(f, "EXEC {key} {number}"),
            Op::Read { key } => write!(f, "GET {key}"),
            Op::ReadPair { key } => write!(f, "MGET {key}"),
            Op::Expiring { key, millis } => write!(f, "SET {key} PX {millis}"),
        }
    }
}
