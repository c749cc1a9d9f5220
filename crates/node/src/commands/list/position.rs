//! Finding elements: `LPOS`.

use super::super::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::List;
use tanist_resp::Args;

/// Which of the elements that are found are told.
#[derive(Clone, Copy)]
struct Options {
    /// From the first one (1, 2, ...) or the last one (-1, -2, ...) on.
    rank: i64,
    /// So many, as an array; zero is all.
    count: Option<usize>,
    /// So many elements are looked at; zero is all.
    among: usize,
}

impl Options {
    fn parse(args: Args<'_, '_>) -> Result<Options, Error> {
        let mut o = Options { rank: 1, count: None, among: 0 };
        let mut i = 3;
        while let Some(word) = args.get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let value = args.get(i + 1).ok_or(Error::SYNTAX)?;
            if is(b"RANK") {
                o.rank = rank(value)?;
            } else if is(b"COUNT") {
                o.count = Some(number(value, "ERR COUNT can't be negative")?);
            } else if is(b"MAXLEN") {
                o.among = number(value, "ERR MAXLEN can't be negative")?;
            } else {
                return Err(Error::SYNTAX);
            }
            i += 2;
        }
        Ok(o)
    }
}

fn rank(text: &[u8]) -> Result<i64, Error> {
    match parse_int(text)? {
        0 => Err(Error::fixed(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start \
             from the end of the list",
        )),
        i64::MIN => Err(Error::fixed(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        )),
        rank => Ok(rank),
    }
}

fn number(text: &[u8], error: &'static str) -> Result<usize, Error> {
    let number = parse_int(text).ok().and_then(|n| usize::try_from(n).ok());
    number.ok_or(Error::fixed(error))
}

/// `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]`
pub(crate) fn lpos(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let o = Options::parse(args)?;
    let hash = ctx.hash(args, 1);
    let all = |n: usize| if n == 0 { usize::MAX } else { n };
    let skipped = usize::try_from(o.rank.unsigned_abs() - 1).unwrap_or(usize::MAX);
    ctx.view::<List, _>(args.at(1), hash, |list, reply| {
        let found = list.map(|list| list.positions(args.at(2), o.rank < 0, all(o.among)).skip(skipped));
        let mut found = found.into_iter().flatten();
        let Some(count) = o.count else {
            match found.next() {
                Some(index) => reply.int(index as i64),
                None => reply.null(),
            }
            return;
        };
        let mark = reply.deferred();
        let mut told = 0;
        for index in found.take(all(count)) {
            reply.int(index as i64);
            told += 1;
        }
        reply.finish_array(mark, told);
    })
}
