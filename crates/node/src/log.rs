//! Building the entries of the replication log: the one place where a change of data becomes bytes.
//!
//! While a command runs, its effects collect here. When it is done, the node wraps several effects of one
//! command or transaction into `MULTI` and `EXEC` and appends them as one entry; a single effect stands alone.
//! Effects are what replicas apply: absolute expiry times, chosen members, no randomness.

use tanist_resp::{Args, encode_command};
use tanist_types::DbIndex;

/// The effects of the command or transaction that is running.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Encoded commands; a `SELECT` precedes each change of database but the first.
    bytes: Vec<u8>,
    count: usize,
    first_db: Option<DbIndex>,
    last_db: Option<DbIndex>,
}

impl Effects {
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a command as it came in.
    pub(crate) fn add_verbatim(&mut self, db: DbIndex, args: Args<'_, '_>) {
        self.select(db);
        self.count += 1;
        args.encode_to(&mut self.bytes);
    }

    /// Adds a command made by the node.
    pub(crate) fn add(&mut self, db: DbIndex, args: &[&[u8]]) {
        self.select(db);
        self.count += 1;
        encode_command(&mut self.bytes, args);
    }

    fn select(&mut self, db: DbIndex) {
        if self.first_db.is_none() {
            self.first_db = Some(db);
        } else if self.last_db != Some(db) {
            encode_select(&mut self.bytes, db);
        }
        self.last_db = Some(db);
    }

    /// Hands the entry to `append`, piece by piece, for a log whose end has `selected` selected, and starts anew.
    /// Returns the database selected at the new end.
    pub(crate) fn take_entry(
        &mut self,
        selected: Option<DbIndex>,
        mut append: impl FnMut(&[u8]),
    ) -> Option<DbIndex> {
        if self.count == 0 {
            return selected;
        }
        if let Some(db) = self.first_db
            && selected != Some(db)
        {
            let mut select = Vec::new();
            encode_select(&mut select, db);
            append(&select);
        }
        if self.count > 1 {
            append(b"*1\r\n$5\r\nMULTI\r\n");
            append(&self.bytes);
            append(b"*1\r\n$4\r\nEXEC\r\n");
        } else {
            append(&self.bytes);
        }
        let end = self.last_db.or(selected);
        self.clear();
        end
    }

    /// Forgets the effects (nobody reads the log).
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
        self.first_db = None;
        self.last_db = None;
    }
}

fn encode_select(out: &mut Vec<u8>, db: DbIndex) {
    let mut digits = itoa::Buffer::new();
    encode_command(out, &[b"SELECT", digits.format(db.0).as_bytes()]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(effects: &mut Effects, selected: Option<DbIndex>) -> (String, Option<DbIndex>) {
        let mut log = Vec::new();
        let end = effects.take_entry(selected, |piece| log.extend_from_slice(piece));
        let words: Vec<String> = String::from_utf8_lossy(&log)
            .split("\r\n")
            .filter(|w| !w.is_empty() && !w.starts_with(['*', '$']))
            .map(String::from)
            .collect();
        (words.join(" "), end)
    }

    #[test]
    fn one_effect_stands_alone() {
        let mut e = Effects::default();
        e.add(DbIndex(0), &[b"DEL", b"a"]);
        assert_eq!(entry(&mut e, Some(DbIndex(0))), ("DEL a".into(), Some(DbIndex(0))));
        assert!(e.is_empty());
    }

    #[test]
    fn the_database_is_selected_when_the_log_has_another_one() {
        let mut e = Effects::default();
        e.add(DbIndex(3), &[b"DEL", b"a"]);
        assert_eq!(entry(&mut e, Some(DbIndex(0))), ("SELECT 3 DEL a".into(), Some(DbIndex(3))));
        e.add(DbIndex(3), &[b"DEL", b"b"]);
        assert_eq!(entry(&mut e, None), ("SELECT 3 DEL b".into(), Some(DbIndex(3))));
    }

    #[test]
    fn several_effects_are_one_transaction() {
        let mut e = Effects::default();
        e.add(DbIndex(1), &[b"DEL", b"a"]);
        e.add(DbIndex(2), &[b"DEL", b"b"]);
        let (text, end) = entry(&mut e, Some(DbIndex(1)));
        assert_eq!(text, "MULTI DEL a SELECT 2 DEL b EXEC");
        assert_eq!(end, Some(DbIndex(2)));
    }

    #[test]
    fn no_effect_is_no_entry() {
        assert_eq!(entry(&mut Effects::default(), Some(DbIndex(4))), (String::new(), Some(DbIndex(4))));
    }
}
