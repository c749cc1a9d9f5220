//! `MIGRATE`: what is sent, what is removed, and that nothing is lost on the way.

use super::{World, show};
use crate::{Input, Output, SessionId};
use tanist_resp::{Batch, Limits};

impl World {
    /// Begins a migration; gives its number and the commands that are sent, payloads left out.
    fn begin(&mut self, c: SessionId, line: &str) -> (u64, Vec<String>) {
        assert!(self.migrate(c, line).is_empty(), "{line} waits");
        let exchange = self.outs.drain().find_map(|output| match output {
            Output::Exchange { number, bytes, host, port, identity } => {
                assert!(bytes.starts_with(&identity) && (identity.is_empty() || line.contains("AUTH")));
                Some((number, bytes, host, port))
            }
            _ => None,
        });
        let (number, bytes, host, port) = exchange.expect("a connection is asked for");
        assert_eq!((host.as_str(), port), ("10.0.0.9", 7000));
        let mut batch = Batch::new();
        batch.parse(&bytes, &Limits::default(), 100).expect("commands");
        let words = |i: usize| {
            let args = batch.args(i, &bytes);
            let shown =
                |w: &[u8]| if w.len() > 10 { "...".into() } else { String::from_utf8_lossy(w).into_owned() };
            args.iter().map(shown).collect::<Vec<_>>().join(" ")
        };
        (number, (0..batch.len()).map(words).collect())
    }

    /// `MIGRATE` with these words, `-` for an empty one; its replies.
    fn migrate(&mut self, c: SessionId, line: &str) -> Vec<String> {
        let words: Vec<&[u8]> =
            line.split(' ').map(|w| if w == "-" { b"".as_slice() } else { w.as_bytes() }).collect();
        let mut bytes = Vec::new();
        tanist_resp::encode_command(&mut bytes, &words);
        let (out, _) = self.raw(c, &bytes);
        super::decode(&out).iter().map(show).collect()
    }

    fn answer(&mut self, number: u64, bytes: &[u8]) {
        let input = Input::Exchanged { number, bytes: bytes.to_vec() };
        self.node.step(self.now, input, &mut self.outs);
    }
}

#[test]
fn keys_go_and_are_removed_once_they_are_there() {
    let mut w = World::new();
    let (c, listener) = (w.connect(), w.connect());
    w.say(c, "CONFIG SET notify-keyspace-events Eg");
    w.say(listener, "SUBSCRIBE __keyevent@0__:del");
    w.say(c, "SET a 1");
    w.say(c, "SET b 2 PX 5000");
    w.say(c, "SET gone 3 PX 10");
    w.now.wall_us += 20_000;
    w.record();
    let line = "MIGRATE 10.0.0.9 7000 - 3 2000 REPLACE AUTH2 me secret KEYS a none b gone";
    let (number, sent) = w.begin(c, line);
    assert_eq!(sent, ["AUTH me secret", "SELECT 3", "RESTORE a 0 ... REPLACE", "RESTORE b 4980 ... REPLACE"]);
    assert_eq!(w.recorded(), ["SELECT 0", "UNLINK gone"]);
    w.answer(number, b"+OK\r\n+OK\r\n+O");
    let reader = w.connect();
    assert_eq!(w.say(reader, "GET a"), "1", "it is here until it is there");
    w.answer(number, b"K\r\n+OK\r\n");
    assert_eq!(w.recorded(), ["DEL a b"]);
    let sent: Vec<Output> = w.outs.drain().collect();
    let to = |id: SessionId| {
        let of = |o: &Output| match o {
            Output::Send { session, bytes } if *session == id => {
                Some(String::from_utf8_lossy(bytes).into_owned())
            }
            _ => None,
        };
        sent.iter().filter_map(of).collect::<String>()
    };
    assert_eq!(to(c), "+OK\r\n");
    assert!(to(listener).contains("\r\na\r\n") && to(listener).contains("\r\nb\r\n"));
    assert!(sent.iter().any(|o| matches!(o, Output::Resume(id) if *id == c)));
    assert!(sent.iter().any(|o| matches!(o, Output::ExchangeEnd { keep: true, .. })));
    assert_eq!(w.say(reader, "EXISTS a b"), ":0");
}

#[test]
fn writes_wait_and_reads_do_not() {
    let mut w = World::new();
    let (c, other) = (w.connect(), w.connect());
    w.say(c, "SET a 1");
    w.say(c, "SET b 1");
    let (number, _) = w.begin(c, "MIGRATE 10.0.0.9 7000 a 0 2000");
    assert_eq!(w.say(other, "GET a"), "1");
    assert_eq!(w.say(other, "PUBLISH x y"), ":0");
    let mut bytes = Vec::new();
    tanist_resp::encode_command(&mut bytes, &[b"INCR", b"a"]);
    let (out, next) = w.raw(other, &bytes);
    assert!(out.is_empty() && next == crate::Next::Wait);
    w.answer(number, b"+OK\r\n+OK\r\n");
    assert!(w.outs.drain().any(|o| matches!(o, Output::Resume(id) if id == other)));
    assert_eq!(w.say(other, "INCR a"), ":1", "what came meanwhile sees the key gone");
}

