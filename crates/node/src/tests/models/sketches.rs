//! HyperLogLog: registers, each by itself, and the count that is kept with them.

use super::{ALIEN, BTreeMap, Dice, Model, Step, WRONG_TYPE, follow, int, list};

const REGISTERS: usize = 16384;
/// `hll-sparse-max-bytes` in these runs.
const MOST_BYTES: usize = 200;
const NOT_ONE: &str = "-WRONGTYPE Key is not a valid HyperLogLog string value.";
/// A string that is no sketch.
const PLAIN: &str = "plain";

#[derive(Clone, PartialEq)]
struct Sketch {
    registers: Vec<u8>,
    /// The count of when it was asked for last, unless something has been added since.
    cached: Option<u64>,
    /// Of six bits each, for certain.
    dense: bool,
}

#[derive(Default)]
struct Sketches(BTreeMap<String, Sketch>);

impl Default for Sketch {
    fn default() -> Sketch {
        Sketch { registers: vec![0; REGISTERS], cached: None, dense: false }
    }
}

impl Sketch {
    /// Raises a register; whether it was lower.
    fn raise(&mut self, at: usize, to: u8) -> bool {
        let lower = self.registers[at] < to;
        self.registers[at] = self.registers[at].max(to);
        self.dense |= to > 32;
        lower
    }

    /// How many registers have been raised.
    fn raised(&self) -> usize {
        self.registers.iter().filter(|register| **register > 0).count()
    }

    /// The encoding, where it does not depend on how runs were joined.
    fn encoding(&self) -> Option<&'static str> {
        match self.raised() {
            _ if self.dense => Some("dense"),
            // Each takes a byte, and two more for the zeros behind it.
            0..=60 => Some("sparse"),
            _ if self.least_bytes() > MOST_BYTES => Some("dense"),
            _ => None,
        }
    }

    /// What a sparse sketch has at least, its runs joined as well as can be: a byte for four equal registers, for zeros
    /// one for 64 of them or two for any number.
    fn least_bytes(&self) -> usize {
        let bytes = |run: &[u8]| match (run[0], run.len()) {
            (0, 1..=64) => 1,
            (0, _) => 2,
            (_, registers) => registers.div_ceil(4),
        };
        16 + self.registers.chunk_by(|one, next| one == next).map(bytes).sum::<usize>()
    }

    fn count(&self) -> u64 {
        let share =
            |value: u8| self.registers.iter().filter(|r| **r == value).count() as f64 / REGISTERS as f64;
        // Ertl's estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017), of shares.
        let mut sum = tau(1.0 - share(51));
        for value in (1..=50).rev() {
            sum = (sum + share(value)) / 2.0;
        }
        sum += sigma(share(0));
        (REGISTERS as f64 / (2.0 * 2f64.ln() * sum)).round() as u64
    }
}

/// The sum of x to the power 2^k times 2^(k-1), and x.
fn sigma(x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    (1..60).fold(x, |sum, k: i32| sum + x.powf(2f64.powi(k)) * 2f64.powi(k - 1))
}

/// A third of 1 - x, less the sum of (1 - x^(2^-k))^2 times 2^-k.
fn tau(x: f64) -> f64 {
    let rest =
        (1..60).fold(1.0 - x, |sum, k: i32| sum - (1.0 - x.powf(2f64.powi(-k))).powi(2) * 2f64.powi(-k));
    if x == 0.0 || x == 1.0 { 0.0 } else { rest / 3.0 }
}

/// The register of an element, and what it is raised to: the lowest 14 bits of the hash, and where the lowest one of the
/// others is.
fn place(element: &str) -> (usize, u8) {
    let hash = murmur(element.as_bytes());
    let zeros = (14..64).find(|bit| hash >> bit & 1 == 1).map_or(50, |bit| bit - 14);
    (hash as usize % REGISTERS, zeros as u8 + 1)
}

/// MurmurHash64A, as its author has it.
fn murmur(bytes: &[u8]) -> u64 {
    let m = 0xc6a4_a793_5bd1_e995u64;
    let mut h = 0xadc8_3b19u64 ^ (bytes.len() as u64).wrapping_mul(m);
    for part in bytes.chunks(8) {
        let mut k = part.iter().rev().fold(0u64, |k, byte| k << 8 | u64::from(*byte));
        if part.len() == 8 {
            k = k.wrapping_mul(m);
            k ^= k >> 47;
            k = k.wrapping_mul(m);
        }
        h = (h ^ k).wrapping_mul(m);
    }
    h = (h ^ h >> 47).wrapping_mul(m);
    h ^ h >> 47
}

impl Sketches {
    fn add(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let most = [5, 5, 5, 5, 5, 5, 5, 40, 40, 260][dice.below(10)];
        // Of every length up to two words of the hash and more.
        let element = |dice: &mut Dice| {
            let n = dice.below(20 * most);
            format!("{n}{}", "x".repeat(n % 20))
        };
        let number = if most == 260 { most } else { dice.below(most) };
        let words: Vec<String> = (0..number).map(|_| element(dice)).collect();
        let line = format!("PFADD {key} {}", words.join(" ")).trim_end().to_owned();
        let new = !self.0.contains_key(key);
        let sketch = self.0.entry(key.into()).or_default();
        let raised = words.iter().map(|w| place(w)).filter(|(at, to)| sketch.raise(*at, *to)).count();
        if new || raised > 0 {
            sketch.cached = None;
        }
        Step::new(line, int((new || raised > 0).into())).event_if(new || raised > 0, "pfadd", key)
    }

