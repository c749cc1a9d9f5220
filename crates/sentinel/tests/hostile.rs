//! Whatever arrives, in whatever order: a sentinel goes on, its invariants hold (`check` runs in every step of a debug
//! build), its configuration file stays readable, and the same inputs give the same outputs.

use std::collections::BTreeSet;
use std::time::Duration;
use tanist_resp::Value;
use tanist_sentinel::core::{
    Config, Facts, Input, LinkId, LinkLoss, Output, PersistId, ScriptEnd, ScriptId, Sentinel, SessionId,
    Usage,
};
use tanist_types::{Mono, Now, Rng};

const CONF: &str = "sentinel monitor mymaster 127.0.0.1 6379 2\nsentinel down-after-milliseconds mymaster 50\n\
                    sentinel monitor other db.example 6380 1\nsentinel resolve-hostnames yes\n\
                    sentinel notification-script other /bin/notify\n";
const IDS: [&str; 3] = [
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "cccccccccccccccccccccccccccccccccccccccc",
    "dddddddddddddddddddddddddddddddddddddddd",
];

fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[rng.below(words.len() as u64) as usize]
}

fn hello(rng: &mut Rng) -> String {
    let mut epoch = || [0, 1, 2, 7, 1 << 33, u64::MAX][rng.below(6) as usize];
    let (e, c) = (epoch(), epoch());
    format!(
        "{},{},{},{e},{},{},{},{c}",
        pick(rng, &["127.0.0.1", "10.0.0.9", "", "sentinel.example"]),
        pick(rng, &["26380", "26381", "0", "x"]),
        pick(rng, &[IDS[0], IDS[1], IDS[2], "short"]),
        pick(rng, &["mymaster", "other", "nobody"]),
        pick(rng, &["127.0.0.1", "10.0.0.3", "db.example"]),
        pick(rng, &["6379", "6380", "6381", "99999"]),
    )
}

fn info(rng: &mut Rng) -> String {
    format!(
        "run_id:{}\r\nrole:{}\r\nmaster_host:{}\r\nmaster_port:{}\r\nmaster_link_status:{}\r\nslave_priority:{}\r\n\
         slave_repl_offset:{}\r\nslave0:ip={},port={}\r\n{}",
        pick(rng, &[IDS[0], IDS[1], "?"]),
        pick(rng, &["master", "slave", "emperor"]),
        pick(rng, &["127.0.0.1", "db.example", ""]),
        pick(rng, &["6379", "6380", "-1"]),
        pick(rng, &["up", "down"]),
        pick(rng, &["0", "100", "-5"]),
        pick(rng, &["0", "1000", "99999999999999999999"]),
        pick(rng, &["127.0.0.1", "10.0.0.3", ""]),
        pick(rng, &["6380", "6381", "0"]),
        pick(
            rng,
            &["", "tanist_version:1\r\ntanist_role:idle\r\n", "tanist_version:1\r\ntanist_role:primary\r\n"]
        ),
    )
}

fn status(rng: &mut Rng) -> Value {
    let bulk = |s: &str| Value::Bulk(s.as_bytes().to_vec());
    let fields = [
        ("node-id", pick(rng, &IDS)),
        ("run-id", pick(rng, &IDS)),
        ("role", pick(rng, &["primary", "replica", "idle", "loading"])),
        ("promised-epoch", pick(rng, &["0", "3", "18446744073709551615"])),
        ("accepted-epoch", pick(rng, &["0", "2"])),
        ("last-epoch", pick(rng, &["0", "2"])),
        ("offset", pick(rng, &["0", "77", "-1"])),
        ("floor-epoch", pick(rng, &["-1", "1"])),
        ("voting", pick(rng, &["0", "1"])),
        ("link", pick(rng, &["up", "down", "none"])),
    ];
    Value::Array(fields.iter().flat_map(|(k, v)| [bulk(k), bulk(v)]).collect())
}

