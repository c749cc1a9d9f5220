//! The network: TCP connections between hosts.
//!
//! Within a connection bytes keep their order; everything else is up to the seed: delays, how a send is cut into
//! segments, which of two connections is faster. A lost segment is a segment that comes later, as TCP repeats it. A
//! direction that is cut holds back what is sent until it is healed; what a dead host would have said is never said.

use crate::plan::NetPlan;
use crate::queue::Queue;
use crate::world::Event;
use std::collections::VecDeque;
use std::fmt;
use tanist_types::{Mono, Rng};

/// A host of the world: data nodes, sentinels and clients have ten numbers each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HostId(pub(crate) usize);

impl HostId {
    /// An address at which there is nothing.
    pub(crate) const NOWHERE: HostId = HostId(30);
    /// The room for all numbers.
    const ROOM: usize = 31;

    pub(crate) const fn node(i: usize) -> HostId {
        HostId(i)
    }

    pub(crate) const fn sentinel(i: usize) -> HostId {
        HostId(10 + i)
    }

    pub(crate) const fn client(i: usize) -> HostId {
        HostId(20 + i)
    }

    pub(crate) const fn is_node(self) -> bool {
        self.0 / 10 == 0
    }

    pub(crate) const fn is_client(self) -> bool {
        self.0 / 10 == 2
    }

    /// The address of the host.
    pub(crate) fn address(self) -> String {
        format!("10.0.{}.{}", self.0 / 10, self.0 % 10 + 1)
    }

    /// The host with this address.
    pub(crate) fn at(address: &str) -> HostId {
        let place = address.strip_prefix("10.0.").and_then(|rest| rest.split_once('.'));
        let id = place.and_then(|(kind, index)| {
            let (kind, index) = (kind.parse::<usize>().ok()?, index.parse::<usize>().ok()?);
            (kind < 3 && (1..=10).contains(&index)).then(|| HostId(kind * 10 + index - 1))
        });
        id.unwrap_or(HostId::NOWHERE)
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = ["n", "s", "c", "x"][self.0 / 10];
        write!(f, "{kind}{}", self.0 % 10)
    }
}

impl fmt::Debug for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A connection attempt and what becomes of it; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ConnId(pub(crate) u64);

/// An end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// The one that connected.
    Opener,
    /// The one that was connected to.
    Accepter,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Opener => Side::Accepter,
            Side::Accepter => Side::Opener,
        }
    }
}

/// What travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Segment {
    Syn,
    SynAck,
    Data(Vec<u8>),
    Fin,
    Rst,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Pipe {
    segments: VecDeque<Segment>,
    /// When the last segment sent arrives at the earliest.
    last: Mono,
    /// Waits for a cut to be healed or a host to come back.
    stalled: bool,
}

#[derive(Debug)]
struct Conn {
    hosts: [HostId; 2],
    port: u16,
    /// The application, or the kernel on its behalf, still holds its end.
    open: [bool; 2],
    /// The opener knows that it is connected.
    established: bool,
    /// The pipe that leads to each side.
    pipes: [Pipe; 2],
}

/// A segment at its destination.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) from: HostId,
    pub(crate) to: HostId,
    pub(crate) side: Side,
    pub(crate) port: u16,
    pub(crate) segment: Segment,
    /// The end that it arrived at is still open.
    pub(crate) open: bool,
    /// The opener knew that it was connected.
    pub(crate) established: bool,
}

/// All connections that there are, at the places of their numbers: most events ask for one.
#[derive(Debug, Default)]
struct Conns(Vec<Option<Box<Conn>>>);

impl Conns {
    fn add(&mut self, conn: Conn) -> ConnId {
        self.0.push(Some(Box::new(conn)));
        ConnId(self.0.len() as u64)
    }

    fn get(&self, id: ConnId) -> Option<&Conn> {
        self.0.get(id.0 as usize - 1)?.as_deref()
    }

    fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.0.get_mut(id.0 as usize - 1)?.as_deref_mut()
    }

    fn remove(&mut self, id: ConnId) {
        if let Some(place) = self.0.get_mut(id.0 as usize - 1) {
            *place = None;
        }
    }

    /// In the order of their numbers.
    fn iter(&self) -> impl Iterator<Item = (ConnId, &Conn)> {
        (1..).map(ConnId).zip(&self.0).filter_map(|(id, conn)| Some((id, conn.as_deref()?)))
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = (ConnId, &mut Conn)> {
        (1..).map(ConnId).zip(&mut self.0).filter_map(|(id, conn)| Some((id, conn.as_deref_mut()?)))
    }
}

