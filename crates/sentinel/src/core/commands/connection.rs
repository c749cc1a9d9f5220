//! PING, AUTH, HELLO, QUIT, RESET, ROLE, SHUTDOWN.

use super::{Call, Done, NOT_A_NUMBER};
use crate::core::Sentinel;
use crate::core::sessions::Quiet;
use tanist_resp::{Proto, Reply};

/// The Redis version whose behaviour is spoken; clients look for features by it.
pub(crate) const SPOKEN_VERSION: &str = "7.2.4";

impl Sentinel {
    pub(crate) fn cmd_ping(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if call.args.len() > 2 {
            r.error("ERR wrong number of arguments for 'ping' command");
            return Done::Now;
        }
        let listening = self.sessions.all.get(&call.session).is_some_and(|s| s.is_listener());
        match (listening, call.args.get(1)) {
            (true, arg) => {
                r.array(2);
                r.bulk(b"pong");
                r.bulk(arg.map_or(b"", |a| a.as_slice()));
            }
            (false, None) => r.simple("PONG"),
            (false, Some(text)) => r.bulk(text),
        }
        Done::Now
    }

    pub(crate) fn cmd_auth(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if call.args.len() > 3 {
            r.error("ERR syntax error");
            return Done::Now;
        }
        if call.args.len() == 2 && self.globals.requirepass.is_none() {
            r.error(
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
                 configuration is correct?",
            );
            return Done::Now;
        }
        let (user, pass) = match call.args {
            [_, pass] => (b"default".as_slice(), pass),
            [_, user, pass] => (user.as_slice(), pass),
            _ => return Done::Now,
        };
        match self.log_in(call, user, pass) {
            true => r.ok(),
            false => r.error("WRONGPASS invalid username-password pair or user is disabled."),
        }
        Done::Now
    }

    fn log_in(&mut self, call: &Call<'_>, user: &[u8], pass: &[u8]) -> bool {
        let right = user == b"default"
            && self.globals.requirepass.as_ref().is_none_or(|p| same_secret(p.as_bytes(), pass));
        if right && let Some(s) = self.sessions.all.get_mut(&call.session) {
            s.authenticated = true;
        }
        self.sessions.counts.denied += u64::from(!right);
        right
    }

    pub(crate) fn cmd_hello(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let mut proto = self.sessions.proto(call.session);
        if call.args.len() > 1 {
            proto = match call.number(1) {
                None => {
                    r.error("ERR Protocol version is not an integer or out of range");
                    return Done::Now;
                }
                Some(2) => Proto::Resp2,
                Some(3) => Proto::Resp3,
                Some(_) => {
                    r.error("NOPROTO unsupported protocol version");
                    return Done::Now;
                }
            };
        }
        let mut name = None;
        let mut i = 2;
        while i < call.args.len() {
            let left = call.args.len() - i - 1;
            match call.word(i).as_str() {
                "auth" if left >= 2 => {
                    if !self.log_in(call, &call.args[i + 1], &call.args[i + 2]) {
                        r.error("WRONGPASS invalid username-password pair or user is disabled.");
                        return Done::Now;
                    }
                    i += 3;
                }
                "setname" if left >= 1 => {
                    name = Some(call.text(i + 1));
                    i += 2;
                }
                _ => {
                    r.error(&format!("ERR Syntax error in HELLO option '{}'", call.text(i)));
                    return Done::Now;
                }
            }
        }
        let Some(s) = self.sessions.all.get_mut(&call.session) else { return Done::Later };
        if !s.authenticated {
            r.error(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
                 <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
                 the same time",
            );
            return Done::Now;
        }
        if let Some(name) = name {
            if !super::client::is_plain(&name) {
                r.error("ERR Client names cannot contain spaces, newlines or special characters.");
                return Done::Now;
            }
            s.name = name;
        }
        s.proto = proto;
        let id = s.id.0;
        r.set_proto(proto);
        r.map(6);
        for (field, value) in [("server", "redis"), ("version", SPOKEN_VERSION)] {
            r.bulk_str(field);
            r.bulk_str(value);
        }
        r.bulk_str("proto");
        r.int(if proto == Proto::Resp3 { 3 } else { 2 });
        r.bulk_str("id");
        r.int(i64::try_from(id).unwrap_or(i64::MAX));
        r.bulk_str("mode");
        r.bulk_str("sentinel");
        r.bulk_str("modules");
        r.array(0);
        Done::Now
    }

    pub(crate) fn cmd_quit(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.ok();
        Done::Now
    }

    pub(crate) fn cmd_reset(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let open = self.globals.requirepass.is_none();
        if let Some(s) = self.sessions.all.get_mut(&call.session) {
            s.channels.clear();
            s.patterns.clear();
            s.name.clear();
            s.proto = Proto::Resp2;
            s.authenticated = open;
            s.quiet = Quiet::No;
            s.no_evict = false;
            s.no_touch = false;
        }
        r.set_proto(Proto::Resp2);
        r.simple("RESET");
        Done::Now
    }

    pub(crate) fn cmd_role(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.array(2);
        r.bulk(b"sentinel");
        r.array(self.groups.len());
        for g in self.groups.values() {
            r.bulk(g.name.as_bytes());
        }
        Done::Now
    }

    pub(crate) fn cmd_shutdown(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let words: Vec<String> = (1..call.args.len()).map(|i| call.word(i)).collect();
        let known = |word: &String| matches!(word.as_str(), "nosave" | "save" | "now" | "force" | "safe");
        if words == ["abort"] {
            r.error("ERR No shutdown in progress.");
            return Done::Now;
        }
        let both = ["save", "nosave"].iter().all(|word| words.iter().any(|w| w == word));
        if both || !words.iter().all(known) {
            r.error("ERR syntax error");
            return Done::Now;
        }
        self.terminate();
        Done::Later
    }

    /// Reads a number that has to be one.
    pub(crate) fn required_number(call: &Call<'_>, i: usize, r: &mut Reply<'_>) -> Option<i64> {
        let n = call.number(i);
        if n.is_none() {
            r.error(NOT_A_NUMBER);
        }
        n
    }
}

/// Compares in a time that does not depend on where the difference is.
fn same_secret(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}
