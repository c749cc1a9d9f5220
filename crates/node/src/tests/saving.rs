//! The snapshot file: save points, failing disks, loading, and ending with a last save.

use super::World;
use crate::{Input, Output, ShutdownRequest};
use std::time::Duration;
use tanist_config::{SavePoint, ServerConfig};

/// Plays the shell's file until nothing is wanted any more. Returns the file if it was completed.
fn save_all(w: &mut World) -> Option<Vec<u8>> {
    let mut file = None;
    for _ in 0..1000 {
        w.pass(0);
        let outputs: Vec<Output> = w.outs.drain().collect();
        for output in outputs {
            match output {
                Output::SaveBegin => file = Some(Vec::new()),
                Output::SaveBytes { bytes, last } => {
                    file.as_mut().expect("begun before").extend(bytes);
                    w.node.step(w.now, Input::SaveWritten(Ok(())), &mut w.outs);
                    if last {
                        return file;
                    }
                }
                _ => {}
            }
        }
    }
    None
}

/// A node without save points that may be debugged, and a client.
fn debugged() -> (World, crate::SessionId) {
    let mut config = ServerConfig { save: Vec::new(), ..ServerConfig::default() };
    config.set("enable-debug-command", &["yes"]).expect("a directive");
    let mut w = World::with(config);
    let c = w.connect();
    (w, c)
}

#[test]
fn a_reload_loads_what_was_there_and_writes_wait() {
    let (mut w, c) = debugged();
    let (other, watcher) = (w.connect(), w.connect());
    w.say(c, "MSET a 1 b 2");
    w.say(c, "SET t 3 EX 100");
    w.say(watcher, "WATCH a");
    w.record();
    assert!(w.all(c, "DEBUG RELOAD").is_empty());
    assert!(w.all(other, "SET a 9").is_empty(), "a write waits");
    assert_eq!(w.say(watcher, "GET a"), "1");
    let file = save_all(&mut w).expect("a file");
    assert!(w.outs.drain().any(|o| matches!(o, Output::LoadSnapshot)));
    w.node.load_begin(w.now, None);
    w.node.load_bytes(w.now, &file).expect("a good file");
    assert!(w.say(watcher, "GET a").starts_with("-LOADING"));
    w.node.step(w.now, Input::SnapshotLoaded(Ok(())), &mut w.outs);
    let outputs: Vec<Output> = w.outs.drain().collect();
    assert!(
        outputs
            .iter()
            .any(|o| matches!(o, Output::Send { session, bytes } if *session == c && bytes == b"+OK\r\n"))
    );
    assert!(outputs.iter().any(|o| matches!(o, Output::Resume(id) if *id == other)));
    assert_eq!(w.say(watcher, "MGET a b t"), "[1 2 3]");
    assert_eq!(w.say(watcher, "TTL t"), ":100");
    assert!(w.recorded().is_empty(), "for replicas nothing has changed");
    w.say(watcher, "MULTI");
    assert_eq!(w.say(watcher, "EXEC"), "(nil)");
}

#[test]
fn a_reload_that_fails_leaves_the_data() {
    let (mut w, c) = debugged();
    w.say(c, "SET a 1");
    assert!(w.all(c, "DEBUG RELOAD NOSAVE").is_empty());
    assert!(w.outs.drain().any(|o| matches!(o, Output::LoadSnapshot)));
    w.node.load_begin(w.now, None);
    w.node.step(w.now, Input::SnapshotLoaded(Err("No such file or directory".into())), &mut w.outs);
    assert_eq!(w.pushed(c), ["-ERR Error trying to load the RDB dump, check server logs."]);
    assert_eq!(w.say(c, "GET a"), "1");
    assert_eq!(w.say(c, "SET a 2"), "OK");
    assert!(w.say(c, "DEBUG RELOAD X").starts_with("-ERR DEBUG RELOAD only supports"));
}

