//! A primary and its replicas exchange bytes in random pieces while links are cut: in the end their logs are equal.
//!
//! The data set is the log itself: a snapshot is the log's bytes up to its position, so that equal logs mean equal data.

use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use std::time::Duration;
use tanist_replication::*;
use tanist_resp::{Batch, Limits};
use tanist_types::*;

/// A node's log with the whole data set beside it.
struct Store {
    backlog: Backlog,
    lineage: Lineage,
    /// Everything from position zero on.
    data: Vec<u8>,
}

impl Store {
    fn append(&mut self, bytes: &[u8]) {
        self.backlog.append(bytes);
        self.data.extend_from_slice(bytes);
        self.backlog.trim(None);
        assert_eq!(self.backlog.end().0, self.data.len() as u64);
    }
}

fn store(rng: &mut Rng, size: u64) -> Store {
    let config = BacklogConfig { size: ByteLen(size), reserve: ByteLen(size), ttl: Duration::ZERO };
    let mut backlog = Backlog::new(config, LogPos::ZERO);
    backlog.activate();
    Store { backlog, lineage: Lineage::new(ReplId::random(rng), Epoch(0), LogPos::ZERO), data: Vec::new() }
}

struct Primary {
    store: Store,
    replicas: Replicas,
    /// Bytes on their way from and to each replica.
    wires: Vec<Wire>,
}

#[derive(Default)]
struct Wire {
    link: Option<LinkId>,
    up: Vec<u8>,
    down: Vec<u8>,
    /// What has arrived at the primary and is not a whole command yet.
    read: Vec<u8>,
    batch: Option<Batch>,
}

struct Replica {
    store: Store,
    link: PrimaryLink,
    snapshot: Vec<u8>,
    loading: Option<(ReplId, LogPos)>,
    partial: usize,
    full: usize,
    /// Tells the snapshot's length instead of a mark.
    stock: bool,
}

struct World {
    rng: Rng,
    now: Mono,
    primary: Primary,
    replicas: Vec<Replica>,
    next_link: u64,
}

impl World {
    fn new(seed: u64, count: usize, size: u64) -> World {
        let mut rng = Rng::from_seed(seed);
        let config = ReplicasConfig { sync_delay: Duration::from_millis(2), ..ReplicasConfig::default() };
        let replicas = (0..count)
            .map(|i| Replica {
                store: store(&mut rng, size),
                link: PrimaryLink::new(Duration::from_secs(60), Mono::ZERO),
                snapshot: Vec::new(),
                loading: None,
                partial: 0,
                full: 0,
                stock: i % 2 == 1,
            })
            .collect();
        let primary = Primary {
            store: store(&mut rng, size),
            replicas: Replicas::new(config),
            wires: (0..count).map(|_| Wire::default()).collect(),
        };
        World { rng, now: Mono::from_millis(1), primary, replicas, next_link: 0 }
    }

    /// One random thing happens.
    fn step(&mut self, chaos: bool) {
        self.now = self.now + Duration::from_millis(1);
        let i = self.rng.below(self.replicas.len() as u64) as usize;
        match self.rng.below(if chaos { 12 } else { 10 }) {
            0 => self.write(),
            1 if self.primary.replicas.snapshot_due().is_some_and(|at| at <= self.now) => {
                self.begin_snapshot()
            }
            2..4 => self.pump(i),
            4..6 => self.deliver_down(i),
            6..8 => self.deliver_up(i),
            8 => self.tick(i),
            9 => self.ack(i),
            10 if self.rng.chance(1, 8) => self.cut(i),
            11 if self.rng.chance(1, 30) => self.promote(),
            _ => {}
        }
    }

    fn write(&mut self) {
        let mut entry = vec![b'x'; self.rng.below(700) as usize];
        self.rng.fill(&mut entry);
        self.primary.store.append(&entry);
    }

    /// The primary's history goes on under another name, as if it had been promoted again.
    fn promote(&mut self) {
        for i in 0..self.replicas.len() {
            self.cut(i);
        }
        let id = ReplId::random(&mut self.rng);
        let store = &mut self.primary.store;
        store.lineage.shift(id, Epoch(0), store.backlog.end());
    }

