//! One server process under test: started with little, measured from `/proc`, killed in the end.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::machine;
use super::{Contender, Setting};
use crate::shell::output;

/// A running server; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    dir: PathBuf,
    /// Where it listens.
    pub(crate) addr: SocketAddr,
}

/// `redis 7.0.15`, from `--version`.
pub(crate) fn version(path: &Path) -> Result<String> {
    let text = output(Command::new(path).arg("--version"))?;
    let file = path.file_name().and_then(|f| f.to_str()).unwrap_or_default();
    let name = file.trim_end_matches("-server");
    let number = text.split_whitespace().find_map(|w| w.strip_prefix("v="));
    let number = number.or_else(|| text.split_whitespace().last()).unwrap_or_default();
    Ok(format!("{name} {number}"))
}

impl Server {
    /// Starts it on the server's core with the given extra arguments, and waits until it answers.
    pub(crate) fn start(setting: &Setting, who: &Contender, slot: u16, extra: &[&str]) -> Result<Server> {
        let core = if slot == 0 { machine::SERVER_CORE } else { machine::LOAD_CORE };
        Server::start_on(setting, who, slot, core, extra)
    }

    /// The same, on cores of choice.
    pub(crate) fn start_on(
        setting: &Setting,
        who: &Contender,
        slot: u16,
        cores: &str,
        extra: &[&str],
    ) -> Result<Server> {
        let port = setting.port + slot;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpStream::connect(addr).is_ok() {
            bail!("port {port} is in use; choose another with --port");
        }
        let dir = setting.scratch.join(format!("server-{port}"));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        let log = File::create(dir.join("log"))?;
        let mut command = if machine::cores() > 1 {
            let mut pinned = Command::new("taskset");
            pinned.args(["-c", cores]).arg(&who.server);
            pinned
        } else {
            Command::new(&who.server)
        };
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(&dir);
        command.args(["--repl-diskless-sync-delay", "0"]).args(extra);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().context("cannot start the server")?;
        let mut server = Server { child, dir, addr };
        server.wait_ready()?;
        Ok(server)
    }

    fn wait_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
                bail!("the server ended with {status}:\n{log}");
            }
            if self.ask("PING").is_ok_and(|r| r.starts_with("+PONG")) {
                return Ok(());
            }
            sleep(Duration::from_millis(20));
        }
        bail!("the server does not answer within 20 s")
    }

    /// One inline command on a connection of its own; the first bytes of the reply, for short replies.
    pub(crate) fn ask(&self, command: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.addr)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut buffer = vec![0; 16 * 1024];
        let n = stream.read(&mut buffer)?;
        Ok(String::from_utf8_lossy(&buffer[..n]).into_owned())
    }

    /// A field of `INFO <section>`.
    pub(crate) fn info(&self, section: &str, field: &str) -> Result<String> {
        let text = self.ask(&format!("INFO {section}"))?;
        let line = text.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':'));
        Ok(line.with_context(|| format!("INFO {section} has no {field}"))?.to_owned())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of all its threads so far.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.pid()))? {
            let stat = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            total += stat.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(total))
    }

    /// Resident memory in bytes.
    pub(crate) fn rss(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let kib = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let kib = kib.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
        Ok(kib.context("no VmRSS")? * 1024)
    }

    /// Memory of it and of its children, shared pages counted once, in bytes.
    pub(crate) fn family_memory(&self) -> Result<u64> {
        let own = self.pid();
        let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|p| p.parse::<u32>().ok());
        Ok(std::iter::once(own).chain(children).filter_map(pss).sum())
    }
}

fn pss(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let kib = text.lines().find_map(|l| l.strip_prefix("Pss:"))?;
    Some(kib.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? * 1024)
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
