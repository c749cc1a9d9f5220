//! Asks the nodes for their role every few milliseconds: the moment a new primary says so itself.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use crate::client::{Client, items, text};

/// Watches the nodes that are not primary.
#[derive(Debug)]
pub struct RoleProbe {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Option<(Instant, SocketAddr)>>>,
    threads: Vec<JoinHandle<()>>,
}

impl RoleProbe {
    /// Starts to watch `nodes`.
    pub fn start(nodes: &[SocketAddr], password: Option<&str>) -> RoleProbe {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(None));
        let spawn = |addr: &SocketAddr| {
            let (stop, seen, addr, password) =
                (stop.clone(), seen.clone(), *addr, password.map(str::to_owned));
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    if let Some(at) = watch(addr, password.as_deref(), &stop) {
                        seen.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((at, addr));
                        return;
                    }
                    sleep(Duration::from_millis(5));
                }
            })
        };
        let threads = nodes.iter().map(spawn).collect();
        RoleProbe { stop, seen, threads }
    }

    /// The first to say that it is primary, and when.
    pub fn seen(&self) -> Option<(Instant, SocketAddr)> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the threads.
    pub fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|t| drop(t.join()));
    }
}

/// Until the node says `master` (then when), the connection breaks or the drill ends.
fn watch(addr: SocketAddr, password: Option<&str>, stop: &AtomicBool) -> Option<Instant> {
    let mut client = Client::login(addr, Duration::from_secs(1), password).ok()?;
    while !stop.load(Ordering::Relaxed) {
        let reply = client.call(&["ROLE"]).ok()?;
        if items(&reply).first().and_then(text).as_deref() == Some("master") {
            return Some(Instant::now());
        }
        sleep(Duration::from_millis(5));
    }
    None
}
