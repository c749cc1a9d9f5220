//! A sentinel's process: what the real shell does with the sentinel's inputs and outputs, in the simulated world.

use crate::disk::Disk;
use crate::host::{Action, Ctx, In, Loss};
use crate::net::{ConnId, HostId, Side};
use crate::plan::Plan;
use crate::trace::Text;
use crate::world::{SENTINEL_PORT, sentinel_conf};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use tanist_resp::{Batch, Decoder, Limits, Value};
use tanist_sentinel::core::{
    Config, Facts, Input, Level, LinkId, LinkLoss, Output, PersistId, Sentinel, SessionId,
};
use tanist_types::{Mono, Now, Rng};

/// The configuration file on the sentinel's disk.
const FILE: &str = "sentinel.conf";

/// A connection that somebody opened to the sentinel.
struct Session {
    conn: ConnId,
    buf: Vec<u8>,
    batch: Batch,
}

/// A connection that the sentinel opened.
struct Link {
    conn: ConnId,
    host: String,
    decoder: Decoder,
}

/// A running tanist-sentinel.
pub(crate) struct SentinelProcess {
    pub(crate) core: Sentinel,
    out: Vec<Output>,
    sessions: BTreeMap<SessionId, Session>,
    links: BTreeMap<LinkId, Link>,
    /// What each connection is to the sentinel.
    conns: BTreeMap<ConnId, End>,
    next_session: u64,
}

#[derive(Clone, Copy)]
enum End {
    Session(SessionId),
    Link(LinkId),
}

