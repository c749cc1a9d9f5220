//! Nodes that replicate, joined by wires in memory: what one sends arrives at the other in pieces.

use super::{Steady, World, show};
use crate::{Input, Output, Peer, SessionId};
use std::collections::BTreeMap;
use std::time::Duration;
use tanist_config::ServerConfig;
use tanist_resp::{Batch, Limits};
use tanist_types::{Mono, Rng};

/// The longest piece of bytes that travels at a time.
const PIECE: u64 = 700;

/// A node with what the shell would hold for it.
pub(super) struct Member {
    pub(super) world: World,
    /// Replies to sessions, by session.
    replies: BTreeMap<SessionId, Vec<u8>>,
    /// Connections that it has made to a primary: the attempt, and where it leads.
    up: Option<(u64, u16)>,
    pub(super) states: Vec<Vec<u8>>,
    /// The disk takes nothing.
    pub(super) broken_disk: bool,
    /// Temporary files.
    pub(super) spills: BTreeMap<u64, Vec<u8>>,
    /// Answers about them are kept back.
    pub(super) slow_disk: bool,
    /// The state file is written, and the answer kept back until [`Member::disk_goes_on`].
    slow_state: bool,
    kept_back: Vec<Input>,
    /// It reads nothing from its primary.
    pub(super) held: bool,
}

/// A wire from the replica `from` to the session `session` of the primary `to`.
pub(super) struct Wire {
    from: usize,
    to: usize,
    attempt: u64,
    session: SessionId,
    /// Bytes on their way up and down, and the half-read command at the primary.
    up: Vec<u8>,
    pub(super) down: Vec<u8>,
    read: Vec<u8>,
    batch: Batch,
}

pub(super) struct Cluster {
    pub(super) members: Vec<Member>,
    pub(super) wires: Vec<Wire>,
    rng: Rng,
}

impl Member {
    /// The shell's answer about a temporary file.
    fn spilled(&mut self, file: u64, result: Result<Option<Vec<u8>>, String>) {
        self.kept_back.push(Input::Spilled { file, result });
        if !self.slow_disk {
            self.disk_goes_on();
        }
    }

    /// What was kept back is answered.
    pub(super) fn disk_goes_on(&mut self) {
        for input in std::mem::take(&mut self.kept_back) {
            self.world.node.step(self.world.now, input, &mut self.world.outs);
        }
    }
}

impl Cluster {
    pub(super) fn new(n: usize) -> Cluster {
        let member = |i: usize| {
            let config = ServerConfig {
                port: 7000 + i as u16,
                repl_diskless_sync_delay: 0,
                ..ServerConfig::default()
            };
            let mut world = World::with(config);
            let mut rng = Rng::from_seed(100 + i as u64);
            let durable = crate::Durable::fresh(&mut rng);
            world.node.rng = Rng::from_seed(200 + i as u64);
            world.node.identity.run_id = tanist_types::RunId::random(&mut rng);
            world.node.restore_state(durable);
            let replies = BTreeMap::new();
            Member {
                world,
                replies,
                up: None,
                states: Vec::new(),
                broken_disk: false,
                spills: BTreeMap::new(),
                slow_disk: false,
                slow_state: false,
                kept_back: Vec::new(),
                held: false,
            }
        };
        Cluster { members: (0..n).map(member).collect(), wires: Vec::new(), rng: Rng::from_seed(5) }
    }

    /// A command on a new connection of node `i`; its reply once all is quiet.
    pub(super) fn say(&mut self, i: usize, line: &str) -> String {
        let id = self.members[i].world.connect();
        let replies = self.members[i].world.all(id, line);
        self.settle();
        match replies.as_slice() {
            [reply] => show(reply),
            _ => {
                let bytes = self.members[i].replies.remove(&id).unwrap_or_default();
                super::decode(&bytes).first().map_or("(none)".into(), show)
            }
        }
    }

