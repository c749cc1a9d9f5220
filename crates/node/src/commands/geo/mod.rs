//! Places on the earth, kept as scores of sorted sets.

mod cell;
mod members;
mod options;
mod search;
mod shape;

pub(crate) use members::{geoadd, geodist, geohash, geopos};
pub(crate) use search::{
    georadius, georadius_ro, georadiusbymember, georadiusbymember_ro, geosearch, geosearchstore,
};

use crate::commands::sorted_set::parse_double;
use crate::error::Error;
use cell::{LATITUDE, LONGITUDE, Place};
use std::io::Write;
use tanist_resp::{Args, Proto, Reply};

/// The longitude at argument `i` and the latitude behind it, in degrees.
fn parse_place(args: Args<'_, '_>, i: usize) -> Result<Place, Error> {
    let degrees = |i: usize| args.get(i).and_then(parse_double).ok_or(Error::NOT_A_FLOAT);
    let place = Place { longitude: degrees(i)?, latitude: degrees(i + 1)? };
    if place.longitude.abs() > LONGITUDE || place.latitude.abs() > LATITUDE {
        return Err(Error::new(format!(
            "ERR invalid longitude,latitude pair {:.6},{:.6}",
            place.longitude, place.latitude
        )));
    }
    Ok(place)
}

/// The meters in a unit.
fn unit_of(text: &[u8]) -> Result<f64, Error> {
    for (name, meters) in [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.34)] {
        if text.eq_ignore_ascii_case(name.as_bytes()) {
            return Ok(meters);
        }
    }
    Err(Error::fixed("ERR unsupported unit provided. please use M, KM, FT, MI"))
}

/// Writes a distance, with four digits behind the point.
fn reply_distance(reply: &mut Reply<'_>, distance: f64) {
    let (mut text, mut len) = ([0; 64], 0);
    let mut rest = &mut text[..];
    // No distance on the earth has so many digits, in whatever unit.
    if write!(rest, "{:.4}", distance).is_ok() {
        len = 64 - rest.len();
    }
    reply.bulk(&text[..len]);
}

/// Writes a longitude or latitude, with up to 17 digits behind the point.
fn reply_degrees(reply: &mut Reply<'_>, degrees: f64) {
    let mut text = [0; 64];
    let mut rest = &mut text[..];
    let left = write!(rest, "{:.17}", degrees).map_or(64, |()| rest.len());
    let text = &text[..64 - left];
    let digits = text.iter().rposition(|c| *c != b'0').map_or(0, |last| last + 1);
    let text = text[..digits].strip_suffix(b".").unwrap_or(&text[..digits]);
    let text = if text == b"-0" { b"0" } else { text };
    match reply.proto() {
        Proto::Resp2 => reply.bulk(text),
        Proto::Resp3 => {
            reply.raw(b",");
            reply.raw(text);
            reply.raw(b"\r\n");
        }
    }
}
