//! The deterministic world over the node and sentinel cores that ship.
//!
//! One seed decides everything: the size of the cluster, its settings, the weather, the faults, what clients do
//! ([`Plan`]). The cluster comes up; for a while things go wrong; then everything is healed and the cluster must
//! recover within a bound. Invariants are checked after every step, promises to clients by an oracle that knows three
//! outcomes. The same seed gives the same trace, byte for byte.
//!
//! Where things are:
//! - `plan`: what a seed means.
//! - `world`, `queue`: time and events. `net`, `disk`, `clock`: what hosts are made of.
//! - `host`: a process and what it sees of the world; `node`, `sentinel`, `client`: the processes.
//! - `faults`: what goes wrong.
//! - `watch`, `oracle`: what must never happen.
//! - `run`: the phases of a run; `batch`: many runs; `stage`: plans made for one kind of trouble.

#![forbid(unsafe_code)]

mod batch;
mod client;
mod clock;
mod disk;
mod faults;
mod host;
mod impostor;
mod net;
mod node;
mod oracle;
mod plan;
mod queue;
mod run;
mod sentinel;
mod stage;
mod trace;
mod watch;
mod world;

pub use batch::{Batch, Outcome};
pub use oracle::Tally;
pub use plan::{ClockPlan, DiskPlan, FaultKind, FaultPlan, NetPlan, Plan, Settings, WorkPlan};
pub use run::{Report, run, run_plan};
pub use stage::Stage;
pub use trace::Tracing;
pub use world::Failure;
