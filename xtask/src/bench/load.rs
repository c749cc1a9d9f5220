//! The load: a few connections from one thread, each with a full pipeline always under way.
//!
//! Commands of a kind have one length, and so have their replies: a batch is a template in which only the
//! digits of the keys change, and replies are checked by comparing bytes. That keeps the load cheaper than
//! any server, so that the server stays busy.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ping,
    Set,
    Get,
}

/// A stream of commands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) kind: Kind,
    /// Connections.
    pub(crate) connections: usize,
    /// Commands per batch.
    pub(crate) pipeline: usize,
    /// Keys are drawn from so many.
    pub(crate) keys: u64,
    /// Bytes per value.
    pub(crate) value: usize,
}

/// Bytes per key, everywhere.
pub(crate) const KEY: usize = 16;

/// Connections with their buffers.
#[derive(Debug)]
pub(crate) struct Runner {
    load: Load,
    streams: Vec<TcpStream>,
    batch: Vec<u8>,
    /// Where the digits of each key begin in the batch.
    digits: Vec<usize>,
    expected: Vec<u8>,
    got: Vec<u8>,
    random: u64,
}

impl Runner {
    /// Connects.
    pub(crate) fn connect(addr: SocketAddr, load: Load) -> Result<Runner> {
        let mut streams = Vec::new();
        for _ in 0..load.connections {
            let stream = TcpStream::connect(addr)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            streams.push(stream);
        }
        let (batch, digits) = template(load);
        let expected = reply(load).repeat(load.pipeline);
        let got = vec![0; expected.len()];
        Ok(Runner { load, streams, batch, digits, expected, got, random: 0x9e37_79b9_7f4a_7c15 })
    }

    /// Commands with random keys for about `time`; returns how many were answered.
    pub(crate) fn run(&mut self, time: Duration) -> Result<u64> {
        for i in 0..self.streams.len() {
            self.send(i)?;
        }
        let end = Instant::now() + time;
        let mut done = 0;
        loop {
            let last = Instant::now() >= end;
            for i in 0..self.streams.len() {
                self.receive(i)?;
                done += self.load.pipeline as u64;
                if !last {
                    self.send(i)?;
                }
            }
            if last {
                return Ok(done);
            }
        }
    }

    /// Sets every key once.
    pub(crate) fn fill(addr: SocketAddr, keys: u64, value: usize) -> Result<()> {
        let load = Load { kind: Kind::Set, connections: 1, pipeline: 500, keys, value };
        let mut runner = Runner::connect(addr, load)?;
        let mut next = 0;
        while next < keys {
            for i in 0..runner.digits.len() {
                let at = runner.digits[i];
                write_key(&mut runner.batch[at..at + 12], next % keys);
                runner.fresh_value(at, next);
                next += 1;
            }
            runner.streams[0].write_all(&runner.batch)?;
            runner.receive(0)?;
        }
        Ok(())
    }

    fn send(&mut self, i: usize) -> Result<()> {
        if self.load.kind != Kind::Ping {
            for d in 0..self.digits.len() {
                // xorshift64*: cheap, and the same keys for every contender.
                self.random ^= self.random >> 12;
                self.random ^= self.random << 25;
                self.random ^= self.random >> 27;
                let key = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) % self.load.keys;
                let at = self.digits[d];
                write_key(&mut self.batch[at..at + 12], key);
            }
        }
        Ok(self.streams[i].write_all(&self.batch)?)
    }

    fn receive(&mut self, i: usize) -> Result<()> {
        self.streams[i].read_exact(&mut self.got)?;
        let same = match self.load.kind {
            // Values differ: each reply's head is enough.
            Kind::Get => self.got[..5] == self.expected[..5],
            _ => self.got == self.expected,
        };
        if !same {
            let text = String::from_utf8_lossy(&self.got[..self.got.len().min(80)]).into_owned();
            bail!("unexpected reply to {:?}: {text:?}", self.load.kind);
        }
        Ok(())
    }

    /// Values that do not compress, so that no snapshot gets smaller than the data.
    fn fresh_value(&mut self, key_at: usize, seed: u64) {
        let head = format!("\r\n${}\r\n", self.load.value).len();
        let at = key_at + 12 + head;
        let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for byte in &mut self.batch[at..at + self.load.value] {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            *byte = b' ' + 1 + (x >> 32) as u8 % 94;
        }
    }
}

/// A batch, and the places of its keys' digits.
fn template(load: Load) -> (Vec<u8>, Vec<usize>) {
    let mut batch = Vec::new();
    let mut digits = Vec::new();
    for _ in 0..load.pipeline {
        match load.kind {
            Kind::Ping => batch.extend_from_slice(b"*1\r\n$4\r\nPING\r\n"),
            Kind::Get => batch.extend_from_slice(b"*2\r\n$3\r\nGET\r\n$16\r\nkey:"),
            Kind::Set => batch.extend_from_slice(b"*3\r\n$3\r\nSET\r\n$16\r\nkey:"),
        }
        if load.kind == Kind::Ping {
            continue;
        }
        digits.push(batch.len());
        batch.extend_from_slice(b"000000000000\r\n");
        if load.kind == Kind::Set {
            batch.extend_from_slice(format!("${}\r\n", load.value).as_bytes());
            batch.extend(std::iter::repeat_n(b'v', load.value));
            batch.extend_from_slice(b"\r\n");
        }
    }
    (batch, digits)
}

fn reply(load: Load) -> Vec<u8> {
    match load.kind {
        Kind::Ping => b"+PONG\r\n".to_vec(),
        Kind::Set => b"+OK\r\n".to_vec(),
        Kind::Get => {
            let mut out = format!("${}\r\n", load.value).into_bytes();
            out.extend(std::iter::repeat_n(b'v', load.value));
            out.extend_from_slice(b"\r\n");
            out
        }
    }
}

fn write_key(place: &mut [u8], mut key: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (key % 10) as u8;
        key /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_well_formed() {
        let load = Load { kind: Kind::Set, connections: 1, pipeline: 2, keys: 10, value: 3 };
        let (mut batch, digits) = template(load);
        write_key(&mut batch[digits[1]..digits[1] + 12], 42);
        let one = "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000000\r\n$3\r\nvvv\r\n";
        let two = one.replace("000000000000", "000000000042");
        assert_eq!(String::from_utf8(batch).unwrap(), format!("{one}{two}"));
        assert_eq!("key:000000000042".len(), KEY);
    }
}
