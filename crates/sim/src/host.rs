//! A host and the one process on it: what the process hears, what it asks for, and how it is kept waiting.

use crate::client::Client;
use crate::clock::Clock;
use crate::disk::Disk;
use crate::net::{ConnId, HostId, Net, Side};
use crate::node::NodeProcess;
use crate::queue::Queue;
use crate::sentinel::SentinelProcess;
use crate::world::Event;
use std::collections::VecDeque;
use tanist_types::{Mono, Now, Rng};

/// Why a connection could not be made, or ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Loss {
    Refused,
    Reset,
    Closed,
}

/// What a process hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum In {
    /// It has just started.
    Started,
    /// Its timer has run out.
    Wake,
    /// Somebody has connected.
    Accepted { conn: ConnId, from: HostId },
    /// A connection that it wanted is there.
    Connected { conn: ConnId },
    /// Bytes.
    Data { conn: ConnId, bytes: Vec<u8> },
    /// A connection has ended or was refused.
    Lost { conn: ConnId, why: Loss },
    /// What was sent on a connection has left.
    Drained { conn: ConnId },
    /// A file was replaced, or why not.
    Replaced { token: u64, result: Result<(), String> },
}

/// What a process asks for.
#[derive(Debug)]
pub(crate) enum Action {
    Send {
        conn: ConnId,
        side: Side,
        bytes: Vec<u8>,
    },
    Close {
        conn: ConnId,
        side: Side,
    },
    Replace {
        token: u64,
        file: &'static str,
        content: Vec<u8>,
    },
    /// Hear this after a moment.
    Later {
        input: In,
    },
    Exit,
}

/// What a process sees of the world while it runs, and where it puts what it wants.
pub(crate) struct Ctx<'a> {
    pub(crate) now: Now,
    /// The world's own time: for the oracle and for traces, never for decisions.
    pub(crate) world: Mono,
    pub(crate) me: HostId,
    pub(crate) actions: Vec<Action>,
    pub(crate) net: &'a mut Net,
    pub(crate) queue: &'a mut Queue<Event>,
    pub(crate) trace: &'a mut crate::trace::Trace,
    pub(crate) watch: &'a mut crate::watch::Watch,
    pub(crate) oracle: &'a mut crate::oracle::Oracle,
}

impl Ctx<'_> {
    /// Begins to connect. Nobody answers at an address that no host has.
    pub(crate) fn dial(&mut self, address: &str, port: u16) -> ConnId {
        self.net.connect(self.world, self.me, HostId::at(address), port, self.queue)
    }

    pub(crate) fn send(&mut self, conn: ConnId, side: Side, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.actions.push(Action::Send { conn, side, bytes });
        }
    }

    pub(crate) fn close(&mut self, conn: ConnId, side: Side) {
        self.actions.push(Action::Close { conn, side });
    }

    /// A line of the trace by this process.
    pub(crate) fn note(&mut self, text: std::fmt::Arguments<'_>) {
        if self.trace.on() {
            self.trace.line(self.world, format_args!("{} {text}", self.me));
        }
    }
}

/// The program that runs on a host.
pub(crate) enum Process {
    Node(Box<NodeProcess>),
    Sentinel(Box<SentinelProcess>),
    Client(Box<Client>),
}

impl Process {
    pub(crate) fn handle(&mut self, input: In, ctx: &mut Ctx<'_>) {
        match self {
            Process::Node(p) => p.handle(input, ctx),
            Process::Sentinel(p) => p.handle(input, ctx),
            Process::Client(p) => p.handle(input, ctx),
        }
    }

    /// When it wants to be woken, on its own clock.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        match self {
            Process::Node(p) => p.deadline(),
            Process::Sentinel(p) => p.deadline(),
            Process::Client(p) => p.deadline(),
        }
    }
}

/// What a host is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Power {
    /// The process runs.
    Up,
    /// The process is stopped (SIGSTOP); its kernel goes on.
    Paused,
    /// There is no process; its kernel refuses connections.
    Down,
    /// There is no host.
    Off,
}

/// A host.
pub(crate) struct Host {
    pub(crate) port: u16,
    pub(crate) clock: Clock,
    pub(crate) disk: Disk,
    pub(crate) power: Power,
    /// Counts starts of the process: what was meant for an earlier one is dropped.
    pub(crate) run: u32,
    pub(crate) process: Option<Process>,
    /// What a stopped process will hear.
    pub(crate) inbox: VecDeque<In>,
    /// The world's time of the next wake-up that is scheduled.
    pub(crate) wake_at: Mono,
    /// When the disk is done with what it was asked so far.
    pub(crate) disk_free: Mono,
    pub(crate) rng: Rng,
}

impl Host {
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.power, Power::Up | Power::Paused)
    }
}

/// All hosts, at the places of their numbers: every event asks for one, some several times.
#[derive(Default)]
pub(crate) struct Hosts(Vec<Option<Box<Host>>>);

impl Hosts {
    pub(crate) fn get(&self, id: HostId) -> Option<&Host> {
        self.0.get(id.0)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: HostId) -> Option<&mut Host> {
        self.0.get_mut(id.0)?.as_deref_mut()
    }

    /// In ascending order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = HostId> {
        self.0.iter().enumerate().filter(|(_, host)| host.is_some()).map(|(i, _)| HostId(i))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Host> {
        self.0.iter().flatten().map(Box::as_ref)
    }

    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Host> {
        self.0.iter_mut().flatten().map(Box::as_mut)
    }
}

impl FromIterator<(HostId, Host)> for Hosts {
    fn from_iter<I: IntoIterator<Item = (HostId, Host)>>(hosts: I) -> Hosts {
        let mut all = Vec::new();
        for (id, host) in hosts {
            all.resize_with(all.len().max(id.0 + 1), || None);
            all[id.0] = Some(Box::new(host));
        }
        Hosts(all)
    }
}
