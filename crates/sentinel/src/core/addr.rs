//! Where an instance is reached: the host as people wrote it, the address it resolved to, and the port.
//!
//! Two addresses are the same place if the ports agree and either the hosts are spelt alike or both resolved to one
//! address. The core resolves nothing: the shell reports what a name resolved to when it connects.

use std::net::IpAddr;

/// A host (name or literal address), what it resolved to, and a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Addr {
    host: String,
    ip: Option<IpAddr>,
    port: u16,
}

impl Addr {
    /// The address of `host`; a literal address needs no resolution.
    pub(crate) fn new(host: &str, port: u16) -> Addr {
        let ip = host.parse().ok();
        Addr { host: host.to_owned(), ip, port }
    }

    /// The host as written.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port; zero marks a sentinel whose address is no longer known.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Makes the address invalid until a hello brings a new one.
    pub(crate) fn invalidate(&mut self) {
        self.port = 0;
    }

    /// Whether the host is a name that has to be looked up.
    pub(crate) fn is_name(&self) -> bool {
        self.host.parse::<IpAddr>().is_err()
    }

    /// Takes note of what the host resolved to. A literal address stays what it is.
    pub(crate) fn resolved(&mut self, ip: IpAddr) {
        if self.is_name() {
            self.ip = Some(ip);
        }
    }

    /// What people are shown: the host as written if names are announced, the address otherwise.
    pub(crate) fn shown(&self, names: bool) -> String {
        match self.ip {
            Some(ip) if !names => ip.to_string(),
            _ => self.host.clone(),
        }
    }

    /// How events and lists name who is there: an address of IPv6 stands in brackets before its port.
    pub(crate) fn name(&self, names: bool) -> String {
        let host = self.shown(names);
        if host.contains(':') { format!("[{host}]:{}", self.port) } else { format!("{host}:{}", self.port) }
    }

    /// Where to connect to: the host or, if it has just been found to have no address, the last that it had.
    pub(crate) fn target(&self, unresolved: bool) -> String {
        self.shown(!unresolved)
    }

    /// Whether both lead to the same place.
    pub(crate) fn same(&self, other: &Addr) -> bool {
        self.port == other.port
            && (self.host.eq_ignore_ascii_case(&other.host) || (self.ip.is_some() && self.ip == other.ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_address_are_the_same_place_once_resolved() {
        let mut name = Addr::new("db1", 6379);
        let literal = Addr::new("10.0.0.1", 6379);
        assert!(!name.same(&literal));
        name.resolved("10.0.0.1".parse().unwrap());
        assert!(name.same(&literal));
        assert!(!name.same(&Addr::new("10.0.0.1", 6380)));
        assert_eq!(name.shown(true), "db1");
        assert_eq!(name.shown(false), "10.0.0.1");
    }

    #[test]
    fn an_address_of_ipv6_is_told_from_its_port() {
        assert_eq!(Addr::new("::1", 6379).name(false), "[::1]:6379");
        assert_eq!(Addr::new("10.0.0.1", 6379).name(false), "10.0.0.1:6379");
        let mut name = Addr::new("db1", 6379);
        name.resolved("fe80::1".parse().unwrap());
        assert_eq!((name.name(true), name.name(false)), ("db1:6379".into(), "[fe80::1]:6379".into()));
    }

    #[test]
    fn a_literal_is_not_resolved_to_something_else() {
        let mut a = Addr::new("10.0.0.1", 1);
        a.resolved("10.0.0.2".parse().unwrap());
        assert_eq!(a.ip, Some("10.0.0.1".parse().unwrap()));
    }
}
