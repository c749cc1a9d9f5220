//! What the sentinels announce, with the time at which it was heard.
//!
//! One thread per sentinel holds a `PSUBSCRIBE *`. Times are of the listener's monotonic clock, so that
//! events of different sentinels, the fault and the writers' acknowledgements can be compared.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime};

use super::finder::Finder;
use crate::client::{Client, Value, items, text};
use crate::cluster::{Layout, Member};

/// One announcement.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it was heard.
    pub at: Instant,
    /// The same by the wall clock, for people.
    pub wall: SystemTime,
    /// Which sentinel said it: position among the listened-to.
    pub sentinel: usize,
    /// `+sdown`, `+switch-master`, ...
    pub channel: String,
    /// The rest.
    pub payload: String,
}

impl Event {
    /// Whether it is about the group's primary: `master <name> ...`, or the name first.
    pub fn about_primary(&self, name: &str) -> bool {
        let mut words = self.payload.split(' ');
        match words.next() {
            Some("master") => words.next() == Some(name),
            first => first == Some(name),
        }
    }

    /// The new address of a `+switch-master`.
    pub fn switched_to(&self, name: &str) -> Option<SocketAddr> {
        let words: Vec<&str> = self.payload.split(' ').collect();
        match (self.channel.as_str(), words.as_slice()) {
            ("+switch-master", [n, _, _, ip, port]) if *n == name => format!("{ip}:{port}").parse().ok(),
            _ => None,
        }
    }
}

/// All that was heard, in the order of hearing.
#[derive(Debug, Default)]
pub struct EventLog {
    events: Mutex<Vec<Event>>,
}

impl EventLog {
    /// A copy of the events from position `from` on.
    pub fn since(&self, from: usize) -> Vec<Event> {
        let events = self.lock();
        events[from.min(events.len())..].to_vec()
    }

    /// How many were heard so far.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing was heard.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn push(&self, event: Event) {
        self.lock().push(event);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Threads that listen to every sentinel until told to stop.
#[derive(Debug)]
pub struct Listeners {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Listeners {
    /// Listens to the sentinels of a cluster; switches are also told to `finder`.
    pub fn start(layout: &Layout, log: &Arc<EventLog>, finder: Option<&Arc<Finder>>) -> Listeners {
        let stop = Arc::new(AtomicBool::new(false));
        let spawn = |(index, member): (usize, &Member)| {
            let password = layout.password(member.kind).map(str::to_owned);
            let (log, finder, stop) = (log.clone(), finder.cloned(), stop.clone());
            let ear = Ear { index, addr: member.addr(), password, log, finder, stop };
            thread::spawn(move || ear.run())
        };
        let threads = layout.sentinels().enumerate().map(spawn).collect();
        Listeners { stop, threads }
    }

    /// Ends the threads.
    pub fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|t| drop(t.join()));
    }
}

struct Ear {
    index: usize,
    addr: SocketAddr,
    password: Option<String>,
    log: Arc<EventLog>,
    finder: Option<Arc<Finder>>,
    stop: Arc<AtomicBool>,
}

impl Ear {
    fn run(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            if self.listen().is_err() {
                sleep(Duration::from_millis(20));
            }
        }
    }

    fn listen(&self) -> std::io::Result<()> {
        let mut client = Client::login(self.addr, Duration::from_millis(200), self.password.as_deref())?;
        client.queue(&[b"PSUBSCRIBE", b"*"]);
        client.flush()?;
        while !self.stop.load(Ordering::Relaxed) {
            match client.read() {
                Ok(message) => self.hear(&message),
                Err(e) if timed_out(&e) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn hear(&self, message: &Value) {
        let [kind, _pattern, channel, payload] = items(message) else { return };
        let (Some(kind), Some(channel), Some(payload)) = (text(kind), text(channel), text(payload)) else {
            return;
        };
        if kind != "pmessage" {
            return;
        }
        let event =
            Event { at: Instant::now(), wall: SystemTime::now(), sentinel: self.index, channel, payload };
        if let Some(finder) = &self.finder
            && let Some(to) = event.switched_to(finder.name())
        {
            finder.switched(to);
        }
        self.log.push(event);
    }
}

/// Whether a read merely ran into its bound.
pub fn timed_out(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(channel: &str, payload: &str) -> Event {
        Event {
            at: Instant::now(),
            wall: SystemTime::now(),
            sentinel: 0,
            channel: channel.into(),
            payload: payload.into(),
        }
    }

    #[test]
    fn reads_a_switch() {
        let e = event("+switch-master", "g 127.0.0.1 1 127.0.0.1 2");
        assert_eq!(e.switched_to("g"), "127.0.0.1:2".parse().ok());
        assert_eq!(e.switched_to("other"), None);
        assert!(e.about_primary("g"));
        assert_eq!(event("+sdown", "master g 127.0.0.1 1").switched_to("g"), None);
    }

    #[test]
    fn tells_the_primary_from_the_rest() {
        assert!(event("+sdown", "master g 127.0.0.1 1").about_primary("g"));
        assert!(!event("+sdown", "slave 127.0.0.1:2 127.0.0.1 2 @ g 127.0.0.1 1").about_primary("g"));
        assert!(!event("+sdown", "master h 127.0.0.1 1").about_primary("g"));
    }
}
