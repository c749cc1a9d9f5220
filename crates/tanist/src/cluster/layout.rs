//! What a local cluster consists of, and the file that remembers it.
//!
//! `cluster.json` in the data folder holds the members, their ports and the processes last started, so that
//! `status`, `down`, a drill and a later `up` find what an earlier command made. A process is named by its
//! pid *and* its start time: a pid alone may meanwhile belong to a stranger.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tanist_runtime::durable;

use super::process::Identity;

/// Data node or sentinel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Holds data.
    Node,
    /// Watches nodes.
    Sentinel,
}

/// One process of the cluster.
#[derive(Clone, Debug)]
pub struct Member {
    /// What it runs.
    pub kind: Kind,
    /// From 1.
    pub index: usize,
    /// Its only port.
    pub port: u16,
    /// The process last started for it.
    pub process: Option<Identity>,
}

impl Member {
    /// `node-1`, `sentinel-3`: its folder, and its name in every output.
    pub fn label(&self) -> String {
        match self.kind {
            Kind::Node => format!("node-{}", self.index),
            Kind::Sentinel => format!("sentinel-{}", self.index),
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port)
    }

    /// Whether the process last started for it still runs.
    pub fn alive(&self) -> bool {
        self.process.as_ref().is_some_and(Identity::alive)
    }
}

/// Which program plays a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// This very binary under another name.
    Own,
    /// Another server with the same command line, for comparison.
    Path(PathBuf),
}

/// A whole local cluster.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The data folder, absolute.
    pub dir: PathBuf,
    /// The name the sentinels know the group by.
    pub name: String,
    /// Sentinels that must agree that the primary is down.
    pub quorum: usize,
    /// Data nodes, then sentinels.
    pub members: Vec<Member>,
    /// What data nodes run.
    pub server: Program,
    /// What sentinels run.
    pub sentinel: Program,
    /// The nodes' `requirepass`, if a directive set one.
    pub password: Option<String>,
    /// The sentinels'.
    pub sentinel_password: Option<String>,
    /// The `up` in whose foreground the cluster runs.
    pub supervisor: Option<Identity>,
}

const FILE: &str = "cluster.json";

