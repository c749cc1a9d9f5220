//! What every member of a cluster says right now, and whether they all say the same.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::layout::{Kind, Layout, Member};
use crate::client::{Client, fields, items, text};

/// A data node's own words.
#[derive(Clone, Debug, Default)]
pub struct NodeView {
    /// `node-1`.
    pub label: String,
    /// Its port.
    pub port: u16,
    /// Its pid while its process runs.
    pub pid: Option<i32>,
    /// Whether it answered.
    pub answers: bool,
    /// What it said instead: it has no rights for whoever asks like this command.
    pub refuses: Option<String>,
    /// `primary`, `replica`, `idle`, or empty when it does not answer.
    pub role: String,
    /// Log position: its end on a primary, what it has applied on a replica.
    pub offset: Option<u64>,
    /// Bytes behind the primary.
    pub lag: Option<u64>,
    /// A replica's link to its primary: `up` or `down`.
    pub link: String,
    /// Whom a replica follows.
    pub follows: Option<SocketAddr>,
    /// Ports of the replicas that are online at this primary.
    pub online: Vec<u16>,
    /// What the sentinels hold it for: `slave`, `s_down,slave`, ...; opinions that differ side by side.
    pub flags: String,
    /// `tanist_version`, or the peer's version.
    pub version: String,
    /// While it loads its data: how much of them it has, in percent, if it says so.
    pub loading: Option<Option<f64>>,
    /// Bytes of its file, or of its primary's snapshot, that it has read so far. What grows goes on.
    pub progress: u64,
}

/// A sentinel's own words about the group.
#[derive(Clone, Debug, Default)]
pub struct SentinelView {
    /// `sentinel-1`.
    pub label: String,
    /// Its port.
    pub port: u16,
    /// Its pid while its process runs.
    pub pid: Option<i32>,
    /// Whether it answered.
    pub answers: bool,
    /// The primary that it names.
    pub primary: Option<SocketAddr>,
    /// Its flags of that primary.
    pub flags: String,
    /// Replicas it knows, with their flags.
    pub replicas: BTreeMap<u16, String>,
    /// Other sentinels it knows, with their flags.
    pub sentinels: BTreeMap<u16, String>,
    /// The epoch of the configuration that it holds.
    pub config_epoch: u64,
}

/// The whole cluster at one glance.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Data nodes in order.
    pub nodes: Vec<NodeView>,
    /// Sentinels in order.
    pub sentinels: Vec<SentinelView>,
}

impl NodeView {
    /// That it loads its data, in words for a person, if so.
    pub fn loads(&self) -> Option<String> {
        let label = &self.label;
        Some(match self.loading? {
            Some(percent) => format!("{label} loads its data ({percent:.0} %)"),
            None => format!("{label} loads its data"),
        })
    }
}

impl View {
    /// That a node refuses to talk to this command, and what helps, if so: waiting does not.
    pub fn refusal(&self) -> Option<String> {
        let (node, error) = self.nodes.iter().find_map(|n| Some((n, n.refuses.as_ref()?)))?;
        Some(format!(
            "{} refuses this command: {error}. It speaks to nodes as the user 'default', with the password of a \
             'requirepass' directive if there is one; that user has to be on, and may not lose the rights that \
             replicas, sentinels and this command need",
            node.label
        ))
    }

    /// The primary, if all agree on everything; else why not, in words for a person.
    pub fn agreement(&self) -> Result<SocketAddr, String> {
        if let Some(why) = self.nodes.iter().find_map(NodeView::loads) {
            return Err(why);
        }
        let primary = self.named_primary()?;
        self.nodes_follow(primary)?;
        self.sentinels_know_all(primary)?;
        Ok(primary)
    }

    /// The primary that every sentinel names.
    pub fn named_primary(&self) -> Result<SocketAddr, String> {
        let mut named = None;
        for s in &self.sentinels {
            let Some(primary) = s.primary else {
                if !s.answers {
                    return Err(format!("{} does not answer", s.label));
                }
                return Err(format!("{} names no primary", s.label));
            };
            if named.is_some_and(|n| n != primary) {
                return Err("the sentinels name different primaries".to_owned());
            }
            named = Some(primary);
        }
        named.ok_or_else(|| "there is no sentinel".to_owned())
    }

