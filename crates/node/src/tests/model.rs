//! Random commands against a model that is nothing but maps, and a replica that is fed with the log alone.
//!
//! After each command the replies must agree; at the end of each run the replica, whose clock stands still, must hold
//! what the primary holds, expiry times included.

use super::World;
use std::collections::BTreeMap;
use tanist_keyspace::Cursor;
use tanist_resp::{Batch, Limits};
use tanist_types::{DbIndex, Rng};

const KEYS: [&str; 5] = ["a", "b", "c", "dd", "e:5"];
const VALUES: [&str; 8] = [
    "x",
    "12",
    "-7",
    "hello",
    "0.5",
    "9223372036854775807",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "010",
];
const DATABASES: u16 = 3;

/// A value and when it expires.
#[derive(Clone, PartialEq, Debug)]
struct Item {
    text: String,
    until: Option<i64>,
}

type Data = BTreeMap<(u16, String), Item>;

/// What the commands do, in the plainest way.
struct Model {
    data: Data,
    db: u16,
    now: i64,
}

impl Model {
    fn get(&mut self, key: &str) -> Option<&mut Item> {
        let place = (self.db, key.to_owned());
        let now = self.now;
        if self.data.get(&place).is_some_and(|i| i.until.is_some_and(|at| at <= now)) {
            self.data.remove(&place);
        }
        self.data.get_mut(&place)
    }

    fn put(&mut self, key: &str, text: &str, until: Option<i64>) {
        self.data.insert((self.db, key.into()), Item { text: text.into(), until });
    }

    fn remove(&mut self, key: &str) -> bool {
        let there = self.get(key).is_some();
        self.data.remove(&(self.db, key.to_owned()));
        there
    }

    fn text(&mut self, key: &str) -> String {
        self.get(key).map_or("(nil)".into(), |i| i.text.clone())
    }

    /// Gives an existing key a moment of expiry.
    fn expire(&mut self, key: &str, at: i64) {
        if at <= self.now {
            self.remove(key);
        } else if let Some(item) = self.get(key) {
            item.until = Some(at);
        }
    }

