//! From one sentinel's verdict to a quorum's: asking the others about a primary that is down for us, and counting.
//!
//! Whoever asks "is it down?" thinks that it is, so a question counts as an opinion too: the moment two sentinels see
//! a failure, both know of each other, and nothing waits for the next round of questions.

use super::Sentinel;
use super::events::Who;
use super::group::{Group, PeerIx, Vote};
use super::io::{Level, SessionId};
use super::link::Awaiting;
use super::timing;
use std::time::Duration;
use tanist_resp::{Reply, Value};
use tanist_types::{Epoch, Mono, RunId};

impl Sentinel {
    /// How long an opinion counts.
    pub(crate) fn opinion_life(&self) -> Duration {
        self.timing.ask_period * 5
    }

    /// When the others are to be asked about the primary; nothing while it is up.
    pub(crate) fn ask_due(&self, g: &Group) -> Option<Mono> {
        if !g.primary().detector.down() || g.peers.is_empty() {
            return None;
        }
        let every = if g.is_odown() { self.timing.ask_period } else { timing::ASK_AGAIN };
        Some(g.asked + every.min(self.timing.ask_period))
    }

    /// Asks all other sentinels what they think of the primary.
    pub(crate) fn ask_peers(&mut self, g: &mut Group) {
        g.asked = self.now.mono;
        let peers: Vec<PeerIx> = g.peers.keys().copied().collect();
        for ix in peers {
            self.ask_peer(g, ix);
        }
    }

    /// Asks one sentinel what it thinks of the primary; for its vote as well if we run for leader.
    pub(crate) fn ask_peer(&mut self, g: &mut Group, ix: PeerIx) {
        let now = self.now.mono;
        let addr = &g.primary().addr;
        let ip = addr.shown(false);
        let port = addr.port().to_string();
        let (epoch, me) = match g.failover.as_ref().and_then(|f| f.asks_votes()) {
            Some(epoch) => (epoch, self.me.to_string()),
            None => (self.epoch, "*".to_owned()),
        };
        let epoch = epoch.to_string();
        let Some(p) = g.peers.get_mut(&ix) else { return };
        p.asked = Some(now);
        let args: [&[u8]; 6] = [
            b"SENTINEL",
            b"is-master-down-by-addr",
            ip.as_bytes(),
            port.as_bytes(),
            epoch.as_bytes(),
            me.as_bytes(),
        ];
        self.send(&mut p.link, &args, Awaiting::Opinion);
    }

    /// Another sentinel said what it thinks, and whom it voted for.
    pub(crate) fn opinion_arrived(&mut self, g: &mut Group, ix: PeerIx, value: &Value) {
        let Some([down, leader, epoch]) = value.as_items() else { return };
        let (Some(down), Some(epoch)) = (down.as_int(), epoch.as_int()) else { return };
        let Some(p) = g.peers.get_mut(&ix) else { return };
        p.says_down = (down == 1).then_some(self.now.mono);
        if let Some(leader) = leader.as_str().and_then(|l| l.parse::<RunId>().ok())
            && let Ok(epoch) = u64::try_from(epoch)
        {
            p.vote = Some((Epoch(epoch), leader));
            let line = format!("{} voted for {leader} {epoch}", p.run_id);
            self.log(Level::Verbose, line);
        }
        self.judge_group(g);
        self.count_votes(g);
    }

    /// Another sentinel asked about the primary: it thinks that it is down.
    pub(crate) fn peer_asked(&mut self, g: &mut Group, ix: PeerIx) {
        if let Some(p) = g.peers.get_mut(&ix) {
            p.says_down = Some(self.now.mono);
        }
        self.judge_group(g);
    }

    /// Drops opinions that are too old to count.
    pub(crate) fn forget_opinions(&mut self, g: &mut Group) {
        let (now, life) = (self.now.mono, self.opinion_life());
        for p in g.peers.values_mut() {
            if p.says_down.is_some_and(|at| now.since(at) >= life) {
                p.says_down = None;
            }
        }
        self.judge_group(g);
    }

    /// Draws the quorum's verdict.
    pub(crate) fn judge_group(&mut self, g: &mut Group) {
        let sdown = g.primary().detector.down();
        let votes = 1 + g.peers.values().filter(|p| p.says_down.is_some()).count();
        let odown = sdown && votes >= g.settings.quorum as usize;
        if odown && !g.is_odown() {
            g.odown_since = Some(self.now.mono);
            let more = format!("#quorum {votes}/{}", g.settings.quorum);
            self.event(g, Level::Warning, "+odown", Who::Group, &more);
            self.plan_election(g);
        } else if !odown && g.is_odown() {
            g.odown_since = None;
            g.fruitless = 0;
            self.event(g, Level::Warning, "-odown", Who::Group, "");
            if g.failover.is_none() {
                g.election_at = None;
            }
        }
    }

    /// With fewer sentinels than a failover needs there will be none: who reads the log shall not wait for it.
    pub(crate) fn say_if_too_few(&mut self, g: &Group) {
        let (there, needed) = (1 + g.reachable_peers(), g.votes_needed());
        if there < needed {
            let line = format!(
                "No failover of {} is possible now: {there} of {} sentinels can be reached, and {needed} have to agree \
                 (quorum {})",
                g.name,
                g.voters(),
                g.settings.quorum
            );
            self.log(Level::Warning, line);
        }
    }

    /// The answer to a question about a primary, encoded for `session`.
    pub(crate) fn opinion(&self, session: SessionId, down: bool, vote: Vote) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut reply = Reply::new(&mut bytes, self.sessions.proto(session));
        reply.array(3);
        reply.int(i64::from(down));
        match vote.leader {
            Some(leader) => {
                reply.bulk(&leader.hex());
                reply.int(i64::try_from(vote.epoch.0).unwrap_or(i64::MAX));
            }
            None => {
                reply.bulk(b"*");
                reply.int(i64::try_from(vote.epoch.0).unwrap_or(i64::MAX));
            }
        }
        bytes
    }
}
