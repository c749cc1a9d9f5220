//! Hashes: commands, fields that expire, what the log says, payloads.

use super::World;
use super::sets::{ask, restore_all, talk};
use std::collections::BTreeMap;
use tanist_types::Rng;

/// The test clock, in milliseconds.
const NOW: i64 = 1_700_000_000_000;

#[test]
fn fields_come_and_go() {
    talk(&[
        ("HSET h a 1 b 2 a 3", ":2"),
        ("OBJECT ENCODING h", "listpack"),
        ("HGETALL h", "[a 3 b 2]"),
        ("HSETNX h a 4", ":0"),
        ("HMSET h c x", "OK"),
        ("HMGET h a zz c", "[3 (nil) x]"),
        ("HSTRLEN h c", ":1"),
        ("HINCRBY h a 4", ":7"),
        ("HINCRBY h c 1", "-ERR hash value is not an integer"),
        ("HINCRBYFLOAT h n 10.5", "10.5"),
        ("HINCRBYFLOAT h n 0.1", "10.6"),
        ("HKEYS h", "[a b c n]"),
        ("HVALS h", "[7 2 x 10.6]"),
        ("HDEL h a b zz", ":2"),
        ("HEXISTS h a", ":0"),
        ("HLEN h", ":2"),
        ("HSCAN h 0 NOVALUES", "[0 [c n]]"),
        ("HRANDFIELD h 5", "[c n]"),
        ("HDEL h c n", ":2"),
        ("EXISTS h", ":0"),
        ("HSET h a", "-ERR wrong number of arguments for 'hset' command"),
    ]);
}

#[test]
fn a_long_value_makes_a_table() {
    let (short, long) = ("v".repeat(64), "v".repeat(65));
    let mut w = World::new();
    let c = w.connect();
    w.say(c, &format!("HSET h a {short}"));
    assert_eq!(w.say(c, "OBJECT ENCODING h"), "listpack");
    w.say(c, &format!("HSET h a {long}"));
    assert_eq!((w.say(c, "OBJECT ENCODING h"), w.say(c, "HLEN h")), ("hashtable".into(), ":1".into()));
}

#[test]
fn conditions_on_an_expiry() {
    talk(&[
        ("HSET h a 1 b 2", ":2"),
        ("HEXPIRE h 100 FIELDS 2 a zz", "[:1 :-2]"),
        ("OBJECT ENCODING h", "hashtable"),
        ("HTTL h FIELDS 3 a b zz", "[:100 :-1 :-2]"),
        ("HPEXPIRETIME h FIELDS 1 a", &format!("[:{}]", NOW + 100_000)),
        ("HEXPIRE h 50 NX FIELDS 2 a b", "[:0 :1]"),
        ("HEXPIRE h 70 GT FIELDS 2 a b", "[:0 :1]"),
        ("HEXPIRE h 60 LT FIELDS 2 a b", "[:1 :1]"),
        ("HPERSIST h FIELDS 2 a a", "[:1 :-1]"),
        ("HEXPIRE h 9 XX FIELDS 2 a b", "[:0 :1]"),
        (
            "HEXPIRE h 9 NX GT FIELDS 1 a",
            "-ERR NX and XX, GT or LT options at the same time are not compatible",
        ),
        (
            "HEXPIRE h 9 FIELDS 2 a",
            "-ERR numfields should be greater than 0 and match the provided number of fields",
        ),
        ("HEXPIRE h -9 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command"),
        ("HEXPIRE h 0 FIELDS 2 a a", "[:2 :-2]"),
        ("HEXPIREAT h 1 FIELDS 1 b", "[:2]"),
        ("EXISTS h", ":0"),
        ("HTTL h FIELDS 1 a", "[:-2]"),
    ]);
}

