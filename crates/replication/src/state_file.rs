//! The durable part of a node as the bytes of one small text file, with a version and a checksum.
//!
//! One `name value` per line in a fixed order; the last line is the checksum of all before it. A file that was written
//! half, damaged or made by another version is refused with the reason; it is never read in part.

use crate::lineage::{Key, Lineage};
use crate::member::{Address, Durable, DurableRole, Floor, Promise};
use crc_fast::{CrcAlgorithm, checksum};
use std::fmt::Write;
use std::str::FromStr;
use tanist_types::{BootCount, Epoch, LogPos};

const HEAD: &str = "tanist-state 1";

/// Why a state file was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StateFileError {
    /// It is something else.
    #[error("not a Tanist state file")]
    NotAStateFile,
    /// Another version wrote it.
    #[error("a state file of version {0:?}; this build reads version 1")]
    Version(String),
    /// The last line is missing: it was not written to its end.
    #[error("the state file is incomplete")]
    Incomplete,
    /// Its bytes have changed since it was written.
    #[error("the state file is damaged: checksum {stored} does not agree with its content")]
    Checksum {
        /// What the file says.
        stored: String,
    },
    /// A line is missing or makes no sense.
    #[error("the state file has no valid {0:?}")]
    Field(&'static str),
}

/// The bytes of the file.
#[must_use]
pub fn encode_state(d: &Durable) -> Vec<u8> {
    let mut text = format!("{HEAD}\n");
    let promised = d.promised.leader.map_or("-".into(), |l| l.to_string());
    let floor = d.floor.map_or("-".into(), |f| format!("{} {}", f.0.epoch, f.0.pos));
    let role = match &d.role {
        DurableRole::Primary => "primary".into(),
        DurableRole::Idle => "idle".into(),
        DurableRole::Replica(primary) => format!("replica {} {}", escape(&primary.host), primary.port),
    };
    let group = d.group.as_deref().map_or("-".into(), |g| format!("={}", escape(g)));
    let lines = [
        ("node-id", d.node.to_string()),
        ("boot", d.boot.0.to_string()),
        ("group", group),
        ("promised", format!("{} {promised}", d.promised.epoch)),
        ("accepted", d.accepted.to_string()),
        ("floor", floor),
        ("role", role),
        ("had-replicas", if d.had_replicas { "yes" } else { "no" }.into()),
        ("lineage", d.lineage.to_string()),
        ("end", d.end.to_string()),
    ];
    for (name, value) in lines {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{name} {value}");
    }
    let crc = crc(text.as_bytes());
    let _ = writeln!(text, "checksum {crc}");
    text.into_bytes()
}