fn reply(rng: &mut Rng) -> Value {
    let bulk = |s: &str| Value::Bulk(s.as_bytes().to_vec());
    match rng.below(12) {
        0 => Value::Simple(b"PONG".to_vec()),
        1 | 2 => Value::Simple(b"OK".to_vec()),
        3 => Value::Error(pick(rng, &["NOAUTH", "LOADING", "BUSY", "FENCED 9 x", "NOTVOTING"]).into()),
        4 => bulk(&info(rng)),
        5 => status(rng),
        6 => Value::Array(vec![
            Value::Int(rng.below(2) as i64),
            bulk(pick(rng, &IDS)),
            Value::Int(rng.below(5) as i64),
        ]),
        7 => Value::Array(vec![bulk("message"), bulk("__sentinel__:hello"), bulk(&hello(rng))]),
        8 => Value::Array(vec![bulk("message"), bulk("__tanist__:state"), bulk("event=caught-up")]),
        9 => Value::Array(vec![Value::Simple(b"OK".to_vec())]),
        10 => Value::Null,
        _ => Value::Int(-1),
    }
}

fn command(rng: &mut Rng) -> Vec<Vec<u8>> {
    let line = match rng.below(16) {
        0 => format!("PUBLISH __sentinel__:hello {}", hello(rng)),
        1 => format!("SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 6379 {} {}", rng.below(9), pick(rng, &IDS)),
        2 => "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 6379 1 *".into(),
        3 => format!("SENTINEL FAILOVER mymaster {}", pick(rng, &["FORCE", "COORDINATED", "x"])),
        4 => "SENTINEL FAILOVER mymaster".into(),
        5 => format!("SENTINEL RESET {}", pick(rng, &["*", "my*", "[", "nobody"])),
        6 => format!(
            "SENTINEL MONITOR {} {} 7000 1",
            pick(rng, &["a", "b"]),
            pick(rng, &["1.1.1.1", "n.example"])
        ),
        7 => format!("SENTINEL REMOVE {}", pick(rng, &["a", "b", "other"])),
        8 => format!("SENTINEL SET mymaster {} {}", pick(rng, &["quorum", "auth-pass", "x"]), rng.below(3)),
        9 => format!(
            "SENTINEL {} mymaster",
            pick(rng, &["MASTER", "REPLICAS", "SENTINELS", "CKQUORUM", "INFO-CACHE"])
        ),
        10 => pick(rng, &["PSUBSCRIBE *", "UNSUBSCRIBE", "PUNSUBSCRIBE", "RESET", "QUIT"]).into(),
        11 => pick(rng, &["HELLO 3", "HELLO 2", "INFO", "ROLE", "COMMAND", "COMMAND DOCS", "CLIENT LIST"])
            .into(),
        12 => pick(
            rng,
            &[
                "CLIENT REPLY SKIP",
                "CLIENT KILL TYPE pubsub SKIPME no",
                "CLIENT SETNAME sentinel-bbbbbbbb-cmd",
            ],
        )
        .into(),
        13 => pick(
            rng,
            &["SENTINEL MASTERS", "SENTINEL DEBUG", "SENTINEL CONFIG GET *", "SENTINEL FLUSHCONFIG"],
        )
        .into(),
        14 => format!("SENTINEL CONFIG SET announce-port {}", rng.below(100_000)),
        _ => "NONSENSE \u{fffd} x".into(),
    };
    line.split(' ').map(|w| w.as_bytes().to_vec()).collect()
}

struct World {
    links: BTreeSet<LinkId>,
    persists: Vec<PersistId>,
    scripts: Vec<ScriptId>,
    hosts: Vec<String>,
    sessions: u64,
    saved: String,
}

