//! Hashes: maps from fields to values, each with the moment of its end.

use super::{BTreeMap, Dice, LIMIT, LONGEST, Model, Step, follow, int, list, or_nil};

/// Values, and when they end, in milliseconds since 1970.
type Fields = BTreeMap<String, (String, Option<i64>)>;

#[derive(Default)]
struct Hashes {
    hashes: BTreeMap<String, Fields>,
    large: BTreeMap<String, bool>,
}

/// The words that say when fields end, in the forms that commands have for it.
struct End {
    at: i64,
    millis: i64,
}

impl End {
    fn roll(dice: &mut Dice, now: i64) -> End {
        let millis = [5, 50, 5000, 100_000, -10][dice.below(5)];
        End { at: now + millis, millis }
    }

    fn has_passed(&self) -> bool {
        self.millis < 0
    }

    /// `PX` or `PXAT`; what has passed can only be said by the latter.
    fn option(&self, dice: &mut Dice) -> String {
        if self.has_passed() || dice.one_in(2) {
            format!("PXAT {}", self.at)
        } else {
            format!("PX {}", self.millis)
        }
    }
}

fn named(fields: &[String]) -> String {
    format!("FIELDS {} {}", fields.len(), fields.join(" "))
}

impl Hashes {
    /// The fields that are there now.
    fn live(&self, key: &str, now: i64) -> Fields {
        let fields = self.hashes.get(key).into_iter().flatten();
        fields
            .filter(|(_, (_, end))| end.is_none_or(|at| at > now))
            .map(|(f, v)| (f.clone(), v.clone()))
            .collect()
    }

    /// Sets a field; whether one was there that is past its time.
    fn set(&mut self, key: &str, field: &str, value: &str, end: Option<i64>, now: i64) -> bool {
        let fields = self.hashes.entry(key.into()).or_default();
        let old = fields.insert(field.into(), (value.into(), end));
        *self.large.entry(key.into()).or_default() |=
            fields.len() > LIMIT || field.len() > LONGEST || value.len() > LONGEST || end.is_some();
        old.is_some_and(|(_, end)| end.is_some_and(|at| at <= now))
    }

    fn remove(&mut self, key: &str, field: &str) {
        if let Some(fields) = self.hashes.get_mut(key) {
            fields.remove(field);
        }
        self.hashes.retain(|_, fields| !fields.is_empty());
        let hashes = &self.hashes;
        self.large.retain(|key, _| hashes.contains_key(key));
    }

    /// Removes those of the fields that are there, and says so by an event; how many they were.
    fn take(&mut self, step: Step, event: &str, key: &str, fields: &[String], now: i64) -> (Step, usize) {
        let mut removed = 0;
        for field in fields {
            if self.live(key, now).contains_key(field) {
                self.remove(key, field);
                removed += 1;
            }
        }
        let emptied = removed > 0 && !self.hashes.contains_key(key);
        (step.event_if(removed > 0, event, key).event_if(emptied, "del", key), removed)
    }

    fn write(&mut self, dice: &mut Dice, key: &'static str, now: i64) -> Step {
        let most = [4, 4, 12][dice.below(3)];
        let pairs: Vec<(String, String)> =
            dice.elements(most).into_iter().map(|f| (f, dice.element())).collect();
        let words: Vec<String> = pairs.iter().map(|(f, v)| format!("{f} {v}")).collect();
        // The form is chosen for all that is to come.
        *self.large.entry(key.into()).or_default() |= pairs.len() > LIMIT;
        let (mut new, mut expired) = (0, false);
        for (f, v) in &pairs {
            new += usize::from(!self.live(key, now).contains_key(f));
            expired |= self.set(key, f, v, None, now);
        }
        Step::new(format!("HSET {key} {}", words.join(" ")), int(new))
            .event_if(expired, "hexpired", key)
            .event("hset", key)
    }

    /// `HSETEX`, with what it may ask of key and fields.
    fn write_timed(&mut self, dice: &mut Dice, key: &'static str, now: i64) -> Step {
        let pairs: Vec<(String, String)> =
            dice.elements(2).into_iter().map(|f| (f, dice.element())).collect();
        let (key_wanted, wanted) =
            (dice.pick(&["", "", "", " NX", " XX"]), dice.pick(&["", "", " FNX", " FXX"]));
        let (end, kind) = (End::roll(dice, now), dice.below(3));
        let lifetime = match kind {
            0 => String::new(),
            1 => " KEEPTTL".into(),
            _ => format!(" {}", end.option(dice)),
        };
        let words: Vec<String> = pairs.iter().map(|(f, v)| format!("{f} {v}")).collect();
        let line =
            format!("HSETEX {key}{key_wanted}{wanted}{lifetime} FIELDS {} {}", pairs.len(), words.join(" "));
        let (live, there) = (self.live(key, now), self.hashes.contains_key(key));
        let holds = match wanted {
            " FNX" => pairs.iter().all(|(f, _)| !live.contains_key(f)),
            " FXX" => pairs.iter().all(|(f, _)| live.contains_key(f)),
            _ => true,
        };
        if !holds || key_wanted == " NX" && there || key_wanted == " XX" && !there {
            return Step::new(line, ":0");
        }
        if kind == 2 && end.has_passed() {
            // Fields past their time go as well here.
            for (f, _) in &pairs {
                self.remove(key, f);
            }
            let gone = !self.hashes.contains_key(key);
            let step = Step::new(line, ":1").event("hset", key).event("hexpire", key).event("hexpired", key);
            return step.event_if(gone, "del", key);
        }
        let mut expired = false;
        for (f, v) in &pairs {
            let kept = self.live(key, now).get(f).and_then(|(_, end)| *end);
            let until = [None, kept, Some(end.at)][kind];
            expired |= self.set(key, f, v, until, now);
        }
        let step = Step::new(line, ":1").event_if(expired, "hexpired", key).event("hset", key);
        step.event_if(kind == 2, "hexpire", key)
    }

