//! A small scripted world around one sentinel core: nodes and other sentinels that answer at once or not at all, a
//! disk, a clock that stands still between two lines of a script. What comes out is what a user sees: log lines,
//! replies, and the orders that nodes get.

mod node;
mod script;

use node::Node;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use tanist_resp::{Batch, Decoder, Limits, Value};
use tanist_sentinel::core::{
    Config, Facts, Input, Level, LinkId, LinkLoss, Output, PersistId, Sentinel, SessionId,
};
use tanist_types::{Mono, Now};

pub(crate) use script::run;

/// How an address behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Connections are accepted and commands answered.
    Up,
    /// Connections are refused.
    Refused,
    /// Connections are accepted, nothing is answered: a stopped process.
    Silent,
    /// Nothing comes back at all.
    Dark,
}

/// Another sentinel, as far as its answers go.
#[derive(Clone, Default)]
struct Peer {
    id: String,
    says_down: bool,
    /// Votes for us, for nobody, or for this identity.
    votes: String,
}

/// How the disk behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disk {
    Good,
    Broken,
    Stuck,
}

pub(crate) struct World {
    core: Option<Sentinel>,
    conf: String,
    now: Mono,
    reach: BTreeMap<String, Reach>,
    /// Host names that have no address; all others have that of this machine.
    nameless: BTreeSet<String>,
    nodes: BTreeMap<String, Node>,
    peers: BTreeMap<String, Peer>,
    links: BTreeMap<LinkId, String>,
    disk: Disk,
    stuck: VecDeque<PersistId>,
    queue: VecDeque<Input>,
    decoders: BTreeMap<SessionId, Decoder>,
    shown: Vec<String>,
    saved: String,
}

impl World {
    pub(crate) fn new() -> World {
        World {
            core: None,
            conf: String::new(),
            now: Mono::from_millis(1),
            reach: BTreeMap::new(),
            nameless: BTreeSet::new(),
            nodes: BTreeMap::new(),
            peers: BTreeMap::new(),
            links: BTreeMap::new(),
            disk: Disk::Good,
            stuck: VecDeque::new(),
            queue: VecDeque::new(),
            decoders: BTreeMap::new(),
            shown: Vec::new(),
            saved: String::new(),
        }
    }

    fn now(&self) -> Now {
        Now { mono: self.now, wall_us: 1_700_000_000_000_000 + (self.now.nanos() / 1000) as i64 }
    }

    fn show(&mut self, line: impl Into<String>) {
        let line = line.into();
        self.shown.push(format!("{:>6} {line}", self.now.millis()));
    }

    fn start(&mut self) {
        let config = match Config::parse(&self.conf) {
            Ok(config) => config,
            Err(bad) => return self.show(bad.to_string().replace('\n', " | ")),
        };
        let facts = Facts { pid: 1, port: 26379, ..Facts::default() };
        self.core = Some(Sentinel::new(config, facts, self.now(), 1));
        self.input(Input::Tick);
    }

    /// Steps the core with an input and with everything that follows from it at the same moment.
    fn input(&mut self, input: Input) {
        self.queue.push_back(input);
        while let Some(input) = self.queue.pop_front() {
            let now = self.now();
            let Some(core) = &mut self.core else { return };
            let mut outputs = Vec::new();
            core.step(now, input, &mut outputs);
            for output in outputs {
                self.perform(output);
            }
        }
    }

