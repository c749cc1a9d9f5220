//! tanist-sentinel: failure detection, election, failover.
//!
//! [`core`] decides and does nothing; `shell` does and decides nothing. Without the feature `shell` only the core is
//! built, and neither tokio nor anything else that knows of sockets and files.

#![forbid(unsafe_code)]

pub mod core;
#[cfg(feature = "shell")]
mod shell;

#[cfg(feature = "shell")]
pub use shell::main;
