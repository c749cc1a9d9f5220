//! Lists: deques of texts.

use super::{BTreeMap, BTreeSet, Dice, LIMIT, Model, Step, VecDeque, follow, int, list, or_nil};

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

impl Lists {
    fn choose(&mut self, dice: &mut Dice) -> Step {
        let (key, other, element) = (dice.key(), dice.key(), dice.element());
        let (left, to_left) = (dice.below(2) == 0, dice.below(2) == 0);
        let side = |left| if left { "LEFT" } else { "RIGHT" };
        let index = dice.below(20) as i64 - 10;
        let stop = dice.below(20) as i64 - 10;
        let len = self.len(key);
        let range = at(index, len).max(0)..(at(stop, len) + 1).min(len as i64);
        match dice.below(12) {
            0..4 => {
                let elements = dice.elements(4);
                elements.iter().for_each(|e| self.push(key, left, e.clone()));
                let name = if left { "LPUSH" } else { "RPUSH" };
                Step::new(format!("{name} {key} {}", elements.join(" ")), int(self.len(key)))
            }
            4 => {
                let name = if left { "LPOP" } else { "RPOP" };
                Step::new(format!("{name} {key}"), or_nil(self.pop(key, left).as_ref()))
            }
            5 => {
                let moved = self.pop(key, left);
                if let Some(element) = &moved {
                    self.push(other, to_left, element.clone());
                }
                Step::new(
                    format!("LMOVE {key} {other} {} {}", side(left), side(to_left)),
                    or_nil(moved.as_ref()),
                )
            }
            6 => {
                let items: Vec<String> = match self.0.get(key) {
                    Some(l) if !range.is_empty() => {
                        l.range(range.start as usize..range.end as usize).cloned().collect()
                    }
                    _ => Vec::new(),
                };
                Step::new(format!("LRANGE {key} {index} {stop}"), list(&items))
            }
            7 => {
                let place = usize::try_from(at(index, len)).ok();
                let found = place.and_then(|i| self.0.get(key)?.get(i));
                Step::new(format!("LINDEX {key} {index}"), or_nil(found))
            }
            8 => {
                let place = usize::try_from(at(index, len)).ok();
                let answer = match self.0.get_mut(key) {
                    None => "-ERR no such key",
                    Some(list) => match place.and_then(|i| list.get_mut(i)) {
                        None => "-ERR index out of range",
                        Some(old) => {
                            old.clone_from(&element);
                            "OK"
                        }
                    },
                };
                Step::new(format!("LSET {key} {index} {element}"), answer)
            }
            9 => {
                let pivot = dice.element();
                let found = self.0.get(key).map(|l| l.iter().position(|e| *e == pivot));
                let answer = match found {
                    None => ":0".into(),
                    Some(None) => ":-1".into(),
                    Some(Some(i)) => {
                        let list = self.0.get_mut(key).expect("there");
                        list.insert(if left { i } else { i + 1 }, element.clone());
                        int(list.len())
                    }
                };
                let side = if left { "BEFORE" } else { "AFTER" };
                Step::new(format!("LINSERT {key} {side} {pivot} {element}"), answer)
            }
            10 => {
                let count = dice.below(5) as i64 - 2;
                let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
                let mut removed = 0;
                if let Some(list) = self.0.get_mut(key) {
                    let mut places: Vec<usize> = (0..list.len()).filter(|i| list[*i] == element).collect();
                    if count < 0 {
                        places.reverse();
                    }
                    places.truncate(most);
                    removed = places.len();
                    places.sort_unstable();
                    for i in places.into_iter().rev() {
                        list.remove(i);
                    }
                }
                self.0.retain(|_, list| !list.is_empty());
                Step::new(format!("LREM {key} {count} {element}"), int(removed))
            }
            _ if len > 12 => {
                let kept: VecDeque<String> = match self.0.get(key) {
                    Some(l) if !range.is_empty() => {
                        l.range(range.start as usize..range.end as usize).cloned().collect()
                    }
                    _ => VecDeque::new(),
                };
                self.0.insert(key.into(), kept);
                self.0.retain(|_, list| !list.is_empty());
                Step::new(format!("LTRIM {key} {index} {stop}"), "OK")
            }
            _ => Step::new(format!("LLEN {key}"), int(len)),
        }
    }
}

impl Model for Lists {
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
}

#[test]
fn lists_follow_their_model() {
    follow::<Lists>(60, 200);
}
