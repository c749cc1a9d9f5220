//! `DEBUG`, as far as suites of tests use it.

use super::World;
use tanist_config::ServerConfig;

fn debugged() -> (World, crate::SessionId) {
    let mut config = ServerConfig::default();
    config.set("enable-debug-command", &["yes"]).expect("a directive");
    let mut w = World::with(config);
    let c = w.connect();
    (w, c)
}

#[test]
fn checksums_of_payloads_may_be_left_unread() {
    let (mut w, c) = debugged();
    let restore = |w: &mut World, payload: &[u8]| {
        let mut bytes = Vec::new();
        tanist_resp::encode_command(&mut bytes, &[b"RESTORE", b"k", b"0", payload, b"REPLACE"]);
        super::show(&super::decode(&w.raw(c, &bytes).0)[0])
    };
    // A string of two bytes in version 11, with a checksum that is none of it; cut off; and cut off within the rest.
    let payload = b"\x00\x02hi\x0b\x00checksum";
    let wrong = "-ERR DUMP payload version or checksum are wrong";
    assert_eq!(restore(&mut w, payload), wrong);
    assert_eq!(w.say(c, "DEBUG SET-SKIP-CHECKSUM-VALIDATION 1"), "OK");
    assert_eq!(restore(&mut w, payload), "OK");
    assert_eq!(w.say(c, "GET k"), "hi");
    assert_eq!(restore(&mut w, b"\x00\x09hi\x0b\x00checksum"), "-ERR Bad data format");
    assert_eq!(restore(&mut w, b"hi"), wrong);
    assert_eq!(w.say(c, "DEBUG SET-SKIP-CHECKSUM-VALIDATION 0"), "OK");
    assert_eq!(restore(&mut w, payload), wrong);
}

/// Answers of Valkey 9.1.
#[test]
fn answers_are_the_reference_s() {
    let (mut w, c) = debugged();
    w.say(c, "SET k hello");
    w.say(c, "SET n 12");
    let unknown = |name: &str| {
        format!("-ERR unknown subcommand or wrong number of arguments for '{name}'. Try DEBUG HELP.")
    };
    for (line, answer) in [
        ("SDSLEN n", "-ERR Not an sds encoded string."),
        ("SDSLEN none", "-ERR no such key"),
        ("LISTPACK k", "-ERR Not a listpack encoded object."),
        ("QUICKLIST k", "-ERR Not a quicklist encoded object."),
        ("QUICKLIST none", "-ERR no such key"),
        (
            "HTSTATS-KEY k",
            "-ERR The value stored at the specified key is not represented using an hash table",
        ),
        ("LOADAOF", "-ERR Error trying to load the AOF files, check server logs."),
        ("QUICKLIST-PACKED-THRESHOLD 100b", "OK"),
        ("QUICKLIST-PACKED-THRESHOLD 0", "OK"),
        (
            "QUICKLIST-PACKED-THRESHOLD x",
            "-ERR argument must be a memory value bigger than 1 and smaller than 4gb",
        ),
        (
            "QUICKLIST-PACKED-THRESHOLD 5000000000",
            "-ERR argument must be a memory value bigger than 1 and smaller than 4gb",
        ),
        ("REPLYBUFFER RESIZING 0", "OK"),
        ("REPLYBUFFER PEAK-RESET-TIME never", "OK"),
        ("REPLYBUFFER PEAK-RESET-TIME 100", "OK"),
        ("REPLYBUFFER PEAK-RESET-TIME x", "-ERR value is not an integer or out of range"),
        ("REPLYBUFFER foo 1", &unknown("REPLYBUFFER")),
        ("DICT-RESIZING x", "OK"),
        ("DICT-RESIZING", &unknown("DICT-RESIZING")),
        ("DROP-CLUSTER-PACKET-FILTER 3", "OK"),
        ("CLUSTERLINK KILL all x", "-ERR Debug option only available for cluster mode enabled setup!"),
        ("DIGEST-VALUE", "[]"),
        ("DIGEST-VALUE k", "[36b23a1456b2dce2c3ed252c456761301dba8060]"),
        ("PROTOCOL attrib", "Some real reply following the attribute"),
        ("PROTOCOL double", "3.141"),
        ("FOO", &unknown("FOO")),
        ("HELP x", &unknown("HELP")),
        ("SLEEP", &unknown("SLEEP")),
    ] {
        assert_eq!(w.say(c, &format!("DEBUG {line}")), answer, "{line}");
    }
    assert!(w.say(c, "DEBUG SDSLEN k").contains(" val_sds_len:5 "));
    assert!(w.say(c, "DEBUG OBJECT k").contains(" encoding:embstr serializedlength:6 lru:"));
    assert!(w.say(c, "DEBUG OBJECT k fast").contains(" encoding:embstr lru:"));
}

