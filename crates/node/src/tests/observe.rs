//! Logs of commands, latency, counters, `INFO`, monitoring, debugging.

use super::World;
use tanist_config::ServerConfig;

#[test]
fn slow_commands_are_logged_without_secrets_and_cut() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 4");
    w.say(c, "CONFIG SET masterauth secret");
    w.say(c, "AUTH secret");
    let many: Vec<String> = (0..40).map(|i| i.to_string()).collect();
    w.say(c, &format!("DEL {}", many.join(" ")));
    w.say(c, &format!("PING {}", "x".repeat(200)));
    let log = w.say(c, "SLOWLOG GET");
    assert!(!log.contains("secret") && log.contains("[CONFIG SET masterauth (redacted)]"), "{log}");
    assert!(log.contains("[AUTH (redacted)]"));
    assert!(log.contains("28 29 ... (10 more arguments)]"), "{log}");
    assert!(log.contains(&format!("{}... (72 more bytes)", "x".repeat(128))));
    assert_eq!(w.say(c, "SLOWLOG LEN"), ":4");
    assert!(w.say(c, "SLOWLOG GET 1").starts_with("[[:6 :1700000000 :0 [SLOWLOG LEN] 127.0.0.1:1 ]"));
    w.say(c, "CONFIG SET slowlog-log-slower-than -1");
    assert_eq!(w.say(c, "SLOWLOG RESET"), "OK");
    assert_eq!(w.say(c, "COMMANDLOG LEN slow"), ":0");
    assert_eq!(w.say(c, "SLOWLOG GET -2"), "-ERR count should be greater than or equal to -1");
}

#[test]
fn the_commands_of_a_transaction_are_logged_and_timed_one_by_one() {
    let mut config = ServerConfig::default();
    config.set("enable-debug-command", &["yes"]).expect("a directive");
    let mut w = World::with(config);
    let c = w.connect();
    w.watch_step = std::time::Duration::from_millis(2);
    w.say(
        c,
        "CONFIG SET slowlog-log-slower-than 1000 latency-monitor-threshold 1 commandlog-reply-larger-than 20",
    );
    w.say(c, "SLOWLOG RESET");
    w.say(c, "LATENCY RESET");
    for line in ["MULTI", "SET k xxxxxxxxxxxxxxxxxxxx", "GET k", "DEBUG SLEEP 0.05"] {
        w.say(c, line);
    }
    w.say(c, "EXEC");
    let log = w.say(c, "SLOWLOG GET");
    assert!(!log.contains("EXEC"), "{log}");
    for entry in [":52000 [DEBUG SLEEP 0.05]", ":2000 [GET k]", ":2000 [SET k xxxxxxxxxxxxxxxxxxxx]"] {
        assert!(log.contains(entry), "{entry} in {log}");
    }
    assert!(w.say(c, "COMMANDLOG GET -1 large-reply").contains(":27 [GET k]"));
    // The transaction is a spike of its own: it has held up everybody for the sum.
    assert_eq!(w.say(c, "LATENCY HISTORY command"), "[[:1700000000 :64]]");
    assert!(w.say(c, "INFO commandstats").contains("cmdstat_exec:calls=1,usec=64000,"));
    assert!(w.say(c, "INFO commandstats").contains("cmdstat_get:calls=1,usec=2000,"));
}

#[test]
fn large_requests_and_replies_are_logged_by_their_bytes() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "CONFIG SET commandlog-request-larger-than 100 commandlog-reply-larger-than 208");
    let big = "x".repeat(200);
    w.say(c, &format!("SET k {big}"));
    w.say(c, "GET k");
    assert!(w.say(c, "COMMANDLOG GET -1 large-request").contains("[:1 :1700000000 :228 [SET k "));
    assert!(w.say(c, "COMMANDLOG GET -1 large-reply").contains("[:0 :1700000000 :208 [GET k]"));
    assert!(w.say(c, "COMMANDLOG GET 1 other").starts_with("-ERR type should be one of"));
}

#[test]
fn a_log_that_may_keep_less_is_cut_at_once_unless_it_is_off() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "CONFIG SET commandlog-request-larger-than 0");
    for _ in 0..5 {
        w.say(c, "PING");
    }
    let mut len_after = |setting: &str| {
        w.say(c, &format!("CONFIG SET {setting}"));
        w.say(c, "COMMANDLOG LEN large-request")
    };
    assert_eq!(len_after("commandlog-large-request-max-len 3"), ":3");
    assert_eq!(len_after("commandlog-large-request-max-len 0"), ":3");
    assert_eq!(len_after("commandlog-request-larger-than -1 commandlog-large-request-max-len 1"), ":3");
    assert_eq!(len_after("commandlog-request-larger-than 1000"), ":1");
}

