//! The vocabulary that every core shares: a newtype for each number with a meaning.
//!
//! Nothing here does I/O, reads a clock or draws ambient randomness. Time and seeds are handed in by the shells.

#![forbid(unsafe_code)]

mod epoch;
mod id;
mod position;
mod rng;
mod time;

pub use epoch::{ConfigEpoch, Epoch, EpochOverflow};
pub use id::{BadId, BootCount, Id, NodeId, ReplId, RunId};
pub use position::{ByteLen, DbIndex, LogPos};
pub use rng::Rng;
pub use time::{Mono, Now, UnixMs};
