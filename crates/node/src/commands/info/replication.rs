//! The section `replication`; its lines are made where replication is.

use super::Fields;
use crate::context::Ctx;
use crate::node::Node;

pub(super) fn replication(ctx: &Ctx<'_>, f: &mut Fields) {
    ctx.node.info_replication(ctx.now, &mut f.0);
}

/// Bytes that the backlog holds.
pub(crate) fn backlog_memory(node: &Node) -> u64 {
    node.repl.backlog.histlen().0
}
