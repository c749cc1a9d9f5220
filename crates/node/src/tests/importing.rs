//! `import-mode`: the source of the data says what expires.

use super::World;
use crate::SessionId;
use tanist_config::ServerConfig;

/// A node that imports, the connection of the source, and another client. The key `old` and the field `f` of `h` are past
/// their time.
fn importing() -> (World, SessionId, SessionId) {
    let mut w = World::with(ServerConfig { import_mode: true, ..ServerConfig::default() });
    let (source, other) = (w.connect(), w.connect());
    assert_eq!(w.say(source, "CLIENT IMPORT-SOURCE ON"), "OK");
    for line in ["SET old 1 PX 10", "SET new 2", "HSET h f 1 g 2", "HPEXPIRE h 10 FIELDS 1 f"] {
        w.all(source, line);
    }
    for _ in 0..20 {
        w.pass(100);
    }
    w.record();
    (w, source, other)
}

#[test]
fn nothing_is_removed_and_only_the_source_sees_what_is_past_its_time() {
    let (mut w, source, other) = importing();
    for (line, seen, hidden) in [
        ("GET old", "1", "(nil)"),
        ("EXISTS old", ":1", ":0"),
        ("TTL old", ":0", ":-2"),
        ("TYPE old", "string", "none"),
        ("DBSIZE", ":3", ":3"),
        ("HGET h f", "1", "(nil)"),
        ("HMGET h f g", "[1 2]", "[(nil) 2]"),
        ("HPTTL h FIELDS 1 f", "[:0]", "[:-2]"),
    ] {
        assert_eq!(w.say(source, line), seen, "{line}");
        assert_eq!(w.say(other, line), hidden, "{line}");
    }
    assert!(w.say(source, "KEYS *").contains("old") && w.say(source, "SCAN 0").contains("old"));
    assert!(!w.say(other, "KEYS *").contains("old") && !w.say(other, "SCAN 0").contains("old"));
    assert!(w.recorded().is_empty(), "reading removes nothing either");
}

#[test]
fn the_source_changes_what_is_past_its_time_and_others_replace_it() {
    let (mut w, source, other) = importing();
    assert_eq!(w.say(source, "APPEND old 1"), ":2");
    assert_eq!(w.say(source, "HINCRBY h f 1"), ":2");
    assert_eq!(w.say(source, "PEXPIREAT new 1000"), ":1");
    let logged =
        ["SELECT 0", "APPEND old 1", "HSETEX h PXAT 1700000000010 FIELDS 1 f 2", "PEXPIREAT new 1000"];
    assert_eq!(w.recorded(), logged, "a moment that has passed is as good as any");
    assert_eq!(w.say(source, "GET new"), "2");
    assert_eq!(w.say(other, "APPEND old 1"), ":1");
    assert_eq!(w.recorded(), ["MULTI", "UNLINK old", "APPEND old 1", "EXEC"]);
}

#[test]
fn what_has_waited_expires_when_the_import_is_over() {
    let (mut w, source, other) = importing();
    assert_eq!(w.say(other, "CONFIG SET import-mode no"), "OK");
    w.pass(100);
    assert_eq!(w.recorded(), ["SELECT 0", "UNLINK old", "HDEL h f"]);
    assert_eq!(w.say(source, "GET old"), "(nil)");
    assert_eq!(w.say(other, "CLIENT IMPORT-SOURCE ON"), "-ERR Server is not in import mode");
    assert_eq!(w.say(source, "CLIENT IMPORT-SOURCE OFF"), "OK");
}

#[test]
fn nothing_is_evicted() {
    let (mut w, source, _) = importing();
    w.say(source, "CONFIG SET maxmemory-policy allkeys-lru maxmemory 1");
    assert_eq!(w.say(source, "SET x 1"), "-OOM command not allowed when used memory > 'maxmemory'.");
    assert_eq!(w.say(source, "DBSIZE"), ":3");
    w.say(source, "CONFIG SET import-mode no");
    w.say(source, "SET x 1");
    assert!(w.say(source, "INFO stats").contains("evicted_keys:3"), "it has been the mode that held them");
}
