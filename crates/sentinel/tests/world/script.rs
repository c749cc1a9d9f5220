//! The language of the scripts, one order per line; what is seen follows it, indented.
//!
//! | order | meaning |
//! | --- | --- |
//! | `conf <line>` | a line of `sentinel.conf` |
//! | `node <addr> [tanist] [field=value ...]` | a node that is there, or changes |
//! | `peer <addr> id=<hex> [down=yes] [votes=us,nobody,<hex>]` | another sentinel |
//! | `start` | the sentinel starts |
//! | `up`, `refuse`, `silence`, `darken <addr>` | how an address behaves from now on |
//! | `crash <addr>` | its links are reset, then it refuses |
//! | `unname`, `name <host>` | the host's name has no address from now on, or has one again |
//! | `at <ms>`, `wait <ms>` | the time passes, deadlines are met |
//! | `freeze <ms>` | the sentinel's process does not run |
//! | `disk good`, `broken`, `stuck` | how the disk behaves |
//! | `do <session> <words>` | a command |
//! | `hello <addr> epoch=<n> config=<n> primary=<addr>` | a hello of that sentinel |
//! | `push <addr> <payload>` | a Tanist node pushes its state |
//! | `file` | shows the configuration file |

use super::node::{Node, long_id};
use super::{Disk, Reach, World};
use std::time::Duration;
use tanist_resp::Value;
use tanist_sentinel::core::{Input, LinkLoss, SessionId};
use tanist_types::Mono;

/// Runs a script and returns it with what was seen.
pub(crate) fn run(script: &str) -> String {
    let mut world = World::new();
    let mut out = String::new();
    for line in script.lines() {
        if line.starts_with(' ') {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if !words.is_empty() && !words[0].starts_with('#') {
            world.order(&words, line);
        }
        for shown in std::mem::take(&mut world.shown) {
            out.push_str(&format!("  {shown}\n"));
        }
    }
    out
}

fn field<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    words.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('='))
}

impl World {
    fn order(&mut self, words: &[&str], line: &str) {
        let ms = |i: usize| Duration::from_millis(words[i].parse().expect("a number of milliseconds"));
        match words[0] {
            "conf" => self.conf.push_str(&format!("{}\n", line.trim_start_matches("conf ").trim())),
            "node" => self.node(words),
            "peer" => self.peer(words),
            "start" => self.start(),
            "up" => self.set_reach(words[1], Reach::Up),
            "refuse" => self.set_reach(words[1], Reach::Refused),
            "silence" => self.set_reach(words[1], Reach::Silent),
            "darken" => self.set_reach(words[1], Reach::Dark),
            "crash" => self.crash(words[1]),
            "unname" => drop(self.nameless.insert(words[1].to_owned())),
            "name" => drop(self.nameless.remove(words[1])),
            "at" => self.pass(Mono::from_millis(ms(1).as_millis() as u64)),
            "wait" => self.pass(self.now + ms(1)),
            "freeze" => {
                self.now = self.now + ms(1);
                self.input(Input::Tick);
            }
            "disk" => self.set_disk(words[1]),
            "do" => self.command(words),
            "hello" => self.hello(words),
            "push" => self.push(words[1], &words[2..].join(" ")),
            "file" => {
                let lines: Vec<String> = self.saved.lines().map(str::to_owned).collect();
                lines.into_iter().for_each(|l| self.show(l));
            }
            other => panic!("no such order: {other}"),
        }
    }

    fn node(&mut self, words: &[&str]) {
        let addr = words[1].to_owned();
        let fresh = addr.rsplit_once(':').map_or("", |(_, port)| port).to_owned();
        let n = self.nodes.entry(addr.clone()).or_insert_with(|| Node::new(&fresh));
        n.tanist |= words.contains(&"tanist");
        for (name, value) in words[2..].iter().filter_map(|w| w.split_once('=')) {
            match name {
                "role" => {
                    n.role = value.into();
                    // Who waits for a word, or leads, follows nobody.
                    if value != "slave" {
                        n.follows.clear();
                    }
                }
                "run" => n.run = long_id(value),
                "id" => n.id = long_id(value),
                "follows" => {
                    n.role = "slave".into();
                    n.follows = value.into();
                    n.link = true;
                }
                "link" => n.link = value == "up",
                "offset" => n.offset = value.parse().expect("a number"),
                "epoch" => n.epoch = value.parse().expect("a number"),
                "promised" => n.promised = value.parse().expect("a number"),
                "leader" => n.leader = long_id(value),
                "priority" => n.priority = value.parse().expect("a number"),
                "loading" => n.loading = value == "yes",
                "voting" => n.voting = value == "yes",
                "refuses" => n.refuses = value.replace('_', " "),
                "refuses-auth" => n.refuses_auth = value.replace('_', " "),
                "prepare" => n.prepare = value.replace('_', " "),
                "refuses-promote" => n.refuses_promote = value.replace('_', " "),
                "replicas" => n.replicas = value.split(',').map(str::to_owned).collect(),
                "joining" => n.joining = value.split(',').map(str::to_owned).collect(),
                other => panic!("no such field of a node: {other}"),
            }
        }
        self.reach.entry(addr).or_insert(Reach::Up);
    }