#[test]
fn a_reload_may_add_to_the_data_that_are_there() {
    let (mut w, c) = debugged();
    w.say(c, "MSET a file b file");
    w.say(c, "SET t file EX 100");
    w.node.save_begin(w.now, crate::snapshot::SaveKind::Background, &mut w.outs);
    let file = save_all(&mut w).expect("a file");
    let reload = |w: &mut World, line: &str| {
        assert!(w.all(c, line).is_empty(), "it waits");
        w.outs.drain();
        w.node.load_begin(w.now, None);
        w.node.load_bytes(w.now, &file).expect("a good file");
        w.node.step(w.now, Input::SnapshotLoaded(Ok(())), &mut w.outs);
        let replies = w.pushed(c);
        assert_eq!(replies.len(), 1);
        replies[0].clone()
    };
    // One key of the file is there, so nothing is loaded.
    w.say(c, "FLUSHALL");
    w.say(c, "MSET a memory x memory");
    let conflict = "-ERR Error trying to load the RDB dump, check server logs.";
    assert_eq!(reload(&mut w, "DEBUG RELOAD NOSAVE NOFLUSH"), conflict);
    assert_eq!(w.say(c, "MGET a b x"), "[memory (nil) memory]");
    assert_eq!(reload(&mut w, "DEBUG RELOAD NOSAVE NOFLUSH MERGE"), "OK");
    assert_eq!(w.say(c, "MGET a b x t"), "[file file memory file]");
    assert_eq!(w.say(c, "TTL t"), ":100");
    w.say(c, "DEL a b t");
    assert_eq!(reload(&mut w, "DEBUG RELOAD NOSAVE NOFLUSH"), "OK");
    assert_eq!(w.say(c, "MGET a b x t"), "[file file memory file]");
    assert_eq!(reload(&mut w, "DEBUG RELOAD NOSAVE MERGE"), "OK");
    assert_eq!(w.say(c, "DBSIZE"), ":3");
}

fn with_save_point(seconds: u64, changes: u64) -> World {
    World::with(ServerConfig { save: vec![SavePoint { seconds, changes }], ..ServerConfig::default() })
}

#[test]
fn a_save_point_saves_and_the_file_loads() {
    let mut w = with_save_point(10, 2);
    let c = w.connect();
    w.say(c, "SET a 1");
    w.pass(20_000);
    assert_eq!(save_all(&mut w), None, "one change is too few");
    w.say(c, "SET b 2");
    w.pass(1000);
    let file = save_all(&mut w).expect("two changes are enough");
    assert_eq!(w.node.stats.dirty_since_save, 0);

    let mut fresh = World::new();
    let d = fresh.connect();
    fresh.node.load_begin(fresh.now, None);
    assert!(fresh.say(d, "GET a").starts_with("-LOADING"));
    assert_eq!(fresh.say(d, "PING"), "-LOADING Valkey is loading the dataset in memory");
    for piece in file.chunks(3) {
        fresh.node.load_bytes(fresh.now, piece).expect("a good file");
    }
    assert_eq!(fresh.node.load_end(fresh.now, &mut fresh.outs), Ok(2));
    assert_eq!(fresh.say(d, "GET a"), "1");
    assert_eq!(fresh.say(d, "GET b"), "2");
}

#[test]
fn loading_shows_how_far_it_has_come() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "MSET a 1 b 2");
    w.node.save_begin(w.now, crate::snapshot::SaveKind::Background, &mut w.outs);
    let file = save_all(&mut w).expect("a file");
    let mut fresh = World::new();
    let d = fresh.connect();
    let fields = |w: &mut World| -> Vec<String> {
        let text = w.say(d, "INFO persistence");
        text.lines().filter(|l| l.starts_with("loading")).map(str::to_owned).collect()
    };
    assert_eq!(fields(&mut fresh), ["loading:0"]);
    fresh.node.load_begin(fresh.now, Some(4 * file.len() as u64));
    fresh.node.load_bytes(fresh.now, &file).expect("a good file");
    fresh.now.wall_us += 10_000_000;
    let bytes = file.len();
    let used = fields(&mut fresh).remove(3);
    assert!(used.starts_with("loading_rdb_used_mem:") && !used.ends_with(":0"), "{used}");
    assert_eq!(
        fields(&mut fresh),
        [
            "loading:1".to_owned(),
            "loading_start_time:1700000000".into(),
            format!("loading_total_bytes:{}", 4 * bytes),
            used,
            format!("loading_loaded_bytes:{bytes}"),
            "loading_loaded_perc:25.00".into(),
            // Three times as long again; a byte is added so that nothing is divided by nothing.
            "loading_eta_seconds:29".into(),
        ]
    );
}

#[test]
fn the_file_holds_the_moment_of_its_beginning() {
    let mut w = with_save_point(0, 1);
    let c = w.connect();
    for i in 0..3000 {
        w.say(c, &format!("SET key:{i} {}", "x".repeat(100)));
    }
    w.pass(1100);
    w.pass(0);
    for i in 0..3000 {
        w.say(c, &format!("SET key:{i} changed"));
    }
    w.say(c, "SET late 1");
    let file = save_all(&mut w).expect("saved");
    assert!(!file.windows(7).any(|p| p == b"changed"));
    let mut fresh = World::new();
    fresh.node.load_begin(fresh.now, None);
    fresh.node.load_bytes(fresh.now, &file).expect("a good file");
    assert_eq!(fresh.node.load_end(fresh.now, &mut fresh.outs), Ok(3000));
}

