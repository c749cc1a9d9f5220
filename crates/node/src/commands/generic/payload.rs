//! Values in the form of snapshots: `DUMP`, `RESTORE`.

use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::values::{self, Builder};
use tanist_keyspace::{Access, Entry, Expiry, KeyHash, Object, StrValue};
use tanist_rdb::{Part, Payload, RdbError, Str};
use tanist_resp::Args;
use tanist_types::UnixMs;

/// `DUMP key`
pub(crate) fn dump(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let hash = ctx.hash(args, 1);
    let compress = ctx.node.config.rdbcompression;
    ctx.read(args.at(1), hash, |found, reply| {
        let Some(entry) = found else {
            reply.null();
            return Ok(());
        };
        let mut payload = Vec::new();
        values::dump(entry.value(), compress, &mut payload);
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
    let value = if ctx.node.checksums_unread {
        read_payload(&without_checksum(payload), ctx)?
    } else if payload.ends_with(NO_CHECKSUM) {
        // A snapshot may go without a checksum, a payload may not.
        return Err(BAD_PAYLOAD);
    } else {
        read_payload(payload, ctx)?
    };
    if until.is_some_and(|at| ctx.has_passed(at)) {
        if there {
            ctx.remove(key, hash);
            ctx.event(b'g', "del", key);
            let verb = ctx.node.expiry_verb();
            ctx.effect(&[verb, key]);
        }
    } else {
        let expiry = until.map_or(Expiry::Clear, Expiry::At);
        if there {
            // The key is a new one, as listeners are told.
            ctx.db_mut().remove(key, hash);
        }
        match value {
            Restored::Str(text) => ctx.db_mut().set(key, hash, StrValue::Bytes(&text), expiry),
            Restored::Object(object) => ctx.db_mut().set_object(key, hash, object, expiry),
        };
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

/// A value that was read from a payload.
enum Restored {
    Str(Vec<u8>),
    Object(Object),
}

/// What stands where a checksum would.
const NO_CHECKSUM: &[u8] = &[0; 8];

/// The payload, its checksum taken out.
#[cold]
fn without_checksum(payload: &[u8]) -> Vec<u8> {
    let rest = payload.len().saturating_sub(NO_CHECKSUM.len());
    [&payload[..rest], NO_CHECKSUM].concat()
}

fn read_payload(payload: &[u8], ctx: &Ctx<'_>) -> Result<Restored, Error> {
    const BAD_DATA: Error = Error::fixed("ERR Bad data format");
    let (most, policy) = (ctx.node.config.proto_max_bulk_len, ctx.node.data.policy());
    let mut payload = Payload::open(payload, most).map_err(|e| match e {
        RdbError::Version(_) | RdbError::Checksum { .. } => BAD_PAYLOAD,
        RdbError::Truncated(len) if len < 10 => BAD_PAYLOAD,
        _ => BAD_DATA,
    })?;
    let mut builder = Builder::new(payload.kind());
    let mut text = None;
    while let Some(part) = payload.next_part().map_err(|_| BAD_DATA)? {
        match (&mut builder, part) {
            (Some(builder), part) => builder.push(part, policy).map_err(|_| BAD_DATA)?,
            (None, Part::Element(Str::Bytes(bytes))) => text = Some(bytes.to_vec()),
            (None, Part::Element(number)) => text = Some(number.to_vec()),
            (None, _) => return Err(BAD_DATA),
        }
    }
    match (builder, text) {
        (Some(builder), _) => builder.finish().ok().flatten().map(Restored::Object).ok_or(BAD_DATA),
        (None, Some(text)) => Ok(Restored::Str(text)),
        (None, None) => Err(BAD_DATA),
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
