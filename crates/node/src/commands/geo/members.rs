//! Members with their places: `GEOADD`, `GEODIST`, `GEOHASH`, `GEOPOS`.

use super::cell::{Cell, STEPS, text};
use super::shape::distance;
use super::{parse_place, reply_degrees, reply_distance, unit_of};
use crate::commands::sorted_set::zadd;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::SortedSet;
use tanist_resp::{Args, Reply};

/// `GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]`
pub(crate) fn geoadd(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let option = |word: &[u8], name: &[u8]| word.eq_ignore_ascii_case(name);
    let (mut first, mut only_new, mut only_old) = (2, false, false);
    while let Some(word) = args.get(first) {
        match () {
            () if option(word, b"NX") => only_new = true,
            () if option(word, b"XX") => only_old = true,
            () if option(word, b"CH") => {}
            () => break,
        }
        first += 1;
    }
    let rest = args.len() - first;
    if !rest.is_multiple_of(3) || (only_new && only_old) {
        return Err(Error::SYNTAX);
    }
    let mut scores = Vec::with_capacity(rest / 3);
    for at in (first..args.len()).step_by(3) {
        let score = Cell::of(parse_place(args, at)?, STEPS).scores().0;
        scores.push((score as u64).to_string());
    }
    let mut words: Vec<&[u8]> = Vec::with_capacity(first + 2 * scores.len());
    words.push(b"ZADD");
    words.extend((1..first).map(|at| args.at(at)));
    for (n, score) in scores.iter().enumerate() {
        words.extend([score.as_bytes(), args.at(first + 3 * n + 2)]);
    }
    let before = ctx.node.dirty;
    zadd(ctx, Args::from_slices(&words))?;
    if ctx.node.dirty > before {
        ctx.effect(&words);
    }
    Ok(())
}

/// `GEODIST key member member [m | km | ft | mi]`
pub(crate) fn geodist(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let unit = match args.len() {
        4 => 1.0,
        5 => unit_of(args.at(4))?,
        _ => return Err(Error::SYNTAX),
    };
    let hash = ctx.hash(args, 1);
    ctx.view::<SortedSet, _>(args.at(1), hash, |set, reply| {
        let place = |member: &[u8]| Some(Cell::of_score(set?.score(member)?).place());
        match (place(args.at(2)), place(args.at(3))) {
            (Some(one), Some(two)) => reply_distance(reply, distance(one, two) / unit),
            _ => reply.null(),
        }
    })
}

/// `GEOHASH key [member ...]`
pub(crate) fn geohash(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    each(ctx, args, |reply, cell| match cell {
        Some(cell) => reply.bulk(&text(cell.place())),
        None => reply.null(),
    })
}

/// `GEOPOS key [member ...]`
pub(crate) fn geopos(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    each(ctx, args, |reply, cell| match cell.map(Cell::place) {
        Some(place) => {
            reply.array(2);
            reply_degrees(reply, place.longitude);
            reply_degrees(reply, place.latitude);
        }
        None => reply.null_array(),
    })
}

/// Answers for each member with what `show` writes.
fn each(ctx: &mut Ctx<'_>, args: Args<'_, '_>, show: impl Fn(&mut Reply<'_>, Option<Cell>)) -> Outcome {
    let hash = ctx.hash(args, 1);
    ctx.view::<SortedSet, _>(args.at(1), hash, |set, reply| {
        reply.array(args.len() - 2);
        for at in 2..args.len() {
            show(reply, set.and_then(|set| set.score(args.at(at))).map(Cell::of_score));
        }
    })
}