    fn peer(&mut self, words: &[&str]) {
        let addr = words[1].to_owned();
        let p = self.peers.entry(addr.clone()).or_default();
        if let Some(id) = field(words, "id") {
            p.id = long_id(id);
        }
        p.says_down = field(words, "down").map_or(p.says_down, |d| d == "yes");
        p.votes = field(words, "votes").map_or_else(|| p.votes.clone(), str::to_owned);
        self.reach.entry(addr).or_insert(Reach::Up);
    }

    fn set_reach(&mut self, addr: &str, reach: Reach) {
        self.reach.insert(addr.to_owned(), reach);
    }

    fn crash(&mut self, addr: &str) {
        self.set_reach(addr, Reach::Refused);
        let links: Vec<_> = self.links.iter().filter(|(_, a)| *a == addr).map(|(l, _)| *l).collect();
        for link in links {
            self.links.remove(&link);
            self.input(Input::LinkDown { link, why: LinkLoss::Reset });
        }
    }

    fn set_disk(&mut self, word: &str) {
        self.disk = match word {
            "good" => Disk::Good,
            "broken" => Disk::Broken,
            _ => Disk::Stuck,
        };
        if self.disk != Disk::Stuck {
            let ok = self.disk == Disk::Good;
            for id in std::mem::take(&mut self.stuck) {
                let result = if ok { Ok(()) } else { Err("Input/output error".to_owned()) };
                self.input(Input::Persisted { id, result });
            }
        }
    }

    fn session(&mut self, id: u64) -> SessionId {
        let session = SessionId(id);
        let known = self.decoders.len();
        self.decoders.entry(session).or_default();
        if self.decoders.len() > known {
            let (remote, local) = (format!("127.0.0.1:{}", 50_000 + id), "127.0.0.1:26379".to_owned());
            self.input(Input::SessionOpened { session, remote, local });
        }
        session
    }

    fn command(&mut self, words: &[&str]) {
        let session = self.session(words[1].parse().expect("the number of a session"));
        let args = words[2..].iter().map(|w| match self.peer_id(w) {
            Some(id) => id.into_bytes(),
            None => w.as_bytes().to_vec(),
        });
        let args = args.collect();
        self.input(Input::Command { session, args });
    }

    /// `@addr` stands for the identity of the sentinel there.
    fn peer_id(&self, word: &str) -> Option<String> {
        Some(self.peers.get(word.strip_prefix('@')?)?.id.clone())
    }

    fn hello(&mut self, words: &[&str]) {
        let get = |name: &str| field(words, name).unwrap_or("0");
        let comma = |addr: &str| addr.replace(':', ",");
        let id = self.peers.get(words[1]).map(|p| p.id.clone()).unwrap_or_default();
        let text = format!(
            "{},{id},{},mymaster,{},{}",
            comma(words[1]),
            get("epoch"),
            comma(get("primary")),
            get("config")
        );
        let session = self.session(99);
        let args = vec![b"PUBLISH".to_vec(), b"__sentinel__:hello".to_vec(), text.into_bytes()];
        let before = self.shown.len();
        self.input(Input::Command { session, args });
        // The number of receivers interests nobody.
        let at = self.shown[before..].iter().position(|l| l.ends_with("<- 99: 1")).map(|i| i + before);
        if let Some(at) = at {
            self.shown.remove(at);
        }
    }

    fn push(&mut self, addr: &str, payload: &str) {
        let links: Vec<_> = self.links.iter().filter(|(_, a)| *a == addr).map(|(l, _)| *l).collect();
        let bulk = |s: &str| Value::Bulk(s.as_bytes().to_vec());
        // The command link would be closed by a message that it did not ask for: the channel link is the second.
        if let Some(link) = links.get(1) {
            let value = Value::Array(vec![bulk("message"), bulk("__tanist__:state"), bulk(payload)]);
            self.input(Input::LinkReply { link: *link, value });
        }
    }
}
