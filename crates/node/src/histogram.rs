//! How long the calls of one command took: counts in classes whose width grows with the time.
//!
//! Each power of two nanoseconds is divided into 32 classes, so a percentile is off by at most 3 %.

use std::time::Duration;

const SUB_BITS: u32 = 5;
const SUBS: usize = 1 << SUB_BITS;
/// Everything below 2^10 ns shares the first power; everything from 2^36 ns (69 s) on shares the last class.
const FIRST: u32 = 10;
const LAST: u32 = 36;
const CLASSES: usize = (LAST - FIRST + 1) as usize * SUBS;

/// Counts of times.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Box<[u32; CLASSES]>,
    total: u64,
    sum: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: Box::new([0; CLASSES]), total: 0, sum: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts one call.
    pub(crate) fn add(&mut self, time: Duration) {
        self.add_many(time, 1);
    }

    /// Counts `calls` calls that took `time` each.
    pub(crate) fn add_many(&mut self, time: Duration, calls: u64) {
        let class = &mut self.counts[class_of(time)];
        *class = class.saturating_add(u32::try_from(calls).unwrap_or(u32::MAX));
        self.total += calls;
        self.sum += time.saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX));
    }

    /// The number of calls.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The time of all calls together.
    pub(crate) fn sum(&self) -> Duration {
        self.sum
    }

    /// The time that `percent` (0 to 100) of the calls did not exceed, in microseconds.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        let wanted = ((percent / 100.0 * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (class, &count) in self.counts.iter().enumerate() {
            seen += u64::from(count);
            if count > 0 && seen >= wanted {
                return upper_bound(class) as f64 / 1000.0;
            }
        }
        0.0
    }

    /// Pairs of a bound in microseconds, each twice the one before, and how many calls did not exceed it. Bounds
    /// at which nothing is added are left out, as `LATENCY HISTOGRAM` does.
    pub(crate) fn cumulative(&self) -> Vec<(u64, u64)> {
        let mut pairs = Vec::new();
        let mut seen = 0;
        for (power, counts) in self.counts.chunks(SUBS).enumerate() {
            let count: u64 = counts.iter().map(|&n| u64::from(n)).sum();
            if count > 0 {
                seen += count;
                // A power ends a little above the next one in Redis' histograms; clients expect its bounds.
                let nanos = 1u64 << (FIRST as usize + power);
                pairs.push(((nanos + (nanos >> 7)) / 1000, seen));
            }
        }
        pairs
    }
}

fn class_of(time: Duration) -> usize {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    if nanos < 1 << FIRST {
        // Linear below the first power.
        return (nanos >> (FIRST - SUB_BITS)) as usize;
    }
    let power = nanos.ilog2();
    if power >= LAST {
        return CLASSES - 1;
    }
    let sub = (nanos >> (power - SUB_BITS)) as usize & (SUBS - 1);
    (power - FIRST + 1) as usize * SUBS + sub
}

/// The largest number of nanoseconds of a class.
fn upper_bound(class: usize) -> u64 {
    let (power, sub) = (class / SUBS, (class % SUBS) as u64);
    if power == 0 {
        return ((sub + 1) << (FIRST - SUB_BITS)) - 1;
    }
    let power = FIRST + power as u32 - 1;
    (1 << power) + ((sub + 1) << (power - SUB_BITS)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_in_its_class() {
        let mut last = 0;
        for nanos in (0..3000).chain((12..35).flat_map(|p| [(1 << p) - 1, 1 << p, (1 << p) + (1 << (p - 1))]))
        {
            let class = class_of(Duration::from_nanos(nanos));
            assert!(nanos <= upper_bound(class) && (class == 0 || nanos > upper_bound(class - 1)), "{nanos}");
            last = class;
        }
        assert!(last < CLASSES);
        assert_eq!(class_of(Duration::from_secs(1000)), CLASSES - 1);
    }

    #[test]
    fn percentiles_and_bounds() {
        let mut h = Histogram::default();
        h.add_many(Duration::from_micros(10), 98);
        h.add(Duration::from_micros(100));
        h.add(Duration::from_micros(1000));
        assert!((h.percentile(50.0) - 10.0).abs() < 0.4 && (h.percentile(99.0) - 100.0).abs() < 4.0);
        assert!((h.percentile(100.0) - 1000.0).abs() < 40.0);
        assert_eq!(h.cumulative(), [(16, 98), (132, 99), (1056, 100)]);
        assert_eq!((h.total(), h.sum()), (100, Duration::from_micros(2080)));
    }
}
