//! Keyspace events.

use super::World;
use tanist_config::ServerConfig;

/// The events of the last of these commands, as a listener of every channel sees them.
fn events(flags: &str, commands: &str) -> String {
    let mut config = ServerConfig::default();
    config.set("notify-keyspace-events", &[flags]).expect("a directive");
    let mut w = World::with(config);
    let (c, listener) = (w.connect(), w.connect());
    w.say(listener, "PSUBSCRIBE *");
    let mut last = Vec::new();
    for line in commands.split("; ") {
        w.outs.drain();
        w.say(c, line);
        last = w.pushed(listener);
    }
    let prefix = "[pmessage * ";
    let plain: Vec<_> = last.iter().map(|m| m.trim_start_matches(prefix).trim_end_matches(']')).collect();
    plain.join(", ")
}

#[test]
fn nothing_is_said_unless_asked_for() {
    assert_eq!(events("", "SET k v"), "");
    assert_eq!(events("g$", "SET k v"), "");
    assert_eq!(events("Kg", "SET k v"), "");
}

#[test]
fn both_kinds_of_channels() {
    assert_eq!(events("KEA", "SET k v"), "__keyspace@0__:k set, __keyevent@0__:set k");
    assert_eq!(events("E$", "SELECT 3; SET k v"), "__keyevent@3__:set k");
    assert_eq!(events("K$", "SET k v"), "__keyspace@0__:k set");
}

/// As Valkey publishes them: what is new is said before what else has happened to it.
#[test]
fn new_keys_are_told_if_asked_for() {
    for (commands, expected) in [
        ("SET k v", "new k, set k"),
        ("SET k v; SET k w", "set k"),
        ("MSET a 1 b 2", "new a, set a, new b, set b"),
        ("SET k v; RENAME k l", "new l, rename_from k, rename_to l"),
        ("SET k v; COPY k l", "new l, copy_to l"),
        ("SET k v; SET l w; COPY k l REPLACE", "new l, copy_to l"),
        ("INCR k", "new k, incrby k"),
        ("APPEND k v", "new k, append k"),
        ("SETRANGE k 1 v", "new k, setrange k"),
        ("SADD s 1; SMOVE s t 1", "srem s, del s, new t, sadd t"),
        ("HSETEX k EXAT 0 FIELDS 1 f v", "new k, hset k, hexpire k, hexpired k, del k"),
        ("HSET k f v; HSETEX k EXAT 0 FIELDS 1 g w", "hset k, hexpire k, hexpired k"),
    ] {
        let events = events("EAn", commands).replace("__keyevent@0__:", "");
        assert_eq!(events, expected, "{commands}");
    }
    assert_eq!(events("Em", "GET k"), "__keyevent@0__:keymiss k");
    assert_eq!(events("Em", "HGETEX k EX 0 FIELDS 1 f"), "__keyevent@0__:keymiss k");
    for commands in ["LPUSH l x; LCS l k", "XACK k g 1", "XREADGROUP GROUP g c STREAMS k >"] {
        assert_eq!(events("Em", commands), "__keyevent@0__:keymiss k", "{commands}");
    }
    assert_eq!(events("Em", "OBJECT ENCODING k"), "", "it only looks");
    assert_eq!(events("E$", "SET k v"), "__keyevent@0__:set k");
    assert_eq!(events("En", "SET k v"), "__keyevent@0__:new k");
}

/// As Valkey publishes them.
#[test]
fn every_command_has_its_events() {
    for (commands, expected) in [
        ("SET k v EX 10", "set k, expire k"),
        ("SETEX k 10 v", "set k, expire k"),
        ("SETNX k v", "set k"),
        ("MSET a 1 b 2", "set a, set b"),
        ("SET k v; GETSET k w", "set k"),
        ("SET k v; GETDEL k", "del k"),
        ("SET k v; GETEX k EX 10", "expire k"),
        ("SET k v EX 10; GETEX k PERSIST", "persist k"),
        ("APPEND k v", "append k"),
        ("SETRANGE k 1 v", "setrange k"),
        ("INCR k", "incrby k"),
        ("DECRBY k 2", "incrby k"),
        ("INCRBYFLOAT k 2", "incrbyfloat k"),
        ("SET k v; DEL k", "del k"),
        ("SET k v; DELIFEQ k v", "del k"),
        ("SET k v; EXPIRE k 10", "expire k"),
        ("SET k v; EXPIRE k -1", "expired k"),
        ("SET k v; SET k v EXAT 1", "expired k"),
        ("SET k v; GETEX k EXAT 1", "expired k"),
        ("SET k v EX 1; PERSIST k", "persist k"),
        ("SET k v; RENAME k l", "rename_from k, rename_to l"),
        ("SET k v; SET l v; RENAME k l", "rename_from k, rename_to l"),
        ("SET k v; COPY k l", "copy_to l"),
        ("SET k v; GET k", ""),
        ("GET k", ""),
        ("DEL k", ""),
    ] {
        let seen = events("EA", commands).replace("__keyevent@0__:", "");
        assert_eq!(seen, expected, "{commands}");
    }
    assert_eq!(events("EA", "SET k v; MOVE k 1"), "__keyevent@0__:move_from k, __keyevent@1__:move_to k");
    assert_eq!(events("Em", "GET k"), "__keyevent@0__:keymiss k");
}

#[test]
fn expiry_is_an_event() {
    let mut config = ServerConfig::default();
    config.set("notify-keyspace-events", &["Ex"]).expect("a directive");
    let mut w = World::with(config);
    let (c, listener) = (w.connect(), w.connect());
    w.say(listener, "SUBSCRIBE __keyevent@0__:expired");
    w.say(c, "SET lazy v PX 1");
    w.now.wall_us += 1000;
    w.say(c, "GET lazy");
    assert_eq!(w.pushed(listener), ["[message __keyevent@0__:expired lazy]"]);
    w.say(c, "SET active v PX 1");
    w.pass(100);
    assert_eq!(w.pushed(listener), ["[message __keyevent@0__:expired active]"]);
}
