//! SENTINEL: what people, clients and other sentinels ask about groups, and what they order.

use super::{Call, Done, show};
use crate::core::Sentinel;
use crate::core::addr::Addr;
use crate::core::conf;
use crate::core::events::Who;
use crate::core::failover::Kind;
use crate::core::group::{DataNode, Group, GroupId, NodeIx, Peer, PeerIx, Reconf, Vote};
use crate::core::io::Level;
use tanist_resp::Reply;
use tanist_text::glob;
use tanist_types::{Epoch, RunId};

/// The reply for a name that is not watched.
pub(super) const NO_SUCH_GROUP: &str = "ERR No such master with that name";

impl Sentinel {
    /// The group that the third word names; replies with the error if there is none.
    pub(super) fn named(&self, call: &Call<'_>, r: &mut Reply<'_>) -> Option<&Group> {
        let g = self.group_named(&call.text(2));
        if g.is_none() {
            r.error(NO_SUCH_GROUP);
        }
        g
    }

    pub(crate) fn cmd_masters(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.array(self.groups.len());
        for g in self.groups.values() {
            show::write(&self.primary_fields(g), r);
        }
        Done::Now
    }

    pub(crate) fn cmd_master(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if let Some(g) = self.named(call, r) {
            show::write(&self.primary_fields(g), r);
        }
        Done::Now
    }

    pub(crate) fn cmd_replicas(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if let Some(g) = self.named(call, r) {
            let announced: Vec<_> = g.replicas().filter(|n| n.info.announced).collect();
            r.array(announced.len());
            announced.iter().for_each(|n| show::write(&self.replica_fields(g, n), r));
        }
        Done::Now
    }

    pub(crate) fn cmd_sentinels(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if let Some(g) = self.named(call, r) {
            r.array(g.peers.len());
            g.peers.values().for_each(|p| show::write(&self.peer_fields(g, p), r));
        }
        Done::Now
    }

    /// The address of a primary. A sentinel that lost touch with the majority for too long names nobody: elsewhere
    /// another primary may have been elected.
    pub(crate) fn cmd_get_addr(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        match self.group_named(&call.text(2)) {
            Some(g) if !self.is_view_stale(g) => {
                let addr = &g.primary().addr;
                r.array(2);
                r.bulk_str(&addr.shown(self.globals.announce_hostnames));
                r.bulk_str(&addr.port().to_string());
            }
            _ => r.null_array(),
        }
        Done::Now
    }

    pub(crate) fn cmd_is_down(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let (Some(port), Some(epoch)) =
            (Self::required_number(call, 3, r), call.number(4).and_then(|n| u64::try_from(n).ok()))
        else {
            if call.number(3).is_some() {
                r.error(super::NOT_A_NUMBER);
            }
            return Done::Now;
        };
        let session = call.session;
        let candidate: Option<RunId> = call.text(5).parse().ok();
        let asker = self.sessions.all.get(&session).map(|s| s.name.clone()).unwrap_or_default();
        let addr = u16::try_from(port).ok().map(|p| Addr::new(&call.text(2), p));
        let group = addr.and_then(|a| self.groups.values().find(|g| g.primary().addr.same(&a)).map(|g| g.id));
        let Some(group) = group else {
            let bytes = self.opinion(session, false, Vote::default());
            r.raw(&bytes);
            return Done::Now;
        };
        self.with_group(group, |s, g| {
            let known = match &candidate {
                Some(id) => g.peer_by_id(id),
                None => s.peer_of_session(g, &asker),
            };
            if let Some(ix) = known {
                s.peer_asked(g, ix);
            }
            let down = g.primary().detector.down() && !s.is_held();
            match candidate {
                Some(id) => s.vote_asked(g, session, Epoch(epoch), id, down),
                None => {
                    let bytes = s.opinion(session, down, Vote::default());
                    s.reply(session, bytes);
                }
            }
        });
        Done::Later
    }

    pub(crate) fn cmd_ckquorum(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let Some(g) = self.named(call, r) else { return Done::Now };
        let usable = 1 + g.peers.values().filter(|p| p.link.is_up() && !p.detector.down()).count();
        let quorum = usable >= g.settings.quorum as usize;
        let majority = usable > g.voters() / 2;
        if quorum && majority {
            r.simple(&format!(
                "OK {usable} usable Sentinels. Quorum and failover authorization can be reached"
            ));
            return Done::Now;
        }
        let mut text = format!("NOQUORUM {usable} usable Sentinels. ");
        if !quorum {
            text.push_str("Not enough available Sentinels to reach the specified quorum for this master");
        }
        if !majority {
            if !quorum {
                text.push_str(". ");
            }
            text.push_str("Not enough available Sentinels to reach the majority and authorize a failover");
        }
        r.error(&text);
        Done::Now
    }