    fn served(store: &Store) -> Served<'_> {
        Served { epoch: Epoch(0), lineage: &store.lineage, backlog: &store.backlog }
    }

    fn begin_snapshot(&mut self) {
        let p = &mut self.primary;
        for (id, line) in p.replicas.begin_snapshot(World::served(&p.store), &mut self.rng).1 {
            p.wires.iter_mut().filter(|w| w.link == Some(id)).for_each(|w| w.down.extend_from_slice(&line));
        }
        for piece in p.store.data.chunks(997) {
            p.replicas.feed_snapshot(piece);
        }
        if p.store.data.is_empty() {
            p.replicas.feed_snapshot(b"!");
        }
        p.replicas.complete_snapshot();
    }

    fn pump(&mut self, i: usize) {
        let p = &mut self.primary;
        let Some(id) = p.wires[i].link else { return };
        let max = 1 + self.rng.below(3000) as usize;
        if p.replicas.pump(id, &p.store.backlog, max, self.now, &mut p.wires[i].down).is_err() {
            self.cut(i);
        }
        self.primary.replicas.end_snapshot_if_unread();
    }

    fn cut(&mut self, i: usize) {
        let wire = std::mem::take(&mut self.primary.wires[i]);
        if let Some(id) = wire.link {
            self.primary.replicas.remove(id);
            self.primary.replicas.end_snapshot_if_unread();
            self.replicas[i].link.closed(self.now);
            self.replicas[i].loading = None;
        }
    }

    fn tick(&mut self, i: usize) {
        let r = &mut self.replicas[i];
        match r.link.tick(self.now) {
            Some(LinkDue::Connect) => {
                self.next_link += 1;
                let id = LinkId(self.next_link);
                self.primary.replicas.link(id, "10.0.0.1", self.now);
                let hello = r.link.connected(&introduction(r), self.now);
                self.primary.wires[i] = Wire { link: Some(id), up: hello, ..Wire::default() };
            }
            Some(LinkDue::Send(bytes)) => self.primary.wires[i].up.extend_from_slice(&bytes),
            Some(LinkDue::Failed(_)) => self.cut(i),
            None => {}
        }
    }

    fn ack(&mut self, i: usize) {
        let r = &mut self.replicas[i];
        let ack = Ack { applied: r.store.backlog.end(), fsynced: None, epoch: None };
        r.link.ack(ack, self.now, &mut self.primary.wires[i].up);
    }

    /// A random piece of what a replica has sent arrives.
    fn deliver_up(&mut self, i: usize) {
        let p = &mut self.primary;
        let wire = &mut p.wires[i];
        let Some(id) = wire.link else { return };
        let arrived = self.rng.below(wire.up.len() as u64 + 1) as usize;
        wire.read.extend(wire.up.drain(..arrived));
        let batch = wire.batch.get_or_insert_with(Batch::new);
        batch.clear();
        let buf = wire.read.clone();
        let progress = batch.parse(&buf, &Limits::default(), 64).unwrap();
        let mut fault = false;
        for n in 0..batch.len() {
            let args = batch.args(n, &buf);
            match &args[0] {
                b"PING" => wire.down.extend_from_slice(b"+PONG\r\n"),
                b"REPLCONF" => match p.replicas.link(id, "", self.now).facts.replconf(args).unwrap() {
                    Replconf::Noted => wire.down.extend_from_slice(b"+OK\r\n"),
                    Replconf::Ack(ack) => {
                        fault |= p.replicas.ack(id, ack, &p.store.backlog, self.now).is_err()
                    }
                    Replconf::GetAck => {}
                },
                b"PSYNC" => {
                    if self.replicas[i].stock {
                        p.replicas.link(id, "", self.now).facts.eof = false;
                    }
                    let ask = Ask { request: parse_psync(&args[1], &args[2]), plain: false };
                    p.replicas.psync(id, ask, World::served(&p.store), self.now, &mut wire.down);
                }
                other => panic!("{other:?}"),
            }
        }
        wire.read.drain(..progress.consumed);
        assert!(!fault, "I-RL2: a replica acknowledged what it was never sent");
    }

    /// A random piece of what the primary has sent arrives.
    fn deliver_down(&mut self, i: usize) {
        let wire = &mut self.primary.wires[i];
        let n = self.rng.below(wire.down.len() as u64 + 1) as usize;
        let piece: Vec<u8> = wire.down.drain(..n).collect();
        let r = &mut self.replicas[i];
        let mut incoming = Vec::new();
        r.link.receive(&piece, self.now, &mut incoming);
        for item in incoming {
            match item {
                Incoming::Continue { id, .. } => {
                    r.partial += 1;
                    let id = id.unwrap();
                    if id != r.store.lineage.current().id {
                        r.store.lineage.shift(id, Epoch(0), r.store.backlog.end());
                    }
                    r.link.attached();
                }
                Incoming::FullSync { id, pos, .. } => {
                    r.full += 1;
                    r.loading = Some((id, pos));
                    r.snapshot.clear();
                    r.link.attached();
                }
                Incoming::SnapshotSize(_) => {}
                Incoming::Send(bytes) => self.primary.wires[i].up.extend_from_slice(&bytes),
                Incoming::Snapshot(bytes) => r.snapshot.extend_from_slice(&bytes),
                Incoming::SnapshotEnd => {
                    let (id, pos) = r.loading.take().unwrap();
                    r.store.data = std::mem::take(&mut r.snapshot);
                    r.store.data.truncate(pos.0 as usize);
                    assert_eq!(
                        r.store.data.len() as u64,
                        pos.0,
                        "the snapshot is as long as its position says"
                    );
                    r.store.backlog.reset(pos);
                    r.store.lineage = Lineage::new(id, Epoch(0), pos);
                    let early = r.link.loaded(self.now);
                    r.store.append(&early);
                }
                Incoming::Stream(bytes) => r.store.append(bytes),
                Incoming::Failed(fault) => panic!("{fault}"),
            }
        }
        let (ours, theirs) = (&self.primary.store.data, &self.replicas[i].store.data);
        assert!(ours.starts_with(theirs), "a replica's log is a prefix of its primary's");
    }

    fn equal(&self) -> bool {
        self.replicas.iter().all(|r| r.store.data == self.primary.store.data && r.link.is_streaming())
    }
}

