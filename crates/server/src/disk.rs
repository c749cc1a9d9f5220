//! The thread that writes files, so that a slow disk holds nobody up.
//!
//! It takes orders one by one and tells the node what came of each.

use crate::machine::Machine;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use tanist_config::ServerConfig;
use tanist_node::{Input, SessionId};
use tanist_runtime::Alarm;
use tanist_runtime::durable::{Pending, Unnamed};
use tanist_runtime::listen::describe;

/// One order.
#[derive(Debug)]
pub(crate) enum Order {
    /// Begin a snapshot file for this place.
    SaveBegin(PathBuf),
    /// Append to it; with the last bytes, put it in place.
    SaveBytes { bytes: Vec<u8>, last: bool },
    /// Give it up.
    SaveCancel,
    /// Load the snapshot file at this place in the place of the data.
    Load(PathBuf),
    /// Append to the unnamed file with this number; the first bytes make it.
    SpillWrite { file: u64, bytes: Vec<u8> },
    /// Read from it.
    SpillRead { file: u64, at: u64, len: usize },
    /// It is of no use any more.
    SpillEnd { file: u64 },
    /// Read the file of users, and tell the node.
    ReadUsers { session: SessionId, path: PathBuf },
    /// Replace the file of users, and tell the node.
    WriteUsers { session: Option<SessionId>, path: PathBuf, bytes: Vec<u8> },
    /// Rewrite the configuration file with these values, and tell the node.
    RewriteConfig { session: Option<SessionId>, config: Box<ServerConfig>, whole: bool },
}

/// The way to the thread.
pub(crate) struct Disk {
    orders: Sender<Order>,
}

/// What the thread takes its orders from.
pub(crate) struct Orders(Receiver<Order>);

impl Disk {
    pub(crate) fn new() -> (Disk, Orders) {
        let (orders, receiver) = channel();
        (Disk { orders }, Orders(receiver))
    }

    /// Hands an order over.
    pub(crate) fn order(&self, order: Order) {
        // The thread ends only with the process.
        let _ = self.orders.send(order);
    }
}

impl Orders {
    /// Starts the thread.
    pub(crate) fn start(self, machine: Arc<Machine>, config_file: Option<PathBuf>) -> io::Result<()> {
        std::thread::Builder::new().name("disk".into()).spawn(move || {
            let mut save = Save::None;
            let mut spill = SpillFiles::new();
            for order in self.0 {
                match order {
                    Order::SaveBegin(path) => {
                        // Whatever is left of another one goes first: it has the same name.
                        drop(save);
                        save = Save::begin(&path);
                    }
                    Order::SaveCancel => save = Save::None,
                    Order::RewriteConfig { session, config, whole } => {
                        let result = rewrite(config_file.as_deref(), &config, whole);
                        let answer = Input::Rewritten { session, result };
                        machine.enter(|node, now, outs| node.step(now, answer, outs));
                    }
                    Order::ReadUsers { session, path } => {
                        let result = read_users(&path);
                        let answer = Input::UsersRead { session, result };
                        machine.enter(|node, now, outs| node.step(now, answer, outs));
                    }
                    Order::WriteUsers { session, path, bytes } => {
                        let result = tanist_runtime::durable::write(&path, &bytes);
                        let answer =
                            Input::UsersWritten { session, result: result.map_err(|error| describe(&error)) };
                        machine.enter(|node, now, outs| node.step(now, answer, outs));
                    }
                    Order::Load(path) => {
                        let size = std::fs::metadata(&path).ok().map(|file| file.len());
                        machine.enter(|node, now, _| node.load_begin(now, size));
                        let answer = Input::SnapshotLoaded(reload(&machine, &path));
                        machine.enter(|node, now, outs| node.step(now, answer, outs));
                    }
                    Order::SpillWrite { file, bytes } => {
                        let result = append(&mut spill, file, &bytes).map(|()| None);
                        let answer =
                            Input::Spilled { file, result: result.map_err(|error| describe(&error)) };
                        machine.enter(|node, now, outs| node.step(now, answer, outs));
                    }
                    Order::SpillRead { file, at, len } => {
                        let result = read_at(&spill, file, at, len).map(Some);
                        let answer =
                            Input::Spilled { file, result: result.map_err(|error| describe(&error)) };
                        machine.enter(|node, now, outs| node.step(now, answer, outs));
                    }
                    Order::SpillEnd { file } => {
                        spill.remove(&file);
                    }
                    Order::SaveBytes { bytes, last } => {
                        let result = save.write(&bytes, last).map_err(|error| describe(&error));
                        machine.enter(|node, now, outs| node.step(now, Input::SaveWritten(result), outs));
                    }
                }
            }
        })?;
        Ok(())
    }
}

/// The bytes of the file of users.
///
/// # Errors
/// Of the file system, in words.
pub(crate) fn read_users(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| describe(&error))
}

