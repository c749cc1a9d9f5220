//! Streams: what is logged, and what comes back from a payload.

use super::World;
use super::sets::{ask, restore_all};
use tanist_config::ServerConfig;
use tanist_resp::Value;
use tanist_types::Rng;

/// The value of a payload that Valkey 9.1 has made: six entries of which the second is deleted, in a compressed node, a
/// group with two consumers and three entries that wait, and a group with a consumer that has got nothing.
const FOREIGN: &str = "\
    15011000000000000000010000000000000001c34065406e126e0000002b0005010101020181660281670200200900002001\
    080101827631030501032009401302827632200d000220010000201302827633600d0003200d0004200d0034600d0004200d\
    0005200d0035200d400940450b856f746865720601010601ff05060101010201060203677270040181ffffffffffffffff03\
    000000000000000100000000000000017ac38e1ea201000001000000000000000300000000000000017ac38e1ea201000001\
    000000000000000400000000000000019cc38e1ea2010000010205616c6963657ac38e1ea20100007ac38e1ea20100000200\
    0000000000000100000000000000010000000000000003000000000000000103626f629cc38e1ea20100009cc38e1ea20100\
    000100000000000000040000000000000001046c617465060181ffffffffffffffff0001056361726f6ce5c38e1ea2010000\
    ffffffffffffffff00";

fn foreign() -> Vec<u8> {
    let digits: Vec<u8> = FOREIGN.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// `RESTORE`s a value under the checksum that it needs.
fn restore(w: &mut World, c: crate::SessionId, value: &[u8]) -> Value {
    let mut payload = value.to_vec();
    payload.extend_from_slice(&11u16.to_le_bytes());
    let crc = tanist_rdb::Crc64::of(&payload);
    payload.extend_from_slice(&crc.to_le_bytes());
    ask(w, c, &[b"RESTORE", b"s", b"0", &payload, b"REPLACE"])
}

#[test]
fn what_is_logged_holds_the_identifiers_and_thresholds_that_were_found() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "CONFIG SET stream-node-max-entries 3");
    w.record();
    w.say(c, "XADD s * f v");
    for n in 2..9 {
        w.say(c, &format!("XADD s 1700000000000-{n} f v"));
    }
    for (line, logged) in [
        ("XADD s 1700000000000-* f v", &["XADD s 1700000000000-9 f v"][..]),
        ("XADD s NOMKSTREAM MAXLEN ~ 4 * f v", &["XADD s NOMKSTREAM MAXLEN = 4 1700000000000-10 f v"]),
        (
            "XADD s MINID ~ 1700000000000-8 1700000000001-1 f v",
            &["XADD s MINID = 1700000000000-7 1700000000001-1 f v"],
        ),
        ("XTRIM s MAXLEN ~ 1 LIMIT 2", &[]),
        ("XTRIM s MAXLEN ~ 1", &["XTRIM s MAXLEN = 2"]),
        ("XTRIM s MAXLEN 1", &["XTRIM s MAXLEN 1"]),
        ("XTRIM s MAXLEN 1", &[]),
        ("XDEL s 1-1", &[]),
        ("XADD none NOMKSTREAM * f v", &[]),
        ("XSETID s 1700000000009-0 ENTRIESADDED 20", &["XSETID s 1700000000009-0 ENTRIESADDED 20"]),
        ("XADD s 1-1 f v", &[]),
        ("XDEL s 1700000000001-1", &["XDEL s 1700000000001-1"]),
    ] {
        w.recorded();
        w.say(c, line);
        assert_eq!(w.recorded(), logged, "{line}");
    }
    assert_eq!(w.say(c, "EXISTS s"), ":1", "a stream may be empty");
}

#[test]
fn a_stream_that_could_not_be_begun_is_not_there() {
    let mut w = World::new();
    let c = w.connect();
    let maximum = "18446744073709551615-18446744073709551615";
    assert_eq!(w.say(c, &format!("XADD s {maximum} f v")), maximum);
    assert!(w.say(c, "XADD s * f v").starts_with("-ERR The stream has exhausted the last possible ID"));
    assert_eq!(w.say(c, "XADD t 0-0 f v"), "-ERR The ID specified in XADD must be greater than 0-0");
    assert_eq!(w.say(c, "EXISTS t"), ":0");
}

