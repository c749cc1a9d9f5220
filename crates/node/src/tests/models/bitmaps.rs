//! Bitmaps: lists of bits.

use super::{ALIEN, BTreeMap, Dice, Model, Step, WRONG_TYPE, follow, int, list};

#[derive(Default)]
struct Bitmaps {
    /// Whole bytes, never none.
    bits: BTreeMap<String, Vec<bool>>,
    /// The encodings of strings that nothing was to write to since they were set; the others are `raw`.
    untouched: BTreeMap<String, &'static str>,
}

/// An integer type, as `BITFIELD` names it.
#[derive(Clone, Copy)]
struct Kind {
    signed: bool,
    width: u32,
}

impl Kind {
    fn roll(dice: &mut Dice) -> Kind {
        let signed = dice.below(2) == 0;
        let most = if signed { 64 } else { 63 };
        let width = [1, 2, 5, 8, 13, 16, 31, 32, 33, 62, 63, most][dice.below(12)];
        Kind { signed, width }
    }

    fn name(self) -> String {
        format!("{}{}", if self.signed { 'i' } else { 'u' }, self.width)
    }

    fn least(self) -> i128 {
        if self.signed { -(1 << (self.width - 1)) } else { 0 }
    }

    fn most(self) -> i128 {
        self.least() + (1 << self.width) - 1
    }

    /// The value of the type that differs from `n` by a multiple of the number of its values.
    fn wrap(self, n: i128) -> i128 {
        (n - self.least()).rem_euclid(1 << self.width) + self.least()
    }
}

fn bits_of(text: &str) -> Vec<bool> {
    text.bytes().flat_map(|byte| (0..8).map(move |at| byte & (0x80 >> at) != 0)).collect()
}

impl Bitmaps {
    fn get(&self, key: &str) -> Vec<bool> {
        self.bits.get(key).cloned().unwrap_or_default()
    }

    /// Makes the bytes up to bit `end` be there.
    fn reach(&mut self, key: &str, end: usize) {
        let bits = self.bits.entry(key.into()).or_default();
        bits.resize(bits.len().max(end.next_multiple_of(8)), false);
    }

    fn read(&self, key: &str, at: usize, kind: Kind) -> i128 {
        let bits = self.get(key);
        let bit = |i| i128::from(bits.get(i).copied().unwrap_or(false));
        let raw = (at..at + kind.width as usize).fold(0, |n, i| n * 2 + bit(i));
        kind.wrap(raw)
    }

    fn write(&mut self, key: &str, at: usize, kind: Kind, n: i128) {
        self.reach(key, at + kind.width as usize);
        let bits = self.bits.get_mut(key).expect("just made");
        for i in 0..kind.width {
            bits[at + i as usize] = n >> (kind.width - 1 - i) & 1 == 1;
        }
    }

    fn count(&self, dice: &mut Dice, key: &str) -> Step {
        let bits = self.get(key);
        let (words, range) = stretch(dice, bits.len(), true);
        let count = range.map_or(0, |(from, to)| bits[from..=to].iter().filter(|bit| **bit).count());
        Step::new(format!("BITCOUNT {key}{words}"), int(count))
    }

    fn position(&self, dice: &mut Dice, key: &str) -> Step {
        let (bits, on) = (self.get(key), dice.below(2) == 1);
        let (words, range) = stretch(dice, bits.len(), false);
        let has_end = words.split(' ').count() > 2;
        let found = range.map(|(from, to)| (from..=to).find(|at| bits[*at] == on));
        let answer = match found {
            // Nothing but zeros is where nothing is.
            _ if bits.is_empty() => {
                if on {
                    -1
                } else {
                    0
                }
            }
            Some(Some(at)) => at as i64,
            // Behind the end there are zeros, if the search may go there.
            Some(None) if !on && !has_end => bits.len() as i64,
            _ => -1,
        };
        Step::new(format!("BITPOS {key} {}{words}", u8::from(on)), format!(":{answer}"))
    }

    fn combine(&mut self, dice: &mut Dice) -> Step {
        let (to, name) = (dice.key(), dice.pick(&["AND", "OR", "XOR", "NOT"]));
        let sources = dice.sources(if name == "NOT" { 1 } else { 4 });
        let line = format!("BITOP {name} {to} {}", sources.join(" "));
        if sources.contains(&ALIEN) {
            return Step::new(line, WRONG_TYPE);
        }
        let inputs: Vec<Vec<bool>> = sources.iter().map(|key| self.get(key)).collect();
        let len = inputs.iter().map(Vec::len).max().unwrap_or(0);
        let bit = |i: usize| {
            let mut each = inputs.iter().map(|bits| bits.get(i).copied().unwrap_or(false));
            match name {
                "AND" => each.all(|bit| bit),
                "OR" => each.any(|bit| bit),
                "XOR" => each.filter(|bit| *bit).count() % 2 == 1,
                _ => !each.any(|bit| bit),
            }
        };
        let result: Vec<bool> = (0..len).map(bit).collect();
        let was_there = self.bits.remove(to).is_some();
        self.untouched.remove(to);
        if len > 0 {
            self.bits.insert(to.into(), result);
        }
        Step::new(line, int(len / 8)).stored("set", to, len > 0, was_there)
    }

