//! A small blocking client: one connection, pipelining, every wait bounded.
//!
//! The command, the drills and the checkers speak to nodes and sentinels through it. It is deliberately
//! not a general client: no pool, no retry, no hidden reconnect, because a drill has to know exactly which
//! request met which end. Replies are decoded by `tanist-resp`, the same code the servers are tested with.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub use tanist_resp::Value;
use tanist_resp::{Decoder, encode_command};

/// One connection to a node or a sentinel.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    decoder: Decoder,
    out: Vec<u8>,
    chunk: Vec<u8>,
}

impl Client {
    /// Connects within `timeout`; the same bound then holds for every read and write.
    pub fn connect(addr: SocketAddr, timeout: Duration) -> io::Result<Client> {
        let stream = TcpStream::connect_timeout(&addr, timeout)?;
        // A port whose owner just died can be "answered" by the connecting socket itself.
        if stream.local_addr()? == addr {
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "connected to itself"));
        }
        stream.set_nodelay(true)?;
        let client = Client { stream, decoder: Decoder::new(), out: Vec::new(), chunk: vec![0; 64 * 1024] };
        client.set_timeout(Some(timeout))?;
        Ok(client)
    }

    /// Connects and authenticates when there is a password.
    pub fn login(addr: SocketAddr, timeout: Duration, password: Option<&str>) -> io::Result<Client> {
        let mut client = Client::connect(addr, timeout)?;
        if let Some(password) = password {
            match client.call(&["AUTH", password])? {
                Value::Error(e) => return Err(refusal(&e)),
                _ => return Ok(client),
            }
        }
        Ok(client)
    }

    /// Bounds every later read and write; `None` waits for ever.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.stream.set_read_timeout(timeout)?;
        self.stream.set_write_timeout(timeout)
    }

    /// A second handle on the socket, with which another thread can shut it down.
    pub fn handle(&self) -> io::Result<TcpStream> {
        self.stream.try_clone()
    }

    /// Queues one command; nothing is sent before [`Client::flush`].
    pub fn queue(&mut self, args: &[&[u8]]) {
        encode_command(&mut self.out, args);
    }

    /// Sends what is queued.
    pub fn flush(&mut self) -> io::Result<()> {
        let sent = self.stream.write_all(&self.out);
        self.out.clear();
        sent
    }

    /// The next reply or push message.
    pub fn read(&mut self) -> io::Result<Value> {
        loop {
            if let Some(value) = self.decoder.next().map_err(|e| io::Error::other(e.to_string()))? {
                return Ok(value);
            }
            let n = self.stream.read(&mut self.chunk)?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.decoder.feed(&self.chunk[..n]);
        }
    }

    /// Sends one command and waits for its reply. An error reply is a value, not an `Err`.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> io::Result<Value> {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        self.queue(&args);
        self.flush()?;
        self.read()
    }

    /// `INFO <section>` as fields.
    pub fn info(&mut self, section: &str) -> io::Result<BTreeMap<String, String>> {
        let reply = self.call(&["INFO", section])?;
        if let Value::Error(e) = &reply {
            return Err(refusal(e));
        }
        let text = text(&reply).unwrap_or_default();
        Ok(text.lines().filter_map(|l| l.split_once(':')).map(|(k, v)| (k.into(), v.into())).collect())
    }
}

/// An error reply as an `Err`: [`io::ErrorKind::PermissionDenied`] if it is the rights that are missing.
fn refusal(error: &[u8]) -> io::Error {
    let rights = [&b"NOAUTH"[..], b"NOPERM", b"WRONGPASS"].iter().any(|word| error.starts_with(word));
    let kind = if rights { io::ErrorKind::PermissionDenied } else { io::ErrorKind::Other };
    io::Error::new(kind, lossy(&error))
}

fn lossy(bytes: &impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}

/// The text of a simple, bulk or verbatim string, an error or an integer.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::Simple(s) => Some(lossy(s)),
        Value::Error(s) => Some(lossy(s)),
        Value::Bulk(s) => Some(lossy(s)),
        Value::Int(n) => Some(n.to_string()),
        _ => None,
    }
}

/// The parts of an array, a set or a push; nothing for anything else.
pub fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) | Value::Set(items) | Value::Push(items) => items,
        _ => &[],
    }
}

/// Field and value pairs of a map, or of a flat array that stands for one.
pub fn fields(value: &Value) -> BTreeMap<String, String> {
    match value {
        Value::Map(pairs) => pairs.iter().filter_map(|(k, v)| Some((text(k)?, text(v)?))).collect(),
        other => items(other).chunks_exact(2).filter_map(|kv| Some((text(&kv[0])?, text(&kv[1])?))).collect(),
    }
}
