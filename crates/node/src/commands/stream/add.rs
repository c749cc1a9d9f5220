//! Entries added: `XADD`; what a stream knows of its past: `XSETID`.

use super::id::{parse_new, parse_strict};
use super::remove::Trimming;
use super::{IdText, reply_id};
use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::Missing;
use tanist_keyspace::collections::{AddError, Collection, NewId, Stream, StreamId};
use tanist_resp::Args;

const ZERO: Error = Error::fixed("ERR The ID specified in XADD must be greater than 0-0");

fn error(why: AddError) -> Error {
    Error::fixed(match why {
        AddError::Exhausted => "ERR The stream has exhausted the last possible ID, unable to add more items",
        AddError::NotBehind => {
            "ERR The ID specified in XADD is equal or smaller than the target stream top item"
        }
        AddError::TooLong => "ERR Elements are too large to be stored",
    })
}

/// `XADD key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]`
pub(crate) fn xadd(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (trimming, at) = Trimming::parse(ctx, args, true)?;
    let new = match args.get(at) {
        Some(b"*") => NewId::Now(u64::try_from(ctx.wall().0).unwrap_or(0)),
        Some(text) => match parse_new(text)? {
            (ms, Some(seq)) => NewId::Given(StreamId { ms, seq }),
            (ms, None) => NewId::NextOf(ms),
        },
        None => return Err(ctx.arity_error()),
    };
    trimming.check()?;
    let first = at + 1;
    if args.len() < first + 2 || !(args.len() - first).is_multiple_of(2) {
        return Err(ctx.arity_error());
    }
    if new == NewId::Given(StreamId::MIN) {
        return Err(ZERO);
    }
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let missing = if trimming.no_stream { Missing::Leave } else { Missing::Create };
    let pairs = (0..(args.len() - first) / 2).map(|n| (args.at(first + 2 * n), args.at(first + 2 * n + 1)));
    let done = ctx.edit::<Stream, _>(key, hash, missing, |stream, policy| {
        let id = stream.add(new, pairs, policy)?;
        let gone = trimming.what.map_or(0, |trim| stream.trim(trim, trimming.limits));
        Ok((id, gone, stream.about()))
    })?;
    let Some(done) = done else {
        ctx.reply().null();
        return Ok(());
    };
    let (id, gone, about) = match done.result {
        Ok(result) => result,
        Err(why) => {
            if done.created {
                // Nothing could be added to the stream that was made for it.
                ctx.db_mut().remove(key, hash);
            }
            return Err(error(why));
        }
    };
    ctx.changed(key);
    ctx.event(b't', "xadd", key);
    if gone > 0 {
        ctx.event(b't', "xtrim", key);
    }
    let approximate = trimming.limits.whole_nodes;
    if approximate || !matches!(new, NewId::Given(_)) {
        let text = IdText::new(id);
        let mut words: Vec<&[u8]> = Vec::with_capacity(args.len());
        words.extend([args.at(0), key]);
        if trimming.no_stream {
            words.push(b"NOMKSTREAM");
        }
        let threshold = trimming.threshold(about);
        if let Some((word, threshold)) = &threshold {
            words.extend([word, &b"="[..], threshold]);
        }
        // One that was given goes on as it was written.
        words.push(if matches!(new, NewId::Given(_)) { args.at(at) } else { text.as_bytes() });
        words.extend((first..args.len()).map(|at| args.at(at)));
        ctx.effect(&words);
    }
    reply_id(&mut ctx.reply(), id);
    Ok(())
}

/// `XSETID key last-id [ENTRIESADDED n] [MAXDELETEDID id]`
pub(crate) fn xsetid(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let id = parse_strict(args.at(2), 0)?;
    let (mut added, mut max_deleted) = (None, StreamId::MIN);
    let mut i = 3;
    while let Some(word) = args.get(i) {
        let Some(text) = args.get(i + 1) else { return Err(Error::SYNTAX) };
        if word.eq_ignore_ascii_case(b"ENTRIESADDED") {
            let n = u64::try_from(parse_int(text)?);
            added = Some(n.map_err(|_| Error::fixed("ERR entries_added must be positive"))?);
        } else if word.eq_ignore_ascii_case(b"MAXDELETEDID") {
            max_deleted = parse_strict(text, 0)?;
            if id < max_deleted {
                return Err(Error::fixed(
                    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                ));
            }
        } else {
            return Err(Error::SYNTAX);
        }
        i += 2;
    }
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    // Redis 7.0 and older let the last identifier fall below deleted ones: a replica follows.
    let obeys = ctx.session.is_primary();
    let done = ctx.edit::<Stream, _>(key, hash, Missing::Leave, |stream, _| {
        if !obeys && id < stream.about().max_deleted {
            return Err(BELOW_DELETED);
        }
        check_last(stream, id, added)?;
        let about = stream.about_mut();
        about.last = id;
        about.added = added.unwrap_or(about.added);
        if max_deleted != StreamId::MIN {
            about.max_deleted = max_deleted;
        }
        Ok::<_, Error>(())
    })?;
    done.ok_or(Error::NO_SUCH_KEY)?.result?;
    ctx.changed(key);
    ctx.event(b't', "xsetid", key);
    ctx.reply().ok();
    Ok(())
}

const BELOW_DELETED: Error =
    Error::fixed("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");

fn check_last(stream: &Stream, id: StreamId, added: Option<u64>) -> Outcome {
    if stream.is_empty() {
        return Ok(());
    }
    if id < stream.view().last_live() {
        return Err(Error::fixed(
            "ERR The ID specified in XSETID is smaller than the target stream top item",
        ));
    }
    if added.is_some_and(|added| stream.about().len > added) {
        return Err(Error::fixed(
            "ERR The entries_added specified in XSETID is smaller than the target stream length",
        ));
    }
    Ok(())
}