    fn nodes_follow(&self, primary: SocketAddr) -> Result<(), String> {
        for node in &self.nodes {
            let label = &node.label;
            if let Some(error) = &node.refuses {
                return Err(format!("{label} refuses this command: {error}"));
            }
            if !node.answers {
                return Err(format!("{label} does not answer"));
            }
            if node.port == primary.port() {
                if node.role != "primary" {
                    return Err(format!("{label} is named primary, but says {}", node.role));
                }
                continue;
            }
            if node.role != "replica" || node.follows.map(|a| a.port()) != Some(primary.port()) {
                return Err(format!("{label} does not follow port {} yet", primary.port()));
            }
            if node.link != "up" {
                return Err(format!("{label} is not in sync yet"));
            }
        }
        let online = self.nodes.iter().find(|n| n.port == primary.port()).map_or(0, |n| n.online.len());
        if online + 1 != self.nodes.len() {
            return Err(format!("{online} of {} replicas online", self.nodes.len() - 1));
        }
        Ok(())
    }

    fn sentinels_know_all(&self, primary: SocketAddr) -> Result<(), String> {
        let epoch = self.sentinels.first().map_or(0, |s| s.config_epoch);
        for s in &self.sentinels {
            let label = &s.label;
            if s.flags != "master" {
                return Err(format!("{label} sees the primary as {}", s.flags));
            }
            if s.config_epoch != epoch {
                return Err(format!("{label} has another configuration epoch"));
            }
            for node in self.nodes.iter().filter(|n| n.port != primary.port()) {
                match s.replicas.get(&node.port).map(String::as_str) {
                    Some("slave") => {}
                    Some(flags) => return Err(format!("{label} sees {} as {flags}", node.label)),
                    None => return Err(format!("{label} does not know {} yet", node.label)),
                }
            }
            for other in self.sentinels.iter().filter(|o| o.port != s.port) {
                match s.sentinels.get(&other.port).map(String::as_str) {
                    // What another one last said about the primary is shown for seconds after it has changed its mind;
                    // what it thinks now is asked of itself, above.
                    Some("sentinel" | "sentinel,master_down") => {}
                    Some(flags) => return Err(format!("{label} sees {} as {flags}", other.label)),
                    None => return Err(format!("{label} does not know {} yet", other.label)),
                }
            }
        }
        Ok(())
    }
}

/// Keeps connections to all members and asks them.
#[derive(Debug)]
pub struct Watcher {
    connections: BTreeMap<u16, Client>,
    patience: Duration,
}

impl Watcher {
    /// A member that does not answer within `patience` counts as silent.
    pub fn new(patience: Duration) -> Watcher {
        Watcher { connections: BTreeMap::new(), patience }
    }

    /// Asks every member.
    pub fn look(&mut self, layout: &Layout) -> View {
        let mut view = View::default();
        for member in &layout.members {
            match member.kind {
                Kind::Node => view.nodes.push(self.node(layout, member)),
                Kind::Sentinel => view.sentinels.push(self.sentinel(layout, member)),
            }
        }
        finish(&mut view);
        view
    }

    fn node(&mut self, layout: &Layout, member: &Member) -> NodeView {
        let mut node = NodeView { label: member.label(), port: member.port, ..NodeView::default() };
        node.pid = member.alive().then(|| member.process.map(|p| p.pid)).flatten();
        let info = self.ask(layout, member, |c| {
            let mut info = c.info("replication")?;
            info.append(&mut c.info("server")?);
            info.append(&mut c.info("persistence")?);
            Ok(info)
        });
        // Somebody started it by hand, or another cluster has the port.
        let file = |info: &BTreeMap<String, String>| info.get("config_file").map(PathBuf::from);
        match info {
            Ok(info) if node.pid.is_some() || file(&info) == Some(layout.conf(member)) => {
                read_info(&mut node, &info);
            }
            Err(e) if node.pid.is_some() && e.kind() == ErrorKind::PermissionDenied => {
                node.refuses = Some(e.to_string());
            }
            _ => {}
        }
        node
    }

    fn sentinel(&mut self, layout: &Layout, member: &Member) -> SentinelView {
        let mut view = SentinelView { label: member.label(), port: member.port, ..SentinelView::default() };
        view.pid = member.alive().then(|| member.process.map(|p| p.pid)).flatten();
        let name = layout.name.clone();
        let answers = self.ask(layout, member, |c| {
            let master = fields(&c.call(&["SENTINEL", "MASTER", &name])?);
            let replicas = peers(&c.call(&["SENTINEL", "REPLICAS", &name])?);
            let sentinels = peers(&c.call(&["SENTINEL", "SENTINELS", &name])?);
            let named = c.call(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &name])?;
            let id = c.call(&["SENTINEL", "MYID"])?;
            Ok((master, replicas, sentinels, addr(&named), text(&id)))
        });
        let known = |id: &Option<String>| view.pid.is_some() || *id == identity(layout, member);
        if let Some((master, replicas, sentinels, named, _)) = answers.ok().filter(|a| known(&a.4)) {
            view.answers = true;
            view.primary = named;
            view.flags = master.get("flags").cloned().unwrap_or_default();
            view.config_epoch = master.get("config-epoch").and_then(|e| e.parse().ok()).unwrap_or(0);
            (view.replicas, view.sentinels) = (replicas, sentinels);
        }
        view
    }

    fn ask<T>(
        &mut self,
        layout: &Layout,
        member: &Member,
        question: impl Fn(&mut Client) -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        // A connection kept from before a restart fails once: then a fresh one is tried.
        let kept = self.connections.remove(&member.port);
        let fresh = || Client::login(member.addr(), self.patience, layout.password(member.kind));
        let mut stale = kept.is_some();
        let mut client = kept.map_or_else(fresh, Ok)?;
        loop {
            match question(&mut client) {
                Ok(answer) => {
                    self.connections.insert(member.port, client);
                    return Ok(answer);
                }
                Err(_) if stale => {
                    stale = false;
                    client = fresh()?;
                }
                Err(e) => return Err(e),
            }
        }
    }
}