#[test]
fn a_payload_of_valkey_brings_a_stream_back_with_its_groups() {
    let mut config = ServerConfig::default();
    config.set("enable-debug-command", &["yes"]).expect("a known value");
    let mut w = World::with(config);
    let c = w.connect();
    assert_eq!(super::show(&restore(&mut w, c, &foreign())), "OK");
    assert_eq!(w.say(c, "XLEN s"), ":5");
    assert_eq!(w.say(c, "XRANGE s 3-1 5 COUNT 2"), "[[3-1 [f 3 g v3]] [4-1 [f 4 g v4]]]");
    let full = w.say(c, "XINFO STREAM s FULL COUNT 1");
    for part in [
        "max-deleted-entry-id 2-1 entries-added :6 recorded-first-entry-id 1-1",
        "name grp last-delivered-id 4-1 entries-read (nil) lag (nil) pel-count :3 pending [[1-1 alice :1795809002362 :1]]",
        "name bob seen-time :1795809002396 active-time :1795809002396 pel-count :1",
        "name late last-delivered-id 6-1 entries-read (nil) lag :0 pel-count :0",
        "name carol seen-time :1795809002469 active-time :-1 pel-count :0",
    ] {
        assert!(full.contains(part), "{part} in {full}");
    }
    restore_all(&mut w, c, "s");
    w.node.data.check();
}

#[test]
fn a_damaged_payload_brings_an_error_or_a_stream_that_counts_its_entries() {
    let mut w = World::new();
    let c = w.connect();
    let good = foreign();
    let mut rng = Rng::from_seed(5);
    let mut taken = 0;
    for _ in 0..6000 {
        let mut bad = good.clone();
        for _ in 0..=rng.below(3) {
            let at = rng.below(bad.len() as u64) as usize;
            bad[at] = rng.below(256) as u8;
        }
        if rng.chance(1, 4) {
            bad.truncate(1 + rng.below(bad.len() as u64) as usize);
        }
        let restored = super::show(&restore(&mut w, c, &bad));
        if restored != "OK" {
            assert!(restored.starts_with('-'), "{restored}");
            continue;
        }
        if w.say(c, "TYPE s") == "stream" {
            taken += 1;
            let len = w.say(c, "XLEN s");
            for line in ["XRANGE s - +", "XREVRANGE s + -"] {
                let Value::Array(entries) = w.all(c, line).remove(0) else { panic!("no entries") };
                assert_eq!(format!(":{}", entries.len()), len);
            }
            w.all(c, "XINFO STREAM s FULL COUNT 0");
            w.all(c, "XADD s * f v");
            w.all(c, "XDEL s 3-1");
            w.all(c, "XTRIM s MAXLEN 1");
        }
        w.node.data.check();
    }
    assert!(taken > 100, "{taken} streams were taken");
}

#[test]
fn what_a_group_is_handed_is_logged_so_that_a_replica_comes_to_the_same() {
    let mut w = World::new();
    let c = w.connect();
    w.record();
    for n in 1..5 {
        w.say(c, &format!("XADD s {n}-1 f v"));
    }
    w.say(c, "XGROUP CREATE s g 0");
    let claim = |who: &str, id: &str, count: u32, last: &str| {
        format!("XCLAIM s g {who} 0 {id} TIME 1700000000000 RETRYCOUNT {count} FORCE JUSTID LASTID {last}")
    };
    let whole = |lines: Vec<String>| {
        let mut all = vec!["MULTI".to_owned()];
        all.extend(lines);
        all.push("EXEC".to_owned());
        all
    };
    let steps: Vec<(&str, Vec<String>)> = vec![
        (
            "XREADGROUP GROUP g c COUNT 2 STREAMS s >",
            whole(vec![
                claim("c", "1-1", 1, "1-1"),
                claim("c", "2-1", 1, "2-1"),
                "XGROUP SETID s g 2-1 ENTRIESREAD 2".into(),
            ]),
        ),
        (
            "XREADGROUP GROUP g d NOACK STREAMS s >",
            whole(vec!["XGROUP CREATECONSUMER s g d".into(), "XGROUP SETID s g 4-1 ENTRIESREAD 4".into()]),
        ),
        ("XREADGROUP GROUP g d NOACK STREAMS s >", vec![]),
        ("XREADGROUP GROUP g e STREAMS s >", vec!["XGROUP CREATECONSUMER s g e".into()]),
        ("XREADGROUP GROUP g c COUNT 1 STREAMS s 0", vec![claim("c", "1-1", 2, "4-1")]),
        ("XACK s g 9-1", vec![]),
        ("XACK s g 1-1 9-1", vec!["XACK s g 1-1 9-1".into()]),
        ("XCLAIM s g f 0 2-1", vec![claim("f", "2-1", 2, "4-1")]),
        ("XCLAIM s g f 1000 2-1", vec![]),
        ("XCLAIM s g f 0 9-9 LASTID 5-5", vec!["XGROUP SETID s g 5-5 ENTRIESREAD 4".into()]),
        ("XCLAIM s g h 0 1-1 FORCE JUSTID", vec![claim("h", "1-1", 1, "5-5")]),
        ("XDEL s 2-1", vec!["XDEL s 2-1".into()]),
        ("XAUTOCLAIM s g i 0 0", whole(vec![claim("i", "1-1", 2, "5-5"), claim("f", "2-1", 2, "5-5")])),
        ("XAUTOCLAIM s g i 1 0", vec![]),
        ("XGROUP CREATECONSUMER s g i", vec![]),
        ("XGROUP DELCONSUMER s g i", vec!["XGROUP DELCONSUMER s g i".into()]),
        ("XGROUP DELCONSUMER s g i", vec![]),
        ("XGROUP SETID s g $", vec!["XGROUP SETID s g $".into()]),
        ("XGROUP DESTROY s g", vec!["XGROUP DESTROY s g".into()]),
        ("XGROUP DESTROY s g", vec![]),
    ];
    for (line, logged) in steps {
        w.recorded();
        w.say(c, line);
        assert_eq!(w.recorded(), logged, "{line}");
    }
}

