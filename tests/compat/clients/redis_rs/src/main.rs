//! What users of redis-rs do: every type, pipelines, transactions, scripts, pub/sub, streams with groups, commands that
//! wait; and with sentinels, finding the primary and a replica.
//!
//!     redis-rs-client PORT 2|3
//!     redis-rs-client sentinel PORT GROUP

use redis::streams::{StreamMaxlen, StreamRangeReply, StreamReadOptions, StreamReadReply};
use redis::{Commands, Connection, ErrorKind, RedisResult, ServerErrorKind, Value, pipe};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["sentinel", port, group] => sentinel(port, group),
        [port, protocol] => everything(port, protocol),
        _ => panic!("redis-rs-client PORT 2|3, or redis-rs-client sentinel PORT GROUP"),
    };
    result.expect("every command succeeds");
}

fn everything(port: &str, protocol: &str) -> RedisResult<()> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}/?protocol=resp{protocol}"))?;
    let mut con = client.get_connection()?;
    con.set_read_timeout(Some(Duration::from_secs(10)))?;
    strings(&mut con)?;
    hashes(&mut con)?;
    lists(&mut con)?;
    sets(&mut con)?;
    sorted_sets(&mut con)?;
    sketches_and_places(&mut con)?;
    streams(&mut con)?;
    pipelines(&mut con)?;
    transactions(&mut con, &client)?;
    scripts(&mut con)?;
    waiting(&mut con, &client)?;
    messages(&mut con, &client)?;
    cursors(&mut con)?;
    let hello: redis::InfoDict = redis::cmd("INFO").arg("clients").query(&mut con)?;
    assert!(hello.get::<u32>("connected_clients").is_some());
    redis::cmd("FLUSHALL").exec(&mut con)
}

fn strings(con: &mut Connection) -> RedisResult<()> {
    let () = con.set_ex("s", 1, 100)?;
    assert_eq!((con.incr("s", 4)?, con.get("s")?), (5, 5));
    assert!((90..=100).contains(&con.ttl::<_, i64>("s")?));
    assert_eq!(con.get::<_, Option<String>>("none")?, None);
    let () = con.mset(&[("a", "1"), ("b", "2")])?;
    assert_eq!(con.mget::<_, Vec<Option<i64>>>(&["a", "b", "none"])?, [Some(1), Some(2), None]);
    let binary: Vec<u8> = (0..=255).collect();
    let () = con.set("binary", &binary[..])?;
    assert_eq!(con.get::<_, Vec<u8>>("binary")?, binary);
    assert_eq!(con.incr::<_, _, f64>("float", 10.5)?, 10.5);
    assert_eq!((con.setbit("bits", 7, true)?, con.bitcount("bits")?), (false, 1));
    assert_eq!(con.getrange::<_, String>("binary", 65, 67)?, "ABC");
    let wrong = con.lpush::<_, _, i64>("s", 1).expect_err("a list command on a string");
    assert_eq!(wrong.code(), Some("WRONGTYPE"));
    Ok(())
}

fn hashes(con: &mut Connection) -> RedisResult<()> {
    let () = con.hset_multiple("h", &[("f", "v"), ("n", "1")])?;
    let all: BTreeMap<String, String> = con.hgetall("h")?;
    assert_eq!(all, BTreeMap::from([("f".into(), "v".into()), ("n".into(), "1".into())]));
    assert_eq!((con.hincr("h", "n", 2)?, con.hexists("h", "f")?, con.hlen("h")?), (3, true, 2));
    let set: Vec<i64> = con.hexpire("h", 100, redis::ExpireOption::NONE, "f")?;
    let ttl: Vec<i64> = con.httl("h", &["f", "n", "none"])?;
    assert_eq!((set, &ttl[1..]), (vec![1], &[-1, -2][..]));
    assert!((90..=100).contains(&ttl[0]));
    assert_eq!(con.hdel::<_, _, i64>("h", "f")?, 1);
    Ok(())
}

fn lists(con: &mut Connection) -> RedisResult<()> {
    let many: Vec<i64> = (0..300).collect();
    assert_eq!(con.rpush::<_, _, i64>("l", &many)?, 300);
    assert_eq!(con.lrange::<_, Vec<i64>>("l", 0, -1)?, many);
    assert_eq!(con.lpop::<_, Vec<i64>>("l", std::num::NonZero::new(2))?, [0, 1]);
    assert_eq!(con.linsert_before::<_, _, _, i64>("l", 3, "new")?, 299);
    assert_eq!(con.lindex::<_, String>("l", 1)?, "new");
    assert_eq!(con.lrem::<_, _, i64>("l", 1, "new")?, 1);
    assert_eq!(con.rpoplpush::<_, _, i64>("l", "l2")?, 299);
    Ok(())
}

