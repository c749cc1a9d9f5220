//! Parts of a string: `APPEND`, `GETRANGE` (also `SUBSTR`), `SETRANGE`.

use super::{check_len, str_of};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_resp::Args;

/// `APPEND key value`
pub(crate) fn append(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, tail, hash) = (args.at(1), args.at(2), ctx.hash(args, 1));
    if let Some(len) = len_of(ctx, args)? {
        check_len(ctx, len.saturating_add(tail.len()))?;
    }
    let len = ctx.db_mut().append(key, hash, tail);
    ctx.changed(key);
    ctx.event(b'$', "append", key);
    ctx.reply().int(len as i64);
    Ok(())
}

/// The length of the string at the first argument, if there is one.
fn len_of(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Result<Option<usize>, Error> {
    let hash = ctx.hash(args, 1);
    Ok(ctx.lookup(args.at(1), hash).map(str_of).transpose()?.map(|s| s.len()))
}

/// `SETRANGE key offset value`
pub(crate) fn setrange(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let offset = parse_int(args.at(2))?;
    let Ok(offset) = usize::try_from(offset) else {
        return Err(Error::new("ERR offset is out of range"));
    };
    let (key, part, hash) = (args.at(1), args.at(3), ctx.hash(args, 1));
    let old = len_of(ctx, args)?;
    if part.is_empty() {
        ctx.reply().int(old.unwrap_or(0) as i64);
        return Ok(());
    }
    check_len(ctx, offset.saturating_add(part.len()))?;
    let len = ctx.db_mut().set_range(key, hash, offset, part);
    ctx.changed(key);
    ctx.event(b'$', "setrange", key);
    ctx.reply().int(len as i64);
    Ok(())
}

/// `GETRANGE key start end`
pub(crate) fn getrange(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (start, end) = (parse_int(args.at(2))?, parse_int(args.at(3))?);
    let hash = ctx.hash(args, 1);
    ctx.read(args.at(1), hash, |found, reply| {
        let mut digits = itoa::Buffer::new();
        let text = match found.map(str_of).transpose()? {
            Some(value) => value.as_bytes(&mut digits),
            None => b"",
        };
        reply.bulk(&text[range(text.len(), start, end)]);
        Ok(())
    })
}

/// The bytes from `start` to `end` inclusive, negative numbers counting from the end, of a string of `len` bytes.
fn range(len: usize, start: i64, end: i64) -> std::ops::Range<usize> {
    let from_end = |n: i64| if n < 0 { n.saturating_add(len as i64).max(0) } else { n };
    let both_before = start < 0 && end < 0 && start > end;
    let (start, end) = (from_end(start), from_end(end).min(len as i64 - 1));
    if both_before || start > end { 0..0 } else { start as usize..end as usize + 1 }
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn negative_numbers_count_from_the_end() {
        assert_eq!(range(5, 0, -1), 0..5);
        assert_eq!(range(5, -3, -2), 2..4);
        assert_eq!(range(5, -100, 100), 0..5);
        assert_eq!(range(5, 3, 1), 0..0);
        assert_eq!(range(5, -1, -5), 0..0);
        assert_eq!(range(0, 0, -1), 0..0);
        assert_eq!(range(5, 5, 9), 0..0);
        assert_eq!(range(5, i64::MIN, i64::MAX), 0..5);
        // Both before the beginning: the first byte, as ever.
        assert_eq!(range(5, -100, -90), 0..1);
    }
}