    /// Carries out outputs and moves bytes until nothing more happens.
    pub(super) fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut busy = false;
            for i in 0..self.members.len() {
                busy |= self.perform(i);
                let member = &mut self.members[i].world;
                if member.node.next_deadline() <= member.now.mono {
                    member.node.step(member.now, Input::Tick, &mut member.outs);
                    busy = true;
                }
            }
            for w in 0..self.wires.len() {
                busy |= self.carry(w);
            }
            if !busy {
                return;
            }
        }
        panic!("the cluster does not come to rest");
    }

    /// Time passes everywhere.
    pub(super) fn pass(&mut self, millis: u64) {
        for member in &mut self.members {
            member.world.pass(millis);
        }
        self.settle();
    }

    pub(super) fn perform(&mut self, i: usize) -> bool {
        let outputs: Vec<Output> = self.members[i].world.outs.drain().collect();
        let busy = !outputs.is_empty();
        for output in outputs {
            match output {
                Output::Send { session, bytes } => {
                    match self.wires.iter_mut().find(|w| w.to == i && w.session == session) {
                        Some(wire) => wire.down.extend_from_slice(&bytes),
                        None => self.members[i].replies.entry(session).or_default().extend(bytes),
                    }
                }
                Output::Close { session, .. } => {
                    let member = &mut self.members[i].world;
                    member.node.step(member.now, Input::Closed(session), &mut member.outs);
                    if let Some(w) = self.wires.iter().position(|w| w.to == i && w.session == session) {
                        self.cut(w);
                    }
                }
                Output::PrimaryConnect { attempt, port, .. } => self.connect(i, attempt, port),
                Output::PrimarySend { attempt, bytes } => {
                    if let Some(wire) = self.wires.iter_mut().find(|w| w.from == i && w.attempt == attempt) {
                        wire.up.extend_from_slice(&bytes);
                    }
                }
                Output::PrimaryClose { attempt } => {
                    if let Some(w) = self.wires.iter().position(|w| w.from == i && w.attempt == attempt) {
                        let wire = self.wires.remove(w);
                        let member = &mut self.members[wire.to].world;
                        member.node.step(member.now, Input::Closed(wire.session), &mut member.outs);
                    }
                }
                Output::Persist { id, bytes } => {
                    let member = &mut self.members[i];
                    let result = if member.broken_disk { Err("no space".into()) } else { Ok(()) };
                    if result.is_ok() {
                        member.states.push(bytes);
                    }
                    let (written, world) = (Input::Persisted { id, result }, &mut member.world);
                    if member.slow_state {
                        member.kept_back.push(written);
                    } else {
                        world.node.step(world.now, written, &mut world.outs);
                    }
                }
                Output::TellDrained(session) => {
                    let member = &mut self.members[i].world;
                    member.node.step(member.now, Input::Drained(session), &mut member.outs);
                }
                Output::PrimaryHold { hold, .. } => self.members[i].held = hold,
                Output::SpillWrite { file, bytes } => {
                    let member = &mut self.members[i];
                    let result = if member.broken_disk { Err("no space".into()) } else { Ok(None) };
                    member.spills.entry(file).or_default().extend(bytes);
                    member.spilled(file, result);
                }
                Output::SpillRead { file, at, len } => {
                    let member = &mut self.members[i];
                    let bytes = member.spills[&file][at as usize..at as usize + len].to_vec();
                    member.spilled(file, Ok(Some(bytes)));
                }
                Output::SpillEnd { file } => {
                    self.members[i].spills.remove(&file);
                }
                _ => {}
            }
        }
        busy
    }

    fn connect(&mut self, from: usize, attempt: u64, port: u16) {
        self.members[from].held = false;
        self.members[from].up = Some((attempt, port));
        let to = usize::from(port - 7000);
        let peer = Peer { addr: format!("10.0.0.{from}:5000"), local: true, ..Peer::default() };
        let target = &mut self.members[to].world;
        let session = target.node.connect(target.now, peer).expect("let in");
        let wire = Wire {
            from,
            to,
            attempt,
            session,
            up: Vec::new(),
            down: Vec::new(),
            read: Vec::new(),
            batch: Batch::new(),
        };
        self.wires.push(wire);
        let member = &mut self.members[from].world;
        member.node.step(member.now, Input::PrimaryConnected { attempt }, &mut member.outs);
    }

    /// Ends a wire, as seen from both sides.
    pub(super) fn cut(&mut self, w: usize) {
        let wire = self.wires.remove(w);
        let primary = &mut self.members[wire.to].world;
        primary.node.step(primary.now, Input::Closed(wire.session), &mut primary.outs);
        let replica = &mut self.members[wire.from].world;
        let closed = Input::PrimaryClosed { attempt: wire.attempt, why: "cut".into() };
        replica.node.step(replica.now, closed, &mut replica.outs);
    }

    pub(super) fn carry(&mut self, w: usize) -> bool {
        let wire = &mut self.wires[w];
        let held = self.members[wire.from].held;
        let busy = !wire.up.is_empty() || !(held || wire.down.is_empty());
        let n = if held { 0 } else { (1 + self.rng.below(PIECE) as usize).min(wire.down.len()) };
        let down: Vec<u8> = wire.down.drain(..n).collect();
        let n = (1 + self.rng.below(PIECE) as usize).min(wire.up.len());
        wire.read.extend(wire.up.drain(..n));
        let (from, attempt) = (wire.from, wire.attempt);
        let primary = &mut self.members[wire.to].world;
        let progress = wire.batch.parse(&wire.read, &Limits::default(), 100).expect("commands");
        if progress.commands > 0 {
            let (mut out, watch) = (Vec::new(), Steady::new(Mono::ZERO, Default::default()));
            let (now, outs) = (primary.now, &mut primary.outs);
            primary.node.run(now, wire.session, &wire.batch, &wire.read, 0, &mut out, outs, &watch);
            wire.down.extend(out);
        }
        wire.read.drain(..progress.consumed);
        if !down.is_empty() {
            let replica = &mut self.members[from].world;
            replica.node.primary_bytes(replica.now, attempt, &down, &mut replica.outs);
        }
        busy
    }

    pub(super) fn follow(&mut self, replica: usize, primary: usize) {
        let port = 7000 + primary;
        assert_eq!(self.say(replica, &format!("REPLICAOF h {port}")), "OK");
        assert!(self.say(replica, "ROLE").contains(" connected "), "{}", self.say(replica, "ROLE"));
    }

    fn field(&mut self, i: usize, name: &str) -> String {
        let status = self.say(i, "TANIST STATUS");
        let words: Vec<&str> = status.trim_matches(['[', ']']).split(' ').collect();
        // Values may be empty, so names are looked for as such.
        let at = words.iter().position(|w| *w == name).expect("a field of the status");
        words[at + 1].to_owned()
    }

    pub(super) fn fill(&mut self, i: usize, tag: &str, n: usize) {
        for k in 0..n {
            self.say(i, &format!("SET {tag}:{k} value-{k}"));
        }
    }

    pub(super) fn end(&self, i: usize) -> u64 {
        self.members[i].world.node.repl.end().0
    }
}

