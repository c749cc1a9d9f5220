//! The node's deadlines: the only thing here that waits for time to pass.

use crate::machine::Machine;
use std::sync::Arc;
use tanist_node::Input;
use tanist_types::Mono;

/// Ticks the node whenever it wants to be; between two slices of background work, connections have their turn.
pub(crate) async fn run(machine: Arc<Machine>) {
    loop {
        let due = machine.due();
        if due <= machine.clock().mono() {
            machine.enter(|node, now, outs| {
                node.step(now, Input::Tick, outs);
                machine.settings().follow(node.config());
            });
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
