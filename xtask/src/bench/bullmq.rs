//! The script with which BullMQ adds a job, as its package ships it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::load::{Form, Load, Reply, Runner, Word};
use super::server::Server;
use super::{Contender, Sample, Setting, cpu};
use crate::shell::{output, root, target_dir};

/// Where the package has the script.
const SCRIPT: &str = "node_modules/bullmq/dist/cjs/scripts/addStandardJob-9.js";

/// Its keys in their order, behind the prefix of the queue.
const KEYS: [&str; 9] = [
    "bull:mail:wait",
    "bull:mail:paused",
    "bull:mail:meta",
    "bull:mail:id",
    "bull:mail:completed",
    "bull:mail:delayed",
    "bull:mail:active",
    "bull:mail:events",
    "bull:mail:marker",
];

/// The data of a job.
const DATA: &[u8] = br#"{"to":"someone@example.org","template":"welcome","attempt":1}"#;

/// Jobs of one queue, added one after the other as `queue.add` does it.
pub(super) fn add_job(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let server = Server::start(setting, who, 0, &[])?;
    let sha = load_script(&server, &script()?)?;
    let leak = |text: String| -> &'static str { text.leak() };
    let head: Vec<&'static str> = ["EVALSHA", leak(sha), "9"].into_iter().chain(KEYS).collect();
    let words = vec![Word::Bytes(arguments().leak()), Word::Bytes(DATA), Word::Bytes(options().leak())];
    // The reply is the number of the job, a string.
    let form: &'static Form = Box::leak(Box::new(Form {
        times: 1,
        head: head.leak(),
        words: words.leak(),
        reply: Reply::Lines(2),
    }));
    // What queues have said of themselves: how many events are kept.
    server.ask("HSET bull:mail:meta opts.maxLenEvents 10000")?;
    Runner::fill(server.addr, form, 20_000, 0)?;
    let load = Load { form, connections: setting.connections, pipeline: 100, keys: 1, value: 0 };
    let us = cpu::per_command(setting, &[&server], load)?[0];
    Ok(vec![Sample { row: "addjob".into(), value: us }])
}

/// The text of the script, from the package in the version that the compatibility tests name.
fn script() -> Result<String> {
    let room = target_dir().join("compat-clients");
    let path = room.join(SCRIPT);
    if !path.exists() {
        install(&room)?;
    }
    let text = fs::read_to_string(&path).with_context(|| format!("no script at {}", path.display()))?;
    let literal = text.split_once("const content = `").and_then(|(_, rest)| rest.split_once("`;"));
    let (content, _) = literal.with_context(|| format!("no script in {}", path.display()))?;
    if content.contains(['\\', '$']) {
        bail!("{}: the script has escapes, which are not understood", path.display());
    }
    Ok(content.to_owned())
}

fn install(room: &Path) -> Result<()> {
    fs::create_dir_all(room)?;
    fs::copy(root().join("tests/compat/clients/package.json"), room.join("package.json"))?;
    output(Command::new("npm").args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(room))
        .context("BullMQ's script is in its package, which npm fetches")?;
    Ok(())
}

/// `SCRIPT LOAD`; the name that the server gives the script.
fn load_script(server: &Server, script: &str) -> Result<String> {
    let mut stream = TcpStream::connect(server.addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let len = script.len();
    stream.write_all(format!("*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n${len}\r\n{script}\r\n").as_bytes())?;
    let mut reply = [0; 47];
    stream.read_exact(&mut reply)?;
    let reply = String::from_utf8_lossy(&reply).into_owned();
    let sha = reply.strip_prefix("$40\r\n").with_context(|| format!("SCRIPT LOAD answered {reply:?}"))?;
    Ok(sha.trim_end().to_owned())
}

/// What the client packs: prefix, an identifier of its own, name, time, and what jobs of flows have.
fn arguments() -> Vec<u8> {
    let mut packed = vec![0x9a];
    for text in ["bull:mail:", "", "welcome"] {
        put_text(&mut packed, text);
    }
    packed.push(0xcf);
    packed.extend(1_700_000_000_000_u64.to_be_bytes());
    packed.extend([0xc0; 6]);
    packed
}

/// The options of a job: `{attempts: 3, backoff: {type: "exponential", delay: 1000}}`, in the client's short names.
fn options() -> Vec<u8> {
    let mut packed = vec![0x82];
    put_text(&mut packed, "attempts");
    packed.push(3);
    put_text(&mut packed, "backoff");
    packed.push(0x82);
    put_text(&mut packed, "type");
    put_text(&mut packed, "exponential");
    put_text(&mut packed, "delay");
    packed.extend([0xcd, 0x03, 0xe8]);
    packed
}

/// A short string, as MessagePack has it.
fn put_text(packed: &mut Vec<u8>, text: &str) {
    debug_assert!(text.len() < 32);
    packed.push(0xa0 | text.len() as u8);
    packed.extend_from_slice(text.as_bytes());
}