    pub(crate) fn cmd_myid(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.bulk(&self.me.hex());
        Done::Now
    }

    pub(crate) fn cmd_flushconfig(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        self.disk.mark_critical();
        r.ok();
        Done::Now
    }

    /// A planned switchover. It is coordinated: the primary holds its writes until the replica has them all. With
    /// `FORCE` nobody waits for the primary. With `ACCEPT-LOSS` nobody waits for a majority either: of the nodes that
    /// answer, the one that has most takes over, whatever the others had.
    pub(crate) fn cmd_failover(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let kind = match (call.args.len(), call.word(3).as_str()) {
            (3, _) | (4, "coordinated") => Kind::Planned,
            (4, "force") => Kind::Forced,
            (4, "accept-loss") => Kind::AcceptLoss,
            (4, _) => {
                r.error("ERR Unknown failover option specified");
                return Done::Now;
            }
            _ => {
                r.error("ERR wrong number of arguments for 'sentinel|failover' command");
                return Done::Now;
            }
        };
        let Some(g) = self.named(call, r) else { return Done::Now };
        let able = match kind {
            Kind::AcceptLoss => g.nodes.values().any(DataNode::may_answer),
            Kind::Forced => g.replicas().any(|n| n.is_reachable() && n.info.priority != 0),
            _ => false,
        };
        if g.failover.is_some() {
            r.error("INPROG Failover already in progress");
        } else if self.planned_target(g).is_none() && !able {
            r.error("NOGOODSLAVE No suitable replica to promote");
        } else {
            let down = g.primary().detector.down();
            // A primary that is down cannot be waited for.
            let kind = if down && kind == Kind::Planned { Kind::Forced } else { kind };
            let id = g.id;
            self.log(Level::Warning, format!("Executing user requested FAILOVER of '{}'", call.text(2)));
            self.with_group(id, |s, g| s.start_election(g, kind));
            r.ok();
        }
        Done::Now
    }

    pub(crate) fn cmd_monitor(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let (Some(port), Some(quorum)) = (call.number(4), call.number(5)) else {
            let bad_quorum = call.number(5).is_none();
            r.error(if bad_quorum { "ERR Invalid quorum" } else { "ERR Invalid port" });
            return Done::Now;
        };
        let (name, host) = (call.text(2), call.text(3));
        let Some(quorum) = u32::try_from(quorum).ok().filter(|q| *q > 0) else {
            r.error("ERR Quorum must be 1 or greater.");
            return Done::Now;
        };
        // In a hello it stands between commas: no other sentinel could read it.
        if !conf::is_tellable(&name) {
            r.error("ERR Invalid name");
            return Done::Now;
        }
        let mut addr = Addr::new(&host, u16::try_from(port).unwrap_or(0));
        if addr.is_name() {
            if !self.globals.resolve_hostnames {
                r.error("ERR Invalid IP address or hostname specified");
                return Done::Now;
            }
            match self.look_up(call.session, &host, call.args) {
                None => return Done::Later,
                Some(None) => {
                    r.error("ERR Invalid IP address or hostname specified");
                    return Done::Now;
                }
                Some(Some(ip)) => addr.resolved(ip),
            }
        }
        if self.group_named(&name).is_some() {
            r.error("ERR Duplicate master name.");
        } else if addr.port() == 0 {
            r.error("ERR Invalid port number.");
        } else {
            let settings = self.default_settings(quorum);
            self.adopt_group(conf::LoadedGroup {
                name,
                included: false,
                addr,
                settings,
                config_epoch: Default::default(),
                leader_epoch: Epoch::ZERO,
                replicas: Vec::new(),
                peers: Vec::new(),
            });
            self.disk.mark_critical();
            r.ok();
        }
        Done::Now
    }

    pub(crate) fn cmd_remove(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let Some(id) = self.named(call, r).map(|g| g.id) else { return Done::Now };
        if let Some(mut g) = self.groups.remove(&id) {
            self.event(&g, Level::Warning, "-monitor", Who::Group, "");
            self.abandon_all(&mut g);
            self.disk.mark_critical();
        }
        r.ok();
        Done::Now
    }

