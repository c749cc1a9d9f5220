//! A data node's process: what the real shell does with the node's inputs and outputs, in the simulated world.

use crate::disk::Disk;
use crate::host::{Action, Ctx, In};
use crate::net::{ConnId, HostId, Side};
use crate::plan::{MAX_LAG, Plan};
use crate::trace::Text;
use crate::world::NODE_PORT;
use std::collections::BTreeMap;
use tanist_config::ServerConfig;
use tanist_node::{
    Identity, Input, LogLevel, Next, Node, Output, Outputs, Peer, Seeds, SessionId, Standing, Stopwatch,
};
use tanist_replication::{Durable, DurableRole, decode_state};
use tanist_resp::{Batch, Decoder, Limits, Value, encode_command};
use tanist_types::{Epoch, LogPos, Mono, NodeId, Now, Rng, RunId};

/// The state file on the node's disk.
const STATE: &str = "tanist.state";
/// The snapshot file on the node's disk.
const SNAPSHOT: &str = "dump.rdb";
/// Names writes of the snapshot file; states are numbered from one.
const SNAPSHOT_TOKEN: u64 = u64::MAX;
/// What an acknowledgement has in it, and nothing else that a replica says.
const ACK: &[u8] = b"\r\nACK\r\n";
/// The most commands carried out at once.
const BATCH: usize = 128;

/// A stopwatch that stands still.
struct Still(Mono);

impl Stopwatch for Still {
    fn read(&self) -> Mono {
        self.0
    }
}

/// A connection of a client or replica.
struct Served {
    session: SessionId,
    /// What was read and not yet carried out.
    buf: Vec<u8>,
    batch: Batch,
    /// The batch has stopped before this command; its bytes in `buf` end at the second number.
    halted: Option<(usize, usize)>,
}

/// A running tanist-server.
pub(crate) struct NodeProcess {
    node: Node,
    outs: Outputs,
    /// Room for outputs, taken in turns.
    spare: Outputs,
    served: BTreeMap<ConnId, Served>,
    conns: BTreeMap<SessionId, ConnId>,
    /// The connection to the primary, by the node's name for it.
    primary: Option<(u64, ConnId)>,
    /// The snapshot file in the making.
    saving: Vec<u8>,
    /// Temporary files.
    spills: BTreeMap<u64, Vec<u8>>,
    /// The session through which the world looks into the node.
    observer: SessionId,
}

impl NodeProcess {
    /// Starts the process with what is on its disk.
    pub(crate) fn start(index: usize, plan: &Plan, disk: &Disk, rng: &mut Rng, now: Now) -> NodeProcess {
        let config = config(index, plan);
        let identity = Identity { run_id: RunId::random(rng), node_id: NodeId::random(rng), pid: 1 };
        let seeds = Seeds { hash: [rng.next_u64(), rng.next_u64()], rng: rng.next_u64() };
        let mut node = Node::new(config, identity, seeds, now);
        if let Some(bytes) = disk.read(STATE) {
            let mut durable =
                decode_state(bytes).unwrap_or_else(|e| panic!("n{index} cannot read its state: {e}"));
            if plan.canary {
                forget_the_group(&mut durable);
            }
            node.restore_state(durable);
        }
        let mut outs = Outputs::new();
        if let Some(bytes) = disk.read(SNAPSHOT) {
            node.load_begin(now, Some(bytes.len() as u64));
            node.load_bytes(now, bytes)
                .and_then(|()| node.load_end(now, &mut outs))
                .unwrap_or_else(|e| panic!("n{index} cannot read its snapshot file: {e}"));
        }
        let observer = node.connect(now, peer("0.0.0.0")).unwrap_or(SessionId(0));
        NodeProcess {
            node,
            outs,
            spare: Outputs::new(),
            served: BTreeMap::new(),
            conns: BTreeMap::new(),
            observer,
            primary: None,
            saving: Vec::new(),
            spills: BTreeMap::new(),
        }
    }

