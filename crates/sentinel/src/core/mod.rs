//! The sentinel as a pure state machine: everything that is decided, and nothing that is done.
//!
//! One way in and one way out: [`Sentinel::step`] takes one [`Input`] and appends [`Output`]s; [`Sentinel::next_deadline`]
//! says when the next [`Input::Tick`] is due; [`Sentinel::check`] holds the invariants. The core reads no clock, draws
//! from a generator that its owner seeded, and does no I/O: the same inputs and seed give the same outputs.
//!
//! Invariants:
//! - A vote, an election epoch and a configuration are durable before anybody hears of them (`disk`).
//! - At most one vote per group and epoch, at most one target per election epoch (`election`, `failover`).
//! - A group has exactly one primary at any time; a switch is one assignment (`group`).

mod addr;
mod commands;
mod conf;
mod counts;
mod detector;
mod disk;
mod election;
mod events;
mod failover;
mod foreign;
mod gossip;
mod group;
mod hello;
mod info;
mod io;
mod link;
mod links;
mod maintain;
mod observe;
mod odown;
mod scripts;
mod sessions;
mod settings;
mod status;
mod timers;
mod timing;

pub use conf::{BadConfig, Config, config_text};
pub use io::{Input, Level, LinkId, LinkLoss, Output, PersistId, ScriptEnd, ScriptId, SessionId, Usage};
pub use timers::Timer;

pub(crate) use counts::Rate;
use disk::Disk;
use group::{Group, GroupId};
use io::Usage as Used;
use scripts::Scripts;
use sessions::Sessions;
use settings::Globals;
use std::collections::BTreeMap;
use std::net::IpAddr;
use tanist_types::{Epoch, Mono, Now, Rng, RunId};
use timing::Timing;

/// What the shell tells the core about the process; shown to people, never decided upon.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// The process id.
    pub pid: u32,
    /// The port on which sessions are accepted.
    pub port: u16,
    /// The program's path.
    pub executable: String,
    /// The configuration file's path.
    pub config_file: String,
    /// The operating system, as `INFO` names it.
    pub os: String,
    /// Who supervises the process, as `INFO` names it; empty for nobody.
    pub supervised: String,
    /// The directives `hz` and `availability-zone`, which nothing depends on.
    pub hz: u32,
    /// The other one.
    pub availability_zone: String,
    /// Where sessions are accepted, as `INFO` names it.
    pub listeners: Vec<String>,
}

/// Whether the shell is to say what the process has used before it hands this input in.
#[must_use]
pub fn wants_usage(input: &Input) -> bool {
    matches!(input, Input::Command { args, .. } if args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"info")))
}

/// The running number of a link's owner inside its group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LinkRole {
    Command(group::NodeIx),
    Channel(group::NodeIx),
    Peer(group::PeerIx),
}

/// A sentinel.
pub struct Sentinel {
    me: RunId,
    run_id: RunId,
    facts: Facts,
    globals: Globals,
    timing: Timing,
    /// The highest election epoch known.
    epoch: Epoch,
    /// Boxed, so that lending one out ([`Sentinel::with_group`]) moves a pointer.
    groups: BTreeMap<GroupId, Box<Group>>,
    next_group: u32,
    links: BTreeMap<LinkId, (GroupId, LinkRole)>,
    next_link: u64,
    sessions: Sessions,
    disk: Disk,
    file: conf::File,
    scripts: Scripts,
    names: BTreeMap<String, Option<IpAddr>>,
    used: Used,
    /// What is due next, as the last step left it.
    next: Option<(Mono, Timer)>,
    /// When the next step was due at the end of the last one.
    due: Option<Mono>,
    /// Nothing is decided before then: the process was suspended.
    held_until: Option<Mono>,
    tilts: u64,
    crash_after_election: bool,
    crash_after_promotion: bool,
    started: Now,
    now: Now,
    out: Vec<Output>,
    rng: Rng,
}

impl Sentinel {
    /// A sentinel with this configuration, which starts to work with its first step.
    #[must_use]
    pub fn new(config: Config, facts: Facts, now: Now, seed: u64) -> Sentinel {
        let mut rng = Rng::from_seed(seed);
        let run_id = RunId::random(&mut rng);
        let (file, loaded) = config.into_parts();
        let fresh = loaded.globals.id.is_none();
        let me = loaded.globals.id.unwrap_or_else(|| RunId::random(&mut rng));
        let mut sentinel = Sentinel {
            me,
            run_id,
            facts,
            globals: loaded.globals,
            timing: Timing::default(),
            epoch: loaded.epoch,
            groups: BTreeMap::new(),
            next_group: 0,
            links: BTreeMap::new(),
            next_link: 1,
            sessions: Sessions::default(),
            disk: Disk::default(),
            file,
            scripts: Scripts::default(),
            names: BTreeMap::new(),
            used: Used::default(),
            next: None,
            due: None,
            held_until: None,
            tilts: 0,
            crash_after_election: false,
            crash_after_promotion: false,
            started: now,
            now,
            out: Vec::new(),
            rng,
        };
        sentinel.log(Level::Notice, format!("Sentinel ID is {me}"));
        for group in loaded.groups {
            sentinel.adopt_group(group);
        }
        if fresh {
            sentinel.disk.mark();
        }
        sentinel.next = sentinel.earliest();
        sentinel
    }

