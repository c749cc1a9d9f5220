//! A connection that feels every stall of the server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::machine;

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

/// One connection that asks all the time and remembers the longest wait.
#[derive(Debug)]
pub(super) struct Prober {
    worst: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl Prober {
    pub(super) fn start(addr: SocketAddr, probe: Probe) -> Result<Prober> {
        let (worst, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let mut stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let (w, s) = (worst.clone(), stop.clone());
        let thread = thread::spawn(move || {
            machine::prefer_this_thread();
            let mut reply = [0; 5];
            while !s.load(Ordering::Relaxed) {
                let began = Instant::now();
                stream.write_all(probe.request())?;
                stream.read_exact(&mut reply)?;
                if !matches!(&reply, b"+OK\r\n" | b"$-1\r\n") {
                    bail!("the probe was answered {:?}", String::from_utf8_lossy(&reply));
                }
                w.fetch_max(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
                // A tenth of a core at most: the probe must not be the load.
                sleep(Duration::from_micros(200));
            }
            Ok(())
        });
        Ok(Prober { worst, stop, thread })
    }

    pub(super) fn take_worst(&self) -> Duration {
        Duration::from_nanos(self.worst.swap(0, Ordering::Relaxed))
    }

    pub(super) fn finish(self) -> Result<Duration> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|_| bail!("the probe failed"))?;
        Ok(Duration::from_nanos(self.worst.load(Ordering::Relaxed)))
    }
}
