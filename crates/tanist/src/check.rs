//! `tanist check FILE...`: whether a file that a node or a sentinel would read can be read.
//!
//! What a file is shows in its content, not in its name. The readers are those of the servers themselves, so
//! the verdict is theirs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use tanist_config::file::ConfigFile;
use tanist_config::{Included, Loaded};
use tanist_rdb::{Item, Limits, Reader};
use tanist_replication::decode_state;
use tanist_runtime::include::include;

use crate::output::report;

/// Check configuration, state and snapshot files
#[derive(Args, Debug)]
pub struct Check {
    /// redis.conf, sentinel.conf, a node's state file, an RDB file
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Check {
    /// Prints a line or more for each file; returns whether all are good.
    pub fn execute(&self) -> Result<bool> {
        let mut good = true;
        for path in &self.files {
            match check(path) {
                Ok(findings) => report(format_args!("{}: {}", path.display(), findings.join("\n    ")))?,
                Err(e) => {
                    good = false;
                    report(format_args!("{}: BAD: {}", path.display(), format!("{e:#}").trim_start()))?;
                }
            }
        }
        Ok(good)
    }
}

/// The verdict first, then details.
fn check(path: &Path) -> Result<Vec<String>> {
    let mut file = File::open(path).context("cannot be opened")?;
    let mut head = Vec::new();
    file.by_ref().take(16).read_to_end(&mut head).context("cannot be read")?;
    if head.starts_with(b"REDIS") || head.starts_with(b"VALKEY") {
        return snapshot(&head, file);
    }
    let mut text = head;
    file.read_to_end(&mut text).context("cannot be read")?;
    if text.starts_with(b"tanist-state") {
        return state(&text);
    }
    let parsed = ConfigFile::parse(&text)?;
    if parsed.statements().any(|s| s.name == "sentinel") {
        let (name, lines) = (path.display().to_string(), parsed.lines.len());
        let text = tanist_sentinel::core::config_text(&name, text).map_err(anyhow::Error::msg)?;
        tanist_sentinel::core::Config::parse_with(&text, "", &mut include)?;
        return Ok(vec![format!("sentinel configuration, {lines} lines, good")]);
    }
    node_configuration(&text)
}

fn node_configuration(text: &[u8]) -> Result<Vec<String>> {
    let mut patterns = Vec::new();
    let mut read = |name: &str| {
        if name.contains(['*', '?', '[']) {
            patterns.push(format!("include {name}: a pattern; check its files by themselves"));
            return Ok(Vec::new());
        }
        let bytes = std::fs::read(name).map_err(|e| e.to_string())?;
        Ok(vec![Included { path: name.to_owned(), bytes }])
    };
    let loaded = Loaded::read(text, &mut read)?;
    let mut out = vec![format!("configuration, {} directives set", loaded.seen.len())];
    out.extend(loaded.warnings);
    out.extend(patterns);
    Ok(out)
}

fn state(bytes: &[u8]) -> Result<Vec<String>> {
    let durable = decode_state(bytes)?;
    Ok(vec![
        format!("state of node {:?}, boot {:?}, {:?}", durable.node, durable.boot, durable.role),
        format!(
            "promised {:?}, accepted {:?}, log end {:?}",
            durable.promised, durable.accepted, durable.end
        ),
    ])
}

/// Reads an RDB file piece by piece: it may be larger than the memory.
fn snapshot(head: &[u8], mut file: File) -> Result<Vec<String>> {
    let mut reader = Reader::new(Limits { databases: u16::MAX, ..Limits::default() });
    reader.feed(head);
    let mut keys: BTreeMap<u16, (u64, u64)> = BTreeMap::new();
    let mut db = 0;
    let mut piece = vec![0; 256 * 1024];
    loop {
        while let Some(item) = reader.next_item().context("snapshot")? {
            match item {
                Item::SelectDb(index) => db = index.0,
                Item::Entry { expiry, .. } => {
                    let count = keys.entry(db).or_default();
                    count.0 += 1;
                    count.1 += u64::from(expiry.is_some());
                }
                _ => {}
            }
        }
        let n = file.read(&mut piece)?;
        if n == 0 {
            break;
        }
        reader.feed(&piece[..n]);
    }
    reader.finish()?;
    if !reader.rest().is_empty() {
        bail!("bytes after the end of the snapshot");
    }
    let version = reader
        .version()
        .map_or_else(|| "of unknown version".to_owned(), |v| format!("of RDB version {}", v.number()));
    let mut out = vec![format!("snapshot, {version}, complete")];
    out.extend(keys.iter().map(|(db, (n, e))| format!("db {db}: {n} keys, {e} with an expiry")));
    Ok(out)
}
