//! Eviction at `maxmemory`.

use super::World;
use crate::SessionId;
use tanist_config::ServerConfig;

const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.";
/// So many keys of [`VALUE`] bytes fit.
const FIT: usize = 18;
const VALUE: usize = 10_000;

fn world(policy: &str) -> (World, SessionId) {
    let mut config = ServerConfig::default();
    for (name, value) in [("maxmemory", "200kb"), ("maxmemory-policy", policy), ("maxmemory-samples", "64")] {
        config.set(name, &[value]).expect("a directive");
    }
    let mut w = World::with(config);
    let c = w.connect();
    (w, c)
}

fn set(w: &mut World, c: SessionId, key: &str) -> String {
    w.say(c, &format!("SET {key} {}", "x".repeat(VALUE)))
}

/// Which of the keys that a test has set are still there.
fn left(w: &mut World, c: SessionId, keys: &[String]) -> Vec<usize> {
    (0..keys.len()).filter(|&i| w.say(c, &format!("EXISTS {}", keys[i])) == ":1").collect()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("k{i}")).collect()
}

/// Fills the memory, then does `favour` with every other key, then sets as many further keys; gives the first ones
/// that are left.
fn fill(policy: &str, favour: impl Fn(usize) -> Vec<String>) -> Vec<usize> {
    let (mut w, c) = world(policy);
    let keys = names(FIT);
    for key in &keys {
        assert_eq!(set(&mut w, c, key), "OK");
    }
    w.pass(10_000);
    for i in 0..FIT {
        for line in favour(i) {
            w.say(c, &line);
        }
    }
    w.pass(10_000);
    for i in 0..FIT / 2 {
        assert_eq!(set(&mut w, c, &format!("new{i}")), "OK", "{policy}");
    }
    left(&mut w, c, &keys)
}

fn odd() -> Vec<usize> {
    (0..FIT).filter(|i| i % 2 == 1).collect()
}

#[test]
fn what_was_used_last_stays() {
    let used = |i: usize| if i % 2 == 1 { vec![format!("GET k{i}")] } else { vec![] };
    let left = fill("allkeys-lru", used);
    assert!(odd().iter().all(|i| left.contains(i)), "{left:?}");
    assert!(left.len() < FIT);
}

#[test]
fn what_is_used_often_stays() {
    let used = |i: usize| vec![format!("GET k{i}"); if i % 2 == 1 { 200 } else { 0 }];
    let left = fill("allkeys-lfu", used);
    assert!(odd().iter().all(|i| left.contains(i)), "{left:?}");
    assert!(left.len() < FIT);
}

#[test]
fn what_never_expires_stays_under_a_volatile_policy() {
    for policy in ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"] {
        let left =
            fill(policy, |i| if i % 2 == 0 { vec![format!("EXPIRE k{i} {}", 1000 + i)] } else { vec![] });
        assert!(odd().iter().all(|i| left.contains(i)), "{policy}: {left:?}");
        assert!(left.len() < FIT, "{policy}");
    }
}

#[test]
fn what_expires_first_goes_first() {
    let left = fill("volatile-ttl", |i| vec![format!("EXPIRE k{i} {}", 1000 + i)]);
    let first = FIT - left.len();
    assert!(first > 0 && left == (first..FIT).collect::<Vec<_>>(), "{left:?}");
}

#[test]
fn a_random_policy_takes_from_every_database() {
    let (mut w, c) = world("allkeys-random");
    for db in [0, 3] {
        w.say(c, &format!("SELECT {db}"));
        for key in names(FIT / 2) {
            assert_eq!(set(&mut w, c, &key), "OK");
        }
    }
    for key in names(FIT) {
        assert_eq!(set(&mut w, c, &key), "OK");
    }
    w.say(c, "SELECT 0");
    let left = left(&mut w, c, &names(FIT / 2));
    assert!(left.len() < FIT / 2, "{left:?}");
}

#[test]
fn without_anything_to_evict_the_command_is_refused() {
    for policy in ["volatile-lru", "volatile-random", "noeviction"] {
        let (mut w, c) = world(policy);
        let replies: Vec<String> = names(2 * FIT).iter().map(|key| set(&mut w, c, key)).collect();
        assert_eq!(replies.last().map(String::as_str), Some(OOM), "{policy}");
        assert!(w.say(c, "INFO stats").contains("evicted_keys:0\r"));
        assert_eq!(w.say(c, "GET k0").len(), VALUE);
    }
}

#[test]
fn an_eviction_is_logged_told_and_seen_by_who_watches() {
    let (mut w, c) = world("volatile-ttl");
    let (watcher, listener) = (w.connect(), w.connect());
    w.say(c, "CONFIG SET notify-keyspace-events Ee");
    w.say(listener, "SUBSCRIBE __keyevent@0__:evicted");
    set(&mut w, c, "gone");
    w.say(c, "EXPIRE gone 1000");
    w.say(watcher, "WATCH gone");
    w.say(watcher, "MULTI");
    w.say(watcher, "GET gone");
    let mut i = 0;
    while w.say(c, "EXISTS gone") == ":1" {
        w.record();
        assert_eq!(set(&mut w, c, &format!("k{i}")), "OK");
        i += 1;
        assert!(i < 2 * FIT, "nothing is evicted");
    }
    let log = w.recorded();
    assert_eq!(log[0], "UNLINK gone");
    assert!(log[1].starts_with("SET k"), "the eviction is before the command that needed it");
    assert_eq!(w.pushed(listener), ["[message __keyevent@0__:evicted gone]"]);
    assert_eq!(w.say(watcher, "EXEC"), "(nil)");
    assert!(w.say(c, "INFO stats").contains("evicted_keys:1\r"));
}

