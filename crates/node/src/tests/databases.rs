//! Whole databases: flushing and swapping, and what that means to who watches.

use super::World;
use crate::Output;

#[test]
fn garbage_is_handed_out_to_be_freed() {
    for line in ["FLUSHALL", "FLUSHDB ASYNC", "FLUSHALL SYNC"] {
        let mut w = World::new();
        let c = w.connect();
        w.say(c, "SET k v");
        w.outs.drain();
        w.say(c, line);
        assert!(w.outs.drain().any(|o| matches!(o, Output::Discard(_))), "{line}");
        assert_eq!(w.say(c, "DBSIZE"), ":0");
    }
}

#[test]
fn swapped_databases_keep_their_keys_and_times() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SET a zero EX 100");
    w.say(c, "SELECT 1");
    w.say(c, "SET b one");
    w.say(c, "SWAPDB 0 1");
    assert_eq!(w.say(c, "MGET a b"), "[zero (nil)]");
    assert_eq!(w.say(c, "TTL a"), ":100");
    w.say(c, "SELECT 0");
    assert_eq!(w.say(c, "MGET a b"), "[(nil) one]");
}

/// Whether a transaction of a client that watches `k` of database 0 still runs after `act` by another client.
fn survives(before: &str, act: &str) -> bool {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    for line in before.split("; ").filter(|l| !l.is_empty()) {
        w.say(b, line);
    }
    w.now.wall_us += 10_000;
    w.say(a, "WATCH k");
    w.say(b, act);
    w.say(a, "MULTI");
    w.say(a, "EXEC") == "[]"
}

#[test]
fn who_watches_a_key_that_is_flushed_or_swapped_learns_of_it() {
    assert!(!survives("SET k v", "FLUSHALL"));
    assert!(!survives("SET k v", "FLUSHDB"));
    assert!(survives("", "FLUSHALL"));
    assert!(survives("SET other v", "FLUSHDB"));
    assert!(survives("SELECT 1; SET k v", "FLUSHDB"));
    // Swapping: what was there, or comes in, counts.
    assert!(!survives("SET k v", "SWAPDB 0 1"));
    assert!(!survives("SELECT 1; SET k v", "SWAPDB 1 0"));
    assert!(survives("SELECT 1; SET other v", "SWAPDB 0 1"));
    assert!(survives("SET k v", "SWAPDB 1 2"));
    assert!(survives("SET k v", "SWAPDB 0 0"));
    // Dead already when the watch began: neither removal nor another dead key is a change, a live one is.
    assert!(survives("SET k v PX 1", "FLUSHALL"));
    assert!(survives("SET k v PX 1", "SWAPDB 0 1"));
    assert!(survives("SET k v PX 1; SELECT 1; SET k v PX 1", "SWAPDB 0 1"));
    assert!(survives("SELECT 1; SET k v PX 1", "SWAPDB 0 1"));
    assert!(!survives("SET k v PX 1; SELECT 1; SET k v", "SWAPDB 0 1"));
}

#[test]
fn every_change_of_a_watched_key_is_noticed() {
    for (before, act) in [
        ("", "SET k v"),
        ("", "SETNX k v"),
        ("", "MSET a 1 k 2"),
        ("", "MSETEX 2 a 1 k 2"),
        ("", "INCR k"),
        ("", "INCRBYFLOAT k 1"),
        ("", "APPEND k v"),
        ("", "SETRANGE k 1 v"),
        ("SET k v", "GETSET k w"),
        ("SET k v", "GETDEL k"),
        ("SET k v", "GETEX k EX 10"),
        ("SET k v", "DELIFEQ k v"),
        ("SET k v", "DEL a k"),
        ("SET k v", "EXPIRE k 10"),
        ("SET k v", "EXPIRE k -1"),
        ("SET k v EX 100", "PERSIST k"),
        ("SET k v", "RENAME k l"),
        ("SET l v", "RENAME l k"),
        ("SET l v", "RENAMENX l k"),
        ("SET l v", "COPY l k"),
        ("SET k v", "MOVE k 1"),
        ("SELECT 1; SET k v", "MOVE k 0"),
        ("SET k v", "SORT none STORE k"),
    ] {
        assert!(!survives(before, act), "{before}; {act}");
    }
    for (before, act) in [
        ("SET k v", "GET k"),
        ("SET k v", "SET k w NX"),
        ("SET k v", "COPY k l"),
        ("SET k v", "EXPIRE k 10 XX"),
        ("SET k v", "PERSIST k"),
        ("SET k v", "GETEX k"),
        ("SET k v", "TOUCH k"),
        ("SET k v", "RENAME k k"),
        ("", "DEL k"),
    ] {
        assert!(survives(before, act), "{before}; {act}");
    }
}

#[test]
fn a_client_that_watches_learns_of_its_own_flush() {
    let mut w = World::new();
    let a = w.connect();
    w.say(a, "SET k v");
    w.say(a, "WATCH k");
    w.say(a, "FLUSHALL");
    w.say(a, "MULTI");
    assert_eq!(w.say(a, "EXEC"), "(nil)");
}