#[test]
fn times_that_nobody_wants_are_not_told() {
    let mut w = World::new();
    let c = w.connect();
    let mut told_after = |setting: &str| {
        w.say(c, &format!("CONFIG SET latency-tracking {setting}"));
        let told = w.say(c, "LATENCY HISTOGRAM get");
        w.say(c, "GET k");
        w.say(c, "GET k");
        told
    };
    assert_eq!(told_after("yes"), "[]");
    assert_eq!(told_after("no"), "[get [calls :2 histogram_usec [:1 :2]]]");
    assert_eq!(told_after("no"), "[get [calls :2 histogram_usec [:1 :2]]]");
    assert_eq!(told_after("yes"), "[get [calls :2 histogram_usec [:1 :2]]]");
    assert_eq!(told_after("yes"), "[get [calls :4 histogram_usec [:1 :4]]]");
    w.say(c, "CONFIG SET latency-tracking no");
    w.say(c, "CONFIG RESETSTAT");
    w.say(c, "GET k");
    assert_eq!(w.say(c, "LATENCY HISTOGRAM get"), "[]");
}

#[test]
fn counters_count_and_are_set_back() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SET k 1");
    w.say(c, "GET k");
    w.say(c, "GET none");
    w.say(c, "INCR k x");
    w.say(c, "NONSENSE");
    let stats = w.say(c, "INFO stats commandstats errorstats");
    for line in [
        "total_commands_processed:3\r",
        "keyspace_hits:1\r",
        "keyspace_misses:1\r",
        "total_error_replies:2\r",
        "cmdstat_get:calls=2,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0\r",
        "cmdstat_incr:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0\r",
        "errorstat_ERR:count=2\r",
    ] {
        assert!(stats.lines().any(|l| format!("{l}\r") == line || l == line), "{line} in\n{stats}");
    }
    assert_eq!(w.say(c, "LATENCY HISTOGRAM get none"), "[get [calls :2 histogram_usec [:1 :2]]]");
    assert_eq!(w.say(c, "CONFIG RESETSTAT"), "OK");
    assert!(w.say(c, "INFO stats").contains("keyspace_hits:0\r\n"));
}

/// What `INFO` says of a command: hits, misses and changes, as Valkey counts them.
#[test]
fn hits_misses_and_changes_are_counted_as_elsewhere() {
    let mut w = World::new();
    let c = w.connect();
    let mut counted = |line: &str| {
        let figures = |w: &World| (w.node.stats.hits, w.node.stats.misses, w.node.stats.dirty_since_save);
        let before = figures(&w);
        // The last one waits.
        w.all(c, line);
        let after = figures(&w);
        (after.0 - before.0, after.1 - before.1, after.2 - before.2)
    };
    for (line, expected) in [
        ("RPUSH l a b", (0, 0, 2)),
        ("LMOVE l l LEFT RIGHT", (0, 0, 1)),
        ("RPOPLPUSH l m", (0, 0, 1)),
        ("RENAME l n", (0, 0, 1)),
        ("RENAMENX n l", (0, 0, 1)),
        ("MOVE l 1", (0, 0, 1)),
        ("PFADD p a", (0, 0, 2)),
        ("PFADD p b c", (0, 0, 2)),
        ("PFMERGE q p", (1, 1, 1)),
        ("SET s x", (0, 0, 1)),
        ("BITFIELD s GET u8 0", (1, 0, 0)),
        ("BITFIELD s GET u8 0 SET u8 0 1", (0, 0, 1)),
        ("BITFIELD none GET u8 0", (0, 1, 0)),
        ("XADD x 1-1 f v", (0, 0, 1)),
        ("XGROUP CREATE x g 0", (0, 0, 1)),
        ("XREADGROUP GROUP none c STREAMS x >", (1, 0, 0)),
        ("XACK x g 1-1", (1, 0, 0)),
        ("XCLAIM x g c 0 1-1", (1, 0, 1)),
        ("XAUTOCLAIM none g c 0 0", (0, 1, 0)),
        ("XREAD STREAMS x 0", (2, 0, 0)),
        ("XREAD STREAMS x none 0 0", (2, 2, 0)),
        ("XREAD STREAMS s 0", (1, 0, 0)),
        ("XREADGROUP GROUP g c STREAMS x 0", (2, 0, 1)),
        ("XREADGROUP GROUP g c STREAMS s >", (1, 0, 0)),
        ("XACK s g 1-1", (1, 0, 0)),
        ("XCLAIM s g c 0 1-1", (1, 0, 0)),
        ("HGETEX s FIELDS 1 f", (1, 0, 0)),
        ("SADD t a b c", (0, 0, 3)),
        ("SPOP t 1", (0, 0, 1)),
        ("SPOP t 5", (1, 0, 2)),
        ("FLUSHDB", (0, 0, 5)),
        ("FLUSHDB", (0, 0, 0)),
        ("SET s x", (0, 0, 1)),
        ("MIGRATE 127.0.0.1 1 none 0 10", (0, 1, 0)),
        ("MIGRATE 127.0.0.1 1 s 0 10", (1, 0, 0)),
    ] {
        assert_eq!(counted(line), expected, "{line}");
    }
}

