//! What waits for clients: how it is shown, and when it is too much.

use super::{World, decode, show};
use crate::{Input, Next, Output, SessionId};
use tanist_config::ServerConfig;
use tanist_resp::encode_command;

impl World {
    fn unsent(&mut self, session: SessionId, unsent: usize) {
        let input = Input::Buffered { session, unread: 0, spare: 0, unsent };
        self.node.step(self.now, input, &mut self.outs);
    }

    /// The sessions that have been closed since this was asked last.
    fn closed(&mut self) -> Vec<SessionId> {
        let close = |output| match output {
            Output::Close { session, flush: false } => Some(session),
            _ => None,
        };
        self.outs.drain().filter_map(close).collect()
    }
}

fn limited(limits: &[&str]) -> World {
    let mut config = ServerConfig::default();
    config.set("client-output-buffer-limit", limits).expect("a directive");
    World::with(config)
}

#[test]
fn what_waits_is_shown() {
    let mut w = World::new();
    let (c, slow) = (w.connect(), w.connect());
    let input = Input::Buffered { session: slow, unread: 70_000, spare: 5000, unsent: 300_000 };
    w.node.step(w.now, input, &mut w.outs);
    let list = w.say(c, "CLIENT LIST");
    let line = list.lines().find(|l| l.starts_with("id=2 ")).expect("the slow one");
    assert!(line.contains(" fd=8 ") && line.contains(" qbuf=70000 qbuf-free=5000 "), "{line}");
    assert!(line.contains(" obl=0 oll=1 omem=300000 ") && line.contains(" events=rw "), "{line}");
    let total = line.split(" tot-mem=").nth(1).and_then(|l| l.split(' ').next()).expect("a total");
    assert!((375_000..377_000).contains(&total.parse::<u64>().expect("a number")), "{total}");
    // Replies of the same batch that are still in the thread's buffer.
    let (out, _) = w.raw(c, b"PING\r\nPING\r\nCLIENT INFO\r\n");
    let line = String::from_utf8_lossy(&out).into_owned();
    assert!(line.contains(" rbp=14 obl=14 oll=0 ") && !line.contains(" rbs=0 "), "{line}");
    assert!(w.say(c, "CLIENT LIST ID 2").contains(" rbs=0 rbp=0 obl=0 "));
    // The running command's arguments, and its request.
    assert!(w.say(c, "CLIENT INFO").contains(" qbuf=26 qbuf-free=0 argv-mem=10 "));
    let info = w.say(c, "INFO");
    assert!(info.contains("client_recent_max_input_buffer:70000\r"), "{info}");
    assert!(info.contains("client_recent_max_output_buffer:300000\r"));
    let normal = info.split("mem_clients_normal:").nth(1).and_then(|l| l.split('\r').next());
    assert!(normal.expect("a field").parse::<u64>().expect("a number") > 370_000);
    // It is read at last.
    w.unsent(slow, 0);
    assert!(w.say(c, "CLIENT LIST ID 2").contains(" oll=0 omem=0 "));
    w.pass(10_000);
    assert!(w.say(c, "INFO clients").contains("client_recent_max_output_buffer:0\r"));
}

#[test]
fn messages_count_as_output() {
    let mut w = World::new();
    let (c, listener) = (w.connect(), w.connect());
    w.say(listener, "SUBSCRIBE news");
    let sent = |w: &mut World| {
        let line = w.say(c, "CLIENT LIST ID 2");
        line.split(" tot-net-out=").nth(1).and_then(|l| l.split(' ').next()).map(str::to_owned)
    };
    let before: u64 = sent(&mut w).expect("a field").parse().expect("a number");
    w.say(c, "PUBLISH news hello");
    let after: u64 = sent(&mut w).expect("a field").parse().expect("a number");
    assert_eq!(after - before, "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n".len() as u64);
}

#[test]
fn the_hard_limit_closes_at_once() {
    let mut w = limited(&["pubsub", "1000", "0", "0"]);
    let (c, listener) = (w.connect(), w.connect());
    w.say(listener, "SUBSCRIBE news");
    w.unsent(c, 1_000_000);
    w.unsent(listener, 999);
    assert!(w.closed().is_empty(), "ordinary clients have no limit");
    w.unsent(listener, 1000);
    w.unsent(listener, 1000);
    assert_eq!(w.closed(), [listener]);
    assert!(w.say(c, "INFO stats").contains("client_output_buffer_limit_disconnections:1\r"));
}