#[test]
fn a_copy_stays_and_so_does_what_was_refused() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "MSET a 1 b 2");
    let (number, sent) = w.begin(c, "MIGRATE 10.0.0.9 7000 a 0 2000 COPY");
    assert_eq!(sent, ["SELECT 0", "RESTORE a 0 ..."]);
    w.answer(number, b"+OK\r\n+OK\r\n");
    assert_eq!(w.pushed(c), ["OK"]);
    assert_eq!(w.say(c, "EXISTS a"), ":1");
    let (number, _) = w.begin(c, "MIGRATE 10.0.0.9 7000 - 0 2000 KEYS a b");
    w.answer(number, b"+OK\r\n-BUSYKEY Target key name already exists.\r\n+OK\r\n");
    assert_eq!(
        w.pushed(c),
        ["-ERR Target instance replied with error: BUSYKEY Target key name already exists."]
    );
    assert_eq!((w.say(c, "EXISTS a"), w.say(c, "EXISTS b")), (":1".into(), ":0".into()));
    // A target that refuses the password or the database has nothing, whatever it says next.
    let (number, _) = w.begin(c, "MIGRATE 10.0.0.9 7000 a 99 2000");
    w.answer(number, b"-ERR DB index is out of range\r\n+OK\r\n");
    assert_eq!(w.pushed(c), ["-ERR Target instance replied with error: ERR DB index is out of range"]);
    assert_eq!(w.say(c, "EXISTS a"), ":1");
}

#[test]
fn a_lost_connection_loses_no_key() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "MSET a 1 b 2");
    let (number, _) = w.begin(c, "MIGRATE 10.0.0.9 7000 - 0 2000 KEYS a b");
    w.node.step(w.now, Input::ExchangeEnded { number, sent: false }, &mut w.outs);
    assert_eq!(w.pushed(c), ["-IOERR error or timeout writing to target instance"]);
    let (number, _) = w.begin(c, "MIGRATE 10.0.0.9 7000 - 0 2000 KEYS a b");
    w.answer(number, b"+OK\r\n+OK\r\n");
    w.node.step(w.now, Input::ExchangeEnded { number, sent: true }, &mut w.outs);
    assert_eq!(w.pushed(c), ["-IOERR error or timeout reading to target instance"]);
    assert_eq!(
        (w.say(c, "EXISTS a"), w.say(c, "EXISTS b")),
        (":0".into(), ":1".into()),
        "what arrived is gone"
    );
    let (number, _) = w.begin(c, "MIGRATE 10.0.0.9 7000 b 0 500");
    w.pass(499);
    assert!(w.pushed(c).is_empty());
    w.pass(1);
    let kept = |o: &Output| matches!(o, Output::ExchangeEnd { keep: true, .. });
    let outputs: Vec<Output> = w.outs.drain().collect();
    assert!(!outputs.iter().any(kept), "a late answer would be taken for another's");
    let timeout = b"-IOERR error or timeout writing to target instance\r\n";
    assert!(outputs.iter().any(|o| matches!(o, Output::Send { bytes, .. } if bytes == timeout)));
    // Too late.
    w.answer(number, b"+OK\r\n+OK\r\n");
    assert_eq!(w.say(c, "SET b 3"), "OK", "writes go on");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SET a 1");
    for (line, reply) in [
        ("MIGRATE 10.0.0.9 7000 none 0 2000", "NOKEY"),
        ("MIGRATE 10.0.0.9 7000 - 0 2000 KEYS", "NOKEY"),
        ("MIGRATE 10.0.0.9 7000 a 0 x", "-ERR value is not an integer or out of range"),
        ("MIGRATE 10.0.0.9 7000 a x 1", "-ERR value is not an integer or out of range"),
        ("MIGRATE 10.0.0.9 7000 a 0 1 NONSENSE", "-ERR syntax error"),
        ("MIGRATE 10.0.0.9 7000 a 0 1 AUTH", "-ERR syntax error"),
        ("MIGRATE 10.0.0.9 7000 a 0 1 AUTH2 x", "-ERR syntax error"),
        (
            "MIGRATE 10.0.0.9 7000 a 0 1 KEYS a",
            "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
        ),
        ("COMMAND GETKEYS MIGRATE h 1 a 0 1 COPY", "[a]"),
        ("COMMAND GETKEYS MIGRATE h 1 - 0 1 KEYS a b", "[a b]"),
    ] {
        assert_eq!(w.migrate(c, line), [reply], "{line}");
    }
}

impl World {
    /// Begins a transaction whose parts are these, and gives the number of the exchange that it waits for, with what
    /// has been replied so far.
    fn begin_transaction(&mut self, c: SessionId, lines: &[&str]) -> (u64, Vec<u8>) {
        self.say(c, "MULTI");
        for line in lines {
            assert_eq!(self.migrate(c, line), ["QUEUED"]);
        }
        let (out, next) = self.raw(c, b"*1\r\n$4\r\nEXEC\r\n");
        assert_eq!(next, crate::Next::Wait);
        (self.asked_for(), out)
    }

