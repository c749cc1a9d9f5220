//! Places: what is logged, what is stored, and what no argument may do.

use super::World;

fn sicily() -> (World, crate::SessionId) {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(w.say(c, "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"), ":2");
    (w, c)
}

#[test]
fn places_are_logged_as_scores_and_stored_ones_as_they_came() {
    let (mut w, c) = sicily();
    w.record();
    for (line, logged) in [
        ("GEOADD g CH 13.361389 38.115556 Palermo", &[][..]),
        ("GEOADD g NX 1 2 Palermo", &[]),
        ("GEOADD g CH 2.3522 48.8566 Paris", &["ZADD g CH 3663832779122514 Paris"]),
        ("GEORADIUS g 15 37 200 km", &[]),
        ("GEORADIUS g 15 37 200 km STORE d", &["GEORADIUS g 15 37 200 km STORE d"]),
        (
            "GEOSEARCHSTORE d g FROMMEMBER Paris BYRADIUS 1 m",
            &["GEOSEARCHSTORE d g FROMMEMBER Paris BYRADIUS 1 m"],
        ),
        (
            "GEOSEARCHSTORE d none FROMLONLAT 1 1 BYRADIUS 1 m",
            &["GEOSEARCHSTORE d none FROMLONLAT 1 1 BYRADIUS 1 m"],
        ),
        ("GEOSEARCHSTORE d none FROMLONLAT 1 1 BYRADIUS 1 m", &[]),
    ] {
        w.recorded();
        w.say(c, line);
        let mut seen = w.recorded();
        seen.retain(|line| !line.starts_with("SELECT"));
        assert_eq!(seen, logged, "{line}");
    }
}

#[test]
fn what_is_found_is_sorted_counted_and_described_as_asked_for() {
    let (mut w, c) = sicily();
    for (line, expected) in [
        ("GEODIST g Palermo Catania", "166274.1516"),
        ("GEODIST g Palermo Catania mi", "103.3182"),
        ("GEODIST g Palermo nobody", "(nil)"),
        ("GEOHASH g Palermo nobody", "[sqc8b49rny0 (nil)]"),
        ("GEOPOS g Palermo nobody", "[[13.36138933897018433 38.11555639549629859] (nil)]"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC", "[Palermo Catania]"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 WITHDIST", "[[Catania 56.4413]]"),
        ("GEOSEARCH g FROMMEMBER Palermo BYBOX 400 50 km", "[Palermo]"),
        ("GEOSEARCH g BYPOLYGON 3 13 37 16 37 15 40 WITHDIST", "[[Catania 67373.1932]]"),
        ("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST", ":2"),
        ("ZRANGE d 0 -1 WITHSCORES", "[Catania 56.4412578701582 Palermo 190.44242984775784]"),
        ("GEOADD g 181 2 x", "-ERR invalid longitude,latitude pair 181.000000,2.000000"),
        ("GEOSEARCH g FROMMEMBER nobody BYRADIUS 1 m", "-ERR member nobody does not exist"),
    ] {
        assert_eq!(w.say(c, line), expected, "{line}");
    }
    w.say(c, "HELLO 3");
    assert_eq!(
        w.all(c, "GEOPOS g Palermo")[0],
        tanist_resp::Value::Array(vec![tanist_resp::Value::Array(vec![
            tanist_resp::Value::Double(13.361_389_338_970_184),
            tanist_resp::Value::Double(38.115_556_395_496_3),
        ])])
    );
}

#[test]
fn no_argument_and_no_score_is_too_much() {
    let (mut w, c) = sicily();
    for (n, score) in ["inf", "-inf", "1e300", "-1", "1.5", "18446744073709551615"].iter().enumerate() {
        w.say(c, &format!("ZADD g {score} m{n}"));
    }
    for size in ["0", "1e-300", "1", "1e7", "1e300", "inf"] {
        for place in
            ["FROMLONLAT 180 85.05112878", "FROMLONLAT -180 -85.05112878", "FROMMEMBER m0", "FROMMEMBER m5"]
        {
            for shape in [format!("BYRADIUS {size} mi"), format!("BYBOX {size} {size} ft")] {
                let found = w.say(c, &format!("GEOSEARCH g {place} {shape} WITHDIST WITHHASH WITHCOORD"));
                assert!(found.starts_with('['), "{place} {shape}: {found}");
            }
        }
    }
    let vertices = "9223372036854775807";
    assert!(w.say(c, &format!("GEOSEARCH g BYPOLYGON {vertices} 1 1 2 2 3 3")).starts_with("-ERR"));
    assert!(w.say(c, "GEOSEARCH g BYPOLYGON 4 180 85 -180 85 -180 -85 180 -85").starts_with('['));
}
