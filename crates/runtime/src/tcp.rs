//! Options of TCP connections.

use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// Sets what every connection gets: no delay for small replies, and probes of an idle peer.
///
/// `keepalive` is the idle time before the first probe; three more follow at a third of it. Zero means none.
///
/// # Errors
/// When the peer is gone already.
pub fn configure(socket: &impl AsFd, keepalive: Duration) -> io::Result<()> {
    let socket = SockRef::from(socket);
    socket.set_tcp_nodelay(true)?;
    if keepalive.is_zero() {
        return Ok(());
    }
    let interval = (keepalive / 3).max(Duration::from_secs(1));
    socket
        .set_tcp_keepalive(&TcpKeepalive::new().with_time(keepalive).with_interval(interval).with_retries(3))
}

/// Bounds the time for which sent bytes may stay unacknowledged before the connection is dropped.
///
/// # Errors
/// When the peer is gone already.
pub fn set_user_timeout(socket: &impl AsFd, timeout: Duration) -> io::Result<()> {
    SockRef::from(socket).set_tcp_user_timeout(Some(timeout))
}

/// Whether the peer is on this machine, seen from protected mode: a loopback address or a unix socket.
#[must_use]
pub fn is_local(peer: Option<std::net::IpAddr>) -> bool {
    match peer {
        None => true,
        Some(std::net::IpAddr::V4(ip)) => ip.is_loopback(),
        Some(std::net::IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_peers() {
        for (text, local) in [
            ("127.0.0.1", true),
            ("127.8.8.8", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_local(Some(text.parse().unwrap())), local, "{text}");
        }
        assert!(is_local(None));
    }

    #[test]
    fn options_are_set() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        configure(&stream, Duration::from_secs(300)).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(300));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(100));
    }
}
