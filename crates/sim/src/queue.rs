//! The order of all that will happen: by time, and by the order of scheduling where times are equal.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use tanist_types::Mono;

/// Events by their time. Two events of one moment come out in the order in which they were scheduled.
#[derive(Debug)]
pub(crate) struct Queue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    next: u64,
}

#[derive(Debug)]
struct Entry<E> {
    at: Mono,
    order: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl<E> Eq for Entry<E> {}
impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl<E> Queue<E> {
    pub(crate) fn new() -> Queue<E> {
        Queue { heap: BinaryHeap::new(), next: 0 }
    }

    /// Schedules `event`.
    pub(crate) fn at(&mut self, at: Mono, event: E) {
        self.next += 1;
        self.heap.push(Reverse(Entry { at, order: self.next, event }));
    }

    /// The next event, if it happens no later than `until`.
    pub(crate) fn pop(&mut self, until: Mono) -> Option<(Mono, E)> {
        if self.heap.peek()?.0.at > until {
            return None;
        }
        self.heap.pop().map(|Reverse(e)| (e.at, e.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_first_then_the_order_of_scheduling() {
        let mut q = Queue::new();
        for (at, name) in [(2, 'c'), (1, 'a'), (2, 'd'), (1, 'b'), (9, 'z')] {
            q.at(Mono::from_millis(at), name);
        }
        let mut out = String::new();
        while let Some((_, name)) = q.pop(Mono::from_millis(5)) {
            out.push(name);
        }
        assert_eq!(out, "abcd");
    }
}
