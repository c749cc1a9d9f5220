//! Publish and subscribe.

use super::{World, show};

#[test]
fn messages_reach_channels_and_patterns() {
    let mut w = World::new();
    let (a, b, p) = (w.connect(), w.connect(), w.connect());
    assert_eq!(w.say(a, "SUBSCRIBE news"), "[subscribe news :1]");
    assert_eq!(w.say(b, "PSUBSCRIBE n*"), "[psubscribe n* :1]");
    assert_eq!(w.say(p, "PUBLISH news hi"), ":2");
    let outs = w.outs.drain().count();
    assert_eq!(outs, 2);
    w.say(p, "PUBLISH news again");
    assert_eq!(w.pushed(a), ["[message news again]"]);
    w.say(p, "PUBLISH nothing hi");
    assert_eq!(w.pushed(b), ["[pmessage n* nothing hi]"]);
    assert_eq!(w.say(p, "PUBSUB CHANNELS"), "[news]");
    assert_eq!(w.say(p, "PUBSUB NUMSUB news x"), "[news :1 x :0]");
    assert_eq!(w.say(p, "PUBSUB NUMPAT"), ":1");
}

#[test]
fn in_resp2_a_subscriber_may_do_little_else() {
    let mut w = World::new();
    let a = w.connect();
    w.say(a, "SUBSCRIBE x");
    assert!(w.say(a, "GET k").starts_with("-ERR Can't execute 'get'"));
    assert_eq!(w.say(a, "PING"), "[pong ]");
    assert_eq!(w.say(a, "UNSUBSCRIBE"), "[unsubscribe x :0]");
    assert_eq!(w.say(a, "UNSUBSCRIBE"), "[unsubscribe (nil) :0]");
    assert_eq!(w.say(a, "GET k"), "(nil)");
}

#[test]
fn in_resp3_a_subscriber_may_do_all_and_hear_itself() {
    let mut w = World::new();
    let a = w.connect();
    w.say(a, "HELLO 3");
    w.say(a, "SUBSCRIBE x");
    let replies: Vec<_> = w.all(a, "PUBLISH x hello").iter().map(show).collect();
    assert_eq!(replies, [":1", ">[message x hello]"]);
    let (out, _) = w.raw(a, b"MULTI\r\nPUBLISH x y\r\nPING\r\nEXEC\r\n");
    let replies: Vec<_> = super::decode(&out).iter().map(show).collect();
    assert_eq!(replies[3..], ["[:1 PONG]", ">[message x y]"]);
    assert_eq!(w.say(a, "GET k"), "(nil)");
}

#[test]
fn who_leaves_listens_no_more() {
    let mut w = World::new();
    let (a, p) = (w.connect(), w.connect());
    w.all(a, "SUBSCRIBE x y");
    w.all(a, "SSUBSCRIBE s");
    w.node.closed(a);
    assert_eq!(w.say(p, "PUBLISH x 1"), ":0");
    assert_eq!(w.say(p, "PUBSUB CHANNELS"), "[]");
    assert_eq!(w.say(p, "PUBSUB SHARDCHANNELS"), "[]");
}
