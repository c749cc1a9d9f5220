//! `MULTI`, `EXEC`, `DISCARD`, `WATCH`, `UNWATCH`.

use super::World;

#[test]
fn queued_commands_run_together() {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(w.say(c, "EXEC"), "-ERR EXEC without MULTI");
    assert_eq!(w.say(c, "DISCARD"), "-ERR DISCARD without MULTI");
    assert_eq!(w.say(c, "MULTI"), "OK");
    assert_eq!(w.say(c, "SET k 1"), "QUEUED");
    assert_eq!(w.say(c, "GET k"), "QUEUED");
    assert_eq!(w.say(c, "EXEC"), "[OK 1]");
    assert_eq!(w.say(c, "MULTI"), "OK");
    assert_eq!(w.say(c, "EXEC"), "[]");
}

#[test]
fn an_error_while_queueing_discards_all() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "MULTI");
    assert_eq!(w.say(c, "MULTI"), "-ERR Command 'multi' not allowed inside a transaction");
    assert_eq!(w.say(c, "EXEC"), "-EXECABORT Transaction discarded because of previous errors.");
    w.say(c, "MULTI");
    assert!(w.say(c, "GET").starts_with("-ERR wrong number"));
    assert_eq!(w.say(c, "SET k 1"), "QUEUED");
    assert!(w.say(c, "EXEC").starts_with("-EXECABORT"));
    assert_eq!(w.say(c, "GET k"), "(nil)");
}

#[test]
fn a_watched_key_that_changes_stops_the_transaction() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.say(a, "WATCH k other");
    w.say(b, "SET k 1");
    w.say(a, "MULTI");
    w.say(a, "SET k 2");
    assert_eq!(w.say(a, "EXEC"), "(nil)");
    assert_eq!(w.say(a, "GET k"), "1");
    // The watch is over now.
    w.say(b, "SET k 3");
    w.say(a, "MULTI");
    assert_eq!(w.say(a, "EXEC"), "[]");
    // One's own change counts as well; UNWATCH forgets.
    w.say(a, "WATCH k");
    w.say(a, "SET k 4");
    w.say(a, "MULTI");
    assert_eq!(w.say(a, "EXEC"), "(nil)");
    w.say(a, "WATCH k");
    w.say(b, "SET k 5");
    w.say(a, "UNWATCH");
    w.say(a, "MULTI");
    assert_eq!(w.say(a, "EXEC"), "[]");
}

#[test]
fn the_same_key_of_another_database_is_another_key() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.say(a, "WATCH k");
    w.say(b, "SELECT 1");
    w.say(b, "SET k 1");
    w.say(a, "MULTI");
    assert_eq!(w.say(a, "EXEC"), "[]");
}

#[test]
fn who_leaves_watches_no_more() {
    let mut w = World::new();
    let a = w.connect();
    w.say(a, "WATCH k");
    w.node.closed(a);
    assert!(w.node.watchers.is_empty());
}
