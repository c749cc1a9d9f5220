//! Members near a place: `GEOSEARCH`, `GEOSEARCHSTORE`, `GEORADIUS`, `GEORADIUSBYMEMBER` and their forms that only read.

use super::cell::{Cell, Place};
use super::options::{Form, Options, Order};
use super::{reply_degrees, reply_distance};
use crate::commands::sorted_set::store;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::{Collection, SortedSet};
use tanist_resp::{Args, Reply};

/// A member that was found.
struct Found {
    member: Vec<u8>,
    score: f64,
    place: Place,
    /// From the center, in meters.
    distance: f64,
}

/// `GEOSEARCH key <FROMMEMBER member | FROMLONLAT longitude latitude> <BYRADIUS radius unit | BYBOX width height unit |
/// BYPOLYGON vertices longitude latitude ...> [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]`
pub(crate) fn geosearch(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    run(ctx, args, 1, Form::Search)
}

/// `GEOSEARCHSTORE destination source ... [STOREDIST]`, with the options of `GEOSEARCH`
pub(crate) fn geosearchstore(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    run(ctx, args, 2, Form::SearchStore)
}

/// `GEORADIUS key longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]
/// [STORE key | STOREDIST key]`
pub(crate) fn georadius(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    run(ctx, args, 1, Form::Radius { may_store: true })
}

/// `GEORADIUS_RO`: `GEORADIUS` that stores nothing
pub(crate) fn georadius_ro(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    run(ctx, args, 1, Form::Radius { may_store: false })
}

/// `GEORADIUSBYMEMBER key member radius unit ...`, with the options of `GEORADIUS`
pub(crate) fn georadiusbymember(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    run(ctx, args, 1, Form::RadiusByMember { may_store: true })
}

/// `GEORADIUSBYMEMBER_RO`: `GEORADIUSBYMEMBER` that stores nothing
pub(crate) fn georadiusbymember_ro(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    run(ctx, args, 1, Form::RadiusByMember { may_store: false })
}

fn run(ctx: &mut Ctx<'_>, args: Args<'_, '_>, source: usize, form: Form) -> Outcome {
    let hash = ctx.hash(args, source);
    let to_store = ctx.view::<SortedSet, _>(args.at(source), hash, |set, reply| {
        let options = Options::parse(args, form, set)?;
        let mut found = match (set, options.search()) {
            (Some(set), Some(search)) => {
                let most = options.count.filter(|_| options.any).unwrap_or(usize::MAX);
                look(set, &search.cells(), most, |place| search.find(place))
            }
            _ => Vec::new(),
        };
        sort(&mut found, &options);
        let unit = options.search().map_or(1.0, |search| search.unit);
        for found in &mut found {
            found.distance /= unit;
        }
        if options.store.is_none() {
            answer(reply, &found, &options);
        }
        Ok::<_, Error>(options.store.map(|key| (key, found, options.store_distances)))
    })??;
    let Some((key, found, distances)) = to_store else { return Ok(()) };
    let policy = ctx.node.data.policy();
    let mut set = SortedSet::default();
    let longest = found.iter().map(|found| found.member.len()).max().unwrap_or(0);
    set.expect(found.len(), longest, policy);
    for found in &found {
        set.set(&found.member, if distances { found.distance } else { found.score }, policy);
    }
    let event = if form == Form::SearchStore { "geosearchstore" } else { "georadiusstore" };
    store(ctx, key, set, event);
    Ok(())
}

/// The members in these cells whose places `find` accepts with a distance, up to `most` of them.
fn look(set: &SortedSet, cells: &[Cell], most: usize, find: impl Fn(Place) -> Option<f64>) -> Vec<Found> {
    let mut found = Vec::new();
    for cell in cells {
        if found.len() >= most {
            break;
        }
        let (first, end) = cell.scores();
        let from = set.partition(&mut |score, _| score < first);
        if from == set.len() {
            continue;
        }
        set.walk(from, false, &mut |member, score| {
            if score >= end {
                return false;
            }
            let place = Cell::of_score(score).place();
            if let Some(distance) = find(place) {
                let member = member.value().as_bytes(&mut itoa::Buffer::new()).to_vec();
                found.push(Found { member, score, place, distance });
            }
            found.len() < most
        });
    }
    found
}

/// Sorts what was found and leaves the first ones of it, as asked for. Whoever wants some wants the nearest.
fn sort(found: &mut Vec<Found>, options: &Options<'_>) {
    let default = options.count.filter(|_| !options.any).map(|_| Order::NearFirst);
    match options.order.or(default) {
        None => {}
        Some(Order::NearFirst) => found.sort_by(|a, b| a.distance.total_cmp(&b.distance)),
        Some(Order::FarFirst) => found.sort_by(|a, b| b.distance.total_cmp(&a.distance)),
    }
    found.truncate(options.count.unwrap_or(usize::MAX));
}

fn answer(reply: &mut Reply<'_>, found: &[Found], options: &Options<'_>) {
    let extras =
        usize::from(options.with_distance) + usize::from(options.with_hash) + usize::from(options.with_place);
    reply.array(found.len());
    for found in found {
        if extras > 0 {
            reply.array(1 + extras);
        }
        reply.bulk(&found.member);
        if options.with_distance {
            reply_distance(reply, found.distance);
        }
        if options.with_hash {
            // As the reference's processor has scores that are beyond 64 bits.
            const BEYOND: f64 = 9_223_372_036_854_775_808.0;
            reply.int(if found.score < BEYOND { found.score as i64 } else { i64::MIN });
        }
        if options.with_place {
            reply.array(2);
            reply_degrees(reply, found.place.longitude);
            reply_degrees(reply, found.place.latitude);
        }
    }
}
