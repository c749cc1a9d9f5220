//! The configuration files of a cluster's members.
//!
//! They are written once, when the folder is made. Afterwards they belong to the processes (which rewrite
//! them when roles change) and to the user; a later start only appends the directives it was given.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;

use anyhow::{Context, Error, Result, anyhow};
use tanist_config::{Included, LoadError, Loaded};
use tanist_runtime::include::include;
use tanist_sentinel::core::{BadConfig, Config, config_text};
use tanist_text::words::{quote, quote_if_needed};

use super::directives::Directives;
use super::layout::{Kind, Layout, Member, Program};

/// `down-after-milliseconds` of a new cluster.
const DOWN_AFTER_MS: u64 = 1000;

/// The member's first configuration.
pub fn first(layout: &Layout, member: &Member, directives: &Directives) -> String {
    match member.kind {
        Kind::Node => node(layout, member, directives),
        Kind::Sentinel => sentinel(layout, member, directives),
    }
}

/// Makes the member's folder and writes its first configuration.
pub fn write(layout: &Layout, member: &Member, text: &str) -> Result<()> {
    let dir = layout.member_dir(member);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let path = layout.conf(member);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// What directives that are given to a later start add to the member's configuration; later lines win. A password of the
/// nodes is told to who has to give it: the other nodes and the sentinels.
pub fn addition(layout: &Layout, member: &Member, directives: &Directives) -> String {
    let password = directives.requirepass(Kind::Node).map(|p| quote_if_needed(p.as_bytes()));
    let mut text: String = match (member.kind, password) {
        (Kind::Node, Some(password)) => format!("masterauth {password}\n"),
        (Kind::Sentinel, Some(password)) => format!("sentinel auth-pass {} {password}\n", layout.name),
        (_, None) => String::new(),
    };
    if let (Kind::Sentinel, Some(ms)) = (member.kind, directives.down_after_ms) {
        let _ = writeln!(text, "sentinel down-after-milliseconds {} {ms}", layout.name);
    }
    text.extend(directives.lines(member.kind).iter().map(|l| l.replace("%name%", &layout.name) + "\n"));
    text
}

/// Appends to the member's configuration.
pub fn append(layout: &Layout, member: &Member, addition: &str) -> Result<()> {
    if addition.is_empty() {
        return Ok(());
    }
    let path = layout.conf(member);
    let there = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut file = File::options()
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let written = file.write_all(joint(&there, addition).as_bytes());
    if written.is_err() {
        // Half a line, as on a full disk, would keep the member from starting.
        let _ = file.set_len(there.len() as u64);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// The addition, on lines of its own.
fn joint(there: &[u8], addition: &str) -> String {
    let between = if there.ends_with(b"\n") || there.is_empty() { "" } else { "\n" };
    format!("{between}{addition}")
}

/// Reads a node's configuration as the node does.
pub fn read_node(layout: &Layout, member: &Member, text: &[u8]) -> Result<Loaded, LoadError> {
    Loaded::read(text, &mut |pattern| include_of(layout, member, pattern))
}

/// Reads a sentinel's configuration as the sentinel does.
pub fn read_sentinel(layout: &Layout, member: &Member, text: &str) -> Result<Config, BadConfig> {
    Config::parse_with(text, "", &mut |pattern| include_of(layout, member, pattern))
}

/// A member works in its folder, wherever this process does.
fn include_of(layout: &Layout, member: &Member, pattern: &str) -> Result<Vec<Included>, String> {
    include(&layout.member_dir(member).join(pattern).to_string_lossy())
}

/// Refuses a configuration file that its member could not read, or that has lost what `tanist up` once wrote into it:
/// that member would be somebody else. The same for the file with this addition.
pub fn require_whole(layout: &Layout, member: &Member, addition: &str) -> Result<()> {
    let path = layout.conf(member);
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    require_usable(layout, member, &text)?;
    if addition.is_empty() {
        return Ok(());
    }
    let whole = [&text[..], joint(&text, addition).as_bytes()].concat();
    require_usable(layout, member, &whole).context("with these directives")
}

/// The same for the text of a file.
pub fn require_usable(layout: &Layout, member: &Member, text: &[u8]) -> Result<()> {
    let name = layout.conf(member).display().to_string();
    let lost = |what: &str| {
        anyhow!(
            "{name} is not whole: {what} is missing. Nothing was started; restore the file, or make a new cluster with \
             another --dir"
        )
    };
    if *layout.program(member.kind) != Program::Own {
        // Another server's file is its own affair.
        return if text.is_empty() { Err(lost("everything")) } else { Ok(()) };
    }
    let port = format!("'port {}'", member.port);
    match member.kind {
        Kind::Node => {
            let loaded = read_node(layout, member, text).map_err(|e| anyhow!("{name}: {e}"))?;
            if loaded.config.port != member.port {
                return Err(lost(&port));
            }
        }
        Kind::Sentinel => {
            let text = config_text(&name, text.to_vec()).map_err(Error::msg)?;
            let config = read_sentinel(layout, member, &text).map_err(|e| anyhow!("{}", e.of(&name)))?;
            if config.server().port != member.port {
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
        let _ = writeln!(out, "masterauth {}", quote_if_needed(password.as_bytes()));
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
        let _ = writeln!(out, "sentinel auth-pass {name} {}", quote_if_needed(password.as_bytes()));
    }
    for line in &directives.sentinel {
        let _ = writeln!(out, "{}", line.replace("%name%", name));
    }
    out
}

fn head(layout: &Layout, member: &Member) -> String {
    format!(
        "# {} of the cluster \"{}\", made by `tanist up`.\nbind 127.0.0.1\nport {}\ndir {}\n",
        member.label(),
        layout.name,
        member.port,
        quote(layout.member_dir(member).to_string_lossy().as_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_password_survives_the_files() {
        for password in ["plain", "a b", "\"quoted\"", "back\\slash", "é#'"] {
            let member = |kind, port| Member { kind, index: 1, port, process: None };
            let layout = Layout {
                dir: "/nowhere".into(),
                name: "tanist".into(),
                quorum: 1,
                members: vec![member(Kind::Node, 7001), member(Kind::Sentinel, 7101)],
                server: Program::Own,
                sentinel: Program::Own,
                password: Some(password.to_owned()),
                sentinel_password: None,
                supervisor: None,
            };
            let line = format!("requirepass {}", quote(password.as_bytes()));
            let directives = Directives { node: vec![line], ..Directives::default() };
            assert_eq!(directives.password(Kind::Node).as_deref(), Some(password));
            for more in [false, true] {
                let text = |member| {
                    let addition = if more { addition(&layout, member, &directives) } else { String::new() };
                    first(&layout, member, &directives) + &addition
                };
                let node =
                    read_node(&layout, &layout.members[0], text(&layout.members[0]).as_bytes()).unwrap();
                assert_eq!(node.config.masterauth, password);
                let sentinel = text(&layout.members[1]);
                require_usable(&layout, &layout.members[1], sentinel.as_bytes()).unwrap();
                let said = sentinel.lines().rfind(|l| l.starts_with("sentinel auth-pass")).unwrap();
                assert_eq!(tanist_text::words::split(said.as_bytes()).unwrap()[3], password.as_bytes());
            }
        }
    }
}
