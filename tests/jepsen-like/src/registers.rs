//! Clients of the registers: a writer for each, and readers of all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use tanist::client::{Client, Value, text};
use tanist::drill::finder::{Finder, Pilot};

use crate::history::{Operation, What};

/// The key of a register.
pub(crate) fn key(register: usize) -> String {
    format!("register:{register}")
}

/// Running clients.
pub(crate) struct Clients {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<Operation>>>,
}

impl Clients {
    /// One writer per register, and `readers` of all registers.
    pub(crate) fn start(finder: &Arc<Finder>, zero: Instant, registers: usize, readers: usize) -> Clients {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |id: usize| One {
            id,
            finder: finder.clone(),
            stop: stop.clone(),
            zero,
            registers,
            history: Vec::new(),
        };
        let writers = (0..registers).map(|id| {
            let one = client(id);
            thread::spawn(move || one.write())
        });
        let readers = (registers..registers + readers).map(|id| {
            let one = client(id);
            thread::spawn(move || one.read())
        });
        let threads = writers.chain(readers).collect();
        Clients { stop, threads }
    }

    /// Stops them and collects the history.
    pub(crate) fn finish(self) -> Vec<Operation> {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().filter_map(|t| t.join().ok()).flatten().collect()
    }
}

struct One {
    id: usize,
    finder: Arc<Finder>,
    stop: Arc<AtomicBool>,
    zero: Instant,
    registers: usize,
    history: Vec<Operation>,
}

/// Enough to race with a failover, and few enough to keep every operation.
const PACE: Duration = Duration::from_millis(1);

impl One {
    fn write(mut self) -> Vec<Operation> {
        let finder = self.finder.clone();
        let mut pilot = Pilot::new(&finder, self.id, None);
        let mut value = 0;
        while !self.stopped() {
            let Some(mut link) = pilot.connect() else { continue };
            while !self.stopped() {
                value += 1;
                let begin = self.zero.elapsed();
                let what = set(&mut link.client, self.id, value);
                self.note(self.id, what, begin);
                match what {
                    What::Wrote { .. } => sleep(PACE),
                    What::Refused { .. } => {
                        finder.wait_switch(link.generation, Duration::from_millis(2));
                        break;
                    }
                    _ => break,
                }
            }
        }
        self.history
    }

    fn read(mut self) -> Vec<Operation> {
        let finder = self.finder.clone();
        let mut pilot = Pilot::new(&finder, self.id, None);
        let mut turn = self.id;
        while !self.stopped() {
            let Some(mut link) = pilot.connect() else { continue };
            while !self.stopped() {
                turn += 1;
                let register = turn % self.registers;
                let begin = self.zero.elapsed();
                match get(&mut link.client, register) {
                    Some(value) => self.note(register, What::Read { value }, begin),
                    None => break,
                }
                sleep(PACE);
            }
        }
        self.history
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn note(&mut self, register: usize, what: What, begin: Duration) {
        let end = self.zero.elapsed();
        self.history.push(Operation { register, client: self.id, what, begin, end });
    }
}

/// Writes a value and asks for a replica's confirmation.
fn set(client: &mut Client, register: usize, value: u64) -> What {
    client.queue(&[b"SET", key(register).as_bytes(), value.to_string().as_bytes()]);
    client.queue(&[b"WAIT", b"1", b"1000"]);
    if client.flush().is_err() {
        return What::Perhaps { value };
    }
    let Ok(answer) = client.read() else { return What::Perhaps { value } };
    let confirmed = client.read().is_ok_and(|v| matches!(v, Value::Int(n) if n >= 1));
    match answer {
        Value::Error(e) if e.starts_with(b"UNCERTAIN") || e.starts_with(b"UNBLOCKED") => {
            What::Perhaps { value }
        }
        Value::Error(_) => What::Refused { value },
        _ => What::Wrote { value, confirmed },
    }
}

/// Reads a register; `None` when the connection broke or the node refuses.
pub(crate) fn get(client: &mut Client, register: usize) -> Option<u64> {
    match client.call(&["GET", &key(register)]).ok()? {
        Value::Null => Some(0),
        Value::Error(_) => None,
        value => text(&value)?.parse().ok(),
    }
}
