//! Writes the configuration file on a thread of its own: a slow disk must not stop the sentinel from answering.
//! Versions that pile up meanwhile are written as one, the newest.

use crate::core::{Input, PersistId};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use tanist_runtime::durable;
use tokio::sync::mpsc::UnboundedSender;

/// The writing thread's mailbox.
pub(super) struct Disk {
    jobs: Sender<(PersistId, String)>,
}

impl Disk {
    /// Starts the thread.
    pub(super) fn start(path: PathBuf, inputs: UnboundedSender<Input>) -> std::io::Result<Disk> {
        let (jobs, receiver) = channel();
        std::thread::Builder::new().name("disk".into()).spawn(move || work(&path, &receiver, &inputs))?;
        Ok(Disk { jobs })
    }

    /// Hands over a version; the answer comes as an input.
    pub(super) fn write(&self, id: PersistId, text: String) {
        // The thread lives as long as the process.
        let _ = self.jobs.send((id, text));
    }
}

fn work(path: &std::path::Path, jobs: &Receiver<(PersistId, String)>, inputs: &UnboundedSender<Input>) {
    while let Ok(mut job) = jobs.recv() {
        while let Ok(newer) = jobs.try_recv() {
            job = newer;
        }
        let (id, text) = job;
        let result = durable::write(path, text.as_bytes()).map_err(|error| error.to_string());
        if inputs.send(Input::Persisted { id, result }).is_err() {
            return;
        }
    }
}
