//! One run: the cluster comes up, things go wrong, everything is healed, the cluster must recover, the clients' books
//! are compared with what the nodes hold.

use crate::client::{GROUP, is_pair, number_of, twin};
use crate::clock::ms;
use crate::host::Process;
use crate::net::HostId;
use crate::oracle::Tally;
use crate::plan::Plan;
use crate::trace::Tracing;
use crate::world::{Failure, NODE_PORT, World};
use std::collections::BTreeMap;
use std::time::Duration;
use tanist_node::Standing;
use tanist_replication::Address;
use tanist_types::{LogPos, Mono, ReplId};

/// Asks for a number made of all data.
const DIGEST: &[&[u8]] = &[b"DEBUG", b"DIGEST"];

/// How a run went.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was planned.
    pub plan: Plan,
    /// Why it failed, if it did, and when.
    pub failure: Option<(Mono, Failure)>,
    /// Events that happened.
    pub events: u64,
    /// The number of lines of the trace and a number made of them; zero if the trace was off.
    pub trace: (u64, u64),
    /// The last lines of the trace.
    pub last: Vec<String>,
    /// What the clients did.
    pub tally: Tally,
}

/// Runs one seed.
#[must_use]
pub fn run(seed: u64, tracing: Tracing) -> Report {
    run_plan(Plan::of(seed), tracing)
}

/// Runs one plan.
#[must_use]
pub fn run_plan(plan: Plan, tracing: Tracing) -> Report {
    let mut world = World::new(plan.clone(), tracing);
    let result = world.live();
    Report {
        plan,
        failure: result.err().map(|f| (world.now, f)),
        events: world.events,
        trace: world.trace.digest(),
        last: world.trace.last().map(str::to_owned).collect(),
        tally: world.oracle.tally,
    }
}

impl World {
    fn live(&mut self) -> Result<(), Failure> {
        self.boot()?;
        self.troubled = true;
        self.begin_trouble();
        let until = self.now + self.plan.trouble;
        while self.now < until {
            self.run_for(ms(250))?;
            self.compare()?;
        }
        self.heal();
        self.recover()?;
        let done = self.oracle.tally.done;
        self.await_that("clients can write again", ms(10_000), move |w| w.oracle.tally.done >= done + 3)?;
        self.stop_clients();
        self.await_that("nodes agree", ms(15_000), |w| {
            w.clients_are_idle() && w.is_settled() && w.is_even()
        })?;
        self.judge()
    }

    /// The cluster comes up in the order in which people start one: nodes, sentinels, clients.
    fn boot(&mut self) -> Result<(), Failure> {
        for id in self.nodes() {
            self.start(id);
        }
        self.run_for(ms(50))?;
        let rest: Vec<HostId> = self.hosts.ids().filter(|h| h.0 >= 10).collect();
        for id in rest {
            self.start(id);
        }
        self.await_that("the new cluster is ready", ms(20_000), |w| w.is_settled())
    }

    /// The healed cluster must recover by itself, or be right to wait for its operator's word.
    fn recover(&mut self) -> Result<(), Failure> {
        let bound = self.patience();
        let result = self.await_that("the cluster has recovered", bound, |w| w.is_settled());
        if result.is_ok() || !self.is_beyond_repair() {
            return result;
        }
        self.oracle.disrupt(self.now);
        self.oracle.give_up_confirmed();
        self.watch.waive();
        let mut next = self.now;
        self.await_that("the cluster has recovered with the operator's help", bound, move |w| {
            if w.is_settled() {
                return true;
            }
            if w.now >= next {
                next = w.now + ms(5_000);
                w.accept_loss();
            }
            false
        })
    }

    /// The operator gives up what is lost. The order may meet an attempt that is under way, so it is repeated.
    fn accept_loss(&mut self) {
        self.trace.line(self.now, format_args!("OPERATOR accepts the loss"));
        self.order(HostId::sentinel(0), &[b"SENTINEL", b"FAILOVER", GROUP.as_bytes(), b"ACCEPT-LOSS"]);
    }

