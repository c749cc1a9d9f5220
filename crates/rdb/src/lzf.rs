//! LZF, the compression of long strings: literal runs of up to 32 bytes and back references of up to 264 bytes over
//! a distance of up to 8192.
//!
//! Source: the format as LibLZF documents it. A control byte below 32 announces that many literals plus one; otherwise
//! its upper three bits are the length minus two (seven: a further byte is added), and its lower five bits with the
//! next byte the distance minus one.

const MAX_LITERALS: usize = 32;
const MAX_DISTANCE: usize = 1 << 13;
const MIN_MATCH: usize = 3;
const MAX_MATCH: usize = 264;
const SLOT_BITS: u32 = 13;

/// The compressed bytes are malformed or do not expand to the declared length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadLzf;

/// Expands `input` into `out`, which then has exactly `len` bytes.
pub(crate) fn decompress(input: &[u8], len: usize, out: &mut Vec<u8>) -> Result<(), BadLzf> {
    out.clear();
    // Three bytes make at most 264: whoever declares more is lying, and nothing is reserved for them.
    if len > input.len().saturating_mul(MAX_MATCH / MIN_MATCH) {
        return Err(BadLzf);
    }
    out.reserve(len);
    let mut rest = input.iter();
    while let Some(&control) = rest.next() {
        let control = usize::from(control);
        if control < MAX_LITERALS {
            let run = rest.as_slice().get(..=control).ok_or(BadLzf)?;
            out.extend_from_slice(run);
            rest = rest.as_slice()[run.len()..].iter();
        } else {
            let mut length = control >> 5;
            if length == 7 {
                length += usize::from(*rest.next().ok_or(BadLzf)?);
            }
            let distance = ((control & 31) << 8 | usize::from(*rest.next().ok_or(BadLzf)?)) + 1;
            copy_back(out, distance, length + 2)?;
        }
        if out.len() > len {
            return Err(BadLzf);
        }
    }
    if out.len() == len { Ok(()) } else { Err(BadLzf) }
}

/// Repeats `length` bytes from `distance` bytes back; the two may overlap.
fn copy_back(out: &mut Vec<u8>, distance: usize, length: usize) -> Result<(), BadLzf> {
    let from = out.len().checked_sub(distance).ok_or(BadLzf)?;
    if distance >= length {
        out.extend_from_within(from..from + length);
    } else {
        for i in from..from + length {
            out.push(out[i]);
        }
    }
    Ok(())
}

/// Compresses strings; keeps its table between calls, so that a short string costs no clearing.
pub struct Compressor {
    /// For each hash of three bytes the last place where they stood, counted from `origin` of the whole life.
    table: Box<[u32]>,
    /// Added to positions: entries below it belong to earlier strings.
    origin: u32,
    out: Vec<u8>,
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

impl Default for Compressor {
    fn default() -> Self {
        Compressor::new()
    }
}

impl Compressor {
    /// A compressor with an empty table.
    #[must_use]
    pub fn new() -> Compressor {
        Compressor { table: vec![0; 1 << SLOT_BITS].into(), origin: 1, out: Vec::new() }
    }

