//! Random commands on every type of collection against models made of the standard library's.
//!
//! Each step makes a command and what a model says of it: the answer, the events that tell of it, and which keys lose their
//! expiry by it. The limits of the compact encodings are low, so that every run crosses them; now and then a value goes
//! through `DUMP` and `RESTORE`, and must have the same digest; behind a run a replica that was fed with the log must hold
//! the same. Of a run that fails only the steps are shown that it takes (see `runs`).

use super::{World, decode, show};
use crate::SessionId;
use runs::follow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tanist_config::ServerConfig;
use tanist_resp::encode_command;
use tanist_types::Rng;

mod bitmaps;
mod geo;
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
/// Holds something of another type than the model's; it is only read.
const ALIEN: &str = "alien";
const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

/// A step: the command, and what comes of it.
struct Step {
    line: String,
    /// A word `?` is any, and `?one|other` either of them.
    answer: String,
    /// The order of the answer is free.
    sorted: bool,
    /// What subscribers are told: event and key.
    events: Vec<String>,
    /// Keys whose values are others now than those that had been given an expiry.
    anew: Vec<&'static str>,
}

impl Step {
    fn new(line: String, answer: impl Into<String>) -> Step {
        Step { line, answer: answer.into(), sorted: false, events: Vec::new(), anew: Vec::new() }
    }

    fn sorted(line: String, answer: &[String]) -> Step {
        Step { sorted: true, ..Step::new(line, list(answer)) }
    }

    /// Behind the other events there is this one.
    fn event(self, name: &str, key: &str) -> Step {
        self.event_if(true, name, key)
    }

    /// Behind the other events there is this one if `told`.
    fn event_if(mut self, told: bool, name: &str, key: &str) -> Step {
        if told {
            self.events.push(format!("{name} {key}"));
        }
        self
    }

    /// The value at `key` is another one now.
    fn anew(mut self, key: &'static str) -> Step {
        self.anew.push(key);
        self
    }

    /// The result of a command that stores it at `key` was put there, under this event, if there is any; else what
    /// was there is gone.
    fn stored(self, event: &str, key: &'static str, any: bool, was_there: bool) -> Step {
        if any { self.event(event, key).anew(key) } else { self.event_if(was_there, "del", key) }
    }
}

/// What is known of keys of one type.
trait Model: Default {
    /// What is there before the first step, beside its keys.
    const SETUP: &'static [&'static str] = &["RPUSH alien x"];
    /// Behind a run so much time passes that whatever expires soon is gone.
    const FADES: bool = false;

    /// A random command, carried out on the model; `now` is in milliseconds.
    fn step(&mut self, dice: &mut Dice, now: i64) -> Step;

    /// The encoding of what is at `key`, if it is there and the model knows.
    fn encoding(&self, key: &str) -> Option<&'static str>;

    /// Whether there is something at `key`, if the model knows.
    fn holds(&self, key: &str) -> Option<bool>;

    /// Steps that only look, at all that is at `key`.
    fn looks(&mut self, _key: &'static str, _now: i64) -> Vec<Step> {
        Vec::new()
    }

    /// Questions about `key` that a replica must answer as its primary does, in whatever order.
    fn questions(_key: &str) -> Vec<String> {
        Vec::new()
    }
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

    fn keys(&mut self, most: usize) -> Vec<&'static str> {
        (0..=self.below(most)).map(|_| self.key()).collect()
    }

    /// Keys to read from, now and then one that holds something else among them.
    fn sources(&mut self, most: usize) -> Vec<&'static str> {
        let mut keys = self.keys(most);
        if self.one_in(12) {
            let at = self.below(keys.len());
            keys[at] = ALIEN;
        }
        keys
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
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

/// Whether a reply is what was expected, where `?` stands for any word and `?a|b` for one of these.
fn fits(reply: &str, answer: &str) -> bool {
    let (told, wanted): (Vec<&str>, Vec<&str>) = (reply.split(' ').collect(), answer.split(' ').collect());
    let ends_alike = |told: &str, wanted: &str| {
        let brackets = |word: &str| word.len() - word.trim_end_matches(']').len();
        brackets(told) == brackets(wanted)
    };
    let one = |(told, wanted): (&&str, &&str)| match wanted.strip_prefix('?') {
        None => told == wanted,
        Some(words) => {
            let mut words = words.trim_end_matches(']').split('|').peekable();
            // No words at all are any.
            let any = words.next_if_eq(&"").is_some();
            ends_alike(told, wanted) && (any || words.any(|word| word == told.trim_end_matches(']')))
        }
    };
    reply == answer || told.len() == wanted.len() && told.iter().zip(&wanted).all(one)
}

fn sorted(answer: &str) -> String {
    let mut words: Vec<&str> = answer.trim_matches(['[', ']']).split(' ').collect();
    words.sort_unstable();
    format!("[{}]", words.join(" "))
}

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    for (directive, value) in [
        ("hash-max-listpack-entries", "8"),
        ("set-max-listpack-entries", "8"),
        ("set-max-intset-entries", "8"),
        ("zset-max-listpack-entries", "8"),
        ("list-max-listpack-size", "8"),
        ("stream-node-max-entries", "4"),
        ("hll-sparse-max-bytes", "200"),
        ("enable-debug-command", "yes"),
        ("notify-keyspace-events", "EA"),
    ] {
        config.set(directive, &[value]).expect("a directive");
    }
    config
}

/// Takes what is at `key` through a payload to another key; says what was wrong with it.
fn round_trip(w: &mut World, c: SessionId, key: &str) -> Result<(), String> {
    let [payload] = &w.all(c, &format!("DUMP {key}"))[..] else { panic!("one reply") };
    let Some(payload) = payload.as_bytes() else { return Ok(()) };
    let mut bytes = Vec::new();
    // The digest has the expiry, too.
    let until = w.say(c, &format!("PEXPIRETIME {key}")).replace(":-1", ":0");
    encode_command(&mut bytes, &[b"RESTORE", b"copy", &until.as_bytes()[1..], payload, b"ABSTTL"]);
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