fn random_command(rng: &mut Rng) -> String {
    let mut pick = |words: &[&str]| words[rng.below(words.len() as u64) as usize].to_owned();
    let (key, group, consumer) = (pick(&["s", "t"]), pick(&["g", "h"]), pick(&["c", "d", "e"]));
    let (one, two) = (pick(&["1", "2", "3", "5"]), pick(&["0", "4", "6"]));
    match pick(&["a", "a", "a", "r", "r", "r", "n", "0", "k", "c", "f", "u", "g", "S", "D", "x", "t", "m"])
        .as_str()
    {
        "a" => format!("XADD {key} * f v"),
        "r" => format!("XREADGROUP GROUP {group} {consumer} COUNT {one} STREAMS {key} >"),
        "n" => format!("XREADGROUP GROUP {group} {consumer} COUNT {one} NOACK STREAMS s t > >"),
        "0" => format!("XREADGROUP GROUP {group} {consumer} COUNT {one} STREAMS {key} 0"),
        "k" => format!("XACK {key} {group} 1700000000000-{one} 1700000000000-{two}"),
        "c" => format!("XCLAIM {key} {group} {consumer} 0 1700000000000-{one} 1700000000000-{two}"),
        "f" => format!("XCLAIM {key} {group} {consumer} 0 1700000000000-{one} FORCE IDLE {two}"),
        "u" => format!("XAUTOCLAIM {key} {group} {consumer} {two} - COUNT {one}"),
        "g" => format!("XGROUP CREATE {key} {group} {two} MKSTREAM"),
        "S" => format!("XGROUP SETID {key} {group} 1700000000000-{two}"),
        "D" => format!("XGROUP DELCONSUMER {key} {group} {consumer}"),
        "x" => format!("XDEL {key} 1700000000000-{one}"),
        "t" => format!("XTRIM {key} MAXLEN ~ {one}"),
        _ => format!("XADD {key} MAXLEN {one} * f v"),
    }
}

/// What is known of a stream and its groups, without when consumers were seen.
fn picture(w: &mut World, c: crate::SessionId, key: &str) -> String {
    let mut words: Vec<String> =
        w.say(c, &format!("XINFO STREAM {key} FULL COUNT 0")).split(' ').map(str::to_owned).collect();
    for i in 1..words.len() {
        if words[i - 1] == "seen-time" || words[i - 1] == "active-time" {
            words[i].clear();
        }
    }
    words.join(" ")
}

#[test]
fn a_replica_and_a_payload_have_the_same_groups() {
    for seed in 0..30 {
        let mut w = World::new();
        let c = w.connect();
        w.say(c, "CONFIG SET stream-node-max-entries 3");
        w.record();
        let mut rng = Rng::from_seed(seed);
        for _ in 0..120 {
            let line = random_command(&mut rng);
            w.all(c, &line);
            if rng.chance(1, 10) {
                w.pass(3);
            }
        }
        let mut copy = World::new();
        let d = copy.connect();
        copy.now = w.now;
        copy.say(d, "CONFIG SET stream-node-max-entries 3");
        for line in w.recorded() {
            copy.all(d, &line);
        }
        for key in ["s", "t"] {
            if w.say(c, &format!("EXISTS {key}")) == ":0" {
                continue;
            }
            let here = picture(&mut w, c, key);
            assert_eq!(picture(&mut copy, d, key), here, "seed {seed}");
            let Value::Bulk(payload) = ask(&mut w, c, &[b"DUMP", key.as_bytes()]) else {
                panic!("a payload")
            };
            ask(&mut w, c, &[b"RESTORE", b"again", b"0", &payload, b"REPLACE"]);
            assert_eq!(picture(&mut w, c, "again"), here, "seed {seed}");
        }
        w.node.data.check();
    }
}
