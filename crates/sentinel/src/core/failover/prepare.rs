//! Before a Tanist primary holds its writes, everything that will have to be durable is made so: the nodes write down the
//! promise that the fence will ask for, and the target that it has accepted the epoch. From then on no disk is waited
//! for until clients write to the new primary. A disk that takes long, or fails, is noticed while writes go on.

use super::super::Sentinel;
use super::super::events::Who;
use super::super::foreign::is_foreign_member;
use super::super::group::{Group, NodeIx};
use super::super::io::Level;
use super::super::link::Awaiting;
use super::super::settings::PickPolicy;
use super::super::timing;
use super::fence::fenced_by;
use super::{Failover, Phase};
use std::collections::BTreeSet;
use tanist_resp::Value;
use tanist_types::Epoch;

impl Sentinel {
    /// Tells the nodes what is about to come.
    pub(super) fn begin_preparation(&mut self, g: &mut Group, target: Option<NodeIx>) {
        let now = self.now.mono;
        let Some(target) = self.name_target(g, target) else { return };
        let ours = g.nodes.values().filter(|n| n.cmd.is_up() && !is_foreign_member(g, n, self.me));
        let open: BTreeSet<NodeIx> = ours.map(|n| n.ix).collect();
        if !open.contains(&g.primary) || !open.contains(&target) {
            return self.fail(g, "-failover-abort-slave-timeout", false);
        }
        if let Some(f) = &mut g.failover {
            f.prepared = true;
            f.enter(Phase::Preparing { open, ready: 0 }, now, timing::PREPARE, Some(timing::POLL));
        }
        self.ask_to_prepare(g);
    }

    /// Tells those that have not said that they are ready, or asks them again.
    pub(super) fn ask_to_prepare(&mut self, g: &mut Group) {
        let Some(f) = &g.failover else { return };
        let (Phase::Preparing { open, .. }, Some(target), epoch) = (&f.phase, f.target, f.epoch) else {
            return;
        };
        let open = open.clone();
        let (me, name, number) = (self.me.to_string(), g.name.clone(), epoch.to_string());
        let ms = timing::PREPARED.as_millis().to_string();
        for n in g.nodes.values_mut().filter(|n| open.contains(&n.ix)) {
            if n.cmd.awaits(Awaiting::Prepare(epoch)) {
                continue;
            }
            let mut args: Vec<&[u8]> =
                vec![b"TANIST", b"PREPARE", name.as_bytes(), number.as_bytes(), me.as_bytes(), ms.as_bytes()];
            if n.ix == target {
                args.push(b"TARGET");
            }
            self.send(&mut n.cmd, &args, Awaiting::Prepare(epoch));
        }
    }

    /// A node has written down what is to come, or will not.
    pub(crate) fn prepare_answered(&mut self, g: &mut Group, ix: NodeIx, epoch: Epoch, value: &Value) {
        let ours = |f: &Failover| f.epoch == epoch && matches!(f.phase, Phase::Preparing { .. });
        if !g.failover.as_ref().is_some_and(ours) {
            return;
        }
        if let Some(promised) = value.as_error().and_then(fenced_by) {
            return self.nack(g, epoch, promised);
        }
        let Some(error) = value.as_error() else {
            if value.is_ok() {
                self.is_prepared(g, ix);
            }
            return;
        };
        let error = String::from_utf8_lossy(error).into_owned();
        let line = format!("{} prepares nothing: {error}", self.describe(g, Who::Node(ix)));
        // Older nodes do not know the word, and a rule of theirs may not name it: they take the fence all the same, and
        // writes wait for their disks.
        if error.starts_with("ERR unknown subcommand") || error.starts_with("NOPERM") {
            self.log(Level::Verbose, line);
            return self.is_prepared(g, ix);
        }
        self.log(Level::Warning, line);
        self.not_prepared(g, ix);
    }

    /// Goes on once those are ready that the fence will wait for.
    fn is_prepared(&mut self, g: &mut Group, ix: NodeIx) {
        let needed = if g.settings.pick == PickPolicy::Majority { g.fence_quorum() } else { 0 };
        let Some(f) = &mut g.failover else { return };
        let (Phase::Preparing { open, ready }, Some(target)) = (&mut f.phase, f.target) else { return };
        *ready += usize::from(open.remove(&ix));
        if *ready >= needed && !open.contains(&g.primary) && !open.contains(&target) {
            self.hold_writes(g, target);
        }
    }

    /// A node cannot be prepared. Without the primary or the target there is no switchover; the others may follow later.
    pub(super) fn not_prepared(&mut self, g: &mut Group, ix: NodeIx) {
        let Some(f) = &mut g.failover else { return };
        let (Phase::Preparing { open, .. }, target) = (&mut f.phase, f.target) else { return };
        if open.remove(&ix) && (ix == g.primary || Some(ix) == target) {
            self.fail(g, "-failover-abort-slave-timeout", false);
        }
    }

    pub(super) fn prepare_timed_out(&mut self, g: &mut Group) {
        self.log(Level::Warning, "The disks take too long: the primary goes on");
        self.fail(g, "-failover-abort-slave-timeout", false);
    }

    /// Nothing of it comes: the nodes forget it, and the primary takes writes again.
    pub(super) fn undo_preparation(&mut self, g: &mut Group) {
        let name = g.name.clone();
        for n in g.nodes.values_mut().filter(|n| n.cmd.is_up()) {
            self.send(&mut n.cmd, &[b"TANIST", b"RESUME", name.as_bytes()], Awaiting::Ignored);
        }
    }
}
