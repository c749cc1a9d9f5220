//! Who else was kept waiting: what the machine takes from a server, and what the server takes by itself.
//!
//! On a machine of one's own a long wait is the server's. On a virtual one the host stops a core for milliseconds, and
//! the client cannot tell. So a thread on the server's core that does nothing but answer, and that runs before the
//! server, is asked all the time: while it does not answer either, the core was not the server's to use. And the kernel
//! counts how long the server's thread was ready while something else had the core.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::machine;
use super::probe::Answers;

/// An answer that takes longer is late. Usually it comes in a tenth of that.
const LATE: Duration = Duration::from_micros(200);

/// The waits of one who only waits for the machine; asking ends when it is dropped.
#[derive(Debug)]
pub(super) struct Witness {
    shared: Arc<Shared>,
    /// The kernel's account of the server's first thread, which answers.
    account: PathBuf,
}

#[derive(Debug, Default)]
struct Shared {
    /// From when to when an answer was late, in order.
    late: Mutex<Vec<(Instant, Instant)>>,
    answers: Answers,
    stop: AtomicBool,
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Witness {
    /// Starts asking beside the server of this process; none if we may not choose cores and who runs first: then nothing
    /// can be told apart.
    pub(super) fn start(pid: u32) -> Result<Option<Witness>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let addr = listener.local_addr()?;
        let (ready, is_ready) = mpsc::channel();
        thread::spawn(move || {
            let alone = machine::move_this_thread(machine::SERVER_CORE);
            let _ = ready.send(alone && machine::prefer_this_thread());
            let Ok((stream, _)) = listener.accept() else { return };
            let _ = answer(stream);
        });
        let mut stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        let shared = Arc::new(Shared::default());
        let asked = shared.clone();
        if machine::cores() < 2 || !is_ready.recv().unwrap_or(false) {
            return Ok(None);
        }
        for core in [machine::SERVER_CORE, machine::LOAD_CORE] {
            let kept = shared.clone();
            thread::spawn(move || keep_awake(core, &kept));
        }
        thread::spawn(move || {
            machine::prefer_this_thread();
            let _ = ask(&mut stream, &asked);
            // Whoever waits for an answer must not wait for ever.
            asked.stop.store(true, Ordering::Relaxed);
        });
        Ok(Some(Witness { shared, account: format!("/proc/{pid}/task/{pid}/schedstat").into() }))
    }

    /// How long the server has been ready, all in all, while something else had its core.
    pub(super) fn pushed_aside(&self) -> Duration {
        let account = fs::read_to_string(&self.account).unwrap_or_default();
        Duration::from_nanos(account.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0))
    }

    /// How much of the time between these moments the witness waited in vain.
    pub(super) fn taken(&self, from: Instant, to: Instant) -> Duration {
        // A question that is under way may have begun before the end.
        self.shared.answers.await_next(LATE / 4, || self.shared.stop.load(Ordering::Relaxed));
        let late = self.shared.late.lock().unwrap_or_else(|e| e.into_inner());
        let recent = late.iter().rev().take_while(|(_, until)| *until > from);
        recent.filter_map(|&(since, until)| until.min(to).checked_duration_since(since.max(from))).sum()
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut byte = [0];
    while stream.read(&mut byte)? == 1 {
        stream.write_all(&byte)?;
    }
    Ok(())
}

/// A core of a virtual machine that has nothing to do is given away, and comes back late.
fn keep_awake(core: &str, shared: &Shared) {
    if machine::move_this_thread(core) && machine::defer_this_thread() {
        while !shared.stop.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
    }
}

fn ask(stream: &mut TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut byte = [0];
    // When it was to be asked: a core that was taken away before the question is as lost as after it.
    let mut due = Instant::now();
    while !shared.stop.load(Ordering::Relaxed) {
        stream.write_all(b"?")?;
        if stream.read(&mut byte)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let ended = Instant::now();
        if ended - due > LATE {
            shared.late.lock().unwrap_or_else(|e| e.into_inner()).push((due, ended));
        }
        shared.answers.count();
        due = ended + LATE / 2;
        sleep(LATE / 2);
    }
    Ok(())
}
