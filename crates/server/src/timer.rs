//! The node's deadlines: the only thing here that waits for time to pass.

use crate::machine::Machine;
use std::sync::Arc;
use tanist_node::Input;
use tanist_runtime::log;
use tanist_types::Mono;

/// Ticks the node whenever it wants to be; between two slices of background work, connections have their turn.
/// The log shows the role that the node has after each tick.
pub(crate) async fn run(machine: Arc<Machine>, log: log::Handle) {
    loop {
        let due = machine.due();
        if due <= machine.clock().mono() {
            let follows = machine.enter(|node, now, outs| {
                node.step(now, Input::Tick, outs);
                node.is_replica()
            });
            log.set_role(if follows { log::Role::Replica } else { log::Role::Primary });
            tokio::task::yield_now().await;
            continue;
        }
        tokio::select! {
            () = wait_until(&machine, due) => {}
            () = machine.due_sooner.notified() => {}
        }
    }
}

async fn wait_until(machine: &Machine, due: Mono) {
    match machine.clock().instant(due) {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
