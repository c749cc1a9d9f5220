//! Random commands on every type of collection against models made of the standard library's.
//!
//! Each step makes a command and what a model says that it answers. The limits of the compact encodings are low, so that
//! every run crosses them; now and then a value goes through `DUMP` and `RESTORE`, and must have the same digest. Of a run
//! that fails only the steps are shown that it takes (see `runs`).

use super::{World, decode, show};
use crate::SessionId;
use runs::follow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tanist_config::ServerConfig;
use tanist_resp::encode_command;
use tanist_types::Rng;

mod bitmaps;
mod hashes;
mod lists;
mod runs;
mod sets;
mod sketches;
mod sorted_sets;
mod streams;

/// Most elements of a compact encoding.
const LIMIT: usize = 8;
/// Longest element of one.
const LONGEST: usize = 64;
const KEYS: [&str; 3] = ["a", "b", "c"];

/// A step: the command, and its answer. Where the order is free, both are sorted.
struct Step {
    line: String,
    answer: String,
    sorted: bool,
}

impl Step {
    fn new(line: String, answer: impl Into<String>) -> Step {
        Step { line, answer: answer.into(), sorted: false }
    }

    fn sorted(line: String, answer: &[String]) -> Step {
        Step { line, answer: list(answer), sorted: true }
    }
}

/// What is known of keys of one type.
trait Model: Default {
    /// A random command, carried out on the model; `now` is in milliseconds.
    fn step(&mut self, dice: &mut Dice, now: i64) -> Step;

    /// The encoding of what is at `key`, if it is there and the model knows.
    fn encoding(&self, key: &str) -> Option<&'static str>;
}

struct Dice(Rng);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0.below(n as u64) as usize
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    fn key(&mut self) -> &'static str {
        self.pick(&KEYS)
    }

    /// Integers and texts, few enough to meet again, some of them long.
    fn element(&mut self) -> String {
        match self.below(20) {
            0..9 => self.below(14).to_string(),
            9..16 => format!("m{}", self.below(14)),
            16 => self.pick(&["-1", "9223372036854775807", "-9223372036854775808", "007"]).into(),
            17 => "long".repeat(16),
            18 => "longer".repeat(11),
            _ => self.below(100_000).to_string(),
        }
    }

    fn elements(&mut self, most: usize) -> Vec<String> {
        (0..=self.below(most)).map(|_| self.element()).collect()
    }
}

fn int(n: usize) -> String {
    format!(":{n}")
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.join(" "))
}

fn or_nil(item: Option<&String>) -> String {
    item.cloned().unwrap_or("(nil)".into())
}

fn sorted(answer: &str) -> String {
    let mut words: Vec<&str> = answer.trim_matches(['[', ']']).split(' ').collect();
    words.sort_unstable();
    format!("[{}]", words.join(" "))
}

fn world() -> World {
    let mut config = ServerConfig::default();
    for (directive, value) in [
        ("hash-max-listpack-entries", "8"),
        ("set-max-listpack-entries", "8"),
        ("set-max-intset-entries", "8"),
        ("zset-max-listpack-entries", "8"),
        ("list-max-listpack-size", "8"),
        ("stream-node-max-entries", "8"),
        ("hll-sparse-max-bytes", "200"),
        ("enable-debug-command", "yes"),
    ] {
        config.set(directive, &[value]).expect("a directive");
    }
    World::with(config)
}

/// Takes what is at `key` through a payload to another key; says what was wrong with it.
fn round_trip(w: &mut World, c: SessionId, key: &str) -> Result<(), String> {
    let [payload] = &w.all(c, &format!("DUMP {key}"))[..] else { panic!("one reply") };
    let Some(payload) = payload.as_bytes() else { return Ok(()) };
    let mut bytes = Vec::new();
    encode_command(&mut bytes, &[b"RESTORE", b"copy", b"0", payload]);
    let (out, _) = w.raw(c, &bytes);
    let restored = show(&decode(&out)[0]);
    if restored != "OK" {
        return Err(format!("the payload of {key} is refused: {restored}"));
    }
    let digests = w.say(c, &format!("DEBUG DIGEST-VALUE {key} copy"));
    let (one, two) = digests.trim_matches(['[', ']']).split_once(' ').expect("two digests");
    w.say(c, "DEL copy");
    if one == two { Ok(()) } else { Err(format!("a payload of {key} holds something else")) }
}
