//! The program under a supervisor: systemd waits for the word that a service of `Type=notify` is ready, and ends it if none
//! comes.

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Sentinel(Child);

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A sentinel that finds the supervisor's socket in its environment.
fn start(folder: &Path, socket: &Path, supervised: &str) -> io::Result<Sentinel> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let file = folder.join(format!("{supervised}.conf"));
    std::fs::write(&file, format!("port {port}\nbind 127.0.0.1\nsupervised {supervised}\n"))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanist-sentinel"));
    command.arg(&file).env("NOTIFY_SOCKET", socket).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(Sentinel)
}

#[test]
fn the_supervisor_hears_that_it_is_ready_and_that_it_ends() -> io::Result<()> {
    let folder = std::env::temp_dir().join(format!("tanist-supervised-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("notify");
    let socket = UnixDatagram::bind(&path)?;
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    let sentinel = start(&folder, &path, "systemd")?;
    let mut buf = [0; 200];
    let mut heard = || socket.recv(&mut buf).map(|n| String::from_utf8_lossy(&buf[..n]).into_owned());
    let ready = heard()?;
    assert!(ready.contains("READY=1"), "{ready}");
    let stop = Command::new("kill").arg(sentinel.0.id().to_string()).status()?;
    assert!(stop.success());
    assert_eq!(heard()?, "STOPPING=1\n");
    drop(sentinel);
    std::fs::remove_dir_all(&folder)
}