    /// `HGETEX` and `HGETDEL`.
    fn read_changing(&mut self, dice: &mut Dice, key: &'static str, now: i64) -> Step {
        let (fields, live) = (dice.elements(2), self.live(key, now));
        let values: Vec<String> = fields.iter().map(|f| or_nil(live.get(f).map(|(v, _)| v))).collect();
        // What is removed is not there when it is named again.
        let once = |fields: &[String]| {
            let mut left = live.clone();
            let told = fields.iter().map(|f| or_nil(left.remove(f).map(|(v, _)| v).as_ref()));
            list(&told.collect::<Vec<_>>())
        };
        let end = End::roll(dice, now);
        match dice.below(4) {
            0 => Step::new(format!("HGETEX {key} {}", named(&fields)), list(&values)),
            1 => {
                let step = Step::new(format!("HGETDEL {key} {}", named(&fields)), once(&fields));
                self.take(step, "hdel", key, &fields, now).0
            }
            2 => {
                let mut changed = false;
                for f in &fields {
                    if let Some((v, Some(_))) = self.live(key, now).get(f) {
                        self.set(key, f, v, None, now);
                        changed = true;
                    }
                }
                let line = format!("HGETEX {key} PERSIST {}", named(&fields));
                Step::new(line, list(&values)).event_if(changed, "hpersist", key)
            }
            _ => {
                let line = format!("HGETEX {key} {} {}", end.option(dice), named(&fields));
                if end.has_passed() {
                    let step = Step::new(line, once(&fields));
                    return self.take(step, "hexpired", key, &fields, now).0;
                }
                let mut changed = false;
                for f in fields.iter().filter(|f| live.contains_key(*f)) {
                    self.set(key, f, &live[f].0, Some(end.at), now);
                    changed = true;
                }
                Step::new(line, list(&values)).event_if(changed, "hexpire", key)
            }
        }
    }

    fn expire(&mut self, dice: &mut Dice, key: &'static str, now: i64) -> Step {
        let (fields, end) = (dice.elements(2), End::roll(dice, now));
        let condition = dice.pick(&["", "", "", " NX", " XX", " GT", " LT"]);
        let line = match end.has_passed() || dice.one_in(2) {
            true => format!("HPEXPIREAT {key} {}{condition} {}", end.at, named(&fields)),
            false => format!("HPEXPIRE {key} {}{condition} {}", end.millis, named(&fields)),
        };
        let (mut codes, mut changed) = (Vec::new(), false);
        for f in &fields {
            let Some((value, old)) = self.live(key, now).get(f).cloned() else {
                codes.push(":-2".into());
                continue;
            };
            // None is later than all.
            let holds = match condition {
                " NX" => old.is_none(),
                " XX" => old.is_some(),
                " GT" => old.is_some_and(|old| end.at > old),
                " LT" => old.is_none_or(|old| end.at < old),
                _ => true,
            };
            changed |= holds;
            match (holds, end.has_passed()) {
                (false, _) => codes.push(":0".into()),
                (true, true) => {
                    self.remove(key, f);
                    codes.push(":2".into());
                }
                (true, false) => {
                    self.set(key, f, &value, Some(end.at), now);
                    codes.push(":1".into());
                }
            }
        }
        let emptied = changed && !self.hashes.contains_key(key);
        let event = if end.has_passed() { "hexpired" } else { "hexpire" };
        Step::new(line, list(&codes)).event_if(changed, event, key).event_if(emptied, "del", key)
    }

    fn persist(&mut self, dice: &mut Dice, key: &'static str, now: i64) -> Step {
        let (fields, mut changed) = (dice.elements(2), false);
        let mut persist = |f: &String| match self.live(key, now).get(f) {
            None => ":-2".into(),
            Some((_, None)) => ":-1".into(),
            Some((v, Some(_))) => {
                self.set(key, f, v, None, now);
                changed = true;
                ":1".into()
            }
        };
        let codes: Vec<String> = fields.iter().map(&mut persist).collect();
        let line = format!("HPERSIST {key} {}", named(&fields));
        Step::new(line, list(&codes)).event_if(changed, "hpersist", key)
    }

