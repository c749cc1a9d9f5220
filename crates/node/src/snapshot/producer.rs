//! Turning the key space into the bytes of a snapshot, slice by slice.

use crate::values::{self, pieces};
use tanist_keyspace::{Entry, Keyspace, SnapshotPart, ValueRef};
use tanist_rdb::{Aux, RdbVersion, TypeCode, Writer};
use tanist_types::{DbIndex, LogPos, ReplId, UnixMs};

/// Collections of more bytes come in pieces: as much as can be copied and encoded without delay.
const WHOLE: usize = 64 << 10;

/// What a snapshot says about itself in front of the data.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// When it was begun.
    pub(crate) at: UnixMs,
    /// The memory in use then.
    pub(crate) used_memory: u64,
    /// Where in which history it was cut, and the database selected there; `None` without a log.
    pub(crate) log: Option<(ReplId, LogPos, Option<DbIndex>)>,
    /// All histories of the log, as text.
    pub(crate) lineage: Option<String>,
    /// The code of function libraries.
    pub(crate) functions: Vec<Vec<u8>>,
}

/// A snapshot that is being produced. The keyspace holds the matching state until [`Producer::slice`] says done.
#[derive(Debug)]
pub(crate) struct Producer {
    writer: Option<Writer>,
    version: RdbVersion,
    db: Option<DbIndex>,
    /// The type of the large collection that is being written.
    kind: TypeCode,
    /// Keys and expiring keys of each database at the beginning.
    counts: Vec<(DbIndex, u64, u64)>,
    pub(crate) emitted: u64,
    pub(crate) total: u64,
}

impl Producer {
    /// Begins a snapshot of the data as they are now.
    pub(crate) fn begin(
        data: &mut Keyspace,
        version: RdbVersion,
        options: (bool, bool),
        head: Head,
    ) -> Producer {
        let writer = Producer::headed(version, options, &head);
        data.snapshot_begin(WHOLE);
        let counts = data.snapshot_counts();
        let total = counts.iter().map(|&(_, keys, _)| keys).sum();
        let kind = TypeCode::STRING;
        Producer { writer: Some(writer), version, db: None, kind, counts, emitted: 0, total }
    }

    /// The bytes of a snapshot without data.
    pub(crate) fn empty(version: RdbVersion, head: &Head) -> Vec<u8> {
        Producer::headed(version, (false, true), head).finish()
    }

    fn headed(version: RdbVersion, options: (bool, bool), head: &Head) -> Writer {
        let (compress, checksum) = options;
        let mut writer = Writer::new(version).compress(compress).checksum(checksum);
        writer.aux("redis-ver", Aux::Text(crate::REDIS_VERSION.as_bytes()));
        writer.aux("redis-bits", Aux::Number(64));
        writer.aux("ctime", Aux::Number(head.at.secs()));
        writer.aux("used-mem", Aux::Number(head.used_memory as i64));
        if let Some((id, position, db)) = head.log {
            writer.aux("repl-stream-db", Aux::Number(db.map_or(-1, |db| i64::from(db.0))));
            writer.aux("repl-id", Aux::Text(&id.hex()));
            writer.aux("repl-offset", Aux::Number(position.0 as i64));
        }
        if let Some(lineage) = &head.lineage {
            writer.aux("tanist-lineage", Aux::Text(lineage.as_bytes()));
        }
        writer.aux("aof-base", Aux::Number(0));
        for code in &head.functions {
            writer.function(code);
        }
        writer
    }

    /// Appends about `budget` further bytes to `out`; says whether the snapshot is complete.
    pub(crate) fn slice(&mut self, data: &mut Keyspace, budget: usize, out: &mut Vec<u8>) -> bool {
        let Some(mut writer) = self.writer.take() else { return true };
        let (current, kind, counts, version) = (&mut self.db, &mut self.kind, &self.counts, self.version);
        let progress = data.snapshot_next(budget, &mut |db, part| {
            if *current != Some(db) {
                writer.select(db);
                if current.is_none_or(|last| last < db)
                    && let Some(&(_, keys, expires)) = counts.iter().find(|c| c.0 == db)
                {
                    writer.resize(keys, expires);
                }
                *current = Some(db);
            }
            match part {
                SnapshotPart::Entry(entry) => write_entry(&mut writer, entry, version),
                SnapshotPart::Begin(head) => {
                    *kind = pieces::kind(head.outline, version);
                    pieces::begin(head.outline, &mut writer.begin(head.key, *kind, head.expiry));
                }
                SnapshotPart::Piece(piece) => pieces::put(piece, *kind, &mut writer.go_on()),
                SnapshotPart::End(outline) => pieces::end(outline, *kind, &mut writer.go_on()),
            }
        });
        let done = progress.as_ref().is_none_or(|p| p.done);
        self.emitted = progress.map_or(self.total, |p| p.emitted);
        if done {
            out.extend(writer.finish());
        } else {
            writer.take_into(out);
            self.writer = Some(writer);
        }
        done
    }
}

fn write_entry(writer: &mut Writer, entry: Entry<'_>, version: RdbVersion) {
    match entry.value() {
        ValueRef::Str(text) => writer.entry(entry.key(), values::rdb_str(text), entry.expiry()),
        value => {
            let kind = values::kind(value, version);
            values::encode(value, kind, &mut writer.begin(entry.key(), kind, entry.expiry()));
        }
    }
}
