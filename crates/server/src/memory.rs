//! The allocator, and freeing large things where nobody waits for it.

use std::sync::mpsc::{Sender, channel};
use tikv_jemalloc_ctl::{Access, AsName, background_thread};

/// How long freed pages are kept for reuse, in milliseconds. The allocator's own ten seconds keep what growing tables
/// leave behind: 7 bytes per key at a million keys.
const DECAY_MS: isize = 1_000;

/// Has freed pages given back soon, by a thread of the allocator: done in passing by whoever allocates, it takes
/// milliseconds now and then.
pub(crate) fn tune_allocator(background: bool) -> tikv_jemalloc_ctl::Result<()> {
    // The first thread's arena exists already; those to come follow the general setting.
    for setting in [&b"arenas.dirty_decay_ms\0"[..], b"arena.0.dirty_decay_ms\0"] {
        setting.name().write(DECAY_MS)?;
    }
    background_thread::write(background)
}

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

#[cfg(test)]
mod tests {
    use tikv_jemalloc_ctl::{Access, AsName};

    /// The places in a slab of the allocator's size class of so many bytes.
    fn places(bytes: usize) -> u32 {
        let read = |bin: u32, what: &str| format!("arenas.bin.{bin}.{what}\0").into_bytes().leak();
        let size = |bin| -> Option<usize> { read(bin, "size").name().read().ok() };
        let bin =
            (0..).find(|&bin| size(bin).expect("a class of this size") == bytes).expect("bins are numbered");
        read(bin, "nregs").name().read().expect("a bin that has a size")
    }

    #[test]
    fn nodes_of_long_lists_share_slabs() {
        assert_eq!(places(8192), 4);
    }
}
