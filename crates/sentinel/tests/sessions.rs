//! The ends of sessions.

use tanist_sentinel::core::{Config, Facts, Input, Output, Sentinel, SessionId};
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
