//! How values are stored, as far as `DEBUG` tells.

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::output::LogLevel;
use tanist_keyspace::{Entry, StrRef, ValueRef};

/// The entry at `key`, which must be there.
fn at_key<'c>(ctx: &'c Ctx<'_>, key: &[u8]) -> Result<Entry<'c>, Error> {
    let hash = ctx.node.data.hash(key);
    ctx.node.find_live(ctx.session.db, key, hash, ctx.now.wall()).ok_or(Error::NO_SUCH_KEY)
}

/// `DEBUG SDSLEN key`: the lengths of key and string. They are one allocation here, without spare bytes of their own.
pub(super) fn sdslen(ctx: &mut Ctx<'_>, key: &[u8]) -> Outcome {
    // Also one that is past its time and has not been removed yet.
    let hash = ctx.node.data.hash(key);
    let entry = ctx.node.data.db(ctx.session.db).find(key, hash).ok_or(Error::NO_SUCH_KEY)?;
    let ValueRef::Str(StrRef::Bytes(value)) = entry.value() else {
        return Err(Error::fixed("ERR Not an sds encoded string."));
    };
    let line = format!(
        "key_sds_len:{} key_sds_avail:0 obj_alloc:{} val_sds_len:{} val_sds_avail:0 val_alloc:0",
        key.len(),
        entry.memory_usage(),
        value.len(),
    );
    ctx.reply().simple(&line);
    Ok(())
}

/// `DEBUG LISTPACK key`, `DEBUG QUICKLIST key`: describes a value that is stored so in the log.
pub(super) fn stored_as(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    encoding: &'static str,
    refusal: &'static str,
) -> Outcome {
    let entry = at_key(ctx, key)?;
    if entry.encoding().name() != encoding {
        return Err(Error::fixed(refusal));
    }
    let size = entry.memory_usage();
    let shown = String::from_utf8_lossy(key).into_owned();
    ctx.log(LogLevel::Warning, format!("DEBUG: '{shown}' is stored as a {encoding} and takes {size} bytes"));
    ctx.reply().simple("Described in the log");
    Ok(())
}

/// `DEBUG HTSTATS-KEY key`
pub(super) fn table_of(ctx: &mut Ctx<'_>, key: &[u8]) -> Outcome {
    Err(Error::fixed(match at_key(ctx, key)?.encoding().name() {
        "hashtable" | "skiplist" => "ERR tables are not chained here: there is nothing to tell of",
        _ => "ERR The value stored at the specified key is not represented using an hash table",
    }))
}