#[test]
fn a_replica_gets_a_snapshot_and_then_the_log() {
    let mut c = Cluster::new(2);
    c.fill(0, "a", 100);
    c.follow(1, 0);
    assert_eq!(c.say(1, "GET a:99"), "value-99");
    c.fill(0, "b", 20);
    assert_eq!(c.say(1, "GET b:19"), "value-19");
    assert_eq!(c.say(1, "DBSIZE"), ":120");
    assert_eq!(c.end(0), c.end(1));
    assert!(c.say(1, "SET x y").starts_with("-READONLY"));
}

#[test]
fn a_count_that_the_primary_keeps_with_a_sketch_is_kept_by_replicas() {
    let mut c = Cluster::new(2);
    c.follow(1, 0);
    c.say(0, "PFADD k a b");
    let outdated = c.say(0, "GET k");
    assert_eq!(c.say(1, "PFCOUNT k"), ":2");
    assert_eq!(c.say(1, "GET k"), outdated, "a replica writes nothing of itself");
    assert_eq!(c.say(0, "PFCOUNT k"), ":2");
    assert_ne!(c.say(0, "GET k"), outdated);
    assert_eq!(c.say(1, "GET k"), c.say(0, "GET k"));
}

#[test]
fn a_cut_link_goes_on_where_it_was() {
    let mut c = Cluster::new(2);
    c.follow(1, 0);
    c.fill(0, "a", 10);
    c.cut(0);
    c.fill(0, "b", 10);
    c.pass(2000);
    assert_eq!(c.say(1, "GET b:9"), "value-9");
    let stats = &c.members[0].world.node.stats;
    assert_eq!((stats.sync_full, stats.sync_partial_ok), (1, 1));
}

#[test]
fn old_data_serve_until_the_new_are_complete() {
    let mut c = Cluster::new(2);
    c.fill(0, "new", 200);
    c.say(1, "SET old 1");
    c.say(1, "CONFIG SET repl-diskless-load swapdb");
    let id = c.members[1].world.connect();
    c.members[1].world.all(id, "REPLICAOF h 7000");
    let mut seen_half = false;
    loop {
        for i in 0..2 {
            c.perform(i);
            let world = &mut c.members[i].world;
            world.node.step(world.now, Input::Tick, &mut world.outs);
        }
        if !c.wires.is_empty() {
            c.carry(0);
        }
        let replica = &mut c.members[1].world;
        let reader = replica.connect();
        let (old, size) = (replica.say(reader, "GET old"), replica.say(reader, "DBSIZE"));
        assert!((old == "1" && size == ":1") || (old == "(nil)" && size == ":200"), "{old} {size}");
        seen_half |= replica.node.repl.upstream.as_ref().is_some_and(|up| up.sync().is_some());
        if size == ":200" {
            break;
        }
    }
    assert!(seen_half);
}

