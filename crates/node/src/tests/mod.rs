//! Tests of the node through its front door: commands in, replies out.

mod acl;
mod blocking;
mod buffers;
mod catalogue;
mod client;
mod config;
mod connection;
mod databases;
mod debug;
mod debugging;
mod effects;
mod encodings;
mod events;
mod eviction;
mod expiry;
mod full_sync;
mod geo;
mod hashes;
mod importing;
mod lists;
mod memory;
mod migrate;
mod model;
mod models;
mod observe;
mod pubsub;
mod refusals;
mod replication;
mod rights;
mod saving;
mod scripting;
mod sets;
mod sort;
mod spill;
mod streams;
mod traces;
mod tracking;
mod transactions;
mod usage;

use crate::{Identity, Input, Next, Node, Output, Outputs, Peer, Seeds, SessionId, Stopwatch};
use tanist_config::ServerConfig;
use tanist_resp::{Batch, Decoder, Limits, Value, encode_command};
use tanist_types::{Mono, NodeId, Now, Rng, RunId};

/// A stopwatch that goes on by the same step with each look at it; by none, unless a test says so.
pub(crate) struct Steady {
    at: std::cell::Cell<Mono>,
    step: std::time::Duration,
}

impl Steady {
    pub(crate) fn new(at: Mono, step: std::time::Duration) -> Steady {
        Steady { at: std::cell::Cell::new(at), step }
    }
}

impl Stopwatch for Steady {
    fn read(&self) -> Mono {
        self.at.set(self.at.get() + self.step);
        self.at.get()
    }
}

/// A node with a clock in the test's hand.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) now: Now,
    pub(crate) outs: Outputs,
    /// How far the stopwatch goes on with each look at it.
    pub(crate) watch_step: std::time::Duration,
}

impl World {
    /// Without save points.
    pub(crate) fn new() -> World {
        World::with(ServerConfig { save: Vec::new(), ..ServerConfig::default() })
    }

    pub(crate) fn with(config: ServerConfig) -> World {
        let now = Now { mono: Mono::from_millis(1000), wall_us: 1_700_000_000_000_000 };
        let mut rng = Rng::from_seed(1);
        let identity =
            Identity { run_id: RunId::random(&mut rng), node_id: NodeId::random(&mut rng), pid: 1 };
        let seeds = Seeds { hash: [1, 2], rng: 3 };
        let node = Node::new(config, identity, seeds, now);
        World { node, now, outs: Outputs::new(), watch_step: std::time::Duration::ZERO }
    }

    pub(crate) fn connect(&mut self) -> SessionId {
        let peer =
            Peer { addr: "127.0.0.1:1".into(), laddr: "127.0.0.1:2".into(), unix: false, local: true, fd: 8 };
        self.node.connect(self.now, peer).expect("a local client is let in")
    }

    /// Lets time pass and the node do what is due.
    pub(crate) fn pass(&mut self, millis: u64) {
        self.now.mono = self.now.mono + std::time::Duration::from_millis(millis);
        self.now.wall_us += millis as i64 * 1000;
        self.node.step(self.now, Input::Tick, &mut self.outs);
    }

    /// Sends raw bytes; gives the replies' bytes and what to do next.
    pub(crate) fn raw(&mut self, id: SessionId, bytes: &[u8]) -> (Vec<u8>, Next) {
        let mut batch = Batch::new();
        batch.parse(bytes, &Limits::default(), 1000).expect("well-formed commands");
        let mut out = Vec::new();
        let watch = Steady::new(self.now.mono, self.watch_step);
        let ran = self.node.run(self.now, id, &batch, bytes, 0, &mut out, &mut self.outs, &watch);
        (out, ran.next)
    }

    /// Sends one command given as words; gives its replies.
    pub(crate) fn all(&mut self, id: SessionId, line: &str) -> Vec<Value> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let mut bytes = Vec::new();
        encode_command(&mut bytes, &words);
        let (out, _) = self.raw(id, &bytes);
        decode(&out)
    }

    /// Sends one command given as words; gives its only reply in a form to read.
    pub(crate) fn say(&mut self, id: SessionId, line: &str) -> String {
        let replies = self.all(id, line);
        assert_eq!(replies.len(), 1, "{line}: {replies:?}");
        show(&replies[0])
    }

    /// Keeps what is appended to the log from now on.
    pub(crate) fn record(&mut self) {
        self.node.recorded = Some(Vec::new());
    }

    /// The commands appended to the log since it was looked at last.
    pub(crate) fn recorded(&mut self) -> Vec<String> {
        let log = self.node.recorded.replace(Vec::new()).expect("`record` was called");
        let mut batch = Batch::new();
        let mut lines = Vec::new();
        let mut from = 0;
        while from < log.len() {
            batch.clear();
            let progress = batch.parse(&log[from..], &Limits::default(), 1000).expect("a log of commands");
            assert!(progress.commands > 0, "half a command in the log");
            for i in 0..batch.len() {
                let words = batch.args(i, &log[from..]);
                let words: Vec<_> = words.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect();
                lines.push(words.join(" "));
            }
            from += progress.consumed;
        }
        lines
    }

    /// What has been sent to a session beside its own replies.
    pub(crate) fn pushed(&mut self, id: SessionId) -> Vec<String> {
        let mut bytes = Vec::new();
        for output in self.outs.drain() {
            if let Output::Send { session, bytes: more } = output
                && session == id
            {
                bytes.extend(more);
            }
        }
        decode(&bytes).iter().map(show).collect()
    }
}

fn decode(bytes: &[u8]) -> Vec<Value> {
    let mut decoder = Decoder::new();
    decoder.feed(bytes);
    let mut replies = Vec::new();
    while let Some(value) = decoder.next().expect("well-formed replies") {
        replies.push(value);
    }
    assert!(decoder.buffered().is_empty(), "half a reply is left: {:?}", decoder.buffered());
    replies
}

/// A reply as people read it.
pub(crate) fn show(value: &Value) -> String {
    let list = |items: &[Value]| items.iter().map(show).collect::<Vec<_>>().join(" ");
    match value {
        Value::Null => "(nil)".into(),
        Value::Int(n) => format!(":{n}"),
        Value::Error(text) => format!("-{}", String::from_utf8_lossy(text)),
        Value::Array(items) => format!("[{}]", list(items)),
        Value::Push(items) => format!(">[{}]", list(items)),
        Value::Set(items) => format!("~[{}]", list(items)),
        Value::Map(pairs) => {
            let pairs: Vec<_> = pairs.iter().map(|(k, v)| format!("{}={}", show(k), show(v))).collect();
            format!("{{{}}}", pairs.join(" "))
        }
        other => match other.as_bytes() {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => format!("{other:?}"),
        },
    }
}
