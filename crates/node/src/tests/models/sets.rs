//! Sets: ordered sets of texts.

use super::{
    ALIEN, BTreeMap, BTreeSet, Dice, KEYS, LIMIT, LONGEST, Model, Step, WRONG_TYPE, follow, int, list,
};

#[derive(Default)]
struct Sets {
    sets: BTreeMap<String, BTreeSet<String>>,
    /// `None` if it depends on how a set was computed.
    encodings: BTreeMap<String, Option<&'static str>>,
}

fn is_integer(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|n| n.to_string() == text)
}

/// For one of the keys mostly an integer, so that those do meet.
fn member(dice: &mut Dice, key: &str) -> String {
    if key == KEYS[1] && !dice.one_in(24) { dice.below(14).to_string() } else { dice.element() }
}

impl Sets {
    fn get(&self, key: &str) -> BTreeSet<String> {
        self.sets.get(key).cloned().unwrap_or_default()
    }

    /// One that may be there.
    fn some_member(&self, dice: &mut Dice, key: &str) -> String {
        let members: Vec<String> = self.get(key).into_iter().collect();
        if members.is_empty() || dice.one_in(2) {
            member(dice, key)
        } else {
            members[dice.below(members.len())].clone()
        }
    }

    /// Adds one, as the encodings go: they grow, and never shrink.
    fn add(&mut self, key: &str, member: &str) -> bool {
        let set = self.sets.entry(key.into()).or_default();
        let first = if is_integer(member) { "intset" } else { "listpack" };
        let encoding = self.encodings.entry(key.into()).or_insert(Some(first));
        let added = set.insert(member.into());
        if added {
            *encoding = match *encoding {
                Some("intset") if is_integer(member) && set.len() <= LIMIT => Some("intset"),
                Some("intset") if is_integer(member) => Some("hashtable"),
                Some("intset" | "listpack") if set.len() <= LIMIT && member.len() <= LONGEST => {
                    Some("listpack")
                }
                None if set.len() <= LIMIT && member.len() <= LONGEST => None,
                _ => Some("hashtable"),
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

    /// The step of a command that takes those out of the set.
    fn removal(&mut self, line: String, event: &str, key: &str, members: &[String]) -> (Step, usize) {
        let removed = members.iter().filter(|m| self.remove(key, m)).count();
        let emptied = removed > 0 && !self.sets.contains_key(key);
        let step = Step::new(line, int(removed)).event_if(removed > 0, event, key);
        (step.event_if(emptied, "del", key), removed)
    }

    fn transfer(&mut self, dice: &mut Dice) -> Step {
        let (mut from, mut to) = (dice.key(), dice.key());
        if dice.one_in(12) {
            *[&mut from, &mut to][dice.below(2)] = ALIEN;
        }
        let member = self.some_member(dice, from);
        let line = format!("SMOVE {from} {to} {member}");
        if from == ALIEN || to == ALIEN && self.sets.contains_key(from) {
            return Step::new(line, WRONG_TYPE);
        }
        let there = self.get(from).contains(&member);
        if !there || from == to {
            return Step::new(line, int(there.into()));
        }
        let (step, _) = self.removal(line, "srem", from, std::slice::from_ref(&member));
        let added = self.add(to, &member);
        step.event_if(added, "sadd", to)
    }

    fn combine(&mut self, dice: &mut Dice) -> Step {
        let mut keys = dice.sources(3);
        let operation = dice.below(4);
        if operation == 1 && dice.one_in(2) {
            // What is much larger than the others is copied, and they are taken away.
            keys = KEYS.to_vec();
            keys.sort_by_key(|key| std::cmp::Reverse(self.get(key).len()));
        }
        let (wrong, words) = (keys.contains(&ALIEN), keys.join(" "));
        let sets: Vec<BTreeSet<String>> = keys.iter().map(|key| self.get(key)).collect();
        let (first, others) = sets.split_first().expect("one at least");
        let (name, result): (_, BTreeSet<String>) = match operation {
            0 => ("SUNION", sets.iter().flatten().cloned().collect()),
            1 => (
                "SDIFF",
                first.iter().filter(|m| !others.iter().any(|set| set.contains(*m))).cloned().collect(),
            ),
            _ => (
                "SINTER",
                first.iter().filter(|m| others.iter().all(|set| set.contains(*m))).cloned().collect(),
            ),
        };
        if name == "SINTER" && dice.one_in(3) {
            let limit = dice.below(4);
            let most = if limit == 0 { usize::MAX } else { limit };
            let line = format!("SINTERCARD {} {words} LIMIT {limit}", keys.len());
            return Step::new(line, if wrong { WRONG_TYPE.into() } else { int(result.len().min(most)) });
        }
        let members: Vec<String> = result.into_iter().collect();
        if dice.one_in(2) {
            let to = dice.key();
            let line = format!("{name}STORE {to} {words}");
            return if wrong { Step::new(line, WRONG_TYPE) } else { self.store(line, name, to, &members) };
        }
        match wrong {
            true => Step::new(format!("{name} {words}"), WRONG_TYPE),
            false => Step::sorted(format!("{name} {words}"), &members),
        }
    }

    fn store(&mut self, line: String, name: &str, to: &'static str, members: &[String]) -> Step {
        let was_there = self.sets.remove(to).is_some();
        self.encodings.remove(to);
        members.iter().for_each(|member| _ = self.add(to, member));
        if let Some(encoding) = self.encodings.get_mut(to).filter(|_| name == "SDIFF") {
            // It may be that of the set which members were taken from.
            *encoding = None;
        }
        let event = format!("{}store", name.to_lowercase());
        Step::new(line, int(members.len())).stored(&event, to, !members.is_empty(), was_there)
    }

    /// All that is there, which leaves no choice.
    fn pop(&mut self, key: &'static str, more: usize) -> Step {
        let members: Vec<String> = self.get(key).into_iter().collect();
        let line = format!("SPOP {key} {}", members.len() + more);
        let (step, _) = self.removal(line, "spop", key, &members);
        Step { answer: list(&members), sorted: true, ..step }
    }
}

impl Model for Sets {
    fn step(&mut self, dice: &mut Dice, _now: i64) -> Step {
        let key = dice.key();
        match dice.below(16) {
            0..4 => {
                let members: Vec<String> = (0..=dice.below(4)).map(|_| member(dice, key)).collect();
                let added = members.iter().filter(|m| self.add(key, m)).count();
                Step::new(format!("SADD {key} {}", members.join(" ")), int(added)).event_if(
                    added > 0,
                    "sadd",
                    key,
                )
            }
            4 => {
                let members = dice.elements(6);
                self.removal(format!("SREM {key} {}", members.join(" ")), "srem", key, &members).0
            }
            5 => {
                let member = self.some_member(dice, key);
                Step::new(format!("SISMEMBER {key} {member}"), int(self.get(key).contains(&member).into()))
            }
            6 => {
                let (asked, set) = (dice.elements(3), self.get(key));
                let told: Vec<String> = asked.iter().map(|m| int(set.contains(m).into())).collect();
                Step::new(format!("SMISMEMBER {key} {}", asked.join(" ")), list(&told))
            }
            7 => {
                let members: Vec<String> = self.get(key).into_iter().collect();
                Step::sorted(format!("SMEMBERS {key}"), &members)
            }
            8..10 => self.transfer(dice),
            10..14 => self.combine(dice),
            14 if self.get(key).len() > 10 || dice.one_in(3) => self.pop(key, dice.below(2)),
            _ => Step::new(format!("SCARD {key}"), int(self.get(key).len())),
        }
    }

    fn encoding(&self, key: &str) -> Option<&'static str> {
        self.encodings.get(key).copied().flatten()
    }

    fn holds(&self, key: &str) -> Option<bool> {
        Some(self.sets.contains_key(key))
    }
}

#[test]
fn sets_follow_their_model() {
    follow::<Sets>(2_000, 200);
}
