//! The other sentinels: finding them by their hello messages, keeping in touch, and taking over what they know.

use super::Sentinel;
use super::addr::Addr;
use super::events::Who;
use super::group::{Group, PeerIx};
use super::hello::{CHANNEL, Hello};
use super::io::Level;
use super::link::Awaiting;
use super::observe::is_sign_of_life;
use tanist_resp::Value;
use tanist_types::Epoch;

impl Sentinel {
    /// Asks a sentinel for a sign of life.
    pub(crate) fn ping_peer(&mut self, g: &mut Group, ix: PeerIx) {
        let now = self.now.mono;
        let every = g.ping_every(None, self.timing.ping_period);
        if let Some(p) = g.peers.get_mut(&ix)
            && self.send(&mut p.link, &[b"PING"], Awaiting::Ping)
        {
            p.detector.pinged(now, every);
        }
    }

    /// A sentinel answered.
    pub(crate) fn peer_replied(&mut self, g: &mut Group, ix: PeerIx, what: Awaiting, value: &Value) {
        match what {
            Awaiting::Ping => {
                let now = self.now.mono;
                if let Some(p) = g.peers.get_mut(&ix) {
                    p.detector.answered(now, is_sign_of_life(value));
                }
                self.judge_peer(g, ix);
            }
            Awaiting::Opinion => self.opinion_arrived(g, ix, value),
            Awaiting::Auth if value.as_error().is_some() => {
                let line = format!("{} refuses our password", self.describe(g, Who::Peer(ix)));
                self.log(Level::Warning, line);
            }
            _ => {}
        }
    }

    /// Draws the verdict on one sentinel.
    pub(crate) fn judge_peer(&mut self, g: &mut Group, ix: PeerIx) {
        let (now, down_after) = (self.now.mono, g.settings.down_after);
        let Some(p) = g.peers.get_mut(&ix) else { return };
        let down = p.detector.is_down(now, down_after);
        if p.detector.set_down(down, now) {
            let name = if down { "+sdown" } else { "-sdown" };
            self.event(g, Level::Warning, name, Who::Peer(ix), "");
            if !down {
                self.heard_news(g);
            }
        }
    }

    /// Tells everybody what we hold: the other sentinels directly, and those who do not know us through the nodes.
    pub(crate) fn say_hello(&mut self, g: &mut Group) {
        g.hello_at = self.now.mono + self.timing.publish_period;
        let Some(ip) = self.our_address() else { return };
        let port = self.globals.announce_port.unwrap_or(self.facts.port);
        let hello = Hello {
            addr: Addr::new(&ip, port),
            run_id: self.me,
            epoch: self.epoch,
            group: g.name.clone(),
            primary: g.primary().addr.clone(),
            config_epoch: g.config_epoch,
        };
        let text = hello.format(self.globals.announce_hostnames);
        let publish = g.settings.command("PUBLISH").to_owned();
        for p in g.peers.values_mut() {
            self.send(&mut p.link, &[b"PUBLISH", CHANNEL.as_bytes(), text.as_bytes()], Awaiting::Published);
        }
        for n in g.nodes.values_mut() {
            let args: [&[u8]; 3] = [publish.as_bytes(), CHANNEL.as_bytes(), text.as_bytes()];
            self.send(&mut n.cmd, &args, Awaiting::Published);
        }
    }

    fn our_address(&self) -> Option<String> {
        match &self.globals.announce_ip {
            Some(ip) => Some(ip.clone()),
            None => self.sessions.our_ip.map(|ip| ip.to_string()),
        }
    }

    /// A hello arrived through a node's channel.
    pub(crate) fn hello_heard(&mut self, g: &mut Group, payload: &[u8]) {
        match Hello::parse(payload) {
            Ok(hello) if hello.group == g.name => self.hello_received(g, hello),
            _ => {}
        }
    }

    /// Takes over what another sentinel holds.
    pub(crate) fn hello_received(&mut self, g: &mut Group, hello: Hello) {
        if hello.run_id == self.me {
            return;
        }
        let names_ok = self.globals.resolve_hostnames || !(hello.addr.is_name() || hello.primary.is_name());
        if !names_ok {
            return;
        }
        if self.is_foreign_hello(g, &hello) {
            return self.report_foreign_hello(g, &hello);
        }
        let Some(ix) = self.meet(g, &hello) else { return };
        if hello.epoch > self.epoch && self.epoch.may_jump_to(hello.epoch) {
            self.epoch = hello.epoch;
            self.disk.mark_critical();
            self.event_text(Some(g), Level::Warning, "+new-epoch", &hello.epoch.to_string());
        }
        if let Some(p) = g.peers.get_mut(&ix) {
            p.last_hello = self.now.mono;
            p.config_epoch = hello.config_epoch;
        }
        let plausible = Epoch(g.config_epoch.0).may_jump_to(Epoch(hello.config_epoch.0));
        if hello.config_epoch > g.config_epoch && plausible {
            g.config_epoch = hello.config_epoch;
            self.disk.mark_switch(g);
            if !g.primary().addr.same(&hello.primary) {
                self.event(g, Level::Warning, "+config-update-from", Who::Peer(ix), "");
                self.give_up_failover(g, "-failover-abort-superseded");
                self.switch_to(g, &hello.primary, false);
            }
        }
    }

    /// Finds the sentinel that said hello, or gets to know it.
    fn meet(&mut self, g: &mut Group, hello: &Hello) -> Option<PeerIx> {
        if let Some(ix) = g.peer_by_id(&hello.run_id) {
            self.follow_move(g, ix, &hello.addr);
            return Some(ix);
        }
        let taken: Vec<PeerIx> =
            g.peers.values().filter(|p| p.addr.same(&hello.addr)).map(|p| p.ix).collect();
        for ix in taken {
            self.event(g, Level::Notice, "+sentinel-invalid-addr", Who::Peer(ix), "");
            if let Some(p) = g.peers.get_mut(&ix) {
                let link = p.link.clone();
                p.addr.invalidate();
                p.link.retry(self.now.mono);
                self.abandon(&link);
            }
        }
        let ix = g.add_peer(hello.run_id, hello.addr.clone(), self.now.mono)?;
        self.event(g, Level::Notice, "+sentinel", Who::Peer(ix), "");
        self.disk.mark();
        g.hello_at = self.now.mono;
        Some(ix)
    }

    /// A sentinel that we know is reached elsewhere now.
    fn follow_move(&mut self, g: &mut Group, ix: PeerIx, addr: &Addr) {
        let Some(p) = g.peers.get_mut(&ix) else { return };
        if p.addr.same(addr) {
            return;
        }
        p.addr = addr.clone();
        let link = p.link.clone();
        p.link.retry(self.now.mono);
        let more = format!("ip {} port {} for {}", addr.shown(true), addr.port(), p.run_id);
        self.abandon(&link);
        self.event(g, Level::Notice, "+sentinel-address-switch", Who::Group, &more);
        self.disk.mark();
    }

    /// The sentinel that a session says it is: sentinels name their connections after their identity.
    pub(crate) fn peer_of_session(&self, g: &Group, name: &str) -> Option<PeerIx> {
        let short = name.strip_prefix("sentinel-")?.get(..8)?;
        g.peers.values().find(|p| p.run_id.to_string().starts_with(short)).map(|p| p.ix)
    }
}
