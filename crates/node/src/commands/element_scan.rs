//! What `SSCAN`, `HSCAN` and `ZSCAN` have in common: their options, and a reply whose cursor is known only at its end.

use super::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::{Cursor, Typed};
use tanist_resp::{Args, Proto, Reply};
use tanist_text::glob;

/// The options of a scan of elements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ElementScan<'b> {
    pub(crate) cursor: Cursor,
    pub(crate) count: usize,
    /// `NOVALUES`: only the names.
    pub(crate) no_values: bool,
    pattern: Option<&'b [u8]>,
}

impl<'b> ElementScan<'b> {
    /// Reads the options from argument 3 on.
    fn parse(cursor: Cursor, args: Args<'_, 'b>, may_omit_values: bool) -> Result<ElementScan<'b>, Error> {
        let mut scan = ElementScan { cursor, count: 10, no_values: false, pattern: None };
        let mut i = 3;
        while let Some(word) = args.get(i) {
            if word.eq_ignore_ascii_case(b"NOVALUES") {
                if !may_omit_values {
                    return Err(Error::new("ERR NOVALUES option can only be used in HSCAN"));
                }
                scan.no_values = true;
                i += 1;
                continue;
            }
            let value = args.get(i + 1).ok_or(Error::SYNTAX)?;
            if word.eq_ignore_ascii_case(b"COUNT") {
                scan.count = match parse_int(value)? {
                    n @ 1.. => n as usize,
                    _ => return Err(Error::SYNTAX),
                };
            } else if word.eq_ignore_ascii_case(b"MATCH") {
                scan.pattern = Some(value).filter(|pattern| *pattern != b"*");
            } else {
                return Err(Error::SYNTAX);
            }
            i += 2;
        }
        Ok(scan)
    }

    /// Whether an element of this name is asked for.
    pub(crate) fn wants(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name))
    }
}

/// Answers a scan of the collection at the first argument: `walk` writes what it finds and tells how many replies that
/// were and where to go on.
pub(crate) fn reply_scan<T: Typed>(
    ctx: &mut Ctx<'_>,
    args: Args<'_, '_>,
    may_omit_values: bool,
    walk: impl FnOnce(&T, &ElementScan<'_>, &mut Reply<'_>) -> (usize, u64),
) -> Outcome {
    let cursor = super::generic::parse_cursor(args.at(2))?;
    let (hash, at) = (ctx.hash(args, 1), ctx.out.len());
    let next = ctx.view::<T, _>(args.at(1), hash, |found, reply| {
        let mark = reply.deferred();
        // Nobody looks at the options of a scan of nothing.
        let (replies, next) = match found {
            Some(value) => walk(value, &ElementScan::parse(cursor, args, may_omit_values)?, reply),
            None => (0, 0),
        };
        reply.finish_array(mark, replies);
        Ok::<_, Error>(next)
    })??;
    let mut head = Vec::new();
    let mut first = Reply::new(&mut head, Proto::Resp2);
    first.array(2);
    first.bulk(itoa::Buffer::new().format(next).as_bytes());
    ctx.out.splice(at..at, head);
    Ok(())
}
