//! Resident memory beyond key and value, per key, of 1 M keys of 16 B.

use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use super::load::{self, KEY, Runner};
use super::server::Server;
use super::{Contender, Sample, Setting};

pub(super) fn memory(setting: &Setting, who: &Contender) -> Result<Vec<Sample>> {
    let keys = if setting.quick { 200_000 } else { 1_000_000 };
    let mut out = Vec::new();
    for value in [8, 64, 512] {
        let server = Server::start(setting, who, 0, &[])?;
        let empty = server.rss()?;
        Runner::fill(server.addr, &load::SET, keys, value)?;
        let full = settled(&server)?;
        let per_key = full.saturating_sub(empty) as f64 / keys as f64;
        out.push(Sample { row: format!("memory-{value}"), value: per_key - (KEY + value) as f64 });
    }
    Ok(out)
}

/// Resident memory once it has stayed the same for a while: allocators give freed pages back with some delay, each by
/// its own clock.
pub(super) fn settled(server: &Server) -> Result<u64> {
    let mut last = server.rss()?;
    let mut same = 0;
    for _ in 0..60 {
        sleep(Duration::from_millis(500));
        let now = server.rss()?;
        same = if now == last { same + 1 } else { 0 };
        last = now;
        if same == 4 {
            break;
        }
    }
    Ok(last)
}
