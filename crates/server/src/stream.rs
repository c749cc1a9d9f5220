//! A client's connection, whatever it came over.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tanist_node::Peer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connected socket on its way to its thread.
#[derive(Debug)]
pub(crate) enum Arrival {
    Tcp(std::net::TcpStream, SocketAddr),
    Unix(std::os::unix::net::UnixStream, String),
}

impl Arrival {
    /// Joins the running thread's runtime; says who it is.
    pub(crate) fn settle(self, keepalive: Duration) -> io::Result<(Stream, Peer)> {
        match self {
            Arrival::Tcp(stream, addr) => {
                stream.set_nonblocking(true)?;
                tanist_runtime::tcp::configure(&stream, keepalive)?;
                let (laddr, fd) = (stream.local_addr()?, stream.as_raw_fd());
                let local = tanist_runtime::tcp::is_local(Some(addr.ip()));
                let peer = Peer { addr: text(addr), laddr: text(laddr), unix: false, local, fd };
                Ok((Stream::Tcp(TcpStream::from_std(stream)?), peer))
            }
            Arrival::Unix(stream, path) => {
                stream.set_nonblocking(true)?;
                let (addr, fd) = (format!("{path}:0"), stream.as_raw_fd());
                let peer = Peer { addr: addr.clone(), laddr: addr, unix: true, local: true, fd };
                Ok((Stream::Unix(UnixStream::from_std(stream)?), peer))
            }
        }
    }
}

/// An address as Redis shows it: IPv4 in IPv6 as plain IPv4.
fn text(addr: SocketAddr) -> String {
    let ip = match addr.ip() {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 => v4,
    };
    SocketAddr::new(ip, addr.port()).to_string()
}

impl Stream {
    /// Reads once into `room`; zero bytes are the end.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(room);
        let polled = match self {
            Stream::Tcp(s) => Pin::new(s).poll_read(cx, &mut buf),
            Stream::Unix(s) => Pin::new(s).poll_read(cx, &mut buf),
        };
        polled.map_ok(|()| buf.filled().len())
    }

    /// Writes once.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Tcp(s) => Pin::new(s).poll_write(cx, bytes),
            Stream::Unix(s) => Pin::new(s).poll_write(cx, bytes),
        }
    }

    /// Writes what the socket takes at once: a client that is not wanted is not waited for, and there is room for a few
    /// words in a socket that nothing was written to.
    pub(crate) fn say(&self, words: &[u8]) {
        use rustix::net::SendFlags;
        // Gone already is fine.
        let _ = match self {
            Stream::Tcp(s) => rustix::net::send(s, words, SendFlags::NOSIGNAL),
            Stream::Unix(s) => rustix::net::send(s, words, SendFlags::NOSIGNAL),
        };
    }

    /// The socket, for who speaks over it past the runtime.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(s) => s.as_fd(),
            Stream::Unix(s) => s.as_fd(),
        }
    }

    /// Says that nothing more will be written.
    pub(crate) fn shut(&self) {
        // Gone already is fine.
        let _ = match self {
            Stream::Tcp(s) => rustix::net::shutdown(s, rustix::net::Shutdown::Write),
            Stream::Unix(s) => rustix::net::shutdown(s, rustix::net::Shutdown::Write),
        };
    }
}

/// Lets the thread's other tasks have their turn, and look at their sockets first, before this one goes on.
///
/// A task that merely wakes itself is run again up to 61 times before the runtime looks at any socket: for all others
/// that is one long pause.
pub(crate) fn give_way(cx: &mut Context<'_>) {
    // Its first poll leaves the waker with the runtime until the sockets have been looked at.
    let _ = std::pin::pin!(tokio::task::yield_now()).poll(cx);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_redis_shows_them() {
        for (addr, shown) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::1]:80", "[::1]:80"),
            ("[::ffff:10.0.0.1]:80", "10.0.0.1:80"),
        ] {
            assert_eq!(text(addr.parse().unwrap()), shown);
        }
    }
}
