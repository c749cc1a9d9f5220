//! The words of the replication protocol as bytes, and back.
//!
//! Only here is Redis' one-based `PSYNC` offset known: everywhere else a position is the number of bytes before it.

use tanist_resp::encode_command;
use tanist_types::{Epoch, LogPos, ReplId};

/// What a replica has and where it wants to go on: the arguments of `PSYNC`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PsyncRequest {
    /// `PSYNC ? -1`: nothing to go on from.
    Full,
    /// A log of history `id` up to `pos`.
    From {
        /// The history of its last entry.
        id: ReplId,
        /// The end of its log.
        pos: LogPos,
    },
    /// As `From`, by a primary that hands its role over to whom it asks (`FAILOVER`).
    TakeOver {
        /// The history of its last entry.
        id: ReplId,
        /// The end of its log.
        pos: LogPos,
    },
}

/// What only Tanist nodes tell each other about a link: the primary's epoch, and the log end at which a replica that
/// has reached it holds everything that it may ever have acknowledged (rules R2 and R6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkTerms {
    /// The primary's epoch.
    pub epoch: Epoch,
    /// The primary's log end when it decided.
    pub end: LogPos,
}

/// The answer to `PSYNC`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PsyncReply {
    /// The log goes on from the position asked for.
    Continue {
        /// The primary's present history, if it said so.
        id: Option<ReplId>,
        /// From a Tanist primary.
        terms: Option<LinkTerms>,
    },
    /// A snapshot follows.
    FullSync {
        /// The history of the snapshot's last entry.
        id: ReplId,
        /// The position of the snapshot.
        pos: LogPos,
        /// From a Tanist primary.
        terms: Option<LinkTerms>,
    },
    /// The primary has promised (or knows of) a higher epoch than it may serve.
    Fenced(Epoch),
    /// Not now: its own link is down, or it is loading.
    NotNow(String),
    /// Refused for good or not understood.
    Refused(String),
}

/// Reads the two arguments of `PSYNC`. An unknown id or offset asks for a full sync.
#[must_use]
pub fn parse_psync(id: &[u8], offset: &[u8]) -> PsyncRequest {
    let id = ReplId::parse(id).ok();
    let one_based = std::str::from_utf8(offset).ok().and_then(|text| text.parse::<u64>().ok());
    match (id, one_based.and_then(|n| n.checked_sub(1))) {
        (Some(id), Some(pos)) => PsyncRequest::From { id, pos: LogPos(pos) },
        _ => PsyncRequest::Full,
    }
}

/// Appends a `PSYNC` command.
pub fn put_psync(out: &mut Vec<u8>, request: PsyncRequest) {
    match request {
        PsyncRequest::Full => encode_command(out, &[b"PSYNC", b"?", b"-1"]),
        PsyncRequest::From { id, pos } => {
            let mut digits = itoa::Buffer::new();
            encode_command(out, &[b"PSYNC", &id.hex(), digits.format(u128::from(pos.0) + 1).as_bytes()]);
        }
        PsyncRequest::TakeOver { id, pos } => {
            let mut digits = itoa::Buffer::new();
            let offset = digits.format(u128::from(pos.0) + 1).as_bytes();
            encode_command(out, &[b"PSYNC", &id.hex(), offset, b"FAILOVER"]);
        }
    }
}

