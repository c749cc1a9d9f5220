//! What goes wrong: drawn from the seed, each with its repair.

use crate::client::GROUP;
use crate::clock::ms;
use crate::disk::{Ending, Trouble};
use crate::host::Power;
use crate::net::HostId;
use crate::plan::FaultKind;
use crate::world::{Event, World};
use std::time::Duration;
use tanist_types::Rng;

/// Something that is wrong now and will be repaired.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Ailment {
    /// A process has ended.
    Ended(HostId),
    /// A process is stopped.
    Paused(HostId),
    /// Ways between hosts are cut.
    Cut(Vec<(HostId, HostId)>),
    /// Ways between a primary and others are cut, and whoever takes over will end.
    Relapse(HostId, Vec<(HostId, HostId)>),
    /// A disk does not work.
    Disk(HostId),
    /// The network is slow.
    Slow,
}

impl World {
    /// Begins to make trouble.
    pub(crate) fn begin_trouble(&mut self) {
        if !self.plan.faults.kinds.is_empty() {
            self.queue.at(self.now + self.plan.faults.every / 2, Event::Fault);
        }
    }

    /// Something goes wrong, if not enough is wrong already; and the next time is drawn.
    pub(crate) fn fault(&mut self) {
        if !self.troubled {
            return;
        }
        let every = self.plan.faults.every;
        let next = self.fate.between(Duration::ZERO, every * 2);
        self.queue.at(self.now + next, Event::Fault);
        if self.ailing >= self.plan.faults.at_once {
            return;
        }
        let kinds = &self.plan.faults.kinds;
        let kind = kinds[self.fate.below(kinds.len() as u64) as usize];
        self.trace.line(self.now, format_args!("FAULT {kind:?}"));
        if !kind.is_harmless() && kind != FaultKind::ClockJump {
            self.oracle.disrupt(self.now);
        }
        if let Some(ailment) = self.inflict(kind) {
            self.ails(ailment);
        }
    }

    /// Something is wrong for a while.
    fn ails(&mut self, ailment: Ailment) {
        let lasts = match &ailment {
            // As long as a failover takes, and more.
            Ailment::Relapse(..) => {
                self.fate.between(Duration::ZERO, self.plan.faults.lasts) + self.failover()
            }
            _ => self.duration(),
        };
        self.ails_for(ailment, lasts);
    }

    /// The time in which a primary that is cut off is found to be down and another one is in its place.
    fn failover(&self) -> Duration {
        ms(self.plan.settings.down_after + 200)
    }

    fn ails_for(&mut self, ailment: Ailment, lasts: Duration) {
        self.trace.line(self.now, format_args!("FAULT {ailment:?} for {} us", lasts.as_micros()));
        self.ailing += 1;
        self.queue.at(self.now + lasts, Event::Repair(Box::new(ailment)));
    }

    /// From a millisecond to the plan's maximum, short ones as likely as long ones.
    fn duration(&mut self) -> Duration {
        let most = self.plan.faults.lasts.as_millis() as u64;
        let scale = 1 << self.fate.below(64 - most.leading_zeros() as u64 + 1);
        ms(1 + self.fate.below(scale.min(most)))
    }

    fn inflict(&mut self, kind: FaultKind) -> Option<Ailment> {
        match kind {
            FaultKind::Kill => self.end_one(Ending::Process),
            FaultKind::Power => self.end_one(Ending::Power),
            FaultKind::Wipe => {
                let id = HostId::node(self.fate.below(self.plan.nodes as u64) as usize);
                self.end_this(id, Ending::Wipe)
            }
            FaultKind::Pause => {
                let id = self.server()?;
                let host = self.hosts.get_mut(id)?;
                (host.power == Power::Up).then(|| {
                    host.power = Power::Paused;
                    Ailment::Paused(id)
                })
            }
            FaultKind::Isolate => {
                let id = self.server()?;
                let all: Vec<HostId> = self.hosts.ids().filter(|h| *h != id).collect();
                self.cut(all.into_iter().flat_map(|h| [(h, id), (id, h)]).collect())
            }
            FaultKind::Split => self.split(),
            FaultKind::Relapse => self.cut_off_primary(),
            FaultKind::Impostor => {
                let node = HostId::node(self.fate.below(self.plan.nodes as u64) as usize);
                self.deceive(node);
                None
            }
            FaultKind::Pair => {
                let (a, b) = (self.server()?, self.server()?);
                self.cut(vec![(a, b), (b, a)])
            }
            FaultKind::Quarrel => {
                let sentinels: Vec<HostId> = (0..self.plan.sentinels).map(HostId::sentinel).collect();
                let ways = sentinels.iter().flat_map(|a| sentinels.iter().map(|b| (*a, *b)));
                self.cut(ways.filter(|(a, b)| a != b).collect())
            }
            FaultKind::OneWay => {
                let id = self.server()?;
                let all: Vec<HostId> = self.hosts.ids().filter(|h| *h != id).collect();
                let deaf = self.fate.chance(1, 2);
                self.cut(all.into_iter().map(|h| if deaf { (h, id) } else { (id, h) }).collect())
            }
            FaultKind::ClockJump => {
                let id = self.server()?;
                let far = *choose(&mut self.fate, &[1_000, 60_000, 3_600_000]);
                let by = self.fate.below(2 * far + 1) as i64 - far as i64;
                self.hosts.get_mut(id)?.clock.jump(by * 1_000);
                None
            }
            FaultKind::DiskErrors | FaultKind::DiskFull => {
                let id = self.server()?;
                let trouble = if kind == FaultKind::DiskFull { Trouble::Full } else { Trouble::Errors };
                self.hosts.get_mut(id)?.disk.trouble = trouble;
                Some(Ailment::Disk(id))
            }
            FaultKind::SlowNet => {
                self.net.slowness = *choose(&mut self.fate, &[5, 30, 200]);
                Some(Ailment::Slow)
            }
            FaultKind::Reset => {
                let conn = self.net.any_open()?;
                self.net.reset(self.now, conn, &mut self.queue);
                None
            }
            FaultKind::Switchover => {
                let sentinel = HostId::sentinel(self.fate.below(self.plan.sentinels as u64) as usize);
                self.order(sentinel, &[b"SENTINEL", b"FAILOVER", GROUP.as_bytes()]);
                None
            }
            FaultKind::Save => {
                let node = HostId::node(self.fate.below(self.plan.nodes as u64) as usize);
                self.order(node, &[b"BGSAVE"]);
                None
            }
            FaultKind::Force => {
                for _ in 0..1 + self.fate.below(2) {
                    let sentinel = HostId::sentinel(self.fate.below(self.plan.sentinels as u64) as usize);
                    self.order(sentinel, &[b"SENTINEL", b"FAILOVER", GROUP.as_bytes(), b"FORCE"]);
                }
                None
            }
        }
    }

