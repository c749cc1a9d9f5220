//! The row of a collection's nodes.

use std::collections::VecDeque;

/// Nodes by which a row grows at least.
const LEAST: usize = 4;

/// Makes room for one more node in a row that is full, by an eighth: doubling it would leave, on average, a quarter of
/// it empty, which a long stream of small entries feels. A node moves some eight times then, and comes with many
/// elements.
#[inline]
pub(crate) fn make_room<T>(row: &mut VecDeque<T>) {
    if row.len() == row.capacity() {
        row.reserve_exact((row.len() / 8).max(LEAST));
    }
}

#[cfg(test)]
mod tests {
    use super::make_room;
    use std::collections::VecDeque;

    #[test]
    fn a_row_has_an_eighth_to_spare_at_most_and_grows_seldom() {
        let (mut row, mut grown) = (VecDeque::new(), 0);
        for n in 0..100_000_usize {
            let before = row.capacity();
            make_room(&mut row);
            row.push_front(n);
            grown += usize::from(row.capacity() != before);
            assert!(
                row.capacity() <= row.len() + (row.len() / 8).max(4),
                "{} of {}",
                row.len(),
                row.capacity()
            );
        }
        assert!(grown < 100, "{grown} times");
    }
}
