//! A connection as who debugs a script over it speaks with the node: at once, past the batch, and waiting.

use crate::machine::Machine;
use crate::stream::Stream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::cell::Cell;
use std::os::fd::BorrowedFd;
use tanist_node::{DebugLink, Forked, Stopwatch};
use tanist_runtime::fork::{self, Side};
use tanist_types::Mono;

/// Seconds for which a client may take nothing of what it is told.
const PATIENCE: i64 = 5;
/// Bytes read at a time.
const ROOM: usize = 4096;

/// What the node may ask of its surroundings while it carries out a batch of this connection.
pub(crate) struct Link<'a> {
    machine: &'a Machine,
    stream: &'a Stream,
    handed_over: Cell<bool>,
}

impl Link<'_> {
    pub(crate) fn new<'a>(machine: &'a Machine, stream: &'a Stream) -> Link<'a> {
        Link { machine, stream, handed_over: Cell::new(false) }
    }

    /// Whether the connection is another process' now.
    pub(crate) fn is_handed_over(&self) -> bool {
        self.handed_over.get()
    }

    /// Waits until the socket is ready. `false`: it takes too long.
    fn wait(&self, fd: BorrowedFd<'_>, what: PollFlags, timeout: Option<&Timespec>) -> bool {
        loop {
            match poll(&mut [PollFd::from_borrowed_fd(fd, what)], timeout) {
                Err(rustix::io::Errno::INTR) => {}
                ready => return ready.is_ok_and(|n| n > 0),
            }
        }
    }
}

impl Stopwatch for Link<'_> {
    fn read(&self) -> Mono {
        self.machine.clock().mono()
    }

    fn debug_link(&self) -> Option<&dyn DebugLink> {
        Some(self)
    }
}

impl DebugLink for Link<'_> {
    fn fork(&self) -> Result<Forked, String> {
        let ended = |pid| tracing::info!("The debugging session in process {pid} has ended");
        match fork::fork(self.stream.descriptor(), ended).map_err(|e| e.to_string())? {
            Side::Child => Ok(Forked::Child),
            Side::Parent(pid) => {
                tracing::info!("A script is debugged in process {pid}");
                self.handed_over.set(true);
                Ok(Forked::Parent)
            }
        }
    }

    fn tell(&self, mut bytes: &[u8]) -> bool {
        let fd = self.stream.descriptor();
        let patience = Timespec { tv_sec: PATIENCE, tv_nsec: 0 };
        while !bytes.is_empty() {
            match send(fd, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(n) => bytes = &bytes[n..],
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) if self.wait(fd, PollFlags::OUT, Some(&patience)) => {}
                Err(_) => return false,
            }
        }
        true
    }

    fn hear(&self, room: &mut Vec<u8>) -> bool {
        let fd = self.stream.descriptor();
        let mut bytes = [0; ROOM];
        loop {
            match recv(fd, &mut bytes, RecvFlags::DONTWAIT) {
                Ok((0, _)) => return false,
                Ok((n, _)) => {
                    room.extend_from_slice(&bytes[..n]);
                    return true;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) if self.wait(fd, PollFlags::IN, None) => {}
                Err(_) => return false,
            }
        }
    }

    fn exit(&self, last: &[u8]) -> ! {
        self.tell(last);
        fork::exit(0)
    }
}