#[test]
fn fields_past_their_time_are_hidden() {
    let mut w = World::new();
    let c = w.connect();
    w.node.active_expire = false;
    w.say(c, "HSET h a 1 b 2 c 3");
    w.say(c, "HPEXPIRE h 10 FIELDS 2 a b");
    w.pass(11);
    for (line, reply) in [
        ("HLEN h", ":3"),
        ("HGETALL h", "[c 3]"),
        ("HGET h a", "(nil)"),
        ("HTTL h FIELDS 1 a", "[:-2]"),
        ("HEXPIRE h 9 FIELDS 1 a", "[:-2]"),
        ("HDEL h a", ":0"),
        ("HRANDFIELD h 5", "[c]"),
        ("HSCAN h 0", "[0 [c 3]]"),
        ("HINCRBY h a 7", ":7"),
        ("HSETNX h b 8", ":1"),
        ("HTTL h FIELDS 2 a b", "[:-1 :-1]"),
        ("HLEN h", ":3"),
    ] {
        assert_eq!(w.say(c, line), reply, "{line}");
    }
}

#[test]
fn fields_past_their_time_are_removed_through_the_log() {
    let mut w = World::new();
    let c = w.connect();
    for n in 0..2_000 {
        w.say(c, &format!("HSETEX h{} PX 10 FIELDS 1 f{n} v", n % 7));
    }
    w.say(c, "HSET h0 stays v");
    assert!(w.say(c, "INFO keyspace").contains("keys_with_volatile_items=7"));
    w.record();
    w.pass(11);
    let mut ticks = 0;
    while w.node.stats.expired_fields < 2_000 {
        w.pass(1);
        ticks += 1;
        assert!(ticks < 500, "only {} are gone", w.node.stats.expired_fields);
    }
    assert_eq!(w.say(c, "DBSIZE"), ":1");
    assert_eq!(w.say(c, "HGETALL h0"), "[stays v]");
    assert!(w.say(c, "INFO keyspace").contains("keys_with_volatile_items=0"));
    let fields: usize = w
        .recorded()
        .iter()
        .filter_map(|line| line.strip_prefix("HDEL h"))
        .map(|rest| rest.split(' ').count() - 1)
        .sum();
    assert_eq!(fields, 2_000);
    w.node.data.check();
}

/// Runs the commands, separated by `;`, and compares what the log says of the last one.
#[track_caller]
fn logged(commands: &str, effects: &str) {
    let mut w = World::new();
    let c = w.connect();
    w.node.active_expire = false;
    w.record();
    w.say(c, "SET first v");
    let mut last = Vec::new();
    for line in commands.split("; ") {
        w.recorded();
        match line.strip_prefix("wait ") {
            Some(millis) => w.pass(millis.parse().expect("a number")),
            None => _ = w.say(c, line),
        }
        last = w.recorded();
    }
    assert_eq!(last.join("; "), effects, "{commands}");
}

#[test]
fn the_time_is_read_after_the_key_and_before_the_fields_are_looked_at() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "HSET h a 1");
    let refused = "-ERR value is not an integer or out of range";
    for (line, reply) in [
        ("HSETEX h NX PXAT x FIELDS 1 a 2", ":0"),
        ("HSETEX h NX FXX PXAT x FIELDS 1 b 2", ":0"),
        ("HSETEX none XX FNX PXAT x FIELDS 1 a 2", ":0"),
        ("HSETEX h FNX PXAT x FIELDS 1 a 2", refused),
        ("HSETEX h FXX PXAT x FIELDS 1 b 2", refused),
        ("HSETEX none FXX PXAT x FIELDS 1 a 2", refused),
        ("HGET h a", "1"),
    ] {
        assert_eq!(w.say(c, line), reply, "{line}");
    }
}

