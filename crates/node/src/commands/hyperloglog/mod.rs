//! HyperLogLog: distinct elements counted, about, in at most 12 KiB.

mod sketch;

use crate::commands::quoted;
use crate::commands::string::str_of;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use sketch::{Corrupt, REGISTERS, Sketch, estimate, place};
use tanist_keyspace::{Entry, Expiry, KeyHash, StrValue};
use tanist_resp::Args;

const NOT_ONE: Error = Error::fixed("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPT: Error = Error::fixed("INVALIDOBJ Corrupted HLL object detected");

impl From<Corrupt> for Error {
    fn from(_: Corrupt) -> Error {
        CORRUPT
    }
}

/// The sketch in an entry, as a copy that can be changed.
fn own(entry: Entry<'_>) -> Result<Sketch<'static>, Error> {
    let mut digits = itoa::Buffer::new();
    let bytes = str_of(entry)?.as_bytes(&mut digits).to_vec();
    Sketch::of(bytes).ok_or(NOT_ONE)
}

fn most_sparse(ctx: &Ctx<'_>) -> usize {
    usize::try_from(ctx.node.config.hll_sparse_max_bytes).unwrap_or(usize::MAX)
}

/// Puts a sketch at its key; what was there keeps its expiry.
fn put(ctx: &mut Ctx<'_>, key: &[u8], hash: KeyHash, sketch: &Sketch<'_>) {
    ctx.db_mut().set(key, hash, StrValue::Made(sketch.bytes()), Expiry::Keep);
}

/// `PFADD key [element ...]`
pub(crate) fn pfadd(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let most = most_sparse(ctx);
    let old = ctx.lookup(key, hash).map(own).transpose()?;
    let mut changes = usize::from(old.is_none());
    let mut sketch = old.unwrap_or_else(Sketch::new);
    for element in args.iter().skip(2) {
        let (index, value) = place(element);
        changes += usize::from(sketch.raise(index, value, most)?);
    }
    if changes > 0 {
        sketch.outdate();
        put(ctx, key, hash, &sketch);
        ctx.changed_by(key, changes);
        ctx.event(b'$', "pfadd", key);
    }
    ctx.reply().int((changes > 0).into());
    Ok(())
}

/// `PFCOUNT key [key ...]`
pub(crate) fn pfcount(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    if args.len() > 2 {
        let mut all = Box::new([0; REGISTERS]);
        for at in 1..args.len() {
            let hash = ctx.hash(args, at);
            if let Some(sketch) = ctx.read(args.at(at), hash, |found, _| found.map(own).transpose())? {
                sketch.merge_into(&mut all)?;
            }
        }
        ctx.reply().int(estimate(&all) as i64);
        return Ok(());
    }
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let Some(mut sketch) = ctx.read(key, hash, |found, _| found.map(own).transpose())? else {
        ctx.reply().int(0);
        return Ok(());
    };
    let count = match sketch.cached() {
        Some(count) => count,
        None => {
            let count = estimate(&*sketch.registers()?);
            // Of itself a replica leaves what its primary has given it as it is; what the primary has noted is in the log.
            if !ctx.node.is_replica() || ctx.session.is_primary() {
                sketch.cache(count);
                put(ctx, key, hash, &sketch);
                ctx.changed(key);
            }
            count
        }
    };
    ctx.reply().int(count as i64);
    Ok(())
}

/// `PFMERGE destkey [sourcekey ...]`
pub(crate) fn pfmerge(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let most = most_sparse(ctx);
    let mut all = Box::new([0; REGISTERS]);
    let mut dense = false;
    let mut merged = None;
    for at in 1..args.len() {
        let hash = ctx.hash(args, at);
        let found = ctx.read(args.at(at), hash, |found, _| found.map(own).transpose())?;
        if let Some(sketch) = &found {
            dense |= sketch.is_dense();
            sketch.merge_into(&mut all)?;
        }
        if at == 1 {
            merged = found;
        }
    }
    let mut merged = merged.unwrap_or_else(Sketch::new);
    if dense {
        merged.make_dense()?;
    }
    for (index, value) in all.iter().enumerate().filter(|(_, value)| **value > 0) {
        merged.raise(index, *value, most)?;
    }
    merged.outdate();
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    put(ctx, key, hash, &merged);
    ctx.changed(key);
    ctx.event(b'$', "pfadd", key);
    ctx.reply().ok();
    Ok(())
}

/// `PFDEBUG GETREG | DECODE | ENCODING | TODENSE key`
pub(crate) fn pfdebug(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let word = args.at(1);
    let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
    let key = args.at(2);
    let hash = ctx.node.data.hash(key);
    let found = ctx.lookup(key, hash).map(own).transpose()?;
    let mut sketch = found.ok_or(Error::fixed("ERR The specified key does not exist"))?;
    if args.len() != 3 {
        return Err(Error::new(format!(
            "ERR Wrong number of arguments for the subcommand '{}'",
            quoted(word)
        )));
    }
    if is(b"GETREG") {
        let registers = sketch.registers()?;
        if sketch.make_dense()? {
            put(ctx, key, hash, &sketch);
            ctx.changed(key);
        }
        let mut reply = ctx.reply();
        reply.array(REGISTERS);
        registers.iter().for_each(|register| reply.int((*register).into()));
    } else if is(b"DECODE") {
        if sketch.is_dense() {
            return Err(Error::fixed("ERR HLL encoding is not sparse"));
        }
        let text = sketch.decode()?;
        ctx.reply().bulk_str(&text);
    } else if is(b"ENCODING") {
        ctx.reply().simple(if sketch.is_dense() { "dense" } else { "sparse" });
    } else if is(b"TODENSE") {
        let converted = sketch.make_dense()?;
        if converted {
            put(ctx, key, hash, &sketch);
            ctx.changed(key);
        }
        ctx.reply().int(converted.into());
    } else {
        return Err(Error::new(format!("ERR Unknown PFDEBUG subcommand '{}'", quoted(word))));
    }
    Ok(())
}

/// `PFSELFTEST`: registers are written and read, and estimates compared with what was added.
pub(crate) fn pfselftest(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    const ELEMENTS: u32 = 100_000;
    let (mut sketch, mut other) = (Sketch::new(), Sketch::new());
    other.make_dense()?;
    for n in 1..=ELEMENTS {
        let (index, value) = place(&n.to_le_bytes());
        if sketch.raise(index, value, most_sparse(ctx))? != other.raise(index, value, 0)? {
            return Err(Error::fixed("ERR TESTFAILED dense and sparse sketches disagree"));
        }
        if n.is_power_of_two() && n >= 64 {
            let estimate = estimate(&*sketch.registers()?);
            // Six standard errors of 1.04 / √16384.
            if (estimate as f64 - f64::from(n)).abs() > f64::from(n) * 0.0488 {
                return Err(Error::new(format!(
                    "ERR TESTFAILED Too big error. card:{n} estimate:{estimate}"
                )));
            }
        }
    }
    ctx.reply().ok();
    Ok(())
}
