//! Directives that the caller gives beside the layout, looked at before anything is written: later they would stand in the
//! files of members that do not start any more.

use anyhow::{Context, Result, anyhow, bail};
use tanist_config::LoadError;
use tanist_text::words::split;

use super::config::{read_node, read_sentinel};
use super::layout::{Kind, Layout, Program};
use crate::output::note;

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

impl Directives {
    /// Refuses what no member of this cluster could start with, and what is not for a directive to say.
    pub fn check(&self, layout: &Layout) -> Result<()> {
        for (kind, option) in [(Kind::Node, "--directive"), (Kind::Sentinel, "--sentinel-directive")] {
            for line in self.lines(kind) {
                check(layout, kind, line).with_context(|| format!("{option} '{line}'"))?;
            }
        }
        Ok(())
    }

    /// The password that the last `requirepass` line for members of this kind sets; an empty one takes it away.
    pub fn requirepass(&self, kind: Kind) -> Option<String> {
        self.lines(kind).iter().rev().find_map(|line| match words(line).ok()?.as_slice() {
            [name, value] if name.eq_ignore_ascii_case("requirepass") => Some(value.clone()),
            _ => None,
        })
    }

    /// The password in that line, if it sets one.
    pub fn password(&self, kind: Kind) -> Option<String> {
        self.requirepass(kind).filter(|password| !password.is_empty())
    }

    /// The lines for members of this kind.
    pub fn lines(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::Node => &self.node,
            Kind::Sentinel => &self.sentinel,
        }
    }
}

fn words(line: &str) -> Result<Vec<String>> {
    let words = split(line.as_bytes())?;
    Ok(words.into_iter().map(|word| String::from_utf8_lossy(&word).into_owned()).collect())
}

fn check(layout: &Layout, kind: Kind, line: &str) -> Result<()> {
    let words = words(line)?;
    let Some((name, args)) = words.split_first().filter(|_| !line.contains(['\n', '\r'])) else {
        bail!("not a directive (expected 'name value')");
    };
    if let Some(why) = spoken_for(kind, &name.to_ascii_lowercase(), args) {
        bail!("{why}");
    }
    let Some(member) = layout.members.iter().find(|m| m.kind == kind) else { return Ok(()) };
    if *layout.program(kind) != Program::Own {
        // What another server understands is its own affair.
        return Ok(());
    }
    match kind {
        Kind::Node => match read_node(layout, member, line.as_bytes()) {
            Ok(loaded) => {
                // It is in the nodes' logs too, where nobody looks who believes to have what was asked for.
                loaded
                    .warnings
                    .iter()
                    .for_each(|why| note(format_args!("warning: --directive '{line}': {why}")));
                Ok(())
            }
            Err(LoadError::Line(bad)) => bail!("{}", bad.reason),
            Err(bad) => bail!("{bad}"),
        },
        Kind::Sentinel => {
            let (group, port) = (&layout.name, member.port);
            let line = line.replace("%name%", group);
            read_sentinel(layout, member, &format!("sentinel monitor {group} 127.0.0.1 {port} 1\n{line}\n"))
                .map(drop)
                .map_err(|bad| anyhow!("{}", bad.why))
        }
    }
}

