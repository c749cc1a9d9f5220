//! What a GET waits for at worst while the server has much to do at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

use super::load::{self, Runner};
use super::machine;
use super::probe::{Probe, Prober};
use super::server::Server;
use super::{Contender, Sample, Setting};

/// How long after an order its consequences are watched.
const AFTER: Duration = Duration::from_secs(4);

pub(super) fn stalls(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let many = if setting.quick { 500_000 } else { 10_000_000 };
    let mut out = Vec::new();
    let mut note = |row: &str, worst: Duration| {
        out.push(Sample { row: format!("stall-{row}"), value: worst.as_secs_f64() * 1e3 });
    };
    let server = Server::start(setting, who, 0, &[])?;
    // What other processes and the kernel's housekeeping do on the server's core is not the server's.
    machine::prefer_process(server.pid());
    let prober = Prober::start(server.addr, Probe::Get)?;
    Runner::fill(server.addr, &load::SET, many, 8)?;
    note("grow", prober.take_worst());
    order(&server, "FLUSHALL ASYNC")?;
    sleep(AFTER);
    note("flush", prober.take_worst());
    Runner::fill(server.addr, &load::SADD, many, 0)?;
    prober.take_worst();
    order(&server, "UNLINK set")?;
    sleep(AFTER);
    note("unlink", prober.take_worst());
    let at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() + AFTER.as_millis() * 2;
    expiring(&server, many / 10, at)?;
    let left = at.saturating_sub(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis());
    if left == 0 {
        bail!("the keys expired before all were there");
    }
    prober.take_worst();
    sleep(Duration::from_millis(u64::try_from(left)?) + AFTER);
    note("expire", prober.finish()?);
    Ok(out)
}

fn order(server: &Server, command: &str) -> Result<()> {
    let answer = server.ask(command)?;
    if answer.starts_with('-') {
        bail!("{command} was answered {answer:?}");
    }
    Ok(())
}

/// Keys that expire at the same moment.
fn expiring(server: &Server, keys: u64, at: u128) -> Result<()> {
    let mut stream = TcpStream::connect(server.addr)?;
    let at = at.to_string();
    let mut replies = vec![0; 5 * 500];
    for from in (0..keys).step_by(500) {
        let batch: String = (from..from + 500)
            .map(|key| {
                format!(
                    "*5\r\n$3\r\nSET\r\n$16\r\nkey:{key:012}\r\n$1\r\nv\r\n$4\r\nPXAT\r\n${}\r\n{at}\r\n",
                    at.len()
                )
            })
            .collect();
        stream.write_all(batch.as_bytes())?;
        stream.read_exact(&mut replies)?;
        if !replies.starts_with(b"+OK\r\n") {
            bail!("unexpected reply: {:?}", String::from_utf8_lossy(&replies[..80]));
        }
    }
    Ok(())
}
