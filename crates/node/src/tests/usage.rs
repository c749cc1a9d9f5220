//! How the use of entries is noted: idle times and frequencies.

use super::World;
use tanist_config::ServerConfig;

const PAYLOAD: &[u8] = b"\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a";

fn restore(w: &mut World, c: crate::SessionId, word: &[u8], number: &[u8]) {
    let mut bytes = Vec::new();
    tanist_resp::encode_command(&mut bytes, &[b"RESTORE", b"k", b"0", PAYLOAD, b"REPLACE", word, number]);
    assert_eq!(w.raw(c, &bytes).0, b"+OK\r\n");
}

#[test]
fn idle_time_counts_from_the_last_use() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SET k v");
    w.pass(10_000);
    assert_eq!(w.say(c, "OBJECT IDLETIME k"), ":10");
    // Looking at a key is no use of it.
    for line in ["TTL k", "TYPE k", "EXISTS k", "OBJECT ENCODING k"] {
        w.say(c, line);
        assert_eq!(w.say(c, "OBJECT IDLETIME k"), ":10", "{line}");
    }
    for line in ["GET k", "TOUCH k", "APPEND k x", "EXPIRE k 100", "STRLEN k", "MGET k", "SETNX k v"] {
        w.pass(10_000);
        w.say(c, line);
        assert_eq!(w.say(c, "OBJECT IDLETIME k"), ":0", "{line}");
    }
    restore(&mut w, c, b"IDLETIME", b"77");
    assert_eq!(w.say(c, "OBJECT IDLETIME k"), ":77");
    restore(&mut w, c, b"FREQ", b"77");
    assert_eq!(w.say(c, "OBJECT IDLETIME k"), ":0");
}

#[test]
fn a_client_may_leave_no_trace_unless_it_touches() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SET k v");
    assert_eq!(w.say(c, "CLIENT NO-TOUCH on"), "OK");
    w.pass(10_000);
    w.say(c, "GET k");
    w.say(c, "EXPIRE k 100");
    assert_eq!(w.say(c, "OBJECT IDLETIME k"), ":10");
    w.say(c, "TOUCH k");
    assert_eq!(w.say(c, "OBJECT IDLETIME k"), ":0");
}

#[test]
fn frequencies_are_counted_when_the_policy_asks_for_them() {
    let mut config = ServerConfig::default();
    config.set("maxmemory-policy", &["allkeys-lfu"]).expect("a directive");
    let mut w = World::with(config);
    let c = w.connect();
    w.say(c, "SET k v");
    assert_eq!(w.say(c, "OBJECT FREQ k"), ":5");
    assert!(w.say(c, "OBJECT IDLETIME k").starts_with("-ERR An LFU"));
    assert_eq!(w.say(c, "OBJECT IDLETIME none"), "(nil)");
    for _ in 0..100 {
        w.say(c, "GET k");
    }
    let often: i64 = w.say(c, "OBJECT FREQ k")[1..].parse().expect("an integer");
    assert!((8..60).contains(&often), "a logarithm of 100 uses: {often}");
    // An overwritten key keeps its count; an unused one loses it by the minute.
    w.say(c, "SET k w");
    assert!(w.say(c, "OBJECT FREQ k") != ":5");
    w.pass(60_000 * often as u64);
    assert_eq!(w.say(c, "OBJECT FREQ k"), ":0");
    restore(&mut w, c, b"FREQ", b"200");
    assert_eq!(w.say(c, "OBJECT FREQ k"), ":200");
}

#[test]
fn another_policy_counts_at_once() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "CONFIG SET maxmemory-policy allkeys-lfu");
    w.say(c, "SET k v");
    assert_eq!(w.say(c, "OBJECT FREQ k"), ":5");
    w.say(c, "GET k");
    assert_eq!(w.say(c, "OBJECT FREQ k"), ":6");
    w.say(c, "CONFIG SET maxmemory-policy noeviction");
    w.say(c, "SET k v");
    assert_eq!(w.say(c, "OBJECT IDLETIME k"), ":0");
}