#[test]
fn the_soft_limit_closes_after_its_time_though_nothing_happens() {
    let mut w = limited(&["normal", "0", "500", "3"]);
    let (a, b) = (w.connect(), w.connect());
    w.unsent(a, 500);
    w.unsent(b, 500);
    let began = w.now.mono;
    assert!(w.node.slow_readers_deadline() == began + std::time::Duration::from_secs(3));
    w.pass(1000);
    w.unsent(b, 499);
    w.unsent(b, 500);
    w.pass(1999);
    assert!(w.closed().is_empty());
    w.pass(1);
    assert_eq!(w.closed(), [a]);
    w.pass(1000);
    assert_eq!(w.closed(), [b], "its time began anew");
    assert_eq!(w.node.slow_readers_deadline(), tanist_types::Mono::NEVER);
}

#[test]
fn a_new_limit_concerns_what_waits_already() {
    let mut w = World::new();
    let (c, slow) = (w.connect(), w.connect());
    w.unsent(slow, 5000);
    let mut bytes = Vec::new();
    let words: [&[u8]; 4] = [b"CONFIG", b"SET", b"client-output-buffer-limit", b"normal 4000 0 0"];
    tanist_resp::encode_command(&mut bytes, &words);
    assert_eq!(w.raw(c, &bytes).0, b"+OK\r\n");
    assert!(w.node.next_deadline() <= w.now.mono);
    w.pass(0);
    assert_eq!(w.closed(), [slow]);
}

#[test]
fn who_sends_too_much_at_once_is_counted() {
    let mut w = World::new();
    let (c, greedy) = (w.connect(), w.connect());
    w.node.step(w.now, Input::Overlong(greedy), &mut w.outs);
    let logged = |o| matches!(o, Output::Log(_, text) if text.contains("max query buffer length: id=2 "));
    assert!(w.outs.drain().any(logged));
    assert!(w.say(c, "INFO stats").contains("client_query_buffer_limit_disconnections:1\r"));
}

#[test]
fn clients_that_occupy_most_are_closed_beyond_their_limit() {
    let mut w = World::new();
    let (c, exempt, large, small) = (w.connect(), w.connect(), w.connect(), w.connect());
    assert_eq!(w.say(exempt, "CLIENT NO-EVICT ON"), "OK");
    assert_eq!(w.say(c, "CONFIG SET maxmemory-clients 600kb"), "OK");
    let unread = |w: &mut World, session, unread| {
        let input = Input::Buffered { session, unread, spare: 0, unsent: 0 };
        w.node.step(w.now, input, &mut w.outs);
    };
    unread(&mut w, exempt, 300_000);
    unread(&mut w, large, 200_000);
    assert_eq!(w.closed(), []);
    unread(&mut w, small, 150_000);
    assert_eq!(w.closed(), [large]);
    assert_eq!(w.say(c, &format!("CLIENT LIST ID {}", large.0)), "");
    assert!(w.say(c, "INFO stats").contains("evicted_clients:1\r"));
    // The rest fits; who may not be closed can take it all.
    w.node.step(w.now, Input::Closed(large), &mut w.outs);
    unread(&mut w, exempt, 900_000);
    let mut closed = w.closed();
    closed.sort();
    assert_eq!(closed, [c, small]);
    w.node.step(w.now, Input::Closed(c), &mut w.outs);
    // A share of maxmemory; without that there is no limit.
    let d = w.connect();
    w.say(d, "CONFIG SET maxmemory-clients 1%");
    unread(&mut w, d, 500_000);
    assert_eq!(w.closed(), []);
    let e = w.connect();
    w.say(e, "CONFIG SET maxmemory 10mb");
    // It holds at once, and the exempt one alone is more than it: first goes who occupies most.
    assert_eq!(w.closed(), [d, e]);
}

/// Whoever has set too low a limit must be able to come in again.
#[test]
fn a_limit_for_clients_lets_a_few_in() {
    let mut w = World::new();
    let (c, large) = (w.connect(), w.connect());
    for limit in ["maxmemory-clients 1", "maxmemory-clients 1% maxmemory 50"] {
        assert_eq!(w.say(c, &format!("CONFIG SET {limit}")), "OK");
        w.say(c, "PING");
        w.pass(1000);
        assert_eq!(w.closed(), [], "{limit}");
    }
    let input = Input::Buffered { session: large, unread: 128 << 10, spare: 0, unsent: 0 };
    w.node.step(w.now, input, &mut w.outs);
    assert_eq!(w.closed(), [large]);
}

