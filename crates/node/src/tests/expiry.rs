//! Expiry: lazily on access, actively in slices, always through the log.

use super::World;
use tanist_config::ServerConfig;

#[test]
fn a_key_is_gone_at_its_moment_and_not_before() {
    let mut w = World::new();
    let c = w.connect();
    w.record();
    w.say(c, "SET k v PX 100");
    w.now.wall_us += 99_999;
    assert_eq!(w.say(c, "PTTL k"), ":1");
    assert_eq!(w.say(c, "GET k"), "v");
    w.recorded();
    w.now.wall_us += 1;
    assert_eq!(w.say(c, "DBSIZE"), ":1");
    assert_eq!(w.say(c, "KEYS *"), "[]");
    assert!(w.recorded().is_empty());
    assert_eq!(w.say(c, "GET k"), "(nil)");
    assert_eq!(w.recorded(), ["UNLINK k"]);
    assert_eq!(w.say(c, "DBSIZE"), ":0");
    assert_eq!(w.node.stats.expired_keys, 1);
}

#[test]
fn no_command_takes_what_is_past_its_time_for_real() {
    for (line, reply) in [
        ("EXISTS k", ":0"),
        ("TYPE k", "none"),
        ("TTL k", ":-2"),
        ("STRLEN k", ":0"),
        ("INCR k", ":1"),
        ("APPEND k x", ":1"),
        ("SETRANGE k 1 x", ":2"),
        ("SETNX k w", ":1"),
        ("SET k w XX", "(nil)"),
        ("SET k w IFEQ 5", "(nil)"),
        ("SET k w GET", "(nil)"),
        ("GETSET k w", "(nil)"),
        ("GETDEL k", "(nil)"),
        ("GETEX k", "(nil)"),
        ("DELIFEQ k 5", ":0"),
        ("MSETNX k 1 l 2", ":1"),
        ("MSETEX 1 k 1 XX", ":0"),
        ("EXPIRE k 10", ":0"),
        ("PERSIST k", ":0"),
        ("RENAME k l", "-ERR no such key"),
        ("RENAMENX other k", ":1"),
        ("COPY k l", ":0"),
        ("COPY other k", ":1"),
        ("MOVE k 1", ":0"),
        ("TOUCH k", ":0"),
        ("DEL k", ":0"),
        ("UNLINK k", ":0"),
        ("DUMP k", "(nil)"),
        ("OBJECT ENCODING k", "(nil)"),
        ("RANDOMKEY", "other"),
        ("MGET k", "[(nil)]"),
        ("LCS k other", ""),
        ("SORT k", "[]"),
    ] {
        let mut w = World::new();
        let c = w.connect();
        w.say(c, "SET other o");
        w.say(c, "SET k 5 PX 1");
        w.now.wall_us += 1000;
        assert_eq!(w.say(c, line), reply, "{line}");
    }
}

#[test]
fn a_new_value_does_not_inherit_the_expiry_of_the_dead() {
    for line in ["SET k w KEEPTTL", "APPEND k x", "INCR k", "MSETEX 1 k w KEEPTTL", "SET k w"] {
        let mut w = World::new();
        let c = w.connect();
        w.say(c, "SET k 5 PX 1");
        w.now.wall_us += 1000;
        w.say(c, line);
        assert_eq!(w.say(c, "TTL k"), ":-1", "{line}");
    }
}

#[test]
fn the_cycle_removes_all_in_slices() {
    let mut w = World::new();
    let c = w.connect();
    for i in 0..1000 {
        w.say(c, &format!("SET short{i} v PX {}", 1 + i % 50));
        w.say(c, &format!("SET long{i} v EX 1000"));
        w.say(c, &format!("SET plain{i} v"));
    }
    w.say(c, "SELECT 5");
    w.say(c, "SET elsewhere v PX 1");
    w.record();
    w.pass(100);
    let first = w.recorded().len();
    assert!(first > 0 && first <= 401, "one slice is bounded: {first}");
    let mut ticks = 0;
    while w.node.stats.expired_keys < 1001 {
        w.pass(100);
        ticks += 1;
        assert!(ticks < 500, "only {} are gone", w.node.stats.expired_keys);
    }
    assert_eq!(w.say(c, "DBSIZE"), ":0");
    w.say(c, "SELECT 0");
    assert_eq!(w.say(c, "DBSIZE"), ":2000");
    assert!(w.node.expire_cycle.stale_percent > 0.0);
    assert_eq!(w.say(c, "EXISTS long7"), ":1");
}

#[test]
fn more_slices_are_wanted_while_much_is_due() {
    let mut w = World::new();
    let c = w.connect();
    for i in 0..1000 {
        w.say(c, &format!("SET k{i} v PX 1"));
    }
    w.pass(100);
    assert!(w.node.next_deadline() <= w.now.mono, "the rest is due at once");
    for _ in 0..50 {
        w.pass(1);
    }
    assert_eq!(w.say(c, "DBSIZE"), ":0");
    assert!(w.node.next_deadline() > w.now.mono);
    assert!(w.node.expire_cycle.cut_short > 0);
}

#[test]
fn the_verb_of_removal_is_configured() {
    let mut config = ServerConfig::default();
    config.set("lazyfree-lazy-expire", &["no"]).expect("a directive");
    let mut w = World::with(config);
    let c = w.connect();
    w.say(c, "SET k v PX 1");
    w.record();
    w.pass(200);
    assert_eq!(w.recorded(), ["SELECT 0", "DEL k"]);
}

#[test]
fn a_key_that_was_dead_when_the_watch_began_may_go() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.say(a, "SET k v PX 1");
    w.now.wall_us += 1000;
    w.say(a, "WATCH k");
    w.say(b, "GET k");
    w.say(a, "MULTI");
    assert_eq!(w.say(a, "EXEC"), "[]");
    // One that dies while it is watched is a change, whoever notices it.
    for killer in ["GET k", "DBSIZE"] {
        w.say(a, "SET k v PX 1");
        w.say(a, "WATCH k");
        w.now.wall_us += 1000;
        w.say(b, killer);
        w.say(a, "MULTI");
        assert_eq!(w.say(a, "EXEC"), "(nil)", "{killer}");
    }
}

#[test]
fn reading_removes_nothing_while_writers_are_paused() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SET k 1 PX 10");
    w.say(c, "CLIENT PAUSE 1000 WRITE");
    w.now.wall_us += 20_000;
    assert_eq!(w.say(c, "GET k"), "(nil)");
    assert_eq!(w.say(c, "EXISTS k"), ":0");
    assert!(w.say(c, "INFO stats").contains("expired_keys:0\r"));
    w.say(c, "CLIENT UNPAUSE");
    assert_eq!(w.say(c, "GET k"), "(nil)");
    assert!(w.say(c, "INFO stats").contains("expired_keys:1\r"));
}

#[test]
fn scanning_and_picking_remove_what_they_meet_past_its_time_one_by_one() {
    for (line, reply) in [("SCAN 0", "[0 [stays]]"), ("RANDOMKEY", "(nil)")] {
        let mut w = World::new();
        let c = w.connect();
        w.record();
        if line == "SCAN 0" {
            w.say(c, "SET stays 1");
        }
        w.say(c, "SET a 1 PX 5");
        w.say(c, "SET b 1 PX 5");
        w.now.wall_us += 5_000;
        w.recorded();
        assert_eq!(w.say(c, line), reply);
        let mut log = w.recorded();
        log.sort();
        assert_eq!(log, ["UNLINK a", "UNLINK b"], "{line}");
    }
}
