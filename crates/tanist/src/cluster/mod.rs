//! A local cluster of real processes: made, started, watched and stopped.

pub mod config;
pub mod directives;
pub mod layout;
pub mod ports;
pub mod process;
pub mod view;
mod wait;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};
use tanist_runtime::durable::Lock;

pub use directives::Directives;
pub use layout::{Kind, Layout, Member, Program};
pub use process::{Identity, Signal, hold_starts};
pub use view::{NodeView, SentinelView, View, Watcher};

use crate::client::Client;
use crate::output::note;
use wait::Wait;

/// How many of each, and where.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The data folder.
    pub dir: PathBuf,
    /// The group's name for the sentinels.
    pub name: String,
    /// Data nodes.
    pub nodes: u16,
    /// Sentinels.
    pub sentinels: u16,
    /// Port of the first node; the others follow.
    pub port: u16,
    /// Port of the first sentinel; the others follow.
    pub sentinel_port: u16,
    /// What nodes run.
    pub server: Program,
    /// What sentinels run.
    pub sentinel: Program,
}

/// A cluster, with the children that this process started for it.
#[derive(Debug)]
pub struct Cluster {
    /// Its members; also in the folder's `cluster.json`.
    pub layout: Layout,
    children: Vec<Child>,
    fresh: bool,
    claim: Option<Lock>,
}

/// How long a process may take to end by itself: a primary waits up to ten seconds for its replicas.
const STOP_GRACE: Duration = Duration::from_secs(12);

/// How long a node that does not end may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

impl Cluster {
    /// Makes the folder and the configuration files. Starts nothing.
    pub fn create(shape: &Shape, directives: &Directives) -> Result<Cluster> {
        let mut layout = plan(shape, directives)?;
        directives.check(&layout)?;
        ports::require_free(&layout.members.iter().map(|m| m.port).collect::<Vec<_>>())?;
        for (program, option) in [(&shape.server, "--server-bin"), (&shape.sentinel, "--sentinel-bin")] {
            if let Program::Path(path) = program
                && path.is_absolute()
                && !path.is_file()
            {
                bail!("{option} {}: there is no such program", path.display());
            }
        }
        let text = |layout: &Layout, member| config::first(layout, member, directives);
        for member in &layout.members {
            config::require_usable(&layout, member, text(&layout, member).as_bytes())
                .context("with these directives")?;
        }
        fs::create_dir_all(&shape.dir).with_context(|| format!("cannot make {}", shape.dir.display()))?;
        layout.dir = fs::canonicalize(&shape.dir)?;
        let claim = claim(&layout.dir)?;
        require_none(&layout.dir)?;
        if let Some(path) = layout.left_over() {
            bail!(
                "{} is of an earlier cluster, but its cluster.json is missing. Restore that, or choose another --dir",
                path.display()
            );
        }
        for member in &layout.members {
            config::write(&layout, member, &text(&layout, member))?;
        }
        layout.save()?;
        Ok(Cluster { layout, children: Vec::new(), fresh: true, claim: Some(claim) })
    }

    /// Opens a folder made before, whether its cluster runs or not.
    pub fn open(dir: &Path) -> Result<Cluster> {
        Ok(Cluster { layout: Layout::load(dir)?, children: Vec::new(), fresh: false, claim: None })
    }

    /// From now until [`Cluster::release`] no other command starts or stops members: two at once would each write down
    /// its own processes, and nobody would find the other's again.
    ///
    /// # Errors
    /// While another command has it.
    pub fn claim(&mut self) -> Result<()> {
        self.claim = Some(claim(&self.layout.dir)?);
        // As whoever had it before has left it.
        self.refresh()
    }

    /// Others may start and stop members again.
    pub fn release(&mut self) {
        self.claim = None;
    }

    /// Prepares a stopped cluster for another start. A new password reaches everybody who has to know it.
    pub fn revive(&mut self, directives: &Directives) -> Result<()> {
        self.claim()?;
        directives.check(&self.layout)?;
        if let Some(member) = self.layout.running().next() {
            bail!(
                "the cluster in {} is already up ({} has pid {}); `tanist status` shows it, `tanist down` stops it",
                self.layout.dir.display(),
                member.label(),
                member.process.map_or(0, |p| p.pid)
            );
        }
        ports::require_free(&self.layout.members.iter().map(|m| m.port).collect::<Vec<_>>())?;
        // All of them before the first is changed.
        let addition = |member| config::addition(&self.layout, member, directives);
        for member in &self.layout.members {
            config::require_whole(&self.layout, member, &addition(member))?;
        }
        for member in &self.layout.members {
            config::append(&self.layout, member, &addition(member))?;
        }
        for kind in [Kind::Node, Kind::Sentinel] {
            if directives.requirepass(kind).is_some() {
                self.layout.set_password(kind, directives.password(kind));
            }
        }
        self.layout.forget_ended();
        self.layout.save()
    }

