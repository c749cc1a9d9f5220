//! What Tanist nodes tell a sentinel beyond INFO: the fields of `TANIST STATUS` and `TANIST FENCE`, and the pushes on
//! the channel `__tanist__:state`.

use super::addr::Addr;
use tanist_resp::Value;
use tanist_types::{Epoch, LogPos, NodeId, RunId};

/// The channel on which Tanist nodes push changes of their state.
pub(crate) const STATE_CHANNEL: &str = "__tanist__:state";

/// A position in the history of a group: logs are compared by the epoch of their last entry, then by length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Key {
    pub(crate) epoch: Epoch,
    pub(crate) offset: LogPos,
}

/// The role of a Tanist node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NodeRole {
    Primary,
    Replica,
    /// Neither: it waits for a sentinel's word.
    Idle,
    Loading,
}

/// The state of a replica's link to its primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LinkWord {
    Up,
    Down,
    None,
}

/// The answer to STATUS and FENCE.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NodeStatus {
    pub(crate) node_id: NodeId,
    pub(crate) run_id: RunId,
    /// It has belonged to a group.
    pub(crate) in_group: bool,
    pub(crate) role: NodeRole,
    pub(crate) promised: Epoch,
    /// The sentinel that it has promised this epoch to; none if it learnt of the epoch from a primary.
    pub(crate) promised_leader: Option<RunId>,
    pub(crate) accepted: Epoch,
    /// Epoch of the last log entry, and the log's end.
    pub(crate) key: Key,
    /// Everything that the node ever acknowledged is in any log that reaches this position.
    pub(crate) floor: Option<Key>,
    pub(crate) voting: bool,
    /// The epoch in which it was primary without interruption until now.
    pub(crate) ex_primary: Option<Epoch>,
    pub(crate) config_version: u64,
    pub(crate) link: LinkWord,
    pub(crate) primary: Option<Addr>,
    pub(crate) priority: u32,
}

impl NodeStatus {
    /// Reads the reply; nothing if a field without which no decision can be made is absent or broken.
    pub(crate) fn parse(reply: &Value) -> Option<NodeStatus> {
        let text = |name: &str| reply.field(name).and_then(Value::as_str);
        let number = |name: &str| reply.field(name).and_then(unsigned);
        Some(NodeStatus {
            node_id: text("node-id")?.parse().ok()?,
            run_id: text("run-id")?.parse().ok()?,
            in_group: text("group").is_some_and(|group| !group.is_empty()),
            role: parse_role(text("role")?)?,
            promised: Epoch(number("promised-epoch")?),
            promised_leader: text("promised-leader").and_then(|id| id.parse().ok()),
            accepted: Epoch(number("accepted-epoch")?),
            key: Key { epoch: Epoch(number("last-epoch")?), offset: LogPos(number("offset")?) },
            floor: number("floor-epoch")
                .map(|e| Key { epoch: Epoch(e), offset: LogPos(number("floor-offset").unwrap_or(u64::MAX)) }),
            voting: number("voting")? == 1,
            ex_primary: number("ex-primary-epoch").map(Epoch),
            config_version: number("config-version").unwrap_or(0),
            link: text("link").map_or(LinkWord::None, parse_link),
            primary: parse_primary(text("primary-host"), number("primary-port")),
            priority: number("priority").and_then(|n| u32::try_from(n).ok()).unwrap_or(100),
        })
    }

    /// What another log must reach to contain everything that this node acknowledged.
    pub(crate) fn needs(&self) -> Key {
        self.floor.map_or(self.key, |f| f.max(self.key))
    }

    /// Whether a log that ends like this node's contains everything that `other` acknowledged (rules S1, X1, X3).
    pub(crate) fn dominates(&self, other: &NodeStatus) -> bool {
        self.key >= other.needs()
            || (self.ex_primary.is_some_and(|e| other.needs().epoch <= e) && self.key >= other.key)
    }
}

