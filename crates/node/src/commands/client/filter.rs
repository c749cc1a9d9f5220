//! The filters of `CLIENT LIST` and `CLIENT KILL`: all must be passed; `NOT-` turns one round.

use super::describe::flags;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::Error;
use crate::session::{Session, SessionKind};
use tanist_resp::Args;
use tanist_types::Mono;

/// Letters that [`flags`] may print, and those of Redis that never apply here.
const KNOWN_FLAGS: &str = "OMSPxbtRBTdcuAUreNE";

/// One condition.
#[derive(Debug, PartialEq, Eq)]
enum Filter {
    Ids(Vec<u64>),
    Kind(Kind),
    User(Box<[u8]>),
    Addr(String),
    LocalAddr(String),
    Ip(String),
    Name(Vec<u8>),
    LibName(Vec<u8>),
    LibVersion(Vec<u8>),
    Flags(String),
    Capa,
    Db(u16),
    /// At least this many seconds old.
    Age(u64),
    /// Silent for at least this many seconds.
    Idle(u64),
}

/// What `TYPE` names. A link to this node's primary is no session, so it never passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    Replica,
    Pubsub,
    Primary,
}

/// Conditions with whether they are turned round.
#[derive(Debug, Default)]
pub(super) struct Filters {
    all: Vec<(bool, Filter)>,
    skip_me: bool,
}

impl Filters {
    /// Reads all of `args`. `skip_me` holds unless `SKIPME` says otherwise.
    pub(super) fn parse(ctx: &Ctx<'_>, args: Args<'_, '_>, skip_me: bool) -> Result<Filters, Error> {
        let mut filters = Filters { all: Vec::new(), skip_me };
        let mut i = 0;
        while i < args.len() {
            let word = String::from_utf8_lossy(args.at(i)).to_ascii_lowercase();
            let value = args.get(i + 1).ok_or(Error::SYNTAX)?;
            i += 2;
            if word == "skipme" {
                filters.skip_me = yes_or_no(value)?;
                continue;
            }
            let (negated, name) = match word.strip_prefix("not-") {
                Some(name) => (true, name),
                None => (false, word.as_str()),
            };
            let mut filter = one(ctx, name, value)?;
            if let Filter::Ids(ids) = &mut filter {
                // Numbers that follow belong to it.
                while let Some(more) = args.get(i).filter(|a| a.first().is_some_and(u8::is_ascii_digit)) {
                    ids.push(number(more, "client-id")?);
                    i += 1;
                }
            }
            filters.all.push((negated, filter));
        }
        Ok(filters)
    }

    /// Whether a session passes; `own` says that it is the asking one.
    pub(super) fn pass(&self, session: &Session, own: bool, now: Mono) -> bool {
        !(own && self.skip_me) && self.all.iter().all(|(negated, f)| f.holds(session, now) != *negated)
    }
}

fn one(ctx: &Ctx<'_>, name: &str, value: &[u8]) -> Result<Filter, Error> {
    let text = || String::from_utf8_lossy(value).into_owned();
    Ok(match name {
        "id" => Filter::Ids(vec![number(value, "client-id")?]),
        "type" => Filter::Kind(kind(value)?),
        "user" => match ctx.node.users.get(value) {
            Some(user) => Filter::User(user.name.clone()),
            None => return Err(Error::new(format!("ERR No such user '{}'", text()))),
        },
        "addr" => Filter::Addr(text()),
        "laddr" => Filter::LocalAddr(text()),
        "ip" => Filter::Ip(text()),
        "name" => Filter::Name(value.to_vec()),
        "lib-name" => Filter::LibName(value.to_vec()),
        "lib-ver" => Filter::LibVersion(value.to_vec()),
        "flags" => match text().chars().all(|c| KNOWN_FLAGS.contains(c)) {
            true => Filter::Flags(text()),
            false => {
                return Err(Error::new(format!(
                    "ERR Unknown flags found in the provided filter: {}",
                    text()
                )));
            }
        },
        "capa" if value == b"r" => Filter::Capa,
        "capa" => {
            return Err(Error::new(format!("ERR Unknown capa found in the provided filter: {}", text())));
        }
        "db" => Filter::Db(database(ctx, value)?),
        "maxage" => Filter::Age(number(value, "maxage")?),
        "idle" => Filter::Idle(number(value, "idle")?),
        _ => return Err(Error::SYNTAX),
    })
}

impl Filter {
    fn holds(&self, s: &Session, now: Mono) -> bool {
        match self {
            Filter::Ids(ids) => ids.contains(&s.id.0),
            Filter::Kind(kind) => *kind == kind_of(s),
            Filter::User(user) => s.user.name == *user,
            Filter::Addr(addr) => s.peer.addr == *addr,
            Filter::LocalAddr(addr) => s.peer.laddr == *addr,
            Filter::Ip(ip) => {
                let host = s.peer.addr.rsplit_once(':').map_or(s.peer.addr.as_str(), |(host, _)| host);
                host.trim_matches(['[', ']']) == ip
            }
            Filter::Name(name) => *s.name == **name,
            Filter::LibName(name) => *s.lib_name == **name,
            Filter::LibVersion(version) => *s.lib_version == **version,
            Filter::Flags(letters) => {
                let own = flags(s);
                letters.chars().all(|c| own.contains(c))
            }
            Filter::Capa => s.redirects,
            Filter::Db(db) => s.db.0 == *db,
            Filter::Age(seconds) => now.since(s.created).as_secs() >= *seconds,
            Filter::Idle(seconds) => now.since(s.last_active).as_secs() >= *seconds,
        }
    }
}

fn kind_of(s: &Session) -> Kind {
    match s.kind {
        SessionKind::Replica => Kind::Replica,
        SessionKind::Pubsub => Kind::Pubsub,
        SessionKind::Normal => Kind::Normal,
    }
}

fn kind(word: &[u8]) -> Result<Kind, Error> {
    let text = String::from_utf8_lossy(word);
    match text.to_ascii_lowercase().as_str() {
        "normal" => Ok(Kind::Normal),
        "slave" | "replica" => Ok(Kind::Replica),
        "pubsub" => Ok(Kind::Pubsub),
        "master" | "primary" => Ok(Kind::Primary),
        _ => Err(Error::new(format!("ERR Unknown client type '{text}'"))),
    }
}

/// A number above zero.
fn number(text: &[u8], what: &str) -> Result<u64, Error> {
    let n = parse_int(text).map_err(|e| match what {
        "client-id" => Error::SYNTAX,
        _ if e == Error::NOT_AN_INTEGER => {
            Error::new(format!("ERR {what} is not an integer or out of range"))
        }
        _ => e,
    })?;
    u64::try_from(n)
        .ok()
        .filter(|&n| n > 0)
        .ok_or_else(|| Error::new(format!("ERR {what} should be greater than 0")))
}

fn database(ctx: &Ctx<'_>, text: &[u8]) -> Result<u16, Error> {
    let last = ctx.node.data.databases().saturating_sub(1);
    let n = parse_int(text).map_err(|_| Error::new("ERR DB is not an integer or out of range"))?;
    let db = u16::try_from(n).ok().filter(|&db| db <= last);
    db.ok_or_else(|| Error::new(format!("ERR DB number should be between 0 and {last}")))
}

fn yes_or_no(word: &[u8]) -> Result<bool, Error> {
    if word.eq_ignore_ascii_case(b"yes") {
        Ok(true)
    } else if word.eq_ignore_ascii_case(b"no") {
        Ok(false)
    } else {
        Err(Error::SYNTAX)
    }
}