#[test]
fn a_failed_save_is_told_and_tried_again_later() {
    let mut w = with_save_point(0, 1);
    let c = w.connect();
    w.say(c, "SET a 1");
    w.pass(1500);
    w.pass(0);
    w.node.step(w.now, Input::SaveWritten(Err("No space left on device".into())), &mut w.outs);
    assert!(!w.node.saving.last_ok && !w.node.saving.is_running() && !w.node.data.snapshot_active());
    w.outs.drain();
    w.pass(1000);
    assert!(!w.node.saving.is_running(), "not at once");
    assert!(w.say(c, "SET a 2").starts_with("-MISCONF "));
    assert_eq!((w.say(c, "GET a"), w.say(c, "PING")), ("1".into(), "PONG".into()));
    w.say(c, "CONFIG SET stop-writes-on-bgsave-error no");
    assert_eq!(w.say(c, "SET a 2"), "OK");
    w.say(c, "CONFIG SET stop-writes-on-bgsave-error yes");
    w.pass(6000);
    assert!(w.node.saving.is_running());
    assert!(save_all(&mut w).is_some());
    assert_eq!(w.say(c, "SET a 3"), "OK");
}

#[test]
fn a_wall_clock_that_is_set_back_delays_no_save() {
    let mut w = with_save_point(1, 1);
    let c = w.connect();
    w.say(c, "SET a 1");
    w.now.wall_us -= 3_600_000_000;
    w.pass(2000);
    w.pass(0);
    assert!(w.node.saving.is_running());
    assert!(save_all(&mut w).is_some());
}

#[test]
fn saves_are_begun_awaited_and_cancelled_by_command() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SET a 1");
    assert_eq!(w.say(c, "BGSAVE"), "Background saving started");
    assert_eq!(w.say(c, "BGSAVE"), "-ERR Background save already in progress");
    assert_eq!(w.say(c, "SAVE"), "-ERR Background save already in progress");
    w.pass(0);
    assert_eq!(w.say(c, "BGSAVE CANCEL"), "Background saving cancelled");
    assert!(w.node.saving.last_ok && !w.node.data.snapshot_active());
    assert_eq!(w.say(c, "BGSAVE CANCEL"), "-ERR Background saving is currently not in progress or scheduled");
    // The answer to the chunk that was under way does not count for the next save.
    w.outs.drain();
    assert_eq!(w.raw(c, b"SAVE\r\n"), (Vec::new(), crate::Next::Wait));
    w.node.step(w.now, Input::SaveWritten(Err("late".into())), &mut w.outs);
    assert!(w.node.saving.is_running());
    assert!(save_all(&mut w).is_some());
    assert_eq!(w.say(c, "LASTSAVE"), ":1700000000");
}

#[test]
fn flushall_empties_the_file_before_it_answers() {
    let mut w = with_save_point(3600, 1000);
    let (c, other) = (w.connect(), w.connect());
    w.say(c, "SET a 1");
    w.say(c, "BGSAVE");
    assert!(w.all(c, "FLUSHALL").is_empty(), "it waits for the file");
    assert_eq!(w.say(other, "GET a"), "(nil)", "nobody else does");
    let outputs = w.outs.drain().filter_map(|o| match o {
        Output::SaveBegin => Some("begin"),
        Output::SaveCancel => Some("cancel"),
        _ => None,
    });
    assert_eq!(outputs.collect::<Vec<_>>(), ["begin", "cancel", "begin"], "the old save is given up");
    w.pass(0);
    let outputs: Vec<Output> = w.outs.drain().collect();
    let Some(Output::SaveBytes { bytes, last: true }) =
        outputs.iter().find(|o| matches!(o, Output::SaveBytes { .. }))
    else {
        panic!("a short file: {outputs:?}")
    };
    w.node.step(w.now, Input::SaveWritten(Ok(())), &mut w.outs);
    assert_eq!(w.pushed(c), ["OK"]);
    assert!(w.say(other, "INFO persistence").contains("rdb_changes_since_last_save:0\r"));
    let mut fresh = World::new();
    fresh.node.load_begin(fresh.now, None);
    fresh.node.load_bytes(fresh.now, bytes).expect("a good file");
    assert_eq!(fresh.node.load_end(fresh.now, &mut fresh.outs), Ok(0));
}

#[test]
fn flushall_waits_for_no_file_where_it_cannot() {
    let mut w = with_save_point(3600, 1000);
    let (c, quiet) = (w.connect(), w.connect());
    w.say(c, "SET a 1");
    w.say(c, "MULTI");
    w.say(c, "FLUSHALL");
    assert_eq!(w.say(c, "EXEC"), "[OK]");
    assert!(!w.node.saving.is_running());
    w.pass(100);
    assert!(w.node.saving.is_running(), "the file follows");
    assert!(w.all(quiet, "CLIENT REPLY SKIP").is_empty());
    assert!(w.all(quiet, "FLUSHALL").is_empty());
    assert_eq!(w.say(quiet, "PING"), "PONG");
    assert!(save_all(&mut w).is_some());
    assert!(w.pushed(quiet).is_empty());
    w.node.config.save.clear();
    assert_eq!(w.say(c, "FLUSHALL"), "OK");
}

