//! A set of rows of the command table.

/// One bit per row; rows beyond the last word are all in, or all out. So a set of everything, and one of nothing, take
/// no memory, and commands that a later version brings belong where they should.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct CommandSet {
    words: Vec<u64>,
    rest: bool,
}

const BITS: usize = u64::BITS as usize;

impl CommandSet {
    pub(crate) const ALL: CommandSet = CommandSet { words: Vec::new(), rest: true };
    pub(crate) const NONE: CommandSet = CommandSet { words: Vec::new(), rest: false };

    #[inline]
    pub(crate) fn has(&self, row: usize) -> bool {
        self.words.get(row / BITS).map_or(self.rest, |word| word >> (row % BITS) & 1 == 1)
    }

    pub(crate) fn set(&mut self, row: usize, on: bool) {
        if row / BITS >= self.words.len() {
            self.words.resize(row / BITS + 1, if self.rest { u64::MAX } else { 0 });
        }
        let (word, bit) = (&mut self.words[row / BITS], 1 << (row % BITS));
        if on { *word |= bit } else { *word &= !bit }
    }

    /// Whether every command is in, those to come included.
    pub(crate) fn is_all(&self) -> bool {
        self.rest && self.words.iter().all(|&word| word == u64::MAX)
    }

    /// Whether commands to come are in: all commands were let in last, or none yet taken out as a whole.
    pub(crate) fn has_future(&self) -> bool {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_or_out_one_by_one() {
        let mut set = CommandSet::NONE;
        set.set(70, true);
        assert!(set.has(70) && !set.has(6) && !set.has(69) && !set.has(1000) && !set.is_all());
        let mut set = CommandSet::ALL;
        set.set(3, false);
        assert!(!set.has(3) && set.has(2) && set.has(1000) && !set.is_all() && set.has_future());
        set.set(3, true);
        assert!(set.is_all());
    }
}
