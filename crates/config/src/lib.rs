//! redis.conf and sentinel.conf: syntax, directives, rewrite.
//!
//! Pure: bytes in, values and bytes out. [`file`] is the syntax that both files share, [`rewrite`]
//! changes a file in place; [`ServerConfig`] is the typed form of redis.conf, made from one table (`table.rs`).

#![forbid(unsafe_code)]

pub mod choice;
mod codec;
mod directive;
pub mod file;
mod lists;
mod load;
pub mod rewrite;
mod server;
mod special;
mod table;
pub mod units;

pub use directive::{Directive, State, When};
pub use lists::{Lists, UserLine};
pub use load::{
    CommandLine, IncludeReader, Included, LoadError, Loaded, MAX_INCLUDE_DEPTH, rewritten, rewritten_whole,
    without_effect,
};
pub use server::{Change, ConfigError, SetError, is_known};
pub use special::{
    BufferLimit, BufferLimits, NotifyFlags, PercentOrBytes, PrimaryAddr, SavePoint, ShutdownFlags,
};
pub use table::ServerConfig;
