//! A client: one command, one reply, with a time limit.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tanist_resp::{Decoder, Value, encode_command};

/// What went wrong, for the reader of the report.
pub(crate) type Failure = String;

/// A connection to a server.
pub(crate) struct Client {
    stream: TcpStream,
    decoder: Decoder,
}

impl Client {
    /// Connects to a port of this machine.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn connect(port: u16) -> Result<Client, Failure> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|e| format!("port {port}: {e}"))?;
        let limit = Some(Duration::from_secs(10));
        stream.set_read_timeout(limit).and_then(|()| stream.set_nodelay(true)).map_err(|e| e.to_string())?;
        Ok(Client { stream, decoder: Decoder::new() })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the connection is gone.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(bytes).map_err(|e| e.to_string())
    }

    /// The next reply.
    ///
    /// # Errors
    /// When none comes in time, or it is malformed.
    pub(crate) fn reply(&mut self) -> Result<Value, Failure> {
        let mut room = [0; 16 << 10];
        loop {
            if let Some(value) = self.decoder.next().map_err(|e| format!("{e:?}"))? {
                return Ok(value);
            }
            match self.stream.read(&mut room).map_err(|e| e.to_string())? {
                0 => return Err("the server closed the connection".into()),
                n => self.decoder.feed(&room[..n]),
            }
        }
    }

    /// One command given as arguments.
    ///
    /// # Errors
    /// As [`Client::reply`].
    pub(crate) fn call(&mut self, args: &[&[u8]]) -> Result<Value, Failure> {
        let mut bytes = Vec::new();
        encode_command(&mut bytes, args);
        self.send(&bytes)?;
        self.reply()
    }

    /// One command given as words; its reply as text.
    ///
    /// # Errors
    /// As [`Client::reply`].
    pub(crate) fn say(&mut self, line: &str) -> Result<String, Failure> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        self.call(&words).map(|value| text(&value))
    }

    /// A command that must succeed.
    ///
    /// # Errors
    /// As [`Client::reply`], and when the reply is an error.
    pub(crate) fn must(&mut self, line: &str) -> Result<String, Failure> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let reply = self.call(&words)?;
        if let Value::Error(_) = reply { Err(format!("{line}: {}", text(&reply))) } else { Ok(text(&reply)) }
    }
}

/// A reply as people read it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "(nil)".into(),
        Value::Int(n) => n.to_string(),
        Value::Error(text) => format!("-{}", String::from_utf8_lossy(text)),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => {
            other.as_bytes().map_or_else(|| format!("{other:?}"), |b| String::from_utf8_lossy(b).into_owned())
        }
    }
}
