//! Sorted sets: maps from members to scores, sorted when asked. Scores are quarters, so that sums are exact.

use super::{BTreeMap, Dice, LIMIT, LONGEST, Model, Step, follow, int, list};

#[derive(Default)]
struct SortedSets {
    sets: BTreeMap<String, BTreeMap<String, f64>>,
    large: BTreeMap<String, bool>,
}

fn text(score: f64) -> String {
    score.to_string()
}

impl SortedSets {
    fn ordered(&self, key: &str) -> Vec<(String, f64)> {
        let mut all: Vec<_> =
            self.sets.get(key).into_iter().flatten().map(|(m, s)| (m.clone(), *s)).collect();
        all.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        all
    }

    /// Sets a score; whether the member is new.
    fn set(&mut self, key: &str, member: &str, score: f64) -> bool {
        let set = self.sets.entry(key.into()).or_default();
        let new = set.insert(member.into(), score).is_none();
        *self.large.entry(key.into()).or_default() |= set.len() > LIMIT || new && member.len() > LONGEST;
        new
    }

    fn remove(&mut self, key: &str, member: &str) -> bool {
        let removed = self.sets.get_mut(key).is_some_and(|set| set.remove(member).is_some());
        self.sets.retain(|_, set| !set.is_empty());
        let sets = &self.sets;
        self.large.retain(|key, _| sets.contains_key(key));
        removed
    }
}

fn flat(pairs: &[(String, f64)]) -> String {
    let words: Vec<String> = pairs.iter().flat_map(|(m, s)| [m.clone(), text(*s)]).collect();
    list(&words)
}

impl Model for SortedSets {
    fn step(&mut self, dice: &mut Dice, _now: i64) -> Step {
        let (key, other, member) = (dice.key(), dice.key(), dice.element());
        let score = |dice: &mut Dice| dice.below(40) as f64 / 4.0 - 2.0;
        let (low, high) = (score(dice), score(dice));
        let old = self.sets.get(key).and_then(|set| set.get(&member)).copied();
        let all = self.ordered(key);
        match dice.below(13) {
            0..4 => {
                let pairs: Vec<(String, f64)> =
                    dice.elements(4).into_iter().map(|m| (m, score(dice))).collect();
                let new = pairs.iter().filter(|(m, s)| self.set(key, m, *s)).count();
                let words: Vec<String> = pairs.iter().map(|(m, s)| format!("{} {m}", text(*s))).collect();
                Step::new(format!("ZADD {key} {}", words.join(" ")), int(new))
            }
            4 => {
                let mut changed = false;
                if old.is_none_or(|old| low > old) {
                    self.set(key, &member, low);
                    changed = true;
                }
                Step::new(format!("ZADD {key} GT CH {low} {member}"), int(changed.into()))
            }
            5 => {
                let new = old.unwrap_or(0.0) + low;
                self.set(key, &member, new);
                Step::new(format!("ZINCRBY {key} {low} {member}"), text(new))
            }
            6 => Step::new(format!("ZREM {key} {member}"), int(self.remove(key, &member).into())),
            7 => {
                let rank = all.iter().position(|(m, _)| *m == member);
                Step::new(format!("ZRANK {key} {member}"), rank.map_or("(nil)".into(), int))
            }
            8 => Step::new(format!("ZRANGE {key} 0 -1 WITHSCORES"), flat(&all)),
            9 => {
                let within: Vec<_> =
                    all.into_iter().rev().filter(|(_, s)| (low..=high).contains(s)).collect();
                Step::new(format!("ZRANGE {key} {high} {low} BYSCORE REV WITHSCORES"), flat(&within))
            }
            10 => {
                let (line, popped) = match dice.below(2) {
                    0 => (format!("ZPOPMIN {key} 2"), all.into_iter().take(2).collect::<Vec<_>>()),
                    _ => (format!("ZPOPMAX {key} 2"), all.into_iter().rev().take(2).collect()),
                };
                popped.iter().for_each(|(m, _)| {
                    self.remove(key, m);
                });
                Step::new(line, flat(&popped))
            }
            11 => {
                let gone: Vec<_> = all.into_iter().filter(|(_, s)| (low..=low + 1.0).contains(s)).collect();
                gone.iter().for_each(|(m, _)| {
                    self.remove(key, m);
                });
                Step::new(format!("ZREMRANGEBYSCORE {key} {low} {}", low + 1.0), int(gone.len()))
            }
            _ => {
                let two = self.sets.get(other).cloned().unwrap_or_default();
                let mut both: Vec<_> =
                    all.iter().filter_map(|(m, s)| Some((m.clone(), s + two.get(m)? * 2.0))).collect();
                both.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
                Step::new(format!("ZINTER 2 {key} {other} WEIGHTS 1 2 WITHSCORES"), flat(&both))
            }
        }
    }

    fn encoding(&self, key: &str) -> Option<&'static str> {
        self.large.get(key).map(|large| if *large { "skiplist" } else { "listpack" })
    }
}

#[test]
fn sorted_sets_follow_their_model() {
    follow::<SortedSets>(60, 200);
}