/// R5: who flushes before it loads has given up its vote durably before that.
#[test]
fn old_data_go_first_if_that_is_asked_for() {
    let mut c = Cluster::new(2);
    c.fill(0, "new", 200);
    c.say(1, "SET old 1");
    c.say(1, "CONFIG SET repl-diskless-load flush-before-load");
    let id = c.members[1].world.connect();
    c.members[1].world.all(id, "REPLICAOF h 7000");
    let (mut served, mut flushed) = (false, false);
    for round in 0.. {
        assert!(round < 5000, "it never loads");
        for i in 0..2 {
            c.perform(i);
            let world = &mut c.members[i].world;
            world.node.step(world.now, Input::Tick, &mut world.outs);
        }
        if c.wires.is_empty() {
            c.pass(1000);
            continue;
        }
        c.carry(0);
        let replica = &mut c.members[1].world;
        let reader = replica.connect();
        match replica.say(reader, "GET old").as_str() {
            "1" => {
                assert!(!flushed, "gone is gone");
                served = true;
            }
            "(nil)" => break,
            reply => {
                assert_eq!(reply, "-LOADING Valkey is loading the dataset in memory");
                assert!(replica.say(reader, "INFO persistence").contains("\nloading:1\r"));
                assert_eq!(replica.node.repl.end().0, 0, "it claims no position of the old log");
                let state = c.members[1].states.last().expect("a state is on disk");
                assert!(crate::decode_state(state).expect("a state").floor.is_some());
                flushed = true;
            }
        }
    }
    assert!(served && flushed);
    c.settle();
    assert_eq!(c.say(1, "DBSIZE"), ":200");
    assert_eq!(c.end(0), c.end(1));
}

