//! Restarts and elections of Tanist nodes, by the words that sentinels use.

use super::{check, pair};
use crate::client::Failure;
use crate::server::{Kind, Server, eventually, same_data};

type Outcome = Result<(), Failure>;

/// A field of `TANIST STATUS`.
fn status(server: &Server, field: &str) -> Result<String, Failure> {
    let words = server.client()?.call(&[b"TANIST", b"STATUS"])?;
    let tanist_resp::Value::Array(items) = words else { return Err(format!("{words:?}")) };
    let at = items.iter().position(|i| i.as_bytes() == Some(field.as_bytes()));
    let value = at.and_then(|at| items.get(at + 1)).map(crate::client::text);
    value.ok_or_else(|| format!("no field {field}"))
}

pub(crate) fn restarted_primary(ours: &Kind) -> Outcome {
    let (mut primary, replica) = pair(ours, ours)?;
    primary.must("SET precious data")?;
    same_data(&primary, &replica)?;
    primary.restart()?;
    check(primary.must("ROLE")?.starts_with("slave"), "the restarted primary took its role again")?;
    let refused = primary.client()?.say("SET a 1")?;
    check(refused.starts_with("-READONLY"), format!("it took a write: {refused}"))?;
    std::thread::sleep(std::time::Duration::from_millis(500));
    check(replica.must("GET precious")? == "data", "the replica was wiped")?;
    primary.must("REPLICAOF NO ONE")?;
    check(primary.must("SET a 1")? == "OK", "an explicit word did not make it a primary")
}

pub(crate) fn restarted_replica(primary: &Kind, ours: &Kind) -> Outcome {
    let (primary, mut replica) = pair(primary, ours)?;
    primary.must("SET a 1")?;
    same_data(&primary, &replica)?;
    let node = status(&replica, "node-id")?;
    replica.restart()?;
    replica.wait_for_link()?;
    same_data(&primary, &replica)?;
    check(status(&replica, "node-id")? == node, "the node has another id")?;
    check(status(&replica, "boot")? == "2", "the boot was not counted")
}

pub(crate) fn elect(ours: &Kind) -> Outcome {
    let (primary, heir) = pair(ours, ours)?;
    let other = Server::start(ours, &[])?;
    other.follow(&primary)?;
    primary.must("SET a 1")?;
    same_data(&primary, &other)?;
    same_data(&primary, &heir)?;
    let leader = "1".repeat(40);
    for server in [&primary, &heir, &other] {
        let answer = server.must(&format!("TANIST FENCE g 7 {leader} 0"))?;
        check(answer.contains("promised-epoch 7"), answer)?;
    }
    let refused = primary.client()?.say("SET lost write")?;
    check(refused.starts_with("-READONLY"), format!("a fenced primary took a write: {refused}"))?;
    let second = heir.client()?.say(&format!("TANIST FENCE g 7 {} 0", "2".repeat(40)))?;
    check(second.starts_with("-FENCED 7"), format!("two leaders in one epoch: {second}"))?;
    let ask = |epoch: u64| -> Result<String, Failure> {
        let [node, run, last, offset] =
            ["node-id", "run-id", "last-epoch", "offset"].map(|field| status(&heir, field));
        Ok(format!("TANIST PROMOTE g {epoch} {leader} {} {} {} {}", node?, run?, last?, offset?))
    };
    check(heir.client()?.say(&ask(8)?)?.starts_with("-NOPROMISE"), "promoted without a promise")?;
    check(heir.must(&ask(7)?)? == "OK", "not promoted")?;
    check(heir.client()?.say(&ask(7)?)?.starts_with("-NOPROMISE"), "promoted twice")?;
    heir.must("SET b 2")?;
    for server in [&primary, &other] {
        server.must(&format!("TANIST FOLLOW g 7 127.0.0.1 {} -", heir.port))?;
        server.wait_for_link()?;
        same_data(&heir, server)?;
        eventually("the marker has come", || Ok(status(server, "last-epoch")? == "7"))?;
    }
    check(heir.info("stats", "sync_full")? == "0", "somebody was synced in full")?;
    check(status(&primary, "replid")? == status(&heir, "replid")?, "the histories differ")?;
    let late = other.client()?.say(&format!("TANIST FOLLOW g 6 127.0.0.1 {} -", primary.port))?;
    check(late.starts_with("-FENCED 7"), format!("followed an old epoch: {late}"))
}