fn introduction(r: &Replica) -> Introduction {
    let mut rng = Rng::from_seed(1);
    Introduction {
        user: String::new(),
        password: String::new(),
        port: 1,
        announce_ip: None,
        version: "7.2.4".into(),
        group: None,
        node: NodeId::random(&mut rng),
        run: RunId::random(&mut rng),
        boot: BootCount(1),
        epochs: (Epoch(0), Epoch(0)),
        request: PsyncRequest::From { id: r.store.lineage.current().id, pos: r.store.backlog.end() },
    }
}

fn run(seed: u64, count: usize, size: u64) -> World {
    let mut world = World::new(seed, count, size);
    for _ in 0..3000 {
        world.step(true);
    }
    for _ in 0..60_000 {
        if world.equal() {
            break;
        }
        world.now = world.now + Duration::from_millis(20);
        for i in 0..count {
            world.tick(i);
            world.deliver_up(i);
            if world.primary.replicas.snapshot_due().is_some_and(|at| at <= world.now) {
                world.begin_snapshot();
            }
            world.pump(i);
            world.deliver_down(i);
            world.ack(i);
        }
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn logs_are_equal_in_the_end(seed in any::<u64>(), count in 1usize..4, size in 1u64..200_000) {
        let world = run(seed, count, size);
        prop_assert!(world.equal());
    }
}

/// The runs above must have exercised both ways to catch up.
#[test]
fn both_partial_and_full_syncs_happen() {
    let (mut partial, mut full) = (0, 0);
    for seed in 0..20 {
        let world = run(seed, 2, 100_000);
        assert!(world.equal(), "seed {seed}");
        partial += world.replicas.iter().map(|r| r.partial).sum::<usize>();
        full += world.replicas.iter().map(|r| r.full).sum::<usize>();
    }
    assert!(partial > 5 && full > 10, "{partial} partial, {full} full");
}
