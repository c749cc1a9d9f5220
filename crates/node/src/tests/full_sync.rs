//! `repl-diskless-load`: what becomes of the old data, and of the snapshot, when a stream or a disk fails.

use super::replication::Cluster;
use super::show;
use crate::Input;

const LOADING: &str = "-LOADING Valkey is loading the dataset in memory";

/// A primary with new data, and a node with old ones that is told to follow it.
fn cluster(word: &str, old: &[&str]) -> Cluster {
    let mut c = Cluster::new(2);
    c.fill(0, "new", 300);
    for key in old {
        c.say(1, &format!("SET {key} 1"));
    }
    c.say(1, &format!("CONFIG SET repl-diskless-load {word}"));
    let id = c.members[1].world.connect();
    c.members[1].world.all(id, "REPLICAOF h 7000");
    c
}

/// A little happens everywhere; says whether there is a link.
fn step(c: &mut Cluster) -> bool {
    for i in 0..2 {
        c.perform(i);
        let world = &mut c.members[i].world;
        world.node.step(world.now, Input::Tick, &mut world.outs);
    }
    if c.wires.is_empty() {
        return false;
    }
    c.carry(0);
    true
}

/// A command on the replica that moves nothing else.
fn ask(c: &mut Cluster, line: &str) -> String {
    ask_of(c, 1, line)
}

fn ask_of(c: &mut Cluster, member: usize, line: &str) -> String {
    let world = &mut c.members[member].world;
    let reader = world.connect();
    world.all(reader, line).first().map_or_else(String::new, show)
}

/// Goes on until something of the snapshot is in the replica's file.
fn until_half(c: &mut Cluster) {
    for _ in 0..5000 {
        step(c);
        if c.members[1].spills.values().any(|file| file.len() > 1000) {
            return;
        }
    }
    panic!("nothing comes");
}

/// R5: nothing is dropped before the vote is given up durably.
#[test]
fn disabled_receives_all_before_the_old_data_go() {
    let mut c = cluster("disabled", &["old"]);
    let (mut in_file, mut loading) = (0, 0);
    for round in 0.. {
        assert!(round < 5000, "it never loads");
        if !step(&mut c) {
            c.members[1].world.pass(1000);
            continue;
        }
        c.members[1].slow_disk = true;
        match ask(&mut c, "GET old").as_str() {
            "1" => {
                assert_eq!(loading, 0, "gone is gone");
                assert!(ask(&mut c, "INFO persistence").contains("\nasync_loading:0\r"));
                in_file += usize::from(!c.members[1].spills.is_empty());
            }
            LOADING => {
                let state = c.members[1].states.last().expect("a state is on disk");
                assert!(crate::decode_state(state).expect("a state").floor.is_some());
                assert!(c.members[1].held, "the log behind the snapshot waits");
                loading += 1;
            }
            reply => {
                assert_eq!(reply, "(nil)");
                break;
            }
        }
        c.members[1].slow_disk = false;
        c.members[1].disk_goes_on();
    }
    assert!(in_file > 1 && loading > 0, "{in_file} {loading}");
    c.members[1].slow_disk = false;
    c.settle();
    assert_eq!(c.say(1, "DBSIZE"), ":300");
    assert_eq!(c.end(0), c.end(1));
    assert!(c.members[1].spills.is_empty() && !c.members[1].held);
    c.fill(0, "more", 3);
    assert_eq!(c.say(1, "DBSIZE"), ":303");
}

#[test]
fn a_stream_that_breaks_costs_nothing() {
    let mut c = cluster("disabled", &["old"]);
    until_half(&mut c);
    let end = c.end(1);
    c.cut(0);
    c.perform(1);
    assert!(c.members[1].spills.is_empty(), "the file is given up");
    assert_eq!((ask(&mut c, "GET old"), c.end(1)), ("1".into(), end));
    let state = c.members[1].states.last().map(|bytes| crate::decode_state(bytes).expect("a state"));
    assert!(state.is_none_or(|state| state.floor.is_none()), "it keeps its vote");
    c.settle();
    c.pass(2000);
    assert_eq!(c.say(1, "DBSIZE"), ":300");
}

