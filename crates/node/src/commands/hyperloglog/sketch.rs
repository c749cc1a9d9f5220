//! The sketch itself: a string of Redis' own format, byte for byte.
//!
//! ```text
//! "HYLL" │ encoding: 0 dense, 1 sparse │ 3 bytes │ cardinality, 8 bytes, little-endian; its highest bit: out of date
//! dense:  16384 registers of 6 bits, the lowest bits of a byte first
//! sparse: runs. 00nnnnnn: n + 1 zeros │ 01nnnnnn nnnnnnnn: n + 1 zeros │ 1vvvvvnn: n + 1 registers of v + 1
//! ```
//! Foreign bytes may be anything: whatever reads runs checks that they cover the registers exactly.
//!
//! Source: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog", 2007; the estimator is Ertl's ("New cardinality estimation
//! algorithms for HyperLogLog sketches", 2017), as in Redis since version 4.

use std::borrow::Cow;

pub(super) const REGISTERS: usize = 1 << 14;
const HEADER: usize = 16;
pub(super) const DENSE_LEN: usize = HEADER + REGISTERS * 6 / 8;
/// Bits of a hash that are counted in a register.
const COUNTED: u32 = 50;
const LONGEST_ZERO: usize = 64;
const LONGEST_VALUE: usize = 4;
const MOST_SPARSE: u8 = 32;

/// Runs that do not cover the registers exactly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Corrupt;

/// A string that has the frame of a sketch.
#[derive(Clone, Debug)]
pub(super) struct Sketch<'a> {
    bytes: Cow<'a, [u8]>,
}

/// The register of an element, and what it is raised to.
pub(super) fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur(element);
    let counted = hash >> 14 | 1 << COUNTED;
    ((hash & (REGISTERS as u64 - 1)) as usize, counted.trailing_zeros() as u8 + 1)
}

/// MurmurHash2 of 64 bits (A. Appleby) with the seed of Redis.
fn murmur(data: &[u8]) -> u64 {
    const SEED: u64 = 0xadc8_3b19;
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    let mix = |word: u64| {
        let word = word.wrapping_mul(M);
        (word ^ word >> 47).wrapping_mul(M)
    };
    let mut hash = SEED ^ (data.len() as u64).wrapping_mul(M);
    let (words, rest) = data.as_chunks::<8>();
    for word in words {
        hash = (hash ^ mix(u64::from_le_bytes(*word))).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(M);
    }
    hash = (hash ^ hash >> 47).wrapping_mul(M);
    hash ^ hash >> 47
}

/// A run of a sparse sketch: the register value, how many registers, how many bytes it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Run {
    value: u8,
    len: usize,
    bytes: usize,
}

fn run(bytes: &[u8]) -> Option<Run> {
    let first = *bytes.first()?;
    Some(match first >> 6 {
        0 => Run { value: 0, len: usize::from(first & 0x3f) + 1, bytes: 1 },
        1 => Run {
            value: 0,
            len: (usize::from(first & 0x3f) << 8 | usize::from(*bytes.get(1)?)) + 1,
            bytes: 2,
        },
        _ => Run { value: (first >> 2 & 0x1f) + 1, len: usize::from(first & 3) + 1, bytes: 1 },
    })
}

fn put_run(out: &mut Vec<u8>, value: u8, len: usize) {
    if len == 0 {
        return;
    }
    if value > 0 {
        out.push(0x80 | (value - 1) << 2 | (len - 1) as u8);
    } else if len > LONGEST_ZERO {
        out.extend_from_slice(&[0x40 | ((len - 1) >> 8) as u8, (len - 1) as u8]);
    } else {
        out.push((len - 1) as u8);
    }
}

