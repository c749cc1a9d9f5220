//! Following: full and partial syncs, expiry, transactions, chains, promotions.

use super::{check, pair};
use crate::client::Failure;
use crate::server::{Kind, Server, eventually, same_data};
use std::time::Duration;

type Outcome = Result<(), Failure>;

/// Strings of every form, in several databases, some with an expiry time.
fn fill(server: &Server, keys: usize, tag: &str) -> Outcome {
    let mut c = server.client()?;
    for i in 0..keys {
        c.must(&format!("SELECT {}", i % 3))?;
        let value = match i % 5 {
            0 => i.to_string(),
            1 => format!("-{}", i * 1_000_003),
            2 => "abc".repeat(i % 200),
            3 => format!("\u{0}\r\n{i}"),
            _ => String::new(),
        };
        let key = format!("{tag}:{i}");
        c.call(&[b"SET", key.as_bytes(), value.as_bytes()])?;
        if i % 4 == 0 {
            c.must(&format!("PEXPIREAT {key} {}", 4_102_444_800_000u64 + i as u64))?;
        }
    }
    Ok(())
}

pub(crate) fn full_and_stream(primary: &Kind, replica: &Kind) -> Outcome {
    let primary = Server::start(primary, &[])?;
    let replica = Server::start(replica, &[])?;
    fill(&primary, 300, "before")?;
    replica.must("SET gone after-the-sync")?;
    replica.follow(&primary)?;
    same_data(&primary, &replica)?;
    fill(&primary, 300, "after")?;
    let mut c = primary.client()?;
    for line in
        ["DEL before:0", "APPEND before:3 x", "INCRBY n 5", "GETDEL before:6", "RENAME before:9 moved"]
    {
        c.must(line)?;
    }
    c.must("SWAPDB 1 2")?;
    same_data(&primary, &replica)?;
    check(!primary.data()?.is_empty(), "nothing was written")?;
    c.must("FLUSHALL")?;
    same_data(&primary, &replica)?;
    let refused = replica.client()?.say("SET x y")?;
    check(refused.starts_with("-READONLY"), format!("a replica took a write: {refused}"))
}

pub(crate) fn from_disk(primary: &Kind, replica: &Kind) -> Outcome {
    let primary = Server::start(primary, &["--repl-diskless-sync", "no"])?;
    let replica = Server::start(replica, &[])?;
    fill(&primary, 500, "k")?;
    replica.follow(&primary)?;
    primary.must("SET last one")?;
    same_data(&primary, &replica)
}

pub(crate) fn partial(primary: &Kind, replica: &Kind) -> Outcome {
    let (primary, replica) = pair(primary, replica)?;
    fill(&primary, 100, "a")?;
    same_data(&primary, &replica)?;
    let full = primary.info("stats", "sync_full")?;
    primary.must("CLIENT KILL TYPE replica")?;
    fill(&primary, 100, "b")?;
    replica.wait_for_link()?;
    same_data(&primary, &replica)?;
    check(primary.info("stats", "sync_full")? == full, "there was a full sync")?;
    check(primary.info("stats", "sync_partial_ok")? != "0", "there was no partial sync")
}

pub(crate) fn expiry(primary: &Kind, replica: &Kind) -> Outcome {
    let (primary, replica) = pair(primary, replica)?;
    let mut c = primary.client()?;
    c.must("SET soon 1 PX 2000")?;
    c.must("SET later 1 EX 1000")?;
    c.must("SET kept 1")?;
    c.must("PEXPIRE kept 500000")?;
    c.must("PERSIST kept")?;
    same_data(&primary, &replica)?;
    check(replica.must("DBSIZE")? == "3", "the replica has not all keys")?;
    eventually("the expired key is gone from the replica", || Ok(replica.must("DBSIZE")? == "2"))?;
    same_data(&primary, &replica)
}

pub(crate) fn transactions(primary: &Kind, replica: &Kind) -> Outcome {
    let (primary, replica) = pair(primary, replica)?;
    let mut c = primary.client()?;
    for i in 0..20 {
        for line in
            ["MULTI", &format!("SET a {i}"), "SELECT 1", &format!("SET b {i}"), "SELECT 0", "INCR n", "EXEC"]
        {
            c.must(line)?;
        }
    }
    same_data(&primary, &replica)?;
    check(replica.must("GET n")? == "20", "the transactions were not all applied")
}

pub(crate) fn under_load(primary: &Kind, replica: &Kind) -> Outcome {
    let primary = Server::start(primary, &[])?;
    let replica = Server::start(replica, &[])?;
    fill(&primary, 3000, "old")?;
    let port = primary.port;
    let writer = std::thread::spawn(move || -> Outcome {
        let mut c = crate::client::Client::connect(port)?;
        let until = std::time::Instant::now() + Duration::from_millis(1500);
        let mut i = 0;
        while std::time::Instant::now() < until {
            i += 1;
            c.must(&format!("SET old:{} changed-{i}", i % 3000))?;
            c.must(&format!("SET new:{i} {i}"))?;
            c.must(&format!("DEL new:{}", i / 2))?;
        }
        Ok(())
    });
    std::thread::sleep(Duration::from_millis(200));
    replica.follow(&primary)?;
    primary.must("CLIENT KILL TYPE replica")?;
    replica.wait_for_link()?;
    writer.join().map_err(|_| "the writer panicked")??;
    same_data(&primary, &replica)
}

