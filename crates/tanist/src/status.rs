//! `tanist status` and the table that `up` shows live.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::cluster::{Layout, NodeView, SentinelView, View, Watcher};
use crate::output::report;

/// Show the cluster in a folder. Exit status 0 if all of it agrees, 1 if not.
#[derive(Args, Debug)]
pub struct Status {
    /// The cluster's folder
    #[arg(long, default_value = "cluster")]
    dir: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    /// Prints; returns whether all agree.
    pub fn execute(&self) -> Result<bool> {
        let layout = Layout::load(&self.dir)?;
        let view = Watcher::new(Duration::from_secs(1)).look(&layout);
        if self.json {
            report(serde_json::to_string_pretty(&as_json(&layout, &view))?)?;
        } else {
            report(table(&view) + &verdict(&view))?;
        }
        Ok(view.agreement().is_ok())
    }
}

/// One line on whether all agree.
pub fn verdict(view: &View) -> String {
    match view.agreement() {
        Ok(primary) => format!("all agree: the primary is {primary}"),
        Err(why) => format!("not in agreement: {why}"),
    }
}

/// Nodes and sentinels, a line each.
pub fn table(view: &View) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<11} {:>5} {:>8}  {:<8} {:>14} {:>10} {:<5} sentinels say",
        "node", "port", "pid", "role", "offset", "lag", "link"
    );
    for node in &view.nodes {
        out.push_str(&node_line(node));
    }
    let _ = writeln!(
        out,
        "{:<11} {:>5} {:>8}  {:<21} {:>6} {:>8} {:>9}",
        "sentinel", "port", "pid", "names as primary", "epoch", "replicas", "sentinels"
    );
    for sentinel in &view.sentinels {
        out.push_str(&sentinel_line(sentinel));
    }
    out
}

fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| v.to_string())
}

fn node_line(n: &NodeView) -> String {
    let role = match (n.answers, n.pid) {
        (true, _) if n.loading.is_some() => "loading",
        (true, _) => n.role.as_str(),
        (false, Some(_)) => "silent",
        (false, None) => "down",
    };
    let link = if n.link.is_empty() { "-" } else { &n.link };
    format!(
        "{:<11} {:>5} {:>8}  {:<8} {:>14} {:>10} {:<5} {}\n",
        n.label,
        n.port,
        or_dash(n.pid),
        role,
        or_dash(n.offset),
        or_dash(n.lag),
        link,
        n.flags
    )
}

fn sentinel_line(s: &SentinelView) -> String {
    if !s.answers {
        let state = if s.pid.is_some() { "silent" } else { "down" };
        return format!("{:<11} {:>5} {:>8}  {state}\n", s.label, s.port, or_dash(s.pid));
    }
    format!(
        "{:<11} {:>5} {:>8}  {:<21} {:>6} {:>8} {:>9}\n",
        s.label,
        s.port,
        or_dash(s.pid),
        or_dash(s.primary),
        s.config_epoch,
        s.replicas.len(),
        s.sentinels.len() + 1
    )
}

fn as_json(layout: &Layout, view: &View) -> Value {
    let node = |n: &NodeView| {
        json!({
            "name": n.label, "port": n.port, "pid": n.pid, "answers": n.answers, "role": n.role,
            "offset": n.offset, "lag": n.lag, "link": n.link, "flags": n.flags, "version": n.version,
            "loading": n.loading.is_some(), "loaded_percent": n.loading.flatten(),
            "follows": n.follows.map(|a| a.to_string()), "online_replicas": n.online,
        })
    };
    let sentinel = |s: &SentinelView| {
        json!({
            "name": s.label, "port": s.port, "pid": s.pid, "answers": s.answers, "flags": s.flags,
            "primary": s.primary.map(|a| a.to_string()), "config_epoch": s.config_epoch,
            "replicas": s.replicas, "sentinels": s.sentinels,
        })
    };
    let agreement = view.agreement();
    json!({
        "name": layout.name,
        "dir": layout.dir.to_string_lossy(),
        "agree": agreement.is_ok(),
        "primary": agreement.as_ref().ok().map(ToString::to_string),
        "reason": agreement.err(),
        "nodes": view.nodes.iter().map(node).collect::<Vec<_>>(),
        "sentinels": view.sentinels.iter().map(sentinel).collect::<Vec<_>>(),
    })
}
