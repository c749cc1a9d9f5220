//! What both shells share: clocks, timers, time on processors, listeners, durable files, included files, signals, logging,
//! and the one fork.
//!
//! The cores do none of this. Nothing here knows a command or a protocol.

#![deny(unsafe_code)]

pub mod alarm;
pub mod clock;
pub mod cpu;
pub mod daemon;
pub mod durable;
pub mod fork;
pub mod include;
pub mod limits;
pub mod listen;
pub mod log;
pub mod notify;
pub mod seed;
pub mod signals;
pub mod tcp;

pub use alarm::Alarm;
pub use clock::{Clock, Wall};
