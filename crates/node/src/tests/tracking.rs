//! Client-side caching: who is told of which change, when, and where.

use super::{World, show};
use crate::{Output, SessionId};
use tanist_config::ServerConfig;

/// A world with a client of RESP3 that tracks as `options` say, and another one.
fn world(options: &str) -> (World, SessionId, SessionId) {
    let mut w = World::new();
    let (c, other) = (w.connect(), w.connect());
    w.say(c, "HELLO 3");
    assert_eq!(w.say(c, &format!("CLIENT TRACKING ON{options}")), "OK");
    (w, c, other)
}

/// A client's replies and what follows them.
fn says(w: &mut World, id: SessionId, line: &str) -> Vec<String> {
    w.all(id, line).iter().map(show).collect()
}

#[test]
fn a_reader_is_told_once_of_a_change() {
    let (mut w, c, other) = world("");
    w.say(c, "MGET a b");
    w.say(other, "SET a 1");
    assert_eq!(w.pushed(c), [">[invalidate [a]]"]);
    w.say(other, "SET a 2");
    assert_eq!(w.pushed(c), [""; 0]);
    w.say(other, "RENAME a b");
    assert_eq!(w.pushed(c), [">[invalidate [b]]"]);
}

#[test]
fn only_reads_are_remembered() {
    let (mut w, c, other) = world("");
    w.say(c, "SET a 1");
    w.say(c, "GETSET a 1");
    w.say(other, "SET a 2");
    assert_eq!(w.pushed(c), [""; 0]);
    assert!(!w.node.tracking.is_watching());
}

#[test]
fn its_own_changes_follow_the_reply() {
    let (mut w, c, _) = world("");
    w.say(c, "GET a");
    assert_eq!(says(&mut w, c, "SET a 1"), ["OK", ">[invalidate [a]]"]);
    w.say(c, "MULTI");
    w.say(c, "GET a");
    w.say(c, "SET a 2");
    w.say(c, "PING");
    assert_eq!(says(&mut w, c, "EXEC"), ["[1 OK PONG]", ">[invalidate [a]]"]);
    w.say(c, "CLIENT TRACKING ON NOLOOP");
    w.say(c, "GET a");
    assert_eq!(says(&mut w, c, "SET a 3"), ["OK"]);
}

#[test]
fn keys_that_expire_or_go_with_all_are_told() {
    let (mut w, c, other) = world("");
    w.say(other, "SET a 1 PX 50");
    w.say(c, "GET a");
    w.pass(200);
    assert_eq!(w.pushed(c), [">[invalidate [a]]"]);
    w.say(c, "GET a");
    w.say(other, "FLUSHDB");
    assert_eq!(w.pushed(c), [">[invalidate (nil)]"]);
    assert_eq!(says(&mut w, c, "FLUSHALL"), ["OK", ">[invalidate (nil)]"]);
    w.say(c, "GET a");
    w.say(other, "SWAPDB 0 1");
    assert_eq!(w.pushed(c), [""; 0]);
}

#[test]
fn evicted_keys_are_told() {
    let mut w = World::with(ServerConfig {
        maxmemory_policy: tanist_config::choice::MaxmemoryPolicy::AllkeysRandom,
        ..ServerConfig::default()
    });
    let (c, other) = (w.connect(), w.connect());
    w.say(c, "HELLO 3");
    w.say(c, "CLIENT TRACKING ON");
    w.say(other, "SET a 1");
    w.say(c, "GET a");
    w.say(other, "CONFIG SET maxmemory 1");
    w.pass(200);
    assert_eq!(w.pushed(c), [">[invalidate [a]]"]);
}

#[test]
fn what_is_opted_for_holds_for_one_command() {
    let (mut w, c, other) = world(" OPTIN");
    w.say(c, "GET a");
    w.say(c, "CLIENT CACHING YES");
    w.say(c, "CLIENT ID");
    w.say(c, "GET b");
    w.say(c, "GET c");
    w.say(other, "MSET a 1 b 2 c 3");
    assert_eq!(w.pushed(c), [">[invalidate [b]]"]);
    w.say(c, "CLIENT TRACKING OFF");
    w.say(c, "CLIENT TRACKING ON OPTOUT");
    w.say(c, "CLIENT CACHING NO");
    w.say(c, "MULTI");
    w.say(c, "GET a");
    w.say(c, "EXEC");
    w.say(c, "GET b");
    w.say(other, "MSET a 1 b 2");
    assert_eq!(w.pushed(c), [">[invalidate [b]]"]);
}