    fn count(&mut self, dice: &mut Dice, key: &'static str, field: &str, now: i64) -> Step {
        let old = self.live(key, now).get(field).cloned();
        let (number, end) = old.map_or(("0".into(), None), |(v, end)| (v, end));
        let parsed: Option<i64> = number.parse().ok().filter(|n: &i64| n.to_string() == number);
        if dice.one_in(3) {
            // Halves of small numbers are exact.
            let line = format!("HINCRBYFLOAT {key} {field} 1.5");
            return match number.parse::<f64>().ok().filter(|n| n.abs() < 1e6) {
                None if parsed.is_some() => Step::new(format!("HEXISTS {key} {field}"), ":1"),
                None if number.parse::<f64>().is_ok() => Step::new(format!("HEXISTS {key} {field}"), ":1"),
                None => Step::new(line, "-ERR hash value is not a float"),
                Some(n) => {
                    let sum = (n + 1.5).to_string();
                    let expired = self.set(key, field, &sum, end, now);
                    let step = Step::new(line, sum).event_if(expired, "hexpired", key);
                    step.event("hincrbyfloat", key)
                }
            };
        }
        let by = [7, -7][dice.below(2)];
        let line = format!("HINCRBY {key} {field} {by}");
        match parsed.map(|n| n.checked_add(by)) {
            None => Step::new(line, "-ERR hash value is not an integer"),
            Some(None) => Step::new(line, "-ERR increment or decrement would overflow"),
            Some(Some(n)) => {
                let expired = self.set(key, field, &n.to_string(), end, now);
                Step::new(line, format!(":{n}")).event_if(expired, "hexpired", key).event("hincrby", key)
            }
        }
    }

    fn read(&self, dice: &mut Dice, key: &'static str, field: &str, now: i64) -> Step {
        let fields = self.live(key, now);
        let old = fields.get(field);
        match dice.below(6) {
            0 => {
                let pairs: Vec<String> = fields.into_iter().flat_map(|(f, (v, _))| [f, v]).collect();
                Step::sorted(format!("HGETALL {key}"), &pairs)
            }
            1 => {
                let asked = dice.elements(3);
                let told: Vec<String> = asked.iter().map(|f| or_nil(fields.get(f).map(|(v, _)| v))).collect();
                Step::new(format!("HMGET {key} {}", asked.join(" ")), list(&told))
            }
            2 => {
                let asked = dice.elements(2);
                let tell = |f: &String| match fields.get(f) {
                    None => ":-2".into(),
                    Some((_, None)) => ":-1".into(),
                    Some((_, Some(at))) => format!(":{}", at - now),
                };
                let told: Vec<String> = asked.iter().map(tell).collect();
                Step::new(format!("HPTTL {key} {}", named(&asked)), list(&told))
            }
            3 => Step::new(format!("HSTRLEN {key} {field}"), int(old.map_or(0, |(v, _)| v.len()))),
            4 => Step::new(format!("HEXISTS {key} {field}"), int(old.is_some().into())),
            _ => Step::new(format!("HGET {key} {field}"), or_nil(old.map(|(v, _)| v))),
        }
    }
}

impl Model for Hashes {
    const FADES: bool = true;

    fn step(&mut self, dice: &mut Dice, now: i64) -> Step {
        let (key, field, value) = (dice.key(), dice.element(), dice.element());
        match dice.below(19) {
            0..4 => self.write(dice, key, now),
            4..6 => self.write_timed(dice, key, now),
            6 => {
                let new = !self.live(key, now).contains_key(&field);
                let expired = new && self.set(key, &field, &value, None, now);
                let step = Step::new(format!("HSETNX {key} {field} {value}"), int(new.into()));
                step.event_if(expired, "hexpired", key).event_if(new, "hset", key)
            }
            7 => {
                let mut some = dice.elements(3);
                if dice.one_in(3) {
                    some.extend(self.live(key, now).into_keys());
                }
                let step = Step::new(format!("HDEL {key} {}", some.join(" ")), "");
                let (step, removed) = self.take(step, "hdel", key, &some, now);
                Step { answer: int(removed), ..step }
            }
            8..10 => self.read_changing(dice, key, now),
            10..13 => self.expire(dice, key, now),
            13 => self.persist(dice, key, now),
            14..16 => self.count(dice, key, &field, now),
            _ => self.read(dice, key, &field, now),
        }
    }

    /// Fields past their time are there until somebody removes them, which is no business of the model.
    fn encoding(&self, key: &str) -> Option<&'static str> {
        let plain = self.hashes.get(key)?.values().all(|(_, end)| end.is_none());
        let large = self.large.get(key)?;
        plain.then_some(if *large { "hashtable" } else { "listpack" })
    }

    /// One of whose fields all are past their time is there until they are removed.
    fn holds(&self, key: &str) -> Option<bool> {
        Some(self.hashes.contains_key(key))
    }

    fn questions(key: &str) -> Vec<String> {
        let fields: Vec<String> = (0..14).flat_map(|n| [n.to_string(), format!("m{n}")]).collect();
        vec![format!("HGETALL {key}"), format!("HPEXPIRETIME {key} {}", named(&fields))]
    }
}

#[test]
fn hashes_follow_their_model() {
    follow::<Hashes>(2_000, 200);
}