    /// Too many nodes have lost what they had: nobody may be chosen without an explicit word. A node that leads because
    /// its configuration says so is no way out, for it has lost everything, its group included: if no sentinel names
    /// it, or if the others are bound to later epochs and cannot follow it.
    fn is_beyond_repair(&self) -> bool {
        let voting = self.nodes().filter_map(|id| self.standing(id)).filter(|s| s.voting).count();
        let needed = if self.plan.settings.majority { self.plan.nodes / 2 + 1 } else { 1 };
        let bound = self.nodes().filter_map(|id| self.standing(id)).map(|s| s.promised.epoch).max();
        let leads =
            |id: HostId| self.standing(id).is_some_and(|s| s.role == "primary" && Some(s.accepted) >= bound);
        let primary = (0..self.plan.sentinels).filter_map(|i| self.view(HostId::sentinel(i))).any(leads);
        voting < needed && !primary
    }

    /// How long a healed cluster may take.
    fn patience(&self) -> Duration {
        let s = &self.plan.settings;
        ms(20_000 + 2 * s.down_after + 2 * s.failover_timeout)
    }

    /// Lets time pass until something holds.
    fn await_that(
        &mut self,
        what: &str,
        bound: Duration,
        mut holds: impl FnMut(&mut World) -> bool,
    ) -> Result<(), Failure> {
        let until = self.now + bound;
        while !holds(self) {
            if self.now >= until {
                let views = self.views();
                return Err(Failure { what: format!("W10: not within {bound:?}: {what}\n{views}") });
            }
            self.run_for(ms(100))?;
            self.compare()?;
        }
        Ok(())
    }

    /// W6: the same place in the same history is the same data.
    fn compare(&mut self) -> Result<(), Failure> {
        if self.now < self.compare_at {
            return Ok(());
        }
        self.compare_at = self.now + ms(1_000);
        let mut places: BTreeMap<(ReplId, LogPos), Vec<HostId>> = BTreeMap::new();
        for id in self.nodes() {
            if let Some(s) = self.standing(id).filter(|s| s.role != "loading") {
                places.entry((s.history, s.key.pos)).or_default().push(id);
            }
        }
        for ((history, end), ids) in places.iter().filter(|(_, ids)| ids.len() > 1) {
            let digests: Vec<_> = ids.iter().map(|id| self.observe(*id, DIGEST)).collect();
            if let Some(at) = digests.iter().position(|d| *d != digests[0]) {
                let (a, b) = (ids[0], ids[at]);
                let what = format!("W6: {a} and {b} are both at {end} of {history} and hold different data");
                return Err(Failure { what });
            }
        }
        Ok(())
    }

    /// W9 and W7, in the midst of trouble: the primary of the latest epoch holds what was confirmed by then, and no half
    /// transaction.
    pub(crate) fn look_for_confirmed(&mut self) {
        let Some(primary) = self.latest_primary() else { return };
        let keys: Vec<String> = self.oracle.confirmed().map(str::to_owned).collect();
        for key in keys {
            let value = self.observe(primary, &[b"GET", key.as_bytes()]);
            if let Some(number) = value.as_ref().and_then(number_of) {
                self.oracle.hold(&key, number, &primary.to_string());
            }
        }
        let pairs: Vec<String> = self.oracle.keys().filter(|key| is_pair(key)).map(str::to_owned).collect();
        for key in pairs {
            let mut number = |key: &str| number_of(&self.observe(primary, &[b"GET", key.as_bytes()])?);
            if let (Some(a), Some(b)) = (number(&key), number(&twin(&key))) {
                self.oracle.read_pair(&key, a, b, &primary.to_string());
            }
        }
    }

    /// The primary of the latest epoch, if it still is one.
    pub(crate) fn latest_primary(&self) -> Option<HostId> {
        let latest = self.watch.latest();
        let leads =
            |id: &HostId| self.standing(*id).is_some_and(|s| s.role == "primary" && Some(s.run) == latest);
        self.nodes().find(leads)
    }

