//! CLIENT: names, lists and ends connections.

use super::{Call, Done};
use crate::core::Sentinel;
use crate::core::io::SessionId;
use crate::core::sessions::{Quiet, Session};
use tanist_resp::{Proto, Reply};

/// Whether a name may stand in a line of `CLIENT LIST`.
pub(crate) fn is_plain(name: &str) -> bool {
    name.bytes().all(|b| (b'!'..=b'~').contains(&b))
}

const BAD_NAME: &str = "ERR Client names cannot contain spaces, newlines or special characters.";

impl Sentinel {
    fn me_mut(&mut self, call: &Call<'_>) -> Option<&mut Session> {
        self.sessions.all.get_mut(&call.session)
    }

    pub(crate) fn cmd_client_help(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        super::command::help(call, r, "CLIENT")
    }

    pub(crate) fn cmd_client_setname(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let name = call.text(2);
        if !is_plain(&name) {
            r.error(BAD_NAME);
        } else if let Some(s) = self.me_mut(call) {
            s.name = name;
            r.ok();
        }
        Done::Now
    }

    pub(crate) fn cmd_client_getname(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        match self.sessions.all.get(&call.session) {
            Some(s) if !s.name.is_empty() => r.bulk(s.name.as_bytes()),
            _ => r.null(),
        }
        Done::Now
    }

    pub(crate) fn cmd_client_setinfo(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let (field, value) = (call.word(2), call.text(3));
        if !matches!(field.as_str(), "lib-name" | "lib-ver") {
            r.error(&format!("ERR Unrecognized option '{}'", call.text(2)));
            return Done::Now;
        }
        if !is_plain(&value) {
            r.error(&format!("ERR {field} cannot contain spaces, newlines or special characters."));
            return Done::Now;
        }
        if let Some(s) = self.me_mut(call) {
            if field == "lib-name" {
                s.lib_name = value;
            } else {
                s.lib_ver = value;
            }
            r.ok();
        }
        Done::Now
    }

    pub(crate) fn cmd_client_id(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.int(i64::try_from(call.session.0).unwrap_or(i64::MAX));
        Done::Now
    }

    pub(crate) fn cmd_client_info(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if let Some(s) = self.sessions.all.get(&call.session) {
            let line = self.client_line(s);
            r.verbatim(*b"txt", line.as_bytes());
        }
        Done::Now
    }

    pub(crate) fn cmd_client_list(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let mut ids: Option<Vec<u64>> = None;
        let mut kind = None;
        match (call.args.len(), call.word(2).as_str()) {
            (2, _) => {}
            (4, "type") => kind = Some(call.word(3)),
            (n, "id") if n > 3 => {
                let Some(numbers) = (3..n).map(|i| call.number(i)).collect::<Option<Vec<i64>>>() else {
                    r.error("ERR Invalid client ID");
                    return Done::Now;
                };
                if numbers.iter().any(|id| *id <= 0) {
                    r.error("ERR client-id should be greater than 0");
                    return Done::Now;
                }
                ids = Some(numbers.into_iter().filter_map(|id| u64::try_from(id).ok()).collect());
            }
            _ => {
                r.error("ERR syntax error");
                return Done::Now;
            }
        }
        if let Some(kind) = &kind
            && !matches!(kind.as_str(), "normal" | "pubsub" | "master" | "replica" | "slave")
        {
            r.error(&format!("ERR Unknown client type '{}'", call.text(3)));
            return Done::Now;
        }
        let mut text = String::new();
        for s in self.sessions.all.values() {
            let wanted = kind.as_deref().is_none_or(|k| k == kind_of(s))
                && ids.as_ref().is_none_or(|ids| ids.contains(&s.id.0));
            if wanted {
                text.push_str(&self.client_line(s));
            }
        }
        r.verbatim(*b"txt", text.as_bytes());
        Done::Now
    }

    fn client_line(&self, s: &Session) -> String {
        let now = self.now.mono;
        let flags = match (kind_of(s), s.no_evict, s.no_touch) {
            ("pubsub", ..) => "P",
            (_, true, _) => "e",
            (_, _, true) => "T",
            _ => "N",
        };
        format!(
            "id={} addr={} laddr={} fd=-1 name={} age={} idle={} flags={flags} capa= db=0 sub={} psub={} ssub=0 multi=-1 \
             watch=0 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r \
             cmd={} user=default redir=-1 resp={} lib-name={} lib-ver={} tot-net-in={} tot-net-out={} tot-cmds={}\n",
            s.id,
            s.remote,
            s.local,
            s.name,
            now.since(s.since).as_secs(),
            now.since(s.last).as_secs(),
            s.channels.len(),
            s.patterns.len(),
            s.last_command,
            if s.proto == Proto::Resp3 { 3 } else { 2 },
            s.lib_name,
            s.lib_ver,
            s.bytes_in,
            s.bytes_out,
            s.commands,
        )
    }

    pub(crate) fn cmd_client_kill(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let old_form = call.args.len() == 3;
        let filter = if old_form {
            Filter { addr: Some(call.text(2)), skip_me: false, ..Filter::default() }
        } else {
            match Filter::parse(call) {
                Ok(filter) => filter,
                Err(why) => {
                    r.error(&why);
                    return Done::Now;
                }
            }
        };
        let now = self.now.mono;
        let victims: Vec<SessionId> = self
            .sessions
            .all
            .values()
            .filter(|s| filter.fits(s, call.session, now.since(s.since).as_secs()))
            .map(|s| s.id)
            .collect();
        match (old_form, victims.is_empty()) {
            (true, true) => r.error("ERR No such client"),
            (true, false) => r.ok(),
            (false, _) => r.int(victims.len() as i64),
        }
        let suicide = victims.contains(&call.session);
        for id in victims.into_iter().filter(|id| *id != call.session) {
            self.sessions.all.remove(&id);
            self.hang_up(id);
        }
        if suicide && let Some(s) = self.me_mut(call) {
            // Like QUIT: the answer still goes out.
            s.last_command = "quit".to_owned();
        }
        Done::Now
    }