/// Appends the line `+CONTINUE`; stock replicas that do not know PSYNC2 (`psync2` false) get no id.
pub fn put_continue(out: &mut Vec<u8>, id: ReplId, psync2: bool, terms: Option<LinkTerms>) {
    out.extend_from_slice(b"+CONTINUE");
    if psync2 {
        out.push(b' ');
        out.extend_from_slice(&id.hex());
        put_terms(out, terms);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the line `+FULLRESYNC`. Redis reports the position as it is here, not one-based.
pub fn put_full_sync(out: &mut Vec<u8>, id: ReplId, pos: LogPos, terms: Option<LinkTerms>) {
    out.extend_from_slice(b"+FULLRESYNC ");
    out.extend_from_slice(&id.hex());
    out.extend_from_slice(format!(" {pos}").as_bytes());
    put_terms(out, terms);
    out.extend_from_slice(b"\r\n");
}

fn put_terms(out: &mut Vec<u8>, terms: Option<LinkTerms>) {
    if let Some(LinkTerms { epoch, end }) = terms {
        out.extend_from_slice(format!(" tanist {epoch} {end}").as_bytes());
    }
}

/// Reads the answer to `PSYNC`, a line without its end.
#[must_use]
pub fn parse_psync_reply(line: &[u8]) -> PsyncReply {
    let text = String::from_utf8_lossy(line);
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let refused = || PsyncReply::Refused(text.clone().into_owned());
    match words.as_slice() {
        ["+CONTINUE", rest @ ..] => {
            let id = rest.first().and_then(|id| id.parse().ok());
            PsyncReply::Continue { id, terms: parse_terms(rest.get(1..).unwrap_or_default()) }
        }
        ["+FULLRESYNC", id, pos, rest @ ..] => match (id.parse(), pos.parse()) {
            (Ok(id), Ok(pos)) => PsyncReply::FullSync { id, pos: LogPos(pos), terms: parse_terms(rest) },
            _ => refused(),
        },
        ["-FENCED", epoch, ..] => epoch.parse().map_or_else(|_| refused(), |e| PsyncReply::Fenced(Epoch(e))),
        ["-NOMASTERLINK" | "-LOADING" | "-MASTERDOWN" | "-NOPRIMARYLINK", ..] => {
            PsyncReply::NotNow(text.into_owned())
        }
        _ => refused(),
    }
}

fn parse_terms(words: &[&str]) -> Option<LinkTerms> {
    match words {
        ["tanist", epoch, end, ..] => {
            Some(LinkTerms { epoch: Epoch(epoch.parse().ok()?), end: LogPos(end.parse().ok()?) })
        }
        _ => None,
    }
}

/// An acknowledgement, as a replica sends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ack {
    /// Everything before this has been applied.
    pub applied: LogPos,
    /// Everything before this is on the replica's disk, if it has one to speak of.
    pub fsynced: Option<LogPos>,
    /// The epoch of the link; absent from stock replicas.
    pub epoch: Option<Epoch>,
}

/// Appends a `REPLCONF ACK` command.
pub fn put_ack(out: &mut Vec<u8>, ack: Ack) {
    let (mut a, mut f, mut e) = (itoa::Buffer::new(), itoa::Buffer::new(), itoa::Buffer::new());
    let mut args: [&[u8]; 7] = [b"REPLCONF", b"ACK", a.format(ack.applied.0).as_bytes(), b"", b"", b"", b""];
    let mut n = 3;
    if let Some(pos) = ack.fsynced {
        args[n] = b"FACK";
        args[n + 1] = f.format(pos.0).as_bytes();
        n += 2;
    }
    if let Some(epoch) = ack.epoch {
        args[n] = b"EPOCH";
        args[n + 1] = e.format(epoch.0).as_bytes();
        n += 2;
    }
    encode_command(out, &args[..n]);
}

/// The mark that a promotion puts into the log: a `PING` with an argument, which stock replicas ignore.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marker {
    /// The group; `-` for none.
    pub group: String,
    /// The epoch of the promotion.
    pub epoch: Epoch,
    /// The history that begins with the marker.
    pub id: ReplId,
}

impl Marker {
    const PREFIX: &'static [u8] = b"TANIST1:";

    /// Appends the marker as a command.
    pub fn put(&self, out: &mut Vec<u8>) {
        let text = format!("TANIST1:{}:{}:{}", self.group, self.epoch, self.id);
        encode_command(out, &[b"PING", text.as_bytes()]);
    }

