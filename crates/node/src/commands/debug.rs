//! `DEBUG`: for tests and for looking inside. Allowed as `enable-debug-command` says.

mod inspect;
mod reload;
mod switches;

use super::{parse_int, reply_help};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::output::{LogLevel, Output};
use crate::sha::Digest;
use std::time::Duration;
use tanist_keyspace::{Entry, StrValue};
use tanist_resp::{Args, Proto, Reply};
use tanist_types::DbIndex;

/// `DEBUG subcommand [argument ...]`
pub(crate) fn debug(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let name = args.at(1).to_ascii_lowercase();
    match (name.as_slice(), args.len()) {
        (b"help", 2) => help(ctx),
        (b"sleep", 3) => sleep(ctx, args.at(2)),
        (b"digest", 2) => digest(ctx),
        (b"digest-value", 2..) => digest_values(ctx, args),
        (b"object", 3 | 4) => {
            let fast = args.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"fast"));
            object(ctx, args.at(2), fast)
        }
        (b"sdslen", 3) => inspect::sdslen(ctx, args.at(2)),
        (b"listpack", 3) => {
            inspect::stored_as(ctx, args.at(2), "listpack", "ERR Not a listpack encoded object.")
        }
        (b"quicklist", 3 | 4) => {
            inspect::stored_as(ctx, args.at(2), "quicklist", "ERR Not a quicklist encoded object.")
        }
        (b"htstats-key", 3 | 4) => inspect::table_of(ctx, args.at(2)),
        (b"reload", 2..) => reload::reload(ctx, args),
        (b"loadaof", 2) => Err(Error::fixed("ERR Error trying to load the AOF files, check server logs.")),
        (b"config-rewrite-force-all", 2) => super::config::rewrite_file(ctx, true),
        (b"replicate", 3..) => switches::replicate(ctx, args),
        (b"change-repl-id", 2) => switches::change_repl_id(ctx),
        (b"set-active-expire", 3) => switches::set_active_expire(ctx, args.at(2)),
        (b"set-disable-deny-scripts", 3) => switches::unbind_scripts(ctx, args.at(2)),
        (b"set-skip-checksum-validation", 3) => switches::leave_checksums_unread(ctx, args.at(2)),
        (b"pause-cron", 3) => switches::pause_cron(ctx, args.at(2)),
        (b"quicklist-packed-threshold", 3) => switches::packed_threshold(ctx, args.at(2)),
        (b"replybuffer", 4) => switches::reply_buffer(ctx, args),
        (b"clusterlink", 5) => {
            Err(Error::fixed("ERR Debug option only available for cluster mode enabled setup!"))
        }
        (name, 3) if switches::has_no_effect(name) => {
            ctx.reply().ok();
            Ok(())
        }
        (b"error", 3) => Err(Error::new(String::from_utf8_lossy(args.at(2)).replace(['\r', '\n'], " "))),
        (b"log", 3) => {
            let text = format!("DEBUG LOG: {}", String::from_utf8_lossy(args.at(2)));
            ctx.log(LogLevel::Warning, text);
            ctx.reply().ok();
            Ok(())
        }
        (b"populate", 3..=5) => populate(ctx, args),
        (b"protocol", 3) => protocol(ctx, args.at(2)),
        _ => Err(unknown(args)),
    }
}

fn unknown(args: Args<'_, '_>) -> Error {
    Error::new(format!(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.",
        String::from_utf8_lossy(args.at(1)).replace(['\r', '\n'], " ")
    ))
}

/// Holds up the whole node, as a slow command would; the shell does the waiting.
fn sleep(ctx: &mut Ctx<'_>, seconds: &[u8]) -> Outcome {
    const MOST: f64 = 3600.0;
    let seconds: f64 = std::str::from_utf8(seconds).ok().and_then(|t| t.parse().ok()).unwrap_or(0.0);
    if seconds > 0.0 {
        let time = Duration::from_secs_f64(seconds.min(MOST));
        ctx.node.stalled = time;
        ctx.outs.push(Output::Stall(time));
    }
    ctx.reply().ok();
    Ok(())
}

/// A digest of all data, the same as Redis' for the same data.
fn digest(ctx: &mut Ctx<'_>) -> Outcome {
    let mut all = Digest::default();
    for index in 0..ctx.node.data.databases() {
        let db = ctx.node.data.db(DbIndex(index));
        if db.is_empty() {
            continue;
        }
        all.mix(&u32::from(index).to_be_bytes());
        let mut cursor = tanist_keyspace::Cursor(0);
        loop {
            cursor = db.scan(cursor, 1000, &mut |entry| {
                let mut one = Digest::default();
                one.mix(entry.key());
                mix_value(&mut one, &entry);
                all.xor(&one.0);
            });
            if cursor.0 == 0 {
                break;
            }
        }
    }
    ctx.reply().simple(&all.hex());
    Ok(())
}

/// Digests of the values at some keys; also of those that are past their time and have not been removed yet.
fn digest_values(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let mut digests = Vec::with_capacity(args.len() - 2);
    for key in args.iter().skip(2) {
        let hash = ctx.node.data.hash(key);
        let mut one = Digest::default();
        if let Some(entry) = ctx.node.data.db(ctx.session.db).find(key, hash) {
            mix_value(&mut one, &entry);
        }
        digests.push(one.hex());
    }
    let mut reply = ctx.reply();
    reply.array(digests.len());
    for digest in digests {
        reply.simple(&digest);
    }
    Ok(())
}

