//! Which keys there are: `EXISTS`, `TOUCH`, `TYPE`, `KEYS`, `SCAN`, `RANDOMKEY`.

use crate::commands::{parse_int, quoted};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::values::type_name;
use tanist_keyspace::{Cursor, Entry};
use tanist_resp::{Args, Reply};
use tanist_text::glob;
use tanist_types::UnixMs;

/// `EXISTS key [key ...]`; a key named twice counts twice.
pub(crate) fn exists(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut count = 0;
    ctx.each_key(args, 1..args.len(), |ctx, i, hash| {
        count += i64::from(ctx.read_untouched(args.at(i), hash, |found, _| found.is_some()));
    });
    ctx.reply().int(count);
    Ok(())
}

/// `TOUCH key [key ...]`
pub(crate) fn touch(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut count = 0;
    ctx.each_key(args, 1..args.len(), |ctx, i, hash| {
        // Touching is what it is for: `CLIENT NO-TOUCH` does not hold here.
        count += i64::from(ctx.read_and_touch(args.at(i), hash, |found, _| found.is_some()));
    });
    ctx.reply().int(count);
    Ok(())
}

/// `TYPE key`
pub(crate) fn type_of(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.read_untouched(args.at(1), hash, |found, reply| {
        reply.simple(found.map_or("none", |e| type_name(e.value())));
    });
    Ok(())
}

/// `KEYS pattern`
pub(crate) fn keys(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let now = ctx.judged();
    let wanted = Wanted { pattern: Some(args.at(1)), kind: None };
    let mut reply = Reply::new(ctx.out, ctx.session.proto);
    let mark = reply.deferred();
    let mut count = 0;
    let db = ctx.node.data.db(ctx.session.db);
    db.scan(Cursor(0), usize::MAX, &mut |entry| count += usize::from(wanted.reply(entry, now, &mut reply)));
    reply.finish_array(mark, count);
    Ok(())
}

/// Which keys `KEYS` and `SCAN` are asked for.
struct Wanted<'b> {
    pattern: Option<&'b [u8]>,
    kind: Option<&'static str>,
}

impl Wanted<'_> {
    /// Writes the key if it is wanted and not past its time; says whether.
    fn reply(&self, entry: Entry<'_>, now: UnixMs, reply: &mut Reply<'_>) -> bool {
        let wanted = self.pattern.is_none_or(|p| p == b"*" || glob::matches(p, entry.key()))
            && self.kind.is_none_or(|k| k == type_name(entry.value()))
            && entry.expiry().is_none_or(|at| at > now);
        if wanted {
            reply.bulk(entry.key());
        }
        wanted
    }
}

/// `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`; what it meets past its time is removed.
pub(crate) fn scan(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let cursor = parse_cursor(args.at(1))?;
    let (wanted, count) = scan_options(args)?;
    let now = ctx.judged();
    let mut reply = Reply::new(ctx.out, ctx.session.proto);
    let keys_at = reply.position();
    let mark = reply.deferred();
    let mut replied = 0;
    let mut past: Vec<Box<[u8]>> = Vec::new();
    let db = ctx.node.data.db(ctx.session.db);
    let next = db.scan(cursor, count, &mut |entry| {
        if entry.expiry().is_some_and(|at| at <= now) {
            past.push(entry.key().into());
        } else {
            replied += usize::from(wanted.reply(entry, now, &mut reply));
        }
    });
    reply.finish_array(mark, replied);
    // The cursor stands before the keys, but is known only after them.
    let mut head = Vec::new();
    let mut first = Reply::new(&mut head, ctx.session.proto);
    first.array(2);
    first.bulk(itoa::Buffer::new().format(next.0).as_bytes());
    ctx.out.splice(keys_at..keys_at, head);
    for key in past {
        let hash = ctx.node.data.hash(&key);
        ctx.expire_alone(&key, hash);
    }
    Ok(())
}

/// A cursor as C reads an unsigned number: a sign is allowed, and beyond 64 bits is not.
pub(crate) fn parse_cursor(text: &[u8]) -> Result<Cursor, Error> {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let number = std::str::from_utf8(digits).ok().filter(|d| !d.starts_with('+'));
    let number = number.and_then(|d| d.parse::<u64>().ok());
    number.map(Cursor).ok_or(Error::new("ERR invalid cursor"))
}

fn scan_options<'b>(args: Args<'_, 'b>) -> Result<(Wanted<'b>, usize), Error> {
    let mut wanted = Wanted { pattern: None, kind: None };
    let mut count = 10;
    let mut i = 2;
    while let Some(word) = args.get(i) {
        if word.eq_ignore_ascii_case(b"NOVALUES") {
            return Err(Error::new("ERR NOVALUES option can only be used in HSCAN"));
        }
        let Some(value) = args.get(i + 1) else { return Err(Error::SYNTAX) };
        if word.eq_ignore_ascii_case(b"COUNT") {
            count = match parse_int(value)? {
                n @ 1.. => n as usize,
                _ => return Err(Error::SYNTAX),
            };
        } else if word.eq_ignore_ascii_case(b"MATCH") {
            wanted.pattern = Some(value);
        } else if word.eq_ignore_ascii_case(b"TYPE") {
            wanted.kind = Some(kind_named(value)?);
        } else {
            return Err(Error::SYNTAX);
        }
        i += 2;
    }
    Ok((wanted, count))
}

/// The type of this name.
fn kind_named(name: &[u8]) -> Result<&'static str, Error> {
    const KINDS: [&str; 6] = ["string", "list", "set", "zset", "hash", "stream"];
    let found = KINDS.into_iter().find(|k| k.as_bytes().eq_ignore_ascii_case(name));
    found.ok_or_else(|| Error::new(format!("ERR unknown type name '{}'", quoted(name))))
}

/// `RANDOMKEY`
pub(crate) fn randomkey(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    // There may be nothing but keys past their time, which this node does not remove: it tries this often.
    const MOST_TRIES: usize = 100;
    let now = ctx.judged();
    for tries in 1.. {
        let node = &mut *ctx.node;
        let Some(entry) = node.data.db(ctx.session.db).random(&mut node.rng) else { break };
        if entry.expiry().is_none_or(|at| at > now) || tries == MOST_TRIES {
            Reply::new(ctx.out, ctx.session.proto).bulk(entry.key());
            return Ok(());
        }
        if node.may_expire() {
            let key: Box<[u8]> = entry.key().into();
            let hash = ctx.node.data.hash(&key);
            ctx.expire_alone(&key, hash);
        }
    }
    ctx.reply().null();
    Ok(())
}
