//! Writers that know only the sentinels, and remember what became of every write.
//!
//! Each write has a key of its own, is sent once, and ends in one of three outcomes: acknowledged, refused
//! (the server said that it did not execute it) or unknown (the connection ended, or the answer says so).
//! Some writers also ask `WAIT 1` after each write: what that confirms is a promise even where replication
//! is asynchronous.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use super::finder::{Finder, Pilot};
use crate::client::{Client, Value};

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server said OK.
    Acked,
    /// OK, and at least one replica has it.
    Confirmed,
    /// An error that says it was not executed.
    Refused,
    /// It may or may not have been executed.
    Unknown,
}

/// One writer's memory.
#[derive(Debug, Default)]
pub struct Log {
    /// The writer's number; part of its keys.
    pub id: usize,
    /// By sequence number.
    pub outcomes: Vec<Outcome>,
    /// When each acknowledgement came, since the drill's zero.
    pub acks: Vec<Duration>,
    /// First acknowledgement of each connection, and whose it was.
    pub first_acks: Vec<(Duration, SocketAddr)>,
    /// The last few different error texts.
    pub errors: Vec<String>,
}

/// How to write.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Part of every key: tells drills apart.
    pub tag: String,
    /// Writers in all.
    pub writers: usize,
    /// Of these, how many confirm each write with `WAIT 1`.
    pub confirming: usize,
    /// Writes sent before the answers are read.
    pub pipeline: usize,
    /// Upper bound of writes per second and writer; `None` for as fast as possible.
    pub rate: Option<f64>,
    /// For `AUTH`.
    pub password: Option<String>,
    /// The drill's zero.
    pub zero: Instant,
}

/// The key of a write.
pub fn key(tag: &str, writer: usize, seq: usize) -> String {
    format!("drill:{tag}:{writer}:{seq}")
}

/// The value of a write: differs for every write.
pub fn value(writer: usize, seq: usize) -> String {
    format!("{writer}:{seq}")
}

/// Running writers.
#[derive(Debug)]
pub struct Writers {
    stop: Arc<AtomicBool>,
    acked: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Log>>,
}

impl Writers {
    /// Starts them all.
    pub fn start(plan: &Plan, finder: &Arc<Finder>) -> Writers {
        let stop = Arc::new(AtomicBool::new(false));
        let acked = Arc::new(AtomicU64::new(0));
        let spawn = |id: usize| {
            let writer = Writer {
                plan: plan.clone(),
                finder: finder.clone(),
                stop: stop.clone(),
                acked: acked.clone(),
                confirms: id < plan.confirming,
                log: Log { id, ..Log::default() },
            };
            thread::spawn(move || writer.run())
        };
        let threads = (0..plan.writers).map(spawn).collect();
        Writers { stop, acked, threads }
    }

    /// Writes acknowledged so far, by all.
    pub fn acked(&self) -> u64 {
        self.acked.load(Ordering::Relaxed)
    }

    /// Stops them and collects what they remember.
    pub fn finish(self) -> Vec<Log> {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().filter_map(|t| t.join().ok()).collect()
    }
}

struct Writer {
    plan: Plan,
    finder: Arc<Finder>,
    stop: Arc<AtomicBool>,
    acked: Arc<AtomicU64>,
    confirms: bool,
    log: Log,
}

/// Why a connection is left.
enum Leave {
    /// It broke, or somebody shut it down.
    Broken,
    /// The node refuses writes: it is not, or no longer, the primary.
    Refused,
    /// The drill is over.
    Done,
}

impl Writer {
    fn run(mut self) -> Log {
        let finder = self.finder.clone();
        let mut pilot = Pilot::new(&finder, self.log.id, self.plan.password.clone());
        while !self.stopped() {
            let Some(link) = pilot.connect() else { continue };
            match self.write_to(link.client, link.addr) {
                Leave::Done => break,
                // Once more at once: the next sentinel may already know better.
                Leave::Broken => {}
                Leave::Refused => finder.wait_switch(link.generation, Duration::from_millis(2)),
            }
        }
        self.log
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn write_to(&mut self, mut client: Client, addr: SocketAddr) -> Leave {
        let mut next = Instant::now();
        let mut first = true;
        loop {
            if self.stopped() {
                return Leave::Done;
            }
            let before = self.log.acks.len();
            let left = self.batch(&mut client);
            if first && self.log.acks.len() > before {
                first = false;
                self.log.first_acks.push((self.log.acks[before], addr));
            }
            if let Some(left) = left {
                return left;
            }
            if let Some(rate) = self.plan.rate {
                next += Duration::from_secs_f64(self.plan.pipeline as f64 / rate);
                sleep(next.saturating_duration_since(Instant::now()));
            }
        }
    }

    /// One pipeline of writes. Every write sent gets its outcome, whatever happens.
    fn batch(&mut self, client: &mut Client) -> Option<Leave> {
        let start = self.log.outcomes.len();
        for seq in start..start + self.plan.pipeline {
            let (k, v) = (key(&self.plan.tag, self.log.id, seq), value(self.log.id, seq));
            client.queue(&[b"SET", k.as_bytes(), v.as_bytes()]);
            if self.confirms {
                client.queue(&[b"WAIT", b"1", b"1000"]);
            }
        }
        let mut broken = client.flush().is_err();
        let mut refused = false;
        for _ in 0..self.plan.pipeline {
            let outcome = if broken { None } else { self.outcome(client) };
            broken |= outcome.is_none();
            refused |= outcome == Some(Outcome::Refused);
            self.log.outcomes.push(outcome.unwrap_or(Outcome::Unknown));
        }
        match (broken, refused) {
            (true, _) => Some(Leave::Broken),
            (_, true) => Some(Leave::Refused),
            _ => None,
        }
    }

    /// Reads the answers to one write; `None` when the connection broke before the first.
    fn outcome(&mut self, client: &mut Client) -> Option<Outcome> {
        let answer = client.read().ok()?;
        let at = self.plan.zero.elapsed();
        // A connection that breaks between the two answers shows at the next read.
        let confirmed = self.confirms && client.read().is_ok_and(|v| matches!(v, Value::Int(n) if n >= 1));
        Some(match answer {
            Value::Error(e) => {
                let text = String::from_utf8_lossy(&e).into_owned();
                let unknown = ["UNCERTAIN", "UNBLOCKED"].iter().any(|code| text.starts_with(code));
                self.note(text);
                if unknown { Outcome::Unknown } else { Outcome::Refused }
            }
            _ => {
                self.log.acks.push(at);
                self.acked.fetch_add(1, Ordering::Relaxed);
                if confirmed { Outcome::Confirmed } else { Outcome::Acked }
            }
        })
    }

    fn note(&mut self, text: String) {
        if self.log.errors.len() < 8 && !self.log.errors.contains(&text) {
            self.log.errors.push(text);
        }
    }
}
