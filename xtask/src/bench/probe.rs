//! A connection that feels every stall of the server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::machine;
use super::witness::Witness;

/// What is asked all the time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Probe {
    /// Writes one key.
    Set,
    /// Reads one key, which does not exist.
    Get,
}

impl Probe {
    fn request(self) -> &'static [u8] {
        match self {
            Probe::Set => b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000007\r\n$5\r\nprobe\r\n",
            Probe::Get => b"*2\r\n$3\r\nGET\r\n$5\r\nprobe\r\n",
        }
    }
}

/// How long one waits at worst.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Worst {
    /// As the client sees it.
    pub(super) seen: Duration,
    /// Without what the machine took from the server and from the client; the same as [`Worst::seen`] if that is not
    /// known.
    pub(super) own: Duration,
}

/// One connection that asks all the time and remembers the longest wait.
#[derive(Debug)]
pub(super) struct Prober {
    shared: Arc<Shared>,
    thread: JoinHandle<Result<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    worst: Mutex<Worst>,
    answers: Answers,
    stop: AtomicBool,
}

/// Counts answers to questions that are asked one after the other.
#[derive(Debug, Default)]
pub(super) struct Answers(AtomicU64);

impl Answers {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    /// Waits until the question under way has its answer, or until nobody asks any more.
    pub(super) fn await_next(&self, pause: Duration, over: impl Fn() -> bool) {
        let now = self.0.load(Ordering::Acquire);
        while self.0.load(Ordering::Acquire) == now && !over() {
            sleep(pause);
        }
    }
}

impl Prober {
    /// Asks `addr`, beside a witness of what the machine does, if there is one.
    pub(super) fn start(addr: SocketAddr, probe: Probe, witness: Option<Witness>) -> Result<Prober> {
        let mut stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let shared = Arc::new(Shared::default());
        let asked = shared.clone();
        let thread = thread::spawn(move || {
            machine::prefer_this_thread();
            let mut reply = [0; 5];
            while !asked.stop.load(Ordering::Relaxed) {
                let pushed = witness.as_ref().map(Witness::pushed_aside);
                let began = Instant::now();
                stream.write_all(probe.request())?;
                stream.read_exact(&mut reply)?;
                let ended = Instant::now();
                if !matches!(&reply, b"+OK\r\n" | b"$-1\r\n") {
                    bail!("the probe was answered {:?}", String::from_utf8_lossy(&reply));
                }
                asked.note((began, ended), witness.as_ref().zip(pushed));
                // A tenth of a core at most: the probe must not be the load.
                sleep(Duration::from_micros(200));
            }
            Ok(())
        });
        Ok(Prober { shared, thread })
    }

    /// The longest wait since the last time, that of the question under way included.
    pub(super) fn take_worst(&self) -> Worst {
        self.shared.answers.await_next(Duration::from_millis(1), || self.thread.is_finished());
        std::mem::take(&mut *self.shared.worst())
    }

    pub(super) fn finish(self) -> Result<Worst> {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|_| bail!("the probe failed"))?;
        Ok(*self.shared.worst())
    }
}

impl Shared {
    fn worst(&self) -> MutexGuard<'_, Worst> {
        self.worst.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Takes down a wait, and what a witness knows of it that had counted so much when it began.
    fn note(&self, (began, ended): (Instant, Instant), witness: Option<(&Witness, Duration)>) {
        let seen = ended - began;
        let mut worst = self.worst();
        worst.seen = worst.seen.max(seen);
        // The witness is asked rarely: only when it matters.
        if seen > worst.own {
            let taken = witness.map_or(Duration::ZERO, |(w, pushed)| {
                w.taken(began, ended).max(w.pushed_aside().saturating_sub(pushed))
            });
            worst.own = worst.own.max(seen.saturating_sub(taken));
        }
        drop(worst);
        self.answers.count();
    }
}
