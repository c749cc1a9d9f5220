//! What a sentinel asks of the system for its connections: open files, of which each is one, and a shell's soft limit is
//! often lower than `maxclients`; and probes of who is silent.

mod process;

use process::{PROGRAM, Sentinel};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;
use std::{fs, io};

/// Until the next probe of the other end of this connection, in hundredths of a second, as the kernel tells it; none while
/// another timer runs.
fn next_probe(client: &TcpStream) -> io::Result<Option<u64>> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let (local, remote) = (client.peer_addr()?.port(), client.local_addr()?.port());
    let ends = [format!(":{local:04X}"), format!(":{remote:04X}")];
    let mut connections = table.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let accepted = connections
        .find(|f| f.len() > 5 && f[1].ends_with(&ends[0]) && f[2].ends_with(&ends[1]) && f[3] == "01");
    // Timer 2 is the one of keep-alive.
    Ok(accepted.and_then(|f| u64::from_str_radix(f[5].strip_prefix("02:")?, 16).ok()))
}

#[test]
fn who_is_silent_is_probed_as_often_as_it_is_said() -> io::Result<()> {
    let sentinel = Sentinel::answering("keep-alive", "tcp-keepalive 40", || Command::new(PROGRAM))?;
    let client = sentinel.ping()?;
    // What was answered is acknowledged within moments; until then another timer runs.
    let mut probe = None;
    for _ in 0..600 {
        probe = next_probe(&client)?;
        if probe.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(probe.is_some_and(|soon| soon <= 4000), "{probe:?}");
    Ok(())
}

#[test]
fn a_soft_limit_below_maxclients_is_raised() -> io::Result<()> {
    let limited = || {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -Sn 40 && exec \"$0\" \"$1\"", PROGRAM]);
        command
    };
    let sentinel = Sentinel::answering("open-files", "maxclients 100", limited)?;
    // The one that asked who it is may not be gone yet.
    let mut clients = Vec::new();
    while clients.len() < 99 {
        clients.push(sentinel.ping()?);
    }
    while sentinel.info("connected_clients")? != "100" {
        std::thread::sleep(Duration::from_millis(20));
    }
    clients.push(sentinel.ping()?);
    Ok(())
}
