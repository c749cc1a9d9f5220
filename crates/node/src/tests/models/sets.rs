//! Sets: ordered sets of texts.

use super::{BTreeMap, BTreeSet, Dice, LIMIT, LONGEST, Model, Step, follow, int};

#[derive(Default)]
struct Sets {
    sets: BTreeMap<String, BTreeSet<String>>,
    encodings: BTreeMap<String, &'static str>,
}

fn is_integer(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|n| n.to_string() == text)
}

impl Sets {
    fn get(&self, key: &str) -> BTreeSet<String> {
        self.sets.get(key).cloned().unwrap_or_default()
    }

    /// Adds one, as the encodings go: they grow, and never shrink.
    fn add(&mut self, key: &str, member: &str) -> bool {
        let set = self.sets.entry(key.into()).or_default();
        let first = if is_integer(member) { "intset" } else { "listpack" };
        let encoding = self.encodings.entry(key.into()).or_insert(first);
        let added = set.insert(member.into());
        if added {
            *encoding = match *encoding {
                "intset" if is_integer(member) && set.len() <= LIMIT => "intset",
                "intset" if is_integer(member) => "hashtable",
                "intset" | "listpack" if set.len() <= LIMIT && member.len() <= LONGEST => "listpack",
                _ => "hashtable",
            };
        }
        added
    }

    fn remove(&mut self, key: &str, member: &str) -> bool {
        let removed = self.sets.get_mut(key).is_some_and(|set| set.remove(member));
        self.sets.retain(|_, set| !set.is_empty());
        let sets = &self.sets;
        self.encodings.retain(|key, _| sets.contains_key(key));
        removed
    }
}

impl Model for Sets {
    fn step(&mut self, dice: &mut Dice, _now: i64) -> Step {
        let (key, other, member) = (dice.key(), dice.key(), dice.element());
        match dice.below(12) {
            0..4 => {
                let members = dice.elements(4);
                let added = members.iter().filter(|m| self.add(key, m)).count();
                Step::new(format!("SADD {key} {}", members.join(" ")), int(added))
            }
            4 => {
                let members = dice.elements(4);
                let removed = members.iter().filter(|m| self.remove(key, m)).count();
                Step::new(format!("SREM {key} {}", members.join(" ")), int(removed))
            }
            5 => Step::new(format!("SISMEMBER {key} {member}"), int(self.get(key).contains(&member).into())),
            6 => {
                let members: Vec<String> = self.get(key).into_iter().collect();
                Step::sorted(format!("SMEMBERS {key}"), &members)
            }
            7 => {
                let there = self.get(key).contains(&member);
                if there && key != other {
                    self.remove(key, &member);
                    self.add(other, &member);
                }
                Step::new(format!("SMOVE {key} {other} {member}"), int(there.into()))
            }
            8 => {
                let (one, two) = (self.get(key), self.get(other));
                let (name, members): (_, Vec<String>) = match dice.below(3) {
                    0 => ("SINTER", one.intersection(&two).cloned().collect()),
                    1 => ("SUNION", one.union(&two).cloned().collect()),
                    _ => ("SDIFF", one.difference(&two).cloned().collect()),
                };
                Step::sorted(format!("{name} {key} {other}"), &members)
            }
            9 => {
                let common = self.get(key).intersection(&self.get(other)).count();
                Step::new(format!("SINTERCARD 2 {key} {other}"), int(common))
            }
            10 if self.get(key).len() > 12 => {
                self.sets.remove(key);
                self.encodings.remove(key);
                Step::new(format!("DEL {key}"), ":1")
            }
            _ => Step::new(format!("SCARD {key}"), int(self.get(key).len())),
        }
    }

    fn encoding(&self, key: &str) -> Option<&'static str> {
        self.encodings.get(key).copied()
    }
}

#[test]
fn sets_follow_their_model() {
    follow::<Sets>(60, 200);
}
