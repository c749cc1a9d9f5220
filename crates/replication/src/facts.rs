//! What a replica has told about itself with `REPLCONF`.

use crate::wire::Ack;
use tanist_resp::Args;
use tanist_types::{BootCount, Epoch, LogPos, NodeId, RunId};

/// Which parts of a snapshot a link wants (`REPLCONF rdb-filter-only`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SnapshotFilter {
    /// Everything.
    #[default]
    All,
    /// Function libraries only.
    Functions,
    /// Nothing but the frame.
    Nothing,
}

/// Who a Tanist replica is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TanistId {
    /// Its group, if it belongs to one.
    pub group: Option<String>,
    /// The node.
    pub node: NodeId,
    /// Its present run.
    pub run: RunId,
    /// How often it has started.
    pub boot: BootCount,
}

/// A replica's own account of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReplicaFacts {
    /// Where it listens for clients.
    pub port: Option<u16>,
    /// The address to announce in place of the connection's.
    pub ip: Option<String>,
    /// Reads a snapshot that ends with a mark.
    pub eof: bool,
    /// Understands a new id in `+CONTINUE`.
    pub psync2: bool,
    /// A Tanist node.
    pub tanist: bool,
    /// Its version as major, minor, patch.
    pub version: Option<[u32; 3]>,
    /// Wants a snapshot and no log.
    pub rdb_only: bool,
    /// What it wants of the snapshot.
    pub filter: SnapshotFilter,
    /// Who it is.
    pub id: Option<TanistId>,
    /// The epochs that it has promised and accepted.
    pub epochs: Option<(Epoch, Epoch)>,
}

/// What a `REPLCONF` command asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replconf {
    /// Facts were noted: reply OK.
    Noted,
    /// An acknowledgement: no reply.
    Ack(Ack),
    /// The primary wants one: no reply, but an acknowledgement at once.
    GetAck,
}

/// The command cannot be understood; the text is the error reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadReplconf(pub String);

impl ReplicaFacts {
    /// Takes in one `REPLCONF` command (`args[0]` is its name). Facts are noted all or none.
    ///
    /// # Errors
    /// When an option or its value is not understood. Unknown capabilities are no error.
    pub fn replconf(&mut self, args: Args<'_, '_>) -> Result<Replconf, BadReplconf> {
        let args: Vec<&[u8]> = args.iter().skip(1).collect();
        let mut facts = self.clone();
        let mut rest = args.as_slice();
        while let [option, value, more @ ..] = rest {
            rest = more;
            match option.to_ascii_lowercase().as_slice() {
                b"listening-port" => facts.port = Some(number(value)?),
                b"ip-address" => facts.ip = Some(address(value)?),
                b"capa" => facts.capability(value),
                b"version" => facts.version = version(value),
                b"rdb-only" => {
                    facts.rdb_only = match number::<u8>(value) {
                        Ok(n @ (0 | 1)) => n == 1,
                        _ => {
                            return Err(BadReplconf(
                                "ERR value is out of range, value must between 0 and 1".into(),
                            ));
                        }
                    };
                }
                b"rdb-filter-only" => facts.filter = filter(value)?,
                b"getack" => return Ok(Replconf::GetAck),
                b"ack" => return ack(value, more).map(Replconf::Ack),
                b"tanist-id" => {
                    let [node, run, boot, more @ ..] = more else { return Err(syntax()) };
                    rest = more;
                    facts.id = Some(tanist_id(value, node, run, boot)?);
                }
                b"tanist-pos" => {
                    let [accepted, more @ ..] = more else { return Err(syntax()) };
                    rest = more;
                    facts.epochs = Some((Epoch(number(value)?), Epoch(number(accepted)?)));
                }
                _ => return Err(unknown(option)),
            }
        }
        if !rest.is_empty() {
            return Err(syntax());
        }
        *self = facts;
        Ok(Replconf::Noted)
    }

    fn capability(&mut self, name: &[u8]) {
        match name.to_ascii_lowercase().as_slice() {
            b"eof" => self.eof = true,
            b"psync2" => self.psync2 = true,
            b"tanist" => self.tanist = true,
            _ => {}
        }
    }

    /// Whether it has the data once it is in step. A backup tool that takes a snapshot, or somebody who only listens to
    /// the log (`redis-cli --replica`), could not take over and has nothing to lose.
    #[must_use]
    pub fn keeps_data(&self) -> bool {
        !self.rdb_only && self.filter == SnapshotFilter::All
    }

    /// Whether it is known to read RDB version 11 (`docs/decisions`).
    #[must_use]
    pub fn reads_rdb_11(&self) -> bool {
        self.tanist || self.version.is_some_and(|v| v >= [7, 2, 0])
    }

    /// Whether it is known to read what Valkey 9 writes. Only Valkey, from 8 on, and Tanist tell a version.
    #[must_use]
    pub fn reads_valkey_80(&self) -> bool {
        self.tanist || self.version.is_some_and(|v| v >= [9, 0, 0])
    }
}

fn syntax() -> BadReplconf {
    BadReplconf("ERR syntax error".into())
}

fn unknown(option: &[u8]) -> BadReplconf {
    BadReplconf(format!("ERR Unrecognized REPLCONF option: {}", String::from_utf8_lossy(option)))
}

fn text(value: &[u8]) -> Result<&str, BadReplconf> {
    std::str::from_utf8(value).map_err(|_| syntax())
}

fn number<T: std::str::FromStr>(value: &[u8]) -> Result<T, BadReplconf> {
    text(value)?.parse().map_err(|_| BadReplconf("ERR value is not an integer or out of range".into()))
}

