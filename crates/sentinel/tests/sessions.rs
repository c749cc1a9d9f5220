//! The ends of sessions.

use tanist_sentinel::core::{Config, Facts, Input, Output, Sentinel, SessionId, Usage};
use tanist_types::{Mono, Now};

const NOW: Now = Now { mono: Mono::from_millis(1), wall_us: 0 };

/// What a sentinel does when a session sends these commands in one go.
fn outputs(lines: &[&str]) -> (Vec<Output>, SessionId) {
    let text =
        "sentinel myid aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nsentinel monitor m 127.0.0.1 6379 1\n";
    let mut sentinel = Sentinel::new(Config::parse(text).expect("a good file"), Facts::default(), NOW, 7);
    let (mut out, session) = (Vec::new(), SessionId(1));
    sentinel.step(NOW, Input::Tick, &mut out);
    out.clear();
    let (remote, local) = ("127.0.0.1:50000".to_owned(), "127.0.0.1:26379".to_owned());
    sentinel.step(NOW, Input::SessionOpened { session, remote, local }, &mut out);
    for line in lines {
        let args = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        sentinel.step(NOW, Input::Command { session, args }, &mut out);
    }
    (out, session)
}

/// What the session is told, and whether it is hung up on.
fn told(lines: &[&str]) -> (String, bool) {
    let (out, session) = outputs(lines);
    let replies = out.iter().filter_map(|o| match o {
        Output::Reply { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    });
    (replies.collect(), out.contains(&Output::Hangup { session }))
}

#[test]
fn nothing_is_carried_out_behind_quit() {
    assert_eq!(told(&["PING", "QUIT", "SENTINEL REMOVE m"]), ("+PONG\r\n+OK\r\n".to_owned(), true));
}

/// A web page can make a browser send commands in the body of a request.
#[test]
fn whoever_speaks_http_is_hung_up_on() {
    let (replies, closed) = told(&["POST / HTTP/1.1", "Host: localhost", "SENTINEL REMOVE m"]);
    assert_eq!((replies.as_str(), closed), ("", true));
    let (replies, closed) = told(&["GET / HTTP/1.1", "host: localhost", "SENTINEL REMOVE m"]);
    assert!(closed && !replies.contains("OK"), "{replies}");
}

#[test]
fn settings_that_are_given_badly_say_how() {
    let told = |line: &str| told(&[line]).0;
    assert_eq!(
        told("SENTINEL CONFIG SET announce-port 1 ANNOUNCE-PORT 2"),
        "-ERR Duplicate argument 'ANNOUNCE-PORT' to SENTINEL CONFIG SET\r\n"
    );
    assert_eq!(
        told("SENTINEL CONFIG SET announce-port 1 resolve-hostnames"),
        "-ERR Missing argument 'resolve-hostnames' value\r\n"
    );
    assert_eq!(
        told("SENTINEL CONFIG SET announce-port 1 x"),
        "-ERR Invalid argument 'x' to SENTINEL CONFIG SET\r\n"
    );
    assert_eq!(
        told("SENTINEL SET m primary-reboot-down-after-period x"),
        "-ERR Invalid argument 'x' for SENTINEL SET 'primary-reboot-down-after-period'\r\n"
    );
    assert_eq!(
        told("SENTINEL SET m rename-command CONFIG "),
        "-ERR Invalid argument '' for SENTINEL SET 'rename-command'\r\n"
    );
}

#[test]
fn wrong_arguments_get_the_errors_of_the_peers() {
    for (line, error) in [
        ("CLIENT LIST ID -1", "client-id should be greater than 0"),
        ("CLIENT KILL USER nosuch", "No such user 'nosuch'"),
        ("CLIENT KILL MAXAGE 0", "maxage should be greater than 0"),
        ("CLIENT UNBLOCK 9 FOO", "CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
        ("ACL CAT a b", "unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP."),
        ("SHUTDOWN SAVE NOSAVE", "syntax error"),
        ("SHUTDOWN ABORT", "No shutdown in progress."),
        ("SENTINEL CONFIG SET announce-ip 1,2", "Invalid value '1,2' to SENTINEL CONFIG SET 'announce-ip'"),
    ] {
        assert_eq!(told(&[line]).0, format!("-ERR {error}\r\n"), "{line}");
    }
    assert_eq!(told(&["COMMAND INFO nosuch"]).0, "*1\r\n$-1\r\n");
}

/// A sentinel that takes two connections, with what a session is told.
struct Small {
    sentinel: Sentinel,
    now: Now,
}

impl Small {
    fn new() -> Small {
        let text =
            "sentinel myid aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nmaxclients 2\nrequirepass secret\n";
        let config = Config::parse(text).expect("a good file");
        let mut small = Small { sentinel: Sentinel::new(config, Facts::default(), NOW, 7), now: NOW };
        small.step(Input::Tick);
        small
    }

    fn step(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.sentinel.step(self.now, input, &mut out);
        out
    }

    fn open(&mut self, session: u64) -> Vec<Output> {
        let (remote, local) = ("127.0.0.1:50000".to_owned(), "127.0.0.1:26379".to_owned());
        self.step(Input::SessionOpened { session: SessionId(session), remote, local })
    }

    fn ask(&mut self, line: &str) -> String {
        // As an inline command.
        self.step(Input::Received { session: SessionId(1), bytes: line.len() + 2 });
        let args = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let out = self.step(Input::Command { session: SessionId(1), args });
        let reply = out.into_iter().find_map(|o| match o {
            Output::Reply { bytes, .. } => Some(String::from_utf8_lossy(&bytes).into_owned()),
            _ => None,
        });
        reply.expect("a reply")
    }

    fn field(&mut self, name: &str) -> String {
        let info = self.ask("INFO");
        let line = info.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {name}")).to_owned()
    }
}

#[test]
fn more_clients_than_may_be_are_rejected_and_counted() {
    let mut s = Small::new();
    assert_eq!((s.open(1), s.open(2)), (vec![], vec![]));
    let session = SessionId(3);
    let bytes = b"-ERR max number of clients reached\r\n".to_vec();
    assert_eq!(s.open(3), [Output::Reply { session, bytes }, Output::Hangup { session }]);
    // What it has sent before it was hung up on is not carried out.
    assert_eq!(s.step(Input::Command { session, args: vec![b"PING".to_vec()] }), []);
    s.step(Input::SessionClosed { session });
    assert_eq!(s.ask("AUTH secret"), "+OK\r\n");
    for (name, value) in
        [("maxclients", "2"), ("rejected_connections", "1"), ("total_connections_received", "2")]
    {
        assert_eq!(s.field(name), value, "{name}");
    }
    // Who leaves makes room.
    s.step(Input::SessionClosed { session: SessionId(2) });
    assert_eq!(s.open(4), []);
    assert_eq!(s.field("rejected_connections"), "1");
}

#[test]
fn operations_per_second_are_those_of_late() {
    let mut s = Small::new();
    s.open(1);
    s.ask("AUTH secret");
    s.now.mono = Mono::from_millis(10_000);
    for _ in 0..300 {
        s.ask("PING");
    }
    s.now.mono = Mono::from_millis(11_500);
    // 300 PINGs in a second and a half; an INFO does not count itself.
    assert_eq!(s.field("instantaneous_ops_per_sec"), "200");
    s.now.mono = Mono::from_millis(13_000);
    s.ask("PING");
    // That, and the INFO before.
    assert_eq!(s.field("instantaneous_ops_per_sec"), "1");
    s.now.mono = Mono::from_millis(60_000);
    assert_eq!(s.field("instantaneous_ops_per_sec"), "0");
}

#[test]
fn wrong_passwords_are_counted_and_the_time_of_the_deciding_thread_is_shown() {
    let mut s = Small::new();
    s.open(1);
    assert!(s.ask("AUTH wrong").starts_with("-WRONGPASS"));
    assert!(s.ask("HELLO 3 AUTH default wrong").starts_with("-WRONGPASS"));
    s.ask("AUTH secret");
    assert_eq!(s.field("acl_access_denied_auth"), "2");
    let used =
        Usage { sys_us: 4, user_us: 3_000_003, main_sys_us: 2, main_user_us: 1_000_001, ..Usage::default() };
    s.step(Input::Used(used));
    assert_eq!(
        (s.field("used_cpu_sys_main_thread"), s.field("used_cpu_user_main_thread")),
        ("0.000002".into(), "1.000001".into())
    );
}

#[test]
fn traffic_and_turns_of_the_loop_are_shown() {
    let mut s = Small::new();
    s.open(1);
    s.ask("AUTH secret");
    s.now.mono = Mono::from_millis(10_000);
    for _ in 0..1500 {
        s.ask("PING");
    }
    s.now.mono = Mono::from_millis(11_500);
    let used = Usage { turns_us: 900, commands_us: 300, turn_us: 7, cut_off: 4, ..Usage::default() };
    s.step(Input::Used(used));
    let info = s.ask("INFO stats");
    for line in [
        // A thousand a second, each of 6 bytes and answered with 7; and the question.
        "instantaneous_input_kbps:5.87",
        "instantaneous_output_kbps:6.84",
        "total_commands_processed:1501",
        "total_net_input_bytes:9025",
        "total_reads_processed:1502",
        "total_writes_processed:1501",
        "client_output_buffer_limit_disconnections:4",
        "eventloop_duration_sum:900",
        "eventloop_duration_cmd_sum:300",
        "instantaneous_eventloop_duration_usec:7",
    ] {
        assert!(info.split("\r\n").any(|l| l == line), "{line} in {info}");
    }
    let cycles: u64 = s.field("eventloop_cycles").parse().expect("a number");
    s.step(Input::Tick);
    // That one, the question as bytes, and as a command.
    assert_eq!(s.field("eventloop_cycles"), (cycles + 3).to_string());
}

/// What the exporters of metrics look for; `redis-cli --stat` finds a field by its first mention, so that the order of the
/// names is an interface too.
#[test]
fn the_fields_have_the_names_and_the_order_of_the_peers() {
    let mut s = Small::new();
    s.open(1);
    s.ask("AUTH secret");
    let info = s.ask("INFO everything");
    let names: Vec<&str> = info
        .lines()
        .skip(1)
        .filter_map(|line| line.strip_prefix("# ").or_else(|| line.split_once(':').map(|(name, _)| name)))
        // Ours alone, or a list that depends on the configuration.
        .filter(|name| !["tanist_version", "redis_mode"].contains(name))
        .collect();
    let expected: Vec<&str> = include_str!("info_fields.txt").lines().collect();
    assert_eq!(names, expected);
    assert_eq!(s.ask("INFO nonsense"), "$0\r\n\r\n");
}

#[test]
fn listeners_are_clients_too() {
    let mut s = Small::new();
    s.open(1);
    s.open(2);
    s.step(Input::Command {
        session: SessionId(2),
        args: ["AUTH", "secret"].map(|w| w.as_bytes().to_vec()).to_vec(),
    });
    s.step(Input::Command {
        session: SessionId(2),
        args: ["SUBSCRIBE", "x"].map(|w| w.as_bytes().to_vec()).to_vec(),
    });
    s.ask("AUTH secret");
    assert_eq!((s.field("connected_clients"), s.field("pubsub_clients")), ("2".into(), "1".into()));
}

#[test]
fn a_listener_is_told_which_subcommand_is_not_allowed() {
    let (replies, _) = told(&["SUBSCRIBE x", "CLIENT LIST"]);
    assert!(replies.contains("-ERR Can't execute 'client|list': only"), "{replies}");
}
