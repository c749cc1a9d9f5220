//! Lists: what is logged, what comes back from a payload, and what a replica makes of the log.

use super::World;
use super::model::replica_of;
use tanist_config::ServerConfig;
use tanist_resp::encode_command;
use tanist_types::Rng;

/// Nodes as small as they can be, and `DEBUG DIGEST`.
fn world(node_elements: i32) -> World {
    let mut config = ServerConfig::default();
    config.set("enable-debug-command", &["yes"]).expect("a known value");
    let mut w = World::with(config);
    let c = w.connect();
    assert_eq!(w.say(c, &format!("CONFIG SET list-max-listpack-size {node_elements}")), "OK");
    w
}

#[test]
fn payloads_are_compressed_if_snapshots_are() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, &format!("RPUSH l {0} {0} {0}", "x".repeat(90)));
    let code =
        format!("#!lua name=lib\nserver.register_function('f', function() return '{}' end)", "y".repeat(90));
    let mut load = Vec::new();
    encode_command(&mut load, &[b"FUNCTION", b"LOAD", code.as_bytes()]);
    w.raw(c, &load);
    for (setting, short) in [("no", false), ("yes", true)] {
        assert_eq!(w.say(c, &format!("CONFIG SET rdbcompression {setting}")), "OK");
        for (ask, plain) in [("DUMP l", 3 * 90), ("FUNCTION DUMP", code.len())] {
            let payload = w.all(c, ask)[0].as_bytes().expect("a payload").to_vec();
            assert_eq!(
                payload.len() < plain,
                short,
                "{ask} with rdbcompression {setting}: {}",
                payload.len()
            );
        }
        let payload = w.all(c, "DUMP l")[0].as_bytes().expect("a payload").to_vec();
        assert_eq!(restore(&mut w, &payload), b"+OK\r\n");
        assert_eq!(w.say(c, "LLEN copy"), ":3");
    }
}

#[test]
fn what_is_popped_or_moved_is_logged_without_keys_to_choose_from() {
    let mut w = World::new();
    let c = w.connect();
    w.record();
    w.say(c, "RPUSH l 1 2 3 4 5 6 7 8");
    for (line, logged) in [
        ("LMPOP 2 none l LEFT COUNT 2", &["LPOP l 2"][..]),
        ("BLMPOP 0 2 none l RIGHT", &["RPOP l 1"]),
        ("BLPOP none l 0", &["LPOP l"]),
        ("BRPOP l 0", &["RPOP l"]),
        ("BLMOVE l m LEFT RIGHT 0", &["LMOVE l m LEFT RIGHT"]),
        ("BRPOPLPUSH l m 0", &["RPOPLPUSH l m"]),
        ("LMOVE l m LEFT LEFT", &["LMOVE l m LEFT LEFT"]),
        ("LTRIM m 0 -1", &[]),
        ("LREM m 0 none", &[]),
        ("LINSERT m BEFORE none x", &[]),
        ("LPUSHX none x", &[]),
        ("LPOP m 0", &[]),
    ] {
        w.recorded();
        w.say(c, line);
        assert_eq!(w.recorded(), logged, "{line}");
    }
}

#[test]
fn an_emptied_list_is_gone() {
    for line in [
        "LPOP l",
        "RPOP l 9",
        "LTRIM l 1 0",
        "LREM l 0 x",
        "LMOVE l m LEFT LEFT",
        "LMPOP 1 l RIGHT",
        "BLPOP l 0",
    ] {
        let mut w = World::new();
        let c = w.connect();
        w.say(c, "RPUSH l x");
        w.say(c, line);
        assert_eq!(w.say(c, "EXISTS l"), ":0", "{line}");
    }
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "RPUSH l x");
    assert_eq!(w.say(c, "LMOVE l l LEFT RIGHT"), "x");
    assert_eq!(w.say(c, "LRANGE l 0 -1"), "[x]");
}

