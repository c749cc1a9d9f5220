//! What a GET waits for at worst while the server has much to do at once.

use std::io::Write;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use tanist_resp::encode_command;

use super::load::{self, Runner, read_lines};
use super::machine;
use super::probe::{Probe, Prober, Worst};
use super::server::Server;
use super::witness::Witness;
use super::{Contender, Sample, Setting};

/// How long after an order its consequences are watched.
const AFTER: Duration = Duration::from_secs(4);

pub(super) fn stalls(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let many = if setting.quick { 500_000 } else { 10_000_000 };
    let mut out = Vec::new();
    let mut note = |row: &str, worst: Worst| {
        out.push(Sample { row: format!("stall-{row}"), value: worst.own.as_secs_f64() * 1e3 });
        out.push(Sample { row: format!("stall-{row}-seen"), value: worst.seen.as_secs_f64() * 1e3 });
    };
    let server = Server::start(setting, who, 0, &[])?;
    let prober = Prober::start(server.addr, Probe::Get, Witness::start(server.pid())?)?;
    machine::answers_alone(server.pid());
    prober.take_worst();
    // What the machine does to a server that has nothing to do.
    sleep(AFTER);
    note("calm", prober.take_worst());
    Runner::fill(server.addr, &load::SET, many, 8)?;
    note("grow", prober.take_worst());
    // A thread that came meanwhile runs where the one does that has started it.
    machine::answers_alone(server.pid());
    prober.take_worst();
    order(&server, "FLUSHALL ASYNC")?;
    sleep(AFTER);
    note("flush", prober.take_worst());
    Runner::fill(server.addr, &load::SADD, many, 0)?;
    prober.take_worst();
    order(&server, "UNLINK set")?;
    sleep(AFTER);
    note("unlink", prober.take_worst());
    let left = expiring_soon(&server, many / 10)?;
    prober.take_worst();
    sleep(left + AFTER);
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

/// Keys that expire at the same moment, and how long that is after all of them are there. How much time a server needs
/// for them is found out.
fn expiring_soon(server: &Server, keys: u64) -> Result<Duration> {
    for patience in [AFTER * 2, AFTER * 8] {
        let at = SystemTime::now().duration_since(UNIX_EPOCH)? + patience;
        expiring(server, keys, at.as_millis())?;
        if let Some(left) = at.checked_sub(SystemTime::now().duration_since(UNIX_EPOCH)?)
            && left > Duration::from_millis(100)
        {
            return Ok(left);
        }
    }
    bail!("the keys expired before all were there")
}

/// Keys that expire at this moment, in milliseconds.
fn expiring(server: &Server, keys: u64, at: u128) -> Result<()> {
    let mut stream = TcpStream::connect(server.addr)?;
    let at = at.to_string();
    let mut buffer = [0; 4096];
    for from in (0..keys).step_by(500) {
        let mut batch = Vec::new();
        for key in from..from + 500 {
            let key = format!("key:{key:012}");
            encode_command(&mut batch, &[b"SET", key.as_bytes(), b"v", b"PXAT", at.as_bytes()]);
        }
        stream.write_all(&batch)?;
        read_lines(&mut stream, &mut buffer, 500)?;
    }
    Ok(())
}
