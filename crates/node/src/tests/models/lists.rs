//! Lists: deques of texts.

use super::{
    ALIEN, BTreeMap, BTreeSet, Dice, LIMIT, Model, Step, VecDeque, WRONG_TYPE, follow, int, list, or_nil,
};

/// The lists, and the keys of those that may have become large since they were made: to a full one, LSET and LINSERT make
/// room before they look.
#[derive(Default)]
struct Lists(BTreeMap<String, VecDeque<String>>, BTreeSet<String>);

/// Where an index as commands have it points to, or may end.
fn at(index: i64, len: usize) -> i64 {
    if index < 0 { index + len as i64 } else { index }
}

impl Lists {
    fn len(&self, key: &str) -> usize {
        self.0.get(key).map_or(0, VecDeque::len)
    }

    fn push(&mut self, key: &str, left: bool, element: String) {
        let list = self.0.entry(key.into()).or_default();
        if left { list.push_front(element) } else { list.push_back(element) }
    }

    fn pop(&mut self, key: &str, left: bool) -> Option<String> {
        let list = self.0.get_mut(key)?;
        let element = if left { list.pop_front() } else { list.pop_back() };
        self.0.retain(|_, list| !list.is_empty());
        element
    }
}

/// Half of them are the same few.
fn element(dice: &mut Dice) -> String {
    if dice.one_in(2) { dice.pick(&["1", "2", "m1"]).into() } else { dice.element() }
}

fn elements(dice: &mut Dice) -> Vec<String> {
    (0..=dice.below(4)).map(|_| element(dice)).collect()
}

fn side(left: bool) -> &'static str {
    if left { "LEFT" } else { "RIGHT" }
}

/// How an event or a command at an end is called.
fn at_end(left: bool, name: &str) -> String {
    format!("{}{name}", if left { "l" } else { "r" })
}

impl Lists {
    /// What is from `start` to `stop`, both counted from the end if negative.
    fn stretch(&self, key: &str, start: i64, stop: i64) -> VecDeque<String> {
        let Some(list) = self.0.get(key) else { return VecDeque::new() };
        let (start, stop) = (at(start, list.len()), at(stop, list.len()));
        list.iter().zip(0..).filter(|(_, i)| (start..=stop).contains(i)).map(|(e, _)| e.clone()).collect()
    }

    fn add(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let (left, elements, known) = (dice.one_in(2), elements(dice), self.0.contains_key(key));
        let only_there = dice.one_in(5);
        let (event, name) = (at_end(left, "push"), at_end(left, if only_there { "pushx" } else { "push" }));
        let line = format!("{} {key} {}", name.to_uppercase(), elements.join(" "));
        if only_there && !known {
            return Step::new(line, ":0");
        }
        elements.into_iter().for_each(|e| self.push(key, left, e));
        Step::new(line, int(self.len(key))).event(&event, key)
    }

    /// Takes up to `most` elements off an end; the step needs their answer.
    fn take(&mut self, line: String, key: &str, left: bool, most: usize) -> (Step, Vec<String>) {
        let there = self.0.contains_key(key);
        let taken: Vec<String> = (0..most).map_while(|_| self.pop(key, left)).collect();
        let emptied = there && !self.0.contains_key(key);
        let step = Step::new(line, "").event_if(!taken.is_empty(), &at_end(left, "pop"), key);
        (step.event_if(emptied, "del", key), taken)
    }

