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
fn nobody_is_served_with_what_debug_sleep_lets_pass_its_time() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.node.config.set("enable-debug-command", &["yes"]).expect("a directive");
    w.wait(a, "BRPOP k 0");
    w.record();
    for line in ["MULTI", "RPUSH k hello", "PEXPIRE k 100", "DEBUG SLEEP 0.2", "EXEC"] {
        w.say(b, line);
    }
    assert!(w.sent().is_empty());
    let log = w.recorded();
    assert!(log[3].starts_with("PEXPIREAT k "), "{log:?}");
    assert_eq!(log[4..], ["EXEC", "UNLINK k"]);
    w.say(b, "RPUSH k again");
    assert_eq!(w.sent(), [(a, "[k again]".into())]);
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

#[test]
fn who_waits_for_a_stream_gets_what_comes_behind_what_it_knows() {
    let mut w = World::new();
    let (a, b, c) = (w.connect(), w.connect(), w.connect());
    w.say(c, "XADD s 1-1 f v");
    w.wait(a, "XREAD BLOCK 0 STREAMS none s $ $");
    w.wait(b, "XREAD COUNT 1 BLOCK 5000 STREAMS s 2-0");
    w.say(c, "XADD s 1-2 f v");
    assert_eq!(w.sent(), [(a, "[[s [[1-2 [f v]]]]]".into())], "the other one knows of 2-0");
    for line in ["MULTI", "XADD s 3-1 f v", "XADD s 4-1 f v", "EXEC"] {
        w.say(c, line);
    }
    assert_eq!(w.sent(), [(b, "[[s [[3-1 [f v]]]]]".into())]);
    w.wait(b, "XREAD BLOCK 5000 STREAMS s $");
    w.say(c, "DEL s");
    w.say(c, "XADD s 1-1 f v");
    assert!(w.sent().is_empty(), "what $ has meant is still before us");
    w.pass(5000);
    assert_eq!(w.sent(), [(b, "(nil)".into())]);
    assert_eq!(w.say(c, "XREAD BLOCK x STREAMS s $"), "-ERR timeout is not an integer or out of range");
    assert_eq!(w.say(c, "XREAD BLOCK -1 STREAMS s $"), "-ERR timeout is negative");
}

#[test]
fn consumers_that_wait_share_what_comes_in_the_order_of_their_coming() {
    let mut w = World::new();
    let (a, b, c) = (w.connect(), w.connect(), w.connect());
    w.say(c, "XGROUP CREATE s g $ MKSTREAM");
    w.record();
    w.wait(a, "XREADGROUP GROUP g alice COUNT 1 BLOCK 0 STREAMS s >");
    w.wait(b, "XREADGROUP GROUP g bob COUNT 1 BLOCK 0 STREAMS s >");
    assert_eq!(
        w.recorded(),
        ["SELECT 0", "XGROUP CREATECONSUMER s g alice", "XGROUP CREATECONSUMER s g bob"]
    );
    for line in ["MULTI", "XADD s 1-1 f v", "XADD s 2-1 f v", "EXEC"] {
        w.say(c, line);
    }
    assert_eq!(w.sent(), [(a, "[[s [[1-1 [f v]]]]]".into()), (b, "[[s [[2-1 [f v]]]]]".into())]);
    let claim = |who: &str, id: &str| {
        format!("XCLAIM s g {who} 0 {id} TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID {id}")
    };
    assert_eq!(
        w.recorded(),
        [
            "MULTI".to_owned(),
            "XADD s 1-1 f v".into(),
            "XADD s 2-1 f v".into(),
            "EXEC".into(),
            "MULTI".into(),
            claim("alice", "1-1"),
            "XGROUP SETID s g 1-1 ENTRIESREAD 1".into(),
            "EXEC".into(),
            "MULTI".into(),
            claim("bob", "2-1"),
            "XGROUP SETID s g 2-1 ENTRIESREAD 2".into(),
            "EXEC".into(),
        ]
    );
    assert_eq!(w.say(c, "XPENDING s g"), "[:2 1-1 2-1 [[alice 1] [bob 1]]]");
}

#[test]
fn consumers_of_a_group_that_is_gone_wait_no_more() {
    let missing = "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option";
    let other = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    for (line, expected) in [
        ("XGROUP DESTROY s g", missing),
        ("DEL s", missing),
        ("FLUSHALL", missing),
        ("SET s text", other),
        ("RENAME t s", missing),
    ] {
        let mut w = World::new();
        let (a, b, c) = (w.connect(), w.connect(), w.connect());
        w.say(c, "XADD t 1-1 f v");
        w.say(c, "XGROUP CREATE s g $ MKSTREAM");
        w.wait(a, "XREADGROUP GROUP g alice BLOCK 0 STREAMS s >");
        w.wait(b, "XREAD BLOCK 0 STREAMS none $");
        assert_eq!(w.info(c, "total_blocking_keys_on_nokey"), "1");
        w.say(c, line);
        assert_eq!(w.sent(), [(a, expected.to_owned())], "{line}");
        assert_eq!(w.info(c, "total_blocking_keys"), "1");
    }
}

