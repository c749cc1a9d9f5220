//! The node's state file: read at the start, replaced by a thread of its own whenever the node says so.
//!
//! A thread apart from the one that writes snapshots: an election must not wait for a large file's sync.
//!
//! Two processes must never keep the same state: who has one holds a lock beside it, from before the file is read or
//! first written until the process ends. A node without state holds none and leaves no file behind.

use crate::machine::Machine;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use tanist_node::{Durable, Input, decode_state};
use tanist_runtime::durable::{self, Lock};
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

/// The file of the node that listens on `port`, in the directory where the process works now.
pub(crate) fn path(port: u16) -> PathBuf {
    let name = PathBuf::from(format!("tanist-{port}.state"));
    // In full: the process may work elsewhere later (`CONFIG SET dir`).
    std::path::absolute(&name).unwrap_or(name)
}

/// The state file and its lock.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    lock: Option<Lock>,
}

impl Keeper {
    pub(crate) fn new(path: PathBuf) -> Keeper {
        Keeper { path, lock: None }
    }

    /// Reads the state file, if there is one. One that makes no sense is put aside: the node is a new one then, and
    /// waits to be told its role.
    ///
    /// # Errors
    /// Of the file system; also if another process has this state.
    pub(crate) fn read(&mut self, rng: &mut Rng) -> Result<Option<Durable>, String> {
        if !self.path.exists() {
            return Ok(None);
        }
        self.lock()
            .map_err(|e| format!("Can't use the state file {}: {}", self.path.display(), describe(&e)))?;
        read(&self.path, rng)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.lock()?;
        durable::write(&self.path, bytes)
    }

    fn lock(&mut self) -> io::Result<()> {
        if self.lock.is_none() {
            let taken =
                Lock::acquire(&self.path.with_extension("lock")).map_err(|error| match error.kind() {
                    io::ErrorKind::WouldBlock => {
                        io::Error::other("another process has it; give each its own 'dir'")
                    }
                    _ => error,
                })?;
            self.lock = Some(taken);
        }
        Ok(())
    }
}

fn read(path: &Path, rng: &mut Rng) -> Result<Option<Durable>, String> {
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
pub(crate) fn start(machine: Arc<Machine>, mut keeper: Keeper, orders: Receiver<Order>) -> io::Result<()> {
    std::thread::Builder::new().name("state".into()).spawn(move || {
        for Order { id, bytes } in orders {
            let result = keeper.write(&bytes).map_err(|error| describe(&error));
            machine.enter(|node, now, outs| node.step(now, Input::Persisted { id, result }, outs));
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_one_keeper() {
        let dir = std::env::temp_dir().join(format!("tanist-state-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (mut one, mut two) = (Keeper::new(dir.join("a.state")), Keeper::new(dir.join("a.state")));
        let mut rng = Rng::from_seed(1);
        assert_eq!(one.read(&mut rng), Ok(None));
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0, "who has no state leaves no file");
        one.write(b"x").unwrap();
        assert!(two.write(b"y").is_err());
        assert!(two.read(&mut rng).unwrap_err().ends_with("another process has it; give each its own 'dir'"));
        assert_eq!(std::fs::read(dir.join("a.state")).unwrap(), b"x");
        drop(one);
        two.write(b"y").unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
