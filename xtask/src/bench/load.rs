//! The load: a few connections from one thread, each with a full pipeline always under way.
//!
//! Commands of a form have one length: a batch is a template in which only digits change, and replies are checked by
//! comparing bytes or counting lines. That keeps the load cheaper than
//! any server, so that the server stays busy.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A command of the load, and what comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// How often the words are repeated behind the name, as in `MSET`.
    pub(crate) times: usize,
    /// The name of the command and what comes once.
    pub(crate) head: &'static [&'static str],
    /// What comes `times` times.
    pub(crate) words: &'static [Word],
    /// The reply.
    pub(crate) reply: Reply,
}

/// A word of a command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    /// These bytes.
    Bytes(&'static [u8]),
    /// This text before twelve digits, drawn anew for every command.
    Random(&'static str),
    /// A value of the load's length.
    Value,
    /// A rank, drawn anew for every command among those below the number of keys that have as many digits as the last.
    Rank,
    /// The rank before, once more.
    SameRank,
}

/// What a command is answered with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    /// These bytes.
    Same(&'static str),
    /// A bulk string of the load's length, whose content is not looked at.
    Value,
    /// So many lines, the first of which is no error.
    Lines(usize),
}

const KEYED: Word = Word::Random("key:");

const fn form(head: &'static [&'static str], words: &'static [Word], reply: Reply) -> Form {
    Form { times: 1, head, words, reply }
}

/// The answer of what cannot fail.
const OK: Reply = Reply::Same("+OK\r\n");

pub(crate) static PING: Form = form(&["PING"], &[], Reply::Same("+PONG\r\n"));
pub(crate) static SET: Form = form(&["SET"], &[KEYED, Word::Value], OK);
pub(crate) static GET: Form = form(&["GET"], &[KEYED], Reply::Value);
pub(crate) static INCR: Form = form(&["INCR"], &[KEYED], Reply::Lines(1));
pub(crate) static MSET: Form = Form { times: 10, head: &["MSET"], words: &[KEYED, Word::Value], reply: OK };
pub(crate) static HSET: Form = form(&["HSET", "hash"], &[KEYED, Word::Value], Reply::Lines(1));
pub(crate) static SADD: Form = form(&["SADD", "set"], &[KEYED], Reply::Lines(1));
pub(crate) static ZADD: Form = form(&["ZADD", "sorted"], &[Word::Random(""), KEYED], Reply::Lines(1));
pub(crate) static ZRANK: Form = form(&["ZRANK", "sorted"], &[KEYED], Reply::Lines(1));
pub(crate) static ZRANGE: Form = form(&["ZRANGE", "sorted"], &[Word::Rank, Word::SameRank], Reply::Lines(3));
pub(crate) static LPUSH: Form = form(&["LPUSH", "list"], &[Word::Value], Reply::Lines(1));
pub(crate) static LRANGE: Form = form(&["LRANGE", "list", "0", "99"], &[], Reply::Lines(201));
pub(crate) static EVALSHA: Form = form(&["EVALSHA", SCRIPT_SHA, "1"], &[KEYED], Reply::Lines(1));

/// The script of [`EVALSHA`].
pub(crate) const SCRIPT: &str = "return redis.call('INCR', KEYS[1])";
const SCRIPT_SHA: &str = "61636018f4e6b5817b89791bbed242f93fa089e3";

/// A stream of commands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) form: &'static Form,
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

/// Digits of a number.
const DIGITS: usize = 12;

/// Connections with their buffers.
#[derive(Debug)]
pub(crate) struct Runner {
    load: Load,
    streams: Vec<TcpStream>,
    batch: Batch,
    /// What comes back, if it is known to the byte.
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
        let batch = Batch::new(load);
        let expected = expected(load).repeat(load.pipeline);
        let got = vec![0; expected.len().max(64 * 1024)];
        Ok(Runner { load, streams, batch, expected, got, random: 0x9e37_79b9_7f4a_7c15 })
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

    /// Sends the command once for each number below `keys`.
    pub(crate) fn fill(addr: SocketAddr, form: &'static Form, keys: u64, value: usize) -> Result<()> {
        let load = Load { form, connections: 1, pipeline: 500, keys, value };
        let mut runner = Runner::connect(addr, load)?;
        let mut next = 0;
        while next < keys {
            runner.batch.number(|command| (next + command as u64) % keys);
            runner.batch.fresh_values(next);
            next += load.pipeline as u64;
            runner.streams[0].write_all(&runner.batch.bytes)?;
            runner.receive(0)?;
        }
        Ok(())
    }

    fn send(&mut self, i: usize) -> Result<()> {
        let (random, keys) = (&mut self.random, self.load.keys);
        self.batch.number(|_| {
            // xorshift64*: cheap, and the same keys for every contender.
            *random ^= *random >> 12;
            *random ^= *random << 25;
            *random ^= *random >> 27;
            random.wrapping_mul(0x2545_f491_4f6c_dd1d) % keys
        });
        Ok(self.streams[i].write_all(&self.batch.bytes)?)
    }

    fn receive(&mut self, i: usize) -> Result<()> {
        let looked_at = match self.load.form.reply {
            Reply::Lines(lines) => {
                return read_lines(&mut self.streams[i], &mut self.got, lines * self.load.pipeline)
                    .with_context(|| format!("in reply to {}", self.load.form.head[0]));
            }
            // Values differ: each batch's head is enough.
            Reply::Value => 5,
            Reply::Same(_) => self.expected.len(),
        };
        let got = &mut self.got[..self.expected.len()];
        self.streams[i].read_exact(got)?;
        if got[..looked_at] != self.expected[..looked_at] {
            let text = String::from_utf8_lossy(&got[..got.len().min(80)]).into_owned();
            bail!("unexpected reply to {}: {text:?}", self.load.form.head[0]);
        }
        Ok(())
    }
}

