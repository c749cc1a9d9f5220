//! A second process with a copy of everything and one connection, for debugging a script: the only fork there is.
//!
//! Only the thread that forks exists in the second process, so a lock that another thread held at that moment stays held
//! for ever. What the second process does must therefore take no lock but those of the allocator and the C library, which
//! see to theirs at a fork themselves: it computes, it reads and writes its one connection, and it ends. It does not log,
//! touches no file and no runtime, and it ends without running destructors or what is registered for the end.
//!
//! It shares nothing with the first process but the descriptors it was born with, and closes these at once, so that no
//! connection of others is kept open by it. (A connection's place in an epoll set goes with its description, not with a
//! descriptor: the first process takes the handed-over connection out of its own set before it closes it.) The system ends
//! it together with the thread that has made it, so it never outlives the server.
#![allow(unsafe_code)]

use rustix::process::{Pid, Signal, WaitOptions};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Which process this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The first one. The number is that of the second.
    Parent(u32),
    /// The second one. It must end with [`exit`].
    Child,
}

/// Makes a second process that keeps nothing open but `connection` and the standard streams. `ended` is called in the
/// first process, on a thread of its own, when the second has ended.
///
/// # Errors
/// When the system allows no other process.
pub fn fork(connection: BorrowedFd<'_>, ended: impl FnOnce(u32) + Send + 'static) -> io::Result<Side> {
    let parent = rustix::process::getpid();
    // SAFETY: the second process keeps to what the module's comment says; `become_child` and `exit` see to the rest.
    let pid = unsafe { libc::fork() };
    match Pid::from_raw(pid.max(0)) {
        None if pid < 0 => Err(io::Error::last_os_error()),
        None => {
            become_child(parent, connection.as_raw_fd());
            Ok(Side::Child)
        }
        Some(child) => {
            let number = pid.unsigned_abs();
            let wait = move || {
                // It cannot fail but by a signal's interruption, after which it is tried again.
                while rustix::process::waitpid(Some(child), WaitOptions::empty())
                    .is_err_and(|error| error == rustix::io::Errno::INTR)
                {}
                ended(number);
            };
            if let Err(error) = std::thread::Builder::new().name("debugged".into()).spawn(wait) {
                tracing::warn!("Nobody waits for process {number} to end: {error}");
            }
            Ok(Side::Parent(number))
        }
    }
}

/// Ends the second process.
pub fn exit(status: i32) -> ! {
    // SAFETY: ends the process at once; that is all.
    unsafe { libc::_exit(status) }
}

fn become_child(parent: Pid, connection: i32) {
    // A panic's report would take the lock of standard error, and its unwinding would leave the way.
    std::panic::set_hook(Box::new(|_| exit(1)));
    // SAFETY: signals are ignored that are meant for the first process; the descriptors that are closed belong to objects
    // of this process that are never used or dropped again, since it ends by `exit`.
    unsafe {
        libc::signal(libc::SIGTERM, libc::SIG_IGN);
        libc::signal(libc::SIGINT, libc::SIG_IGN);
        let connection = connection.unsigned_abs();
        if connection > 3 {
            libc::syscall(libc::SYS_close_range, 3, connection - 1, 0);
        }
        libc::syscall(libc::SYS_close_range, connection + 1, libc::c_uint::MAX, 0);
    }
    let follows = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    // The first process may have ended before that.
    if follows.is_err() || rustix::process::getppid() != Some(parent) {
        exit(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;

    #[test]
    fn the_second_process_has_the_connection_and_nothing_else() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        let (mut other, kept) = UnixStream::pair().unwrap();
        let (tell, told) = mpsc::channel();
        let side = fork(theirs.as_fd(), move |pid| tell.send(pid).unwrap()).unwrap();
        let Side::Parent(pid) = side else {
            // Ends only when it is told to.
            let mut byte = [0];
            let answer: &[u8] = match theirs.read(&mut byte) {
                Ok(1) => b"done",
                _ => b"",
            };
            let _ = theirs.write_all(answer);
            exit(0);
        };
        drop((theirs, kept));
        // Nobody holds the other end of this one any more, though the second process was born with it.
        assert_eq!(other.read(&mut [0]).unwrap(), 0);
        assert!(told.try_recv().is_err(), "it is alive");
        ours.write_all(b"x").unwrap();
        let mut answer = String::new();
        ours.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "done");
        assert_eq!(told.recv().unwrap(), pid);
    }
}
