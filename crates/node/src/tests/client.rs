//! `CLIENT`.

use super::World;
use crate::Next;

#[test]
fn the_list_describes_every_connection_and_filters_choose() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.say(a, "CLIENT SETNAME alice");
    w.say(a, "CLIENT SETINFO LIB-NAME lib");
    w.say(b, "SUBSCRIBE news");
    w.pass(2000);
    let list = w.say(a, "CLIENT LIST");
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].starts_with("id=1 addr=127.0.0.1:1 laddr=127.0.0.1:2 fd=8 name=alice age=2 idle=0 flags=N ")
    );
    assert!(lines[0].contains(" cmd=client|list user=default ") && lines[0].contains(" lib-name=lib "));
    assert!(lines[1].contains(" flags=P ") && lines[1].contains(" sub=1 ") && lines[1].contains(" idle=2 "));

    let count = |w: &mut World, filter: &str| w.say(a, &format!("CLIENT LIST {filter}")).lines().count();
    for (filter, expected) in [
        ("TYPE normal", 1),
        ("TYPE pubsub", 1),
        ("TYPE replica", 0),
        ("NOT-TYPE normal", 1),
        ("ID 1 2 99", 2),
        ("ID 1 2 SKIPME yes", 1),
        ("NAME alice", 1),
        ("NOT-NAME alice", 1),
        ("ADDR 127.0.0.1:1", 2),
        ("IP 127.0.0.1", 2),
        ("USER default", 2),
        ("FLAGS P", 1),
        ("DB 1", 0),
        ("MAXAGE 2", 2),
        ("MAXAGE 3", 0),
        ("IDLE 2", 1),
        ("LIB-NAME lib TYPE normal", 1),
    ] {
        assert_eq!(count(&mut w, filter), expected, "{filter}");
    }
    for (filter, error) in [
        ("TYPE x", "-ERR Unknown client type 'x'"),
        ("ID x", "-ERR syntax error"),
        ("ID 0", "-ERR client-id should be greater than 0"),
        ("USER bob", "-ERR No such user 'bob'"),
        ("MAXAGE -1", "-ERR maxage should be greater than 0"),
        ("ADDR", "-ERR syntax error"),
        ("SKIPME maybe", "-ERR syntax error"),
        ("FLAGS Q", "-ERR Unknown flags found in the provided filter: Q"),
        ("DB x", "-ERR DB is not an integer or out of range"),
        ("DB 99", "-ERR DB number should be between 0 and 15"),
    ] {
        assert_eq!(w.say(a, &format!("CLIENT LIST {filter}")), error, "{filter}");
    }
}

#[test]
fn killed_connections_are_gone_at_once_and_the_own_one_after_its_reply() {
    let mut w = World::new();
    let (a, b, c) = (w.connect(), w.connect(), w.connect());
    w.say(b, "SUBSCRIBE news");
    assert_eq!(w.say(a, "CLIENT KILL TYPE pubsub"), ":1");
    assert_eq!(w.say(a, "PUBLISH news hello"), ":0");
    assert_eq!(w.raw(b, b"PING\r\n"), (Vec::new(), Next::Close));
    assert_eq!(w.say(a, "CLIENT KILL 9.9.9.9:9"), "-ERR No such client");
    assert_eq!(w.say(a, "CLIENT KILL ID 1 SKIPME yes"), ":0");
    assert_eq!(w.raw(a, b"CLIENT KILL ID 1 SKIPME no\r\nPING\r\n"), (b":1\r\n".to_vec(), Next::Close));
    assert_eq!(w.say(c, "PING"), "PONG");
}

#[test]
fn a_pause_holds_writers_or_everybody_until_it_ends() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    assert_eq!(w.say(a, "CLIENT PAUSE 1000 WRITE"), "OK");
    assert_eq!(w.say(b, "GET k"), "(nil)");
    assert_eq!(w.raw(b, b"SET k 1\r\n"), (Vec::new(), Next::Wait));
    // Neither shorter nor milder than what is running.
    w.say(a, "CLIENT PAUSE 10 WRITE");
    w.pass(500);
    assert!(w.outs.is_empty());
    assert_eq!(w.say(a, "CLIENT UNPAUSE"), "OK");
    assert!(matches!(w.outs.drain().next(), Some(crate::Output::Resume(id)) if id == b));
    assert_eq!(w.say(b, "SET k 1"), "OK");

    // What may be logged is held like a write, also in a transaction.
    for line in ["MULTI", "PFCOUNT h"] {
        w.say(b, line);
    }
    w.say(a, "CLIENT PAUSE 100 WRITE");
    assert_eq!(w.raw(b, b"EXEC\r\n"), (Vec::new(), Next::Wait));
    let counter = w.connect();
    assert_eq!(w.raw(counter, b"PFCOUNT h\r\n"), (Vec::new(), Next::Wait));
    assert!(w.say(a, "INFO clients").contains("blocked_clients:2\r"));
    w.pass(200);
    assert_eq!(w.say(b, "EXEC"), "[:0]");
    w.outs.drain();

    w.say(a, "CLIENT PAUSE 100 ALL");
    assert_eq!(w.raw(b, b"GET k\r\n"), (Vec::new(), Next::Wait));
    w.pass(200);
    assert_eq!(w.say(b, "GET k"), "1");
    assert_eq!(w.say(a, "CLIENT PAUSE -1"), "-ERR timeout is negative");
}