#[test]
fn a_lowered_limit_is_reached_in_slices_while_commands_run() {
    let mut config = ServerConfig::default();
    config.set("maxmemory-policy", &["allkeys-random"]).expect("a directive");
    let mut w = World::with(config);
    let c = w.connect();
    for i in 0..3000 {
        w.say(c, &format!("SET k{i} v"));
    }
    w.say(c, "CONFIG SET maxmemory 1");
    assert!(w.node.next_deadline() <= w.now.mono, "it does not wait for a command");
    assert_eq!(w.say(c, "SET one more"), "OK");
    assert_eq!(w.say(c, "DBSIZE"), format!(":{}", 3001 - 640));
    assert!(w.say(c, "INFO stats").contains("evicted_keys:640\r"));
    w.pass(5);
    assert_eq!(w.say(c, "DBSIZE"), format!(":{}", 3001 - 1280));
    assert!(w.say(c, "INFO stats").contains("current_eviction_exceeded_time:5\r"));
    w.say(c, "CONFIG SET maxmemory-eviction-tenacity 100");
    w.pass(0);
    assert_eq!(w.say(c, "DBSIZE"), ":0");
}

#[test]
fn a_slice_ends_with_its_time() {
    let mut config = ServerConfig::default();
    for (name, value) in [("maxmemory-policy", "allkeys-random"), ("latency-monitor-threshold", "1")] {
        config.set(name, &[value]).expect("a directive");
    }
    let mut w = World::with(config);
    let c = w.connect();
    for i in 0..100 {
        w.say(c, &format!("SET k{i} v"));
    }
    w.say(c, "CONFIG SET maxmemory 1");
    // Each key takes two looks at the stopwatch, and a slice half a millisecond.
    w.watch_step = std::time::Duration::from_micros(100);
    assert_eq!(w.say(c, "SET k0 v"), "OK");
    assert!(w.say(c, "INFO stats").contains("evicted_keys:3\r"));
    assert!(!w.say(c, "LATENCY LATEST").contains("eviction-del"));
    w.watch_step = std::time::Duration::from_millis(3);
    assert_eq!(w.say(c, "SET k0 v"), "OK");
    assert!(w.say(c, "INFO stats").contains("evicted_keys:4\r"));
    w.watch_step = std::time::Duration::ZERO;
    let latest = w.say(c, "LATENCY LATEST");
    assert!(latest.contains("[eviction-cycle :1700000000 :12 :12"), "{latest}");
    assert!(latest.contains("[eviction-del :1700000000 :3 :3"), "{latest}");
}

#[test]
fn a_replica_leaves_it_to_its_primary() {
    for (ignore, reply) in [("yes", "OK"), ("no", OOM)] {
        let (mut w, c) = world("noeviction");
        w.say(c, "CONFIG SET replica-read-only no");
        w.say(c, &format!("CONFIG SET replica-ignore-maxmemory {ignore}"));
        w.say(c, "REPLICAOF 127.0.0.1 1");
        let replies: Vec<String> = names(2 * FIT).iter().map(|key| set(&mut w, c, key)).collect();
        assert_eq!(replies.last().map(String::as_str), Some(reply), "replica-ignore-maxmemory {ignore}");
    }
}

#[test]
fn what_clients_leave_unread_and_unfinished_counts() {
    for (unread, unsent) in [(100_000, 0), (0, 100_000)] {
        let (mut w, c) = world("allkeys-lru");
        let other = w.connect();
        for key in names(FIT) {
            assert_eq!(set(&mut w, c, &key), "OK");
        }
        let counted = |w: &mut World| -> u64 {
            let info = w.say(c, "INFO memory");
            let figure = |name: &str| -> u64 {
                let line = info.lines().find_map(|l| l.strip_prefix(name)).expect("a field");
                line.trim().parse().expect("a number")
            };
            figure("used_memory:") - figure("mem_not_counted_for_evict:")
        };
        assert!(counted(&mut w) < 200 << 10);
        let held = crate::Input::Buffered { session: other, unread, spare: 0, unsent };
        w.node.step(w.now, held, &mut w.outs);
        assert!(counted(&mut w) > 200 << 10);
        assert!(w.node.next_deadline() <= w.now.mono, "it does not wait for a command");
        w.pass(1);
        assert!(counted(&mut w) <= 200 << 10);
        assert!(left(&mut w, c, &names(FIT)).len() < FIT);
        w.node.step(w.now, crate::Input::Closed(other), &mut w.outs);
        assert!(counted(&mut w) < 110_000);
    }
}

#[test]
fn copies_that_clients_keep_count() {
    let (mut w, c) = world("noeviction");
    w.say(c, "CLIENT TRACKING ON REDIRECT 1");
    let long = "k".repeat(10_000);
    for i in 0..30 {
        w.say(c, &format!("GET {long}{i}"));
    }
    assert_eq!(w.say(c, "SET k v"), OOM);
    w.say(c, "CONFIG SET tracking-table-max-keys 1");
    assert_eq!(w.say(c, "SET k v"), "OK");
}
