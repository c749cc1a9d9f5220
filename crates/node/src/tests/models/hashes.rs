//! Hashes: maps from fields to values, each with the moment of its end.

use super::{BTreeMap, Dice, LIMIT, LONGEST, Model, Step, follow, int, or_nil};

#[derive(Default)]
struct Hashes {
    hashes: BTreeMap<String, BTreeMap<String, (String, Option<i64>)>>,
    large: BTreeMap<String, bool>,
}

impl Hashes {
    /// The fields that are there now.
    fn live(&self, key: &str, now: i64) -> BTreeMap<String, (String, Option<i64>)> {
        let fields = self.hashes.get(key).into_iter().flatten();
        fields
            .filter(|(_, (_, end))| end.is_none_or(|at| at > now))
            .map(|(f, v)| (f.clone(), v.clone()))
            .collect()
    }

    fn set(&mut self, key: &str, field: &str, value: &str, end: Option<i64>) {
        let fields = self.hashes.entry(key.into()).or_default();
        fields.insert(field.into(), (value.into(), end));
        *self.large.entry(key.into()).or_default() |=
            fields.len() > LIMIT || field.len() > LONGEST || value.len() > LONGEST || end.is_some();
    }

    fn remove(&mut self, key: &str, field: &str) {
        if let Some(fields) = self.hashes.get_mut(key) {
            fields.remove(field);
        }
        self.hashes.retain(|_, fields| !fields.is_empty());
        let hashes = &self.hashes;
        self.large.retain(|key, _| hashes.contains_key(key));
    }
}

impl Model for Hashes {
    fn step(&mut self, dice: &mut Dice, now: i64) -> Step {
        let (key, field, value) = (dice.key(), dice.element(), dice.element());
        let fields = self.live(key, now);
        let old = fields.get(&field).cloned();
        match dice.below(14) {
            0..4 => {
                let pairs: Vec<(String, String)> =
                    dice.elements(4).into_iter().map(|f| (f, dice.element())).collect();
                let mut new = 0;
                for (f, v) in &pairs {
                    new += usize::from(!self.live(key, now).contains_key(f));
                    self.set(key, f, v, None);
                }
                let words: Vec<String> = pairs.iter().map(|(f, v)| format!("{f} {v}")).collect();
                Step::new(format!("HSET {key} {}", words.join(" ")), int(new))
            }
            4 => {
                if old.is_none() {
                    self.set(key, &field, &value, None);
                }
                Step::new(format!("HSETNX {key} {field} {value}"), int(old.is_none().into()))
            }
            5 => {
                let some = dice.elements(3);
                let mut removed = 0;
                for f in &some {
                    if self.live(key, now).contains_key(f) {
                        self.remove(key, f);
                        removed += 1;
                    }
                }
                Step::new(format!("HDEL {key} {}", some.join(" ")), int(removed))
            }
            6 => Step::new(format!("HGET {key} {field}"), or_nil(old.map(|(v, _)| v).as_ref())),
            7 => {
                let pairs: Vec<String> = fields.into_iter().flat_map(|(f, (v, _))| [f, v]).collect();
                Step::sorted(format!("HGETALL {key}"), &pairs)
            }
            8 => {
                let (number, end) = old.map_or(("0".into(), None), |(v, end)| (v, end));
                let number: Option<i64> = number.parse().ok().filter(|n: &i64| n.to_string() == number);
                let answer = match number.map(|n| n.checked_add(7)) {
                    None => "-ERR hash value is not an integer".into(),
                    Some(None) => "-ERR increment or decrement would overflow".into(),
                    Some(Some(n)) => {
                        self.set(key, &field, &n.to_string(), end);
                        format!(":{n}")
                    }
                };
                Step::new(format!("HINCRBY {key} {field} 7"), answer)
            }
            9 | 10 => {
                let millis = [5, 50, 5000][dice.below(3)];
                let answer = match old {
                    None => "[:-2]",
                    Some((v, _)) => {
                        self.set(key, &field, &v, Some(now + millis));
                        "[:1]"
                    }
                };
                Step::new(format!("HPEXPIRE {key} {millis} FIELDS 1 {field}"), answer)
            }
            11 => {
                let answer = match old {
                    None => "[:-2]".into(),
                    Some((_, None)) => "[:-1]".into(),
                    Some((_, Some(at))) => format!("[:{}]", at - now),
                };
                Step::new(format!("HPTTL {key} FIELDS 1 {field}"), answer)
            }
            12 => {
                let answer = match old {
                    None => "[:-2]",
                    Some((_, None)) => "[:-1]",
                    Some((v, _)) => {
                        self.set(key, &field, &v, None);
                        "[:1]"
                    }
                };
                Step::new(format!("HPERSIST {key} FIELDS 1 {field}"), answer)
            }
            _ => Step::new(format!("HEXISTS {key} {field}"), int(old.is_some().into())),
        }
    }

    /// Fields past their time are there until somebody removes them, which is no business of the model.
    fn encoding(&self, key: &str) -> Option<&'static str> {
        let plain = self.hashes.get(key)?.values().all(|(_, end)| end.is_none());
        let large = self.large.get(key)?;
        plain.then_some(if *large { "hashtable" } else { "listpack" })
    }
}

#[test]
fn hashes_follow_their_model() {
    follow::<Hashes>(60, 200);
}
