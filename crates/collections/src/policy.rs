//! The limits that decide how a collection is stored. Names and defaults are those of the directives.

use crate::seed::Seed;

/// Up to where a collection keeps its compact encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit {
    /// The most elements (pairs count once).
    pub entries: usize,
    /// The longest element in bytes.
    pub value: usize,
}

/// What a change of a collection has to know besides the collection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Hashes the elements of large collections.
    pub seed: Seed,
    /// `hash-max-listpack-entries`, `hash-max-listpack-value`.
    pub hash: Limit,
    /// `set-max-intset-entries`.
    pub intset_entries: usize,
    /// `set-max-listpack-entries`, `set-max-listpack-value`.
    pub set: Limit,
    /// `zset-max-listpack-entries`, `zset-max-listpack-value`.
    pub sorted_set: Limit,
    /// `list-max-listpack-size`: elements of a node if positive; -1 to -5 are 4, 8, 16, 32, 64 KiB.
    pub list_size: i32,
    /// `stream-node-max-bytes`; zero is no limit.
    pub stream_bytes: usize,
    /// `stream-node-max-entries`; zero is no limit.
    pub stream_entries: usize,
}

impl Policy {
    /// The defaults of all directives, with elements hashed by `seed`.
    #[must_use]
    pub fn new(seed: Seed) -> Policy {
        Policy {
            seed,
            hash: Limit { entries: 512, value: 64 },
            intset_entries: 512,
            set: Limit { entries: 128, value: 64 },
            sorted_set: Limit { entries: 128, value: 64 },
            list_size: -2,
            stream_bytes: 4096,
            stream_entries: 100,
        }
    }
}