/// As in Valkey: what belongs to a log or to the data is not set back, all that is counted by events is.
#[test]
fn what_is_not_a_counter_of_events_is_not_set_back() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "AUTH nobody x");
    for i in 0..600 {
        w.raw(c, format!("EVAL 'return {i}' 0\r\n").as_bytes());
    }
    w.say(c, "SET k v");
    w.node.stats.loaded_keys = 7;
    w.node.saving.saves = 3;
    w.node.expire_cycle.cut_short = 5;
    let before = w.say(c, "INFO stats persistence");
    for line in ["evicted_scripts:100", "rdb_saves:3", "expired_time_cap_reached_count:5"] {
        assert!(before.lines().any(|l| l == line), "{line}");
    }
    w.say(c, "CONFIG RESETSTAT");
    let info = w.say(c, "INFO stats persistence");
    for line in [
        "evicted_scripts:0",
        "rdb_saves:0",
        "expired_time_cap_reached_count:0",
        "acl_access_denied_auth:1",
        "rdb_last_load_keys_loaded:7",
        "rdb_changes_since_last_save:1",
    ] {
        assert!(info.lines().any(|l| l == line), "{line}");
    }
}

#[test]
fn info_has_the_sections_asked_for_in_their_order() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "SET k 1");
    let titles = |w: &mut World, asked: &str| -> Vec<String> {
        let text = w.say(c, &format!("INFO{asked}"));
        text.lines().filter_map(|l| l.strip_prefix("# ")).map(str::to_owned).collect()
    };
    let default = [
        "Server",
        "Clients",
        "Memory",
        "Persistence",
        "Stats",
        "Replication",
        "CPU",
        "Modules",
        "Errorstats",
        "Cluster",
        "Keyspace",
    ];
    assert_eq!(titles(&mut w, ""), default);
    assert_eq!(titles(&mut w, " default"), default);
    assert_eq!(titles(&mut w, " everything").len(), 16);
    assert_eq!(titles(&mut w, " all"), titles(&mut w, " everything nothing"));
    assert_eq!(titles(&mut w, " KEYSPACE server keyspace"), ["Server", "Keyspace"]);
    assert_eq!(titles(&mut w, " default debug tls").len(), default.len() + 2);
    assert_eq!(w.say(c, "INFO nothing"), "");
    assert_eq!(
        w.say(c, "INFO keyspace"),
        "# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=0\r\n"
    );
    assert!(
        w.say(c, "INFO replication").starts_with("# Replication\r\nrole:master\r\nconnected_slaves:0\r\n")
    );
}

#[test]
fn debug_is_allowed_as_configured_and_its_digest_is_that_of_other_servers() {
    let mut w = World::new();
    let c = w.connect();
    assert!(w.say(c, "DEBUG DIGEST").starts_with("-ERR DEBUG command not allowed."));
    assert!(w.say(c, "MODULE LOAD x").starts_with("-ERR MODULE command not allowed."));
    assert_eq!(w.say(c, "MODULE LIST"), "[]");
    let counted = w.say(c, "INFO commandstats");
    for name in ["debug", "module|load"] {
        let line =
            format!("cmdstat_{name}:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0");
        assert!(counted.lines().any(|l| l == line), "{line} in\n{counted}");
    }
    w.say(c, "MULTI");
    assert!(w.say(c, "DEBUG DIGEST").starts_with("-ERR DEBUG command not allowed."));
    assert!(w.say(c, "EXEC").starts_with("-EXECABORT"), "what is refused is not queued");
    let mut config = ServerConfig::default();
    config.set("enable-debug-command", &["local"]).expect("a known value");
    let mut w = World::with(config);
    let c = w.connect();
    assert_eq!(w.say(c, "DEBUG DIGEST"), "0".repeat(40));
    w.say(c, "SET a b");
    w.say(c, "SET n 12");
    // As Valkey 9.1.2 prints it for the same keys.
    assert_eq!(w.say(c, "DEBUG DIGEST"), "0c1f6eec6639ca243b4e3d715848918fac07920c");
    assert_eq!(
        w.say(c, "DEBUG DIGEST-VALUE a n none"),
        "[b78559cd22bce6e6df712eb99ce7f3b08e8f8f1f 655ac46b180ad2f61a3cee25f0b1780fa2ec879a \
         0000000000000000000000000000000000000000]"
    );
    assert!(
        w.say(c, "DEBUG NONSENSE").starts_with("-ERR unknown subcommand or wrong number of arguments for")
    );
}

