//! Reading back: what is left of the writes, and whether all nodes hold the same.

use std::io;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::writers::{Log, Outcome, key, value};
use crate::client::{Client, Value, text};
use crate::cluster::{Layout, Member};

/// The fate of all writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Acknowledged, confirmed ones included.
    pub acked: u64,
    /// Acknowledged and confirmed by a replica.
    pub confirmed: u64,
    /// Acknowledged, but not there any more.
    pub lost: u64,
    /// Of the lost ones, those that a replica had confirmed.
    pub lost_confirmed: u64,
    /// Refused.
    pub refused: u64,
    /// Refused, but there: a refusal must mean "not executed".
    pub refused_present: u64,
    /// Of unknown outcome.
    pub unknown: u64,
    /// Of unknown outcome, and there.
    pub unknown_present: u64,
    /// There, with another value than was written.
    pub wrong: u64,
}

impl Tally {
    fn count(&mut self, outcome: Outcome, found: Option<bool>) {
        let there = found.is_some();
        self.wrong += u64::from(found == Some(false));
        match outcome {
            Outcome::Acked | Outcome::Confirmed => {
                let confirmed = outcome == Outcome::Confirmed;
                self.acked += 1;
                self.confirmed += u64::from(confirmed);
                self.lost += u64::from(!there);
                self.lost_confirmed += u64::from(!there && confirmed);
            }
            Outcome::Refused => {
                self.refused += 1;
                self.refused_present += u64::from(there);
            }
            Outcome::Unknown => {
                self.unknown += 1;
                self.unknown_present += u64::from(there);
            }
        }
    }
}

const BATCH: usize = 500;

/// Reads every key of every log at `primary`.
pub fn read_back(primary: SocketAddr, password: Option<&str>, tag: &str, logs: &[Log]) -> io::Result<Tally> {
    let mut client = Client::login(primary, Duration::from_secs(20), password)?;
    let mut tally = Tally::default();
    for log in logs {
        for start in (0..log.outcomes.len()).step_by(BATCH) {
            let range = start..log.outcomes.len().min(start + BATCH);
            range.clone().for_each(|seq| client.queue(&[b"GET", key(tag, log.id, seq).as_bytes()]));
            client.flush()?;
            for seq in range {
                let found = match client.read()? {
                    Value::Null => None,
                    Value::Bulk(bytes) => Some(bytes == value(log.id, seq).as_bytes()),
                    other => return Err(io::Error::other(format!("GET answered {other:?}"))),
                };
                tally.count(log.outcomes[seq], found);
            }
        }
    }
    Ok(tally)
}

/// Removes the drill's keys from a cluster that is not its own.
pub fn clean_up(primary: SocketAddr, password: Option<&str>, tag: &str, logs: &[Log]) -> io::Result<()> {
    let mut client = Client::login(primary, Duration::from_secs(20), password)?;
    for log in logs {
        for start in (0..log.outcomes.len()).step_by(BATCH) {
            let range = start..log.outcomes.len().min(start + BATCH);
            range.clone().for_each(|seq| client.queue(&[b"DEL", key(tag, log.id, seq).as_bytes()]));
            client.flush()?;
            for _ in range {
                client.read()?;
            }
        }
    }
    Ok(())
}

/// What a node holds: its number of keys, and a digest of everything if it can make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// `DBSIZE`.
    pub keys: i64,
    /// `DEBUG DIGEST`.
    pub digest: Option<String>,
}

/// Waits until all nodes have as many keys, then compares digests; the error shows the difference.
///
/// On a cluster that others write to, the nodes never hold the same at the same moment; there only the
/// drill's own keys can be judged, and this is not asked.
pub fn same_content(layout: &Layout, limit: Duration) -> Result<Content> {
    let deadline = Instant::now() + limit;
    loop {
        let keys = layout.nodes().map(|n| keys(layout, n)).collect::<Result<Vec<_>>>();
        match keys {
            Ok(keys) if keys.windows(2).all(|w| w[0] == w[1]) => break,
            Ok(keys) if Instant::now() >= deadline => {
                bail!("the nodes hold different numbers of keys: {keys:?}")
            }
            Err(e) if Instant::now() >= deadline => return Err(e),
            _ => sleep(Duration::from_millis(100)),
        }
    }
    // As many keys, but perhaps still a write behind: a second look is fair, a third is not needed.
    for last in [false, true] {
        let contents = layout.nodes().map(|n| content(layout, n)).collect::<Result<Vec<_>>>()?;
        if contents.windows(2).all(|w| w[0] == w[1]) {
            return contents.into_iter().next().context("there is no node");
        }
        if last {
            bail!("the nodes do not hold the same: {contents:?}");
        }
        sleep(Duration::from_secs(1));
    }
    bail!("there is no node")
}

fn keys(layout: &Layout, node: &Member) -> Result<i64> {
    let mut client = Client::login(node.addr(), Duration::from_secs(20), layout.password.as_deref())?;
    let Value::Int(keys) = client.call(&["DBSIZE"])? else { bail!("{} has no DBSIZE", node.label()) };
    Ok(keys)
}

fn content(layout: &Layout, node: &Member) -> Result<Content> {
    let keys = keys(layout, node)?;
    let mut client = Client::login(node.addr(), Duration::from_secs(60), layout.password.as_deref())?;
    let digest = match client.call(&["DEBUG", "DIGEST"])? {
        Value::Error(_) => None,
        reply => text(&reply),
    };
    Ok(Content { keys, digest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fate_is_told_apart() {
        let mut t = Tally::default();
        t.count(Outcome::Acked, Some(true));
        t.count(Outcome::Acked, None);
        t.count(Outcome::Confirmed, None);
        t.count(Outcome::Confirmed, Some(false));
        t.count(Outcome::Refused, None);
        t.count(Outcome::Refused, Some(true));
        t.count(Outcome::Unknown, None);
        t.count(Outcome::Unknown, Some(true));
        let expected = Tally {
            acked: 4,
            confirmed: 2,
            lost: 2,
            lost_confirmed: 1,
            refused: 2,
            refused_present: 1,
            unknown: 2,
            unknown_present: 1,
            wrong: 1,
        };
        assert_eq!(t, expected);
    }
}