fn sets(con: &mut Connection) -> RedisResult<()> {
    assert_eq!(con.sadd::<_, _, i64>("x", &["a", "b", "c"])?, 3);
    assert_eq!(con.sadd::<_, _, i64>("y", &["b", "c", "d"])?, 3);
    let both: BTreeSet<String> = con.sinter(&["x", "y"])?;
    assert_eq!(both, BTreeSet::from(["b".into(), "c".into()]));
    assert_eq!(con.smismember::<_, _, Vec<bool>>("x", &["a", "z"])?, [true, false]);
    assert_eq!((con.sunionstore("z", &["x", "y"])?, con.scard("z")?), (4, 4));
    Ok(())
}

fn sorted_sets(con: &mut Connection) -> RedisResult<()> {
    assert_eq!(con.zadd_multiple::<_, _, _, i64>("zs", &[(1.0, "one"), (2.0, "two"), (0.5, "half")])?, 3);
    let scored: Vec<(String, f64)> = con.zrange_withscores("zs", 0, -1)?;
    assert_eq!(scored, [("half".into(), 0.5), ("one".into(), 1.0), ("two".into(), 2.0)]);
    assert_eq!(con.zrangebyscore::<_, _, _, Vec<String>>("zs", "(0.5", "+inf")?, ["one", "two"]);
    assert_eq!((con.zscore("zs", "two")?, con.zincr("zs", "one", 1)?), (Some(2.0), 2.0));
    assert_eq!(con.zrank::<_, _, Option<i64>>("zs", "none")?, None);
    assert_eq!(con.zpopmin::<_, Vec<(String, f64)>>("zs", 1)?, [("half".into(), 0.5)]);
    Ok(())
}

fn sketches_and_places(con: &mut Connection) -> RedisResult<()> {
    let elements: Vec<i64> = (0..100).collect();
    assert!(con.pfadd::<_, _, bool>("hll", &elements)?);
    assert!((95..=105).contains(&con.pfcount::<_, i64>("hll")?));
    let places = [(13.361389, 38.115556, "Palermo"), (15.087269, 37.502669, "Catania")];
    let added: i64 = redis::cmd("GEOADD").arg("g").arg(&places[..]).query(con)?;
    let distance: f64 = redis::cmd("GEODIST").arg(&["g", "Palermo", "Catania", "km"]).query(con)?;
    assert_eq!((added, distance.round()), (2, 166.0));
    Ok(())
}

fn streams(con: &mut Connection) -> RedisResult<()> {
    let () = con.xgroup_create_mkstream("st", "g", "0")?;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(con.xadd::<_, _, _, _, String>("st", "*", &[("n", n)])?);
    }
    let options = StreamReadOptions::default().group("g", "c").count(2);
    let read: StreamReadReply = con.xread_options(&["st"], &[">"], &options)?;
    let seen: Vec<&String> = read.keys[0].ids.iter().map(|entry| &entry.id).collect();
    assert_eq!(seen, [&ids[0], &ids[1]]);
    assert_eq!(read.keys[0].ids[1].get::<i64>("n"), Some(1));
    assert_eq!(con.xack::<_, _, _, i64>("st", "g", &[&ids[0]])?, 1);
    let pending: redis::streams::StreamPendingReply = con.xpending("st", "g")?;
    assert_eq!(pending.count(), 1);
    let claimed: redis::streams::StreamClaimReply = con.xclaim("st", "g", "d", 0, &[&ids[1]])?;
    assert_eq!(claimed.ids[0].id, ids[1]);
    let info: redis::streams::StreamInfoGroupsReply = con.xinfo_groups("st")?;
    assert_eq!((info.groups[0].name.as_str(), info.groups[0].consumers), ("g", 2));
    let all: StreamRangeReply = con.xrange_all("st")?;
    assert_eq!(all.ids.len(), 5);
    assert_eq!(con.xtrim::<_, i64>("st", StreamMaxlen::Equals(2))?, 3);
    let none: Option<StreamReadReply> =
        con.xread_options(&["st"], &["$"], &StreamReadOptions::default().block(10))?;
    assert!(none.is_none());
    Ok(())
}

fn pipelines(con: &mut Connection) -> RedisResult<()> {
    let mut long = pipe();
    for n in 0..1000 {
        long.set(format!("p:{n}"), n).ignore().get(format!("p:{n}"));
    }
    assert_eq!(long.query::<Vec<i64>>(con)?, (0..1000).collect::<Vec<_>>());
    // An error in the middle is reported, and the connection goes on.
    let failed = pipe().set("k", "word").incr("k", 1).get("k").query::<Value>(con);
    assert!(failed.is_err());
    assert_eq!(con.get::<_, String>("k")?, "word");
    Ok(())
}

fn transactions(con: &mut Connection, client: &redis::Client) -> RedisResult<()> {
    let (first, second): (i64, String) =
        pipe().atomic().incr("count", 3).cmd("ECHO").arg("two").query(con)?;
    assert_eq!((first, second.as_str()), (3, "two"));
    // Optimistic locking: the first attempt meets another writer.
    let mut other = client.get_connection()?;
    let mut attempts = 0;
    let (new,): (i64,) = redis::transaction(con, &["count"], |con, pipe| {
        attempts += 1;
        let old: i64 = con.get("count")?;
        if attempts == 1 {
            let () = other.set("count", 10)?;
        }
        pipe.incr("count", old).query(con)
    })?;
    assert_eq!((new, attempts), (20, 2));
    Ok(())
}