    fn asked_for(&mut self) -> u64 {
        let number = |output| match output {
            Output::Exchange { number, .. } => Some(number),
            _ => None,
        };
        self.outs.drain().find_map(number).expect("a connection is asked for")
    }
}

#[test]
fn a_transaction_waits_for_its_part_and_nobody_sees_half_of_it() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "MSET a 1 stays 3");
    w.record();
    let lines = ["SET x 1", "MIGRATE 10.0.0.9 7000 - 0 2000 KEYS a stays", "EXISTS a stays", "INCR x"];
    let (number, mut out) = w.begin_transaction(c, &lines);
    for line in ["GET x", "SET y 1", "PING"] {
        let other = w.connect();
        assert!(w.all(other, line).is_empty(), "{line} waits");
    }
    w.pass(100);
    assert!(w.recorded().is_empty() && w.node.snapshot_running());
    assert!(w.node.next_deadline() > w.now.mono, "nothing is to be done before the target has answered");
    w.answer(number, b"+OK\r\n+OK\r\n-BUSYKEY it is there\r\n");
    assert!(w.recorded().is_empty(), "it is not over");
    w.pass(0);
    assert_eq!(w.recorded(), ["SELECT 0", "MULTI", "SET x 1", "DEL a", "INCR x", "EXEC"]);
    for output in w.outs.drain() {
        if let Output::Send { session, bytes } = output {
            assert_eq!(session, c);
            out.extend(bytes);
        }
    }
    let replies: Vec<_> = super::decode(&out).iter().map(show).collect();
    assert_eq!(replies, ["[OK -ERR Target instance replied with error: BUSYKEY it is there :1 :2]"]);
    let other = w.connect();
    assert_eq!(w.say(other, "GET x"), "2");
}

#[test]
fn several_parts_of_a_transaction_wait_one_after_the_other() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "MSET a 1 b 2");
    w.record();
    let lines = ["a", "none", "b"].map(|key| format!("MIGRATE 10.0.0.9 7000 {key} 0 2000"));
    let (number, out) = w.begin_transaction(c, &lines.each_ref().map(String::as_str));
    assert_eq!(out, b"*3\r\n");
    w.answer(number, b"+OK\r\n+OK\r\n");
    w.pass(0);
    let number = w.asked_for();
    // The client goes; its transaction does not stop half way.
    w.node.step(w.now, Input::Closed(c), &mut w.outs);
    w.pass(2000);
    w.pass(0);
    w.answer(number, b"+OK\r\n+OK\r\n");
    let other = w.connect();
    assert_eq!(w.recorded(), ["SELECT 0", "DEL a"]);
    assert_eq!(w.say(other, "EXISTS a b"), ":1", "in time or not at all");
}

#[test]
fn a_script_waits_for_its_target() {
    let mut w = World::new();
    let (c, other) = (w.connect(), w.connect());
    w.say(c, "MSET a 1 b 2");
    w.record();
    let code = "redis.call('incr', 'x') \
                local one = redis.call('migrate', '10.0.0.9', '7000', 'a', '0', '2000') \
                local two = redis.pcall('migrate', '10.0.0.9', '7000', 'b', '0', '2000') \
                return {one, two.err, redis.call('exists', 'a', 'b')}";
    let mut bytes = Vec::new();
    tanist_resp::encode_command(&mut bytes, &[b"EVAL", code.as_bytes(), b"0"]);
    assert!(w.raw(c, &bytes).0.is_empty());
    let number = w.asked_for();
    assert!(w.all(other, "GET x").is_empty());
    w.answer(number, b"+OK\r\n+OK\r\n");
    w.pass(0);
    let number = w.asked_for();
    w.node.step(w.now, Input::ExchangeEnded { number, sent: false }, &mut w.outs);
    w.pass(0);
    assert_eq!(w.pushed(c), ["[OK IOERR error or timeout writing to target instance :1]"]);
    assert_eq!(w.recorded(), ["SELECT 0", "MULTI", "incr x", "DEL a", "EXEC"]);
    assert_eq!(w.say(other, "GET x"), "1");
}

#[test]
fn scripts_that_may_write_wait_for_a_migration() {
    let mut w = World::new();
    let (c, other) = (w.connect(), w.connect());
    w.say(c, "SET a 1");
    let (number, _) = w.begin(c, "MIGRATE 10.0.0.9 7000 a 0 2000");
    let eval = |w: &mut World, code: &str| {
        let mut bytes = Vec::new();
        tanist_resp::encode_command(&mut bytes, &[b"EVAL", code.as_bytes(), b"0"]);
        w.raw(other, &bytes)
    };
    let reads = "#!lua flags=no-writes\nreturn redis.call('get', 'a')";
    assert_eq!(eval(&mut w, reads).0, b"$1\r\n1\r\n");
    let (out, next) = eval(&mut w, "return redis.call('incr', 'a')");
    assert!(out.is_empty() && next == crate::Next::Wait, "what it adds would be lost");
    w.answer(number, b"+OK\r\n+OK\r\n");
    assert_eq!(eval(&mut w, "return redis.call('incr', 'a')").0, b":1\r\n");
}