impl Layout {
    /// Data nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| m.kind == Kind::Node)
    }

    /// Sentinels.
    pub fn sentinels(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| m.kind == Kind::Sentinel)
    }

    /// With what to authenticate to members of this kind.
    pub fn password(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Node => self.password.as_deref(),
            Kind::Sentinel => self.sentinel_password.as_deref(),
        }
    }

    /// From now on members of this kind are authenticated to like this.
    pub fn set_password(&mut self, kind: Kind, password: Option<String>) {
        match kind {
            Kind::Node => self.password = password,
            Kind::Sentinel => self.sentinel_password = password,
        }
    }

    /// What members of this kind run.
    pub fn program(&self, kind: Kind) -> &Program {
        match kind {
            Kind::Node => &self.server,
            Kind::Sentinel => &self.sentinel,
        }
    }

    /// The folder of one member.
    pub fn member_dir(&self, member: &Member) -> PathBuf {
        self.dir.join(member.label())
    }

    /// The configuration file of one member.
    pub fn conf(&self, member: &Member) -> PathBuf {
        let file = if member.kind == Kind::Node { "tanist.conf" } else { "sentinel.conf" };
        self.member_dir(member).join(file)
    }

    /// The member that listens at `addr`.
    pub fn at(&self, addr: SocketAddr) -> Option<&Member> {
        self.members.iter().find(|m| m.addr() == addr)
    }

    /// Position of the member called `label`.
    pub fn position(&self, label: &str) -> Option<usize> {
        self.members.iter().position(|m| m.label() == label)
    }

    /// Members whose process runs.
    pub fn running(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| m.alive())
    }

    /// Forgets members that have ended; nobody supervises the others.
    pub fn forget_ended(&mut self) {
        self.members.iter_mut().for_each(|m| m.process = m.process.filter(Identity::alive));
        self.supervisor = None;
    }

    /// Whether a cluster was ever made in `dir`.
    pub fn exists(dir: &Path) -> bool {
        dir.join(FILE).exists()
    }

    /// Writes `cluster.json`, whole or not at all.
    pub fn save(&self) -> Result<()> {
        let path = self.dir.join(FILE);
        let text = serde_json::to_string_pretty(&self.to_json())? + "\n";
        durable::write(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads what an earlier command wrote in `dir`.
    pub fn load(dir: &Path) -> Result<Layout> {
        if !Layout::exists(dir) {
            bail!("no cluster in {}: `tanist up` makes one, --dir names another folder", dir.display());
        }
        let dir = fs::canonicalize(dir).with_context(|| format!("cannot open {}", dir.display()))?;
        let path = dir.join(FILE);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let damaged = || {
            format!(
                "{} is damaged; the members' data are untouched. Restore it, or make a new cluster with another --dir",
                path.display()
            )
        };
        let json: Value = serde_json::from_slice(&bytes).with_context(damaged)?;
        Layout::from_json(dir, &json).with_context(damaged)
    }

    /// The first file of a member in `dir` that is more than a first configuration, when `cluster.json` is not there: that
    /// of an earlier cluster, whose data a new one would take for its own.
    pub fn left_over(&self) -> Option<PathBuf> {
        let configuration = |path: &PathBuf| self.members.iter().any(|m| self.conf(m) == *path);
        let files = |member: &Member| fs::read_dir(self.member_dir(member)).into_iter().flatten().flatten();
        self.members.iter().flat_map(files).map(|entry| entry.path()).find(|path| !configuration(path))
    }

    fn to_json(&self) -> Value {
        let members: Vec<Value> = self
            .members
            .iter()
            .map(|m| json!({"name": m.label(), "port": m.port, "process": identity_json(m.process.as_ref())}))
            .collect();
        json!({
            "name": self.name,
            "quorum": self.quorum,
            "members": members,
            "server": program_json(&self.server),
            "sentinel": program_json(&self.sentinel),
            "password": self.password,
            "sentinel_password": self.sentinel_password,
            "supervisor": identity_json(self.supervisor.as_ref()),
        })
    }

    fn from_json(dir: PathBuf, json: &Value) -> Result<Layout> {
        let members = json["members"].as_array().context("members")?;
        let members = members.iter().map(member_from).collect::<Result<Vec<_>>>()?;
        Ok(Layout {
            dir,
            name: json["name"].as_str().context("name")?.to_owned(),
            quorum: json["quorum"].as_u64().context("quorum")? as usize,
            members,
            server: program_from(&json["server"]),
            sentinel: program_from(&json["sentinel"]),
            password: json["password"].as_str().map(str::to_owned),
            sentinel_password: json["sentinel_password"].as_str().map(str::to_owned),
            supervisor: identity_from(&json["supervisor"]),
        })
    }
}

fn member_from(json: &Value) -> Result<Member> {
    let name = json["name"].as_str().context("member name")?;
    let (kind, index) = match name.rsplit_once('-').context("member name")? {
        ("node", n) => (Kind::Node, n),
        ("sentinel", n) => (Kind::Sentinel, n),
        _ => bail!("unknown member {name:?}"),
    };
    let port = json["port"].as_u64().and_then(|p| u16::try_from(p).ok()).context("member port")?;
    Ok(Member { kind, index: index.parse()?, port, process: identity_from(&json["process"]) })
}

fn identity_json(identity: Option<&Identity>) -> Value {
    identity.map_or(Value::Null, |i| json!({"pid": i.pid, "started": i.started}))
}

fn identity_from(json: &Value) -> Option<Identity> {
    let pid = i32::try_from(json["pid"].as_i64()?).ok()?;
    Some(Identity { pid, started: json["started"].as_u64()? })
}

fn program_json(program: &Program) -> Value {
    match program {
        Program::Own => Value::Null,
        Program::Path(path) => json!(path.to_string_lossy()),
    }
}

fn program_from(json: &Value) -> Program {
    json.as_str().map_or(Program::Own, |p| Program::Path(PathBuf::from(p)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(dir: PathBuf) -> Layout {
        let me = Identity::of(std::process::id() as i32);
        Layout {
            dir,
            name: "tanist".into(),
            quorum: 2,
            members: vec![
                Member { kind: Kind::Node, index: 1, port: 7001, process: me },
                Member { kind: Kind::Sentinel, index: 1, port: 7101, process: None },
            ],
            server: Program::Own,
            sentinel: Program::Path("/usr/bin/redis-sentinel".into()),
            password: Some("secret".into()),
            sentinel_password: Some("other".into()),
            supervisor: None,
        }
    }

    #[test]
    fn survives_the_file() {
        let layout = sample("/nowhere".into());
        let back = Layout::from_json(layout.dir.clone(), &layout.to_json()).unwrap();
        assert_eq!(format!("{layout:?}"), format!("{back:?}"));
        assert!(back.members[0].alive(), "this very process runs");
        assert!(!back.members[1].alive());
    }

    #[test]
    fn a_reused_pid_is_a_stranger() {
        let mut layout = sample("/nowhere".into());
        layout.members[0].process.as_mut().unwrap().started += 1;
        assert!(!layout.members[0].alive());
    }

    #[test]
    fn damage_is_an_error() {
        let mut json = sample("/nowhere".into()).to_json();
        json["members"][0]["port"] = json!(70000);
        assert!(Layout::from_json("/nowhere".into(), &json).is_err());
        assert!(Layout::from_json("/nowhere".into(), &json!({})).is_err());
    }
}
