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

/// As in Valkey, which `INFO` and `CLIENT LIST` tell.
#[test]
fn who_will_fail_watches_nothing_more() {
    let mut w = World::new();
    let (c, other) = (w.connect(), w.connect());
    // Unless it is because of a whole database.
    for (spoil, watching, keys) in
        [("SET a 1", 0, 0), ("DEL a", 0, 0), ("FLUSHALL", 1, 2), ("SWAPDB 0 1", 1, 2), ("FLUSHDB", 1, 2)]
    {
        w.say(other, "SET a 0");
        w.say(c, "WATCH a b");
        assert!(w.say(other, "INFO clients").contains("watching_clients:1\r\n"), "{spoil}");
        w.say(other, spoil);
        w.say(c, "WATCH c");
        let told = w.say(other, "INFO clients");
        let expected = [format!("watching_clients:{watching}\r\n"), format!("total_watched_keys:{keys}\r\n")];
        assert!(expected.iter().all(|line| told.contains(line)), "{spoil}: {told}");
        w.say(c, "MULTI");
        w.say(c, "PING");
        assert_eq!(w.say(c, "EXEC"), "(nil)", "{spoil}");
    }
    // The same by its own change, and UNWATCH forgets that.
    w.say(c, "WATCH a");
    w.say(c, "SET a 1");
    assert!(w.node.watchers.is_empty());
    w.say(c, "UNWATCH");
    w.say(c, "WATCH a");
    assert!(!w.node.watchers.is_empty());
}

/// Valkey 9.1 says so of every `EXEC` that does not get through to the queue, and forgets what was watched.
#[test]
fn an_exec_that_is_refused_discards_whether_or_not_there_is_a_transaction() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    let discarded = "-EXECABORT Transaction discarded because of:";
    let arity = format!("{discarded} wrong number of arguments for 'exec' command");
    assert_eq!(w.say(a, "EXEC now"), arity);
    w.say(a, "WATCH k");
    w.say(a, "MULTI");
    w.say(a, "SET k 1");
    assert_eq!(w.say(a, "EXEC now"), arity);
    assert_eq!(w.say(a, "EXEC"), "-ERR EXEC without MULTI");
    assert!(w.node.watchers.is_empty());
    w.say(b, "SUBSCRIBE c");
    assert!(w.say(b, "EXEC").starts_with(&format!("{discarded} Can't execute 'exec': only")));
}

#[test]
fn a_subcommand_is_not_the_command_of_its_name() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "MULTI");
    for line in ["SLOWLOG RESET", "COMMANDLOG RESET slow", "LATENCY RESET", "CLUSTER RESET"] {
        assert_eq!(w.say(c, line), "QUEUED", "{line}");
    }
    let disabled = "-ERR This instance has cluster support disabled";
    assert_eq!(w.say(c, "EXEC"), format!("[OK OK :0 {disabled}]"));
    w.say(c, "SUBSCRIBE x");
    assert!(w.say(c, "SLOWLOG RESET").starts_with("-ERR Can't execute 'slowlog|reset': only"));
}

#[test]
fn a_subscription_in_a_transaction_does_not_concern_its_other_commands() {
    let mut w = World::new();
    let c = w.connect();
    for line in ["MULTI", "SUBSCRIBE c", "GET k"] {
        w.say(c, line);
    }
    assert_eq!(w.say(c, "EXEC"), "[[subscribe c :1] (nil)]");
    assert!(w.say(c, "GET k").starts_with("-ERR Can't execute 'get'"));
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
