//! Comparing and placing command names without a loop: nearly all fit into one word.

/// A name in lower case, made ready for comparisons.
#[derive(Debug)]
pub(super) struct Name {
    text: Box<str>,
    /// Its first eight bytes.
    word: u64,
    /// The bit by which cases differ, in the bytes of `word` that are letters.
    cases: u64,
}

impl Name {
    /// `text` is in lower case.
    pub(super) fn new(text: &str) -> Name {
        let word = first_word(text.as_bytes());
        let letter = |(i, b): (usize, &u8)| if b.is_ascii_lowercase() { 0x20 << (8 * i) } else { 0u64 };
        let cases = text.as_bytes().iter().take(8).enumerate().map(letter).sum();
        Name { text: text.into(), word, cases }
    }

    /// The name.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `other` is this name, in any case.
    #[inline]
    pub(super) fn is(&self, other: &[u8]) -> bool {
        self.is_word(other, first_word(other))
    }

    /// [`Name::is`] for who has read the first word of `other`.
    #[inline]
    pub(super) fn is_word(&self, other: &[u8], word: u64) -> bool {
        self.text.len() == other.len()
            && (word ^ self.word) & !self.cases == 0
            && (other.len() <= 8 || self.text.as_bytes()[8..].eq_ignore_ascii_case(&other[8..]))
    }
}

/// The first eight bytes, the first one lowest; zeros where there are none.
#[inline]
pub(super) fn first_word(name: &[u8]) -> u64 {
    let four = |at: usize| name.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
    match name.len() {
        0 => 0,
        // Overlapping parts agree where they overlap.
        n @ 1..=3 => {
            let byte = |i: usize| u64::from(name[i]) << (8 * i);
            byte(0) | byte(n / 2) | byte(n - 1)
        }
        n @ 4..=7 => u64::from(four(0)) | u64::from(four(n - 4)) << (8 * (n - 4)),
        _ => u64::from(four(0)) | u64::from(four(4)) << 32,
    }
}

/// Where the search for a name of this first word and length begins, in any case: a multiplicative hash.
#[inline]
pub(super) fn slot_of(word: u64, len: usize, slots: usize) -> usize {
    let word = word | 0x2020_2020_2020_2020;
    let mixed = (word ^ len as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 53) as usize % slots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_itself_in_any_case_and_nothing_else() {
        let texts = [
            "",
            "a",
            "ab",
            "get",
            "mget",
            "getex",
            "client|id",
            "psetex12",
            "geoadd-1",
            "geoadd\u{d}1",
            "ge4",
        ];
        let others = [
            "GE\u{14}",
            "ge\u{0}",
            "get\u{0}",
            "GEOADD-1",
            "GEOADD\u{d}1",
            "geoadd\u{2d}1",
            "CLIENT\\ID",
            "Get",
        ];
        for text in texts {
            let name = Name::new(text);
            for other in texts.iter().chain(&others) {
                assert_eq!(name.is(other.as_bytes()), text.eq_ignore_ascii_case(other), "{text} {other}");
            }
            let upper = text.to_uppercase();
            let slot = |text: &str| slot_of(first_word(text.as_bytes()), text.len(), 2048);
            assert_eq!(slot(text), slot(&upper));
        }
    }
}
