//! Telling the supervisor how the service fares: systemd's notification protocol (`sd_notify(3)`), and upstart's `expect
//! stop`, which takes a process that has stopped itself for a service that is ready.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use tanist_config::choice::{Choice, Supervised};

/// Who supervises this process, if anybody does.
#[derive(Debug)]
pub enum Supervisor {
    /// Nobody.
    None,
    /// Upstart.
    Upstart,
    /// Systemd, which listens on this socket.
    Systemd(UnixDatagram, SocketAddr),
}

impl Supervisor {
    /// The supervisor that the environment names, if it is one that is `wanted`; without one every call below does
    /// nothing.
    #[must_use]
    pub fn find(wanted: Supervised) -> Supervisor {
        Supervisor::named(wanted, std::env::var_os("UPSTART_JOB"), std::env::var_os("NOTIFY_SOCKET"))
    }

    fn named(wanted: Supervised, job: Option<OsString>, socket: Option<OsString>) -> Supervisor {
        let upstart = || job.is_some().then_some(Supervisor::Upstart);
        let systemd = || connect(socket.as_ref()?.as_bytes());
        let found = match wanted {
            Supervised::No => None,
            Supervised::Upstart => upstart(),
            Supervised::Systemd => systemd(),
            Supervised::Auto => upstart().or_else(systemd),
        };
        found.unwrap_or(Supervisor::None)
    }

    /// Its name, as `INFO` has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Supervisor::None => "no",
            Supervisor::Upstart => "upstart",
            Supervisor::Systemd(..) => "systemd",
        }
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_present(&self) -> bool {
        !matches!(self, Supervisor::None)
    }

    /// What is to be said in the log of a supervisor that is wanted and not there.
    #[must_use]
    pub fn complaint(&self, wanted: Supervised) -> Option<String> {
        let variable = match wanted {
            Supervised::Upstart => "UPSTART_JOB",
            Supervised::Systemd => "NOTIFY_SOCKET",
            Supervised::Auto | Supervised::No => return None,
        };
        (!self.is_present())
            .then(|| format!("{} supervision is asked for, but {variable} is not set", wanted.word()))
    }

    /// The service can be used.
    pub fn ready(&self, status: &str) {
        if let Supervisor::Upstart = self {
            // It goes on when upstart says so. That a process may not stop itself does not happen.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
        }
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
        if let Supervisor::Systemd(socket, address) = self {
            // A supervisor that does not listen is no reason to stop.
            let _ = socket.send_to_addr(text.as_bytes(), address);
        }
    }
}

fn connect(name: &[u8]) -> Option<Supervisor> {
    let address = match name {
        [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest),
        _ => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name)),
    };
    Some(Supervisor::Systemd(UnixDatagram::unbound().ok()?, address.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_supervisor_hears_of_it() {
        let name = format!("tanist-notify-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixDatagram::bind_addr(&address).unwrap();
        let supervisor = connect(format!("@{name}").as_bytes()).unwrap();
        supervisor.ready("Ready to accept connections");
        let mut buf = [0; 100];
        let n = listener.recv(&mut buf).unwrap();
        assert_eq!(&buf[..n], b"STATUS=Ready to accept connections\nREADY=1\n");
    }

    #[test]
    fn without_a_supervisor_nothing_happens() {
        let supervisor = Supervisor::None;
        supervisor.status("loading");
        supervisor.ready("ready");
        assert!(!supervisor.is_present());
    }

    #[test]
    fn the_environment_says_who_it_is() {
        let named = |wanted, job: bool, socket: bool| {
            let given = |is: bool| is.then(|| OsString::from("@x"));
            let found = Supervisor::named(wanted, given(job), given(socket));
            (found.name(), found.complaint(wanted).is_some())
        };
        assert_eq!(named(Supervised::No, true, true), ("no", false));
        assert_eq!(named(Supervised::Auto, true, true), ("upstart", false));
        assert_eq!(named(Supervised::Auto, false, true), ("systemd", false));
        assert_eq!(named(Supervised::Auto, false, false), ("no", false));
        assert_eq!(named(Supervised::Upstart, true, true), ("upstart", false));
        assert_eq!(named(Supervised::Upstart, false, true), ("no", true));
        assert_eq!(named(Supervised::Systemd, true, true), ("systemd", false));
        assert_eq!(named(Supervised::Systemd, true, false), ("no", true));
    }
}
