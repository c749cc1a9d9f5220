//! Trimming: the oldest entries go.

use super::{Stream, StreamId};

/// What is to stay of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trim {
    /// That many of the last entries.
    MaxLen(u64),
    /// The entries that are not before this identifier.
    MinId(StreamId),
}

/// How far trimming may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Whole nodes only; what is left may be more than asked for.
    pub whole_nodes: bool,
    /// The most entries; zero is no limit.
    pub entries: u64,
}

impl Stream {
    /// Trims; how many entries went.
    pub fn trim(&mut self, trim: Trim, limits: Limits) -> u64 {
        let inner = &mut *self.0;
        let mut gone = 0;
        while let Some(node) = inner.nodes.front_mut() {
            let live = node.live();
            let (len, kept) = (inner.about.len, inner.about.len - live);
            if matches!(trim, Trim::MaxLen(most) if len <= most) {
                break;
            }
            if limits.entries != 0 && gone + live > limits.entries {
                break;
            }
            let whole = match trim {
                Trim::MaxLen(most) => kept >= most,
                Trim::MinId(least) => node.last_id() < least,
            };
            if whole {
                inner.packed -= node.allocated();
                inner.nodes.pop_front();
                inner.about.len = kept;
                gone += live;
                continue;
            }
            if limits.whole_nodes {
                break;
            }
            let surplus = match trim {
                Trim::MaxLen(most) => (len - most) as usize,
                Trim::MinId(_) => usize::MAX,
            };
            let before = |id| match trim {
                Trim::MaxLen(_) => true,
                Trim::MinId(least) => id < least,
            };
            let marked: Vec<_> = node
                .entries()
                .take_while(|entry| before(entry.id))
                .filter(|entry| !entry.deleted)
                .take(surplus)
                .map(|entry| entry.at)
                .collect();
            inner.packed -= node.allocated();
            node.mark(&marked);
            inner.packed += node.allocated();
            inner.about.len -= marked.len() as u64;
            gone += marked.len() as u64;
            break;
        }
        if gone > 0 {
            self.renew_first();
        }
        gone
    }
}