    /// Reads the argument of a `PING` from the stream; `None` if it is an ordinary one.
    #[must_use]
    pub fn parse(argument: &[u8]) -> Option<Marker> {
        let text = std::str::from_utf8(argument.strip_prefix(Marker::PREFIX)?).ok()?;
        let (rest, id) = text.rsplit_once(':')?;
        let (group, epoch) = rest.rsplit_once(':')?;
        Some(Marker { group: group.to_owned(), epoch: Epoch(epoch.parse().ok()?), id: id.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tanist_types::Rng;

    fn id() -> ReplId {
        ReplId::random(&mut Rng::from_seed(3))
    }

    #[test]
    fn the_offset_on_the_wire_is_one_based() {
        let mut out = Vec::new();
        put_psync(&mut out, PsyncRequest::From { id: id(), pos: LogPos(0) });
        assert_eq!(out, format!("*3\r\n$5\r\nPSYNC\r\n$40\r\n{}\r\n$1\r\n1\r\n", id()).into_bytes());
        assert_eq!(parse_psync(&id().hex(), b"1"), PsyncRequest::From { id: id(), pos: LogPos(0) });
    }

    #[test]
    fn odd_requests_ask_for_everything() {
        for (id, offset) in
            [(&b"?"[..], &b"-1"[..]), (&id().hex(), b"0"), (&id().hex(), b"x"), (b"short", b"7")]
        {
            assert_eq!(parse_psync(id, offset), PsyncRequest::Full);
        }
    }

    #[test]
    fn answers_and_back() {
        let terms = Some(LinkTerms { epoch: Epoch(4), end: LogPos(99) });
        for terms in [terms, None] {
            let mut line = Vec::new();
            put_continue(&mut line, id(), true, terms);
            assert_eq!(
                parse_psync_reply(line.trim_ascii_end()),
                PsyncReply::Continue { id: Some(id()), terms }
            );
            line.clear();
            put_full_sync(&mut line, id(), LogPos(77), terms);
            let expected = PsyncReply::FullSync { id: id(), pos: LogPos(77), terms };
            assert_eq!(parse_psync_reply(line.trim_ascii_end()), expected);
        }
        assert_eq!(parse_psync_reply(b"+CONTINUE"), PsyncReply::Continue { id: None, terms: None });
        assert_eq!(parse_psync_reply(b"-FENCED 7"), PsyncReply::Fenced(Epoch(7)));
        assert!(matches!(parse_psync_reply(b"-NOMASTERLINK Can't SYNC"), PsyncReply::NotNow(_)));
        for bad in
            [&b"+FULLRESYNC"[..], b"+FULLRESYNC x y", b"-ERR", b"", b"+FULLRESYNC \xff 1", b"-FENCED x"]
        {
            assert!(matches!(parse_psync_reply(bad), PsyncReply::Refused(_)), "{bad:?}");
        }
    }

    #[test]
    fn markers_and_back() {
        let marker = Marker { group: "my:group".into(), epoch: Epoch(12), id: id() };
        let mut out = Vec::new();
        marker.put(&mut out);
        let text = format!("TANIST1:my:group:12:{}", id());
        assert_eq!(out, format!("*2\r\n$4\r\nPING\r\n${}\r\n{text}\r\n", text.len()).into_bytes());
        assert_eq!(Marker::parse(text.as_bytes()), Some(marker));
        for other in
            ["hello", "TANIST1:", "TANIST1:g:1:zz", "TANIST1:g:x:0000000000000000000000000000000000000000"]
        {
            assert_eq!(Marker::parse(other.as_bytes()), None);
        }
    }

    #[test]
    fn acks_as_redis_sends_them_and_ours() {
        let mut out = Vec::new();
        put_ack(&mut out, Ack { applied: LogPos(5), fsynced: None, epoch: None });
        assert_eq!(out, b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n5\r\n");
        out.clear();
        put_ack(&mut out, Ack { applied: LogPos(5), fsynced: Some(LogPos(4)), epoch: Some(Epoch(2)) });
        assert!(out.ends_with(b"$4\r\nFACK\r\n$1\r\n4\r\n$5\r\nEPOCH\r\n$1\r\n2\r\n"));
    }
}