#[test]
fn prefixes_are_told_once_a_batch() {
    let (mut w, c, other) = world(" BCAST PREFIX k PREFIX m NOLOOP");
    w.raw(other, b"SET k2 1\r\nSET k1 1\r\nSET n 1\r\nMSET m 1 k2 2\r\n");
    assert_eq!(w.pushed(c), [">[invalidate [k1 k2]]", ">[invalidate [m]]"]);
    w.say(c, "SET k1 1");
    assert_eq!(w.pushed(c), [""; 0]);
    assert!(w.say(c, "INFO stats").contains("tracking_total_prefixes:2"));
    w.say(c, "RESET");
    assert!(!w.node.tracking.is_watching());
}

#[test]
fn another_connection_may_be_told_instead() {
    let (mut w, c, other) = world("");
    let listener = w.connect();
    w.say(c, &format!("CLIENT TRACKING ON REDIRECT {}", listener.0));
    w.say(c, "GET a");
    w.say(other, "SET a 1");
    assert_eq!(w.pushed(listener), [""; 0], "it could not tell the message from a reply");
    w.say(listener, "SUBSCRIBE __redis__:invalidate");
    w.say(c, "GET a");
    w.say(other, "SET a 1");
    assert_eq!(w.pushed(listener), ["[message __redis__:invalidate [a]]"]);
    w.say(other, "FLUSHALL");
    assert_eq!(w.pushed(listener), ["[message __redis__:invalidate (nil)]"]);
    w.say(c, "GET a");
    w.say(c, "SET a 2");
    assert_eq!(w.pushed(listener), ["[message __redis__:invalidate [a]]"]);
    assert_eq!(w.say(c, "CLIENT GETREDIR"), format!(":{}", listener.0));
    w.node.closed(listener);
    w.say(c, "GET a");
    w.say(other, "SET a 1");
    assert_eq!(w.pushed(c), [format!(">[tracking-redir-broken :{}]", listener.0)]);
    assert!(w.say(c, "CLIENT TRACKINGINFO").contains("flags=~[on broken_redirect]"));
    assert!(w.say(c, "CLIENT INFO").contains(" flags=tR "));
}

#[test]
fn a_writer_may_stand_in_for_a_reader() {
    let (mut w, c, other) = world("");
    w.say(other, "HELLO 3");
    w.say(c, &format!("CLIENT TRACKING ON REDIRECT {}", other.0));
    w.say(c, "GET a");
    assert_eq!(says(&mut w, other, "SET a 1"), ["OK", ">[invalidate [a]]"]);
}

#[test]
fn too_many_keys_are_given_up() {
    let (mut w, c, _) = world("");
    w.say(c, "CONFIG SET tracking-table-max-keys 3");
    for key in ["a", "b", "c"] {
        w.say(c, &format!("GET {key}"));
    }
    assert_eq!(says(&mut w, c, "GET d"), ["(nil)", ">[invalidate [a]]"]);
    let info = w.say(c, "INFO everything");
    for line in ["tracking_clients:1", "tracking_total_keys:3", "tracking_total_items:3"] {
        assert!(info.contains(line), "{line}");
    }
    // A lowered limit holds at once.
    assert_eq!(says(&mut w, c, "CONFIG SET tracking-table-max-keys 2"), ["OK", ">[invalidate [b]]"]);
}

#[test]
fn who_is_gone_is_told_nothing() {
    let (mut w, c, other) = world("");
    w.say(c, "GET a");
    w.node.closed(c);
    w.say(other, "SET a 1");
    w.say(other, "FLUSHALL");
    assert!(!w.outs.drain().any(|output| matches!(output, Output::Send { .. })));
    assert_eq!(w.node.tracking.clients, 0);
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let mut w = World::new();
    let c = w.connect();
    for (options, why) in [
        ("ON PREFIX a", "PREFIX option requires BCAST mode to be enabled"),
        ("ON BCAST OPTIN", "OPTIN and OPTOUT are not compatible with BCAST"),
        ("ON OPTIN OPTOUT", "You can't specify both OPTIN mode and OPTOUT mode"),
        ("ON REDIRECT 99", "The client ID you want redirect to does not exist"),
        ("ON REDIRECT 1 REDIRECT 1", "A client can only redirect to a single other client"),
        (
            "ON BCAST PREFIX a PREFIX ab",
            "Prefix 'a' overlaps with another provided prefix 'ab'. Prefixes for a single client must not overlap.",
        ),
        ("PERHAPS", "syntax error"),
    ] {
        assert_eq!(w.say(c, &format!("CLIENT TRACKING {options}")), format!("-ERR {why}"));
    }
    assert_eq!(w.say(c, "CLIENT TRACKINGINFO"), "[flags [off] redirect :-1 prefixes []]");
    assert!(w.say(c, "CLIENT CACHING x").starts_with("-ERR CLIENT CACHING can be called only when"));
    w.say(c, "CLIENT TRACKING ON BCAST PREFIX a");
    assert_eq!(w.say(c, "CLIENT TRACKING ON BCAST PREFIX b"), "OK");
    assert_eq!(w.say(c, "CLIENT TRACKINGINFO"), "[flags [on bcast] redirect :0 prefixes [a b]]");
    assert!(w.say(c, "CLIENT TRACKING ON BCAST PREFIX aa").contains("overlaps with an existing prefix 'a'"));
    assert!(w.say(c, "CLIENT TRACKING ON").starts_with("-ERR You can't switch BCAST mode on/off before"));
}

