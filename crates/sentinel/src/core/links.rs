//! Opening, losing and using links to instances.

use super::events::Who;
use super::group::Group;
use super::io::{Level, LinkId, LinkLoss, Output};
use super::link::{Awaiting, Link};
use super::status::STATE_CHANNEL;
use super::{LinkRole, Sentinel, hello};
use std::net::IpAddr;
use std::time::Duration;
use tanist_resp::{Value, encode_command};

/// How long an attempt to open a link may take.
pub(crate) fn patience(g: &Group) -> Duration {
    g.settings.down_after.clamp(Duration::from_millis(200), Duration::from_millis(2_000))
}

/// The link of an instance.
pub(crate) fn link_of(g: &Group, role: LinkRole) -> Option<&Link> {
    match role {
        LinkRole::Command(ix) => g.nodes.get(&ix).map(|n| &n.cmd),
        LinkRole::Channel(ix) => g.nodes.get(&ix).map(|n| &n.sub),
        LinkRole::Peer(ix) => g.peers.get(&ix).map(|p| &p.link),
    }
}

fn link_of_mut(g: &mut Group, role: LinkRole) -> Option<&mut Link> {
    match role {
        LinkRole::Command(ix) => g.nodes.get_mut(&ix).map(|n| &mut n.cmd),
        LinkRole::Channel(ix) => g.nodes.get_mut(&ix).map(|n| &mut n.sub),
        LinkRole::Peer(ix) => g.peers.get_mut(&ix).map(|p| &mut p.link),
    }
}

impl Sentinel {
    /// Sends a command on a link if it is up; returns whether it was sent.
    pub(crate) fn send(&mut self, link: &mut Link, args: &[&[u8]], what: Awaiting) -> bool {
        let Some(id) = link.up_id() else { return false };
        let mut bytes = Vec::with_capacity(64);
        encode_command(&mut bytes, args);
        self.out.push(Output::Send { link: id, bytes });
        link.push(what);
        true
    }

    /// Begins an attempt to open a link.
    pub(crate) fn open_link(&mut self, g: &mut Group, role: LinkRole) {
        let addr = match role {
            LinkRole::Command(ix) | LinkRole::Channel(ix) => g.nodes.get(&ix).map(|n| n.addr.clone()),
            LinkRole::Peer(ix) => g.peers.get(&ix).map(|p| p.addr.clone()),
        };
        let (Some(addr), now) = (addr, self.now.mono) else { return };
        let Some(link) = link_of_mut(g, role) else { return };
        // A name server that fails must not take the instances with it: every other attempt goes where they were last.
        let host = addr.target(link.is_unresolved());
        let id = LinkId(self.next_link);
        self.next_link += 1;
        link.opening(id, now);
        self.links.insert(id, (g.id, role));
        self.out.push(Output::Connect { link: id, host, port: addr.port() });
    }

    /// Gives up a link or an attempt of our own accord.
    pub(crate) fn drop_link(&mut self, g: &mut Group, role: LinkRole) {
        let Some(id) = link_of(g, role).and_then(Link::id) else { return };
        self.links.remove(&id);
        self.out.push(Output::Disconnect { link: id });
        self.lost(g, role, LinkLoss::TimedOut);
    }

    /// Forgets all links of an instance that is about to be removed.
    pub(crate) fn abandon(&mut self, link: &Link) {
        if let Some(id) = link.id() {
            self.links.remove(&id);
            self.out.push(Output::Disconnect { link: id });
        }
    }

    /// A link is up: introduce ourselves and ask what we want to know.
    pub(crate) fn link_up(&mut self, id: LinkId, remote: IpAddr, local: IpAddr) {
        let Some(&(group, role)) = self.links.get(&id) else { return };
        let now = self.now.mono;
        self.sessions.our_ip = self.sessions.our_ip.or(Some(local));
        self.with_group(group, |s, g| {
            let Some(link) = link_of_mut(g, role) else { return };
            link.opened(now);
            match role {
                LinkRole::Command(ix) => {
                    let Some(n) = g.nodes.get_mut(&ix) else { return };
                    n.addr.resolved(remote);
                    n.info_wanted = true;
                    s.introduce(g, role, "cmd");
                    s.ping_node(g, ix);
                    s.ask_info(g, ix);
                    g.hello_at = now;
                }
                LinkRole::Channel(ix) => {
                    if let Some(n) = g.nodes.get_mut(&ix) {
                        n.sub_heard = now;
                    }
                    s.introduce(g, role, "pubsub");
                    s.listen(g, ix, hello::CHANNEL);
                    if g.nodes.get(&ix).is_some_and(|n| n.listens_to_state) {
                        s.listen(g, ix, STATE_CHANNEL);
                    }
                }
                LinkRole::Peer(ix) => {
                    if let Some(p) = g.peers.get_mut(&ix) {
                        p.addr.resolved(remote);
                    }
                    s.introduce(g, role, "cmd");
                    s.ping_peer(g, ix);
                    if g.primary().detector.down() {
                        s.ask_peer(g, ix);
                    }
                    g.hello_at = now;
                }
            }
        });
    }