fn scripts(con: &mut Connection) -> RedisResult<()> {
    let add = redis::Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    // Unknown at first: the client loads it when it is told so.
    assert_eq!(add.key("script").arg(5).invoke::<i64>(con)?, 5);
    assert_eq!(add.key("script").arg(2).invoke::<i64>(con)?, 7);
    let nested: (i64, String, Vec<i64>) = redis::Script::new("return {1, 'two', {3, 4}}").invoke(con)?;
    assert_eq!(nested, (1, "two".into(), vec![3, 4]));
    let unknown = redis::cmd("EVALSHA").arg("0".repeat(40)).arg(0).exec(con).expect_err("an unknown script");
    assert_eq!(unknown.kind(), ErrorKind::Server(ServerErrorKind::NoScript));
    Ok(())
}

/// Commands that wait are released by another connection, in the order in which they came.
fn waiting(con: &mut Connection, client: &redis::Client) -> RedisResult<()> {
    assert_eq!(con.blpop::<_, Option<(String, String)>>("nothing", 0.01)?, None);
    let mut workers = Vec::new();
    for _ in 0..2 {
        let mut own = client.get_connection()?;
        workers.push(std::thread::spawn(move || own.blpop::<_, (String, i64)>(&["jobs", "more"], 10.0)));
        until_blocked(con, workers.len() as u64)?;
    }
    let () = con.rpush("jobs", &[1, 2])?;
    for (n, worker) in workers.into_iter().enumerate() {
        assert_eq!(worker.join().expect("no panic")?, ("jobs".to_owned(), n as i64 + 1));
    }
    let mut own = client.get_connection()?;
    let worker = std::thread::spawn(move || own.bzpopmin::<_, (String, String, f64)>("scores", 10.0));
    until_blocked(con, 1)?;
    let () = con.zadd("scores", "member", 1.5)?;
    assert_eq!(worker.join().expect("no panic")?, ("scores".to_owned(), "member".to_owned(), 1.5));
    Ok(())
}

fn until_blocked(con: &mut Connection, clients: u64) -> RedisResult<()> {
    for _ in 0..1000 {
        let info: redis::InfoDict = redis::cmd("INFO").arg("clients").query(con)?;
        if info.get("blocked_clients") == Some(clients) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{clients} clients do not wait");
}

fn messages(con: &mut Connection, client: &redis::Client) -> RedisResult<()> {
    let mut listener = client.get_connection()?;
    let mut subscribed = listener.as_pubsub();
    subscribed.set_read_timeout(Some(Duration::from_secs(10)))?;
    subscribed.subscribe("news")?;
    subscribed.psubscribe("n?ws*")?;
    assert_eq!(con.publish::<_, _, i64>("news", "hello")?, 2);
    let (one, two) = (subscribed.get_message()?, subscribed.get_message()?);
    assert_eq!((one.get_channel_name(), one.get_payload::<String>()?.as_str()), ("news", "hello"));
    assert_eq!((two.get_channel_name(), two.get_pattern::<String>()?.as_str()), ("news", "n?ws*"));
    subscribed.unsubscribe("news")?;
    subscribed.punsubscribe("n?ws*")?;
    drop(subscribed);
    assert_eq!(con.publish::<_, _, i64>("news", "nobody")?, 0);
    redis::cmd("PING").exec(&mut listener)
}

fn cursors(con: &mut Connection) -> RedisResult<()> {
    let keys: BTreeSet<String> = con.scan_match("p:*")?.collect::<RedisResult<_>>()?;
    assert_eq!(keys.len(), 1000);
    let members: BTreeSet<String> = con.sscan("z")?.collect::<RedisResult<_>>()?;
    assert_eq!(members.len(), 4);
    Ok(())
}

/// The sentinel client finds the primary, which takes writes, and a replica, which has them.
fn sentinel(port: &str, group: &str) -> RedisResult<()> {
    let mut sentinel = redis::sentinel::Sentinel::build(vec![format!("redis://127.0.0.1:{port}/")])?;
    let mut primary = sentinel.master_for(group, None)?.get_connection()?;
    let role: (String, i64, Value) = redis::cmd("ROLE").query(&mut primary)?;
    assert_eq!(role.0, "master");
    let () = primary.set("from-redis-rs", 1)?;
    assert_eq!(redis::cmd("WAIT").arg(1).arg(10_000).query::<i64>(&mut primary)?.min(1), 1);
    let mut replica = sentinel.replica_for(group, None)?.get_connection()?;
    for _ in 0..1000 {
        if replica.get::<_, Option<i64>>("from-redis-rs")? == Some(1) {
            let refused = replica.set::<_, _, Value>("x", 1).expect_err("a replica takes no writes");
            assert_eq!(refused.kind(), ErrorKind::Server(ServerErrorKind::ReadOnly));
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the replica does not have what was written");
}