    fn abandon_all(&mut self, g: &mut Group) {
        for n in g.nodes.values() {
            self.abandon(&n.cmd);
            self.abandon(&n.sub);
        }
        g.peers.values().for_each(|p| self.abandon(&p.link));
    }

    pub(crate) fn cmd_sentinel_reset(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let pattern = &call.args[2];
        let ids: Vec<GroupId> = self
            .groups
            .values()
            .filter(|g| glob::matches(pattern, g.name.as_bytes()))
            .map(|g| g.id)
            .collect();
        for id in &ids {
            self.with_group(*id, |s, g| s.reset_group(g));
        }
        if !ids.is_empty() {
            self.disk.mark_critical();
        }
        r.int(ids.len() as i64);
        Done::Now
    }

    /// Forgets replicas and sentinels and what is under way; they are found anew. Only the primary can name the replicas,
    /// and the replicas lead to the sentinels: while it is down or about to be replaced, who answers stays.
    fn reset_group(&mut self, g: &mut Group) {
        let keep = g.primary().detector.down() || g.failover.is_some();
        self.give_up_failover(g, "-failover-abort-reset");
        let gone = |n: &&DataNode| !(keep && n.is_reachable());
        let replicas: Vec<NodeIx> = g.replicas().filter(gone).map(|n| n.ix).collect();
        for n in replicas.iter().filter_map(|ix| g.nodes.remove(ix)) {
            self.abandon(&n.cmd);
            self.abandon(&n.sub);
        }
        let gone = |p: &&Peer| !(keep && p.link.is_up() && !p.detector.down());
        let peers: Vec<PeerIx> = g.peers.values().filter(gone).map(|p| p.ix).collect();
        for p in peers.iter().filter_map(|ix| g.peers.remove(ix)) {
            self.abandon(&p.link);
        }
        g.nodes.values_mut().for_each(|n| n.reconf = Reconf::None);
        g.odown_since = None;
        g.repoint = None;
        g.election_at = None;
        let n = g.primary_mut();
        n.info_wanted = true;
        self.event(g, Level::Warning, "+reset-master", Who::Group, "");
    }

    pub(crate) fn cmd_info_cache(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let groups: Vec<&Group> =
            (2..call.args.len()).filter_map(|i| self.group_named(&call.text(i))).collect();
        // Not a map, whatever the protocol.
        r.array(groups.len() * 2);
        for g in groups {
            r.bulk(g.name.as_bytes());
            let primary = std::iter::once(g.primary());
            r.array(g.nodes.len());
            for n in primary.chain(g.replicas()) {
                r.array(2);
                match n.info_at {
                    Some(at) => {
                        r.int(self.now.mono.since(at).as_millis() as i64);
                        r.bulk(n.info_text.as_bytes());
                    }
                    None => {
                        r.int(0);
                        r.null();
                    }
                }
            }
        }
        Done::Now
    }

    pub(crate) fn cmd_pending_scripts(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let pending = self.scripts.pending(self.now.mono);
        r.array(pending.len());
        for p in pending {
            r.map(5);
            r.bulk(b"argv");
            r.array(p.argv.len());
            p.argv.iter().for_each(|a| r.bulk_str(a));
            r.bulk(b"flags");
            r.bulk_str(if p.running { "running" } else { "scheduled" });
            r.bulk(b"pid");
            r.bulk_str(&p.pid.to_string());
            r.bulk_str(if p.running { "run-time" } else { "run-delay" });
            r.bulk_str(&if p.running { p.run_ms } else { p.wait_ms }.to_string());
            r.bulk(b"retry-num");
            r.bulk_str(&p.tries.to_string());
        }
        Done::Now
    }

    pub(crate) fn cmd_simulate_failure(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        self.crash_after_election = false;
        self.crash_after_promotion = false;
        for i in 2..call.args.len() {
            match call.word(i).as_str() {
                "crash-after-election" => self.crash_after_election = true,
                "crash-after-promotion" => self.crash_after_promotion = true,
                "help" => {
                    r.array(2);
                    r.bulk(b"crash-after-election");
                    r.bulk(b"crash-after-promotion");
                    return Done::Now;
                }
                _ => {
                    r.error("ERR Unknown failure simulation specified");
                    return Done::Now;
                }
            }
        }
        r.ok();
        Done::Now
    }
}