    /// Sends our password and our name.
    fn introduce(&mut self, g: &mut Group, role: LinkRole, kind: &str) {
        let is_peer = matches!(role, LinkRole::Peer(_));
        let (user, pass) = if is_peer {
            let g = &self.globals;
            (g.sentinel_user.clone(), g.sentinel_pass.clone().or_else(|| g.requirepass.clone()))
        } else {
            (g.settings.auth_user.clone(), g.settings.auth_pass.clone())
        };
        let me: String = self.me.to_string().chars().take(8).collect();
        let name = format!("sentinel-{me}-{kind}");
        let auth = g.settings.command("AUTH").to_owned();
        let client = g.settings.command("CLIENT").to_owned();
        let (auth, client) = if is_peer { ("AUTH".to_owned(), "CLIENT".to_owned()) } else { (auth, client) };
        let Some(link) = link_of_mut(g, role) else { return };
        if let Some(pass) = pass {
            match user {
                Some(user) => {
                    self.send(link, &[auth.as_bytes(), user.as_bytes(), pass.as_bytes()], Awaiting::Auth)
                }
                None => self.send(link, &[auth.as_bytes(), pass.as_bytes()], Awaiting::Auth),
            };
        }
        self.send(link, &[client.as_bytes(), b"SETNAME", name.as_bytes()], Awaiting::Ignored);
    }

    /// Subscribes to a channel of a node.
    pub(crate) fn listen(&mut self, g: &mut Group, ix: super::group::NodeIx, channel: &str) {
        let subscribe = g.settings.command("SUBSCRIBE").to_owned();
        if let Some(n) = g.nodes.get_mut(&ix) {
            self.send(&mut n.sub, &[subscribe.as_bytes(), channel.as_bytes()], Awaiting::Ignored);
        }
    }

    /// A link ended.
    pub(crate) fn link_down(&mut self, id: LinkId, why: LinkLoss) {
        let Some((group, role)) = self.links.remove(&id) else { return };
        self.with_group(group, |s, g| s.lost(g, role, why));
    }

    fn lost(&mut self, g: &mut Group, role: LinkRole, why: LinkLoss) {
        let now = self.now.mono;
        let Some(link) = link_of_mut(g, role) else { return };
        let was_up = link.is_up();
        let answered = link.answered();
        let unanswered = link.lost(now);
        link.set_unresolved(why == LinkLoss::Unresolved);
        match role {
            LinkRole::Command(ix) => {
                if let Some(n) = g.nodes.get_mut(&ix) {
                    n.detector.unlinked(now);
                }
                if why == LinkLoss::Refused && answered && !was_up {
                    self.refused(g, ix);
                }
                if was_up {
                    self.failover_link_lost(g, ix, &unanswered);
                }
            }
            LinkRole::Channel(_) => {}
            LinkRole::Peer(ix) => {
                if let Some(p) = g.peers.get_mut(&ix) {
                    p.detector.unlinked(now);
                }
            }
        }
        if why == LinkLoss::Unresolved {
            let who = match role {
                LinkRole::Command(ix) => Who::Node(ix),
                LinkRole::Channel(_) => return,
                LinkRole::Peer(ix) => Who::Peer(ix),
            };
            let line = format!("Could not resolve the address of {}", self.describe(g, who));
            self.log(Level::Verbose, line);
        }
    }

    /// A reply arrived.
    pub(crate) fn link_reply(&mut self, id: LinkId, value: Value) {
        let Some(&(group, role)) = self.links.get(&id) else { return };
        self.with_group(group, |s, g| match role {
            LinkRole::Command(ix) => {
                let what = g.nodes.get_mut(&ix).and_then(|n| n.cmd.pop());
                match what {
                    Some(what) => s.node_replied(g, ix, what, &value),
                    None => s.drop_link(g, role),
                }
            }
            LinkRole::Channel(ix) => s.channel_message(g, ix, &value),
            LinkRole::Peer(ix) => {
                let what = g.peers.get_mut(&ix).and_then(|p| p.link.pop());
                match what {
                    Some(what) => s.peer_replied(g, ix, what, &value),
                    None => s.drop_link(g, role),
                }
            }
        });
    }
}