    /// What the node is at present.
    pub(crate) fn standing(&self) -> Standing<'_> {
        self.node.standing()
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        Some(self.node.next_deadline())
    }

    pub(crate) fn handle(&mut self, input: In, ctx: &mut Ctx<'_>) {
        self.take(input, ctx);
        self.perform(ctx);
        ctx.watch.see(ctx.me, &self.node.standing());
    }

    fn take(&mut self, input: In, ctx: &mut Ctx<'_>) {
        match input {
            In::Started => self.node.start_replication(ctx.now, &mut self.outs),
            In::Wake => self.node.step(ctx.now, Input::Tick, &mut self.outs),
            In::Accepted { conn, from } => self.accepted(conn, &from.address(), ctx),
            In::Data { conn, bytes } => self.data(conn, &bytes, ctx),
            In::Lost { conn, .. } => self.lost(conn, ctx),
            In::Connected { conn } => {
                if let Some((attempt, c)) = self.primary
                    && c == conn
                {
                    self.node.step(ctx.now, Input::PrimaryConnected { attempt }, &mut self.outs);
                }
            }
            In::Replaced { token: SNAPSHOT_TOKEN, result } => {
                self.node.step(ctx.now, Input::SaveWritten(result), &mut self.outs);
            }
            In::Replaced { token, result } => {
                self.node.step(ctx.now, Input::Persisted { id: token, result }, &mut self.outs);
            }
            In::Drained { conn } => {
                if let Some(served) = self.served.get(&conn) {
                    self.node.step(ctx.now, Input::Drained(served.session), &mut self.outs);
                }
            }
        }
    }

    /// Carries out one command in the node without the network, for the world to look into it.
    pub(crate) fn observe(&mut self, now: Now, words: &[&[u8]]) -> Option<Value> {
        if !self.node.is_authenticated(self.observer) {
            // A node that has changed its role has closed its clients, this one too.
            self.node.step(now, Input::Closed(self.observer), &mut Outputs::new());
            self.observer = self.node.connect(now, peer("0.0.0.0")).ok()?;
        }
        let mut buf = Vec::new();
        encode_command(&mut buf, words);
        let mut batch = Batch::new();
        batch.parse(&buf, &Limits::default(), 1).ok()?;
        let mut out = Vec::new();
        let mut outs = Outputs::new();
        let watch = Still(now.mono);
        self.node.run(now, self.observer, &batch, &buf, 0, &mut out, &mut outs, &watch);
        debug_assert!(outs.is_empty(), "an observation has effects");
        let mut decoder = Decoder::new();
        decoder.feed(&out);
        decoder.next().ok()?
    }

    fn accepted(&mut self, conn: ConnId, from: &str, ctx: &mut Ctx<'_>) {
        match self.node.connect(ctx.now, peer(from)) {
            Ok(session) => {
                let served = Served { session, buf: Vec::new(), batch: Batch::new(), halted: None };
                self.served.insert(conn, served);
                self.conns.insert(session, conn);
            }
            Err(refusal) => {
                ctx.send(conn, Side::Accepter, refusal.as_bytes().to_vec());
                ctx.close(conn, Side::Accepter);
            }
        }
    }

    fn data(&mut self, conn: ConnId, bytes: &[u8], ctx: &mut Ctx<'_>) {
        if let Some((attempt, c)) = self.primary
            && c == conn
        {
            return self.node.primary_bytes(ctx.now, attempt, bytes, &mut self.outs);
        }
        let Some(served) = self.served.get_mut(&conn) else { return };
        served.buf.extend_from_slice(bytes);
        if served.halted.is_none() {
            self.carry_out(conn, ctx);
        }
    }

    fn lost(&mut self, conn: ConnId, ctx: &mut Ctx<'_>) {
        if let Some((attempt, _)) = self.primary.take_if(|(_, c)| *c == conn) {
            let why = "Connection reset by peer".to_owned();
            return self.node.step(ctx.now, Input::PrimaryClosed { attempt, why }, &mut self.outs);
        }
        if let Some(served) = self.served.remove(&conn) {
            self.conns.remove(&served.session);
            self.node.step(ctx.now, Input::Closed(served.session), &mut self.outs);
        }
    }

    /// Runs what a connection has sent, as far as it goes.
    fn carry_out(&mut self, conn: ConnId, ctx: &mut Ctx<'_>) {
        let watch = Still(ctx.now.mono);
        loop {
            let Some(served) = self.served.get_mut(&conn) else { return };
            let (from, consumed) = match served.halted.take() {
                Some(at) => at,
                None => match served.batch.parse(&served.buf, &Limits::default(), BATCH) {
                    Ok(progress) if progress.commands == 0 => {
                        served.buf.drain(..progress.consumed);
                        return;
                    }
                    Ok(progress) => (0, progress.consumed),
                    Err(error) => {
                        let mut text = b"-ERR ".to_vec();
                        error.write_to(&mut text);
                        text.extend_from_slice(b"\r\n");
                        ctx.send(conn, Side::Accepter, text);
                        return self.hang_up(conn, ctx);
                    }
                },
            };
            let mut out = Vec::new();
            let Served { session, buf, batch, .. } = served;
            if ctx.watch.counts_replicas() && is_of_replica(batch, buf) {
                ctx.watch.heard_replica(ctx.me, conn, ctx.world);
            }
            let ran = self.node.run(ctx.now, *session, batch, buf, from, &mut out, &mut self.outs, &watch);
            ctx.send(conn, Side::Accepter, out);
            match ran.next {
                Next::Go => {
                    served.buf.drain(..consumed);
                }
                Next::Wait => {
                    served.halted = Some((ran.done, consumed));
                    return;
                }
                Next::Close => return self.hang_up(conn, ctx),
            }
        }
    }

    fn hang_up(&mut self, conn: ConnId, ctx: &mut Ctx<'_>) {
        ctx.close(conn, Side::Accepter);
        self.lost(conn, ctx);
    }

    fn drop_primary(&mut self, ctx: &mut Ctx<'_>) {
        if let Some((_, conn)) = self.primary.take() {
            ctx.close(conn, Side::Opener);
        }
    }

    /// Does what the node wants done. What comes of it may want more.
    fn perform(&mut self, ctx: &mut Ctx<'_>) {
        while !self.outs.is_empty() {
            let mut taken = std::mem::replace(&mut self.outs, std::mem::take(&mut self.spare));
            for output in taken.drain() {
                self.perform_one(output, ctx);
            }
            self.spare = taken;
        }
    }

    fn perform_one(&mut self, output: Output, ctx: &mut Ctx<'_>) {
        match output {
            Output::Send { session, bytes } => {
                if is_promise(&bytes) {
                    ctx.watch.promises(ctx.me, &self.node.standing());
                }
                if let Some(&conn) = self.conns.get(&session) {
                    ctx.send(conn, Side::Accepter, bytes);
                }
            }
            Output::Close { session, .. } => {
                if let Some(&conn) = self.conns.get(&session) {
                    self.hang_up(conn, ctx);
                }
            }
            Output::Resume(session) => {
                if let Some(&conn) = self.conns.get(&session) {
                    self.carry_out(conn, ctx);
                }
            }
            Output::Log(level, text) => {
                if level >= LogLevel::Notice {
                    ctx.note(format_args!("log: {}", Text(text.as_bytes())));
                }
            }
            Output::Exit(_) => ctx.actions.push(Action::Exit),
            Output::TellDrained(session) => {
                if let Some(&conn) = self.conns.get(&session) {
                    ctx.actions.push(Action::Later { input: In::Drained { conn } });
                }
            }
            Output::PrimaryConnect { attempt, host, port } => {
                self.drop_primary(ctx);
                self.primary = Some((attempt, ctx.dial(&host, port)));
            }
            Output::PrimarySend { attempt, bytes } => {
                if let Some((a, conn)) = self.primary
                    && a == attempt
                {
                    if let Some(to) = acknowledged(&bytes) {
                        ctx.watch.acknowledges(ctx.me, &self.node.standing(), to);
                    }
                    ctx.send(conn, Side::Opener, bytes);
                }
            }
            Output::PrimaryClose { attempt } => {
                if self.primary.is_some_and(|(a, _)| a == attempt) {
                    self.drop_primary(ctx);
                }
            }
            Output::Persist { id, bytes } => {
                ctx.actions.push(Action::Replace { token: id, file: STATE, content: bytes });
            }
            Output::SaveBegin => self.saving.clear(),
            Output::SaveBytes { bytes, last } => {
                self.saving.extend_from_slice(&bytes);
                if last {
                    let content = std::mem::take(&mut self.saving);
                    ctx.actions.push(Action::Replace { token: SNAPSHOT_TOKEN, file: SNAPSHOT, content });
                } else {
                    let input = In::Replaced { token: SNAPSHOT_TOKEN, result: Ok(()) };
                    ctx.actions.push(Action::Later { input });
                }
            }
            Output::SaveCancel => self.saving.clear(),
            Output::Reconfigure { session, config } => {
                let answer = Input::Reconfigured { session, result: Ok(config) };
                self.node.step(ctx.now, answer, &mut self.outs);
            }
            Output::RewriteConfig { session, .. } => {
                self.node.step(ctx.now, Input::Rewritten { session, result: Ok(()) }, &mut self.outs);
            }
            // Nobody names a file of users here.
            Output::ReadUsers { .. } | Output::WriteUsers { .. } => {}
            // Nobody says DEBUG here.
            Output::LoadSnapshot => {}
            // Nobody migrates keys here.
            Output::Exchange { .. } | Output::ExchangeEnd { .. } => {}
            // Whatever is sent here is taken at once: there is nothing that could be left unread.
            Output::PrimaryHold { .. } => {}
            Output::SpillWrite { file, bytes } => {
                self.spills.entry(file).or_default().extend_from_slice(&bytes);
                self.spilled(file, None, ctx);
            }
            Output::SpillRead { file, at, len } => {
                let bytes = self.spills.get(&file).and_then(|all| all.get(at as usize..at as usize + len));
                self.spilled(file, bytes.map(<[u8]>::to_vec), ctx);
            }
            Output::SpillEnd { file } => {
                self.spills.remove(&file);
            }
            Output::Discard(_) | Output::Configured(_) | Output::Stall(_) => {}
        }
    }

    /// A temporary file here is never slow and never full.
    fn spilled(&mut self, file: u64, bytes: Option<Vec<u8>>, ctx: &mut Ctx<'_>) {
        self.node.step(ctx.now, Input::Spilled { file, result: Ok(bytes) }, &mut self.outs);
    }
}

