//! Telling the supervisor how the service fares: systemd's notification protocol (`sd_notify(3)`).

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The supervisor's socket, if there is one.
#[derive(Debug)]
pub struct Supervisor {
    socket: Option<(UnixDatagram, SocketAddr)>,
}

impl Supervisor {
    /// The supervisor that `NOTIFY_SOCKET` names; without that variable every call below does nothing.
    #[must_use]
    pub fn from_env() -> Supervisor {
        Supervisor { socket: std::env::var_os("NOTIFY_SOCKET").and_then(|name| connect(name.as_bytes())) }
    }

    /// Nobody to tell.
    #[must_use]
    pub fn none() -> Supervisor {
        Supervisor { socket: None }
    }

    /// Whether somebody listens.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.socket.is_some()
    }

    /// The service can be used.
    pub fn ready(&self, status: &str) {
        self.send(&format!("STATUS={status}\nREADY=1\n"));
    }

    /// What the service is doing, for `systemctl status`.
    pub fn status(&self, status: &str) {
        self.send(&format!("STATUS={status}\n"));
    }

    /// The service is ending.
    pub fn stopping(&self) {
        self.send("STOPPING=1\n");
    }

    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.socket {
            // A supervisor that does not listen is no reason to stop.
            let _ = socket.send_to_addr(text.as_bytes(), address);
        }
    }
}

fn connect(name: &[u8]) -> Option<(UnixDatagram, SocketAddr)> {
    let address = match name {
        [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest),
        _ => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name)),
    };
    Some((UnixDatagram::unbound().ok()?, address.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_supervisor_hears_of_it() {
        let name = format!("tanist-notify-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixDatagram::bind_addr(&address).unwrap();
        let supervisor = Supervisor { socket: connect(format!("@{name}").as_bytes()) };
        supervisor.ready("Ready to accept connections");
        let mut buf = [0; 100];
        let n = listener.recv(&mut buf).unwrap();
        assert_eq!(&buf[..n], b"STATUS=Ready to accept connections\nREADY=1\n");
    }

    #[test]
    fn without_a_supervisor_nothing_happens() {
        let supervisor = Supervisor::none();
        supervisor.status("loading");
        assert!(!supervisor.is_present());
    }
}
