//! tanist-server: the shell around the node.
//!
//! Threads only feed the machine. Each I/O thread runs its own connections: it reads and parses a whole readable
//! buffer, enters the machine with the batch, and writes what comes out. The machine, `tanist_node::Node`, sits
//! behind one lock, held for a batch.
//!
//! Where things are:
//! - `start`: from the program's arguments to a running server; `options`: the configuration.
//! - `machine`: the node behind its lock; `outlets`: where its outputs go that are not for connections.
//! - `mailbox`: what one thread leaves for the connections of another.
//! - `io`: one I/O thread; `connection`: one connection; `buffer`: the bytes it has not parsed yet.
//! - `primary`: the connection to the primary; `state`: the node's state file.
//! - `accept`: new connections; `timer`: the node's deadlines; `disk`: files, on a thread of their own; `memory`:
//!   the allocator and freeing beside the machine; `control`: `CONFIG SET` as far as it concerns the shell; `host`:
//!   facts about process and machine for `INFO`; `oom`: the process' rank among those that the kernel ends.

#![forbid(unsafe_code)]

mod accept;
mod buffer;
mod connection;
mod control;
mod debugging;
mod disk;
mod exchange;
mod host;
mod io;
mod machine;
mod mailbox;
mod memory;
mod oom;
mod options;
mod outlets;
mod primary;
mod start;
mod state;
mod stream;
mod timer;

pub use start::main;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