/// Writes the values into the configuration file, leaving its comments and order.
fn rewrite(path: Option<&Path>, config: &ServerConfig, whole: bool) -> Result<(), String> {
    let path = path.ok_or("there is no configuration file")?;
    let old = std::fs::read(path).map_err(|error| describe(&error))?;
    let render = if whole { tanist_config::rewritten_whole } else { tanist_config::rewritten };
    let new = render(config, &old).map_err(|error| error.reason)?;
    tanist_runtime::durable::write(path, &new).map_err(|error| describe(&error))
}

/// The files of snapshots that replicas are sent or that a primary sends, by their numbers.
type SpillFiles = BTreeMap<u64, Unnamed>;

fn append(spill: &mut SpillFiles, file: u64, bytes: &[u8]) -> io::Result<()> {
    let unnamed = match spill.entry(file) {
        Entry::Occupied(open) => open.into_mut(),
        Entry::Vacant(none) => none.insert(Unnamed::create(Path::new("replica.rdb"))?),
    };
    unnamed.append(bytes)
}

fn read_at(spill: &SpillFiles, file: u64, at: u64, len: usize) -> io::Result<Vec<u8>> {
    spill.get(&file).ok_or_else(|| io::Error::other("the file is closed"))?.read_at(at, len)
}

/// The snapshot file that is being written.
enum Save {
    None,
    Open { file: Pending, unsynced: usize },
    Failed(io::Error),
}

/// Bytes after which the disk is made to take them, so that the last sync is short (`rdb-save-incremental-fsync`).
const SYNC_EVERY: usize = 4 * 1024 * 1024;

impl Save {
    fn begin(path: &Path) -> Save {
        match Pending::create_as(path, unfinished(path)) {
            Ok(file) => Save::Open { file, unsynced: 0 },
            Err(error) => Save::Failed(error),
        }
    }

    fn write(&mut self, bytes: &[u8], last: bool) -> io::Result<()> {
        let (mut file, mut unsynced) = match std::mem::replace(self, Save::None) {
            Save::Open { file, unsynced } => (file, unsynced),
            Save::Failed(error) => return Err(error),
            Save::None => return Err(io::Error::other("no snapshot file was begun")),
        };
        file.write_all(bytes)?;
        if last {
            return file.commit();
        }
        unsynced += bytes.len();
        if unsynced >= SYNC_EVERY {
            file.sync()?;
            unsynced = 0;
        }
        *self = Save::Open { file, unsynced };
        Ok(())
    }
}

/// The name of the snapshot file as long as it is not complete. There is one at a time.
fn unfinished(path: &Path) -> PathBuf {
    path.with_file_name(format!("temp-{}.rdb", std::process::id()))
}

/// Removes a snapshot that will not be completed, because the process ends in the middle of it.
pub(crate) fn remove_unfinished(path: &Path) {
    // Mostly there is none.
    let _ = std::fs::remove_file(unfinished(path));
}

/// Gives the node the snapshot file, after it has begun to load.
fn reload(machine: &Machine, path: &Path) -> Result<(), String> {
    let mut file = std::fs::File::open(path).map_err(|error| describe(&error))?;
    let mut chunk = vec![0; LOAD_CHUNK];
    loop {
        match file.read(&mut chunk).map_err(|error| describe(&error))? {
            0 => return Ok(()),
            n => machine
                .enter(|node, now, _| node.load_bytes(now, &chunk[..n]))
                .map_err(|error| error.to_string())?,
        }
    }
}

/// The most bytes of a snapshot file that are loaded at a time, between two commands.
const LOAD_CHUNK: usize = 64 * 1024;

/// Loads the snapshot file, if there is one, while connections are told that it is being loaded.
///
/// # Errors
/// The text for the log, when the file cannot be read or is damaged: the node must not serve then.
pub(crate) async fn load(machine: &Machine, path: &Path, alarm: &Alarm) -> Result<(), String> {
    let failed = |error: io::Error| format!("Fatal error loading the DB: {}. Exiting.", describe(&error));
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let began = machine.clock().mono();
    let size = file.metadata().ok().map(|file| file.len());
    machine.enter(|node, now, _| node.load_begin(now, size));
    let mut chunk = vec![0; LOAD_CHUNK];
    loop {
        match file.read(&mut chunk).map_err(failed)? {
            0 => break,
            n => machine.enter(|node, now, _| node.load_bytes(now, &chunk[..n])).map_err(|error| {
                format!("Fatal error loading the DB, check server logs: {error}. Exiting.")
            })?,
        }
        let due = machine.enter(|node, _, _| node.load_takes());
        let early = due.saturating_sub(machine.clock().mono().since(began));
        if early.is_zero() {
            tokio::task::yield_now().await;
        } else {
            alarm.after(early).await.map_err(failed)?;
        }
    }
    let keys = machine
        .enter(|node, now, outs| node.load_end(now, outs))
        .map_err(|error| format!("Fatal error loading the DB, check server logs: {error}. Exiting."))?;
    let seconds = machine.clock().mono().since(began).as_secs_f64();
    tracing::info!("Done loading RDB, keys loaded: {keys}.");
    tracing::info!("DB loaded from disk: {seconds:.3} seconds");
    Ok(())
}
