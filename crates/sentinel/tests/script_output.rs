//! Users' scripts as processes.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

struct Sentinel(Child);

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_a_script_prints_is_to_be_read_beside_the_log() -> io::Result<()> {
    let folder = std::env::temp_dir().join(format!("tanist-script-output-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let script = folder.join("notify");
    fs::write(&script, "#!/bin/sh\necho \"heard $1\"\n")?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    let port = || TcpListener::bind("127.0.0.1:0")?.local_addr().map(|a| a.port());
    let (own, watched) = (port()?, port()?);
    let file = folder.join("sentinel.conf");
    let group = format!("sentinel monitor m 127.0.0.1 {watched} 1\n");
    let down = "sentinel down-after-milliseconds m 1\n";
    let notify = format!("sentinel notification-script m {}\n", script.display());
    fs::write(&file, format!("port {own}\nbind 127.0.0.1\n{group}{down}{notify}"))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanist-sentinel"));
    command.arg(&file).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut sentinel = Sentinel(command.spawn()?);
    let output = sentinel.0.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    // The log goes there too, and goes on: of a primary that never answers there is always something to say.
    let mut lines = BufReader::new(output).lines().take(30);
    assert!(lines.any(|line| line.is_ok_and(|line| line == "heard +monitor")));
    // It writes its configuration whenever a message comes in, so the folder is gone for good only after it.
    drop(sentinel);
    fs::remove_dir_all(&folder)
}