#[test]
fn what_the_log_says() {
    let at = NOW + 10_000;
    for line in ["HSET h a 1", "HSETNX h a 1", "HINCRBY h a 1"] {
        logged(line, line);
    }
    logged("HINCRBYFLOAT h a 1.5", "HSET h a 1.5");
    logged("HSET h a 1; HEXPIRE h 10 NX FIELDS 1 a", &format!("HPEXPIREAT h {at} FIELDS 1 a"));
    logged("HSET h a 1; HGETEX h EX 10 FIELDS 2 a zz", &format!("HPEXPIREAT h {at} FIELDS 1 a"));
    logged("HSETEX h FNX EX 10 FIELDS 1 a 1", &format!("HSETEX h PXAT {at} FIELDS 1 a 1"));
    logged("HSETEX h EX 10 FIELDS 1 a 1; HINCRBY h a 1", &format!("HSETEX h PXAT {at} FIELDS 1 a 2"));
    logged("HSETEX h EX 10 FIELDS 1 a 1; HGETEX h PERSIST FIELDS 2 a zz", "HPERSIST h FIELDS 1 a");
    logged("HSETEX h FIELDS 1 a 1", "HSET h a 1");
    logged("HSET h a 1; HGETDEL h FIELDS 2 a zz", "HDEL h a");
    logged("HSET h a 1 b 2; HPEXPIREAT h 1 FIELDS 2 a zz", "HDEL h a");
    logged("HSET h a 1; HSETEX h PXAT 1 FIELDS 2 a 1 zz 1", "HDEL h a");
    logged("HSETEX h PXAT 1 FIELDS 1 a 1", "");
    logged("HSET h a 1; HGETEX h PXAT 1 FIELDS 1 a", "HDEL h a");
    // Fields past their time are still there for a replica.
    logged("HSETEX h PX 5 FIELDS 1 a 1; wait 6; HINCRBY h a 1", "HSET h a 1");
    logged("HSETEX h PX 5 FIELDS 1 a 1; wait 6; HSETNX h a 1", "HSET h a 1");
    logged(
        "HSETEX h PX 5 FIELDS 1 a 1; wait 6; HSETEX h KEEPTTL FIELDS 1 a 1",
        "MULTI; HDEL h a; HSETEX h KEEPTTL FIELDS 1 a 1; EXEC",
    );
    logged(
        "HSETEX h PX 5 FIELDS 1 a 1; HSET h b 1; wait 6; HEXPIRE h 10 FIELDS 2 a b",
        &format!("HPEXPIREAT h {} FIELDS 1 b", at + 6),
    );
    logged(
        "HSETEX h PX 5 FIELDS 1 a 1; HSETEX h PX 50 FIELDS 1 b 1; wait 6; HPERSIST h FIELDS 2 a b",
        "HPERSIST h FIELDS 1 b",
    );
    logged("HSETEX h PX 5 FIELDS 1 a 1; HSET h b 1; wait 6; HDEL h a b", "HDEL h b");
    logged("HSETEX h PX 5 FIELDS 1 a 1; HSET h b 1; HDEL h zz b", "HDEL h zz b");
    for line in ["HDEL h zz", "HGETDEL h FIELDS 1 zz", "HGETEX h FIELDS 1 a", "HEXPIRE h 5 FIELDS 1 zz"] {
        logged(&format!("HSET h a 1; {line}"), "");
    }
}

