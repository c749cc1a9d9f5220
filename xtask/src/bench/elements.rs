//! Resident memory per element: a million in all, in collections of ten, a thousand or a million, and small strings.

use std::io::Write;
use std::net::TcpStream;

use anyhow::Result;
use tanist_resp::encode_command;

use super::load::read_lines;
use super::memory::settled;
use super::server::Server;
use super::{Contender, Sample, Setting};

/// Names of fields and members, and values of fields.
const NAME: usize = 16;

/// Elements of every kind that are added and flushed before the empty server is measured.
const WARM: u64 = 1000;

/// The command that adds element `i` to the collection `key`.
type Add = fn(key: &str, i: u64) -> Vec<String>;

const TYPES: [(&str, Add); 5] = [
    ("hash", |key, i| words(&["HSET", key, &name(i), &name(i ^ 0x5555)])),
    ("set", |key, i| words(&["SADD", key, &name(i)])),
    ("zset", |key, i| words(&["ZADD", key, &format!("{}.5", i % 10_000), &name(i)])),
    ("list", |key, i| words(&["RPUSH", key, &name(i)])),
    ("stream", |key, i| words(&["XADD", key, &format!("1700000000000-{}", i + 1), "field", &name(i)])),
];

const STRINGS: [(&str, Add); 2] = [
    ("plain", |key, i| words(&["SET", key, &format!("{i:08}")])),
    ("expiring", |key, i| words(&["SET", key, &format!("{i:08}"), "EX", "86400"])),
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Sixteen bytes that are no number, in no order.
fn name(i: u64) -> String {
    format!("{:0NAME$x}", (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

pub(super) fn elements(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let total: u64 = if setting.quick { 100_000 } else { 1_000_000 };
    let mut out = Vec::new();
    for (kind, add) in STRINGS {
        out.push(Sample { row: format!("strings-{kind}"), value: measure(setting, who, total, 1, add)? });
    }
    for (kind, add) in TYPES {
        for size in [10, 1000, 1_000_000] {
            let value = measure(setting, who, total, size, add)?;
            out.push(Sample { row: format!("elements-{kind}-{size}"), value });
        }
    }
    Ok(out)
}

/// Bytes per element, of `total` in collections of `size`.
fn measure(setting: &Setting, who: &Contender, total: u64, size: u64, add: Add) -> Result<f64> {
    let server = Server::start(setting, who, 0, &[])?;
    let mut stream = TcpStream::connect(server.addr)?;
    // The first commands bring in code and buffers that no element takes, a fifth of a byte for each of a million.
    fill(&mut stream, WARM, size, add)?;
    stream.write_all(b"FLUSHALL\r\n")?;
    read_lines(&mut stream, &mut [0; 64], 1)?;
    let empty = settled(&server)?;
    fill(&mut stream, total, size, add)?;
    let full = settled(&server)?;
    Ok(full.saturating_sub(empty) as f64 / total as f64)
}

/// Adds elements from the first on.
fn fill(stream: &mut TcpStream, total: u64, size: u64, add: Add) -> Result<()> {
    let mut batch = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut waiting = 0;
    for i in 0..total {
        let command = add(&format!("{:012}", i / size), i);
        // Only XADD answers in two lines.
        waiting += if command[0] == "XADD" { 2 } else { 1 };
        encode_command(&mut batch, &command.iter().map(String::as_bytes).collect::<Vec<_>>());
        if batch.len() > 32 * 1024 || i + 1 == total {
            stream.write_all(&batch)?;
            read_lines(stream, &mut buffer, waiting)?;
            batch.clear();
            waiting = 0;
        }
    }
    Ok(())
}
