//! Sets: commands, what the log says of them, payloads.

use super::World;
use std::collections::{BTreeMap, BTreeSet};
use tanist_types::Rng;

/// Runs the lines, each a command and the reply that it must have.
#[track_caller]
pub(super) fn talk(lines: &[(&str, &str)]) {
    let mut w = World::new();
    let c = w.connect();
    for (line, reply) in lines {
        assert_eq!(w.say(c, line), *reply, "{line}");
    }
}

#[test]
fn members_come_and_go() {
    talk(&[
        ("SADD s 3 1 2 1", ":3"),
        ("SMEMBERS s", "[1 2 3]"),
        ("OBJECT ENCODING s", "intset"),
        ("SADD s a", ":1"),
        ("OBJECT ENCODING s", "listpack"),
        ("SMISMEMBER s a 3 b", "[:1 :1 :0]"),
        ("SCARD s", ":4"),
        ("SREM s a b 1 2", ":3"),
        ("SMOVE s t 3", ":1"),
        ("EXISTS s t", ":1"),
        ("SMOVE t t 3", ":1"),
        ("SMOVE t s 4", ":0"),
        ("SREM t 3", ":1"),
        ("TYPE t", "none"),
        ("SPOP t", "(nil)"),
        ("SET k v", "OK"),
        ("SADD k 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SINTER none k", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn sets_are_combined() {
    talk(&[
        ("SADD a 1 2 3 4", ":4"),
        ("SADD b 3 4 5 x", ":4"),
        ("SINTER a b", "[3 4]"),
        ("SDIFF a b", "[1 2]"),
        ("SDIFF a a", "[]"),
        ("SINTERCARD 2 a b LIMIT 1", ":1"),
        ("ZINTERCARD 0 a", "-ERR at least 1 input key is needed for 'zintercard' command"),
        ("ZINTERCARD x a", "-ERR value is not an integer or out of range"),
        ("ZINTERCARD 3 a b", "-ERR syntax error"),
        ("SET str x", "OK"),
        ("ZINTERCARD 2 a str LIMIT -1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZINTERCARD 2 a b LIMIT -1", "-ERR LIMIT can't be negative"),
        ("SINTERCARD 3 a b", "-ERR Number of keys can't be greater than number of args"),
        ("SUNIONSTORE c a b", ":6"),
        ("OBJECT ENCODING c", "listpack"),
        ("SINTERSTORE c a b", ":2"),
        ("OBJECT ENCODING c", "intset"),
        ("SDIFFSTORE c none a", ":0"),
        ("EXISTS c", ":0"),
    ]);
}

#[test]
fn all_members_of_a_large_set_are_scanned_and_picked() {
    let mut w = World::new();
    let c = w.connect();
    for n in 0..1_000 {
        w.say(c, &format!("SADD s m{n}"));
    }
    assert_eq!(w.say(c, "OBJECT ENCODING s"), "hashtable");
    let (mut seen, mut cursor) = (BTreeSet::new(), "0".to_owned());
    loop {
        let reply = w.say(c, &format!("SSCAN s {cursor} COUNT 50"));
        let (next, members) = reply[1..reply.len() - 2].split_once(" [").expect("a cursor and members");
        seen.extend(members.split(' ').filter(|member| !member.is_empty()).map(str::to_owned));
        cursor = next.to_owned();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen.len(), 1_000);
    let words = |reply: String| reply[1..reply.len() - 1].split(' ').map(str::to_owned).collect::<Vec<_>>();
    let some = words(w.say(c, "SRANDMEMBER s 100"));
    assert_eq!(some.iter().collect::<BTreeSet<_>>().len(), 100);
    assert_eq!(words(w.say(c, "SRANDMEMBER s -100")).len(), 100);
    let popped = words(w.say(c, "SPOP s 990"));
    assert!(popped.iter().collect::<BTreeSet<_>>().len() == 990 && popped.iter().all(|m| seen.contains(m)));
    // What is left of a set of which most was popped is made anew.
    assert_eq!((w.say(c, "SCARD s"), w.say(c, "OBJECT ENCODING s")), (":10".into(), "listpack".into()));
}

#[test]
fn the_log_says_which_members_were_picked() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SADD s a b c");
    w.record();
    w.say(c, "SADD first m");
    w.recorded();
    let member = w.say(c, "SPOP s");
    assert_eq!(w.recorded(), [format!("SREM s {member}")]);
    w.say(c, "SPOP s 5");
    assert_eq!(w.recorded(), ["UNLINK s"]);
    w.say(c, "SREM s a");
    w.say(c, "SADD first m");
    assert_eq!(w.recorded(), [""; 0]);
}

/// The commands that the log has, carried out by another node, make the same data.
#[test]
fn another_node_that_follows_the_log_has_the_same_sets() {
    let (mut a, mut b) = (World::new(), World::new());
    let (on_a, on_b) = (a.connect(), b.connect());
    a.record();
    let mut rng = Rng::from_seed(5);
    let mut model: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for _ in 0..4_000 {
        let (key, other) = (rng.below(4), rng.below(4));
        let member =
            if rng.chance(1, 3) { rng.below(700).to_string() } else { format!("m{}", rng.below(300)) };
        let line = match rng.below(12) {
            0..6 => {
                model.entry(key).or_default().insert(member.clone());
                format!("SADD k{key} {member}")
            }
            6..8 => {
                model.entry(key).or_default().remove(&member);
                format!("SREM k{key} {member}")
            }
            8 if key != other => {
                if model.entry(key).or_default().remove(&member) {
                    model.entry(other).or_default().insert(member.clone());
                }
                format!("SMOVE k{key} k{other} {member}")
            }
            9 => {
                let reply = a.say(on_a, &format!("SPOP k{key} {}", rng.below(4)));
                for member in reply[1..reply.len() - 1].split(' ') {
                    model.entry(key).or_default().remove(member);
                }
                continue;
            }
            10 if rng.chance(1, 20) => {
                let all: Vec<_> = [key, other].map(|k| model.get(&k).cloned().unwrap_or_default()).into();
                let (name, set) = match rng.below(3) {
                    0 => ("SUNIONSTORE", &all[0] | &all[1]),
                    1 => ("SINTERSTORE", &all[0] & &all[1]),
                    _ => ("SDIFFSTORE", &all[0] - &all[1]),
                };
                model.insert(9, set);
                format!("{name} k9 k{key} k{other}")
            }
            _ => continue,
        };
        a.say(on_a, &line);
    }
    for line in a.recorded() {
        b.say(on_b, &line);
    }
    assert_eq!(a.say(on_a, "DEBUG DIGEST"), b.say(on_b, "DEBUG DIGEST"));
    for (key, set) in model {
        let mut members = a.say(on_a, &format!("SMEMBERS k{key}"));
        members = members[1..members.len() - 1].to_owned();
        let found: BTreeSet<String> =
            members.split(' ').filter(|m| !m.is_empty()).map(str::to_owned).collect();
        assert_eq!(found, set);
    }
    a.node.data.check();
}

/// Sends a command of any bytes.
pub(super) fn ask(w: &mut World, c: crate::SessionId, words: &[&[u8]]) -> tanist_resp::Value {
    let mut bytes = Vec::new();
    tanist_resp::encode_command(&mut bytes, words);
    let (out, _) = w.raw(c, &bytes);
    super::decode(&out).remove(0)
}

/// Dumps `key`, restores it, also with every byte changed and the checksum left out: an error or a value, and no panic.
pub(super) fn restore_all(w: &mut World, c: crate::SessionId, key: &str) {
    let tanist_resp::Value::Bulk(payload) = ask(w, c, &[b"DUMP", key.as_bytes()]) else {
        panic!("a payload")
    };
    let digest = w.say(c, &format!("DEBUG DIGEST-VALUE {key}"));
    ask(w, c, &[b"RESTORE", b"again", b"0", &payload, b"REPLACE"]);
    assert_eq!(w.say(c, "DEBUG DIGEST-VALUE again"), digest);
    let body = payload.len() - 8;
    for at in 0..body - 2 {
        for byte in [0, 1, 0x7f, 0x80, 0xff, payload[at] ^ 1] {
            let mut bad = payload.to_vec();
            bad[at] = byte;
            let crc = tanist_rdb::Crc64::of(&bad[..body]);
            bad[body..].copy_from_slice(&crc.to_le_bytes());
            ask(w, c, &[b"RESTORE", b"bad", b"0", &bad, b"REPLACE"]);
            w.all(c, "SADD bad x");
            w.all(c, "HSET bad x y");
            w.all(c, "DEL bad");
        }
    }
}

#[test]
fn payloads_restore_and_hostile_ones_do_no_harm() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SADD ints 1 2 70000");
    w.say(c, "SADD packed a 1 bb");
    let long = "x".repeat(70);
    w.say(c, &format!("SADD table a 1 {long}"));
    for key in ["ints", "packed", "table"] {
        restore_all(&mut w, c, key);
    }
    w.node.data.check();
}
