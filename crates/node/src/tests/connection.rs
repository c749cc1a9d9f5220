//! `AUTH`, `HELLO`, `PING`, `SELECT`, `QUIT`, `RESET`; unknown commands; limits on clients.

use super::World;
use crate::{Next, Peer};
use tanist_config::ServerConfig;

#[test]
fn ping_echo_and_errors() {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(w.say(c, "PING"), "PONG");
    assert_eq!(w.say(c, "pInG hi"), "hi");
    assert_eq!(w.say(c, "PING a b"), "-ERR wrong number of arguments for 'ping' command");
    assert_eq!(w.say(c, "ECHO x"), "x");
    assert_eq!(w.say(c, "ECHO"), "-ERR wrong number of arguments for 'echo' command");
    assert_eq!(w.say(c, "FOO a b"), "-ERR unknown command 'FOO', with args beginning with: 'a' 'b' ");
    assert_eq!(w.say(c, "CLIENT foo"), "-ERR unknown subcommand 'foo'. Try CLIENT HELP.");
    assert_eq!(w.say(c, "CLIENT ID"), ":1");
}

#[test]
fn databases_are_apart() {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(w.say(c, "SET k v"), "OK");
    assert_eq!(w.say(c, "SELECT 15"), "OK");
    assert_eq!(w.say(c, "GET k"), "(nil)");
    assert_eq!(w.say(c, "SELECT 16"), "-ERR DB index is out of range");
    assert_eq!(w.say(c, "SELECT x"), "-ERR value is not an integer or out of range");
    assert_eq!(w.say(c, "SELECT 0"), "OK");
    assert_eq!(w.say(c, "GET k"), "v");
}

#[test]
fn a_password_keeps_strangers_out() {
    let mut w = World::with(ServerConfig { requirepass: "secret".into(), ..ServerConfig::default() });
    let c = w.connect();
    assert_eq!(w.say(c, "GET k"), "-NOAUTH Authentication required.");
    assert!(w.say(c, "HELLO 3").starts_with("-NOAUTH HELLO must be called"));
    assert!(w.say(c, "AUTH wrong").starts_with("-WRONGPASS"));
    assert!(w.say(c, "AUTH secretsecret").starts_with("-WRONGPASS"));
    assert!(w.say(c, "AUTH other secret").starts_with("-WRONGPASS"));
    assert_eq!(w.say(c, "AUTH default secret"), "OK");
    assert_eq!(w.say(c, "GET k"), "(nil)");
    assert_eq!(w.say(c, "RESET"), "RESET");
    assert_eq!(w.say(c, "GET k"), "-NOAUTH Authentication required.");
    let hello = w.say(c, "HELLO 3 AUTH default secret SETNAME me");
    assert!(hello.starts_with("{server=redis version=") && hello.contains("proto=:3"), "{hello}");
}

#[test]
fn a_stranger_does_not_learn_which_commands_there_are() {
    let mut w = World::with(ServerConfig { requirepass: "secret".into(), ..ServerConfig::default() });
    let c = w.connect();
    for line in ["GET", "NOSUCH", "CONFIG", "CONFIG NOSUCH", "CONFIG SET x", "WATCH"] {
        assert_eq!(w.say(c, line), "-NOAUTH Authentication required.", "{line}");
    }
    assert_eq!(w.say(c, "AUTH"), "-ERR wrong number of arguments for 'auth' command");
    assert_eq!(w.say(c, "AUTH secret"), "OK");
    assert_eq!(w.say(c, "GET"), "-ERR wrong number of arguments for 'get' command");
    assert!(w.say(c, "NOSUCH").starts_with("-ERR unknown command 'NOSUCH'"));
}

#[test]
fn hello_names_the_zone_if_there_is_one() {
    let mut w = World::new();
    let c = w.connect();
    assert!(w.say(c, "HELLO 2").ends_with(" modules []]"));
    w.say(c, "CONFIG SET availability-zone north-1");
    assert!(w.say(c, "HELLO 2").ends_with(" modules [] availability_zone north-1]"));
    assert!(w.say(c, "HELLO 3").ends_with("availability_zone=north-1}"));
}

/// A script is told of the same things in the same order, and what adds no data may be queued without memory.
#[test]
fn without_memory_only_what_may_add_data_is_refused() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "CONFIG SET maxmemory 1 min-replicas-to-write 1");
    let (reply, _) = w.raw(c, b"EVAL \"return redis.call('SET',KEYS[1],'x')\" 1 k\r\n");
    assert!(String::from_utf8_lossy(&reply).starts_with("-OOM command not allowed"));
    w.say(c, "MULTI");
    assert_eq!(w.say(c, "GET k"), "QUEUED");
    assert_eq!(w.say(c, "CONFIG SET hz 10"), "QUEUED");
    assert_eq!(w.say(c, "EXEC"), "[(nil) OK]");
}

/// The order in which Valkey 9.1 looks at them.
#[test]
fn of_several_things_against_a_command_the_first_is_told() {
    let mut w = World::new();
    let (admin, c) = (w.connect(), w.connect());
    w.say(c, "SUBSCRIBE x");
    let subscribed = "-ERR Can't execute 'set': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are \
                      allowed in this context";
    let mut told = |setting: &str| {
        assert_eq!(w.say(admin, setting), "OK", "{setting}");
        w.say(c, "SET k 1")
    };
    assert_eq!(told("CONFIG SET timeout 0"), subscribed);
    assert_eq!(told("CONFIG SET min-replicas-to-write 1"), "-NOREPLICAS Not enough good replicas to write.");
    assert_eq!(told("CONFIG SET maxmemory 1"), "-OOM command not allowed when used memory > 'maxmemory'.");
    assert_eq!(told("REPLICAOF 127.0.0.1 1"), "-READONLY You can't write against a read only replica.");
    assert_eq!(told("CONFIG SET replica-serve-stale-data no replica-read-only no"), subscribed);
}

/// A web page can make a browser send commands in the body of a request.
#[test]
fn whoever_speaks_http_is_hung_up_on() {
    for head in ["POST / HTTP/1.1", "GET / HTTP/1.1\r\nhost: localhost"] {
        let mut w = World::new();
        let c = w.connect();
        let (out, next) = w.raw(c, format!("{head}\r\n\r\nSET k v\r\n").as_bytes());
        assert_eq!(next, Next::Close, "{head}");
        assert!(!String::from_utf8_lossy(&out).contains("OK"), "{head}");
        let c = w.connect();
        assert_eq!(w.say(c, "GET k"), "(nil)");
    }
}

#[test]
fn quit_answers_and_closes_and_drops_what_follows() {
    let mut w = World::new();
    let c = w.connect();
    let (out, next) = w.raw(c, b"PING\r\nQUIT\r\nPING\r\n");
    assert_eq!(out, b"+PONG\r\n+OK\r\n");
    assert_eq!(next, Next::Close);
}

#[test]
fn strangers_and_the_surplus_are_refused() {
    let mut w = World::with(ServerConfig { maxclients: 1, ..ServerConfig::default() });
    let far = Peer { addr: "192.0.2.1:5".into(), ..Peer::default() };
    assert!(w.node.connect(w.now, far).is_err_and(|e| e.starts_with("-DENIED")));
    w.connect();
    let near = Peer { local: true, ..Peer::default() };
    assert_eq!(w.node.connect(w.now, near), Err("-ERR max number of clients reached\r\n"));
}
