//! Waiting for keys.

use super::{World, decode, show};
use crate::{Next, Output, SessionId};

impl World {
    /// Sends a command that is expected to wait.
    fn wait(&mut self, id: SessionId, line: &str) {
        assert!(self.all(id, line).is_empty(), "{line} waits");
    }

    /// Everything sent to sessions beside their own replies, in the order of sending.
    fn sent(&mut self) -> Vec<(SessionId, String)> {
        let mut sent = Vec::new();
        for output in self.outs.drain() {
            if let Output::Send { session, bytes } = output {
                sent.extend(decode(&bytes).iter().map(|reply| (session, show(reply))));
            }
        }
        sent
    }

    fn info(&mut self, id: SessionId, field: &str) -> String {
        let info = self.say(id, "INFO everything");
        let line = info.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':').map(str::to_owned));
        line.unwrap_or_else(|| panic!("no field {field}"))
    }
}

#[test]
fn who_came_first_is_served_first_and_the_log_has_what_was_done() {
    let mut w = World::new();
    let (a, b, c) = (w.connect(), w.connect(), w.connect());
    w.record();
    w.wait(a, "BLPOP x k 0");
    w.wait(b, "BRPOP k 0");
    assert_eq!(w.info(c, "blocked_clients"), "2");
    assert_eq!(w.info(c, "total_blocking_keys"), "2");
    assert_eq!(w.info(c, "total_blocking_keys_on_nokey"), "0");
    assert!(w.say(c, "CLIENT LIST").lines().next().expect("a line").contains(" flags=b "));
    assert_eq!(w.say(c, "RPUSH k 1 2 3"), ":3");
    let outs: Vec<Output> = w.outs.drain().collect();
    let text: Vec<String> = outs.iter().map(|o| format!("{o:?}")).collect();
    assert!(matches!(outs[1], Output::Resume(id) if id == a), "{text:?}");
    assert!(matches!(outs[3], Output::Resume(id) if id == b), "{text:?}");
    for (out, expected) in [(&outs[0], "[k 1]"), (&outs[2], "[k 3]")] {
        let Output::Send { bytes, .. } = out else { panic!("{text:?}") };
        assert_eq!(show(&decode(bytes)[0]), expected);
    }
    assert_eq!(w.recorded(), ["SELECT 0", "RPUSH k 1 2 3", "LPOP k", "RPOP k"]);
    assert_eq!(w.info(c, "blocked_clients"), "0");
    assert_eq!(w.info(c, "total_blocking_keys"), "0");
    assert_eq!(w.say(c, "LRANGE k 0 -1"), "[2]");
}

#[test]
fn the_own_order_of_keys_counts_and_a_transaction_is_looked_at_as_a_whole() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.wait(a, "BLPOP k1 k2 0");
    for line in ["MULTI", "RPUSH k2 x", "RPUSH k1 y", "EXEC"] {
        w.say(b, line);
    }
    assert_eq!(w.sent(), [(a, "[k1 y]".into())]);
    w.say(b, "DEL k2");
    w.wait(a, "BLPOP k1 k2 0");
    for line in ["MULTI", "RPUSH k1 x", "DEL k1", "EXEC"] {
        w.say(b, line);
    }
    assert!(w.sent().is_empty(), "nothing is left at the end");
    w.say(b, "SET k1 text");
    assert!(w.sent().is_empty(), "another type wakes nobody");
    w.say(b, "RPUSH k2 z");
    assert_eq!(w.sent(), [(a, "-WRONGTYPE Operation against a key holding the wrong kind of value".into())]);
}

#[test]
fn nothing_blocks_inside_a_transaction() {
    let mut w = World::new();
    let a = w.connect();
    for line in ["MULTI", "BLPOP k 0", "EXEC"] {
        w.all(a, line);
    }
    assert_eq!(w.raw(a, b"MULTI\r\nBLPOP k 0\r\nEXEC\r\n").0, b"+OK\r\n+QUEUED\r\n*1\r\n*-1\r\n");
}

#[test]
fn a_time_out_comes_when_it_is_due() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    let before = w.now.mono;
    w.wait(a, "BLPOP k 0.0205");
    w.wait(b, "BLPOP k 0");
    assert_eq!(w.node.next_deadline(), before + std::time::Duration::from_millis(21));
    w.pass(20);
    assert!(w.sent().is_empty());
    w.pass(1);
    assert_eq!(w.sent(), [(a, "(nil)".into())]);
    w.pass(1_000_000_000);
    assert!(w.sent().is_empty(), "zero is for ever");
    assert_eq!(w.info(a, "total_blocking_keys"), "1");
    for (text, error) in [
        ("x", "-ERR timeout is not a float or out of range"),
        ("nan", "-ERR timeout is not a float or out of range"),
        ("-1", "-ERR timeout is negative"),
        ("-inf", "-ERR timeout is negative"),
        ("inf", "-ERR timeout is out of range"),
        ("1e30", "-ERR timeout is out of range"),
        ("9223372036854775", "-ERR timeout is out of range"),
    ] {
        assert_eq!(w.say(a, &format!("BLPOP k {text}")), error, "{text}");
    }
}