/// Why members of a local cluster cannot be told this: each of them is told something else already.
fn spoken_for(kind: Kind, name: &str, args: &[String]) -> Option<&'static str> {
    let reachable =
        |address: &String| matches!(address.trim_start_matches('-'), "127.0.0.1" | "0.0.0.0" | "*");
    let first = args.first().map(|word| word.to_ascii_lowercase());
    match (kind, name, first.as_deref()) {
        (_, "port", _) => {
            Some("every member has a port of its own; choose them with --port and --sentinel-port")
        }
        (_, "dir", _) => Some("every member has a folder of its own; choose where with --dir"),
        (_, "daemonize", Some("yes")) => {
            Some("members must not leave the process that was started; see --detach")
        }
        (_, "bind", _) if !args.iter().any(reachable) => {
            Some("members are reached at 127.0.0.1, which has to be among the addresses")
        }
        (Kind::Node, "replicaof" | "slaveof", _) => Some("who follows whom is for the sentinels to say"),
        (_, "logfile", Some(file)) if !file.is_empty() => {
            Some("every member's log is the file 'log' in its folder")
        }
        (_, "unixsocket" | "pidfile", Some(path)) if path.starts_with('/') => Some(
            "members would share that file; a path without '/' at its beginning is in a member's own folder",
        ),
        (Kind::Node, "replica-announce-ip" | "slave-announce-ip", Some(ip))
            if !["", "127.0.0.1"].contains(&ip) =>
        {
            Some("members are reached at 127.0.0.1")
        }
        (Kind::Node, "replica-announce-port" | "slave-announce-port", _) => {
            Some("every node is reached at a port of its own")
        }
        (Kind::Sentinel, "sentinel", Some("myid")) => Some("every sentinel has an identity of its own"),
        (Kind::Sentinel, "sentinel", Some("announce-port")) => {
            Some("every sentinel is reached at a port of its own")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::Member;
    use super::*;

    fn layout() -> Layout {
        let member = |kind, port| Member { kind, index: 1, port, process: None };
        Layout {
            dir: "/nowhere".into(),
            name: "tanist".into(),
            quorum: 1,
            members: vec![member(Kind::Node, 7001), member(Kind::Sentinel, 7101)],
            server: Program::Own,
            sentinel: Program::Own,
            password: None,
            sentinel_password: None,
            supervisor: None,
        }
    }

    fn checked(node: &[&str], sentinel: &[&str]) -> Result<(), String> {
        let own = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect();
        let directives = Directives { node: own(node), sentinel: own(sentinel), down_after_ms: None };
        directives.check(&layout()).map_err(|e| format!("{e:#}"))
    }

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
        assert_eq!(of(&["requirepass 'a \"b'"]), Some("a \"b".into()));
        assert_eq!(of(&["requirepass \"\""]), None);
        assert_eq!(of(&["maxmemory 1gb"]), None);
    }

    #[test]
    fn what_members_understand_is_let_through() {
        let sentinel = ["sentinel auth-pass %name% x", "maxclients 100", "sentinel resolve-hostnames yes"];
        assert_eq!(checked(&["maxmemory 1gb", "bind 0.0.0.0", "save 60 1"], &sentinel), Ok(()));
        assert_eq!(checked(&["daemonize no", "bind -::1 127.0.0.1"], &[]), Ok(()));
    }

    #[test]
    fn what_no_member_understands_is_named() {
        let bad = "Bad directive or wrong number of arguments";
        assert_eq!(checked(&["maxmemroy 1gb"], &[]), Err(format!("--directive 'maxmemroy 1gb': {bad}")));
        assert!(checked(&["maxmemory much"], &[]).unwrap_err().starts_with("--directive 'maxmemory much': "));
        assert!(checked(&["requirepass \"a"], &[]).unwrap_err().contains("Unbalanced quotes"));
        assert_eq!(checked(&[], &["nonsense 1"]), Err(format!("--sentinel-directive 'nonsense 1': {bad}")));
        assert!(checked(&[], &["sentinel parallel-syncs other 1"]).unwrap_err().contains("No such master"));
        assert!(checked(&[], &["sentinel monitor %name% 127.0.0.1 1 1"]).unwrap_err().contains("Duplicate"));
        for line in ["", "  ", "a b\nc d"] {
            assert!(checked(&[line], &[]).unwrap_err().contains("not a directive"), "{line:?}");
        }
    }

    #[test]
    fn what_each_member_is_told_already_is_refused() {
        for line in ["port 1", "DIR /tmp", "daemonize yes", "bind 10.0.0.1", "replicaof 127.0.0.1 1"] {
            assert!(checked(&[line], &[]).is_err(), "{line}");
        }
        let elsewhere =
            ["logfile x.log", "unixsocket /run/s", "pidfile /run/p", "replica-announce-ip 10.0.0.1"];
        for line in elsewhere {
            assert!(checked(&[line], &[]).is_err(), "{line}");
        }
        assert_eq!(checked(&["logfile \"\"", "unixsocket s", "replica-announce-ip 127.0.0.1"], &[]), Ok(()));
        for line in ["port 1", "sentinel myid aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert!(checked(&[], &[line]).is_err(), "{line}");
        }
    }
}