#[test]
fn a_transaction_moves_the_offset_as_a_whole() {
    let mut c = Cluster::new(2);
    c.follow(1, 0);
    let before = c.end(1);
    let attempt = c.wires[0].attempt;
    let replica = &mut c.members[1].world;
    let mut feed = |bytes: &[u8]| {
        replica.node.primary_bytes(replica.now, attempt, bytes, &mut replica.outs);
        let reader = replica.connect();
        (replica.node.repl.end().0, replica.say(reader, "GET a"))
    };
    assert_eq!(feed(b"*1\r\n$5\r\nMULTI\r\n"), (before, "(nil)".into()));
    assert_eq!(feed(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"), (before, "(nil)".into()));
    let length = 15 + 27 + 14;
    assert_eq!(feed(b"*1\r\n$4\r\nEXEC\r\n"), (before + length, "1".into()));
}

/// A log as primaries write them, and others might: its commands one by one.
fn a_log() -> Vec<Vec<u8>> {
    let mut marker = Vec::new();
    let id = tanist_types::ReplId::random(&mut Rng::from_seed(9));
    tanist_replication::Marker { group: "g".into(), epoch: tanist_types::Epoch(3), id }.put(&mut marker);
    let parse = |line: &str| {
        let mut command = Vec::new();
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        tanist_resp::encode_command(&mut command, &words);
        command
    };
    let first = "SELECT 0|SET a 1|set b 2 PXAT 99999999999999|SET c 3 EX 100|INCR a|PING|LPUSH l x y|MULTI|SET a 5|\
        SELECT 3|LPUSH l z|EXEC|SET a 6|REPLCONF GETACK *|DEL b|MULTI|EXEC|multi|ping|incr a|exec|LPUSH a wrong";
    let last = "PEXPIRE a 5000|SELECT 2|HSET h f v|SADD s 1 2|replconf getack *|MULTI|PUBLISH x y|SELECT 3|DEL l|EXEC|SET z 1";
    let mut log: Vec<Vec<u8>> = first.split('|').map(parse).collect();
    log.push(marker);
    log.extend(last.split('|').map(parse));
    log
}

/// All that a replica has made of a log that came in these pieces.
fn what_comes_of(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<String> {
    let mut c = Cluster::new(2);
    c.follow(1, 0);
    let (attempt, before) = (c.wires[0].attempt, c.end(1));
    let replica = &mut c.members[1].world;
    for piece in pieces {
        replica.node.primary_bytes(replica.now, attempt, &piece, &mut replica.outs);
    }
    let mut log = Vec::new();
    replica.node.repl.backlog.read(tanist_types::LogPos(before), usize::MAX, &mut log);
    let mut facts = vec![
        log.escape_ascii().to_string(),
        replica.node.repl.lineage.to_string(),
        format!("{:?}", replica.node.log_db),
        format!("{:?}", replica.node.stats.dirty_since_save),
    ];
    replica.node.config.enable_debug_command = tanist_config::choice::ProtectedAction::Yes;
    let reader = replica.connect();
    facts.extend(
        ["INFO commandstats", "INFO errorstats", "DEBUG DIGEST"].map(|line| replica.say(reader, line)),
    );
    facts
}

/// Commands are appended to the log together, but nothing must come of how they came.
#[test]
fn whatever_way_the_log_is_cut_the_same_comes_of_it() {
    let log = a_log();
    let alone = what_comes_of(log.iter().cloned());
    let whole = log.concat();
    assert_eq!(alone[0], whole.escape_ascii().to_string());
    assert_eq!(alone[2], "Some(DbIndex(3))");
    assert_eq!(alone[6].len(), 40, "{}", alone[6]);
    assert!(
        alone[4].contains("cmdstat_set:calls=6,") && alone[4].contains("cmdstat_incr:calls=2,"),
        "{alone:?}"
    );
    assert_eq!(what_comes_of([whole.clone()].into_iter()), alone);
    let mut rng = Rng::from_seed(17);
    for _ in 0..200 {
        let most = rng.below(200) + 1;
        let (mut pieces, mut rest) = (Vec::new(), whole.as_slice());
        while !rest.is_empty() {
            let (piece, later) = rest.split_at((rng.below(most) as usize + 1).min(rest.len()));
            pieces.push(piece.to_vec());
            rest = later;
        }
        assert_eq!(what_comes_of(pieces.into_iter()), alone);
    }
}

/// What lies before a command that cannot be applied is applied, and in the log; but nothing of a piece that holds
/// something that is no command.
#[test]
fn the_log_ends_before_what_cannot_be_applied() {
    let set = |key: &str| format!("*3\r\n$3\r\nSET\r\n$1\r\n{key}\r\n$1\r\n1\r\n");
    let (unknown, multi) = ("*1\r\n$7\r\nNOTHING\r\n", "*1\r\n$5\r\nMULTI\r\n");
    for (log, applied) in [
        (set("a") + &set("b") + unknown + &set("c"), 2),
        (set("a") + multi + unknown + "*1\r\n$4\r\nEXEC\r\n" + &set("c"), 1),
        (set("a") + "\r\n" + &set("b"), 0),
        (set("a") + "PING\r\n" + &set("b"), 0),
    ] {
        let mut c = Cluster::new(2);
        c.follow(1, 0);
        let (attempt, before) = (c.wires[0].attempt, c.end(1));
        let replica = &mut c.members[1].world;
        replica.node.primary_bytes(replica.now, attempt, log.as_bytes(), &mut replica.outs);
        assert_eq!(replica.node.repl.end().0, before + (applied * set("a").len()) as u64, "{log:?}");
        let closed = |out: &Output| matches!(out, Output::PrimaryClose { attempt: of } if *of == attempt);
        assert!(replica.outs.drain().any(|out| closed(&out)), "{log:?}");
        let reader = replica.connect();
        assert_eq!(replica.say(reader, "DBSIZE"), format!(":{applied}"), "{log:?}");
    }
}

/// R3: what belongs to an unfinished transaction is gone with its link.
#[test]
fn half_a_transaction_is_discarded_by_a_fence() {
    let mut c = Cluster::new(2);
    c.follow(1, 0);
    let (before, attempt) = (c.end(1), c.wires[0].attempt);
    let replica = &mut c.members[1].world;
    let bytes = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
    replica.node.primary_bytes(replica.now, attempt, bytes, &mut replica.outs);
    c.say(1, &format!("TANIST FENCE g 3 {} 0", "1".repeat(40)));
    assert_eq!(c.end(1), before);
    let replica = &mut c.members[1].world;
    replica.node.primary_bytes(replica.now, attempt, b"*1\r\n$4\r\nEXEC\r\n", &mut replica.outs);
    assert_eq!((c.end(1), c.say(1, "GET a")), (before, "(nil)".into()));
    assert_eq!(c.field(1, "role"), "idle");
}

/// A client whose connection broke comes back to what it still takes for the primary: it must not take what is left there
/// for the data.
#[test]
fn a_node_that_restarted_without_a_role_answers_no_reads() {
    let mut c = Cluster::new(2);
    let restart = |c: &mut Cluster| {
        let fresh = crate::Durable::fresh(&mut Rng::from_seed(9));
        c.members[0].world.node.restore_state(crate::Durable { had_replicas: true, ..fresh });
    };
    restart(&mut c);
    c.say(1, "SET a 1");
    assert_eq!(c.field(0, "role"), "idle");
    for command in ["GET a", "PING", "DBSIZE"] {
        assert!(c.say(0, command).contains("MASTERDOWN"), "{command}: {}", c.say(0, command));
    }
    assert!(c.say(0, "INFO replication").contains("role:slave"));
    c.follow(0, 1);
    assert_eq!(c.say(0, "GET a"), "1", "it is a replica like others");
    c.say(1, "SET a 2");
    c.cut(0);
    assert_eq!(c.say(0, "GET a"), "2", "and stays one without its link");
    restart(&mut c);
    c.say(0, "REPLICAOF NO ONE");
    assert_eq!(c.say(0, "GET b"), "(nil)", "an explicit word makes it a primary with what it has");
}

/// Who only listens to the log cannot take over, so the node must not wait for it after a restart.
#[test]
fn a_listener_to_the_log_makes_no_group() {
    let mut c = Cluster::new(2);
    let listener = c.members[0].world.connect();
    for line in ["REPLCONF capa eof", "REPLCONF rdb-filter-only functions", "SYNC"] {
        c.members[0].world.all(listener, line);
        c.settle();
    }
    assert!(c.say(0, "INFO replication").contains("connected_slaves:1"));
    let waits =
        |c: &Cluster| c.members[0].states.iter().any(|s| s.windows(16).any(|w| w == b"had-replicas yes"));
    assert!(!waits(&c));
    c.follow(1, 0);
    assert!(waits(&c), "a replica may have more than this node after a restart");
}

#[test]
fn wait_counts_acknowledgements_of_own_writes() {
    let mut c = Cluster::new(3);
    c.follow(1, 0);
    c.follow(2, 0);
    let id = c.members[0].world.connect();
    c.members[0].world.all(id, "SET a 1");
    assert!(c.members[0].world.all(id, "WAIT 2 1000").is_empty(), "it has to wait");
    c.settle();
    let reply = c.members[0].replies.remove(&id).expect("an answer");
    assert_eq!(reply, b":2\r\n");
    c.members[0].world.all(id, "SET a 2");
    assert!(c.members[0].world.all(id, "WAIT 3 1000").is_empty());
    c.settle();
    assert!(!c.members[0].replies.contains_key(&id));
    c.pass(1000);
    assert_eq!(c.members[0].replies.remove(&id).expect("an answer"), b":2\r\n");
}

fn leader(digit: &str) -> String {
    digit.repeat(40)
}

fn promote_line(c: &mut Cluster, i: usize, epoch: u64) -> String {
    let fields = ["node-id", "run-id", "last-epoch", "offset"].map(|f| c.field(i, f));
    format!("TANIST PROMOTE g {epoch} {} {}", leader("1"), fields.join(" "))
}

#[test]
fn an_election_keeps_the_log() {
    let mut c = Cluster::new(3);
    c.follow(1, 0);
    c.follow(2, 0);
    c.fill(0, "a", 10);
    for i in 0..3 {
        assert!(c.say(i, &format!("TANIST FENCE g 4 {} 0", leader("1"))).contains("promised-epoch 4"));
    }
    assert!(c.say(0, "SET lost 1").starts_with("-READONLY"));
    let promote = promote_line(&mut c, 1, 4);
    assert_eq!(c.say(1, &promote), "OK");
    c.say(1, "SET b 1");
    for i in [0, 2] {
        assert_eq!(c.say(i, "TANIST FOLLOW g 4 h 7001 -"), "OK");
        assert_eq!((c.say(i, "GET b"), c.field(i, "last-epoch")), ("1".into(), "4".into()));
    }
    assert_eq!(c.members[1].world.node.stats.sync_full, 0);
    let heir = c.field(1, "replid");
    assert_eq!((c.field(0, "replid"), c.field(2, "replid")), (heir.clone(), heir));
}

/// F2: what the disk has not taken is not answered.
#[test]
fn a_broken_disk_answers_no_fence() {
    let mut c = Cluster::new(1);
    c.members[0].broken_disk = true;
    let answer = c.say(0, &format!("TANIST FENCE g 4 {} 0", leader("1")));
    assert!(answer.starts_with("-ERR the state file"), "{answer}");
    let other = c.say(0, &format!("TANIST FENCE g 4 {} 0", leader("2")));
    assert!(other.starts_with("-FENCED 4"), "in force in memory all the same: {other}");
    c.members[0].broken_disk = false;
    assert!(c.say(0, &format!("TANIST FENCE g 4 {} 0", leader("1"))).contains("promised-epoch 4"));
}

/// What is in the state file is what was promised, at the moment of the answer.
#[test]
fn the_state_file_holds_the_promise() {
    let mut c = Cluster::new(1);
    c.say(0, &format!("TANIST FENCE g 4 {} 0", leader("1")));
    let state = crate::decode_state(c.members[0].states.last().expect("a state")).expect("a good state");
    assert_eq!(state.promised.epoch, tanist_types::Epoch(4));
    assert_eq!(state.group.as_deref(), Some("g"));
}

/// A switchover that was prepared waits for no disk from the moment on at which writes are held.
#[test]
fn what_was_prepared_waits_for_no_disk() {
    let mut c = Cluster::new(2);
    c.follow(1, 0);
    c.say(0, "SET a 1");
    for (i, target) in [(0, ""), (1, " TARGET")] {
        let prepare = format!("TANIST PREPARE g 4 {} 9000{target}", leader("1"));
        c.members[i].slow_state = true;
        assert_eq!((c.say(i, &prepare), c.say(i, &prepare)), ("PENDING".into(), "PENDING".into()));
        c.members[i].slow_state = false;
        c.members[i].disk_goes_on();
        assert_eq!(c.say(i, &prepare), "OK");
    }
    assert_eq!((c.field(0, "role"), c.field(1, "promised-epoch")), ("primary".into(), "0".into()));
    assert_eq!((c.say(0, "SET a 2"), c.say(1, "GET a")), ("OK".into(), "2".into()));
    for i in 0..2 {
        c.members[i].slow_state = true;
        assert!(c.say(i, &format!("TANIST FENCE g 4 {} 0", leader("1"))).contains("promised-epoch 4"));
    }
    assert!(c.say(0, "SET a 3").starts_with("-READONLY"));
    let promote = promote_line(&mut c, 1, 4);
    assert_eq!(c.say(1, &promote), "OK");
    assert_eq!(c.say(1, "SET a 3"), "OK");
}

#[test]
fn what_was_prepared_is_forgotten_with_time_or_by_order() {
    for order in [false, true] {
        let mut c = Cluster::new(2);
        c.follow(1, 0);
        let promised = |c: &Cluster| {
            let state = c.members[1].states.last().expect("a state");
            crate::decode_state(state).expect("a good state").promised.epoch.0
        };
        c.say(1, &format!("TANIST PREPARE g 4 {} 500", leader("1")));
        assert_eq!(promised(&c), 4);
        if order {
            drop(c.say(1, "TANIST RESUME g"))
        } else {
            c.pass(600)
        }
        assert_eq!(promised(&c), 0);
        c.say(0, "SET a 1");
        assert_eq!(c.say(1, "GET a"), "1", "it follows as before");
    }
}

/// Whoever would come back alone, with nothing, must not confirm writes: not to a replica that goes on where it was either.
#[test]
fn a_replica_that_goes_on_gets_nothing_before_a_restart_would_know_of_it() {
    let mut c = Cluster::new(3);
    c.follow(1, 0);
    c.follow(2, 0);
    c.say(0, "SET a 1");
    c.say(1, "REPLICAOF NO ONE");
    c.say(1, "SET a 2");
    c.members[1].slow_state = true;
    c.follow(2, 1);
    assert_eq!(c.members[1].world.node.stats.sync_partial_ok, 1);
    assert_eq!(c.say(2, "GET a"), "1", "a restart would not know of it");
    c.members[1].slow_state = false;
    c.members[1].disk_goes_on();
    c.settle();
    assert_eq!(c.say(2, "GET a"), "2");
}

#[test]
fn clients_are_closed_and_sentinels_are_not() {
    let mut c = Cluster::new(1);
    let world = &mut c.members[0].world;
    let (client, sentinel) = (world.connect(), world.connect());
    world.all(sentinel, "SUBSCRIBE __tanist__:state");
    world.outs.drain();
    world.all(client, "PING");
    c.members[0].world.all(sentinel, "PING");
    let fencer = c.members[0].world.connect();
    c.members[0].world.all(fencer, &format!("TANIST FENCE g 4 {} 0", leader("1")));
    let outs: Vec<Output> = c.members[0].world.outs.drain().collect();
    let closed = |id| outs.iter().any(|o| matches!(o, Output::Close { session, .. } if *session == id));
    assert!(closed(client) && !closed(sentinel) && !closed(fencer));
    let told = outs.iter().any(|o| {
        matches!(o, Output::Send { session, bytes } if *session == sentinel
            && String::from_utf8_lossy(bytes).contains("role=idle"))
    });
    assert!(told, "{outs:?}");
}

#[test]
fn writes_are_held_until_the_target_has_everything() {
    let mut c = Cluster::new(2);
    c.follow(1, 0);
    let world = &mut c.members[0].world;
    let (sentinel, client) = (world.connect(), world.connect());
    world.all(sentinel, "SUBSCRIBE __tanist__:state");
    c.say(0, "SET a 1");
    c.members[0].replies.remove(&sentinel);
    assert_eq!(c.say(0, "TANIST PAUSE g 5000 10.0.0.1 7001"), "OK");
    assert!(c.members[0].world.all(client, "SET a 2").is_empty());
    c.settle();
    let told =
        String::from_utf8(c.members[0].replies.remove(&sentinel).unwrap_or_default()).unwrap_or_default();
    assert!(told.contains("event=caught-up"), "{told}");
    assert_eq!(c.say(1, "GET a"), "1");
    c.pass(Duration::from_millis(5001).as_millis() as u64);
    let reader = c.members[0].world.connect();
    // The held command runs when its session is resumed; its pause is over.
    assert_eq!(c.members[0].world.say(reader, "SET b 1"), "OK");
}

/// A sentinel is heard while writes are held, its messages do not move the log, and a primary that steps down holds
/// nothing any more.
#[test]
fn a_hold_stops_no_sentinel_and_ends_with_the_role() {
    let mut c = Cluster::new(2);
    c.follow(1, 0);
    let sentinel = c.members[0].world.connect();
    c.members[0].world.all(sentinel, "SUBSCRIBE __sentinel__:hello");
    let client = c.members[0].world.connect();
    c.members[0].world.say(client, "SET a 1");
    assert_eq!(c.say(0, "TANIST PAUSE g 5000"), "OK");
    let end = c.field(0, "offset");
    let other = c.members[0].world.connect();
    c.members[0].world.say(other, "CLIENT SETNAME sentinel-x");
    assert_eq!(c.members[0].world.say(other, "PUBLISH __sentinel__:hello hi"), ":1");
    assert_eq!(c.field(0, "offset"), end);
    assert!(c.members[0].world.all(client, "SET a 2").is_empty(), "held");
    c.say(0, &format!("TANIST FENCE g 9 {} 0", leader("1")));
    let late = c.members[0].world.connect();
    assert!(!c.members[0].world.all(late, "PUBLISH x y").is_empty(), "held by a hold of the past");
}

/// R1: who has promised a later epoch does not follow an earlier primary.
#[test]
fn a_fenced_replica_does_not_follow_the_old_primary() {
    let mut c = Cluster::new(2);
    c.follow(1, 0);
    c.say(1, &format!("TANIST FENCE g 9 {} 0", leader("1")));
    c.say(0, "SET a 1");
    c.say(1, "REPLICAOF h 7000");
    c.pass(3000);
    assert_eq!(c.say(1, "GET a"), "(nil)");
    assert_eq!(c.field(1, "link"), "down");
}

/// T1: who may have acknowledged more than it has takes over by an explicit word only, and is followed all the same.
#[test]
fn a_node_without_a_vote_takes_over_by_force_only() {
    let mut c = Cluster::new(2);
    let fresh = crate::Durable::fresh(&mut Rng::from_seed(9));
    c.members[0].world.node.restore_state(crate::Durable { accepted: tanist_types::Epoch(3), ..fresh });
    for i in 0..2 {
        c.say(i, &format!("TANIST FENCE g 4 {} 0", leader("1")));
    }
    let promote = promote_line(&mut c, 0, 4);
    assert!(c.say(0, &promote).starts_with("-NOTVOTING"), "{}", c.say(0, &promote));
    assert!(c.say(0, &format!("{promote} SOON")).starts_with("-ERR syntax error"));
    assert_eq!(c.say(0, &format!("{promote} FORCE")), "OK");
    assert_eq!((c.say(0, "SET a 1"), c.field(0, "voting")), ("OK".into(), "1".into()));
    assert_eq!(c.say(1, "TANIST FOLLOW g 4 h 7000 -"), "OK");
    assert_eq!((c.say(1, "GET a"), c.field(1, "last-epoch")), ("1".into(), "4".into()));
}

/// The complaint is the one that Valkey makes first.
#[test]
fn a_switchover_that_cannot_be_says_why() {
    let mut w = World::new();
    let c = w.connect();
    let none = "-ERR FAILOVER requires connected replicas.";
    for (command, reply) in [
        ("FAILOVER", none),
        ("FAILOVER FORCE", none),
        ("FAILOVER FORCE TO 10.0.0.1 6379", none),
        ("FAILOVER FORCE FORCE", "-ERR syntax error"),
        ("FAILOVER TO 10.0.0.1", "-ERR syntax error"),
        ("FAILOVER TIMEOUT 0", "-ERR FAILOVER timeout must be greater than 0"),
        ("FAILOVER ABORT", "-ERR No failover in progress."),
        ("REPLICAOF 10.0.0.1 x", "-ERR Invalid master port"),
        ("REPLICAOF 10.0.0.1 65536", "-ERR Invalid master port"),
        ("REPLCONF rdb-only 2", "-ERR value is out of range, value must between 0 and 1"),
        ("WAITAOF 2 0 0", "-ERR value is out of range, value must between 0 and 1"),
        ("WAITAOF 0 -1 0", "-ERR value is out of range, must be positive"),
        ("WAITAOF 1 0 0", "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."),
        ("WAITAOF 0 0 0", "[:0 :0]"),
    ] {
        assert_eq!(w.say(c, command), reply, "{command}");
    }
}
