//! The program as a process of its own, which is found by its process number: whoever else listens where it was to listen
//! is not taken for it.

#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tanist-sentinel");

/// A running sentinel; it ends with the value, and its folder goes.
pub(crate) struct Sentinel {
    pub(crate) child: Child,
    pub(crate) port: u16,
    folder: PathBuf,
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Sentinel {
    /// Starts one whose file has `lines` beside its port, by the command that `command` makes of the program's arguments.
    pub(crate) fn start(name: &str, lines: &str, command: impl Fn() -> Command) -> io::Result<Sentinel> {
        let folder = std::env::temp_dir().join(format!("tanist-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let file = folder.join("sentinel.conf");
        std::fs::write(&file, format!("port {port}\nbind 127.0.0.1\n{lines}\n"))?;
        let child = command().arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Sentinel { child, port, folder })
    }

    /// Starts one and waits until it answers; on another port if somebody else was faster on the first.
    pub(crate) fn answering(name: &str, lines: &str, command: impl Fn() -> Command) -> io::Result<Sentinel> {
        loop {
            let mut sentinel = Sentinel::start(name, lines, &command)?;
            while sentinel.child.try_wait()?.is_none() {
                if sentinel.info("process_id").is_ok_and(|pid| pid == sentinel.child.id().to_string()) {
                    return Ok(sentinel);
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// A connection that has been answered.
    pub(crate) fn ping(&self) -> io::Result<TcpStream> {
        let mut stream = self.connect()?;
        stream.write_all(b"PING\r\n")?;
        let mut reply = [0; 7];
        stream.read_exact(&mut reply)?;
        assert_eq!(&reply, b"+PONG\r\n");
        Ok(stream)
    }

    /// A field of its INFO.
    pub(crate) fn info(&self, field: &str) -> io::Result<String> {
        let mut stream = self.connect()?;
        stream.write_all(b"INFO\r\nQUIT\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        value.map(str::to_owned).ok_or_else(|| io::Error::other(text.clone()))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) -> io::Result<()> {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("no signal {name}"))) }
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(stream)
    }
}