/// Reads so many lines of replies, of which the first is no error, through `buffer`.
pub(crate) fn read_lines(stream: &mut TcpStream, buffer: &mut [u8], mut lines: usize) -> Result<()> {
    let mut begun = false;
    while lines > 0 {
        let len = stream.read(buffer)?;
        if len == 0 {
            bail!("the server closed the connection");
        }
        if !begun && buffer[0] == b'-' {
            bail!("unexpected reply: {:?}", String::from_utf8_lossy(&buffer[..len.min(80)]));
        }
        begun = true;
        let read = buffer[..len].iter().filter(|&&byte| byte == b'\n').count();
        lines = lines.checked_sub(read).context("more lines than commands ask for")?;
    }
    Ok(())
}

/// Where a number of a batch stands.
#[derive(Debug)]
struct Digits {
    command: usize,
    at: usize,
    len: usize,
    /// What is added to a number below it, so that the first digit is not zero.
    least: u64,
    /// It is that of the place before.
    same: bool,
}

/// Commands of one form, of which only digits and values change.
#[derive(Debug)]
struct Batch {
    bytes: Vec<u8>,
    digits: Vec<Digits>,
    /// Where values begin.
    values: Vec<usize>,
    value: usize,
}

impl Batch {
    fn new(load: Load) -> Batch {
        let mut batch =
            Batch { bytes: Vec::new(), digits: Vec::new(), values: Vec::new(), value: load.value };
        let form = load.form;
        for command in 0..load.pipeline {
            let words = form.head.len() + form.times * form.words.len();
            batch.bytes.extend_from_slice(format!("*{words}\r\n").as_bytes());
            for text in form.head {
                batch.word(text.len(), |bytes| bytes.extend_from_slice(text.as_bytes()));
            }
            for word in form.words.iter().cycle().take(form.times * form.words.len()) {
                match word {
                    Word::Bytes(text) => {
                        batch.word(text.len(), |bytes| bytes.extend_from_slice(text));
                    }
                    Word::Value => {
                        let at = batch.word(load.value, |bytes| bytes.resize(bytes.len() + load.value, b'v'));
                        batch.values.push(at);
                    }
                    Word::Random(text) => {
                        let at = batch.word(text.len() + DIGITS, |bytes| {
                            bytes.extend_from_slice(text.as_bytes());
                            bytes.resize(bytes.len() + DIGITS, b'0');
                        });
                        let at = at + text.len();
                        batch.digits.push(Digits { command, at, len: DIGITS, least: 0, same: false });
                    }
                    Word::Rank | Word::SameRank => {
                        let len = (load.keys - 1).to_string().len();
                        let at = batch.word(len, |bytes| bytes.resize(bytes.len() + len, b'0'));
                        let least = 10u64.pow(len as u32 - 1);
                        let same = matches!(word, Word::SameRank);
                        batch.digits.push(Digits { command, at, len, least, same });
                    }
                }
            }
        }
        batch
    }

    /// Adds a word of `len` bytes; where it begins.
    fn word(&mut self, len: usize, put: impl FnOnce(&mut Vec<u8>)) -> usize {
        self.bytes.extend_from_slice(format!("${len}\r\n").as_bytes());
        let at = self.bytes.len();
        put(&mut self.bytes);
        self.bytes.extend_from_slice(b"\r\n");
        at
    }

    /// Writes every number, given by `of` the number of its command.
    fn number(&mut self, mut of: impl FnMut(usize) -> u64) {
        let mut number = 0;
        for place in &self.digits {
            if !place.same {
                number = of(place.command);
                number += if number < place.least { place.least } else { 0 };
            }
            write_digits(&mut self.bytes[place.at..place.at + place.len], number);
        }
    }

    /// Values that do not compress, so that no snapshot gets smaller than the data.
    fn fresh_values(&mut self, seed: u64) {
        for (number, &at) in self.values.iter().enumerate() {
            let mut x = (seed + number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            for byte in &mut self.bytes[at..at + self.value] {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                *byte = b' ' + 1 + (x >> 32) as u8 % 94;
            }
        }
    }
}

fn expected(load: Load) -> Vec<u8> {
    match load.form.reply {
        Reply::Same(text) => text.into(),
        Reply::Value => format!("${}\r\n{}\r\n", load.value, "v".repeat(load.value)).into_bytes(),
        Reply::Lines(_) => Vec::new(),
    }
}

fn write_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_well_formed() {
        let load = Load { form: &MSET, connections: 1, pipeline: 2, keys: 10, value: 3 };
        let mut batch = Batch::new(load);
        batch.number(|command| 42 + command as u64);
        let pair = "$16\r\nkey:000000000042\r\n$3\r\nvvv\r\n".repeat(10);
        let one = format!("*21\r\n$4\r\nMSET\r\n{pair}");
        let two = one.replace("0042", "0043");
        assert_eq!(String::from_utf8(batch.bytes).unwrap(), format!("{one}{two}"));
        assert_eq!("key:000000000042".len(), KEY);
    }

    #[test]
    fn ranks_have_the_digits_of_the_last() {
        let load = Load { form: &ZRANGE, connections: 1, pipeline: 2, keys: 1_000, value: 0 };
        let mut batch = Batch::new(load);
        batch.number(|command| if command == 0 { 7 } else { 999 });
        let one = |rank| format!("*4\r\n$6\r\nZRANGE\r\n$6\r\nsorted\r\n$3\r\n{rank}\r\n$3\r\n{rank}\r\n");
        assert_eq!(String::from_utf8(batch.bytes).unwrap(), one(107) + &one(999));
    }
}
