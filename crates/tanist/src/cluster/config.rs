//! The configuration files of a cluster's members.
//!
//! They are written once, when the folder is made. Afterwards they belong to the processes (which rewrite
//! them when roles change) and to the user; a later start only appends the directives it was given.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;

use anyhow::{Context, Error, Result, anyhow, bail};
use tanist_runtime::include::include;

use super::layout::{Kind, Layout, Member, Program};

/// What the caller chose beside the layout.
#[derive(Clone, Debug, Default)]
pub struct Directives {
    /// Lines for every data node, `name value`.
    pub node: Vec<String>,
    /// Lines for every sentinel; `%name%` stands for the group's name.
    pub sentinel: Vec<String>,
    /// `down-after-milliseconds`, if it is not to be left as it is, or a second in a new cluster.
    pub down_after_ms: Option<u64>,
}

/// `down-after-milliseconds` of a new cluster.
const DOWN_AFTER_MS: u64 = 1000;

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

    /// What the last `requirepass` line for members of this kind says, as it stands there.
    pub fn requirepass(&self, kind: Kind) -> Option<&str> {
        self.lines(kind).iter().rev().find_map(|line| {
            let (name, value) = line.trim().split_once(char::is_whitespace)?;
            name.eq_ignore_ascii_case("requirepass").then(|| value.trim())
        })
    }

    /// The password in that line, if it sets one.
    pub fn password(&self, kind: Kind) -> Option<String> {
        let value = self.requirepass(kind)?.trim_matches('"').to_owned();
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

/// Appends directives given to a later start; later lines win. A password of the nodes is told to who has to give it:
/// the other nodes and the sentinels.
pub fn append(layout: &Layout, member: &Member, directives: &Directives) -> Result<()> {
    let mut text: String = match (member.kind, directives.requirepass(Kind::Node)) {
        (Kind::Node, Some(password)) => format!("masterauth {password}\n"),
        (Kind::Sentinel, Some(password)) => format!("sentinel auth-pass {} {password}\n", layout.name),
        (_, None) => String::new(),
    };
    if let (Kind::Sentinel, Some(ms)) = (member.kind, directives.down_after_ms) {
        let _ = writeln!(text, "sentinel down-after-milliseconds {} {ms}", layout.name);
    }
    text.extend(directives.lines(member.kind).iter().map(|l| l.replace("%name%", &layout.name) + "\n"));
    if text.is_empty() {
        return Ok(());
    }
    let path = layout.conf(member);
    let there = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if !there.ends_with(b"\n") && !there.is_empty() {
        text.insert(0, '\n');
    }
    let mut file = File::options()
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

/// Refuses a configuration file that its member could not read, or that has lost what `tanist up` once wrote into it:
/// that member would be somebody else.
pub fn require_whole(layout: &Layout, member: &Member) -> Result<()> {
    let path = layout.conf(member);
    let lost = |what: &str| {
        anyhow!(
            "{} is not whole: {what} is missing. Nothing was started; restore the file, or make a new cluster with \
             another --dir",
            path.display()
        )
    };
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let program = if member.kind == Kind::Node { &layout.server } else { &layout.sentinel };
    if *program != Program::Own {
        // Another server's file is its own affair.
        return if text.is_empty() { Err(lost("everything")) } else { Ok(()) };
    }
    let port = format!("'port {}'", member.port);
    // The member works in its folder, wherever this process does.
    let mut reader = |pattern: &str| include(&layout.member_dir(member).join(pattern).to_string_lossy());
    match member.kind {
        Kind::Node => {
            let loaded = tanist_config::Loaded::read(&text, &mut reader)
                .map_err(|e| anyhow!("{}: {e}", path.display()))?;
            if loaded.config.port != member.port {
                return Err(lost(&port));
            }
        }
        Kind::Sentinel => {
            let text =
                tanist_sentinel::core::config_text(&path.display().to_string(), text).map_err(Error::msg)?;
            let config = tanist_sentinel::core::Config::parse_with(&text, "", &mut reader)
                .map_err(|e| anyhow!("{}", e.of(&path.display().to_string())))?;
            if config.directive("port") != Some(&[member.port.to_string()]) {
                return Err(lost(&port));
            }
            if !config.monitors(&layout.name) {
                return Err(lost(&format!("'sentinel monitor {}'", layout.name)));
            }
        }
    }
    Ok(())
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
    let _ = writeln!(
        out,
        "sentinel down-after-milliseconds {name} {}",
        directives.down_after_ms.unwrap_or(DOWN_AFTER_MS)
    );
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
