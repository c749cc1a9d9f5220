//! Other names and places for keys: `RENAME`, `RENAMENX`, `MOVE`, `COPY`.

use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::KeyHash;
use tanist_resp::Args;
use tanist_types::DbIndex;

/// `RENAME key newkey`
pub(crate) fn rename(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (from, from_hash) = source(ctx, args)?;
    if from != args.at(2) {
        let (to, to_hash) = (args.at(2), ctx.hash(args, 2));
        // What is past its time there goes through the log, like anywhere.
        ctx.expire_if_due(to, to_hash);
        give_name(ctx, (from, from_hash), (to, to_hash));
    }
    ctx.reply().ok();
    Ok(())
}

/// `RENAMENX key newkey`
pub(crate) fn renamenx(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (from, from_hash) = source(ctx, args)?;
    let (to, to_hash) = (args.at(2), ctx.hash(args, 2));
    let free = from != to && !ctx.exists(to, to_hash);
    if free {
        give_name(ctx, (from, from_hash), (to, to_hash));
    }
    ctx.reply().int(free.into());
    Ok(())
}

/// The key to be renamed, which must exist.
fn source<'b>(ctx: &mut Ctx<'_>, args: Args<'_, 'b>) -> Result<(&'b [u8], KeyHash), Error> {
    let hash = ctx.hash(args, 1);
    if ctx.lookup(args.at(1), hash).is_none() {
        return Err(Error::NO_SUCH_KEY);
    }
    Ok((args.at(1), hash))
}

fn give_name(ctx: &mut Ctx<'_>, from: (&[u8], KeyHash), to: (&[u8], KeyHash)) {
    ctx.db_mut().rename(from.0, from.1, to.0, to.1);
    // One change, which concerns two keys.
    ctx.notice_change(ctx.db_index(), from.0);
    ctx.changed(to.0);
    ctx.event(b'g', "rename_from", from.0);
    ctx.event(b'g', "rename_to", to.0);
}

/// The database of this number.
fn database(ctx: &Ctx<'_>, text: &[u8]) -> Result<DbIndex, Error> {
    let index = u16::try_from(parse_int(text)?).ok().filter(|i| *i < ctx.node.data.databases());
    index.map(DbIndex).ok_or(Error::DB_OUT_OF_RANGE)
}

/// Whether `key` is there in another database, what is past its time aside.
fn exists_in(ctx: &mut Ctx<'_>, db: DbIndex, key: &[u8], hash: KeyHash) -> bool {
    let selected = std::mem::replace(&mut ctx.session.db, db);
    let there = ctx.exists(key, hash);
    ctx.session.db = selected;
    there
}

/// `MOVE key db`
pub(crate) fn move_key(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (from, to) = (ctx.db_index(), database(ctx, args.at(2))?);
    if from == to {
        return Err(Error::SAME_OBJECT);
    }
    let (key, hash) = (args.at(1), ctx.hash(args, 1));
    let moves = ctx.lookup(key, hash).is_some() && !exists_in(ctx, to, key, hash);
    if moves {
        ctx.node.data.move_key(key, hash, from, to);
        ctx.notice_change(from, key);
        ctx.changed_in(to, key);
        ctx.event_in(from, b'g', "move_from", key);
        ctx.event_in(to, b'g', "move_to", key);
    }
    ctx.reply().int(moves.into());
    Ok(())
}

/// `COPY source destination [DB destination-db] [REPLACE]`
pub(crate) fn copy(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let (to_db, replace) = copy_options(ctx, args)?;
    let (from, to) = (args.at(1), args.at(2));
    if to_db == ctx.db_index() && from == to {
        return Err(Error::SAME_OBJECT);
    }
    let (from_hash, to_hash) = (ctx.hash(args, 1), ctx.hash(args, 2));
    let there = ctx.read(from, from_hash, |found, _| found.is_some());
    let copies = there && (!exists_in(ctx, to_db, to, to_hash) || replace);
    if copies {
        let from_db = ctx.db_index();
        ctx.node.data.copy_key((from_db, from, from_hash), (to_db, to, to_hash));
        ctx.changed_in(to_db, to);
        ctx.event_in(to_db, b'g', "copy_to", to);
    }
    ctx.reply().int(copies.into());
    Ok(())
}

fn copy_options(ctx: &Ctx<'_>, args: Args<'_, '_>) -> Result<(DbIndex, bool), Error> {
    let (mut db, mut replace) = (ctx.db_index(), false);
    let mut i = 3;
    while let Some(word) = args.get(i) {
        if word.eq_ignore_ascii_case(b"REPLACE") {
            replace = true;
        } else if word.eq_ignore_ascii_case(b"DB") && i + 1 < args.len() {
            i += 1;
            db = database(ctx, args.at(i))?;
        } else {
            return Err(Error::SYNTAX);
        }
        i += 1;
    }
    Ok((db, replace))
}
