//! Scripts that are debugged over a connection: the session's process, the other clients, and what stays.

use super::{Client, Server};
use std::sync::atomic::{AtomicBool, Ordering};
use tanist_resp::encode_command;

const CODE: &str = "local t = {1, {x = 'y'}}
redis.call('set', KEYS[1], ARGV[1])
local v = redis.call('get', KEYS[1])
return {v, #t}";

/// Begins to debug a script.
fn begin(client: &mut Client, mode: &str, code: &str) -> String {
    assert_eq!(client.say(&format!("SCRIPT DEBUG {mode}")), "OK");
    let mut command = Vec::new();
    encode_command(&mut command, &[b"EVAL", code.as_bytes(), b"1", b"key", b"value"]);
    client.send(&command);
    client.say_next()
}

/// The number of processes that the server has made.
fn children(server: &Server) -> usize {
    let pid = server.child.id();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let of_task = |task: std::fs::DirEntry| {
        let numbers = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        numbers.split_whitespace().count()
    };
    tasks.filter_map(Result::ok).map(of_task).sum()
}

/// A session that looks at everything.
fn walk(client: &mut Client, mode: &str) {
    let first = begin(client, mode, CODE);
    assert_eq!(first, "* Stopped at 1, stop reason = step over -> 1   local t = {1, {x = 'y'}}");
    for (command, answer) in [
        ("break 4", "   3   local v = redis.call('get', KEYS[1])   #4   return {v, #t}"),
        ("s", "* Stopped at 2, stop reason = step over -> 2   redis.call('set', KEYS[1], ARGV[1])"),
        ("print t", "<value> {1; {[x]=y; }; }"),
        ("p ARGV", "<value> {value; }"),
        (
            "s",
            "<command> set key value <reply> \"+OK\" * Stopped at 3, stop reason = step over -> 3   local v = \
             redis.call('get', KEYS[1])",
        ),
        ("redis append key !", "<command> append key ! <reply> 6"),
        (
            "redis incr key",
            "<command> incr key <reply> \"-ERR value is not an integer or out of range\" <error> \
             -ERR value is not an integer or out of range  ",
        ),
        ("eval #KEYS + 1", "<retval> 2"),
        ("nonsense", "<error> Unknown debugger command or wrong number of arguments."),
        ("c", "* Stopped at 4, stop reason = break point ->#4   return {v, #t}"),
        ("p", "<value> t = {1; {[x]=y; }; } <value> v = value!"),
    ] {
        assert_eq!(client.say(command), answer, "{command}");
    }
    assert_eq!(client.say("c"), "<endsession>");
    assert_eq!(client.say_next(), "value! ");
    assert_eq!(client.rest(), "", "the connection ends with the session");
}

#[test]
fn a_session_in_a_process_of_its_own_changes_nothing_and_disturbs_nobody() {
    let mut server = Server::start("debug-apart", &["--save", "", "--io-threads", "2"]);
    let mut others: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    others[0].say("SET key before");
    walk(&mut server.connect(), "YES");
    assert_eq!(others[0].say("GET key"), "before");

    let mut debugging = server.connect();
    begin(&mut debugging, "YES", CODE);
    for other in &mut others {
        assert_eq!(other.say("GET key"), "before", "they are served meanwhile");
    }
    assert_eq!(others[0].say("CLIENT KILL TYPE normal SKIPME yes"), "");
    for other in &mut others[1..] {
        assert_eq!(other.rest(), "", "what is closed is closed, though another process was born with it");
    }
    assert_eq!(debugging.say("abort"), "<endsession>");
    assert_eq!(debugging.say_next(), "ERR script aborted for user request script: on @user_script:1.");
    assert_eq!(debugging.rest(), "");
    let mut debugging = server.connect();
    begin(&mut debugging, "YES", CODE);
    drop(debugging);
    server.wait_for_children(0);

    let mut debugging = server.connect();
    begin(&mut debugging, "YES", CODE);
    assert_eq!(children(&server), 1);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(debugging.rest(), "", "no session outlives its server");
}

#[test]
fn a_session_here_keeps_its_changes_and_everybody_waits() {
    let server = Server::start("debug-here", &["--save", "", "--io-threads", "2"]);
    let mut other = server.connect();
    walk(&mut server.connect(), "SYNC");
    assert_eq!(other.say("GET key"), "value!");
    assert_eq!(children(&server), 0);

    let mut debugging = server.connect();
    begin(&mut debugging, "SYNC", CODE);
    other.send(b"SET key other\r\n");
    for _ in 0..3 {
        debugging.say("s");
    }
    drop(debugging);
    assert_eq!(other.say_next(), "OK", "once the session has ended");
    assert_eq!(other.say("GET key"), "other");
    let mut debugging = server.connect();
    begin(&mut debugging, "SYNC", "return nosuch");
    assert_eq!(debugging.say("s"), "<endsession>");
    let error = "ERR user_script:1: Script attempted to access nonexistent global variable 'nosuch' script: on \
                 @user_script:1.";
    assert_eq!(debugging.say_next(), error);
    assert_eq!(debugging.rest(), "");
    assert_eq!(other.say("PING"), "PONG");
}

#[test]
fn sessions_begin_while_other_threads_are_busy() {
    let server = Server::start("debug-busy", &["--save", "", "--io-threads", "4"]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for i in 0..4 {
            let (server, stop) = (&server, &stop);
            scope.spawn(move || {
                let mut client = server.connect();
                let value = vec![b'x'; 100_000];
                while !stop.load(Ordering::Relaxed) {
                    client.call(&[b"SET", format!("k{i}").as_bytes(), &value]);
                    client.call(&[b"GET", format!("k{i}").as_bytes()]);
                    client.call(&[b"CONFIG", b"SET", b"maxclients", b"1000"]);
                }
            });
        }
        let sessions: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let mut client = server.connect();
                        begin(&mut client, "YES", "local s = string.rep('x', 100000)\nreturn #s");
                        assert_eq!(client.say("e #string.rep('y', 200000)"), "<retval> 200000");
                        assert_eq!(client.say("c"), "<endsession>");
                    }
                })
            })
            .collect();
        let results: Vec<_> = sessions.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(results.iter().all(Result::is_ok));
    });
    server.wait_for_children(0);
}

impl Server {
    /// Waits until so many processes are left that it has made.
    fn wait_for_children(&self, count: usize) {
        let began = std::time::Instant::now();
        while children(self) != count {
            assert!(began.elapsed() < super::PATIENCE, "{} processes are left", children(self));
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}
