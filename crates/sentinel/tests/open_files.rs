//! What a sentinel asks of the system for its connections: open files, of which each is one, and a shell's soft limit is
//! often lower than `maxclients`; and probes of who is silent.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, io};

struct Sentinel(Child);

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder with a sentinel's file in it, which has one line beside the port.
fn configured(name: &str, line: &str) -> io::Result<(PathBuf, PathBuf, u16)> {
    let folder = std::env::temp_dir().join(format!("tanist-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let file = folder.join("sentinel.conf");
    fs::write(&file, format!("port {port}\nbind 127.0.0.1\n{line}\n"))?;
    Ok((folder, file, port))
}

/// Connects to a process that may still be starting, and asks for a sign of life.
fn ping(port: u16) -> io::Result<TcpStream> {
    let mut tries = 0;
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(e) if tries == 600 => return Err(e),
            Err(_) => tries += 1,
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(b"PING\r\n")?;
    let mut reply = [0; 7];
    stream.read_exact(&mut reply)?;
    assert_eq!(&reply, b"+PONG\r\n");
    Ok(stream)
}

/// Until the next probe of the accepted connections on this port, in hundredths of a second, as the kernel tells it.
fn next_probes(port: u16) -> io::Result<Vec<u64>> {
    let table = fs::read_to_string("/proc/net/tcp")?;
    let ours = format!(":{port:04X}");
    let fields = table.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let accepted = fields.filter(|f| f.len() > 5 && f[1].ends_with(&ours) && f[3] == "01");
    // Timer 2 is the one of keep-alive.
    Ok(accepted.filter_map(|f| u64::from_str_radix(f[5].strip_prefix("02:")?, 16).ok()).collect())
}

#[test]
fn who_is_silent_is_probed_as_often_as_it_is_said() -> io::Result<()> {
    let (folder, file, port) = configured("keep-alive", "tcp-keepalive 40")?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanist-sentinel"));
    let sentinel = Sentinel(command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    let client = ping(port)?;
    // What was answered is acknowledged within moments; until then another timer runs.
    let mut probes = Vec::new();
    for _ in 0..600 {
        probes = next_probes(port)?;
        if !probes.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(matches!(probes[..], [soon] if soon <= 4000), "{probes:?}");
    drop((client, sentinel));
    fs::remove_dir_all(&folder)
}

#[test]
fn a_soft_limit_below_maxclients_is_raised() -> io::Result<()> {
    let (folder, file, port) = configured("open-files", "maxclients 100")?;
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -Sn 40 && exec \"$0\" \"$1\"", env!("CARGO_BIN_EXE_tanist-sentinel")]);
    command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
    let sentinel = Sentinel(command.spawn()?);
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(ping(port)?);
    }
    drop(sentinel);
    fs::remove_dir_all(&folder)
}