    fn remove(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let (left, known) = (dice.one_in(2), self.0.contains_key(key));
        // Now and then all but one.
        let most = if dice.one_in(4) { self.len(key).saturating_sub(1) } else { dice.below(5) };
        let name = at_end(left, "pop").to_uppercase();
        match dice.below(3) {
            0 => {
                let (step, taken) = self.take(format!("{name} {key}"), key, left, 1);
                Step { answer: or_nil(taken.first()), ..step }
            }
            1 => {
                let (step, taken) = self.take(format!("{name} {key} {most}"), key, left, most);
                Step { answer: if known { list(&taken) } else { "(nil)".into() }, ..step }
            }
            _ => {
                let keys = dice.sources(3);
                let words = format!("{} {} {}", keys.len(), keys.join(" "), side(left));
                let line = format!("LMPOP {words} COUNT {}", most + 1);
                match keys.iter().find(|key| **key == ALIEN || self.0.contains_key(**key)) {
                    None => Step::new(line, "(nil)"),
                    Some(&ALIEN) => Step::new(line, WRONG_TYPE),
                    Some(key) => {
                        let (step, taken) = self.take(line, key, left, most + 1);
                        Step { answer: format!("[{key} {}]", list(&taken)), ..step }
                    }
                }
            }
        }
    }

    fn transfer(&mut self, dice: &mut Dice) -> Step {
        let (mut from, mut to) = (dice.key(), dice.key());
        if dice.one_in(12) {
            *[&mut from, &mut to][dice.below(2)] = ALIEN;
        }
        let (left, to_left) = (dice.one_in(2), dice.one_in(2));
        let line = match (left, to_left) {
            (false, true) if dice.one_in(2) => format!("RPOPLPUSH {from} {to}"),
            _ => format!("LMOVE {from} {to} {} {}", side(left), side(to_left)),
        };
        if from == ALIEN || to == ALIEN && self.0.contains_key(from) {
            return Step::new(line, WRONG_TYPE);
        }
        let Some(element) = self.pop(from, left) else { return Step::new(line, "(nil)") };
        let emptied = from != to && !self.0.contains_key(from);
        self.push(to, to_left, element.clone());
        let step = Step::new(line, element).event(&at_end(to_left, "push"), to);
        step.event(&at_end(left, "pop"), from).event_if(emptied, "del", from)
    }

    fn insert(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let (pivot, element, before) = (element(dice), element(dice), dice.one_in(2));
        let line = format!("LINSERT {key} {} {pivot} {element}", if before { "BEFORE" } else { "AFTER" });
        let Some(list) = self.0.get_mut(key) else { return Step::new(line, ":0") };
        let Some(i) = list.iter().position(|e| *e == pivot) else { return Step::new(line, ":-1") };
        list.insert(if before { i } else { i + 1 }, element);
        Step::new(line, int(list.len())).event("linsert", key)
    }

    fn set(&mut self, dice: &mut Dice, key: &'static str, index: i64) -> Step {
        let (element, place) = (element(dice), usize::try_from(at(index, self.len(key))).ok());
        let line = format!("LSET {key} {index} {element}");
        let Some(list) = self.0.get_mut(key) else { return Step::new(line, "-ERR no such key") };
        match place.and_then(|i| list.get_mut(i)) {
            None => Step::new(line, "-ERR index out of range"),
            Some(old) => {
                *old = element;
                Step::new(line, "OK").event("lset", key)
            }
        }
    }

    fn remove_equal(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let (count, element) = (dice.below(7) as i64 - 3, element(dice));
        let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
        let list = self.0.entry(key.into()).or_default();
        let mut places: Vec<usize> = (0..list.len()).filter(|i| list[*i] == element).collect();
        if count < 0 {
            places.reverse();
        }
        places.truncate(most);
        let removed = places.len();
        places.sort_unstable();
        places.into_iter().rev().for_each(|i| _ = list.remove(i));
        self.0.retain(|_, list| !list.is_empty());
        let emptied = removed > 0 && !self.0.contains_key(key);
        let step = Step::new(format!("LREM {key} {count} {element}"), int(removed));
        step.event_if(removed > 0, "lrem", key).event_if(emptied, "del", key)
    }