#[test]
fn monitors_see_commands_but_no_secrets_and_no_administration() {
    let mut w = World::new();
    let (m, c) = (w.connect(), w.connect());
    assert_eq!(w.say(m, "MONITOR"), "OK");
    w.say(c, "SET k a\nb");
    w.say(c, "AUTH secret");
    w.say(c, "CLIENT LIST");
    assert_eq!(
        w.pushed(m),
        [
            "1700000000.000000 [0 127.0.0.1:1] \"SET\" \"k\" \"a\\nb\"",
            "1700000000.000000 [0 127.0.0.1:1] \"AUTH\" \"(redacted)\"",
        ]
    );
}

#[test]
fn who_monitors_sees_its_own_commands_before_their_replies() {
    let mut w = World::new();
    let m = w.connect();
    w.say(m, "MONITOR");
    let (out, _) = w.raw(m, b"GET k\r\nRESET\r\nPING\r\n");
    let line = |word: &str| format!("+1700000000.000000 [0 127.0.0.1:1] {word}\r\n");
    let expected = line("\"GET\" \"k\"") + "$-1\r\n+RESET\r\n+PONG\r\n";
    assert_eq!(String::from_utf8_lossy(&out), expected);
    assert!(w.pushed(m).is_empty());
}

#[test]
fn the_passwords_of_migrate_are_not_shown() {
    let mut w = World::new();
    let (m, c) = (w.connect(), w.connect());
    w.say(c, "CONFIG SET slowlog-log-slower-than 0");
    w.say(m, "MONITOR");
    w.say(c, "MIGRATE 127.0.0.1 1 auth 9 50 AUTH secret");
    w.say(c, "MIGRATE 127.0.0.1 1 key 9 50 COPY AUTH2 somebody secret REPLACE");
    w.say(c, "MIGRATE 127.0.0.1 1 {} 9 50 AUTH secret KEYS auth key");
    let seen: Vec<String> = w.pushed(m).iter().map(|line| line.replace('"', "")).collect();
    let ends = [
        "auth 9 50 AUTH (redacted)",
        "key 9 50 COPY AUTH2 (redacted) (redacted) REPLACE",
        "9 50 AUTH (redacted) KEYS auth key",
    ];
    for (line, end) in seen.iter().zip(ends) {
        assert!(line.ends_with(end), "{line}");
    }
    assert_eq!(seen.len(), ends.len());
    let log = w.say(c, "SLOWLOG GET");
    assert!(!log.contains("secret") && !log.contains("somebody"), "{log}");
}

#[test]
fn monitors_see_the_commands_of_a_transaction_before_its_end() {
    let mut w = World::new();
    let (m, c) = (w.connect(), w.connect());
    w.say(m, "MONITOR");
    for line in ["MULTI", "SET k 1", "EXEC"] {
        w.say(c, line);
    }
    let seen = w.pushed(m);
    let words: Vec<&str> = seen.iter().filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(words, ["MULTI", "SET", "EXEC"]);
}

#[test]
fn memory_in_use_is_what_was_used_at_the_start_and_what_has_come_since() {
    let mut w = World::new();
    let c = w.connect();
    let facts = crate::HostFacts {
        allocator: crate::Allocator { allocated: 5_000_000, ..crate::Allocator::default() },
        ..crate::HostFacts::default()
    };
    w.node.step(w.now, crate::Input::Host(Box::new(facts)), &mut w.outs);
    let used = |w: &mut World| -> u64 {
        let info = w.say(c, "INFO memory");
        let line = info.lines().find_map(|l| l.strip_prefix("used_memory:")).expect("a field");
        line.trim().parse().expect("a number")
    };
    let before = used(&mut w);
    assert!((5_000_000..5_010_000).contains(&before), "{before}");
    w.say(c, &format!("SET k {}", "x".repeat(100_000)));
    assert!((5_100_000..5_200_000).contains(&used(&mut w)));
    w.say(c, "DEL k");
    assert!(used(&mut w) < before + 10_000);
}

#[test]
fn what_is_freed_elsewhere_is_counted() {
    let mut w = World::new();
    let c = w.connect();
    let freed = |w: &mut World| {
        let info = w.say(c, "INFO memory");
        info.lines().find_map(|l| l.strip_prefix("lazyfreed_objects:")).expect("a field").to_owned()
    };
    for i in 0..2000 {
        w.say(c, &format!("SADD large member:{i}"));
    }
    w.say(c, "SADD small 1");
    w.say(c, "UNLINK small");
    assert_eq!(freed(&mut w), "0");
    w.say(c, "UNLINK large");
    assert_eq!(freed(&mut w), "1");
    w.say(c, "CONFIG RESETSTAT");
    assert_eq!(freed(&mut w), "0");
}