impl World {
    fn take(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Connect { link, .. } => {
                    self.links.insert(*link);
                }
                Output::Disconnect { link } => {
                    self.links.remove(link);
                }
                Output::Persist { id, text } => {
                    self.persists.push(*id);
                    self.saved.clone_from(text);
                }
                Output::RunScript { script, .. } => self.scripts.push(*script),
                Output::Resolve { host } => self.hosts.push(host.clone()),
                _ => {}
            }
        }
    }

    fn link(&self, rng: &mut Rng) -> LinkId {
        let known: Vec<_> = self.links.iter().copied().collect();
        if known.is_empty() || rng.chance(1, 50) {
            LinkId(rng.below(500))
        } else {
            known[rng.below(known.len() as u64) as usize]
        }
    }

    fn input(&mut self, rng: &mut Rng) -> Input {
        match rng.below(20) {
            0..=4 => Input::Tick,
            5 | 6 => Input::LinkUp {
                link: self.link(rng),
                remote: [127, 0, 0, 1].into(),
                local: [127, 0, 0, 1].into(),
            },
            7 => {
                let link = self.link(rng);
                self.links.remove(&link);
                let all = [
                    LinkLoss::Refused,
                    LinkLoss::Reset,
                    LinkLoss::Closed,
                    LinkLoss::Unresolved,
                    LinkLoss::Garbled,
                ];
                Input::LinkDown { link, why: all[rng.below(5) as usize] }
            }
            8..=12 => Input::LinkReply { link: self.link(rng), value: reply(rng) },
            13 => {
                self.sessions += 1;
                let session = SessionId(self.sessions);
                Input::SessionOpened { session, remote: "10.0.0.7:1".into(), local: "10.0.0.1:26379".into() }
            }
            14..=16 => {
                Input::Command { session: SessionId(rng.below(self.sessions + 2)), args: command(rng) }
            }
            17 => match self.persists.pop() {
                Some(id) => {
                    let result = if rng.chance(1, 4) { Err("full".into()) } else { Ok(()) };
                    Input::Persisted { id, result }
                }
                None => Input::SessionClosed { session: SessionId(rng.below(self.sessions + 2)) },
            },
            18 => match self.scripts.pop() {
                Some(script) => Input::ScriptEnded { script, end: ScriptEnd::Exited(rng.below(3) as i32) },
                None => Input::Used(Usage::default()),
            },
            _ => match self.hosts.pop() {
                Some(host) => Input::Resolved { host, ip: rng.chance(1, 2).then(|| [10, 1, 1, 1].into()) },
                None => Input::Tick,
            },
        }
    }
}

/// Runs one life and returns everything that came out.
fn live(seed: u64, steps: u32) -> Vec<Output> {
    let mut rng = Rng::from_seed(seed);
    let mut now = Mono::from_millis(1);
    let at = |mono: Mono| Now { mono, wall_us: (mono.nanos() / 1000) as i64 };
    let config = Config::parse(CONF).expect("a good configuration");
    let mut core = Sentinel::new(config, Facts::default(), at(now), seed);
    let mut world = World {
        links: BTreeSet::new(),
        persists: Vec::new(),
        scripts: Vec::new(),
        hosts: Vec::new(),
        sessions: 0,
        saved: String::new(),
    };
    let mut all = Vec::new();
    for _ in 0..steps {
        let input = world.input(&mut rng);
        let mut outputs = Vec::new();
        core.step(at(now), input, &mut outputs);
        core.check().expect("the invariants hold");
        world.take(&outputs);
        all.append(&mut outputs);
        now = match (rng.below(10), core.next_deadline()) {
            (0..=4, Some((due, _))) => now.max(due),
            (9, _) => now + rng.between(Duration::ZERO, Duration::from_secs(20)),
            _ => now + rng.between(Duration::ZERO, Duration::from_millis(20)),
        };
    }
    if !world.saved.is_empty() {
        let again = Config::parse(&world.saved).expect("what was written can be read");
        Sentinel::new(again, Facts::default(), at(now), seed)
            .check()
            .expect("the invariants hold after a restart");
    }
    all
}

#[test]
fn nothing_that_arrives_breaks_a_sentinel() {
    let lives = if cfg!(debug_assertions) { 60 } else { 600 };
    for seed in 0..lives {
        live(seed, 1500);
    }
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    for seed in 1000..1010 {
        assert_eq!(live(seed, 500), live(seed, 500));
    }
}
