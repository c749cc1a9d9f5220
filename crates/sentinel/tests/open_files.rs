//! The limit of open files: each connection is one, and a shell's soft limit is often lower than `maxclients`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
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

#[test]
fn a_soft_limit_below_maxclients_is_raised() -> io::Result<()> {
    let folder = std::env::temp_dir().join(format!("tanist-open-files-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let file = folder.join("sentinel.conf");
    fs::write(&file, format!("port {port}\nbind 127.0.0.1\nmaxclients 100\n"))?;
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
