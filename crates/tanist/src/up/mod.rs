//! `tanist up` and `tanist down`: a whole cluster from one command.

mod live;
mod welcome;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::cluster::{Cluster, Directives, Identity, Layout, Shape, Signal};
use crate::drill::command::program;
use crate::output::say;
use crate::signals;

/// Start a cluster of separate processes and show it; Ctrl-C stops it.
#[derive(Args, Debug)]
pub struct Up {
    /// Data nodes: one primary, the rest replicas; 3 in a new cluster
    #[arg(long)]
    nodes: Option<u16>,
    /// Sentinels; 3 in a new cluster
    #[arg(long)]
    sentinels: Option<u16>,
    /// Where its data, configuration and logs live; made if missing, used again if not
    #[arg(long, default_value = "cluster")]
    dir: PathBuf,
    /// Port of the first node, the others follow; 6379 in a new cluster
    #[arg(long)]
    port: Option<u16>,
    /// Port of the first sentinel, the others follow; 26379 in a new cluster
    #[arg(long)]
    sentinel_port: Option<u16>,
    /// The name by which clients ask the sentinels for the primary; tanist in a new cluster
    #[arg(long)]
    name: Option<String>,
    /// A sentinel's down-after-milliseconds; 1000 in a new cluster
    #[arg(long, value_name = "MS")]
    down_after: Option<u64>,
    /// Extra directive for every node, 'name value'
    #[arg(long, value_name = "LINE")]
    directive: Vec<String>,
    /// Extra directive for every sentinel; %name% is the group's name
    #[arg(long, value_name = "LINE")]
    sentinel_directive: Vec<String>,
    /// Return once the cluster is up; `tanist down` stops it
    #[arg(long)]
    detach: bool,
    /// Run another server instead, e.g. /usr/bin/redis-server
    #[arg(long, value_name = "PATH")]
    server_bin: Option<PathBuf>,
    /// Run another sentinel instead
    #[arg(long, value_name = "PATH")]
    sentinel_bin: Option<PathBuf>,
}

/// How long six processes may take to find each other.
const PATIENCE: Duration = Duration::from_secs(60);

impl Up {
    /// Starts it; in the foreground, returns when it has been stopped.
    pub fn execute(&self) -> Result<()> {
        let stop = signals::stop_flag()?;
        let mut cluster = self.prepare()?;
        // Until it is complete `tanist down` ends this process in any case, which then ends the others.
        cluster.layout.supervisor = Identity::of(std::process::id() as i32);
        if let Err(e) = self.bring_up(&mut cluster, &stop) {
            return Err(match halt(&mut cluster, false) {
                Ok(()) => e,
                Err(also) => e.context(format!("{also:#}; before that")),
            });
        }
        if self.detach {
            cluster.layout.supervisor = None;
            cluster.layout.save()?;
        }
        cluster.release();
        say(welcome::text(&cluster.layout, self.detach).trim_end());
        if let Some(warning) = welcome::warning(&cluster.layout) {
            say(warning);
        }
        if self.detach {
            return Ok(());
        }
        let shown = live::show(&mut cluster, &stop);
        say("stopping ...");
        halt(&mut cluster, false)?;
        say(format_args!("stopped; the data are in {}", cluster.layout.dir.display()));
        shown
    }

    fn prepare(&self) -> Result<Cluster> {
        let directives = Directives {
            node: self.directive.clone(),
            sentinel: self.sentinel_directive.clone(),
            down_after_ms: self.down_after,
        };
        if !Layout::exists(&self.dir) {
            return Cluster::create(&self.shape(), &directives);
        }
        let mut cluster = Cluster::open(&self.dir)?;
        self.same_shape(&cluster.layout)?;
        self.same_programs(&cluster.layout)?;
        cluster.revive(&directives)?;
        Ok(cluster)
    }