#[test]
fn a_snapshot_that_cannot_be_loaded_costs_nothing() {
    let mut c = cluster("disabled", &["old"]);
    until_half(&mut c);
    let at = c.wires[0].down.len() / 2;
    c.wires[0].down[at] ^= 0x55;
    for round in 0.. {
        assert!(round < 5000, "it goes on with a broken snapshot");
        step(&mut c);
        assert_eq!(ask(&mut c, "GET old"), "1");
        if c.members[1].spills.is_empty() {
            break;
        }
    }
}

#[test]
fn a_disk_that_takes_nothing_costs_nothing() {
    let mut c = cluster("disabled", &["old"]);
    c.members[1].broken_disk = true;
    for _ in 0..500 {
        step(&mut c);
        assert_eq!(ask(&mut c, "GET old"), "1");
    }
    c.members[1].broken_disk = false;
    c.pass(6000);
    assert_eq!(c.say(1, "DBSIZE"), ":300");
}

#[test]
fn a_slow_disk_holds_the_primary_up() {
    let mut c = Cluster::new(2);
    let big = "x".repeat(100_000);
    for i in 0..30 {
        c.say(0, &format!("SET big:{i} {big}"));
    }
    c.members[1].slow_disk = true;
    let id = c.members[1].world.connect();
    c.members[1].world.all(id, "REPLICAOF h 7000");
    for round in 0.. {
        assert!(round < 30_000, "all of it waits in memory");
        step(&mut c);
        if c.members[1].held {
            break;
        }
    }
    let sync = c.members[1].world.node.repl.upstream.as_ref().and_then(|up| up.sync());
    assert!(sync.expect("it is not over").received < 2 << 20, "all of it waits in memory");
    c.members[1].slow_disk = false;
    c.members[1].disk_goes_on();
    c.pass(0);
    assert_eq!(c.say(1, "DBSIZE"), ":30");
}

#[test]
fn on_empty_db_needs_a_file_only_for_what_is_there() {
    for (old, expected) in [(&[][..], false), (&["old"], true)] {
        let mut c = cluster("on-empty-db", old);
        let mut filed = false;
        for round in 0.. {
            assert!(round < 5000, "it never loads");
            step(&mut c);
            filed |= !c.members[1].spills.is_empty();
            if ask(&mut c, "DBSIZE") == ":300" {
                break;
            }
        }
        assert_eq!(filed, expected, "{old:?}");
    }
}

#[test]
fn what_is_left_of_an_interrupted_load_is_not_read() {
    let mut c = cluster("flush-before-load", &["old"]);
    for round in 0.. {
        assert!(round < 5000, "the old data never go");
        step(&mut c);
        if ask(&mut c, "GET old") == LOADING {
            break;
        }
    }
    c.cut(0);
    assert!(ask(&mut c, "GET old").starts_with("-MASTERDOWN"));
    c.settle();
    c.pass(2000);
    assert_eq!((c.say(1, "GET old"), c.say(1, "DBSIZE")), ("(nil)".into(), ":300".into()));
}

/// While it loads, a replica keeps nothing that is written meanwhile.
#[test]
fn a_replica_is_online_when_writes_can_rely_on_it() {
    let mut c = cluster("disabled", &[]);
    assert_eq!(ask_of(&mut c, 0, "CONFIG SET min-replicas-to-write 1"), "OK");
    let mut before = 0;
    for round in 0.. {
        assert!(round < 5000, "it is never online");
        if !step(&mut c) {
            c.members[1].world.pass(1000);
        }
        let online = ask_of(&mut c, 0, "INFO replication").contains("state=online");
        let written = ask_of(&mut c, 0, "SET k 1");
        if online {
            assert_eq!(written, "OK");
            break;
        }
        assert!(written.starts_with("-NOREPLICAS"), "{written}");
        before += 1;
    }
    assert!(before > 10, "{before}");
    assert_eq!(ask(&mut c, "DBSIZE"), ":300");
}