#[test]
fn what_is_done_by_time_can_be_stopped() {
    let (mut w, c) = debugged();
    w.say(c, "SET k v PX 10");
    w.say(c, "DEBUG PAUSE-CRON 1");
    for _ in 0..20 {
        w.pass(100);
    }
    assert_eq!(w.say(c, "DBSIZE"), ":1");
    w.say(c, "DEBUG PAUSE-CRON 0");
    for _ in 0..20 {
        w.pass(100);
    }
    assert_eq!(w.say(c, "DBSIZE"), ":0");
}

#[test]
fn what_is_replicated_alone_reaches_the_log_alone() {
    let (mut w, c) = debugged();
    w.record();
    assert_eq!(w.say(c, "DEBUG REPLICATE SET a 1"), "OK");
    assert_eq!(w.recorded(), ["SELECT 0", "SET a 1"]);
    assert_eq!(w.say(c, "GET a"), "(nil)");
    assert!(w.say(c, "DEBUG REPLICATE nothing").starts_with("-ERR DEBUG REPLICATE takes a command"));
    assert!(w.recorded().is_empty());
}

#[test]
fn a_changed_history_has_replicas_ask_for_everything() {
    let mut c = super::replication::Cluster::new(2);
    c.fill(0, "a", 3);
    c.follow(1, 0);
    for member in &mut c.members {
        let config = &mut member.world.node.config;
        config.set("enable-debug-command", &["yes"]).expect("a directive");
    }
    let before = c.members[0].world.node.repl.lineage.current().id;
    assert_eq!(c.say(0, "DEBUG CHANGE-REPL-ID"), "OK");
    assert_ne!(c.members[0].world.node.repl.lineage.current().id, before);
    c.pass(2000);
    assert_eq!(c.say(1, "DBSIZE"), ":3");
    assert_eq!(c.members[0].world.node.stats.sync_full, 2);
    assert!(c.say(1, "DEBUG CHANGE-REPL-ID").starts_with("-ERR the history of a replica"));
}

#[test]
fn what_is_past_its_time_is_seen_until_it_is_removed() {
    let (mut w, c) = debugged();
    w.say(c, "DEBUG SET-ACTIVE-EXPIRE 0");
    w.say(c, "SET k hello PX 10");
    let digest = w.say(c, "DEBUG DIGEST-VALUE k");
    w.now.wall_us += 20_000;
    assert_eq!(w.say(c, "DEBUG DIGEST-VALUE k"), digest);
    assert!(w.say(c, "DEBUG SDSLEN k").contains("val_sds_len:5 "));
    assert_eq!(w.say(c, "DEBUG LISTPACK k"), "-ERR no such key");
    assert_eq!(w.say(c, "GET k"), "(nil)");
    assert_eq!(w.say(c, "DEBUG DIGEST-VALUE k"), format!("[{}]", "0".repeat(40)));
}

/// Servers before version 7 kept small collections in ziplists, and so they are in their files and payloads.
#[test]
fn what_is_in_a_ziplist_is_read() {
    let (mut w, c) = debugged();
    w.say(c, "DEBUG SET-SKIP-CHECKSUM-VALIDATION 1");
    let mut restore = |kind: u8, shown: &str| {
        // "a", 1, "b", "2.5"
        let ziplist = b"\x18\0\0\0\x12\0\0\0\x04\0\0\x01a\x03\xf2\x02\x01b\x03\x032.5\xff";
        let payload = [&[kind, 24], ziplist.as_slice(), b"\x09\0checksum"].concat();
        let mut bytes = Vec::new();
        tanist_resp::encode_command(&mut bytes, &[b"RESTORE", b"k", b"0", &payload, b"REPLACE"]);
        assert_eq!(super::show(&super::decode(&w.raw(c, &bytes).0)[0]), "OK", "{kind}");
        assert_eq!(w.say(c, shown), "[a 1 b 2.5]", "{kind}");
    };
    restore(10, "LRANGE k 0 -1");
    restore(12, "ZRANGE k 0 -1 WITHSCORES");
    restore(13, "HGETALL k");
}