    /// The compressed form of `input`, if it has at most `max` bytes.
    pub fn compress(&mut self, input: &[u8], max: usize) -> Option<&[u8]> {
        let size = u32::try_from(input.len()).ok()?;
        if self.origin.checked_add(size).is_none() {
            self.table.fill(0);
            self.origin = 1;
        }
        let origin = self.origin;
        self.origin = origin.checked_add(size)?;
        self.out.clear();
        let mut literals = 0;
        let mut at = 0;
        while at + MIN_MATCH <= input.len() {
            let slot = slot(input, at);
            let seen = std::mem::replace(&mut self.table[slot], origin + at as u32);
            let length = match seen.checked_sub(origin) {
                Some(from) => match_length(input, from as usize, at),
                None => 0,
            };
            if length == 0 {
                at += 1;
                if self.out.len() + (at - literals) > max {
                    return None;
                }
                continue;
            }
            let from = (seen - origin) as usize;
            put_literals(&mut self.out, &input[literals..at]);
            put_reference(&mut self.out, at - from, length);
            at += length;
            literals = at;
        }
        put_literals(&mut self.out, &input[literals..]);
        (self.out.len() <= max).then_some(&self.out[..])
    }
}

fn slot(input: &[u8], at: usize) -> usize {
    let three = u32::from_le_bytes([input[at], input[at + 1], input[at + 2], 0]);
    (three.wrapping_mul(0x9e37_79b1) >> (32 - SLOT_BITS)) as usize
}

/// How many bytes at `at` repeat those at `from`; zero if too few or too far away.
fn match_length(input: &[u8], from: usize, at: usize) -> usize {
    if at - from > MAX_DISTANCE {
        return 0;
    }
    let limit = MAX_MATCH.min(input.len() - at);
    let length = (0..limit).take_while(|i| input[from + i] == input[at + i]).count();
    if length < MIN_MATCH { 0 } else { length }
}

fn put_literals(out: &mut Vec<u8>, literals: &[u8]) {
    for run in literals.chunks(MAX_LITERALS) {
        out.push((run.len() - 1) as u8);
        out.extend_from_slice(run);
    }
}

fn put_reference(out: &mut Vec<u8>, distance: usize, length: usize) {
    let distance = distance - 1;
    let code = length - 2;
    if code < 7 {
        out.push((code << 5 | distance >> 8) as u8);
    } else {
        out.push((7 << 5 | distance >> 8) as u8);
        out.push((code - 7) as u8);
    }
    out.push(distance as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_string_that_redis_compressed() {
        // "a" a hundred times, as Redis 7.0.15, 8.0.6 and Valkey 9.1.2 dump it.
        let mut out = Vec::new();
        decompress(b"\x01\x61\x61\xe0\x57\x00\x01\x61\x61", 100, &mut out).unwrap();
        assert_eq!(out, [b'a'; 100]);
    }

    #[test]
    fn a_declared_length_reserves_nothing_by_itself() {
        let mut out = Vec::new();
        assert_eq!(decompress(b"\x00a", 1 << 40, &mut out), Err(BadLzf));
        assert_eq!(out.capacity(), 0);
    }

    #[test]
    fn malformed_input_is_refused() {
        for (bad, len) in [
            (&b"\x05abc"[..], 6),  // fewer literals than announced
            (b"\x00a\x20", 4),     // reference cut off
            (b"\x00a\xe0", 10),    // length cut off
            (b"\x00a\x20\x05", 4), // points before the beginning
            (b"\x01ab", 1),        // longer than declared
            (b"\x01ab", 3),        // shorter than declared
        ] {
            assert_eq!(decompress(bad, len, &mut Vec::new()), Err(BadLzf), "{bad:?}");
        }
    }

    #[test]
    fn incompressible_input_is_left_alone() {
        let input: Vec<u8> = (0..=255).collect();
        assert_eq!(Compressor::new().compress(&input, input.len() - 4), None);
    }

    proptest! {
        #[test]
        fn what_is_compressed_expands_to_itself(
            inputs in prop::collection::vec(prop::collection::vec(0u8..4, 0..3000), 1..4),
            spread in 1usize..9000,
        ) {
            let mut lzf = Compressor::new();
            for mut input in inputs {
                let head = input.clone();
                input.resize(input.len() + spread, 7);
                input.extend(head);
                let packed = lzf.compress(&input, usize::MAX).unwrap().to_vec();
                let mut out = Vec::new();
                prop_assert_eq!(decompress(&packed, input.len(), &mut out), Ok(()));
                prop_assert_eq!(out, input);
            }
        }

        #[test]
        fn any_bytes_are_survived(input in prop::collection::vec(any::<u8>(), 0..300), len in 0usize..5000) {
            let _ = decompress(&input, len, &mut Vec::new());
        }
    }
}