    fn trim(&mut self, key: &'static str, start: i64, stop: i64) -> Step {
        let (kept, there) = (self.stretch(key, start, stop), self.0.contains_key(key));
        self.0.insert(key.into(), kept);
        self.0.retain(|_, list| !list.is_empty());
        let emptied = there && !self.0.contains_key(key);
        let step = Step::new(format!("LTRIM {key} {start} {stop}"), "OK");
        step.event_if(there, "ltrim", key).event_if(emptied, "del", key)
    }

    fn position(&self, dice: &mut Dice, key: &'static str) -> Step {
        let (element, rank): (_, i64) = (element(dice), [1, 2, 3, -1, -2, -3][dice.below(6)]);
        let (among, count) = ([0, 1, 4, 10][dice.below(4)], [None, Some(0), Some(1), Some(2)][dice.below(4)]);
        let mut line = format!("LPOS {key} {element} RANK {rank} MAXLEN {among}");
        let empty = VecDeque::new();
        let items = self.0.get(key).unwrap_or(&empty);
        let mut looked: Vec<usize> = (0..items.len()).collect();
        if rank < 0 {
            looked.reverse();
        }
        looked.truncate(if among == 0 { usize::MAX } else { among });
        let found: Vec<String> = looked.into_iter().filter(|i| items[*i] == element).map(int).collect();
        let mut found = found.into_iter().skip(rank.unsigned_abs() as usize - 1);
        let Some(count) = count else { return Step::new(line, or_nil(found.next().as_ref())) };
        line += &format!(" COUNT {count}");
        let told: Vec<String> = found.take(if count == 0 { usize::MAX } else { count }).collect();
        Step::new(line, list(&told))
    }

    fn choose(&mut self, dice: &mut Dice) -> Step {
        let key = dice.key();
        let (index, stop) = (dice.below(28) as i64 - 14, dice.below(28) as i64 - 14);
        let len = self.len(key);
        match dice.below(20) {
            0..6 => self.add(dice, key),
            6..8 => self.remove(dice, key),
            8..10 => self.transfer(dice),
            10 => {
                let items: Vec<String> = self.stretch(key, index, stop).into();
                Step::new(format!("LRANGE {key} {index} {stop}"), list(&items))
            }
            11 => {
                let place = usize::try_from(at(index, len)).ok();
                let found = place.and_then(|i| self.0.get(key)?.get(i));
                Step::new(format!("LINDEX {key} {index}"), or_nil(found))
            }
            12 => self.set(dice, key, index),
            13..15 => self.insert(dice, key),
            15 => self.remove_equal(dice, key),
            16..18 => self.position(dice, key),
            18 if len > 12 || dice.one_in(8) => self.trim(key, index, stop),
            _ => Step::new(format!("LLEN {key}"), int(len)),
        }
    }
}

impl Model for Lists {
    const SETUP: &'static [&'static str] = &["SADD alien x"];

    fn step(&mut self, dice: &mut Dice, _now: i64) -> Step {
        let step = self.choose(dice);
        let Lists(lists, large) = self;
        large.retain(|key| lists.contains_key(key));
        large.extend(lists.iter().filter(|(_, list)| list.len() >= LIMIT).map(|(key, _)| key.clone()));
        step
    }

    /// When a list shrinks it stays large for a while, so only what is certain is told.
    fn encoding(&self, key: &str) -> Option<&'static str> {
        match self.len(key) {
            0 => None,
            1..=LIMIT => (!self.1.contains(key)).then_some("listpack"),
            _ => Some("quicklist"),
        }
    }

    fn holds(&self, key: &str) -> Option<bool> {
        Some(self.0.contains_key(key))
    }

    fn looks(&mut self, key: &'static str, _now: i64) -> Vec<Step> {
        let items: Vec<String> = self.0.get(key).into_iter().flatten().cloned().collect();
        vec![Step::new(format!("LRANGE {key} 0 -1"), list(&items))]
    }
}

#[test]
fn lists_follow_their_model() {
    follow::<Lists>(2_000, 200);
}
