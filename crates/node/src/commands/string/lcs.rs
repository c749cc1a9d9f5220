//! `LCS`: the longest common subsequence of two strings.
//!
//! The classic table of lengths of all pairs of prefixes, then the way back from its far corner. Time and memory grow
//! with the product of both lengths.

use super::str_of;
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;

/// What is wanted of the subsequence.
#[derive(Clone, Copy, Default)]
struct Options {
    len: bool,
    idx: bool,
    with_match_len: bool,
    /// Matches shorter than this are left out.
    min_match_len: i64,
}

impl Options {
    fn parse(args: Args<'_, '_>) -> Result<Options, Error> {
        let mut o = Options::default();
        let mut i = 3;
        while let Some(word) = args.get(i) {
            if word.eq_ignore_ascii_case(b"IDX") {
                o.idx = true;
            } else if word.eq_ignore_ascii_case(b"LEN") {
                o.len = true;
            } else if word.eq_ignore_ascii_case(b"WITHMATCHLEN") {
                o.with_match_len = true;
            } else if word.eq_ignore_ascii_case(b"MINMATCHLEN") && i + 1 < args.len() {
                i += 1;
                o.min_match_len = parse_int(args.at(i))?.max(0);
            } else {
                return Err(Error::SYNTAX);
            }
            i += 1;
        }
        if o.idx && o.len {
            return Err(Error::new("ERR If you want both the length and indexes, please just use IDX."));
        }
        Ok(o)
    }
}

/// `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]`
pub(crate) fn lcs(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    // Both are read before either is judged, so that a miss is told of.
    let (a, b) = (text(ctx, args, 1), text(ctx, args, 2));
    let (a, b) = (a?, b?);
    let options = Options::parse(args)?;
    let table = Table::new(&a, &b, ctx.node.config.proto_max_bulk_len)?;
    if options.idx {
        reply_matches(ctx, &table, options);
    } else if options.len {
        ctx.reply().int(table.len().into());
    } else {
        ctx.reply().bulk(&table.subsequence());
    }
    Ok(())
}

/// A copy of the string at argument `i`; empty if there is none.
fn text(ctx: &mut Ctx<'_>, args: Args<'_, '_>, i: usize) -> Result<Vec<u8>, Error> {
    let hash = ctx.hash(args, i);
    ctx.read(args.at(i), hash, |found, _| match found.map(str_of).transpose() {
        Ok(None) => Ok(Vec::new()),
        Ok(Some(value)) => Ok(value.as_bytes(&mut itoa::Buffer::new()).to_vec()),
        Err(_) => Err(Error::new("ERR The specified keys must contain string values")),
    })
}

fn reply_matches(ctx: &mut Ctx<'_>, table: &Table<'_>, options: Options) {
    let matches = table.matches();
    let long = matches.iter().filter(|m| i64::from(m.len) >= options.min_match_len);
    let mut reply = ctx.reply();
    reply.map(2);
    reply.bulk(b"matches");
    let mark = reply.deferred();
    let mut count = 0;
    for m in long {
        count += 1;
        reply.array(if options.with_match_len { 3 } else { 2 });
        for start in [m.a, m.b] {
            reply.array(2);
            reply.int(start.into());
            reply.int((start + m.len - 1).into());
        }
        if options.with_match_len {
            reply.int(m.len.into());
        }
    }
    reply.finish_array(mark, count);
    reply.bulk(b"len");
    reply.int(table.len().into());
}

/// A run of bytes that both strings have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Match {
    a: u32,
    b: u32,
    len: u32,
}

/// The lengths of the longest common subsequences of all pairs of prefixes.
struct Table<'t> {
    a: &'t [u8],
    b: &'t [u8],
    lens: Vec<u32>,
}

impl<'t> Table<'t> {
    fn new(a: &'t [u8], b: &'t [u8], max_bytes: u64) -> Result<Table<'t>, Error> {
        let cells = (a.len() as u64 + 1).saturating_mul(b.len() as u64 + 1);
        if cells.saturating_mul(4) > max_bytes {
            return Err(Error::new(
                "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
            ));
        }
        let mut lens = Vec::new();
        if lens.try_reserve_exact(cells as usize).is_err() {
            return Err(Error::new("ERR Insufficient memory, failed allocating transient memory for LCS"));
        }
        lens.resize(cells as usize, 0);
        let mut table = Table { a, b, lens };
        for i in 1..=a.len() {
            for j in 1..=b.len() {
                let at = table.at(i, j);
                table.lens[at] = if a[i - 1] == b[j - 1] {
                    table.lens[table.at(i - 1, j - 1)] + 1
                } else {
                    table.lens[table.at(i - 1, j)].max(table.lens[table.at(i, j - 1)])
                };
            }
        }
        Ok(table)
    }

    fn at(&self, i: usize, j: usize) -> usize {
        i * (self.b.len() + 1) + j
    }

    fn len(&self) -> u32 {
        self.lens[self.lens.len() - 1]
    }

    /// Walks back from the far corner: gives each pair of equal bytes, the last first.
    fn walk_back(&self, mut pair: impl FnMut(usize, usize)) {
        let (mut i, mut j) = (self.a.len(), self.b.len());
        while i > 0 && j > 0 {
            if self.a[i - 1] == self.b[j - 1] {
                i -= 1;
                j -= 1;
                pair(i, j);
            } else if self.lens[self.at(i - 1, j)] > self.lens[self.at(i, j - 1)] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
    }

    fn subsequence(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len() as usize);
        self.walk_back(|i, _| bytes.push(self.a[i]));
        bytes.reverse();
        bytes
    }

    /// The runs of the subsequence, the last first.
    fn matches(&self) -> Vec<Match> {
        let mut runs: Vec<Match> = Vec::new();
        self.walk_back(|i, j| {
            let (i, j) = (i as u32, j as u32);
            match runs.last_mut() {
                Some(run) if run.a == i + 1 && run.b == j + 1 => {
                    *run = Match { a: i, b: j, len: run.len + 1 };
                }
                _ => runs.push(Match { a: i, b: j, len: 1 }),
            }
        });
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documentation() {
        let (a, b) = (b"ohmytext", b"mynewtext");
        let table = Table::new(a, b, 1 << 20).expect("small");
        assert_eq!((table.len(), table.subsequence()), (6, b"mytext".to_vec()));
        assert_eq!(table.matches(), [Match { a: 4, b: 5, len: 4 }, Match { a: 2, b: 0, len: 2 }]);
    }

    #[test]
    fn the_table_may_not_outgrow_the_limit() {
        assert!(Table::new(&[0; 100], &[0; 100], 4 * 101 * 101).is_ok());
        assert!(Table::new(&[0; 100], &[0; 100], 4 * 101 * 101 - 1).is_err());
    }
}