/// All connections, and which ways are cut.
#[derive(Debug)]
pub(crate) struct Net {
    conns: Conns,
    plan: NetPlan,
    /// `cut[from][to]` counts the reasons why nothing gets from one host to the other.
    cut: Vec<Vec<u32>>,
    /// Hosts without power.
    off: Vec<bool>,
    /// All delays are multiplied by this.
    pub(crate) slowness: u32,
    rng: Rng,
}

impl Net {
    pub(crate) fn new(plan: NetPlan, rng: Rng) -> Net {
        let mut off = vec![false; HostId::ROOM];
        off[HostId::NOWHERE.0] = true;
        Net {
            conns: Conns::default(),
            plan,
            cut: vec![vec![0; HostId::ROOM]; HostId::ROOM],
            off,
            slowness: 1,
            rng,
        }
    }

    /// Begins to connect.
    pub(crate) fn connect(
        &mut self,
        now: Mono,
        from: HostId,
        to: HostId,
        port: u16,
        q: &mut Queue<Event>,
    ) -> ConnId {
        let id = self.conns.add(Conn {
            hosts: [from, to],
            port,
            open: [true, true],
            established: false,
            pipes: Default::default(),
        });
        self.push(now, id, Side::Accepter, Segment::Syn, q);
        id
    }

    /// Sends bytes from one side.
    pub(crate) fn send(
        &mut self,
        now: Mono,
        id: ConnId,
        side: Side,
        mut bytes: Vec<u8>,
        q: &mut Queue<Event>,
    ) {
        let Some(conn) = self.conns.get(id) else { return };
        if !conn.open[side as usize] {
            return;
        }
        while bytes.len() > 1 && self.rng.chance(self.plan.split_ppm, 1_000_000) {
            let at = 1 + self.rng.below(bytes.len() as u64 - 1) as usize;
            let rest = bytes.split_off(at);
            self.push(now, id, side.other(), Segment::Data(bytes), q);
            bytes = rest;
        }
        if !bytes.is_empty() {
            self.push(now, id, side.other(), Segment::Data(bytes), q);
        }
    }

    /// How many bytes are on their way to one side.
    pub(crate) fn under_way(&self, id: ConnId, side: Side) -> usize {
        let bytes = |s: &Segment| if let Segment::Data(bytes) = s { bytes.len() } else { 0 };
        self.conns.get(id).map_or(0, |c| c.pipes[side as usize].segments.iter().map(bytes).sum())
    }

    /// Answers a connection attempt.
    pub(crate) fn accept(&mut self, now: Mono, id: ConnId, q: &mut Queue<Event>) {
        self.push(now, id, Side::Opener, Segment::SynAck, q);
    }

    /// Closes one side: in order, or with a reset.
    pub(crate) fn close(&mut self, now: Mono, id: ConnId, side: Side, reset: bool, q: &mut Queue<Event>) {
        let Some(conn) = self.conns.get_mut(id) else { return };
        if std::mem::replace(&mut conn.open[side as usize], false) {
            let segment = if reset { Segment::Rst } else { Segment::Fin };
            self.push(now, id, side.other(), segment, q);
        }
        self.sweep(id);
    }

    /// Takes a segment out of its pipe, if it gets through now.
    pub(crate) fn arrive(
        &mut self,
        now: Mono,
        id: ConnId,
        side: Side,
        q: &mut Queue<Event>,
    ) -> Option<Arrived> {
        let conn = self.conns.get_mut(id)?;
        let (from, to) = (conn.hosts[side.other() as usize], conn.hosts[side as usize]);
        let blocked = self.cut[from.0][to.0] > 0 || self.off[to.0];
        let pipe = &mut conn.pipes[side as usize];
        if blocked {
            // A reset is said once and not repeated.
            pipe.segments.retain(|s| *s != Segment::Rst);
            pipe.stalled = !pipe.segments.is_empty();
            self.sweep(id);
            return None;
        }
        if pipe.stalled {
            return None;
        }
        let segment = pipe.segments.pop_front()?;
        let open = conn.open[side as usize];
        let (port, established) = (conn.port, conn.established);
        match segment {
            Segment::SynAck if open => conn.established = true,
            Segment::Rst => {
                conn.open[side as usize] = false;
                conn.open[side.other() as usize] = false;
            }
            Segment::Data(_) | Segment::SynAck if !open => {
                // The other side learns that nobody listens any more.
                self.push(now, id, side.other(), Segment::Rst, q);
            }
            _ => {}
        }
        self.sweep(id);
        Some(Arrived { from, to, side, port, segment, open, established })
    }