fn mix_value(digest: &mut Digest, entry: &Entry<'_>) {
    crate::values::mix(digest, entry.value());
    if entry.expiry().is_some() {
        digest.xor(b"!!expire!!");
    }
}

fn object(ctx: &mut Ctx<'_>, key: &[u8], fast: bool) -> Outcome {
    let hash = ctx.node.data.hash(key);
    let now = ctx.now.wall();
    // Also one that is past its time and has not been removed yet.
    let entry = ctx.node.data.db(ctx.session.db).find(key, hash).ok_or(Error::NO_SUCH_KEY)?;
    let mut dump = Vec::new();
    crate::values::dump(entry.value(), ctx.node.config.rdbcompression, &mut dump);
    // One byte of type before the value, ten of footer after it.
    let serialized = match fast {
        true => String::new(),
        false => format!(" serializedlength:{}", dump.len().saturating_sub(11)),
    };
    let line = format!(
        "Value at:0x0 refcount:1 encoding:{}{serialized} lru:{} lru_seconds_idle:{}",
        entry.encoding().name(),
        now.secs() & 0xff_ffff,
        entry.access().lru_idle_secs(now),
    );
    ctx.reply().simple(&line);
    Ok(())
}

/// Makes keys that only this node has.
fn populate(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let out_of_range = Error::fixed("ERR value is out of range, must be positive");
    let count = parse_int(args.at(2)).ok().and_then(|n| u64::try_from(n).ok()).ok_or(out_of_range.clone())?;
    let prefix = args.get(3).unwrap_or(b"key");
    let size = match args.get(4) {
        Some(text) => parse_int(text).ok().and_then(|n| usize::try_from(n).ok()).ok_or(out_of_range)?,
        None => 0,
    };
    for i in 0..count {
        let key = [prefix, b":", i.to_string().as_bytes()].concat();
        let hash = ctx.node.data.hash(&key);
        if ctx.db().find(&key, hash).is_some() {
            continue;
        }
        let mut value = format!("value:{i}").into_bytes();
        if size > 0 {
            value.resize(size, 0);
        }
        ctx.db_mut().set(&key, hash, StrValue::Bytes(&value), tanist_keyspace::Expiry::Clear);
        ctx.changed(&key);
    }
    ctx.no_effect();
    ctx.reply().ok();
    Ok(())
}

/// One reply of each kind, for tests of clients.
fn protocol(ctx: &mut Ctx<'_>, kind: &[u8]) -> Outcome {
    let mut reply = ctx.reply();
    match kind.to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.int(12345),
        b"double" => reply.double(3141.0 / 1000.0),
        b"null" => reply.null(),
        b"array" => three(&mut reply, |r| r.array(3)),
        b"set" => three(&mut reply, |r| r.set(3)),
        b"push" if reply.proto() == Proto::Resp2 => {
            return Err(Error::fixed("ERR RESP2 is not supported by this command"));
        }
        b"push" => {
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.int(42);
            // A push answers nothing.
            reply.bulk(b"Some real reply following the push reply");
        }
        b"map" => {
            reply.map(3);
            for i in 0..3 {
                reply.int(i);
                reply.bool(i == 1);
            }
        }
        b"attrib" => {
            if reply.proto() == Proto::Resp3 {
                reply.attribute(1);
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.int(90);
            }
            reply.bulk(b"Some real reply following the attribute");
        }
        b"bignum" => reply.big_number("1234567999999999999999999999999999999"),
        b"true" => reply.bool(true),
        b"false" => reply.bool(false),
        b"verbatim" => reply.verbatim(*b"txt", b"This is a verbatim\nstring"),
        _ => {
            return Err(Error::fixed(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(())
}

fn three(reply: &mut Reply<'_>, head: impl Fn(&mut Reply<'_>)) {
    head(reply);
    for i in 0..3 {
        reply.int(i);
    }
}

fn help(ctx: &mut Ctx<'_>) -> Outcome {
    reply_help(
        ctx,
        "DEBUG",
        &[
            ("DIGEST", "Give a digest of all data."),
            ("DIGEST-VALUE <key> [<key> ...]", "Give digests of the values at keys."),
            ("ERROR <text>", "Answer with this error."),
            ("LOG <text>", "Write a line to the log."),
            ("CHANGE-REPL-ID", "Give the log another name: replicas need all data again."),
            ("CONFIG-REWRITE-FORCE-ALL", "Rewrite the configuration file with all directives."),
            ("OBJECT <key> [FAST]", "Tell how a value is stored; FAST leaves out what takes time."),
            ("PAUSE-CRON <0|1>", "Do nothing by time, or go on."),
            ("POPULATE <count> [<prefix>] [<size>]", "Make keys that only this node has."),
            ("PROTOCOL <kind>", "Answer with a reply of this kind."),
            (
                "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
                "Save the data and load them again. NOSAVE: load the file that is there; NOFLUSH: beside the keys that \
                 are there, which must be others unless MERGE lets those of the file win.",
            ),
            ("REPLICATE <word> [<word> ...]", "Send a command to replicas alone."),
            ("SDSLEN <key>", "Tell the lengths of a key and its string."),
            ("SET-ACTIVE-EXPIRE <0|1>", "Turn the background removal of expired keys off or on."),
            ("SET-DISABLE-DENY-SCRIPTS <0|1>", "Let scripts carry out what is not for scripts, or no more."),
            (
                "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
                "Let RESTORE take payloads whatever their checksums, or no more.",
            ),
            ("SLEEP <seconds>", "Hold up the whole node."),
        ],
    )
}