#[test]
fn little_may_wait_for_who_has_not_said_who_it_is() {
    let mut config = ServerConfig::default();
    config.set("requirepass", &["secret"]).expect("a directive");
    let mut w = World::with(config);
    let (known, unknown) = (w.connect(), w.connect());
    assert_eq!(w.say(known, "AUTH secret"), "OK");
    w.unsent(known, 100_000);
    w.unsent(unknown, 1023);
    assert!(w.closed().is_empty());
    w.unsent(unknown, 1024);
    assert_eq!(w.closed(), [unknown]);
}

#[test]
fn replies_beyond_the_hard_limit_are_not_sent() {
    let mut w = limited(&["normal", "100000", "0", "0"]);
    let (c, other) = (w.connect(), w.connect());
    w.say(other, &format!("SET k {}", "x".repeat(40_000)));
    assert_eq!(w.raw(c, b"GET k\r\nGET k\r\n").1, Next::Go);
    // All commands of a transaction are carried out; of what follows in the batch, nothing is.
    let batch = b"GET k\r\nMULTI\r\nGET k\r\nGET k\r\nSET done 1\r\nEXEC\r\nSET more 1\r\n";
    assert_eq!(w.raw(c, batch), (Vec::new(), Next::Close));
    assert_eq!(w.say(other, "MGET done more"), "[1 (nil)]");
    assert!(w.say(other, "INFO stats").contains("client_output_buffer_limit_disconnections:1\r"));
}

#[test]
fn nobody_writes_on_what_will_not_be_sent() {
    let mut w = limited(&["normal", "100000", "0", "0"]);
    let c = w.connect();
    w.say(c, "HSET h a 1");
    w.say(c, "SADD s a");
    w.say(c, "ZADD z 1 a");
    for command in ["HRANDFIELD h", "SRANDMEMBER s", "ZRANDMEMBER z"] {
        for count in ["-60000000", "-999999999999"] {
            let c = w.connect();
            let sent = format!("{command} {count}\r\n");
            assert_eq!(w.raw(c, sent.as_bytes()), (Vec::new(), Next::Close), "{command} {count}");
        }
        // Without a limit nothing would end it but the memory, and a script has none.
        let (name, key) = command.split_once(' ').expect("two words");
        let script = format!("return redis.call('{name}','{key}',-67108865)");
        let mut bytes = Vec::new();
        encode_command(&mut bytes, &[b"EVAL", script.as_bytes(), b"0"]);
        let other = w.connect();
        let (out, _) = w.raw(other, &bytes);
        assert!(show(&decode(&out)[0]).starts_with("-ERR value is out of range"), "{command}");
        let refused = "-ERR value is out of range";
        let mut unlimited = limited(&["normal", "0", "0", "0"]);
        let other = unlimited.connect();
        for count in ["-67108865", "-9223372036854775807"] {
            assert_eq!(unlimited.say(other, &format!("{command} {count}")), refused, "{command} {count}");
        }
    }
}

#[test]
fn prefixes_that_a_client_listens_to_count_as_its_memory() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "CLIENT NO-EVICT ON");
    w.say(c, "CONFIG SET maxmemory-clients 128kb");
    let many = w.connect();
    let prefixes: Vec<String> = (0..3000).map(|i| format!("PREFIX {i:012}")).collect();
    w.say(many, "HELLO 3");
    w.raw(many, format!("CLIENT TRACKING ON BCAST {}\r\n", prefixes.join(" ")).as_bytes());
    assert_eq!(w.closed(), [many]);
}

#[test]
fn a_request_that_is_more_than_clients_may_occupy_is_not_carried_out() {
    let mut w = World::new();
    let (c, greedy) = (w.connect(), w.connect());
    w.say(c, "CLIENT NO-EVICT ON");
    w.say(c, "CONFIG SET maxmemory-clients 128kb");
    let request = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$131072\r\n{}\r\n", "x".repeat(131_072));
    assert_eq!(w.raw(greedy, request.as_bytes()), (Vec::new(), Next::Close));
    assert_eq!(w.closed(), [greedy]);
    assert_eq!(w.say(c, "EXISTS k"), ":0");
}
