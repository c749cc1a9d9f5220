//! Finding the primary through the sentinels, as a good client does.
//!
//! A client asks any sentinel for the address and listens for `+switch-master` on all of them. When a switch
//! is heard, connections to other addresses are shut down at once: their owners must not go on waiting for a
//! frozen or demoted node.

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::client::Client;
use crate::cluster::view::addr;

/// Shared by all clients of one drill.
#[derive(Debug)]
pub struct Finder {
    sentinels: Vec<SocketAddr>,
    name: String,
    password: Option<String>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Grows with every switch that was heard.
    generation: u64,
    streams: BTreeMap<u64, (SocketAddr, TcpStream)>,
    next: u64,
}

/// A connection that a switch shuts down; forgotten when dropped.
#[derive(Debug)]
pub struct Registration<'a> {
    finder: &'a Finder,
    id: u64,
}

impl Finder {
    /// For the group `name` watched by `sentinels`, which may want a password.
    pub fn new(sentinels: Vec<SocketAddr>, name: &str, password: Option<&str>) -> Finder {
        let (name, password) = (name.to_owned(), password.map(str::to_owned));
        Finder { sentinels, name, password, state: Mutex::default(), changed: Condvar::new() }
    }

    /// The group's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A `+switch-master` was heard.
    pub fn switched(&self, to: SocketAddr) {
        let mut state = self.lock();
        state.generation += 1;
        for (addr, stream) in state.streams.values() {
            if *addr != to {
                // It may be closed already; then there is nothing to shut down.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        self.changed.notify_all();
    }

    /// How many switches were heard.
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Waits for a switch, at most `limit`.
    pub fn wait_switch(&self, seen: u64, limit: Duration) {
        let state = self.lock();
        let _ = self.changed.wait_timeout_while(state, limit, |s| s.generation == seen);
    }

    /// Asks the sentinels one after the other, starting with the one at `first`.
    pub fn ask(&self, first: usize) -> Option<SocketAddr> {
        let count = self.sentinels.len();
        (0..count).find_map(|i| self.ask_one(self.sentinels[(first + i) % count]))
    }

    fn ask_one(&self, sentinel: SocketAddr) -> Option<SocketAddr> {
        let mut client =
            Client::login(sentinel, Duration::from_millis(250), self.password.as_deref()).ok()?;
        addr(&client.call(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.name]).ok()?)
    }

    /// Puts a connection under the rule of switches; refused if one was heard since `generation`.
    pub fn register(&self, generation: u64, addr: SocketAddr, stream: TcpStream) -> Option<Registration<'_>> {
        let mut state = self.lock();
        if state.generation != generation {
            return None;
        }
        let id = state.next;
        state.next += 1;
        state.streams.insert(id, (addr, stream));
        Some(Registration { finder: self, id })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.finder.lock().streams.remove(&self.id);
    }
}

/// One client's way to the primary, again and again.
#[derive(Debug)]
pub struct Pilot<'a> {
    finder: &'a Finder,
    /// Which sentinel to ask first; another one each time.
    turn: usize,
    password: Option<String>,
}

/// A connection to what the sentinels call the primary.
#[derive(Debug)]
pub struct Link<'a> {
    /// The connection.
    pub client: Client,
    /// Its other end.
    pub addr: SocketAddr,
    /// The switches heard when it was made.
    pub generation: u64,
    _registration: Registration<'a>,
}

impl<'a> Pilot<'a> {
    /// Different clients start with different sentinels.
    pub fn new(finder: &'a Finder, turn: usize, password: Option<String>) -> Pilot<'a> {
        Pilot { finder, turn, password }
    }

    /// One attempt; after a failure it has already waited a little, or until a switch.
    pub fn connect(&mut self) -> Option<Link<'a>> {
        let generation = self.finder.generation();
        let link = self.attempt(generation);
        self.turn += 1;
        if link.is_none() {
            self.finder.wait_switch(generation, Duration::from_millis(5));
        }
        link
    }

    fn attempt(&self, generation: u64) -> Option<Link<'a>> {
        let addr = self.finder.ask(self.turn)?;
        let client = Client::login(addr, Duration::from_millis(500), self.password.as_deref()).ok()?;
        // Long enough for every failover; the sentinels' word ends a wait much earlier.
        client.set_timeout(Some(Duration::from_secs(15))).ok()?;
        let registration = self.finder.register(generation, addr, client.handle().ok()?)?;
        Some(Link { client, addr, generation, _registration: registration })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_switch_frees_whoever_waits_for_the_old_primary() {
        let old = TcpListener::bind("127.0.0.1:0").unwrap();
        let new = TcpListener::bind("127.0.0.1:0").unwrap();
        let finder = Finder::new(Vec::new(), "g", None);
        let mut to_old = TcpStream::connect(old.local_addr().unwrap()).unwrap();
        let mut to_new = TcpStream::connect(new.local_addr().unwrap()).unwrap();
        let generation = finder.generation();
        let register = |s: &TcpStream| {
            finder.register(generation, s.peer_addr().unwrap(), s.try_clone().unwrap()).unwrap()
        };
        let _guards = (register(&to_old), register(&to_new));
        finder.switched(new.local_addr().unwrap());
        assert_eq!(to_old.read(&mut [0]).unwrap(), 0, "shut down");
        to_new.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert!(to_new.read(&mut [0]).is_err(), "still open");
        assert!(finder.register(generation, new.local_addr().unwrap(), to_new).is_none(), "asked too early");
    }
}
