//! The generator behind `math.random`: the 48-bit congruential one of `lrand48`, which Redis carries with it so that
//! scripts draw the same numbers on every machine. It begins with the Lua state and goes on from script to script.

/// Its state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lrand48(u64);

impl Lrand48 {
    /// The generator with a seed, as `srand48` sets it.
    pub(crate) fn seeded(seed: i32) -> Lrand48 {
        Lrand48((u64::from(seed as u32) << 16) | 0x330E)
    }

    /// 31 random bits.
    pub(crate) fn draw(&mut self) -> i32 {
        self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & ((1 << 48) - 1);
        (self.0 >> 17) as i32
    }
}

impl Default for Lrand48 {
    /// The state before any seed is set.
    fn default() -> Lrand48 {
        Lrand48(0x1234_ABCD_330E)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_what_lrand48_draws() {
        // The first numbers after `srand48(0)`, and the first one without a seed.
        let mut random = Lrand48::seeded(0);
        let drawn: Vec<i32> = (0..3).map(|_| random.draw()).collect();
        assert_eq!(drawn, [366_850_414, 1_610_402_240, 206_956_554]);
        assert_eq!(Lrand48::default().draw(), 851_401_618);
    }
}