impl<'a> Sketch<'a> {
    /// A sketch of nothing.
    pub(super) fn new() -> Sketch<'static> {
        let mut bytes = b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        put_run(&mut bytes, 0, REGISTERS);
        Sketch { bytes: bytes.into() }
    }

    /// A string that has the frame of one; `None` if it has not.
    pub(super) fn of(bytes: impl Into<Cow<'a, [u8]>>) -> Option<Sketch<'a>> {
        let bytes = bytes.into();
        let framed = bytes.len() >= HEADER && bytes.starts_with(b"HYLL") && bytes[4] <= 1;
        (framed && (bytes[4] == 1 || bytes.len() == DENSE_LEN)).then_some(Sketch { bytes })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_dense(&self) -> bool {
        self.bytes[4] == 0
    }

    /// The cardinality that was computed last, unless something has been added since.
    pub(super) fn cached(&self) -> Option<u64> {
        let card: [u8; 8] = self.bytes[8..16].try_into().unwrap_or_default();
        (card[7] & 0x80 == 0).then(|| u64::from_le_bytes(card))
    }

    pub(super) fn cache(&mut self, cardinality: u64) {
        self.bytes.to_mut()[8..16].copy_from_slice(&cardinality.to_le_bytes());
    }

    /// Forgets the cached cardinality.
    pub(super) fn outdate(&mut self) {
        self.bytes.to_mut()[15] |= 0x80;
    }

    fn dense_get(&self, index: usize) -> u8 {
        let (at, shift) = (HEADER + index * 6 / 8, index * 6 % 8);
        let high = self.bytes.get(at + 1).copied().unwrap_or(0);
        ((u16::from(high) << 8 | u16::from(self.bytes[at])) >> shift) as u8 & 0x3f
    }

    fn dense_set(&mut self, index: usize, value: u8) {
        let (at, shift) = (HEADER + index * 6 / 8, index * 6 % 8);
        let bytes = self.bytes.to_mut();
        let mask = 0x3fu16 << shift;
        let word = u16::from(bytes[at]) | u16::from(bytes.get(at + 1).copied().unwrap_or(0)) << 8;
        let word = word & !mask | u16::from(value) << shift;
        bytes[at] = word as u8;
        if let Some(high) = bytes.get_mut(at + 1) {
            *high = (word >> 8) as u8;
        }
    }

    /// Calls `see` with every run: first register, number, value.
    fn runs(&self, mut see: impl FnMut(usize, usize, u8)) -> Result<(), Corrupt> {
        let (mut at, mut index) = (HEADER, 0);
        while at < self.bytes.len() {
            let run = run(&self.bytes[at..]).ok_or(Corrupt)?;
            if index + run.len > REGISTERS {
                return Err(Corrupt);
            }
            see(index, run.len, run.value);
            (at, index) = (at + run.bytes, index + run.len);
        }
        if index == REGISTERS { Ok(()) } else { Err(Corrupt) }
    }

    /// Raises `registers` to those of this sketch.
    pub(super) fn merge_into(&self, registers: &mut [u8; REGISTERS]) -> Result<(), Corrupt> {
        if self.is_dense() {
            for (index, register) in registers.iter_mut().enumerate() {
                *register = (*register).max(self.dense_get(index));
            }
            return Ok(());
        }
        self.runs(|first, len, value| {
            for register in &mut registers[first..first + len] {
                *register = (*register).max(value);
            }
        })
    }

    /// Turns it into a dense one; false if it was one.
    pub(super) fn make_dense(&mut self) -> Result<bool, Corrupt> {
        if self.is_dense() {
            return Ok(false);
        }
        let mut bytes = vec![0; DENSE_LEN];
        bytes[..HEADER].copy_from_slice(&self.bytes[..HEADER]);
        bytes[4] = 0;
        let mut dense = Sketch { bytes: bytes.into() };
        self.runs(|first, len, value| {
            if value > 0 {
                (first..first + len).for_each(|index| dense.dense_set(index, value));
            }
        })?;
        self.bytes = dense.bytes.into_owned().into();
        Ok(true)
    }

    /// Raises a register; says whether it was lower. A sparse sketch that would take more than `most` bytes, its header
    /// included, or whose registers cannot hold the value, becomes dense.
    pub(super) fn raise(&mut self, index: usize, value: u8, most: usize) -> Result<bool, Corrupt> {
        if !self.is_dense() {
            match self.raise_sparse(index, value, most)? {
                Some(raised) => return Ok(raised),
                None => drop(self.make_dense()?),
            }
        }
        let lower = self.dense_get(index) < value;
        if lower {
            self.dense_set(index, value);
            self.outdate();
        }
        Ok(lower)
    }

    /// `None` if it has to become dense.
    fn raise_sparse(&mut self, index: usize, value: u8, most: usize) -> Result<Option<bool>, Corrupt> {
        if value > MOST_SPARSE {
            return Ok(None);
        }
        let (mut at, mut first, mut previous) = (HEADER, 0, None);
        let found = loop {
            let run = run(self.bytes.get(at..).unwrap_or_default()).ok_or(Corrupt)?;
            if index < first + run.len {
                break run;
            }
            (previous, at, first) = (Some(at), at + run.bytes, first + run.len);
        };
        if found.value >= value {
            return Ok(Some(false));
        }
        let mut new = Vec::with_capacity(5);
        put_run(&mut new, found.value, index - first);
        put_run(&mut new, value, 1);
        put_run(&mut new, found.value, first + found.len - 1 - index);
        if new.len() > found.bytes && self.bytes.len() + new.len() - found.bytes > most {
            return Ok(None);
        }
        let bytes = self.bytes.to_mut();
        bytes.splice(at..at + found.bytes, new);
        merge_runs(bytes, previous.unwrap_or(HEADER));
        self.outdate();
        Ok(Some(true))
    }

    /// The value of every register.
    pub(super) fn registers(&self) -> Result<Box<[u8; REGISTERS]>, Corrupt> {
        let mut registers = Box::new([0; REGISTERS]);
        self.merge_into(&mut registers)?;
        Ok(registers)
    }

    /// The runs of a sparse one as text, as `PFDEBUG DECODE` shows them.
    pub(super) fn decode(&self) -> Result<String, Corrupt> {
        let mut text = String::new();
        let mut at = HEADER;
        self.runs(|_, len, value| {
            let long = self.bytes[at] >> 6 == 1;
            at += if long { 2 } else { 1 };
            text += &match (value, long) {
                (0, false) => format!("z:{len} "),
                (0, true) => format!("Z:{len} "),
                (value, _) => format!("v:{value},{len} "),
            };
        })?;
        Ok(text.trim_end().to_owned())
    }
}

/// Joins neighbouring runs of equal value, a few from `at` on.
fn merge_runs(bytes: &mut Vec<u8>, mut at: usize) {
    const LOOKED_AT: usize = 5;
    for _ in 0..LOOKED_AT {
        let Some(one) = bytes.get(at..).and_then(run) else { return };
        if one.value > 0
            && let Some(two) = bytes.get(at + 1..).and_then(run)
            && two.value == one.value
            && one.len + two.len <= LONGEST_VALUE
        {
            bytes[at + 1] = 0x80 | (one.value - 1) << 2 | (one.len + two.len - 1) as u8;
            bytes.remove(at);
            continue;
        }
        at += one.bytes;
    }
}

/// How many distinct elements these registers stand for, about.
pub(super) fn estimate(registers: &[u8; REGISTERS]) -> u64 {
    const M: f64 = REGISTERS as f64;
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let mut histogram = [0u32; 64];
    for register in registers {
        histogram[usize::from(*register & 63)] += 1;
    }
    let of = |value: usize| f64::from(histogram[value]);
    let mut z = M * tau((M - of(COUNTED as usize + 1)) / M);
    for value in (1..=COUNTED as usize).rev() {
        z = (z + of(value)) * 0.5;
    }
    z += M * sigma(of(0) / M);
    (ALPHA * M * M / z).round() as u64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if before == z {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if before == z {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tanist_types::Rng;

    const MOST: usize = 3000;

    #[test]
    fn the_estimate_is_close_and_both_encodings_agree() {
        let mut sparse = Sketch::new();
        let mut dense = Sketch::new();
        assert_eq!(dense.make_dense(), Ok(true));
        for n in 0..20_000u32 {
            let (index, value) = place(&n.to_le_bytes());
            assert_eq!(sparse.raise(index, value, MOST), dense.raise(index, value, MOST));
            if [10, 100, 700, 19_999].contains(&n) {
                let registers = sparse.registers().expect("well-formed");
                assert_eq!(registers, dense.registers().expect("well-formed"));
                let estimate = estimate(&registers) as f64;
                assert!((estimate / f64::from(n + 1) - 1.0).abs() < 0.05, "{estimate} of {n}");
            }
        }
        assert!(sparse.is_dense());
    }

    #[test]
    fn runs_stay_well_formed() {
        let mut rng = Rng::from_seed(5);
        for _ in 0..200 {
            let mut sketch = Sketch::new();
            let mut model = [0u8; REGISTERS];
            for _ in 0..rng.below(300) {
                let (index, value) = (rng.below(200) as usize, 1 + rng.below(35) as u8);
                let lower = model[index] < value;
                assert_eq!(sketch.raise(index, value, MOST), Ok(lower));
                model[index] = model[index].max(value);
            }
            assert_eq!(&*sketch.registers().expect("well-formed"), &model);
        }
    }

    #[test]
    fn any_bytes_are_survived() {
        let mut rng = Rng::from_seed(6);
        for _ in 0..20_000 {
            let mut bytes = b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0".to_vec();
            bytes.extend((0..rng.below(60)).map(|_| rng.next_u64() as u8));
            let Some(mut sketch) = Sketch::of(bytes) else { panic!("a frame") };
            let well_formed = sketch.registers().is_ok();
            assert_eq!(sketch.decode().is_ok(), well_formed);
            for index in [0, 77, REGISTERS - 1] {
                let _ = sketch.raise(index, 3, MOST);
            }
            assert!(sketch.make_dense().is_ok() || !well_formed);
        }
    }
}