    /// Takes in one input and appends what is to be done.
    pub fn step(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        self.notice_suspension(now);
        self.now = now;
        self.sessions.counts.stepped(now.mono);
        match input {
            Input::Tick => {}
            Input::LinkUp { link, remote, local } => self.link_up(link, remote, local),
            Input::LinkDown { link, why } => self.link_down(link, why),
            Input::LinkReply { link, value } => self.link_reply(link, value),
            Input::SessionOpened { session, remote, local } => self.session_opened(session, remote, local),
            Input::Received { session, bytes } => self.received(session, bytes),
            Input::Command { session, args } => self.command(session, args),
            Input::SessionClosed { session } => self.session_closed(session),
            Input::Persisted { id, result } => self.persisted(id, result),
            Input::Resolved { host, ip } => self.resolved(host, ip),
            Input::ScriptStarted { script, pid } => self.script_started(script, pid),
            Input::ScriptEnded { script, end } => self.script_ended(script, end),
            Input::Used(used) => self.used = used,
            Input::Terminate => self.terminate(),
        }
        let idle = self.run_due();
        let written = self.flush();
        out.append(&mut self.out);
        self.next = match idle {
            Some(next) if !written => next,
            _ => self.earliest(),
        };
        debug_assert_eq!(self.next, self.earliest(), "a timer was set by something that was not due");
        // What a step makes due in hindsight is due now.
        self.due = self.next.map(|(at, _)| at.max(now.mono));
        #[cfg(debug_assertions)]
        if let Err(broken) = self.check() {
            panic!("{broken}");
        }
    }

    /// When the next [`Input::Tick`] is due, and what for.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Mono, Timer)> {
        self.next
    }

    /// The invariants of a sentinel.
    ///
    /// # Errors
    /// Names the first that is broken: a bug of ours, whatever the outside did.
    pub fn check(&self) -> Result<(), String> {
        for g in self.groups.values() {
            let broken = |what: &str| Err(format!("group {}: {what}", g.name));
            if !g.nodes.contains_key(&g.primary) {
                return broken("its primary is not one of its nodes");
            }
            if g.vote.epoch > self.epoch {
                return broken("a vote in an epoch that the sentinel does not know");
            }
            if g.is_odown() && !g.primary().detector.down() {
                return broken("objectively but not subjectively down");
            }
            if let Some(f) = &g.failover
                && f.epoch > self.epoch
            {
                return broken("a failover in an epoch that the sentinel does not know");
            }
            if g.peers.values().any(|p| p.run_id == self.me) {
                return broken("the sentinel is its own peer");
            }
        }
        for (id, (group, role)) in &self.links {
            let owned =
                self.groups.get(group).and_then(|g| links::link_of(g, *role)).and_then(link::Link::id);
            if owned != Some(*id) {
                return Err(format!("link {id} belongs to nobody"));
            }
        }
        Ok(())
    }

    /// What is to be logged, in Redis' words.
    #[must_use]
    pub fn log_level(&self) -> &str {
        &self.globals.loglevel
    }

    /// This sentinel's identity.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.me
    }

    /// Who is primary of the group of this name, as clients are told: host and port.
    #[must_use]
    pub fn primary_of(&self, group: &str) -> Option<(String, u16)> {
        let g = self.group_named(group)?;
        let addr = &g.primary().addr;
        Some((addr.shown(self.globals.announce_hostnames), addr.port()))
    }

    fn group_named(&self, name: &str) -> Option<&Group> {
        self.groups.values().map(Box::as_ref).find(|g| g.name == name)
    }

    /// Lends a group to `f` together with the sentinel itself; the group is not in the map meanwhile.
    fn with_group<R>(&mut self, id: GroupId, f: impl FnOnce(&mut Sentinel, &mut Group) -> R) -> Option<R> {
        let mut group = self.groups.remove(&id)?;
        let result = f(self, &mut group);
        self.groups.insert(id, group);
        Some(result)
    }

    /// A wake-up behind its time means that this process did not run: that much of the others' silence was its own. Far
    /// behind, and their time starts anew, and nothing is decided until they had the time to speak.
    fn notice_suspension(&mut self, now: Now) {
        let Some(due) = self.due else { return };
        let late = now.mono.since(due);
        if late < timing::LATE.min(self.timing.tilt_trigger) {
            return;
        }
        let long = late >= self.timing.tilt_trigger;
        for g in self.groups.values_mut() {
            let nodes = g.nodes.values_mut().map(|n| &mut n.detector);
            for d in nodes.chain(g.peers.values_mut().map(|p| &mut p.detector)) {
                if long { d.restart(now.mono) } else { d.excuse(late, now.mono) }
            }
            if long {
                g.majority_seen = now.mono;
            }
        }
        if !long {
            return;
        }
        let first = self.held_until.is_none();
        self.held_until = Some(now.mono + self.timing.tilt_period);
        if first {
            self.now = now;
            self.tilts += 1;
            let why = format!("#tilt mode entered: this process did not run for {} ms", late.as_millis());
            self.event_text(None, Level::Warning, "+tilt", &why);
        }
    }

    /// Whether decisions wait because this process was suspended.
    fn is_held(&self) -> bool {
        self.held_until.is_some()
    }
}