    /// Starts every member. On a first start the replicas are online before the sentinels look. `go_on` is asked now and
    /// then, and ends the start with its error.
    pub fn start(&mut self, limit: Duration, go_on: impl FnMut() -> Result<()>) -> Result<()> {
        self.start_all(Kind::Node)?;
        self.wait_nodes(Wait::new(limit), go_on)?;
        self.start_all(Kind::Sentinel)
    }

    fn start_all(&mut self, kind: Kind) -> Result<()> {
        for i in 0..self.layout.members.len() {
            if self.layout.members[i].kind == kind {
                self.start_member(i)?;
            }
        }
        Ok(())
    }

    /// Starts (again) the member at position `i` and remembers its process.
    pub fn start_member(&mut self, i: usize) -> Result<()> {
        let _held = hold_starts();
        let child = process::spawn(&self.layout, &self.layout.members[i])?;
        let process = Identity::of(child.id() as i32);
        self.layout.members[i].process = process;
        self.children.push(child);
        let saved = self.layout.save();
        match process {
            None => Err(self.ended(&self.layout.members[i])),
            Some(process) => {
                if saved.is_err() {
                    // Nobody would find it again.
                    process.stop(STOP_GRACE);
                }
                saved
            }
        }
    }

    fn wait_nodes(&mut self, mut wait: Wait, mut go_on: impl FnMut() -> Result<()>) -> Result<()> {
        let mut watcher = Watcher::new(Duration::from_millis(500));
        let nodes_only = Layout { members: self.layout.nodes().cloned().collect(), ..self.layout.clone() };
        loop {
            self.fail_if_dead()?;
            let view = watcher.look(&nodes_only);
            if let Some(why) = view.refusal() {
                bail!(why);
            }
            let online = view.nodes.iter().map(|n| n.online.len()).sum::<usize>();
            let ready = view.nodes.iter().filter(|n| n.answers && n.loading.is_none()).count();
            let enough = if self.fresh { online + 1 } else { ready };
            if enough >= view.nodes.len() {
                return Ok(());
            }
            let silent: Vec<&str> =
                view.nodes.iter().filter(|n| !n.answers).map(|n| n.label.as_str()).collect();
            let loading: Vec<String> = view.nodes.iter().filter_map(NodeView::loads).collect();
            let reason = match (loading.as_slice(), silent.as_slice()) {
                ([], []) => format!("{online} of {} replicas online at the primary", view.nodes.len() - 1),
                ([], some) => format!("no answer from {}", some.join(", ")),
                (some, _) => some.join(", "),
            };
            wait.on(&reason, &view)?;
            go_on()?;
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits until all agree; the error says what was still missing. `go_on` is asked now and then, and ends the wait
    /// with its error.
    pub fn wait_agreement(&mut self, limit: Duration, mut go_on: impl FnMut() -> Result<()>) -> Result<View> {
        let mut wait = Wait::new(limit);
        let mut watcher = Watcher::new(Duration::from_millis(500));
        loop {
            self.fail_if_dead()?;
            let view = watcher.look(&self.layout);
            let reason = match view.agreement() {
                Ok(_) => return Ok(view),
                Err(reason) => reason,
            };
            if let Some(why) = view.refusal() {
                bail!(why);
            }
            wait.on(&reason, &view)?;
            go_on()?;
            sleep(Duration::from_millis(50));
        }
    }

    fn fail_if_dead(&mut self) -> Result<()> {
        self.reap();
        match self.layout.members.iter().find(|m| m.process.is_some() && !m.alive()) {
            Some(dead) => Err(self.ended(dead)),
            None => Ok(()),
        }
    }

    fn ended(&self, dead: &Member) -> Error {
        let tail = process::log_tail(&self.layout, dead, 8);
        anyhow!("{} ended by itself; the end of its log:\n{tail}", dead.label())
    }

    /// Collects children that ended, so that none stays a corpse.
    pub fn reap(&mut self) {
        self.children.retain_mut(|c| matches!(c.try_wait(), Ok(None)));
    }

    /// Reads `cluster.json` again: a drill may have restarted members meanwhile.
    pub fn refresh(&mut self) -> Result<()> {
        self.layout = Layout::load(&self.layout.dir)?;
        self.reap();
        Ok(())
    }

    /// Stops every member; returns the labels of those that had to be killed.
    ///
    /// A node that answers is killed only by `force`: it still saves its data, which takes as long as it takes, or it
    /// cannot save them and so does not end. That is an error, and what has not ended by then goes on.
    pub fn stop(&mut self, force: bool) -> Result<Vec<String>> {
        let mut killed = Vec::new();
        let ended = self.stop_in_order(force, &mut killed);
        self.layout.forget_ended();
        if let Err(e) = self.layout.save() {
            // What is written there names processes that are gone, and is known to.
            note(format_args!("{e:#}; those that have ended have ended all the same"));
        }
        ended.map(|()| killed)
    }

    fn stop_in_order(&mut self, force: bool, killed: &mut Vec<String>) -> Result<()> {
        for group in stop_order(&self.layout) {
            let doomed: Vec<(&Member, Identity)> = group
                .into_iter()
                .filter_map(|i| self.layout.members[i].process.map(|p| (&self.layout.members[i], p)))
                .filter(|(_, p)| p.alive())
                .collect();
            // All of a group at once, then wait for each.
            for (_, process) in &doomed {
                process.signal(Signal::CONT);
                process.signal(Signal::TERM);
            }
            for (member, process) in doomed {
                if !self.end(member, process, force)? {
                    killed.push(member.label());
                }
            }
            self.reap();
        }
        Ok(())
    }

    /// Waits until a member that was told to end has ended; whether it did so by itself.
    fn end(&self, member: &Member, process: Identity, force: bool) -> Result<bool> {
        while !process.wait_gone(STOP_GRACE) {
            match self.saving(member).filter(|_| !force) {
                None => return Ok(process.stop(Duration::ZERO)),
                Some(true) => note(format_args!("{} still saves its data", member.label())),
                Some(false) => bail!(
                    "{label} cannot save its data and goes on, so that nothing is lost; the end of its log:\n{tail}mend \
                     that and try again, or give up what is not saved with `tanist down --force`",
                    label = member.label(),
                    tail = process::log_tail(&self.layout, member, 4)
                ),
            }
        }
        Ok(true)
    }

    /// Whether a node is saving its data; `None` if it is no node, or does not answer.
    fn saving(&self, member: &Member) -> Option<bool> {
        if member.kind != Kind::Node {
            return None;
        }
        let client = Client::login(member.addr(), ANSWER, self.layout.password.as_deref());
        match client.and_then(|mut client| client.info("persistence")) {
            Ok(info) => Some(info.get("rdb_bgsave_in_progress").is_some_and(|saves| saves == "1")),
            // It answers, if only that the password is another one by now.
            Err(e) if e.kind() == ErrorKind::Other => Some(false),
            Err(_) => None,
        }
    }
}

fn claim(dir: &Path) -> Result<Lock> {
    Lock::acquire(dir).map_err(|e| match e.kind() {
        ErrorKind::WouldBlock => anyhow!(
            "another `tanist` command is starting, stopping or drilling the cluster in {}",
            dir.display()
        ),
        _ => anyhow!("cannot lock {}: {e}", dir.display()),
    })
}

fn require_none(dir: &Path) -> Result<()> {
    if Layout::exists(dir) {
        bail!("{} already holds a cluster", dir.display());
    }
    Ok(())
}

/// Sentinels first, then the primary (it hands its last bytes to the replicas), then the rest.
fn stop_order(layout: &Layout) -> [Vec<usize>; 3] {
    let view = Watcher::new(Duration::from_millis(200)).look(layout);
    let primary = |m: &Member| view.nodes.iter().any(|n| n.port == m.port && n.role == "primary");
    let mut order = [Vec::new(), Vec::new(), Vec::new()];
    for (i, member) in layout.members.iter().enumerate() {
        let slot = match member.kind {
            Kind::Sentinel => 0,
            Kind::Node if primary(member) => 1,
            Kind::Node => 2,
        };
        order[slot].push(i);
    }
    order
}

fn plan(shape: &Shape, directives: &Directives) -> Result<Layout> {
    if shape.nodes == 0 || shape.sentinels == 0 {
        bail!("a cluster needs at least one node and one sentinel");
    }
    // In their hello messages sentinels put it between commas.
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b',' | b'"' | b'\'' | b'\\' | b'#');
    if shape.name.is_empty() || !shape.name.bytes().all(plain) {
        bail!("--name '{}': a name has no blanks, commas, quotes or letters beyond ASCII", shape.name);
    }
    require_none(&shape.dir)?;
    let mut members = Vec::new();
    for (kind, count, base, option) in [
        (Kind::Node, shape.nodes, shape.port, "--port"),
        (Kind::Sentinel, shape.sentinels, shape.sentinel_port, "--sentinel-port"),
    ] {
        for i in 0..count {
            let Some(port) = base.checked_add(i).filter(|p| *p > 0) else {
                bail!("{option} {base} leaves no room for {count} ports: they go from 1 to 65535");
            };
            if members.iter().any(|m: &Member| m.port == port) {
                bail!("port {port} is given to two members; choose --port and --sentinel-port further apart");
            }
            members.push(Member { kind, index: usize::from(i) + 1, port, process: None });
        }
    }
    Ok(Layout {
        dir: std::path::absolute(&shape.dir)?,
        name: shape.name.clone(),
        quorum: usize::from(shape.sentinels) / 2 + 1,
        members,
        server: shape.server.clone(),
        sentinel: shape.sentinel.clone(),
        password: directives.password(Kind::Node),
        sentinel_password: directives.password(Kind::Sentinel),
        supervisor: None,
    })
}