#[test]
fn replies_can_be_turned_off() {
    let mut w = World::new();
    let c = w.connect();
    let batch = b"CLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nPING\r\nPING\r\n";
    assert_eq!(w.raw(c, batch).0, b"+OK\r\n+PONG\r\n");
}

#[test]
fn confirmations_of_subscriptions_come_although_replies_are_off() {
    let mut w = World::new();
    let c = w.connect();
    let batch = b"CLIENT REPLY OFF\r\nSUBSCRIBE a\r\nUNSUBSCRIBE a\r\nPING\r\n";
    let expected = "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n";
    assert_eq!(String::from_utf8(w.raw(c, batch).0).unwrap(), expected);
    assert_eq!(
        w.raw(c, b"CLIENT REPLY SKIP\r\nPSUBSCRIBE b*\r\n").0,
        b"*3\r\n$10\r\npsubscribe\r\n$2\r\nb*\r\n:1\r\n"
    );
}

#[test]
fn unknown_subcommands_leave_the_connection_and_its_order_alone() {
    let mut w = World::new();
    let c = w.connect();
    let (out, next) = w.raw(c, b"CLIENT MAINT_NOTIFICATIONS ON\r\nPING\r\n");
    assert_eq!(next, Next::Go);
    assert_eq!(out, b"-ERR unknown subcommand 'MAINT_NOTIFICATIONS'. Try CLIENT HELP.\r\n+PONG\r\n");
}

#[test]
fn a_replica_sends_clients_that_can_follow_to_its_primary() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.say(a, "CLIENT CAPA redirect");
    w.say(a, "SET k 1");
    assert_eq!(w.say(a, "REPLICAOF 10.0.0.1 7000"), "OK");
    assert_eq!(w.say(a, "GET k"), "-REDIRECT 10.0.0.1:7000");
    assert_eq!(w.say(a, "SET k 2"), "-REDIRECT 10.0.0.1:7000");
    assert_eq!(w.say(a, "READONLY"), "OK");
    assert_eq!(w.say(a, "GET k"), "1");
    assert_eq!(w.say(a, "SET k 2"), "-REDIRECT 10.0.0.1:7000");
    assert_eq!(w.say(a, "READWRITE"), "OK");
    assert_eq!(w.say(a, "GET k"), "-REDIRECT 10.0.0.1:7000");
    assert_eq!(w.say(b, "GET k"), "1");
    assert!(w.say(b, "SET k 2").starts_with("-READONLY "));
    assert_eq!(w.say(b, "CLUSTER INFO"), "-ERR This instance has cluster support disabled");
}

#[test]
fn only_who_waits_in_a_command_that_may_time_out_can_be_unblocked() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    let unblock = format!("CLIENT UNBLOCK {}", b.0);
    assert_eq!(w.say(a, &unblock), ":0", "it waits for nothing");
    for (word, answer) in
        [("", ":0"), (" TIMEOUT", ":0"), (" ERROR", "-UNBLOCKED client unblocked via CLIENT UNBLOCK")]
    {
        assert!(w.all(b, "WAIT 1 0").is_empty());
        assert_eq!(w.say(a, &format!("{unblock}{word}")), ":1");
        assert_eq!(w.say(a, &unblock), ":0", "once is enough");
        assert_eq!(w.pushed(b), [answer]);
    }
    // What it waited for before does not end a later wait.
    assert!(w.all(b, "WAIT 1 0").is_empty());
    w.pass(10_000);
    assert!(w.pushed(b).is_empty());
    w.say(a, &unblock);

    w.outs.drain();
    assert_eq!(w.raw(b, b"SAVE\r\n"), (Vec::new(), Next::Wait));
    for word in ["TIMEOUT", "ERROR"] {
        assert_eq!(w.say(a, &format!("{unblock} {word}")), ":0");
    }
    assert!(w.say(a, "INFO clients").contains("blocked_clients:1\r"));
    w.pass(0);
    w.node.step(w.now, crate::Input::SaveWritten(Ok(())), &mut w.outs);
    assert_eq!(w.pushed(b), ["OK"]);
}