    /// Carries out a command; the reply as people read it.
    fn run(&mut self, words: &[&str]) -> String {
        let ok = || "OK".to_owned();
        let int = |n: usize| format!(":{n}");
        let ms = |w: &str| w.parse::<i64>().expect("a number");
        let now = self.now;
        match *words {
            ["GET", k] => self.text(k),
            ["SET", k, v, ref options @ ..] => self.set(k, v, options),
            ["SETNX", k, v] => {
                let absent = self.get(k).is_none();
                if absent {
                    self.put(k, v, None);
                }
                int(absent.into())
            }
            ["GETSET", k, v] => {
                let old = self.text(k);
                self.put(k, v, None);
                old
            }
            ["GETDEL", k] => {
                let old = self.text(k);
                self.remove(k);
                old
            }
            ["GETEX", k, "PX", t] => {
                let old = self.text(k);
                self.expire(k, now + ms(t));
                old
            }
            ["GETEX", k, "PERSIST"] => {
                let old = self.text(k);
                self.get(k).map(|i| i.until.take());
                old
            }
            ["DELIFEQ", k, v] => {
                let equal = self.text(k) == v && self.remove(k);
                int(equal.into())
            }
            ["MSETNX", a, x, b, y] => {
                let free = self.get(a).is_none() && self.get(b).is_none();
                if free {
                    self.put(a, x, None);
                    self.put(b, y, None);
                }
                int(free.into())
            }
            ["MSETEX", "2", a, x, b, y, "PX", t] => {
                self.put(a, x, Some(now + ms(t)));
                self.put(b, y, Some(now + ms(t)));
                int(1)
            }
            ["DEL", a, b] => int(usize::from(self.remove(a)) + usize::from(self.remove(b))),
            ["EXISTS", a, b] => int(usize::from(self.get(a).is_some()) + usize::from(self.get(b).is_some())),
            ["APPEND", k, v] => {
                let (text, until) = self.get(k).map_or_else(Default::default, |i| (i.text.clone(), i.until));
                let text = text + v;
                self.put(k, &text, until);
                int(text.len())
            }
            ["SETRANGE", k, "2", v] => {
                let (text, until) = self.get(k).map_or_else(Default::default, |i| (i.text.clone(), i.until));
                let mut bytes = text.into_bytes();
                bytes.resize(bytes.len().max(2 + v.len()), 0);
                bytes[2..2 + v.len()].copy_from_slice(v.as_bytes());
                let text = String::from_utf8(bytes).expect("ASCII");
                self.put(k, &text, until);
                int(text.len())
            }
            ["GETRANGE", k, "1", "-2"] => {
                let text = self.get(k).map_or(String::new(), |i| i.text.clone());
                if text.len() < 3 { String::new() } else { text[1..text.len() - 1].into() }
            }
            ["STRLEN", k] => int(self.get(k).map_or(0, |i| i.text.len())),
            ["INCRBY", k, n] => self.incr(k, ms(n)),
            ["PEXPIRE", k, t] => {
                let there = self.get(k).is_some();
                self.expire(k, now + ms(t));
                int(there.into())
            }
            ["PEXPIRE", k, t, "GT"] => {
                let later = self.get(k).is_some_and(|i| i.until.is_some_and(|at| now + ms(t) > at));
                if later {
                    self.expire(k, now + ms(t));
                }
                int(later.into())
            }
            ["PERSIST", k] => int(self.get(k).and_then(|i| i.until.take()).is_some().into()),
            ["PTTL", k] => match self.get(k).map(|i| i.until) {
                None => ":-2".into(),
                Some(None) => ":-1".into(),
                Some(Some(at)) => format!(":{}", at - now),
            },
            ["RENAME", a, b] => match self.get(a).cloned() {
                None => "-ERR no such key".into(),
                Some(item) => {
                    self.remove(a);
                    self.data.insert((self.db, b.into()), item);
                    ok()
                }
            },
            ["COPY", a, b, "DB", d] => {
                let from = self.db;
                let item = self.get(a).cloned();
                self.db = d.parse().expect("a database");
                if from == self.db && a == b {
                    return "-ERR source and destination objects are the same".into();
                }
                let copied = item.is_some() && self.get(b).is_none();
                if let (true, Some(item)) = (copied, item) {
                    self.put(b, &item.text, item.until);
                }
                self.db = from;
                int(copied.into())
            }
            ["MOVE", k, d] => {
                let from = self.db;
                let item = self.get(k).cloned();
                self.db = d.parse().expect("a database");
                if from == self.db {
                    return "-ERR source and destination objects are the same".into();
                }
                let moved = item.is_some() && self.get(k).is_none();
                if let (true, Some(item)) = (moved, item) {
                    self.put(k, &item.text, item.until);
                    self.db = from;
                    self.remove(k);
                }
                self.db = from;
                int(moved.into())
            }
            ["SELECT", d] => {
                self.db = d.parse().expect("a database");
                ok()
            }
            ["SWAPDB", a, b] => {
                let (a, b): (u16, u16) = (a.parse().expect("a database"), b.parse().expect("a database"));
                let swapped = |d: u16| {
                    if d == a {
                        b
                    } else if d == b {
                        a
                    } else {
                        d
                    }
                };
                let data = std::mem::take(&mut self.data);
                self.data = data.into_iter().map(|((d, k), i)| ((swapped(d), k), i)).collect();
                ok()
            }
            ["FLUSHDB"] => {
                self.data.retain(|(d, _), _| *d != self.db);
                ok()
            }
            _ => unreachable!("{words:?}"),
        }
    }

    fn set(&mut self, key: &str, value: &str, options: &[&str]) -> String {
        let old = self.get(key).cloned();
        let has = |word: &str| options.contains(&word);
        let after = |word: &str| options.iter().position(|o| *o == word).map(|i| options[i + 1]);
        let passes = !(has("NX") && old.is_some() || has("XX") && old.is_none())
            && after("IFEQ").is_none_or(|v| old.as_ref().is_some_and(|o| o.text == v));
        if passes {
            let until = match after("PX") {
                Some(t) => Some(self.now + t.parse::<i64>().expect("a number")),
                None if has("KEEPTTL") => old.as_ref().and_then(|o| o.until),
                None => None,
            };
            self.put(key, value, until);
        }
        match (has("GET"), passes) {
            (true, _) => old.map_or("(nil)".into(), |o| o.text),
            (false, true) => "OK".into(),
            (false, false) => "(nil)".into(),
        }
    }

    fn incr(&mut self, key: &str, n: i64) -> String {
        let item = self.get(key).cloned().unwrap_or(Item { text: "0".into(), until: None });
        let old: Option<i64> = item.text.parse().ok().filter(|n: &i64| n.to_string() == item.text);
        let Some(old) = old else { return "-ERR value is not an integer or out of range".into() };
        let Some(new) = old.checked_add(n) else {
            return "-ERR increment or decrement would overflow".into();
        };
        self.put(key, &new.to_string(), item.until);
        format!(":{new}")
    }
}

