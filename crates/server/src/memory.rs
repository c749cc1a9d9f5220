//! The allocator, and freeing large things where nobody waits for it.

use std::sync::mpsc::{Sender, channel};

/// The way to the thread that frees.
pub(crate) struct Garbage {
    sender: Sender<tanist_node::Garbage>,
}

impl Garbage {
    /// Starts the thread. It ends with the process.
    pub(crate) fn start() -> std::io::Result<Garbage> {
        let (sender, receiver) = channel();
        std::thread::Builder::new().name("free".into()).spawn(move || {
            for garbage in receiver {
                drop(garbage);
            }
        })?;
        Ok(Garbage { sender })
    }

    /// Frees this, later and elsewhere.
    pub(crate) fn free(&self, garbage: tanist_node::Garbage) {
        // Without the thread it is freed here.
        let _ = self.sender.send(garbage);
    }
}
