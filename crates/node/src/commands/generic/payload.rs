//! Values in the form of snapshots: `DUMP`, `RESTORE`.

use crate::commands::parse_int;
use crate::commands::string::str_of;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::{Access, Entry, Expiry, KeyHash, StrRef, StrValue};
use tanist_rdb::{RdbError, Str, Value};
use tanist_resp::Args;
use tanist_types::UnixMs;

/// `DUMP key`
pub(crate) fn dump(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.read(args.at(1), hash, |found, reply| {
        let Some(value) = found.map(str_of).transpose()? else {
            reply.null();
            return Ok(());
        };
        let mut payload = Vec::new();
        let value = match value {
            StrRef::Bytes(bytes) => Str::Bytes(bytes),
            StrRef::Int(n) => Str::Int(n),
        };
        tanist_rdb::dump(Value::Str(value), &mut payload);
        reply.bulk(&payload);
        Ok(())
    })
}

/// The options of `RESTORE`.
#[derive(Clone, Copy, Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_secs: Option<i64>,
    frequency: Option<u8>,
}

impl Options {
    fn parse(args: Args<'_, '_>) -> Result<Options, Error> {
        let mut o = Options::default();
        let mut i = 4;
        while let Some(word) = args.get(i) {
            let next = args.get(i + 1);
            if word.eq_ignore_ascii_case(b"REPLACE") {
                o.replace = true;
            } else if word.eq_ignore_ascii_case(b"ABSTTL") {
                o.absolute = true;
            } else if let Some(value) = next
                && word.eq_ignore_ascii_case(b"IDLETIME")
                && o.frequency.is_none()
            {
                let idle = parse_int(value)?;
                if idle < 0 {
                    return Err(Error::new("ERR Invalid IDLETIME value, must be >= 0"));
                }
                o.idle_secs = Some(idle);
                i += 1;
            } else if let Some(value) = next
                && word.eq_ignore_ascii_case(b"FREQ")
                && o.idle_secs.is_none()
            {
                let frequency = u8::try_from(parse_int(value)?).map_err(|_| BAD_FREQ)?;
                o.frequency = Some(frequency);
                i += 1;
            } else {
                return Err(Error::SYNTAX);
            }
            i += 1;
        }
        Ok(o)
    }
}

const BAD_FREQ: Error = Error::fixed("ERR Invalid FREQ value, must be >= 0 and <= 255");
const BAD_PAYLOAD: Error = Error::fixed("ERR DUMP payload version or checksum are wrong");

/// `RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]`
pub(crate) fn restore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let options = Options::parse(args)?;
    let (key, hash, payload) = (args.at(1), ctx.hash(args, 1), args.at(3));
    let there = ctx.exists(key, hash);
    if there && !options.replace {
        return Err(Error::new("BUSYKEY Target key name already exists."));
    }
    let until = deadline(ctx, args.at(2), options.absolute)?;
    let mut scratch = Vec::new();
    let value = read_payload(payload, ctx.node.config.proto_max_bulk_len, &mut scratch)?;
    if until.is_some_and(|at| ctx.has_passed(at)) {
        if there {
            ctx.remove(key, hash);
            ctx.event(b'g', "del", key);
            let verb = ctx.node.expiry_verb();
            ctx.effect(&[verb, key]);
        }
    } else {
        ctx.db_mut().set(key, hash, value, until.map_or(Expiry::Clear, Expiry::At));
        note_use(ctx, key, hash, &options);
        ctx.changed(key);
        ctx.event(b'g', "restore", key);
        log_restore(ctx, args, until);
    }
    ctx.reply().ok();
    Ok(())
}

/// The moment that the command's time to live tells; zero is none.
fn deadline(ctx: &Ctx<'_>, text: &[u8], absolute: bool) -> Result<Option<UnixMs>, Error> {
    let base = if absolute { 0 } else { ctx.wall().0 };
    match parse_int(text)? {
        0 => Ok(None),
        ttl @ 1.. => ttl.checked_add(base).map(|at| Some(UnixMs(at))).ok_or(BAD_TTL),
        _ => Err(BAD_TTL),
    }
}

const BAD_TTL: Error = Error::fixed("ERR Invalid TTL value, must be >= 0");

fn read_payload<'a>(payload: &'a [u8], most: u64, scratch: &'a mut Vec<u8>) -> Result<StrValue<'a>, Error> {
    // A snapshot may go without a checksum, a payload may not.
    if payload.ends_with(&[0; 8]) {
        return Err(BAD_PAYLOAD);
    }
    match tanist_rdb::restore(payload, most, scratch) {
        Ok(Value::Str(Str::Bytes(bytes))) => Ok(StrValue::Bytes(bytes)),
        Ok(Value::Str(Str::Int(n))) => Ok(StrValue::Int(n)),
        Err(RdbError::Version(_) | RdbError::Checksum { .. }) => Err(BAD_PAYLOAD),
        Err(RdbError::Truncated(len)) if len < 10 => Err(BAD_PAYLOAD),
        Ok(_) | Err(_) => Err(Error::new("ERR Bad data format")),
    }
}

/// Sets the entry's clock or counter as the options say.
fn note_use(ctx: &mut Ctx<'_>, key: &[u8], hash: KeyHash, options: &Options) {
    let now = ctx.wall();
    let access = match (options.frequency, options.idle_secs) {
        (Some(frequency), _) if ctx.node.usage.is_lfu() => Access::lfu(now, frequency),
        (_, Some(idle)) if !ctx.node.usage.is_lfu() => {
            Access::lru_idle(now, u32::try_from(idle).unwrap_or(u32::MAX))
        }
        _ => return,
    };
    let entry: Option<Entry<'_>> = ctx.db().find(key, hash);
    if let Some(entry) = entry {
        entry.set_access(access);
    }
}

/// Logs the command with an absolute time to live.
fn log_restore(ctx: &mut Ctx<'_>, args: Args<'_, '_>, until: Option<UnixMs>) {
    let Some(at) = until else { return };
    let mut digits = itoa::Buffer::new();
    let mut words: Vec<&[u8]> = args.iter().collect();
    words[2] = digits.format(at.0).as_bytes();
    if !words[4..].iter().any(|w| w.eq_ignore_ascii_case(b"ABSTTL")) {
        words.push(b"ABSTTL");
    }
    ctx.effect(&words);
}