    /// Lets the time pass until `until`, with every deadline on the way.
    fn pass(&mut self, until: Mono) {
        loop {
            let due = self.core.as_ref().and_then(|c| c.next_deadline()).map(|(at, _)| at.max(self.now));
            match due {
                Some(at) if at <= until => {
                    self.now = at.max(self.now);
                    self.input(Input::Tick);
                    // What is due at this very moment again may not stand still.
                    if self.core.as_ref().and_then(|c| c.next_deadline()).is_some_and(|(n, _)| n <= at) {
                        self.now = self.now + std::time::Duration::from_micros(100);
                    }
                }
                _ => break,
            }
        }
        self.now = self.now.max(until);
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Connect { link, host, port } => self.connect(link, &host, port),
            Output::Disconnect { link } => {
                self.links.remove(&link);
            }
            Output::Send { link, bytes } => self.sent(link, &bytes),
            Output::Reply { session, bytes } => self.replied(session, &bytes),
            Output::Hangup { session } => self.show(format!("session {session} closed")),
            Output::Persist { id, text } => self.persist(id, text),
            Output::Log { level, line } if level >= Level::Notice => self.show(line),
            Output::Log { .. } => {}
            Output::Resolve { host } => self.queue.push_back(Input::Resolved { host, ip: None }),
            Output::RunScript { path, args, .. } => self.show(format!("runs {path} {}", args.join(" "))),
            Output::KillScript { script } => self.show(format!("kills script {script}")),
            Output::Exit { status } => {
                self.show(format!("exits with {status}"));
                self.core = None;
            }
        }
    }

    fn connect(&mut self, link: LinkId, host: &str, port: u16) {
        if self.nameless.contains(host) {
            return self.queue.push_back(Input::LinkDown { link, why: LinkLoss::Unresolved });
        }
        let ip: IpAddr = host.parse().unwrap_or([127, 0, 0, 1].into());
        let addr = format!("{ip}:{port}");
        match self.reach.get(&addr).copied().unwrap_or(Reach::Dark) {
            Reach::Up | Reach::Silent => {
                self.links.insert(link, addr);
                self.queue.push_back(Input::LinkUp { link, remote: ip, local: [127, 0, 0, 1].into() });
            }
            Reach::Refused => self.queue.push_back(Input::LinkDown { link, why: LinkLoss::Refused }),
            Reach::Dark => {}
        }
    }

    fn persist(&mut self, id: PersistId, text: String) {
        match self.disk {
            Disk::Good => {
                self.saved = text;
                self.queue.push_back(Input::Persisted { id, result: Ok(()) });
            }
            Disk::Broken => {
                self.queue.push_back(Input::Persisted { id, result: Err("No space left on device".into()) });
            }
            Disk::Stuck => self.stuck.push_back(id),
        }
    }

    /// Commands that the core sent on a link: answered by whoever is there.
    fn sent(&mut self, link: LinkId, bytes: &[u8]) {
        let Some(addr) = self.links.get(&link).cloned() else { return };
        let mut batch = Batch::new();
        batch.parse(bytes, &Limits::default(), 64).expect("the core sends commands");
        for i in 0..batch.len() {
            let words: Vec<String> =
                batch.args(i, bytes).iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
            if self.reach.get(&addr) != Some(&Reach::Up) {
                continue;
            }
            for value in self.answer(&addr, &words) {
                self.queue.push_back(Input::LinkReply { link, value });
            }
        }
    }

    fn answer(&mut self, addr: &str, words: &[String]) -> Vec<Value> {
        let ok = || vec![Value::Simple(b"OK".to_vec())];
        if let Some(error) = self.nodes.get(addr).map(|n| &n.refuses_auth).filter(|e| !e.is_empty()) {
            let auth = words[0].eq_ignore_ascii_case("AUTH");
            let text = if auth { error.clone() } else { "NOAUTH Authentication required.".to_owned() };
            return vec![Value::Error(text.into_bytes())];
        }
        match words[0].to_ascii_uppercase().as_str() {
            "PING" if self.nodes.get(addr).is_some_and(|n| n.loading) => {
                vec![Value::Error(b"LOADING dataset".to_vec())]
            }
            "PING" => vec![Value::Simple(b"PONG".to_vec())],
            "CLIENT" if words[1] == "SETNAME" => ok(),
            "AUTH" => ok(),
            "SUBSCRIBE" => {
                if let Some(node) = self.nodes.get_mut(addr).filter(|_| words[1] == "__tanist__:state") {
                    node.replicas.append(&mut node.joining);
                }
                vec![Value::Array(vec![
                    Value::Bulk(b"subscribe".to_vec()),
                    Value::Bulk(words[1].clone().into_bytes()),
                    Value::Int(1),
                ])]
            }
            "PUBLISH" => vec![Value::Int(1)],
            "SENTINEL" => vec![self.opinion(addr, words)],
            _ => {
                let Some(node) = self.nodes.get_mut(addr) else { return ok() };
                let order = node.is_order(words);
                let reply = node.answer(words);
                if order {
                    self.show(format!("-> {addr} {}", node::shortened(words)));
                }
                vec![reply]
            }
        }
    }

    fn opinion(&mut self, addr: &str, words: &[String]) -> Value {
        let peer = self.peers.get(addr).cloned().unwrap_or_default();
        let asks = words[5] != "*";
        if asks {
            self.show(format!("-> {addr} asks for a vote in epoch {}", words[4]));
        }
        let (leader, epoch) = match (asks, peer.votes.as_str()) {
            (true, "us") => (words[5].clone(), words[4].parse().unwrap_or(0)),
            (true, "" | "nobody") | (false, _) => ("*".to_owned(), 0),
            (true, other) => (node::long_id(other), words[4].parse().unwrap_or(0)),
        };
        Value::Array(vec![
            Value::Int(i64::from(peer.says_down)),
            Value::Bulk(leader.into_bytes()),
            Value::Int(epoch),
        ])
    }

    fn replied(&mut self, session: SessionId, bytes: &[u8]) {
        let decoder = self.decoders.entry(session).or_default();
        decoder.feed(bytes);
        let mut lines = Vec::new();
        while let Some(value) = decoder.next().expect("the core replies in RESP") {
            lines.push(format!("<- {session}: {}", node::text(&value)));
        }
        lines.into_iter().for_each(|l| self.show(l));
    }
}