#[test]
fn nothing_blocks_on_a_stream_inside_a_transaction_or_script() {
    let mut w = World::new();
    let a = w.connect();
    w.say(a, "XGROUP CREATE s g $ MKSTREAM");
    for line in ["XREAD BLOCK 0 STREAMS s $", "XREADGROUP GROUP g alice BLOCK 0 STREAMS s >"] {
        assert_eq!(w.say(a, "MULTI"), "OK");
        w.say(a, line);
        assert_eq!(w.say(a, "EXEC"), "[(nil)]", "{line}");
        let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
        let script = format!("return(redis.call({}))", words.join(","));
        assert_eq!(w.say(a, &format!("EVAL {script} 0")), "(nil)", "{line}");
    }
}

#[test]
fn members_go_to_who_came_first_and_the_log_has_what_was_taken() {
    let mut w = World::new();
    let (a, b, c, d) = (w.connect(), w.connect(), w.connect(), w.connect());
    w.record();
    w.wait(a, "BZPOPMIN x z 0");
    w.wait(b, "BZPOPMAX z 0.5");
    w.wait(c, "BZMPOP 0 2 y z MAX COUNT 2");
    assert_eq!(w.say(d, "ZADD z 1 one 2 two 3 three 4 four"), ":4");
    assert_eq!(
        w.sent(),
        [(a, "[z one 1]".into()), (b, "[z four 4]".into()), (c, "[z [[three 3] [two 2]]]".into())]
    );
    assert_eq!(
        w.recorded(),
        ["SELECT 0", "ZADD z 1 one 2 two 3 three 4 four", "ZPOPMIN z", "ZPOPMAX z", "ZPOPMAX z 2"]
    );
    assert_eq!(w.say(d, "EXISTS z"), ":0");
    assert_eq!(w.info(d, "blocked_clients"), "0");
    w.wait(b, "BZPOPMAX z 0.5");
    w.say(d, "RPUSH z x");
    assert!(w.sent().is_empty(), "a list is not what it waits for");
    w.pass(500);
    assert_eq!(w.sent(), [(b, "(nil)".into())]);
}

#[test]
fn every_way_to_put_a_sorted_set_at_a_key_wakes() {
    for line in [
        "ZUNIONSTORE k 1 z",
        "ZRANGESTORE k z 0 -1",
        "RENAME z k",
        "COPY z k",
        "ZINCRBY k 1 a",
        "SORT z STORE k",
    ] {
        let mut w = World::new();
        let (a, b) = (w.connect(), w.connect());
        w.say(b, "ZADD z 1 a");
        w.wait(a, "BZPOPMIN k 0");
        let other = line == "SORT z STORE k";
        w.say(b, line);
        let expected = if other { vec![] } else { vec![(a, "[k a 1]".to_owned())] };
        assert_eq!(w.sent(), expected, "{line}");
    }
}

#[test]
fn waiting_for_members_is_refused_or_answered_at_once_where_it_cannot_be() {
    let mut w = World::new();
    let a = w.connect();
    for line in ["BZPOPMIN k 0", "BZMPOP 0 1 k MIN"] {
        w.say(a, "MULTI");
        w.say(a, line);
        assert_eq!(w.say(a, "EXEC"), "[(nil)]", "{line}");
    }
    w.say(a, "SET text x");
    for (line, error) in [
        ("BZPOPMIN text 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("BZPOPMIN k x", "-ERR timeout is not a float or out of range"),
        ("BZMPOP -1 1 k MIN", "-ERR timeout is negative"),
        ("BZMPOP 0 0 k MIN", "-ERR numkeys should be greater than 0"),
        ("BZMPOP 0 1 k FOO", "-ERR syntax error"),
    ] {
        assert_eq!(w.say(a, line), error, "{line}");
    }
}

#[test]
fn a_key_past_its_time_wakes_nobody_and_goes() {
    let mut w = World::new();
    let (a, b) = (w.connect(), w.connect());
    w.record();
    w.say(b, "SELECT 1");
    w.say(b, "RPUSH k v");
    w.say(b, "PEXPIRE k 5");
    w.wait(a, "BLPOP k 0");
    w.now.wall_us += 5_000;
    w.recorded();
    w.say(b, "SWAPDB 0 1");
    assert!(w.sent().is_empty());
    assert_eq!(w.recorded(), ["SWAPDB 0 1", "SELECT 0", "UNLINK k"]);
}