    /// A folder keeps its shape: ports are in its nodes' and sentinels' own files.
    fn same_shape(&self, layout: &Layout) -> Result<()> {
        let dir = layout.dir.display();
        if self.name.as_ref().is_some_and(|name| *name != layout.name) {
            bail!(
                "the cluster in {dir} is called {}; start it without --name, or choose another --dir",
                layout.name
            );
        }
        let (nodes, sentinels) = (layout.nodes().count(), layout.sentinels().count());
        let port = layout.nodes().next().map_or(0, |m| m.port);
        let sentinel_port = layout.sentinels().next().map_or(0, |m| m.port);
        let same = self.nodes.is_none_or(|n| usize::from(n) == nodes)
            && self.sentinels.is_none_or(|n| usize::from(n) == sentinels)
            && self.port.is_none_or(|p| p == port)
            && self.sentinel_port.is_none_or(|p| p == sentinel_port);
        if same {
            return Ok(());
        }
        bail!(
            "the cluster in {dir} has {nodes} nodes from port {port} and {sentinels} sentinels from port \
             {sentinel_port}; start it without these options, or choose another --dir"
        )
    }

    /// So do its programs: what one has written another may not understand.
    fn same_programs(&self, layout: &Layout) -> Result<()> {
        let asked = [(&self.server_bin, &layout.server), (&self.sentinel_bin, &layout.sentinel)];
        if asked.iter().all(|(bin, has)| bin.is_none() || program(bin.as_ref()) == **has) {
            return Ok(());
        }
        bail!("the cluster in {} was made with other programs; choose another --dir", layout.dir.display())
    }

    fn bring_up(&self, cluster: &mut Cluster, stop: &AtomicBool) -> Result<()> {
        let began = Instant::now();
        let (count, dir) = (cluster.layout.members.len(), cluster.layout.dir.display());
        say(format_args!("starting {count} processes in {dir}"));
        let go_on = || {
            if stop.load(Ordering::Relaxed) {
                bail!("stopped before the cluster was complete");
            }
            Ok(())
        };
        cluster.start(PATIENCE, go_on)?;
        cluster
            .wait_agreement(PATIENCE, go_on)
            .with_context(|| format!("see the logs in {}", cluster.layout.dir.display()))?;
        say(format_args!("all agree after {:.1} s", began.elapsed().as_secs_f64()));
        Ok(())
    }

    fn shape(&self) -> Shape {
        Shape {
            dir: self.dir.clone(),
            name: self.name.clone().unwrap_or_else(|| "tanist".to_owned()),
            nodes: self.nodes.unwrap_or(3),
            sentinels: self.sentinels.unwrap_or(3),
            port: self.port.unwrap_or(6379),
            sentinel_port: self.sentinel_port.unwrap_or(26379),
            server: program(self.server_bin.as_ref()),
            sentinel: program(self.sentinel_bin.as_ref()),
        }
    }
}

/// Stops all members: those that the folder's file names or, if it cannot be read, those that were started here.
fn halt(cluster: &mut Cluster, force: bool) -> Result<()> {
    let known = cluster.refresh();
    for label in cluster.stop(force)? {
        say(format_args!("{label} did not end in time and was killed"));
    }
    known
}

/// Ends the `up` that is the cluster's supervisor; it stops the members, as far as they let themselves be stopped.
fn stop_up(up: &Identity) -> Result<()> {
    up.signal(Signal::TERM);
    if !up.wait_gone(PATIENCE) {
        bail!("the `tanist up` with pid {} does not end", up.pid);
    }
    Ok(())
}

/// Stop the cluster in a folder.
#[derive(Args, Debug)]
pub struct Down {
    /// The cluster's folder
    #[arg(long, default_value = "cluster")]
    dir: PathBuf,
    /// Also kill nodes that do not end because they cannot save their data
    #[arg(long)]
    force: bool,
}

impl Down {
    /// Stops it; through the `up` that runs it in the foreground, if there is one.
    pub fn execute(&self) -> Result<()> {
        let mut cluster = Cluster::open(&self.dir)?;
        let began = Instant::now();
        loop {
            if let Some(up) = cluster.layout.supervisor.filter(Identity::alive) {
                stop_up(&up)?;
                cluster.refresh()?;
                if cluster.layout.running().next().is_none() {
                    say("stopped");
                    return Ok(());
                }
            }
            match cluster.claim() {
                Ok(()) => break,
                Err(e) if began.elapsed() > PATIENCE => return Err(e),
                // One that starts says soon who it is; others end by themselves.
                Err(_) => sleep(Duration::from_millis(50)),
            }
            cluster.refresh()?;
        }
        if cluster.layout.running().next().is_none() {
            say(format_args!("nothing runs in {}", cluster.layout.dir.display()));
            return Ok(());
        }
        halt(&mut cluster, self.force)?;
        say("stopped");
        Ok(())
    }
}