fn address(value: &[u8]) -> Result<String, BadReplconf> {
    let text = text(value)?;
    if text.len() > 255 || text.bytes().any(|b| b.is_ascii_control() || b == b' ') {
        return Err(BadReplconf(
            "ERR REPLCONF ip-address provided by replica instance is too long or malformed".into(),
        ));
    }
    Ok(text.to_owned())
}

fn version(value: &[u8]) -> Option<[u32; 3]> {
    let mut parts = text(value).ok()?.split('.').map(|p| p.parse().ok());
    Some([parts.next()??, parts.next().flatten().unwrap_or(0), parts.next().flatten().unwrap_or(0)])
}

fn filter(value: &[u8]) -> Result<SnapshotFilter, BadReplconf> {
    let mut filter = SnapshotFilter::Nothing;
    for word in text(value)?.split_ascii_whitespace() {
        if word.eq_ignore_ascii_case("functions") {
            filter = SnapshotFilter::Functions;
        } else {
            return Err(BadReplconf(format!("ERR Unsupported rdb-filter-only option: {word}")));
        }
    }
    Ok(filter)
}

fn ack(applied: &[u8], rest: &[&[u8]]) -> Result<Ack, BadReplconf> {
    let mut ack = Ack { applied: LogPos(number(applied)?), fsynced: None, epoch: None };
    for pair in rest.chunks(2) {
        match pair {
            [name, value] if name.eq_ignore_ascii_case(b"fack") => ack.fsynced = Some(LogPos(number(value)?)),
            [name, value] if name.eq_ignore_ascii_case(b"epoch") => ack.epoch = Some(Epoch(number(value)?)),
            _ => return Err(syntax()),
        }
    }
    Ok(ack)
}

fn tanist_id(group: &[u8], node: &[u8], run: &[u8], boot: &[u8]) -> Result<TanistId, BadReplconf> {
    let group = address(group)?;
    Ok(TanistId {
        group: (group != "-").then_some(group),
        node: NodeId::parse(node).map_err(|_| syntax())?,
        run: RunId::parse(run).map_err(|_| syntax())?,
        boot: BootCount(number(boot)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(facts: &mut ReplicaFacts, words: &str) -> Result<Replconf, BadReplconf> {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        facts.replconf(Args::from_slices(&words))
    }

    #[test]
    fn what_redis_and_tanist_replicas_say() {
        let mut facts = ReplicaFacts::default();
        let id = "a".repeat(40);
        for words in [
            "REPLCONF listening-port 6380",
            "REPLCONF ip-address 10.0.0.7",
            "REPLCONF capa eof capa psync2 capa some-future-thing",
            "REPLCONF version 8.0.6",
            "REPLCONF rdb-only 1",
            "REPLCONF rdb-filter-only functions",
            &format!("REPLCONF tanist-id mygroup {id} {id} 3"),
            "REPLCONF tanist-pos 7 5",
        ] {
            assert_eq!(tell(&mut facts, words), Ok(Replconf::Noted), "{words}");
        }
        assert_eq!((facts.port, facts.ip.as_deref()), (Some(6380), Some("10.0.0.7")));
        assert!(facts.eof && facts.psync2 && !facts.tanist && facts.rdb_only && facts.reads_rdb_11());
        assert_eq!(facts.filter, SnapshotFilter::Functions);
        assert_eq!(facts.epochs, Some((Epoch(7), Epoch(5))));
        assert_eq!(facts.id.map(|id| (id.group, id.boot)), Some((Some("mygroup".into()), BootCount(3))));
    }

    #[test]
    fn who_wants_a_part_keeps_no_data() {
        for (words, keeps) in [
            ("REPLCONF capa eof", true),
            ("REPLCONF rdb-only 1", false),
            ("REPLCONF rdb-filter-only functions", false),
        ] {
            let mut facts = ReplicaFacts::default();
            assert_eq!(tell(&mut facts, words), Ok(Replconf::Noted));
            assert_eq!(facts.keeps_data(), keeps, "{words}");
        }
    }

    #[test]
    fn acknowledgements() {
        let mut facts = ReplicaFacts::default();
        let ack = |applied, fsynced: Option<u64>, epoch: Option<u64>| {
            Ok(Replconf::Ack(Ack {
                applied: LogPos(applied),
                fsynced: fsynced.map(LogPos),
                epoch: epoch.map(Epoch),
            }))
        };
        assert_eq!(tell(&mut facts, "REPLCONF ACK 100"), ack(100, None, None));
        assert_eq!(tell(&mut facts, "replconf ack 100 FACK 90 EPOCH 4"), ack(100, Some(90), Some(4)));
        assert_eq!(tell(&mut facts, "REPLCONF GETACK *"), Ok(Replconf::GetAck));
    }

    #[test]
    fn a_bad_command_changes_nothing() {
        let mut facts = ReplicaFacts::default();
        for bad in [
            "REPLCONF listening-port 1 nonsense 2",
            "REPLCONF listening-port 1 ip-address",
            "REPLCONF listening-port 99999",
            "REPLCONF listening-port 1 rdb-filter-only keys",
            "REPLCONF listening-port 1 ACK -5",
            "REPLCONF listening-port 1 tanist-id g x y 1",
            "REPLCONF listening-port 1 tanist-pos 1",
        ] {
            assert!(tell(&mut facts, bad).is_err(), "{bad}");
            assert_eq!(facts, ReplicaFacts::default(), "{bad}");
        }
    }
}