fn random_command(rng: &mut Rng) -> String {
    let mut pick = |list: &[&'static str]| list[rng.below(list.len() as u64) as usize];
    let times = ["1", "20", "300", "5000"];
    let (k, l, v, w) = (pick(&KEYS), pick(&KEYS), pick(&VALUES), pick(&VALUES));
    let (t, d, n) = (pick(&times), pick(&["0", "1", "2"]), pick(&["1", "-3", "9223372036854775807"]));
    let lifetime = pick(&["", "", " KEEPTTL", " PX 1", " PX 300"]);
    let condition = pick(&["", "", " NX", " XX", " IFEQ x", " IFEQ 12"]);
    let get = pick(&["", "", " GET"]);
    match rng.below(34) {
        0..6 => format!("SET {k} {v}{condition}{get}{lifetime}"),
        6..8 => format!("GET {k}"),
        8 => format!("SETNX {k} {v}"),
        9 => format!("GETSET {k} {v}"),
        10 => format!("GETDEL {k}"),
        11 => format!("GETEX {k} PX {t}"),
        12 => format!("GETEX {k} PERSIST"),
        13 => format!("DELIFEQ {k} {v}"),
        14 => format!("MSETNX {k} {v} {l} {w}"),
        15 => format!("MSETEX 2 {k} {v} {l} {w} PX {t}"),
        16 => format!("DEL {k} {l}"),
        17 => format!("EXISTS {k} {l}"),
        18..20 => format!("APPEND {k} {v}"),
        20 => format!("SETRANGE {k} 2 {v}"),
        21 => format!("GETRANGE {k} 1 -2"),
        22 => format!("STRLEN {k}"),
        23..25 => format!("INCRBY {k} {n}"),
        25 => format!("PEXPIRE {k} {t}"),
        26 => format!("PEXPIRE {k} {t} GT"),
        27 => format!("PERSIST {k}"),
        28 => format!("PTTL {k}"),
        29 => format!("RENAME {k} {l}"),
        30 => format!("COPY {k} {l} DB {d}"),
        31 => format!("MOVE {k} {d}"),
        32 => format!("SELECT {d}"),
        _ if rng.chance(1, 10) => "FLUSHDB".into(),
        _ => format!("SWAPDB {d} 1"),
    }
}

/// Everything that a node holds.
fn contents(w: &World) -> Data {
    let mut data = Data::new();
    for db in 0..DATABASES {
        w.node.data.db(DbIndex(db)).scan(Cursor(0), usize::MAX, &mut |e| {
            let text = crate::commands::string::str_of(e).expect("a string");
            let text = String::from_utf8_lossy(text.as_bytes(&mut itoa::Buffer::new())).into_owned();
            let key = String::from_utf8_lossy(e.key()).into_owned();
            data.insert((db, key), Item { text, until: e.expiry().map(|at| at.0) });
        });
    }
    data
}

/// A node that has applied this log, its clock before all times.
pub(super) fn replica_of(log: &[u8]) -> World {
    let mut w = World::new();
    w.now.wall_us = 0;
    apply(&mut w, log);
    w
}

/// Carries a log out.
pub(super) fn apply(w: &mut World, log: &[u8]) {
    let c = w.connect();
    let mut batch = Batch::new();
    let mut from = 0;
    while from < log.len() {
        batch.clear();
        let progress = batch.parse(&log[from..], &Limits::default(), 1000).expect("a log of commands");
        let (replies, _) = w.raw(c, &log[from..from + progress.consumed]);
        assert!(!replies.starts_with(b"-") && !replies.windows(3).any(|w| w == b"\n-E"), "the log fails");
        from += progress.consumed;
    }
}

fn run(seed: u64) {
    let mut rng = Rng::from_seed(seed);
    let mut w = World::new();
    let c = w.connect();
    w.record();
    let mut model = Model { data: Data::new(), db: 0, now: w.now.wall().0 };
    let mut history = Vec::new();
    for _ in 0..150 {
        if rng.chance(1, 8) {
            let millis = [1, 19, 20, 299, 2000][rng.below(5) as usize];
            if rng.chance(1, 2) {
                w.pass(millis);
            } else {
                w.now.wall_us += millis as i64 * 1000;
            }
            model.now = w.now.wall().0;
            history.push(format!("({millis} ms pass)"));
        }
        let line = random_command(&mut rng);
        history.push(line.clone());
        let words: Vec<&str> = line.split(' ').collect();
        let expected = model.run(&words);
        let reply = w.say(c, &line);
        assert_eq!(reply, expected, "seed {seed}:\n{}", history.join("\n"));
    }
    let log = w.node.recorded.take().expect("recorded");
    let (held, copy) = (contents(&w), contents(&replica_of(&log)));
    assert_eq!(copy, held, "seed {seed}: replica and primary differ after\n{}", history.join("\n"));
    let live = |data: &Data| -> Data {
        let alive = |i: &Item| i.until.is_none_or(|at| at > model.now);
        data.iter().filter(|(_, i)| alive(i)).map(|(k, i)| (k.clone(), i.clone())).collect()
    };
    assert_eq!(live(&held), live(&model.data), "seed {seed}:\n{}", history.join("\n"));
}

#[test]
fn replies_and_replicas_follow_the_model() {
    for seed in 0..300 {
        run(seed);
    }
}