/// A number that is not negative; `-1` stands for none.
fn unsigned(v: &Value) -> Option<u64> {
    match v {
        Value::Int(n) => u64::try_from(*n).ok(),
        other => other.as_str()?.parse().ok(),
    }
}

fn parse_role(word: &str) -> Option<NodeRole> {
    match word {
        "primary" => Some(NodeRole::Primary),
        "replica" => Some(NodeRole::Replica),
        "idle" => Some(NodeRole::Idle),
        "loading" => Some(NodeRole::Loading),
        _ => None,
    }
}

fn parse_link(word: &str) -> LinkWord {
    match word {
        "up" => LinkWord::Up,
        "down" => LinkWord::Down,
        _ => LinkWord::None,
    }
}

fn parse_primary(host: Option<&str>, port: Option<u64>) -> Option<Addr> {
    let (host, port) = (host?, u16::try_from(port?).ok()?);
    (!host.is_empty() && port != 0).then(|| Addr::new(host, port))
}

/// Why a node pushed its state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PushKind {
    /// The target of a pause has everything.
    CaughtUp,
    /// Its replicas changed.
    Replicas,
    /// Anything else: its role, link or run.
    Other,
}

/// Reads why a node pushed; nothing if this is not a push.
pub(crate) fn parse_push(payload: &[u8]) -> Option<PushKind> {
    let text = std::str::from_utf8(payload).ok()?;
    let event = text.split_ascii_whitespace().find_map(|f| f.strip_prefix("event="))?;
    Some(match event {
        "caught-up" => PushKind::CaughtUp,
        "replica-joined" | "replica-left" => PushKind::Replicas,
        _ => PushKind::Other,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tanist_types::Rng;

    pub(crate) fn status(seed: u64, epoch: u64, offset: u64) -> NodeStatus {
        let mut rng = Rng::from_seed(seed);
        NodeStatus {
            node_id: NodeId::random(&mut rng),
            run_id: RunId::random(&mut rng),
            in_group: true,
            role: NodeRole::Replica,
            promised: Epoch(epoch),
            promised_leader: None,
            accepted: Epoch(epoch),
            key: Key { epoch: Epoch(epoch), offset: LogPos(offset) },
            floor: None,
            voting: true,
            ex_primary: None,
            config_version: 0,
            link: LinkWord::Down,
            primary: None,
            priority: 100,
        }
    }

    #[test]
    fn the_epoch_of_the_last_entry_counts_before_the_length() {
        assert!(status(1, 2, 10).dominates(&status(2, 1, 500)));
        assert!(!status(2, 1, 500).dominates(&status(1, 2, 10)));
        assert!(status(1, 2, 10).dominates(&status(2, 2, 10)));
    }

    #[test]
    fn a_floor_raises_what_a_node_needs() {
        let mut reborn = status(2, 1, 0);
        reborn.voting = false;
        reborn.floor = Some(Key { epoch: Epoch(1), offset: LogPos(u64::MAX) });
        assert!(!status(1, 1, 500).dominates(&reborn));
        assert!(status(1, 2, 1).dominates(&reborn), "a later epoch contains all of an earlier one");
        let mut ex = status(3, 1, 500);
        ex.ex_primary = Some(Epoch(1));
        assert!(
            ex.dominates(&reborn),
            "the uninterrupted primary of that epoch has everything acknowledged in it"
        );
    }

    #[test]
    fn a_push_says_why() {
        assert_eq!(parse_push(b"node=x run=y role=primary event=caught-up"), Some(PushKind::CaughtUp));
        assert_eq!(parse_push(b"event=role node=x"), Some(PushKind::Other));
        assert_eq!(parse_push(b"hello"), None);
        assert_eq!(parse_push(b"\xff"), None);
    }

    #[test]
    fn a_reply_without_the_deciding_fields_is_none() {
        assert_eq!(NodeStatus::parse(&Value::Int(3)), None);
        assert_eq!(
            NodeStatus::parse(&Value::Array(vec![Value::Bulk(b"role".to_vec()), Value::Int(1)])),
            None
        );
    }
}
