//! The configuration files of a cluster's members.
//!
//! They are written once, when the folder is made. Afterwards they belong to the processes (which rewrite
//! them when roles change) and to the user; a later start only appends the directives it was given.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;

use anyhow::{Context, Result, bail};

use super::layout::{Kind, Layout, Member};

/// What the caller chose beside the layout.
#[derive(Clone, Debug, Default)]
pub struct Directives {
    /// Lines for every data node, `name value`.
    pub node: Vec<String>,
    /// Lines for every sentinel; `%name%` stands for the group's name.
    pub sentinel: Vec<String>,
    /// `down-after-milliseconds`.
    pub down_after_ms: u64,
}

impl Directives {
    /// Refuses what cannot be one line of a configuration file.
    pub fn check(&self) -> Result<()> {
        for line in self.node.iter().chain(&self.sentinel) {
            if line.trim().is_empty() || line.contains(['\n', '\r']) {
                bail!("not a directive: {line:?} (expected 'name value')");
            }
        }
        Ok(())
    }

    /// The value of the last `requirepass` line for members of this kind.
    pub fn password(&self, kind: Kind) -> Option<String> {
        let value = self.lines(kind).iter().rev().find_map(|line| {
            let (name, value) = line.trim().split_once(char::is_whitespace)?;
            name.eq_ignore_ascii_case("requirepass").then(|| value.trim().trim_matches('"').to_owned())
        })?;
        (!value.is_empty()).then_some(value)
    }

    fn lines(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::Node => &self.node,
            Kind::Sentinel => &self.sentinel,
        }
    }
}

/// Makes the member's folder and writes its first configuration.
pub fn write(layout: &Layout, member: &Member, directives: &Directives) -> Result<()> {
    let dir = layout.member_dir(member);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let text = match member.kind {
        Kind::Node => node(layout, member, directives),
        Kind::Sentinel => sentinel(layout, member, directives),
    };
    let path = layout.conf(member);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Appends directives given to a later start; later lines win.
pub fn append(layout: &Layout, member: &Member, directives: &Directives) -> Result<()> {
    let lines = directives.lines(member.kind);
    if lines.is_empty() {
        return Ok(());
    }
    let path = layout.conf(member);
    let mut file = File::options().append(true).open(&path)?;
    let text: String = lines.iter().map(|l| l.replace("%name%", &layout.name) + "\n").collect();
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

fn node(layout: &Layout, member: &Member, directives: &Directives) -> String {
    let mut out = head(layout, member);
    if let Some(password) = &layout.password {
        let _ = writeln!(out, "masterauth \"{password}\"");
    }
    // Nobody else is going to join a local cluster: the first full sync need not wait for company.
    out.push_str("repl-diskless-sync-delay 0\n");
    for line in &directives.node {
        let _ = writeln!(out, "{line}");
    }
    if member.index > 1 {
        let first = layout.nodes().find(|n| n.index == 1).map_or(0, |n| n.port);
        let _ = writeln!(out, "replicaof 127.0.0.1 {first}");
    }
    out
}

fn sentinel(layout: &Layout, member: &Member, directives: &Directives) -> String {
    let name = &layout.name;
    let first = layout.nodes().find(|n| n.index == 1).map_or(0, |n| n.port);
    let mut out = head(layout, member);
    let _ = writeln!(out, "sentinel monitor {name} 127.0.0.1 {first} {}", layout.quorum);
    let _ = writeln!(out, "sentinel down-after-milliseconds {name} {}", directives.down_after_ms);
    let _ = writeln!(out, "sentinel failover-timeout {name} 10000");
    let _ = writeln!(out, "sentinel parallel-syncs {name} {}", layout.nodes().count().max(1));
    if let Some(password) = &layout.password {
        let _ = writeln!(out, "sentinel auth-pass {name} {password}");
    }
    for line in &directives.sentinel {
        let _ = writeln!(out, "{}", line.replace("%name%", name));
    }
    out
}

fn head(layout: &Layout, member: &Member) -> String {
    format!(
        "# {} of the cluster \"{}\", made by `tanist up`.\nbind 127.0.0.1\nport {}\ndir \"{}\"\n",
        member.label(),
        layout.name,
        member.port,
        layout.member_dir(member).display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_password_counts() {
        let of = |lines: &[&str]| {
            let lines: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
            let of_nodes = Directives { node: lines.clone(), ..Directives::default() };
            let of_sentinels = Directives { sentinel: lines, ..Directives::default() };
            assert_eq!((of_nodes.password(Kind::Sentinel), of_sentinels.password(Kind::Node)), (None, None));
            assert_eq!(of_nodes.password(Kind::Node), of_sentinels.password(Kind::Sentinel));
            of_nodes.password(Kind::Node)
        };
        assert_eq!(of(&["requirepass one", "RequirePass \"two\""]), Some("two".into()));
        assert_eq!(of(&["requirepass \"\""]), None);
        assert_eq!(of(&["maxmemory 1gb"]), None);
    }

    #[test]
    fn a_directive_is_one_line() {
        let of = |line: &str| Directives { node: vec![line.into()], ..Directives::default() }.check();
        assert!(of("maxmemory 1gb").is_ok());
        assert!(of("a b\nc d").is_err());
        assert!(of("  ").is_err());
    }
}