    fn end_one(&mut self, how: Ending) -> Option<Ailment> {
        let id = self.server()?;
        self.end_this(id, how)
    }

    fn end_this(&mut self, id: HostId, how: Ending) -> Option<Ailment> {
        self.hosts.get(id)?.is_up().then(|| {
            self.end(id, how);
            Ailment::Ended(id)
        })
    }

    fn split(&mut self) -> Option<Ailment> {
        let hosts: Vec<HostId> = self.hosts.ids().collect();
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for id in hosts {
            if self.fate.chance(1, 2) { left.push(id) } else { right.push(id) }
        }
        let ways = left.iter().flat_map(|a| right.iter().flat_map(|b| [(*a, *b), (*b, *a)]));
        self.cut(ways.collect())
    }

    /// The primary and most of the clients are on one side, everybody else on the other.
    fn cut_off_primary(&mut self) -> Option<Ailment> {
        let primary = self.primary()?;
        let (mut left, mut right) = (vec![primary], Vec::new());
        let others: Vec<HostId> = self.hosts.ids().filter(|h| *h != primary).collect();
        for id in others {
            if id.is_client() && self.fate.chance(3, 4) { left.push(id) } else { right.push(id) }
        }
        let ways = left.iter().flat_map(|a| right.iter().flat_map(|b| [(*a, *b), (*b, *a)]));
        match self.cut(ways.collect())? {
            Ailment::Cut(ways) => Some(Ailment::Relapse(primary, ways)),
            other => Some(other),
        }
    }

    fn cut(&mut self, ways: Vec<(HostId, HostId)>) -> Option<Ailment> {
        for (from, to) in &ways {
            self.net.set_cut(self.now, *from, *to, true, &mut self.queue);
        }
        Some(Ailment::Cut(ways))
    }

    /// A data node or a sentinel, the present primary a little more often than others.
    fn server(&mut self) -> Option<HostId> {
        if self.fate.chance(1, 3)
            && let Some(primary) = self.primary()
        {
            return Some(primary);
        }
        let servers: Vec<HostId> = self.hosts.ids().filter(|h| !h.is_client()).collect();
        Some(*choose(&mut self.fate, &servers))
    }

    /// Makes right what was wrong.
    pub(crate) fn repair(&mut self, ailment: Ailment) {
        self.trace.line(self.now, format_args!("REPAIR {ailment:?}"));
        self.ailing = self.ailing.saturating_sub(1);
        if ailment != Ailment::Slow {
            self.oracle.disrupt(self.now);
        }
        match ailment {
            Ailment::Ended(id) => self.start(id),
            Ailment::Paused(id) => self.resume(id),
            Ailment::Cut(ways) => self.mend(ways),
            Ailment::Relapse(primary, ways) => {
                self.mend(ways);
                let successor = self.latest_primary().filter(|id| self.troubled && *id != primary);
                if let Some(ailment) = successor.and_then(|id| self.end_this(id, Ending::Process)) {
                    let lasts = self.failover() + self.duration();
                    self.ails_for(ailment, lasts);
                }
            }
            Ailment::Disk(id) => {
                if let Some(host) = self.hosts.get_mut(id) {
                    host.disk.trouble = Trouble::None;
                }
            }
            Ailment::Slow => self.net.slowness = 1,
        }
    }

    fn mend(&mut self, ways: Vec<(HostId, HostId)>) {
        for (from, to) in ways {
            self.net.set_cut(self.now, from, to, false, &mut self.queue);
        }
    }

    /// No more trouble, and everything works again. Repairs that are still to come find nothing to do.
    pub(crate) fn heal(&mut self) {
        self.troubled = false;
        self.trace.line(self.now, format_args!("HEAL"));
        self.net.heal(self.now, &mut self.queue);
        let ids: Vec<HostId> = self.hosts.ids().collect();
        for id in ids {
            if let Some(host) = self.hosts.get_mut(id) {
                host.disk.trouble = Trouble::None;
            }
            self.resume(id);
            self.start(id);
        }
        self.save_again();
    }

    /// The operator whose snapshot met a full disk asks for it again: a node takes no writes until one is written, and
    /// makes none by itself before it has had as many writes as `save` says.
    fn save_again(&mut self) {
        if self.plan.faults.kinds.contains(&FaultKind::Save) {
            for id in self.nodes() {
                self.order(id, &[b"BGSAVE"]);
            }
        }
    }
}

fn choose<'a, T>(rng: &mut Rng, among: &'a [T]) -> &'a T {
    &among[rng.below(among.len() as u64) as usize]
}
