//! The node's state file: read at the start, replaced by a thread of its own whenever the node says so.
//!
//! A thread apart from the one that writes snapshots: an election must not wait for a large file's sync.

use crate::machine::Machine;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use tanist_node::{Durable, Input, decode_state};
use tanist_runtime::durable;
use tanist_runtime::listen::describe;
use tanist_types::Rng;

/// The most bytes that a state file may have.
const MOST: u64 = 1 << 20;

/// A state to be written.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) bytes: Vec<u8>,
}

/// The way to the thread that writes.
pub(crate) type Orders = Sender<Order>;

/// The file of the node that listens on `port`, relative to the working directory.
pub(crate) fn path(port: u16) -> PathBuf {
    PathBuf::from(format!("tanist-{port}.state"))
}

/// Reads the state file, if there is one. One that makes no sense is put aside: the node is a new one then, and waits
/// to be told its role.
///
/// # Errors
/// Of the file system.
pub(crate) fn read(path: &Path, rng: &mut Rng) -> Result<Option<Durable>, String> {
    let failed = |e: io::Error| format!("Can't read the state file {}: {}", path.display(), describe(&e));
    let Some(bytes) = durable::read(path, MOST).map_err(failed)? else { return Ok(None) };
    match decode_state(&bytes) {
        Ok(durable) => Ok(Some(durable)),
        Err(error) => {
            let aside = path.with_extension("state.damaged");
            std::fs::rename(path, &aside).map_err(failed)?;
            tracing::warn!(
                "{}: {error}. It was put aside as {}; this is a new node now, which waits to be told its role.",
                path.display(),
                aside.display()
            );
            Ok(Some(Durable::after_loss(rng)))
        }
    }
}

/// The channel to the thread.
pub(crate) fn orders() -> (Orders, Receiver<Order>) {
    channel()
}

/// Starts the thread.
pub(crate) fn start(machine: Arc<Machine>, path: PathBuf, orders: Receiver<Order>) -> io::Result<()> {
    std::thread::Builder::new().name("state".into()).spawn(move || {
        for Order { id, bytes } in orders {
            let result = durable::write(&path, &bytes).map_err(|error| describe(&error));
            machine.enter(|node, now, outs| node.step(now, Input::Persisted { id, result }, outs));
        }
    })?;
    Ok(())
}
