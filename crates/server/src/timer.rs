//! The node's deadlines, kept by a timer that only wakes: whether something is due the node's own clock decides.

use crate::machine::Machine;
use std::io;
use std::sync::Arc;
use tanist_runtime::{Alarm, log};

/// Ticks the node whenever it wants to be; between two slices of background work, connections have their turn.
/// The log shows the role that the node has after each tick.
///
/// # Errors
/// Only when the runtime ends.
pub(crate) async fn run(machine: Arc<Machine>, alarm: Alarm, log: log::Handle) -> io::Result<()> {
    loop {
        let (due, now) = (machine.due(), machine.clock().mono());
        if due <= now {
            let follows = machine.enter(|node, now, outs| {
                node.tick(now, outs, &*machine);
                node.is_replica()
            });
            log.set_role(if follows { log::Role::Replica } else { log::Role::Primary });
            tokio::task::yield_now().await;
            continue;
        }
        tokio::select! {
            rang = alarm.after(due.since(now)) => rang?,
            () = machine.due_sooner.notified() => {}
        }
    }
}