    /// Cuts (or heals once) the way from one host to another.
    pub(crate) fn set_cut(&mut self, now: Mono, from: HostId, to: HostId, cut: bool, q: &mut Queue<Event>) {
        let count = &mut self.cut[from.0][to.0];
        *count = if cut { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            self.unstall(now, q);
        }
    }

    /// Heals everything.
    pub(crate) fn heal(&mut self, now: Mono, q: &mut Queue<Event>) {
        self.cut.iter_mut().flatten().for_each(|c| *c = 0);
        self.slowness = 1;
        self.unstall(now, q);
    }

    /// A process has ended, and its kernel resets what it held.
    pub(crate) fn reset_all(&mut self, now: Mono, host: HostId, q: &mut Queue<Event>) {
        for (id, side) in self.ends_of(host) {
            self.close(now, id, side, true, q);
        }
    }

    /// A host loses its power: nobody is told. What it has sent and is under way may be lost.
    pub(crate) fn power_off(&mut self, host: HostId) {
        self.off[host.0] = true;
        for (id, side) in self.ends_of(host) {
            let lost = self.rng.chance(1, 2);
            let Some(conn) = self.conns.get_mut(id) else { continue };
            conn.open[side as usize] = false;
            let pipe = &mut conn.pipes[side.other() as usize];
            if lost || pipe.stalled {
                pipe.segments.clear();
            }
            self.sweep(id);
        }
    }

    /// A host has power again: what others have tried to tell it comes through, and is told that nobody is there.
    pub(crate) fn power_on(&mut self, now: Mono, host: HostId, q: &mut Queue<Event>) {
        self.off[host.0] = false;
        self.unstall(now, q);
    }

    /// A connection between two hosts that is open at both ends, drawn at random.
    pub(crate) fn any_open(&mut self) -> Option<ConnId> {
        let open: Vec<ConnId> =
            self.conns.iter().filter(|(_, c)| c.open == [true, true]).map(|(id, _)| id).collect();
        let at = self.rng.below(open.len() as u64) as usize;
        open.get(at).copied()
    }

    /// Tells both ends of a connection that it is over.
    pub(crate) fn reset(&mut self, now: Mono, id: ConnId, q: &mut Queue<Event>) {
        for side in [Side::Opener, Side::Accepter] {
            self.push(now, id, side, Segment::Rst, q);
        }
    }

    fn ends_of(&self, host: HostId) -> Vec<(ConnId, Side)> {
        let mut ends = Vec::new();
        for (id, conn) in self.conns.iter() {
            for side in [Side::Opener, Side::Accepter] {
                if conn.hosts[side as usize] == host && conn.open[side as usize] {
                    ends.push((id, side));
                }
            }
        }
        ends
    }

    fn push(&mut self, now: Mono, id: ConnId, to: Side, segment: Segment, q: &mut Queue<Event>) {
        let mut delay = self.delay();
        let Some(conn) = self.conns.get_mut(id) else { return };
        if !self.plan.apart.is_zero() && conn.hosts.iter().all(|h| h.is_node()) {
            delay += self.rng.between(std::time::Duration::ZERO, self.plan.apart);
        }
        let pipe = &mut conn.pipes[to as usize];
        pipe.last = pipe.last.max(now + delay);
        pipe.segments.push_back(segment);
        if !pipe.stalled {
            q.at(pipe.last, Event::Arrive(id, to));
        }
    }

    fn delay(&mut self) -> std::time::Duration {
        let mut delay = self.plan.latency + self.rng.between(std::time::Duration::ZERO, self.plan.jitter);
        if self.rng.chance(self.plan.loss_ppm, 1_000_000) {
            delay += self.plan.resend;
        }
        delay * self.slowness
    }

    /// Lets what was held back go on where the way is free.
    fn unstall(&mut self, now: Mono, q: &mut Queue<Event>) {
        for (id, conn) in self.conns.iter_mut() {
            for to in [Side::Opener, Side::Accepter] {
                let way = (conn.hosts[to.other() as usize], conn.hosts[to as usize]);
                if self.cut[way.0.0][way.1.0] > 0 || self.off[way.1.0] {
                    continue;
                }
                let pipe = &mut conn.pipes[to as usize];
                if std::mem::take(&mut pipe.stalled) {
                    pipe.last = now + self.rng.between(std::time::Duration::ZERO, self.plan.resend);
                    for _ in 0..pipe.segments.len() {
                        q.at(pipe.last, Event::Arrive(id, to));
                    }
                }
            }
        }
    }

    /// Forgets a connection that nobody holds and that carries nothing any more.
    fn sweep(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get(id)
            && conn.open == [false, false]
            && conn.pipes.iter().all(|p| p.segments.is_empty())
        {
            self.conns.remove(id);
        }
    }
}
