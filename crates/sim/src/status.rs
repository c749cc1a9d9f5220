//! What a data node says about itself (`TANIST STATUS`).

use crate::node::NodeProcess;
use tanist_resp::Value;
use tanist_types::Now;

/// The fields of `TANIST STATUS`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct NodeStatus {
    pub(crate) node_id: String,
    pub(crate) run_id: String,
    pub(crate) role: String,
    pub(crate) promised: (u64, String),
    pub(crate) accepted: u64,
    pub(crate) last_epoch: u64,
    pub(crate) offset: u64,
    pub(crate) voting: bool,
    pub(crate) replid: String,
    pub(crate) link: String,
    pub(crate) primary: Option<(String, u16)>,
}

impl NodeStatus {
    fn parse(value: &Value) -> Option<NodeStatus> {
        let Value::Array(items) = value else { return None };
        let mut status = NodeStatus::default();
        let mut host = String::new();
        for pair in items.chunks_exact(2) {
            let [name, value] = pair else { return None };
            let text =
                || value.as_str().map_or_else(|| value.as_int().unwrap_or(0).to_string(), str::to_owned);
            let number = || u64::try_from(value.as_int().unwrap_or(0)).unwrap_or(0);
            match name.as_str()? {
                "node-id" => status.node_id = text(),
                "run-id" => status.run_id = text(),
                "role" => status.role = text(),
                "promised-epoch" => status.promised.0 = number(),
                "promised-leader" => status.promised.1 = text(),
                "accepted-epoch" => status.accepted = number(),
                "last-epoch" => status.last_epoch = number(),
                "offset" => status.offset = number(),
                "voting" => status.voting = number() == 1,
                "replid" => status.replid = text(),
                "link" => status.link = text(),
                "primary-host" => host = text(),
                "primary-port" if !host.is_empty() => {
                    status.primary = Some((std::mem::take(&mut host), number() as u16));
                }
                _ => {}
            }
        }
        Some(status)
    }
}

impl NodeProcess {
    /// What the node says about itself.
    pub(crate) fn status(&mut self, now: Now) -> Option<NodeStatus> {
        NodeStatus::parse(&self.observe(now, &[b"TANIST", b"STATUS"])?)
    }
}