/// The commands that the log has, carried out by another node, make the same data.
#[test]
fn another_node_that_follows_the_log_has_the_same_hashes() {
    let (mut a, mut b) = (World::new(), World::new());
    let (on_a, on_b) = (a.connect(), b.connect());
    a.record();
    let mut rng = Rng::from_seed(7);
    let mut model: BTreeMap<(u64, String), String> = BTreeMap::new();
    for _ in 0..5_000 {
        let (key, field) = (rng.below(3), format!("f{}", rng.below(900)));
        let value = rng.below(1_000).to_string();
        let at = (key, field.clone());
        let line = match rng.below(9) {
            0..4 => {
                model.insert(at, value.clone());
                format!("HSET h{key} {field} {value}")
            }
            4 => {
                model.remove(&at);
                format!("HDEL h{key} {field}")
            }
            5 => {
                let sum = model.get(&at).map_or(0, |old| old.parse::<i64>().expect("a number")) + 5;
                model.insert(at, sum.to_string());
                format!("HINCRBY h{key} {field} 5")
            }
            6 => format!("HEXPIRE h{key} 1000 FIELDS 1 {field}"),
            7 => format!("HPERSIST h{key} FIELDS 1 {field}"),
            _ => {
                model.insert(at, value.clone());
                format!("HSETEX h{key} EX 500 FIELDS 1 {field} {value}")
            }
        };
        a.say(on_a, &line);
    }
    for line in a.recorded() {
        b.say(on_b, &line);
    }
    assert_eq!(a.say(on_a, "DEBUG DIGEST"), b.say(on_b, "DEBUG DIGEST"));
    for ((key, field), value) in &model {
        assert_eq!(a.say(on_a, &format!("HGET h{key} {field}")), *value);
        let expiry = format!("HPEXPIRETIME h{key} FIELDS 1 {field}");
        assert_eq!(a.say(on_a, &expiry), b.say(on_b, &expiry));
    }
    a.node.data.check();
    b.node.data.check();
}

#[test]
fn payloads_restore_and_hostile_ones_do_no_harm() {
    let mut w = World::new();
    let c = w.connect();
    let long = "x".repeat(70);
    w.say(c, "HSET packed a 1 b xy");
    w.say(c, &format!("HSET table a 1 b {long}"));
    w.say(c, "HSETEX timed EX 100 FIELDS 2 a 1 b 2");
    w.say(c, "HSET timed c 3");
    for key in ["packed", "table", "timed"] {
        restore_all(&mut w, c, key);
    }
    assert_eq!(w.say(c, "HTTL again FIELDS 3 a b c"), "[:100 :100 :-1]");
    w.node.data.check();
}

#[test]
fn payloads_of_redis_8_and_valkey_9_keep_the_expiry_of_fields() {
    let valkey: &[u8] =
        b"\x16\x02\x01a\xc0\x01{P\\\x18\xa3\x01\x00\x00\x01b\xc0\x02\xff\xff\xff\xff\xff\xff\xff\xff\
        P\x00\xec\xb52^\x8a\xd4\x11\x1b";
    let packed: &[u8] =
        b"\x19{P\\\x18\xa3\x01\x00\x00\x1d\x1d\x00\x00\x00\x06\x00\x81a\x02\x01\x01\xf4{P\\\x18\xa3\
        \x01\x00\x00\x09\x81b\x02\x02\x01\x00\x01\xff\x0c\x00\x7c\xb4\xc0\xd2\xf1\xd5\xe5\xb1";
    let table: &[u8] =
        b"\x18{P\\\x18\xa3\x01\x00\x00\x03\x00\x01c\xc0\x03\x02\x01b\xc0\x02\x01\x01a\xc0\x01\x0c\x00\
        \x96I9\xf0\xb2/\xfce";
    let mut w = World::new();
    let c = w.connect();
    for (payload, expiries) in [
        (valkey, "[:1800000000123 :-1 :-2]"),
        (packed, "[:1800000000123 :-1 :-2]"),
        (table, "[:1800000000123 :1800000000124 :-1]"),
    ] {
        ask(&mut w, c, &[b"RESTORE", b"h", b"0", payload, b"REPLACE"]);
        assert_eq!(w.say(c, "HPEXPIRETIME h FIELDS 3 a b c"), expiries);
        assert_eq!(w.say(c, "HMGET h a b"), "[1 2]");
    }
}

/// As in Valkey, also those that were not there before.
#[test]
fn fields_that_are_set_to_end_in_the_past_have_expired() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "HSET h a 0");
    w.say(c, "HSETEX h PXAT 1 FIELDS 3 a 1 b 2 c 3");
    assert_eq!(w.node.stats.expired_fields, 3);
    assert_eq!(w.say(c, "EXISTS h"), ":0");
}