/// The position that a replica acknowledges with this.
fn acknowledged(bytes: &[u8]) -> Option<LogPos> {
    let at = bytes.windows(ACK.len()).position(|w| w == ACK).filter(|_| bytes.starts_with(b"*"))?;
    let mut lines = bytes[at + ACK.len()..].split(|b| *b == b'\r');
    let digits = lines.nth(1)?.trim_ascii();
    std::str::from_utf8(digits).ok()?.parse().ok().map(LogPos)
}

/// Whether it is the answer to a fence: the only one with a node's standing that waits for anything.
fn is_promise(bytes: &[u8]) -> bool {
    const FIELD: &[u8] = b"promised-epoch";
    bytes.len() < 2_000 && bytes.starts_with(b"*") && bytes.windows(FIELD.len()).any(|w| w == FIELD)
}

/// Whether a replica asks for the log or says how far it is.
fn is_of_replica(batch: &Batch, buf: &[u8]) -> bool {
    let name = |i| batch.args(i, buf).at(0);
    let of_replica = |i| name(i).eq_ignore_ascii_case(b"replconf") || name(i).eq_ignore_ascii_case(b"psync");
    (0..batch.len()).any(of_replica)
}

/// The bug that must be found (rule T4 broken): a primary with replicas goes on as their primary after a restart, with
/// the nothing that it has left.
fn forget_the_group(durable: &mut Durable) {
    if durable.role == DurableRole::Primary {
        durable.had_replicas = false;
        durable.group = None;
        durable.accepted = Epoch::ZERO;
    }
}

