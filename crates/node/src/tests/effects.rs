//! What the log says of each command: effects that mean the same to every replica, at any time.

use super::World;

/// The test clock, in milliseconds.
const NOW: i64 = 1_700_000_000_000;

/// Runs the commands, separated by `;`, and compares what the log says of the last one.
#[track_caller]
fn check(commands: &str, effects: &str) {
    let mut w = World::new();
    let c = w.connect();
    w.record();
    // The first entry selects its database.
    w.say(c, "SET first v");
    let mut last = Vec::new();
    for line in commands.split("; ") {
        w.recorded();
        w.say(c, line);
        last = w.recorded();
    }
    assert_eq!(last.join("; "), effects, "{commands}");
}

#[test]
fn what_is_the_same_everywhere_stands_as_it_came() {
    for line in [
        "SET k v",
        "SET k v NX",
        "SET k v KEEPTTL",
        "SETNX k v",
        "MSET a 1 b 2",
        "MSETNX a 1 b 2",
        "INCR n",
        "DECRBY n 4",
        "APPEND k x",
        "SETRANGE k 1 zz",
        "FLUSHALL",
        "FLUSHDB",
        "SWAPDB 0 3",
    ] {
        check(line, line);
    }
    check("SET k v; SET k v XX", "SET k v XX");
    check("SET k v; DEL k none", "DEL k none");
    check("SET k v; UNLINK k", "UNLINK k");
    check("SET k v; RENAME k l", "RENAME k l");
    check("SET k v; RENAMENX k l", "RENAMENX k l");
    check("SET k v; COPY k l DB 2", "COPY k l DB 2");
    check("SET k v; MOVE k 3", "MOVE k 3");
    check("SET k v EX 10; PERSIST k", "PERSIST k");
}

#[test]
fn times_are_absolute() {
    check("SET k v EX 10", &format!("SET k v PXAT {}", NOW + 10_000));
    check("SET k v PX 10 NX GET", &format!("SET k v PXAT {}", NOW + 10));
    check("SET k v EXAT 2000000000", "SET k v PXAT 2000000000000");
    check("SETEX k 10 v", &format!("SET k v PXAT {}", NOW + 10_000));
    check("PSETEX k 10 v", &format!("SET k v PXAT {}", NOW + 10));
    check("SET k v; EXPIRE k 10", &format!("PEXPIREAT k {}", NOW + 10_000));
    check("SET k v; PEXPIRE k 10 NX", &format!("PEXPIREAT k {}", NOW + 10));
    check("SET k v; EXPIREAT k 2000000000", "PEXPIREAT k 2000000000000");
    check("SET k v; GETEX k PX 10", &format!("PEXPIREAT k {}", NOW + 10));
    check("SET k v EX 10; GETEX k PERSIST", "PERSIST k");
    let at = NOW + 10_000;
    check("MSETEX 2 a 1 b 2 EX 10", &format!("MULTI; SET a 1 PXAT {at}; SET b 2 PXAT {at}; EXEC"));
}

#[test]
fn newer_commands_are_put_in_words_that_every_replica_knows() {
    check("SET k v; SET k w IFEQ v", "SET k w");
    check("SET k v; SET k w IFEQ v GET KEEPTTL", "SET k w KEEPTTL");
    check("SET k v GET", "SET k v");
    check("SET k v; GETSET k w", "SET k w");
    check("SET k v; GETDEL k", "DEL k");
    check("SET k v; DELIFEQ k v", "DEL k");
    check("MSETEX 1 a 1 KEEPTTL", "SET a 1 KEEPTTL");
    check("SET n 10.5; INCRBYFLOAT n 0.1", "SET n 10.6 KEEPTTL");
    check("SET k v; SORT none STORE k", "DEL k");
}

#[test]
fn what_has_passed_already_is_removed() {
    check("SET k v; EXPIRE k -1", "UNLINK k");
    check("SET k v; SET k v EXAT 1", "UNLINK k");
    check("SET k v; GETEX k PXAT 1", "UNLINK k");
    check("SET k v EXAT 1", "");
}

#[test]
fn what_changes_nothing_is_not_logged() {
    for line in [
        "GET k",
        "DEL k",
        "SET k v XX",
        "SETNX here v",
        "GETDEL k",
        "GETEX here",
        "GETEX here PERSIST",
        "EXPIRE k 10",
        "EXPIRE here 10 XX",
        "PERSIST here",
        "SETRANGE here 5 ",
        "RENAME here here",
        "RENAMENX here here",
        "MSETNX k 1 here 2",
        "COPY here here",
        "DELIFEQ here x",
        "INCR here",
        "RESTORE here 0 junk",
        "SORT none STORE none",
        "TOUCH here",
        "DBSIZE",
    ] {
        check(&format!("SET here v; {line}"), "");
    }
}

#[test]
fn restore_says_when_it_expires() {
    let mut w = World::new();
    let c = w.connect();
    w.record();
    w.say(c, "SET first v");
    w.recorded();
    let payload = b"\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a";
    let mut ask = |words: &[&[u8]]| {
        let mut bytes = Vec::new();
        tanist_resp::encode_command(&mut bytes, words);
        assert_eq!(w.raw(c, &bytes).0, b"+OK\r\n");
        w.recorded().join("; ")
    };
    let text = String::from_utf8_lossy(payload).into_owned();
    assert_eq!(ask(&[b"RESTORE", b"k", b"0", payload]), format!("RESTORE k 0 {text}"));
    assert_eq!(
        ask(&[b"RESTORE", b"k", b"100", payload, b"REPLACE"]),
        format!("RESTORE k {} {text} REPLACE ABSTTL", NOW + 100)
    );
    assert_eq!(ask(&[b"RESTORE", b"k", b"1", payload, b"REPLACE", b"ABSTTL"]), "UNLINK k");
}

#[test]
fn databases_are_selected_and_transactions_are_one_entry() {
    let mut w = World::new();
    let c = w.connect();
    w.record();
    w.say(c, "SELECT 2");
    w.say(c, "SET a 1");
    assert_eq!(w.recorded(), ["SELECT 2", "SET a 1"]);
    w.say(c, "MULTI");
    w.say(c, "SET a 2");
    w.say(c, "GET a");
    w.say(c, "EXPIRE a 1");
    w.say(c, "EXEC");
    assert_eq!(w.recorded(), ["MULTI", "SET a 2", &format!("PEXPIREAT a {}", NOW + 1000), "EXEC"]);
    w.say(c, "SET a 3 PX 5");
    w.recorded();
    w.now.wall_us += 10_000;
    // The removal of what was past its time comes first, in the same entry.
    w.say(c, "APPEND a 4");
    assert_eq!(w.recorded(), ["MULTI", "UNLINK a", "APPEND a 4", "EXEC"]);
}
