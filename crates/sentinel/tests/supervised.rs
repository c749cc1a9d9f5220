//! The program under a supervisor: systemd waits for the word that a service of `Type=notify` is ready, and ends it if none
//! comes; upstart waits until the process stops itself.

mod process;

use process::{PROGRAM, Sentinel};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The program with this alone in its environment of what supervisors put there.
fn under(variable: &str, value: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_remove("NOTIFY_SOCKET").env_remove("UPSTART_JOB").env(variable, value);
    command
}

/// A supervisor's socket.
fn listen(name: &str) -> io::Result<(UnixDatagram, PathBuf)> {
    let path = std::env::temp_dir().join(format!("tanist-{name}-{}.socket", std::process::id()));
    Ok((UnixDatagram::bind(&path)?, path))
}

#[test]
fn the_supervisor_hears_that_it_is_ready_and_that_it_ends() -> io::Result<()> {
    let (socket, path) = listen("systemd")?;
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    let start = || under("NOTIFY_SOCKET", &path);
    let sentinel = Sentinel::answering("systemd", "supervised systemd", start)?;
    let mut buf = [0; 200];
    let mut heard = || socket.recv(&mut buf).map(|n| String::from_utf8_lossy(&buf[..n]).into_owned());
    let ready = heard()?;
    assert!(ready.contains("READY=1"), "{ready}");
    assert_eq!(sentinel.info("process_supervised")?, "systemd");
    sentinel.signal("TERM")?;
    assert_eq!(heard()?, "STOPPING=1\n");
    std::fs::remove_file(path)
}

#[test]
fn it_stops_for_upstart_once_it_is_ready() -> io::Result<()> {
    let start = || under("UPSTART_JOB", Path::new("tanist"));
    let mut sentinel = Sentinel::start("upstart", "supervised auto", start)?;
    // Its state, as the kernel names it.
    let stat = format!("/proc/{}/stat", sentinel.child.id());
    while !std::fs::read_to_string(&stat)?.contains(") T ") {
        assert_eq!(sentinel.child.try_wait()?, None, "it has ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    sentinel.signal("CONT")?;
    assert_eq!(sentinel.info("process_supervised")?, "upstart");
    Ok(())
}

#[test]
fn a_supervisor_that_is_not_asked_for_hears_nothing() -> io::Result<()> {
    let (socket, path) = listen("unsupervised")?;
    socket.set_nonblocking(true)?;
    let sentinel = Sentinel::answering("unsupervised", "supervised no", || under("NOTIFY_SOCKET", &path))?;
    assert_eq!(sentinel.info("process_supervised")?, "no");
    assert_eq!(socket.recv(&mut [0; 10]).map_err(|e| e.kind()), Err(io::ErrorKind::WouldBlock));
    std::fs::remove_file(path)
}
