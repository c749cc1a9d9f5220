//! Listening sockets: several addresses, some of them optional, and a unix socket.
//!
//! The sockets are set up before a runtime exists and handed out as standard ones; they do not block.

use rustix::io::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// A socket could not be opened. The text is the one that peers write to their log.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// A TCP address.
    #[error("Warning: Could not create server TCP listening socket {address}:{port}: {why}")]
    Tcp {
        /// As configured, without the leading `-`.
        address: String,
        /// The port.
        port: u16,
        /// The step that failed, and how.
        why: String,
    },
    /// The unix socket.
    #[error("Failed opening Unix socket: {0}")]
    Unix(String),
}

/// Listens on each address of a `bind` directive: an IP address, a host name, or `*` for all; with `-` before
/// it, it may be missing on this machine.
///
/// # Errors
/// When an address that is not optional cannot be listened on.
pub fn tcp(bind: &[String], port: u16, backlog: i32) -> Result<Vec<TcpListener>, ListenError> {
    let mut listeners = Vec::new();
    for entry in bind.iter().filter(|entry| !entry.is_empty()) {
        let optional = entry.starts_with('-');
        let address = entry.strip_prefix('-').unwrap_or(entry);
        match listen(address, port, backlog) {
            Ok(found) => listeners.extend(found),
            Err(failure) if optional && failure.is_absence() => {}
            Err(failure) => {
                let why = failure.text();
                return Err(ListenError::Tcp { address: address.to_owned(), port, why });
            }
        }
    }
    Ok(listeners)
}

/// What went wrong with one address.
enum Failure {
    Resolve,
    Step(&'static str, io::Error),
}

impl Failure {
    /// Whether this machine just does not have such an address or protocol.
    fn is_absence(&self) -> bool {
        let Failure::Step(_, error) = self else { return false };
        let absent = [Errno::ADDRNOTAVAIL, Errno::AFNOSUPPORT, Errno::PROTONOSUPPORT, Errno::NOPROTOOPT];
        error.raw_os_error().is_some_and(|code| absent.iter().any(|errno| errno.raw_os_error() == code))
    }

    fn text(&self) -> String {
        match self {
            Failure::Resolve => "Name or service not known".to_owned(),
            Failure::Step(step, error) => format!("{step}: {}", describe(error)),
        }
    }
}

/// The error's text without the number that Rust adds.
#[must_use]
pub fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn listen(address: &str, port: u16, backlog: i32) -> Result<Vec<TcpListener>, Failure> {
    let addresses: Vec<SocketAddr> = match address {
        "*" => vec![(Ipv4Addr::UNSPECIFIED, port).into()],
        "::*" => vec![(Ipv6Addr::UNSPECIFIED, port).into()],
        _ => match address.parse::<IpAddr>() {
            Ok(ip) => vec![(ip, port).into()],
            Err(_) => (address, port).to_socket_addrs().map_err(|_| Failure::Resolve)?.collect(),
        },
    };
    let first = addresses.into_iter().next().ok_or(Failure::Resolve)?;
    Ok(vec![open(first, backlog)?])
}

fn open(address: SocketAddr, backlog: i32) -> Result<TcpListener, Failure> {
    let step = |name: &'static str| move |error| Failure::Step(name, error);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
        .map_err(step("socket"))?;
    if address.is_ipv6() {
        socket.set_only_v6(true).map_err(step("setsockopt"))?;
    }
    socket.set_reuse_address(true).map_err(step("setsockopt SO_REUSEADDR"))?;
    socket.bind(&address.into()).map_err(step("bind"))?;
    socket.listen(backlog).map_err(step("listen"))?;
    socket.set_nonblocking(true).map_err(step("fcntl"))?;
    Ok(socket.into())
}

/// Listens on a unix socket, in place of whatever is at `path`. `mode` sets its permissions, unless it is zero.
///
/// # Errors
/// When the socket cannot be made there.
pub fn unix(path: &Path, mode: u32, backlog: i32) -> Result<UnixListener, ListenError> {
    let fail = |step: &str, error: &io::Error| ListenError::Unix(format!("{step}: {}", describe(error)));
    // A socket that an earlier process left behind; what else may be wrong, bind will tell.
    let _ = std::fs::remove_file(path);
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(|e| fail("socket", &e))?;
    let address = SockAddr::unix(path).map_err(|e| fail("bind", &e))?;
    socket.bind(&address).map_err(|e| fail("bind", &e))?;
    socket.listen(backlog).map_err(|e| fail("listen", &e))?;
    if mode != 0 {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).map_err(|e| fail("chmod", &e))?;
    }
    socket.set_nonblocking(true).map_err(|e| fail("fcntl", &e))?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(addresses: &[&str]) -> Vec<String> {
        addresses.iter().map(|a| (*a).to_owned()).collect()
    }

    #[test]
    fn a_port_in_use_is_named() {
        let first = tcp(&bind(&["127.0.0.1"]), 0, 16).unwrap();
        let port = first[0].local_addr().unwrap().port();
        let error = tcp(&bind(&["-127.0.0.1"]), port, 16).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "Warning: Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in use"
            )
        );
    }

    #[test]
    fn an_optional_address_may_be_missing() {
        // 192.0.2.1 is reserved for documentation: no machine has it.
        assert_eq!(tcp(&bind(&["-192.0.2.1", ""]), 0, 16).unwrap().len(), 0);
        let error = tcp(&bind(&["192.0.2.1"]), 0, 16).unwrap_err().to_string();
        assert!(error.ends_with("192.0.2.1:0: bind: Cannot assign requested address"), "{error}");
    }

    #[test]
    fn several_addresses() {
        let listeners = tcp(&bind(&["127.0.0.1", "127.0.0.2", "-::1"]), 0, 16).unwrap();
        // The last one may be missing.
        assert!((2..=3).contains(&listeners.len()));
    }

    #[test]
    fn a_unix_socket_replaces_a_stale_one() {
        let path = std::env::temp_dir().join(format!("tanist-listen-{}.sock", std::process::id()));
        drop(unix(&path, 0o700, 16).unwrap());
        let listener = unix(&path, 0o700, 16).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(listener);
        std::fs::remove_file(&path).unwrap();
        let error = unix(Path::new("/nonexistent/x.sock"), 0, 16).unwrap_err();
        assert_eq!(error.to_string(), "Failed opening Unix socket: bind: No such file or directory");
    }
}