    fn fields(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let (mut line, mut answers) = (format!("BITFIELD {key}"), Vec::new());
        let (mut overflow, mut end, mut changed, mut written) = ("WRAP", 0, false, false);
        let before = self.get(key).len();
        for _ in 0..=dice.below(4) {
            if dice.below(3) == 0 {
                overflow = dice.pick(&["WRAP", "SAT", "FAIL"]);
                line += &format!(" OVERFLOW {overflow}");
            }
            let kind = Kind::roll(dice);
            let (shown, at) = match dice.below(2) {
                0 => {
                    let n = dice.below(4);
                    (format!("#{n}"), n * kind.width as usize)
                }
                _ => {
                    let n = dice.below(90);
                    (n.to_string(), n)
                }
            };
            let (old, name) = (self.read(key, at, kind), kind.name());
            let n = [0, 1, -1, 5, -100, 255, 70_000, i64::MAX, i64::MIN][dice.below(9)];
            let (sets, wanted) = match dice.below(3) {
                0 => {
                    line += &format!(" GET {name} {shown}");
                    answers.push(format!(":{old}"));
                    continue;
                }
                // What is set in an unsigned field is an unsigned number of 64 bits.
                1 => (true, if kind.signed { i128::from(n) } else { i128::from(n as u64) }),
                _ => (false, old + i128::from(n)),
            };
            line += &format!(" {} {name} {shown} {n}", if sets { "SET" } else { "INCRBY" });
            end = end.max(at + kind.width as usize);
            let new = match overflow {
                _ if (kind.least()..=kind.most()).contains(&wanted) => Some(wanted),
                "WRAP" => Some(kind.wrap(wanted)),
                "SAT" => Some(wanted.clamp(kind.least(), kind.most())),
                _ => None,
            };
            if let Some(new) = new {
                written = true;
                if new != old {
                    changed = true;
                    self.write(key, at, kind, new);
                }
            }
            answers.push(new.map_or("(nil)".into(), |new| format!(":{}", if sets { old } else { new })));
        }
        changed |= written && end > before;
        if changed {
            // It reaches as far as the steps that were to write, those that have failed too.
            self.reach(key, end);
        }
        if end > 0 {
            self.untouched.remove(key);
        }
        Step::new(line, list(&answers)).event_if(changed, "setbit", key)
    }
}

/// The words for a part of so many bits, and its first and last bit if there are any.
fn stretch(dice: &mut Dice, bits: usize, whole: bool) -> (String, Option<(usize, usize)>) {
    let place = |dice: &mut Dice| [0, 1, 2, 5, 9, 40, 500, -1, -2, -5, -9, -40, -500][dice.below(13)];
    let (start, end): (i64, i64) = (place(dice), place(dice));
    let (words, last, unit) = match dice.below(5) {
        0 => (String::new(), -1, 8),
        // Only since Valkey 8.1 may the end be left out of a count.
        1 => (format!(" {start}"), -1, 8),
        2 => (format!(" {start} {end}"), end, 8),
        3 => (format!(" {start} {end} BYTE"), end, 8),
        _ => (format!(" {start} {end} BIT"), end, 1),
    };
    let start = if words.is_empty() { 0 } else { start };
    let units = (bits / unit) as i64;
    // Counted from the end and in the wrong order: nothing, wherever that would be. Only counts look at that first.
    let crossed = whole && start < 0 && last < 0 && start > last;
    let from_start = |n: i64| if n < 0 { (n + units).max(0) } else { n };
    let (first, last) = (from_start(start), from_start(last).min(units - 1));
    let range = (!crossed && first <= last).then(|| (first as usize * unit, last as usize * unit + unit - 1));
    (words, range)
}

impl Model for Bitmaps {
    fn step(&mut self, dice: &mut Dice, _now: i64) -> Step {
        let key = dice.key();
        let at = if dice.below(30) == 0 { dice.below(70_000) } else { dice.below(150) };
        match dice.below(16) {
            0..4 => {
                let (there, on) = (self.get(key).get(at).copied(), dice.below(3) > 0);
                let old = there.unwrap_or(false);
                self.reach(key, at + 1);
                self.bits.get_mut(key).expect("just made")[at] = on;
                self.untouched.remove(key);
                Step::new(format!("SETBIT {key} {at} {}", u8::from(on)), int(old.into())).event_if(
                    there != Some(on),
                    "setbit",
                    key,
                )
            }
            4 => {
                let bit = self.get(key).get(at).copied().unwrap_or(false);
                Step::new(format!("GETBIT {key} {at}"), int(bit.into()))
            }
            5..7 => self.count(dice, key),
            7..9 => self.position(dice, key),
            9..11 => self.combine(dice),
            11..14 => self.fields(dice, key),
            14 => {
                let (text, encoding) = [
                    ("12", "int"),
                    ("-7", "int"),
                    ("hello", "embstr"),
                    ("a\u{7f}~", "embstr"),
                    ("012345678901234567890123456789012345678901234567", "raw"),
                ][dice.below(5)];
                self.bits.insert(key.into(), bits_of(text));
                self.untouched.insert(key.into(), encoding);
                Step::new(format!("SET {key} {text}"), "OK").event("set", key).anew(key)
            }
            _ if dice.below(3) == 0 => {
                let there = self.bits.remove(key).is_some();
                self.untouched.remove(key);
                Step::new(format!("DEL {key}"), int(there.into())).event_if(there, "del", key)
            }
            _ => Step::new(format!("STRLEN {key}"), int(self.get(key).len() / 8)),
        }
    }

    fn encoding(&self, key: &str) -> Option<&'static str> {
        self.bits.get(key)?;
        Some(self.untouched.get(key).copied().unwrap_or("raw"))
    }

    fn holds(&self, key: &str) -> Option<bool> {
        Some(self.bits.contains_key(key))
    }
}

#[test]
fn bitmaps_follow_their_model() {
    follow::<Bitmaps>(2_000, 200);
}