/// Reads the bytes of the file.
///
/// # Errors
/// When they are not exactly what [`encode_state`] has made.
pub fn decode_state(bytes: &[u8]) -> Result<Durable, StateFileError> {
    if !bytes.starts_with(b"tanist-state ") {
        return Err(if b"tanist-state ".starts_with(bytes) {
            StateFileError::Incomplete
        } else {
            StateFileError::NotAStateFile
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|_| StateFileError::Checksum { stored: "?".into() })?;
    let (head, _) = text.split_once('\n').ok_or(StateFileError::Incomplete)?;
    if head != HEAD {
        return Err(StateFileError::Version(head.trim_start_matches("tanist-state ").to_owned()));
    }
    let (body, stored) = text
        .strip_suffix('\n')
        .and_then(|t| t.rsplit_once("\nchecksum "))
        .ok_or(StateFileError::Incomplete)?;
    if crc(&bytes[..=body.len()]) != stored {
        return Err(StateFileError::Checksum { stored: stored.to_owned() });
    }
    let mut lines = body.lines().skip(1);
    let mut next = |name: &'static str| {
        let value = lines.next().and_then(|l| l.strip_prefix(name)?.strip_prefix(' '));
        value.map(|v| (name, v)).ok_or(StateFileError::Field(name))
    };
    let durable = Durable {
        node: parse(next("node-id")?)?,
        boot: BootCount(parse(next("boot")?)?),
        group: with(next("group")?, group)?,
        promised: with(next("promised")?, promise)?,
        accepted: Epoch(parse(next("accepted")?)?),
        floor: with(next("floor")?, floor)?,
        role: with(next("role")?, role)?,
        had_replicas: with(next("had-replicas")?, yes_no)?,
        lineage: parse::<Lineage>(next("lineage")?)?,
        end: LogPos(parse(next("end")?)?),
    };
    Ok(durable)
}

fn crc(bytes: &[u8]) -> String {
    format!("{:016x}", checksum(CrcAlgorithm::Crc64Redis, bytes))
}

fn parse<T: FromStr>((name, value): (&'static str, &str)) -> Result<T, StateFileError> {
    value.parse().map_err(|_| StateFileError::Field(name))
}

fn with<T>(
    (name, value): (&'static str, &str),
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, StateFileError> {
    read(value).ok_or(StateFileError::Field(name))
}

fn group(value: &str) -> Option<Option<String>> {
    match value {
        "-" => Some(None),
        _ => Some(Some(unescape(value.strip_prefix('=')?)?)),
    }
}

fn promise(value: &str) -> Option<Promise> {
    let (epoch, leader) = value.split_once(' ')?;
    let leader = if leader == "-" { None } else { Some(leader.parse().ok()?) };
    Some(Promise { epoch: Epoch(epoch.parse().ok()?), leader })
}

fn floor(value: &str) -> Option<Option<Floor>> {
    if value == "-" {
        return Some(None);
    }
    let (epoch, pos) = value.split_once(' ')?;
    Some(Some(Floor(Key { epoch: Epoch(epoch.parse().ok()?), pos: LogPos(pos.parse().ok()?) })))
}

fn role(value: &str) -> Option<DurableRole> {
    let words: Vec<&str> = value.split(' ').collect();
    match words.as_slice() {
        ["primary"] => Some(DurableRole::Primary),
        ["idle"] => Some(DurableRole::Idle),
        ["replica", host, port] => {
            Some(DurableRole::Replica(Address { host: unescape(host)?, port: port.parse().ok()? }))
        }
        _ => None,
    }
}

fn yes_no(value: &str) -> Option<bool> {
    match value {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Makes any text a single word of printable characters, `%` and two digits for each byte that is not.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_graphic() && b != b'%' {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02x}");
        }
    }
    out
}

fn unescape(word: &str) -> Option<String> {
    let mut parts = word.split('%');
    let mut out = parts.next()?.as_bytes().to_vec();
    for part in parts {
        out.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        out.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tanist_types::{ReplId, Rng, RunId};

    fn full() -> Durable {
        let mut rng = Rng::from_seed(5);
        let mut durable = Durable::fresh(&mut rng);
        durable.boot = BootCount(7);
        durable.group = Some("my group\n%-ö".into());
        durable.promised = Promise { epoch: Epoch(9), leader: Some(RunId::random(&mut rng)) };
        durable.accepted = Epoch(8);
        durable.floor = Some(Floor::after(Epoch(8)));
        durable.role = DurableRole::Replica(Address { host: "a b%\r\n::1".into(), port: 6379 });
        durable.had_replicas = true;
        durable.lineage.shift(ReplId::random(&mut rng), Epoch(8), LogPos(500));
        durable.end = LogPos(u64::MAX);
        durable
    }

    #[test]
    fn there_and_back() {
        let fresh = Durable::fresh(&mut Rng::from_seed(1));
        let odd = Durable { group: Some("-".into()), role: DurableRole::Idle, ..fresh.clone() };
        for durable in [full(), fresh, odd] {
            assert_eq!(decode_state(&encode_state(&durable)), Ok(durable));
        }
    }

    #[test]
    fn half_a_file_is_refused() {
        let bytes = encode_state(&full());
        for end in 0..bytes.len() {
            let error = decode_state(&bytes[..end]).unwrap_err();
            assert!(
                matches!(error, StateFileError::Incomplete | StateFileError::Checksum { .. }),
                "{end}: {error}"
            );
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let bytes = encode_state(&full());
        for i in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= 1;
            assert!(decode_state(&bad).is_err(), "{i}");
        }
    }

    #[test]
    fn other_files_and_versions_are_named() {
        assert_eq!(decode_state(b"port 6379\n"), Err(StateFileError::NotAStateFile));
        assert_eq!(decode_state(b"tanist-state 2\n..."), Err(StateFileError::Version("2".into())));
        assert_eq!(decode_state(b""), Err(StateFileError::Incomplete));
    }

    #[test]
    fn a_file_with_a_good_checksum_still_has_to_make_sense() {
        let text = String::from_utf8(encode_state(&full())).unwrap();
        for (from, to, field) in [
            ("boot 7", "boot seven", "boot"),
            ("role replica ", "role replicant ", "role"),
            ("had-replicas yes", "had-replicas maybe", "had-replicas"),
            ("accepted 8", "accepted -8", "accepted"),
        ] {
            let body = text.replace(from, to);
            let body = &body[..body.find("checksum").unwrap()];
            let bad = format!("{body}checksum {}\n", crc(body.as_bytes()));
            assert_eq!(decode_state(bad.as_bytes()), Err(StateFileError::Field(field)));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), head in any::<bool>()) {
            let bytes = if head { [&b"tanist-state 1\n"[..], &bytes].concat() } else { bytes };
            prop_assert!(decode_state(&bytes).is_err());
        }
    }
}