impl SentinelProcess {
    /// Starts the process with what is on its disk.
    pub(crate) fn start(index: usize, plan: &Plan, disk: &Disk, rng: &mut Rng, now: Now) -> SentinelProcess {
        let initial = sentinel_conf(plan);
        let text = disk.read(FILE).map_or(initial, |bytes| String::from_utf8_lossy(bytes).into_owned());
        let config =
            Config::parse(&text).unwrap_or_else(|e| panic!("sentinel {index} cannot read its file: {e}"));
        let facts = Facts { pid: 1, port: SENTINEL_PORT, ..Facts::default() };
        SentinelProcess {
            core: Sentinel::new(config, facts, now, rng.next_u64()),
            out: Vec::new(),
            sessions: BTreeMap::new(),
            links: BTreeMap::new(),
            conns: BTreeMap::new(),
            next_session: 1,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.core.next_deadline().map(|(at, _)| at)
    }

    pub(crate) fn handle(&mut self, input: In, ctx: &mut Ctx<'_>) {
        match input {
            In::Started | In::Wake => self.step(Input::Tick, ctx),
            In::Accepted { conn, from } => self.accepted(conn, from.address(), ctx),
            In::Connected { conn } => self.connected(conn, ctx),
            In::Data { conn, bytes } => self.data(conn, &bytes, ctx),
            In::Lost { conn, why } => self.lost(conn, why, ctx),
            In::Drained { .. } => {}
            In::Replaced { token, result } => {
                self.step(Input::Persisted { id: PersistId(token), result }, ctx)
            }
        }
    }

    fn step(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        let mut out = std::mem::take(&mut self.out);
        self.core.step(ctx.now, input, &mut out);
        if let Err(problem) = self.core.check() {
            ctx.watch.fail(format!("{}: {problem}", ctx.me));
        }
        for output in out.drain(..) {
            self.perform(output, ctx);
        }
        self.out = out;
    }

    fn perform(&mut self, output: Output, ctx: &mut Ctx<'_>) {
        match output {
            Output::Connect { link, host, port } => {
                let conn = ctx.dial(&host, port);
                self.conns.insert(conn, End::Link(link));
                self.links.insert(link, Link { conn, host, decoder: Decoder::new() });
            }
            Output::Disconnect { link } => {
                if let Some(l) = self.links.remove(&link) {
                    self.conns.remove(&l.conn);
                    ctx.close(l.conn, Side::Opener);
                }
            }
            Output::Send { link, bytes } => {
                if let Some(l) = self.links.get(&link) {
                    ctx.send(l.conn, Side::Opener, bytes);
                }
            }
            Output::Reply { session, bytes } => {
                if let Some(epoch) = told_vote(&bytes) {
                    ctx.watch.tells_vote(ctx.me, epoch);
                }
                if let Some(s) = self.sessions.get(&session) {
                    ctx.send(s.conn, Side::Accepter, bytes);
                }
            }
            Output::Hangup { session } => {
                if let Some(s) = self.sessions.remove(&session) {
                    self.conns.remove(&s.conn);
                    ctx.close(s.conn, Side::Accepter);
                }
            }
            Output::Persist { id, text } => {
                ctx.actions.push(Action::Replace { token: id.0, file: FILE, content: text.into_bytes() });
            }
            Output::Log { level, line } => {
                if level >= Level::Notice {
                    ctx.note(format_args!("log: {}", Text(line.as_bytes())));
                }
            }
            Output::Exit { .. } => ctx.actions.push(Action::Exit),
            // No names to look up, no scripts, nothing used in this world.
            Output::Resolve { .. } | Output::RunScript { .. } | Output::KillScript { .. } => {}
        }
    }

    fn accepted(&mut self, conn: ConnId, remote: String, ctx: &mut Ctx<'_>) {
        let session = SessionId(self.next_session);
        self.next_session += 1;
        self.conns.insert(conn, End::Session(session));
        self.sessions.insert(session, Session { conn, buf: Vec::new(), batch: Batch::new() });
        let local = format!("{}:{SENTINEL_PORT}", ctx.me.address());
        self.step(Input::SessionOpened { session, remote: format!("{remote}:1"), local }, ctx);
    }

    fn connected(&mut self, conn: ConnId, ctx: &mut Ctx<'_>) {
        let Some(&End::Link(link)) = self.conns.get(&conn) else { return };
        let Some(l) = self.links.get(&link) else { return };
        let (remote, local) = (ip(&l.host), ip(&ctx.me.address()));
        self.step(Input::LinkUp { link, remote, local }, ctx);
    }

    fn data(&mut self, conn: ConnId, bytes: &[u8], ctx: &mut Ctx<'_>) {
        match self.conns.get(&conn) {
            Some(&End::Link(link)) => self.link_data(link, bytes, ctx),
            Some(&End::Session(session)) => self.session_data(session, bytes, ctx),
            None => {}
        }
    }

    fn link_data(&mut self, link: LinkId, bytes: &[u8], ctx: &mut Ctx<'_>) {
        let Some(l) = self.links.get_mut(&link) else { return };
        l.decoder.feed(bytes);
        while let Some(l) = self.links.get_mut(&link) {
            match l.decoder.next() {
                Ok(Some(value)) => {
                    if let Some((epoch, leader)) = vote(&value) {
                        ctx.watch.voted(HostId::at(&l.host), epoch, leader);
                    }
                    self.step(Input::LinkReply { link, value }, ctx);
                }
                Ok(None) => return,
                Err(_) => {
                    ctx.close(l.conn, Side::Opener);
                    self.conns.remove(&l.conn);
                    self.links.remove(&link);
                    return self.step(Input::LinkDown { link, why: LinkLoss::Garbled }, ctx);
                }
            }
        }
    }

    fn session_data(&mut self, session: SessionId, bytes: &[u8], ctx: &mut Ctx<'_>) {
        let Some(s) = self.sessions.get_mut(&session) else { return };
        s.buf.extend_from_slice(bytes);
        while let Some(s) = self.sessions.get_mut(&session) {
            let Ok(progress) = s.batch.parse(&s.buf, &Limits::default(), 64) else {
                ctx.close(s.conn, Side::Accepter);
                self.conns.remove(&s.conn);
                self.sessions.remove(&session);
                return self.step(Input::SessionClosed { session }, ctx);
            };
            let owned = |i| s.batch.args(i, &s.buf).iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
            let commands: Vec<Vec<Vec<u8>>> = (0..progress.commands).map(owned).collect();
            s.buf.drain(..progress.consumed);
            if commands.is_empty() {
                return;
            }
            for args in commands {
                self.step(Input::Command { session, args }, ctx);
            }
        }
    }

    fn lost(&mut self, conn: ConnId, why: Loss, ctx: &mut Ctx<'_>) {
        match self.conns.remove(&conn) {
            Some(End::Link(link)) => {
                self.links.remove(&link);
                let why = match why {
                    Loss::Refused => LinkLoss::Refused,
                    Loss::Reset => LinkLoss::Reset,
                    Loss::Closed => LinkLoss::Closed,
                };
                self.step(Input::LinkDown { link, why }, ctx);
            }
            Some(End::Session(session)) => {
                self.sessions.remove(&session);
                self.step(Input::SessionClosed { session }, ctx);
            }
            None => {}
        }
    }
}

/// The epoch of the vote that this reply tells of.
fn told_vote(bytes: &[u8]) -> Option<u64> {
    if !bytes.starts_with(b"*3\r\n:") {
        return None;
    }
    let mut decoder = Decoder::new();
    decoder.feed(bytes);
    decoder.next().ok()?.as_ref().and_then(vote).map(|(epoch, _)| epoch)
}

/// The epoch of the last vote that a sentinel's file knows of.
pub(crate) fn kept_vote(file: &[u8]) -> Option<u64> {
    const STATEMENT: &str = "sentinel leader-epoch ";
    let text = std::str::from_utf8(file).ok()?;
    text.lines().filter_map(|line| line.strip_prefix(STATEMENT)?.split(' ').nth(1)?.parse().ok()).max()
}

/// The epoch and the leader in the answer to a request for a vote.
fn vote(value: &Value) -> Option<(u64, &str)> {
    let Value::Array(parts) = value else { return None };
    let [Value::Int(_), leader, Value::Int(epoch)] = parts.as_slice() else { return None };
    let leader = leader.as_str().filter(|l| l.len() == 40)?;
    Some((u64::try_from(*epoch).ok()?, leader))
}

fn ip(host: &str) -> IpAddr {
    host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}
