//! The `tanist` command: a cluster from one line, its status, and drills that prove it.
//!
//! The parts that run real clusters and judge them (`cluster`, `client`, `drill`) are a library, so that the
//! long-running checkers use the very same ones.

#![forbid(unsafe_code)]

pub mod check;
pub mod cli;
pub mod client;
pub mod cluster;
pub mod drill;
mod output;
pub mod roles;
pub mod signals;
pub mod status;
pub mod up;
