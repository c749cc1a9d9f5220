//! What collections are made of.
//!
//! [`Pack`] and [`IntSet`] are the compact encodings of small ones: one allocation, one word, and the very bytes that
//! Redis has in memory and writes into a snapshot. Unsafe code is confined to `blob`, apart from the two `from_raw`.

#![deny(unsafe_code)]

mod blob;
pub(crate) mod class;
mod int;
mod intset;
mod pack;

pub use int::parse_int;
pub use intset::{IntSet, IntSetError};
pub use pack::{Iter, Pack, PackError, Pairs, Pos, Side, TooLarge, Value};