#[test]
fn a_file_takes_its_time_if_each_key_is_to() {
    let mut w = with_save_point(3600, 1000);
    let c = w.connect();
    w.say(c, "MSET a 1 b 2 c 3");
    w.say(c, "CONFIG SET rdb-key-save-delay 100000");
    w.say(c, "BGSAVE");
    assert_eq!(save_all(&mut w), None);
    assert_eq!(w.node.next_deadline(), w.now.mono + std::time::Duration::from_millis(100), "the next tick");
    w.pass(299);
    assert_eq!(w.node.next_deadline(), w.now.mono + std::time::Duration::from_millis(1));
    w.pass(1);
    let last = |o: Output| matches!(o, Output::SaveBytes { last: true, .. });
    assert!(w.outs.drain().any(last), "three keys are written");
}

#[test]
fn a_signal_waits_with_what_is_done_by_time() {
    let (mut w, c) = debugged();
    let ask = |w: &mut World| w.node.shutdown_by_signal(w.now, ShutdownRequest::default(), &mut w.outs);
    w.say(c, "DEBUG PAUSE-CRON 1");
    ask(&mut w);
    w.pass(200);
    assert!(w.node.is_ending() && !w.outs.drain().any(|o| matches!(o, Output::Exit(_))));
    assert_eq!(w.say(c, "SHUTDOWN ABORT"), "OK");
    assert_eq!(w.say(c, "SHUTDOWN ABORT"), "-ERR No shutdown in progress.");
    assert!(!w.node.is_ending());
    ask(&mut w);
    w.say(c, "DEBUG PAUSE-CRON 0");
    w.pass(200);
    assert!(w.outs.drain().any(|o| matches!(o, Output::Exit(0))));
}

#[test]
fn ending_saves_if_there_are_save_points() {
    let mut w = with_save_point(3600, 1);
    let c = w.connect();
    w.say(c, "SET a 1");
    w.node.shutdown(w.now, ShutdownRequest::default(), None, &mut w.outs);
    let (out, next) = w.raw(c, b"SET b 2\r\n");
    assert!(out.is_empty() && next == crate::Next::Wait, "writes wait while the node ends");
    assert!(save_all(&mut w).is_some());
    assert!(w.outs.drain().any(|o| matches!(o, Output::Exit(0))));
}

#[test]
fn a_failed_last_save_keeps_the_node_alive() {
    let mut w = with_save_point(3600, 1);
    let c = w.connect();
    w.say(c, "SET a 1");
    w.node.shutdown(w.now, ShutdownRequest::default(), None, &mut w.outs);
    w.raw(c, b"SET b 2\r\n");
    w.pass(0);
    w.node.step(w.now, Input::SaveWritten(Err("disk".into())), &mut w.outs);
    let outputs: Vec<Output> = w.outs.drain().collect();
    assert!(outputs.iter().any(|o| matches!(o, Output::Resume(id) if *id == c)), "{outputs:?}");
    assert!(!outputs.iter().any(|o| matches!(o, Output::Exit(_))));
}

#[test]
fn words_of_shutdown_for_a_cluster_mode() {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(w.say(c, "SHUTDOWN FAILOVER"), "-ERR SHUTDOWN FAILOVER is only supported in cluster mode.");
    assert_eq!(w.say(c, "SHUTDOWN SAFE ABORT"), "-ERR syntax error");
    assert_eq!(w.say(c, "SHUTDOWN SAFE NONSENSE"), "-ERR syntax error");
    w.raw(c, b"SHUTDOWN SAFE NOSAVE\r\n");
    assert!(w.outs.drain().any(|o| matches!(o, Output::Exit(0))), "it ends");
}

#[test]
fn a_load_takes_its_time_if_each_key_is_to() {
    let (mut w, c) = debugged();
    w.say(c, "MSET a 1 b 2");
    w.node.save_begin(w.now, crate::snapshot::SaveKind::Background, &mut w.outs);
    let file = save_all(&mut w).expect("a file");
    w.node.load_begin(w.now, None);
    w.node.load_bytes(w.now, &file).expect("a good file");
    assert_eq!(w.node.load_takes(), Duration::ZERO);
    for (delay, takes) in [(300, 600), (-2, 1)] {
        w.node.config.key_load_delay = delay;
        assert_eq!(w.node.load_takes(), Duration::from_micros(takes), "two keys");
    }
}