#[test]
fn a_client_is_unblocked_as_by_its_time_out_or_with_an_error() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    let unblocked = "-UNBLOCKED client unblocked via CLIENT UNBLOCK";
    for (word, expected) in [("", "(nil)"), (" TIMEOUT", "(nil)"), (" ERROR", unblocked)] {
        w.wait(a, "BLPOP k 10");
        assert_eq!(w.say(b, &format!("CLIENT UNBLOCK {}{word}", a.0)), ":1");
        assert_eq!(w.sent(), [(a, expected.to_owned())]);
        assert_eq!(w.say(b, &format!("CLIENT UNBLOCK {}", a.0)), ":0");
    }
    assert_eq!(w.info(b, "total_blocking_keys"), "0");
    assert!(w.say(b, "INFO commandstats").contains("cmdstat_blpop:calls=3,"));
    assert!(
        w.say(b, "INFO commandstats")
            .contains("cmdstat_blpop:calls=3,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=1")
    );
    w.pass(20_000);
    assert!(w.sent().is_empty(), "its time-out is forgotten");
}

#[test]
fn the_rest_of_a_pipeline_waits_and_replies_that_are_not_wanted_are_not_sent() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    assert_eq!(w.raw(a, b"BLPOP k 0\r\nPING\r\n"), (Vec::new(), Next::Wait));
    w.say(b, "RPUSH k 1");
    assert_eq!(w.sent(), [(a, "[k 1]".into())]);
    assert_eq!(w.raw(a, b"CLIENT REPLY SKIP\r\nBLPOP k 0\r\n"), (Vec::new(), Next::Wait));
    w.say(b, "RPUSH k 1");
    let outs: Vec<Output> = w.outs.drain().collect();
    assert!(matches!(outs[..], [Output::Resume(id)] if id == a), "{outs:?}");
    assert_eq!(w.say(a, "PING"), "PONG");
}

#[test]
fn every_way_to_put_a_list_at_a_key_wakes() {
    let ways: [&[&str]; 6] = [
        &["RENAME l k"],
        &["COPY l k"],
        &["SELECT 1", "RPUSH k a", "MOVE k 0", "SELECT 0"],
        &["SELECT 1", "RPUSH k a", "SWAPDB 0 1", "SELECT 0"],
        &["SELECT 1", "RPUSH k a", "SELECT 0", "SWAPDB 1 0"],
        &["SELECT 1", "RPUSH l a", "COPY l k DB 0", "SELECT 0"],
    ];
    for way in ways {
        let mut w = World::new();
        let (a, b) = (w.connect(), w.connect());
        w.say(b, "RPUSH l a");
        w.wait(a, "BLPOP k 0");
        for line in way {
            w.say(b, line);
        }
        assert_eq!(w.sent(), [(a, "[k a]".into())], "{way:?}");
    }
}

#[test]
fn a_restored_key_wakes() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.say(b, "RPUSH l a");
    let payload = w.all(b, "DUMP l")[0].as_bytes().expect("a payload").to_vec();
    w.wait(a, "BLPOP k 0");
    let mut bytes = Vec::new();
    tanist_resp::encode_command(&mut bytes, &[b"RESTORE", b"k", b"0", &payload]);
    assert_eq!(w.raw(b, &bytes).0, b"+OK\r\n");
    assert_eq!(w.sent(), [(a, "[k a]".into())]);
}

#[test]
fn a_connection_that_is_gone_takes_nothing() {
    let mut w = World::new();
    let (a, b, c) = (w.connect(), w.connect(), w.connect());
    w.wait(a, "BLPOP k k k 5");
    w.wait(b, "BLPOP k 5");
    w.node.step(w.now, crate::Input::Closed(a), &mut w.outs);
    w.say(c, "RPUSH k 1");
    assert_eq!(w.sent(), [(b, "[k 1]".into())]);
    w.wait(b, "BLPOP k 5");
    w.say(c, &format!("CLIENT KILL ID {}", b.0));
    assert_eq!(w.info(c, "total_blocking_keys"), "0");
    assert_eq!(w.say(c, "RPUSH k 1"), ":1");
}

#[test]
fn a_pause_of_writes_holds_who_waits_back_until_it_ends() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.wait(a, "BLPOP k 0");
    for line in ["MULTI", "RPUSH k 5", "CLIENT PAUSE 300 WRITE", "EXEC"] {
        w.say(b, line);
    }
    assert!(w.sent().is_empty());
    assert_eq!(w.say(b, "LLEN k"), ":1");
    w.pass(300);
    assert_eq!(w.sent(), [(a, "[k 5]".into())]);
}

#[test]
fn a_node_that_steps_down_unblocks_all_with_an_error() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.wait(a, "BLPOP k 0");
    w.say(b, "REPLICAOF 127.0.0.1 1");
    let text =
        "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";
    assert_eq!(w.sent(), [(a, text.to_owned())]);
    assert_eq!(w.info(b, "total_blocking_keys"), "0");
}

#[test]
fn monitors_see_a_command_that_waits_once() {
    let mut w = World::new();
    let (a, b, m) = (w.connect(), w.connect(), w.connect());
    w.say(m, "MONITOR");
    w.wait(a, "BLPOP k 0");
    assert_eq!(w.sent().len(), 1);
    w.say(b, "RPUSH k 1");
    let sent = w.sent();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert_eq!(sent[1], (a, "[k 1]".into()));
}