    fn stop_clients(&mut self) {
        for host in self.hosts.all_mut() {
            if let Some(Process::Client(c)) = &mut host.process {
                c.stopped = true;
            }
        }
    }

    fn clients_are_idle(&self) -> bool {
        self.hosts.all().all(|h| !matches!(&h.process, Some(Process::Client(c)) if c.is_busy()))
    }

    /// What a node is at present.
    pub(crate) fn standing(&self, id: HostId) -> Option<Standing<'_>> {
        match &self.hosts.get(id)?.process {
            Some(Process::Node(n)) => Some(n.standing()),
            _ => None,
        }
    }

    /// Who is primary in the view of one sentinel.
    fn view(&self, id: HostId) -> Option<HostId> {
        match &self.hosts.get(id)?.process {
            Some(Process::Sentinel(s)) => s.core.primary_of(GROUP).map(|(host, _)| HostId::at(&host)),
            _ => None,
        }
    }

    /// The node that the first sentinel takes for the primary.
    pub(crate) fn primary(&self) -> Option<HostId> {
        (0..self.plan.sentinels).find_map(|i| self.view(HostId::sentinel(i)))
    }

    /// One primary, known to all sentinels, followed by all other nodes.
    fn is_settled(&self) -> bool {
        let Some(primary) = self.primary() else { return false };
        if (0..self.plan.sentinels).any(|i| self.view(HostId::sentinel(i)) != Some(primary)) {
            return false;
        }
        let address = Address { host: primary.address(), port: NODE_PORT };
        self.nodes().all(|id| match self.standing(id) {
            Some(s) if id == primary => s.role == "primary",
            Some(s) => s.role == "replica" && s.link == "up" && s.primary == Some(&address),
            None => false,
        })
    }

    /// All nodes have the same log end.
    fn is_even(&self) -> bool {
        let ends: Vec<_> =
            self.nodes().filter_map(|id| self.standing(id)).map(|s| (s.history, s.key.pos)).collect();
        ends.windows(2).all(|w| w[0] == w[1])
    }

    /// How everybody sees the cluster, for the report of a failure.
    fn views(&self) -> String {
        let mut text = String::new();
        for i in 0..self.plan.sentinels {
            let id = HostId::sentinel(i);
            let view = self.view(id).map_or("nobody".into(), |p| p.to_string());
            text.push_str(&format!("  {id} says that {view} is primary\n"));
        }
        for id in self.nodes() {
            let power = self.hosts.get(id).map(|h| h.power);
            text.push_str(&format!("  {id} {power:?} {:?}\n", self.standing(id)));
        }
        text
    }

    /// Compares what the nodes hold with each other and with the clients' books.
    fn judge(&mut self) -> Result<(), Failure> {
        let Some(primary) = self.primary() else { return Ok(()) };
        let mut digests = Vec::new();
        for id in self.nodes() {
            digests.push((id, self.observe(id, DIGEST)));
        }
        if let Some((other, digest)) = digests.iter().find(|(_, d)| d != &digests[0].1) {
            let (first, expected) = &digests[0];
            return Err(Failure {
                what: format!("W10: {first} holds {expected:?}, {other} holds {digest:?}"),
            });
        }
        let keys: Vec<String> = self.oracle.keys().map(str::to_owned).collect();
        for key in keys {
            let value = self.observe(primary, &[b"GET", key.as_bytes()]);
            match value.as_ref().and_then(number_of) {
                Some(number) => self.oracle.settle(&key, number, &primary.to_string()),
                None => self.oracle.fail(format!("W7: {key} on {primary} is {value:?}")),
            }
        }
        match self.oracle.broken.take() {
            Some(what) => Err(Failure { what }),
            None => Ok(()),
        }
    }

    pub(crate) fn observe(&mut self, id: HostId, words: &[&[u8]]) -> Option<tanist_resp::Value> {
        let now = self.now;
        let host = self.hosts.get_mut(id)?;
        let clock = host.clock.read(now);
        match &mut host.process {
            Some(Process::Node(n)) => n.observe(clock, words),
            _ => None,
        }
    }
}