#[test]
fn caching_fits_the_mode() {
    for (options, yes, no) in
        [("", false, false), (" BCAST", false, false), (" OPTIN", true, false), (" OPTOUT", false, true)]
    {
        let (mut w, c, _) = world(options);
        let mut is_fine = |word: &str, mode: &str| {
            let reply = w.say(c, &format!("CLIENT CACHING {word}"));
            let why =
                format!("-ERR CLIENT CACHING {word} is only valid when tracking is enabled in {mode} mode.");
            assert!(reply == "OK" || reply == why, "{options}: {reply}");
            reply == "OK"
        };
        assert_eq!((is_fine("YES", "OPTIN"), is_fine("NO", "OPTOUT")), (yes, no), "{options}");
        assert_eq!(w.say(c, "CLIENT CACHING x"), "-ERR syntax error");
    }
}

/// It knows what it has changed itself, not what its scripts have.
#[test]
fn with_no_loop_the_changes_of_a_script_are_news_for_who_listens_to_prefixes() {
    let script = "EVAL redis.call('set',KEYS[1],'1') 1 a";
    let (mut w, c, _) = world(" BCAST NOLOOP");
    w.say(c, "SET a 1");
    assert_eq!(w.pushed(c), [""; 0]);
    w.say(c, script);
    assert_eq!(w.pushed(c), [">[invalidate [a]]"]);
    let (mut w, c, _) = world(" NOLOOP");
    w.say(c, "GET a");
    assert_eq!(says(&mut w, c, script), ["(nil)"]);
}

#[test]
fn who_listens_in_resp2_is_told_which_subcommand_is_not_allowed() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SUBSCRIBE x");
    assert!(w.say(c, "CLIENT TRACKING ON").starts_with("-ERR Can't execute 'client|tracking': only"));
}

#[test]
fn a_copy_that_has_to_go_is_told_to_who_has_no_loop_too() {
    let (mut w, c, _) = world(" NOLOOP");
    w.say(c, "MGET a b");
    assert_eq!(says(&mut w, c, "CONFIG SET tracking-table-max-keys 1"), ["OK", ">[invalidate [a]]"]);
}

#[test]
fn what_a_script_declares_is_not_read() {
    let (mut w, c, other) = world("");
    let run = |w: &mut World, script: &[u8]| {
        let mut bytes = Vec::new();
        tanist_resp::encode_command(&mut bytes, &[&b"EVAL_RO"[..], script, b"2", b"a", b"b"]);
        w.raw(c, &bytes);
    };
    run(&mut w, b"return redis.call('ping')");
    w.say(other, "MSET a 1 b 1");
    assert_eq!(w.pushed(c), [""; 0]);
    run(&mut w, b"return redis.call('get', 'a')");
    w.say(other, "MSET a 2 b 2");
    assert_eq!(w.pushed(c), [">[invalidate [a]]"]);
}

#[test]
fn a_lowered_limit_is_reached_without_further_reads() {
    let (mut w, c, other) = world("");
    for i in 0..250 {
        w.say(c, &format!("GET k{i}"));
    }
    w.say(other, "CONFIG SET tracking-table-max-keys 1");
    w.pass(100);
    w.pass(100);
    assert_eq!(w.pushed(c).len(), 249);
}

#[test]
fn what_was_read_is_forgotten_with_all_data_even_if_nobody_tracks_any_more() {
    let (mut w, c, other) = world("");
    w.say(c, "GET a");
    w.say(c, "CLIENT TRACKING OFF");
    assert!(w.say(other, "INFO stats").contains("tracking_total_items:1\r"));
    w.say(other, "FLUSHALL");
    assert!(w.say(other, "INFO stats").contains("tracking_total_items:0\r"));
}