/// Who the sentinel is by its configuration.
fn identity(layout: &Layout, member: &Member) -> Option<String> {
    let conf = std::fs::read_to_string(layout.conf(member)).ok()?;
    let words = |line: &str| line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let said = |words: Vec<String>| match words.as_slice() {
        [sentinel, myid, id] if sentinel == "sentinel" && myid == "myid" => Some(id.clone()),
        _ => None,
    };
    conf.lines().rev().map(words).find_map(said)
}

fn read_info(node: &mut NodeView, info: &BTreeMap<String, String>) {
    let number = |name: &str| info.get(name).and_then(|v| v.parse::<u64>().ok());
    node.answers = true;
    let loads = info.get("loading").is_some_and(|yes| yes == "1");
    node.loading = loads.then(|| info.get("loading_loaded_perc").and_then(|p| p.parse().ok()));
    let read = ["loading_loaded_bytes", "master_sync_read_bytes"];
    node.progress = read.iter().filter_map(|name| number(name)).sum();
    node.version = ["tanist_version", "valkey_version", "redis_version"]
        .iter()
        .find_map(|f| info.get(*f).map(|v| format!("{} {v}", f.trim_end_matches("_version"))))
        .unwrap_or_default();
    node.role = match (info.get("tanist_role").map(String::as_str), info.get("role").map(String::as_str)) {
        (Some(role), _) => role.to_owned(),
        (None, Some("master")) => "primary".to_owned(),
        (None, Some("slave")) => "replica".to_owned(),
        (None, other) => other.unwrap_or_default().to_owned(),
    };
    node.offset = number("slave_repl_offset").or_else(|| number("master_repl_offset"));
    node.link = info.get("master_link_status").cloned().unwrap_or_default();
    node.follows = info.get("master_host").zip(info.get("master_port")).and_then(|(h, p)| parse_addr(h, p));
    for (name, value) in info {
        let numbered = name.strip_prefix("slave").is_some_and(|n| n.parse::<u32>().is_ok());
        if numbered && value.contains("state=online") {
            let port = value.split(',').find_map(|f| f.strip_prefix("port="));
            node.online.extend(port.and_then(|p| p.parse::<u16>().ok()));
        }
    }
}

/// What only the whole view knows: lags, and the sentinels' opinion of each node.
fn finish(view: &mut View) {
    let end = view.nodes.iter().filter(|n| n.role == "primary").filter_map(|n| n.offset).max();
    for node in &mut view.nodes {
        if node.role == "replica" {
            node.lag = end.zip(node.offset).map(|(end, at)| end.saturating_sub(at));
        }
        let mut flags: Vec<&str> = Vec::new();
        for s in &view.sentinels {
            let said = if s.primary.is_some_and(|p| p.port() == node.port) {
                Some(s.flags.as_str())
            } else {
                s.replicas.get(&node.port).map(String::as_str)
            };
            flags.extend(said.filter(|f| !flags.contains(f)));
        }
        node.flags = flags.join(" | ");
    }
}

fn peers(reply: &crate::client::Value) -> BTreeMap<u16, String> {
    let of = |entry| {
        let f = fields(entry);
        Some((f.get("port")?.parse().ok()?, f.get("flags")?.clone()))
    };
    items(reply).iter().filter_map(of).collect()
}

/// The address in a `get-master-addr-by-name` reply.
pub fn addr(reply: &crate::client::Value) -> Option<SocketAddr> {
    match items(reply) {
        [host, port] => parse_addr(&text(host)?, &text(port)?),
        _ => None,
    }
}

fn parse_addr(host: &str, port: &str) -> Option<SocketAddr> {
    let ip: IpAddr = if host == "localhost" { [127, 0, 0, 1].into() } else { host.parse().ok()? };
    Some(SocketAddr::new(ip, port.parse().ok()?))
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