fn peer(from: &str) -> Peer {
    Peer { addr: format!("{from}:1"), laddr: "0.0.0.0:6379".into(), unix: false, local: true, fd: -1 }
}

/// What a node's configuration file says.
fn config(index: usize, plan: &Plan) -> ServerConfig {
    let s = &plan.settings;
    let mut config = ServerConfig::default();
    let backlog = s.backlog.to_string();
    let (min, delay) = (s.min_replicas.to_string(), s.sync_delay.to_string());
    let lag = MAX_LAG.to_string();
    let primary = HostId::node(0).address();
    let port = NODE_PORT.to_string();
    let mut lines: Vec<(&str, Vec<&str>)> = vec![
        ("repl-backlog-size", vec![&backlog]),
        ("min-replicas-to-write", vec![&min]),
        ("min-replicas-max-lag", vec![&lag]),
        ("repl-timeout", vec!["5"]),
        ("repl-ping-replica-period", vec!["1"]),
        ("repl-diskless-sync-delay", vec![&delay]),
        ("repl-diskless-load", vec![s.load]),
        ("save", s.save.split(' ').collect()),
        ("client-output-buffer-limit", ["replica"].into_iter().chain(s.replica_limit).collect()),
        ("enable-debug-command", vec!["yes"]),
    ];
    if index > 0 {
        lines.push(("replicaof", vec![&primary, &port]));
    }
    for (name, args) in lines {
        config.set(name, &args).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    config
}