pub(crate) fn password(primary: &Kind, replica: &Kind) -> Outcome {
    let primary = Server::start(primary, &["--requirepass", "s3cret"])?;
    let replica = Server::start(replica, &["--masterauth", "wrong"])?;
    replica.must(&format!("REPLICAOF 127.0.0.1 {}", primary.port))?;
    std::thread::sleep(Duration::from_millis(300));
    check(!replica.must("ROLE")?.contains(" connected "), "connected with a wrong password")?;
    replica.must("CONFIG SET masterauth s3cret")?;
    replica.wait_for_link()?;
    let mut c = primary.client()?;
    c.must("AUTH s3cret")?;
    c.must("SET k v")?;
    eventually("the key is there", || Ok(replica.must("GET k")? == "v"))
}

pub(crate) fn wait(primary: &Kind, replica: &Kind) -> Outcome {
    let (primary, _replica) = pair(primary, replica)?;
    let mut c = primary.client()?;
    for i in 0..5 {
        c.must(&format!("SET k {i}"))?;
        let count = c.must("WAIT 1 5000")?;
        check(count == "1", format!("WAIT counted {count}"))?;
    }
    let count = c.must("WAIT 2 100")?;
    check(count == "1", format!("WAIT for two counted {count}"))
}

pub(crate) fn chain(top: &Kind, middle: &Kind, bottom: &Kind) -> Outcome {
    let (top, middle) = pair(top, middle)?;
    let bottom = Server::start(bottom, &[])?;
    fill(&top, 100, "a")?;
    bottom.follow(&middle)?;
    fill(&top, 100, "b")?;
    same_data(&top, &bottom)?;
    // The middle's link is cut; the bottom must not need everything again.
    let full = middle.info("stats", "sync_full")?;
    top.must("CLIENT KILL TYPE replica")?;
    fill(&top, 100, "c")?;
    same_data(&top, &middle)?;
    same_data(&top, &bottom)?;
    check(middle.info("stats", "sync_full")? == full, "the chain's end was synced in full again")
}

/// The primary dies, a replica of kind `heir` takes over, the other one goes on from it without a full sync.
pub(crate) fn promotion(primary: &Kind, heir: &Kind, other: &Kind) -> Outcome {
    let (mut primary, heir) = pair(primary, heir)?;
    let other = Server::start(other, &[])?;
    other.follow(&primary)?;
    fill(&primary, 200, "a")?;
    same_data(&primary, &heir)?;
    same_data(&primary, &other)?;
    primary.kill();
    heir.must("REPLICAOF NO ONE")?;
    heir.must("SET after promotion")?;
    other.follow(&heir)?;
    fill(&heir, 50, "b")?;
    same_data(&heir, &other)?;
    check(heir.info("stats", "sync_full")? == "0", "the other replica was synced in full")?;
    check(heir.info("stats", "sync_partial_ok")? == "1", "there was no partial sync")
}

pub(crate) fn failover(primary: &Kind, replica: &Kind) -> Outcome {
    let (primary, replica) = pair(primary, replica)?;
    fill(&primary, 100, "a")?;
    eventually("the replica is online", || {
        Ok(primary.info("replication", "slave0")?.contains("state=online"))
    })?;
    primary.must(&format!("FAILOVER TO 127.0.0.1 {} TIMEOUT 5000", replica.port))?;
    eventually("the roles have changed", || {
        Ok(replica.must("ROLE")?.starts_with("master") && primary.must("ROLE")?.contains(" connected "))
    })
    .map_err(|e| format!("{e}\n    {}\n  --\n    {}", primary.last_log(), replica.last_log()))?;
    replica.must("SET after failover")?;
    same_data(&replica, &primary)?;
    check(replica.info("stats", "sync_full")? == "0", "the old primary was synced in full")
}

pub(crate) fn min_replicas(primary: &Kind, replica: &Kind) -> Outcome {
    let primary = Server::start(primary, &["--min-replicas-to-write", "1"])?;
    let refused = primary.client()?.say("SET a 1")?;
    check(refused.starts_with("-NOREPLICAS"), format!("a write without replicas: {refused}"))?;
    let mut replica = Server::start(replica, &[])?;
    replica.follow(&primary)?;
    eventually("writes are taken", || Ok(primary.client()?.say("SET a 1")? == "OK"))?;
    replica.kill();
    eventually("writes are refused again", || {
        Ok(primary.client()?.say("SET a 1")?.starts_with("-NOREPLICAS"))
    })
}
