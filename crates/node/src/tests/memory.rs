//! `maxmemory` under `noeviction`.

use super::World;
use tanist_config::ServerConfig;

const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.";

/// A world that is full, and a client.
fn full() -> (World, crate::SessionId) {
    let mut config = ServerConfig { save: Vec::new(), ..ServerConfig::default() };
    config.set("maxmemory", &["200kb"]).expect("a directive");
    let mut w = World::with(config);
    let c = w.connect();
    let value = "x".repeat(10_000);
    for i in 0.. {
        if w.say(c, &format!("SET k{i} {value}")) == OOM {
            assert!(i > 5, "full too early");
            return (w, c);
        }
        assert!(i < 100, "never full");
    }
    unreachable!()
}

#[test]
fn what_may_add_is_refused_and_the_rest_is_not() {
    let (mut w, c) = full();
    for line in ["SET a 1", "APPEND k0 x", "INCR n", "MSET a 1", "SETRANGE k0 0 x", "COPY k0 z", "SET a 1 XX"]
    {
        assert_eq!(w.say(c, line), OOM, "{line}");
    }
    for line in ["GET nokey", "DEL nokey", "EXPIRE nokey 1", "RENAME k0 k00", "GETDEL nokey", "PERSIST k1"] {
        assert_ne!(w.say(c, line), OOM, "{line}");
    }
    w.say(c, "FLUSHALL");
    assert_eq!(w.say(c, "SET a 1"), "OK");
}

#[test]
fn a_transaction_is_refused_as_a_whole() {
    let (mut w, c) = full();
    w.say(c, "MULTI");
    assert_eq!(w.say(c, "SET a 1"), OOM);
    assert_eq!(w.say(c, "EXEC"), "-EXECABORT Transaction discarded because of previous errors.");
    // Queued while there was room, carried out when there is none any more.
    w.say(c, "FLUSHALL");
    w.say(c, "MULTI");
    assert_eq!(w.say(c, "SET a 1"), "QUEUED");
    let filler = w.connect();
    while w.say(filler, &format!("APPEND big {}", "x".repeat(50_000))) != OOM {}
    assert_eq!(
        w.say(c, "EXEC"),
        "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'."
    );
    assert_eq!(w.say(c, "EXEC"), "-ERR EXEC without MULTI");
    assert_eq!(w.say(c, "GET a"), "(nil)");
}