    /// What is read of these keys, or why not.
    fn union(&self, keys: &[&str]) -> Result<Sketch, &'static str> {
        let mut union = Sketch::default();
        for key in keys {
            match *key {
                ALIEN => return Err(WRONG_TYPE),
                PLAIN => return Err(NOT_ONE),
                _ => {}
            }
            let Some(sketch) = self.0.get(*key) else { continue };
            union.dense |= sketch.encoding() == Some("dense");
            sketch.registers.iter().enumerate().for_each(|(at, to)| _ = union.raise(at, *to));
        }
        Ok(union)
    }

    fn count(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        if dice.below(3) > 0 {
            let Some(sketch) = self.0.get_mut(key) else { return Step::new(format!("PFCOUNT {key}"), ":0") };
            let count = sketch.cached.unwrap_or_else(|| sketch.count());
            sketch.cached = Some(count);
            return Step::new(format!("PFCOUNT {key}"), format!(":{count}"));
        }
        let mut keys = dice.sources(3);
        if keys.len() == 1 || dice.one_in(30) {
            keys.push(if keys.len() == 1 { key } else { PLAIN });
        }
        let answer = self.union(&keys).map_or_else(str::to_owned, |union| format!(":{}", union.count()));
        Step::new(format!("PFCOUNT {}", keys.join(" ")), answer)
    }

    fn merge(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let mut keys = if dice.one_in(6) { Vec::new() } else { dice.sources(2) };
        if dice.one_in(20) {
            keys.push(PLAIN);
        }
        let line = format!("PFMERGE {key} {}", keys.join(" ")).trim_end().to_owned();
        keys.insert(0, key);
        match self.union(&keys) {
            Err(why) => Step::new(line, why),
            Ok(union) => {
                self.0.insert(key.into(), union);
                Step::new(line, "OK").event("pfadd", key)
            }
        }
    }

    fn inspect(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let Some(sketch) = self.0.get_mut(key) else {
            return Step::new(format!("STRLEN {key}"), ":0");
        };
        match (dice.below(4), sketch.encoding()) {
            (0, Some(encoding)) => {
                sketch.dense = true;
                Step::new(format!("PFDEBUG TODENSE {key}"), int((encoding == "sparse").into()))
            }
            (1, _) => {
                sketch.dense = true;
                let told: Vec<String> = sketch.registers.iter().map(|r| int((*r).into())).collect();
                Step::new(format!("PFDEBUG GETREG {key}"), list(&told))
            }
            (2, Some("dense")) => Step::new(format!("STRLEN {key}"), ":12304"),
            (_, Some(encoding)) => Step::new(format!("PFDEBUG ENCODING {key}"), encoding),
            (_, None) => {
                let lengths: Vec<String> = (78..=200).chain([12304]).map(int).collect();
                Step::new(format!("STRLEN {key}"), format!("?{}", lengths.join("|")))
            }
        }
    }

    /// Writes into the string itself: a count that nobody has counted, or registers beneath one that was.
    fn patch(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let Some(sketch) = self.0.get_mut(key) else {
            return Step::new(format!("GETRANGE {key} 0 3"), "");
        };
        let (at, patch) = match sketch.encoding() {
            Some("dense") if dice.one_in(2) => {
                let four = dice.below(REGISTERS / 4);
                let (registers, bytes) = registers(dice);
                sketch.registers[4 * four..4 * four + 4].copy_from_slice(&registers);
                sketch.dense = true;
                (16 + 3 * four, bytes)
            }
            _ => {
                let digits = format!("{:08}", dice.below(100_000_000));
                sketch.cached = Some(u64::from_le_bytes(digits.as_bytes().try_into().expect("eight")));
                (8, digits)
            }
        };
        let len = if sketch.encoding() == Some("dense") { ":12304" } else { "?" };
        Step::new(format!("SETRANGE {key} {at} {patch}"), len).event("setrange", key)
    }
}

/// Four registers in three bytes of text.
fn registers(dice: &mut Dice) -> ([u8; 4], String) {
    loop {
        let four = [32, 6, 8, 32].map(|n| dice.below(n) as u8);
        let bits = four.iter().rev().fold(0u32, |bits, register| bits << 6 | u32::from(*register));
        let bytes = bits.to_le_bytes();
        if bytes[..3].iter().all(|byte| byte.is_ascii() && *byte != b' ') {
            return (four, String::from_utf8_lossy(&bytes[..3]).into_owned());
        }
    }
}

impl Model for Sketches {
    const SETUP: &'static [&'static str] = &["RPUSH alien x", "SET plain text"];

    fn step(&mut self, dice: &mut Dice, _now: i64) -> Step {
        let key = dice.key();
        match dice.below(21) {
            0..6 => self.add(dice, key),
            6..13 => self.count(dice, key),
            13..16 => self.merge(dice, key),
            16 | 17 => self.inspect(dice, key),
            18..20 => self.patch(dice, key),
            _ => {
                let there = self.0.remove(key).is_some();
                Step::new(format!("DEL {key}"), int(there.into())).event_if(there, "del", key)
            }
        }
    }

    fn encoding(&self, _key: &str) -> Option<&'static str> {
        None
    }

    fn holds(&self, key: &str) -> Option<bool> {
        Some(self.0.contains_key(key))
    }
}

#[test]
fn sketches_follow_their_model() {
    follow::<Sketches>(1_000, 150);
}

#[test]
fn the_model_counts_about_as_many_as_there_are() {
    for n in [0, 1, 10, 1000, 30_000] {
        let mut sketch = Sketch::default();
        (0..n).map(|n: u64| place(&n.to_string())).for_each(|(at, to)| _ = sketch.raise(at, to));
        // Five standard errors of 1.04 / √16384, and one for rounding.
        assert!((sketch.count() as f64 - n as f64).abs() <= 1.0 + 0.041 * n as f64, "{n}");
    }
}