fn random_command(rng: &mut Rng) -> String {
    let mut pick = |words: &[&'static str]| words[rng.below(words.len() as u64) as usize];
    let (k, l) = (pick(&["a", "b", "c"]), pick(&["a", "b", "c"]));
    let (x, y) = (pick(&["1", "two", "3", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]), pick(&["1", "two", "5"]));
    let (e, f) = (pick(&["LEFT", "RIGHT"]), pick(&["LEFT", "RIGHT"]));
    let (n, m) = (pick(&["0", "1", "-1", "2", "-3"]), pick(&["1", "-1", "3", "-2"]));
    match rng.below(18) {
        0..4 => format!("RPUSH {k} {x} {y} {x}"),
        4..6 => format!("LPUSH {k} {y} {x}"),
        6 => format!("LPOP {k}"),
        7 => format!("RPOP {k} 2"),
        8 => format!("LINSERT {k} AFTER {y} {x}"),
        9 => format!("LSET {k} {n} {x}"),
        10 => format!("LREM {k} {n} {y}"),
        11 => format!("LTRIM {k} {n} {m}"),
        12 => format!("LMOVE {k} {l} {e} {f}"),
        13 => format!("LMPOP 2 {k} {l} {e} COUNT 2"),
        14 => format!("BLPOP {k} {l} 1"),
        15 => format!("BLMOVE {k} {l} {e} {f} 1"),
        16 => format!("BLMPOP 1 2 {k} {l} {e} COUNT 2"),
        _ => format!("SORT {k} ALPHA STORE {l}"),
    }
}

#[test]
fn a_replica_has_the_same_lists() {
    for seed in 0..60 {
        let mut rng = Rng::from_seed(seed);
        let mut w = world(1 + (seed % 4) as i32);
        let sessions: Vec<_> = (0..6).map(|_| w.connect()).collect();
        w.record();
        for _ in 0..200 {
            let line = random_command(&mut rng);
            // Whoever waits says nothing else.
            let waits = |id| w.node.sessions.get(id).is_some_and(|s| s.waiting.is_some());
            match sessions.iter().copied().find(|&id| !waits(id)) {
                Some(id) => drop(w.all(id, &line)),
                None => w.pass(1000),
            }
        }
        w.pass(1000);
        let digest = w.say(sessions[0], "DEBUG DIGEST");
        let log = w.node.recorded.take().expect("recorded");
        let mut copy = replica_of(&log);
        let c = copy.connect();
        copy.node.config.enable_debug_command = w.node.config.enable_debug_command;
        assert_eq!(copy.say(c, "DEBUG DIGEST"), digest, "seed {seed}");
    }
}

fn restore(w: &mut World, payload: &[u8]) -> Vec<u8> {
    let c = w.connect();
    let mut bytes = Vec::new();
    encode_command(&mut bytes, &[b"RESTORE", b"copy", b"0", payload, b"REPLACE"]);
    w.raw(c, &bytes).0
}

#[test]
fn a_payload_brings_a_list_back_and_a_bad_one_brings_nothing() {
    for size in [3, -1] {
        let mut w = world(size);
        let c = w.connect();
        for n in 0..40 {
            w.say(c, &format!("RPUSH l {n} text{n}"));
        }
        let large = "x".repeat(9000);
        w.say(c, &format!("LINSERT l AFTER 20 {large}"));
        let payload = w.all(c, "DUMP l")[0].as_bytes().expect("a payload").to_vec();
        assert_eq!(restore(&mut w, &payload), b"+OK\r\n");
        assert_eq!(w.say(c, "LRANGE copy 0 -1"), w.say(c, "LRANGE l 0 -1"));
        assert_eq!(w.say(c, "OBJECT ENCODING copy"), w.say(c, "OBJECT ENCODING l"));
        // Whatever is damaged, with a checksum that is right: an error or some list, but no end of the node.
        let body = payload.len() - 10;
        let mut rng = Rng::from_seed(size as u64);
        for _ in 0..3000 {
            let mut bad = payload[..body].to_vec();
            for _ in 0..=rng.below(3) {
                let at = rng.below(bad.len() as u64) as usize;
                bad[at] = rng.below(256) as u8;
            }
            if rng.chance(1, 4) {
                bad.truncate(1 + rng.below(bad.len() as u64) as usize);
            }
            bad.extend_from_slice(&payload[body..body + 2]);
            let sum = tanist_rdb::Crc64::of(&bad);
            bad.extend_from_slice(&sum.to_le_bytes());
            let reply = restore(&mut w, &bad);
            if reply == b"+OK\r\n" {
                w.all(c, "LRANGE copy 0 -1");
                w.all(c, "LPOP copy 3");
                w.all(c, "DEL copy");
            } else {
                assert!(reply.starts_with(b"-"), "{reply:?}");
            }
        }
    }
}