    pub(crate) fn cmd_client_reply(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        let quiet = match call.word(2).as_str() {
            "on" => Quiet::No,
            "off" => Quiet::Off,
            "skip" => Quiet::SkipNext,
            _ => {
                r.error("ERR syntax error");
                return Done::Now;
            }
        };
        if let Some(s) = self.me_mut(call) {
            s.quiet = quiet;
        }
        if quiet == Quiet::No {
            r.ok();
        }
        Done::Now
    }

    pub(crate) fn cmd_client_no_evict(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        match (on_off(call), self.me_mut(call)) {
            (Some(on), Some(s)) => {
                s.no_evict = on;
                r.ok();
            }
            _ => r.error("ERR syntax error"),
        }
        Done::Now
    }

    pub(crate) fn cmd_client_no_touch(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        match (on_off(call), self.me_mut(call)) {
            (Some(on), Some(s)) => {
                s.no_touch = on;
                r.ok();
            }
            _ => r.error("ERR syntax error"),
        }
        Done::Now
    }
}

/// A sentinel has no keys: nothing can be tracked, and no command waits for one.
impl Sentinel {
    pub(crate) fn cmd_client_tracking(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        match (call.word(2).as_str(), call.args.len()) {
            ("off", _) => r.ok(),
            ("on", _) => r.error("ERR a sentinel has no keys to track"),
            _ => r.error("ERR syntax error"),
        }
        Done::Now
    }

    pub(crate) fn cmd_client_trackinginfo(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.map(3);
        r.bulk(b"flags");
        r.set(1);
        r.bulk(b"off");
        r.bulk(b"redirect");
        r.int(-1);
        r.bulk(b"prefixes");
        r.array(0);
        Done::Now
    }

    pub(crate) fn cmd_client_getredir(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.int(-1);
        Done::Now
    }

    pub(crate) fn cmd_client_caching(&mut self, _: &Call<'_>, r: &mut Reply<'_>) -> Done {
        r.error(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode \
             enabled",
        );
        Done::Now
    }

    pub(crate) fn cmd_client_unblock(&mut self, call: &Call<'_>, r: &mut Reply<'_>) -> Done {
        if call.args.len() > 3 && !matches!(call.word(3).as_str(), "timeout" | "error") {
            r.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
        } else if Self::required_number(call, 2, r).is_some() {
            r.int(0);
        }
        Done::Now
    }
}

fn on_off(call: &Call<'_>) -> Option<bool> {
    match call.word(2).as_str() {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn kind_of(s: &Session) -> &'static str {
    if s.subscriptions() > 0 { "pubsub" } else { "normal" }
}

/// Which connections `CLIENT KILL` ends.
#[derive(Default)]
struct Filter {
    id: Option<u64>,
    addr: Option<String>,
    laddr: Option<String>,
    kind: Option<String>,
    max_age: Option<u64>,
    skip_me: bool,
}

impl Filter {
    fn parse(call: &Call<'_>) -> Result<Filter, String> {
        let mut f = Filter { skip_me: true, ..Filter::default() };
        let mut i = 2;
        while i < call.args.len() {
            if i + 1 >= call.args.len() {
                return Err("ERR syntax error".into());
            }
            let value = call.text(i + 1);
            let number = call.number(i + 1).and_then(|n| u64::try_from(n).ok());
            match call.word(i).as_str() {
                "id" => {
                    f.id = Some(number.filter(|n| *n > 0).ok_or("ERR client-id should be greater than 0")?)
                }
                "addr" => f.addr = Some(value),
                "laddr" => f.laddr = Some(value),
                "type" => {
                    let kind = value.to_ascii_lowercase();
                    if !matches!(
                        kind.as_str(),
                        "normal" | "pubsub" | "master" | "replica" | "slave" | "primary"
                    ) {
                        return Err(format!("ERR Unknown client type '{value}'"));
                    }
                    f.kind = Some(kind);
                }
                "user" if value != "default" => return Err(format!("ERR No such user '{value}'")),
                "user" => {}
                "maxage" => {
                    let age = call.number(i + 1).ok_or("ERR maxage is not an integer or out of range")?;
                    let age = u64::try_from(age).ok().filter(|age| *age > 0);
                    f.max_age = Some(age.ok_or("ERR maxage should be greater than 0")?);
                }
                "skipme" => {
                    f.skip_me = match value.to_ascii_lowercase().as_str() {
                        "yes" => true,
                        "no" => false,
                        _ => return Err("ERR syntax error".into()),
                    };
                }
                _ => return Err("ERR syntax error".into()),
            }
            i += 2;
        }
        Ok(f)
    }

    fn fits(&self, s: &Session, me: SessionId, age: u64) -> bool {
        self.id.is_none_or(|id| id == s.id.0)
            && self.addr.as_ref().is_none_or(|a| *a == s.remote)
            && self.laddr.as_ref().is_none_or(|a| *a == s.local)
            && self.kind.as_deref().is_none_or(|k| k == kind_of(s))
            && self.max_age.is_none_or(|limit| age >= limit)
            && !(self.skip_me && s.id == me)
    }
}
