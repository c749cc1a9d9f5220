//! Reads the lines of `INFO` that a sentinel needs. Unknown lines and broken values are skipped: a node of any
//! version may answer.

use super::addr::Addr;
use tanist_types::RunId;

/// The role that a node reports of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// It takes writes.
    Primary,
    /// It follows another node.
    Replica,
}

impl Role {
    /// The word used in replies and events.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Role::Primary => "master",
            Role::Replica => "slave",
        }
    }
}

/// What one `INFO` said. Fields that were absent keep their default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct NodeInfo {
    pub(crate) run_id: Option<RunId>,
    pub(crate) role: Option<Role>,
    /// Whom a replica follows.
    pub(crate) primary: Option<Addr>,
    pub(crate) link_up: bool,
    /// Seconds since a replica lost its primary; -1 if it never had it.
    pub(crate) link_down_secs: i64,
    pub(crate) priority: u32,
    pub(crate) replica_offset: u64,
    pub(crate) primary_offset: u64,
    /// Whether a replica wants to be listed.
    pub(crate) announced: bool,
    /// The replicas that a primary lists.
    pub(crate) replicas: Vec<Addr>,
    pub(crate) loading: bool,
    /// Present on Tanist nodes only.
    pub(crate) tanist_version: Option<String>,
    /// Present on Tanist nodes only: primary, replica, idle or loading.
    pub(crate) tanist_role: Option<String>,
}

impl NodeInfo {
    /// Reads the text of an `INFO` reply.
    pub(crate) fn parse(text: &str) -> NodeInfo {
        let mut info = NodeInfo { priority: 100, announced: true, link_down_secs: -1, ..NodeInfo::default() };
        let (mut host, mut port) = (None, None);
        // A node says a lot more than what is looked for here.
        let may_matter = |line: &&str| matches!(line.bytes().next(), Some(b'l' | b'm' | b'r' | b's' | b't'));
        for line in text.split('\n').filter(may_matter) {
            let Some((key, value)) = line.trim_end().split_once(':') else { continue };
            match key {
                "run_id" => info.run_id = value.parse().ok(),
                "role" => info.role = parse_role(value),
                "master_host" => host = Some(value),
                "master_port" => port = value.parse::<u16>().ok(),
                "master_link_status" => info.link_up = value == "up",
                "master_link_down_since_seconds" => info.link_down_secs = value.parse().unwrap_or(-1),
                "slave_priority" => info.priority = value.parse().unwrap_or(100),
                "slave_repl_offset" => info.replica_offset = value.parse().unwrap_or(0),
                "master_repl_offset" => info.primary_offset = value.parse().unwrap_or(0),
                "replica_announced" => info.announced = value != "0",
                "loading" => info.loading = value == "1",
                "tanist_version" => info.tanist_version = Some(value.to_owned()),
                "tanist_role" => info.tanist_role = Some(value.to_owned()),
                _ if is_replica_line(key) => info.replicas.extend(parse_replica(value)),
                _ => {}
            }
        }
        if let (Some(host), Some(port)) = (host, port)
            && !host.is_empty()
            && port != 0
        {
            info.primary = Some(Addr::new(host, port));
        }
        info
    }

    /// The position that counts in a comparison: what a replica has, or what a primary has produced.
    pub(crate) fn offset(&self) -> u64 {
        match self.role {
            Some(Role::Primary) => self.primary_offset,
            _ => self.replica_offset,
        }
    }
}

fn parse_role(word: &str) -> Option<Role> {
    match word {
        "master" => Some(Role::Primary),
        "slave" => Some(Role::Replica),
        _ => None,
    }
}

/// `slave0`, `slave1`, ...: not `slave_priority`.
fn is_replica_line(key: &str) -> bool {
    key.strip_prefix("slave").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// `ip=127.0.0.1,port=6380,state=online,...`, or the oldest form `127.0.0.1,6380,online`.
fn parse_replica(value: &str) -> Option<Addr> {
    let (mut host, mut port) = (None, None);
    for (i, field) in value.split(',').enumerate() {
        match field.split_once('=') {
            Some(("ip", v)) => host = Some(v),
            Some(("port", v)) => port = v.parse::<u16>().ok(),
            Some(_) => {}
            None if i == 0 => host = Some(field),
            None if i == 1 => port = field.parse::<u16>().ok(),
            None => {}
        }
    }
    match (host, port) {
        (Some(h), Some(p)) if !h.is_empty() && p != 0 => Some(Addr::new(h, p)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_lists_its_replicas() {
        let info = NodeInfo::parse(
            "# Server\r\nrun_id:000102030405060708090a0b0c0d0e0f10111213\r\n\r\n# Replication\r\nrole:master\r\n\
             connected_slaves:2\r\nslave0:ip=10.0.0.2,port=6379,state=online,offset=14,lag=0,type=replica\r\n\
             slave1:10.0.0.3,6380,online\r\nmaster_repl_offset:14\r\nslave_priority:7\r\n",
        );
        assert_eq!(info.role, Some(Role::Primary));
        assert_eq!(info.replicas, [Addr::new("10.0.0.2", 6379), Addr::new("10.0.0.3", 6380)]);
        assert_eq!(info.offset(), 14);
        assert_eq!(info.priority, 7);
        assert!(info.run_id.is_some());
        assert_eq!(info.tanist_version, None);
    }

    #[test]
    fn a_replica_names_its_primary() {
        let info = NodeInfo::parse(
            "role:slave\r\nmaster_host:::1\r\nmaster_port:6379\r\nmaster_link_status:up\r\nslave_repl_offset:9\r\n\
             master_repl_offset:11\r\nreplica_announced:0\r\ntanist_version:0.1.0\r\n",
        );
        assert_eq!(info.primary, Some(Addr::new("::1", 6379)));
        assert!(info.link_up);
        assert_eq!(info.offset(), 9);
        assert!(!info.announced);
        assert_eq!(info.tanist_version.as_deref(), Some("0.1.0"));
    }

    #[test]
    fn nonsense_is_skipped() {
        let info =
            NodeInfo::parse("slave0:,\r\nslave1:ip=x,port=99999\r\nrun_id:short\r\nrole:emperor\r\n:\r\nx");
        assert_eq!(
            info,
            NodeInfo { priority: 100, announced: true, link_down_secs: -1, ..NodeInfo::default() }
        );
    }
}
