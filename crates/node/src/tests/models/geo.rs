//! Places: maps from members to scores, each search a look at every one of them.

use super::{ALIEN, BTreeMap, Dice, LIMIT, LONGEST, Model, Step, WRONG_TYPE, follow, int, list};

const EARTH: f64 = 6_372_797.560856;
const MOST_LATITUDE: f64 = 85.05112878;
/// Where places lie close together: some of them around the meridian at which longitudes begin again, some far north.
const CITIES: [(f64, f64); 7] =
    [(13.0, 38.0), (0.0, 0.0), (179.985, 10.0), (-179.985, 10.0), (15.0, -45.0), (-60.5, 69.0), (20.0, 82.9)];
const UNITS: [(&str, f64); 4] = [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.34)];

#[derive(Default)]
struct Places {
    sets: BTreeMap<String, BTreeMap<String, f64>>,
    large: BTreeMap<String, bool>,
}

/// Longitude and latitude, in degrees.
type Place = (f64, f64);

/// What a search looks for, in meters and degrees.
enum Shape {
    Circle(f64),
    Box(f64, f64),
    Polygon(Vec<Place>),
}

/// A place as text of few digits, which is what the node reads.
fn roll(dice: &mut Dice) -> (String, Place) {
    let (longitude, latitude) = CITIES[dice.below(CITIES.len())];
    let step = [0.001, 0.01, 0.1, 0.5][dice.below(4)];
    let aside = |dice: &mut Dice| step * (dice.below(9) as f64 - 4.0);
    let longitude: f64 = longitude + aside(dice);
    let longitude =
        if longitude.abs() > 180.0 { -longitude.signum() * (360.0 - longitude.abs()) } else { longitude };
    let text = format!("{longitude:.3} {:.3}", latitude + aside(dice));
    let (x, y) = text.split_once(' ').expect("two numbers");
    let place = (x.parse().expect("a number"), y.parse().expect("a number"));
    (text, place)
}

/// The number of the cell that holds a value of `-most..most`, of 2^26.
fn cell(value: f64, most: f64) -> u64 {
    ((value + most) / (2.0 * most) * f64::from(1 << 26)) as u64
}

/// The score of a place: the bits of both numbers in turn, the highest one of the longitude first.
fn score((longitude, latitude): Place) -> f64 {
    let (x, y) = (cell(longitude, 180.0), cell(latitude, MOST_LATITUDE));
    let bits = (0..26).rev().fold(0u64, |bits, at| bits << 2 | (x >> at & 1) << 1 | y >> at & 1);
    bits as f64
}

/// The middle of the cell of a score.
fn place_of(score: f64) -> Place {
    let bits = score as u64;
    let every_second = |from: u32| (0..26).fold(0u64, |n, at| n | (bits >> (2 * at + from) & 1) << at);
    let middle = |cell: u64, most: f64| {
        let edge = |cell: u64| -most + cell as f64 / f64::from(1 << 26) * (most + most);
        (edge(cell) + edge(cell + 1)) / 2.0
    };
    (middle(every_second(1), 180.0), middle(every_second(0), MOST_LATITUDE))
}

/// In meters, along the surface: the haversine formula.
fn distance(one: Place, two: Place) -> f64 {
    let radians = |degrees: f64| degrees * (std::f64::consts::PI / 180.0);
    let half = |from: f64, to: f64| ((radians(to) - radians(from)) / 2.0).sin();
    let (east, north) = (half(one.0, two.0), half(one.1, two.1));
    if east == 0.0 {
        return EARTH * (radians(two.1) - radians(one.1)).abs();
    }
    let narrow = radians(one.1).cos() * radians(two.1).cos();
    2.0 * EARTH * (north * north + narrow * east * east).sqrt().asin()
}

/// Whether corners turn around a place: the sum of the angles under which it sees the edges is not nothing.
fn surrounds(corners: &[Place], (x, y): Place) -> bool {
    let angle = |(a, b): Place| (b - y).atan2(a - x);
    let turn = |(from, to): (&Place, &Place)| {
        let turn = angle(*to) - angle(*from);
        turn - std::f64::consts::TAU * (turn / std::f64::consts::TAU).round()
    };
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(turn).sum::<f64>().abs() > std::f64::consts::PI
}

/// What the public service calls a place: halves of longitudes and latitudes in turn, in letters of five bits each, the
/// last of which would take more than there are.
fn geohash((longitude, latitude): Place) -> String {
    let (x, y) = (cell(longitude, 180.0), cell(latitude, 90.0));
    let bit = |at: u32| if at.is_multiple_of(2) { x >> (25 - at / 2) & 1 } else { y >> (25 - at / 2) & 1 };
    let letter = |n: u32| (0..5).fold(0, |all, i| all << 1 | bit(5 * n + i)) as usize;
    let letters = b"0123456789bcdefghjkmnpqrstuvwxyz";
    (0..10).map(|n| char::from(letters[letter(n)])).chain(['0']).collect()
}

/// As many digits as there are, up to 17 behind the point.
fn degrees(degrees: f64) -> String {
    format!("{degrees:.17}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn coordinates((longitude, latitude): Place) -> String {
    format!("[{} {}]", degrees(longitude), degrees(latitude))
}

fn name(dice: &mut Dice) -> String {
    if dice.one_in(60) { "long".repeat(20) } else { format!("m{}", dice.below(14)) }
}

/// A place to search from.
struct Center {
    /// By the name of a member or by longitude and latitude.
    words: String,
    by_member: bool,
    place: Option<Place>,
}

impl Places {
    fn get(&self, key: &str) -> BTreeMap<String, f64> {
        self.sets.get(key).cloned().unwrap_or_default()
    }

    /// Puts what was found at a key, in the encoding that a set of so many members has from its beginning.
    fn store(&mut self, key: &'static str, members: Vec<(String, f64)>) {
        self.large
            .insert(key.into(), members.len() > LIMIT || members.iter().any(|(m, _)| m.len() > LONGEST));
        self.sets.insert(key.into(), members.into_iter().collect());
        self.sets.retain(|_, set| !set.is_empty());
        let sets = &self.sets;
        self.large.retain(|key, _| sets.contains_key(key));
    }

    fn add(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let condition = dice.pick(&["", "", "", " NX", " XX"]);
        let counts_changes = dice.one_in(3);
        let mut line = format!("GEOADD {key}{condition}{}", if counts_changes { " CH" } else { "" });
        let (mut added, mut changed, mut longest) = (0, 0, 0);
        let mut set = self.get(key);
        for _ in 0..=dice.below(4) {
            let (member, (words, place)) = (name(dice), roll(dice));
            line += &format!(" {words} {member}");
            longest = longest.max(member.len());
            let (old, new) = (set.get(&member).copied(), score(place));
            if old.is_some() && condition == " NX" || old.is_none() && condition == " XX" {
                continue;
            }
            added += usize::from(old.is_none());
            changed += usize::from(old.is_some_and(|old| old != new));
            set.insert(member, new);
        }
        if !set.is_empty() {
            // The form is chosen for all that is named, whether it comes to be there or not.
            *self.large.entry(key.into()).or_default() |= set.len() > LIMIT || longest > LONGEST;
            self.sets.insert(key.into(), set);
        }
        Step::new(line, int(added + if counts_changes { changed } else { 0 })).event_if(
            added + changed > 0,
            "zadd",
            key,
        )
    }

    fn center(&self, dice: &mut Dice, key: &str) -> Center {
        let set = self.get(key);
        if dice.one_in(2) {
            let known: Vec<&String> = set.keys().collect();
            let member = match known.len() {
                0 => name(dice),
                n if dice.one_in(12) => format!("nobody{n}"),
                n => known[dice.below(n)].clone(),
            };
            let place = set.get(&member).map(|score| place_of(*score));
            return Center { words: member, by_member: true, place };
        }
        let (words, place) = roll(dice);
        Center { words, by_member: false, place: Some(place) }
    }

    /// Every form of a search.
    fn search(&mut self, dice: &mut Dice, key: &'static str) -> Step {
        let (key, old_form, stores) =
            (if dice.one_in(20) { ALIEN } else { key }, dice.one_in(2), dice.one_in(3));
        let center = self.center(dice, key);
        let (unit, meters) = UNITS[dice.below(UNITS.len())];
        let size = |dice: &mut Dice| {
            let wanted =
                [1.0, 200.0, 1500.0, 5000.0, 20_000.0, 50_000.0, 80_000.0, 150_000.0, 300_000.0, 3e6, 2.5e7]
                    [dice.below(11)];
            (wanted / meters).ceil()
        };
        let (to, distances) = (dice.key(), stores && dice.one_in(2));
        let (mut line, shape, unit_of_answer) = if old_form {
            let radius = size(dice);
            let command = if center.by_member { "GEORADIUSBYMEMBER" } else { "GEORADIUS" };
            let command = if stores || dice.one_in(2) { command.into() } else { format!("{command}_RO") };
            let line = format!("{command} {key} {} {radius} {unit}", center.words);
            (line, Shape::Circle(radius * meters), meters)
        } else {
            let begin =
                if stores { format!("GEOSEARCHSTORE {to} {key}") } else { format!("GEOSEARCH {key}") };
            let from = if center.by_member { "FROMMEMBER" } else { "FROMLONLAT" };
            let (words, shape) = match dice.below(3) {
                0 if !center.by_member => polygon(dice),
                0 | 1 => {
                    let (width, height) = (size(dice), size(dice));
                    let words = format!("{from} {} BYBOX {width} {height} {unit}", center.words);
                    (words, Shape::Box(width * meters, height * meters))
                }
                _ => {
                    let radius = size(dice);
                    (
                        format!("{from} {} BYRADIUS {radius} {unit}", center.words),
                        Shape::Circle(radius * meters),
                    )
                }
            };
            let meters = if matches!(shape, Shape::Polygon(_)) { 1.0 } else { meters };
            (format!("{begin} {words}"), shape, meters)
        };
        // How far it is from the middle of corners is no matter of this model.
        let is_polygon = matches!(shape, Shape::Polygon(_));
        let distances = distances && !is_polygon;
        let count = (!is_polygon && dice.one_in(3)).then(|| 1 + dice.below(4));
        let order = if is_polygon { "" } else { dice.pick(&["", " ASC", " DESC"]) };
        line += &count.map_or(String::new(), |count| format!(" COUNT {count}"));
        line += order;
        let mut found = match (key, center.place) {
            (ALIEN, _) => Err(WRONG_TYPE.to_owned()),
            (_, None) if !is_polygon && !self.sets.contains_key(key) => Ok(Vec::new()),
            (_, None) if !is_polygon => Err(format!("-ERR member {} does not exist", center.words)),
            (_, place) => Ok(self.find(key, &shape, place.unwrap_or_default())),
        };
        let mut alike = false;
        if let Ok(found) = &mut found {
            found.sort_by(|a, b| a.2.total_cmp(&b.2));
            // Which of those that are as far comes first is no matter of this model either.
            alike = !is_polygon && found.windows(2).any(|pair| (pair[0].2 - pair[1].2).abs() < 1e-6);
            if alike && (count.is_some() || !order.is_empty()) {
                return Step::new(format!("EXISTS {key}"), int(1));
            }
            if order == " DESC" {
                found.reverse();
            }
            found.truncate(count.unwrap_or(usize::MAX));
        }
        let is_ordered = !alike && (count.is_some() || !order.is_empty());
        match found {
            Err(why) => Step::new(if stores && old_form { format!("{line} STORE {to}") } else { line }, why),
            Ok(found) if stores => {
                let option = match (old_form, distances) {
                    (true, true) => format!(" STOREDIST {to}"),
                    (true, false) => format!(" STORE {to}"),
                    (false, true) => " STOREDIST".into(),
                    (false, false) => String::new(),
                };
                let event = if old_form { "georadiusstore" } else { "geosearchstore" };
                let was_there = self.sets.contains_key(to);
                let score = |far: f64, score: f64| if distances { far / unit_of_answer } else { score };
                let stored: Vec<(String, f64)> =
                    found.into_iter().map(|(member, at, far)| (member, score(far, at))).collect();
                let any = !stored.is_empty();
                let step = Step::new(line + &option, int(stored.len()));
                self.store(to, stored);
                step.stored(event, to, any, was_there)
            }
            Ok(found) => {
                // Several parts of results are told apart by their order only.
                let some = is_ordered || found.len() < 2;
                let (far, hash, place) =
                    (some && !is_polygon && dice.one_in(2), some && dice.one_in(3), some && dice.one_in(3));
                line += [(far, " WITHDIST"), (hash, " WITHHASH"), (place, " WITHCOORD")]
                    .iter()
                    .map(|(with, word)| if *with { word } else { "" })
                    .collect::<String>()
                    .as_str();
                let tell = |(member, score, meters): &(String, f64, f64)| {
                    let mut words = vec![member.clone()];
                    words.extend(far.then(|| format!("{:.4}", meters / unit_of_answer)));
                    words.extend(hash.then(|| format!(":{}", *score as u64)));
                    words.extend(place.then(|| coordinates(place_of(*score))));
                    if words.len() > 1 { list(&words) } else { member.clone() }
                };
                let told: Vec<String> = found.iter().map(tell).collect();
                Step { sorted: !is_ordered, ..Step::new(line, list(&told)) }
            }
        }
    }

    /// The members inside, with their scores and how far they are, in meters.
    fn find(&self, key: &str, shape: &Shape, center: Place) -> Vec<(String, f64, f64)> {
        let inside = |place: Place| match shape {
            Shape::Circle(radius) => distance(center, place) <= *radius,
            Shape::Box(width, height) => {
                distance((center.0, place.1), center) <= height / 2.0
                    && distance(place, (center.0, place.1)) <= width / 2.0
            }
            Shape::Polygon(corners) => surrounds(corners, place),
        };
        let set = self.get(key).into_iter();
        set.map(|(member, score)| (member, score, place_of(score)))
            .filter(|(_, _, place)| inside(*place))
            .map(|(member, score, place)| (member, score, distance(center, place)))
            .collect()
    }

    fn tell(&self, dice: &mut Dice, key: &'static str) -> Step {
        let (set, asked) = (self.get(key), [name(dice), name(dice)]);
        let places = asked.each_ref().map(|member| set.get(member).map(|score| place_of(*score)));
        let each = |tell: fn(Place) -> String| list(&places.map(|place| place.map_or("(nil)".into(), tell)));
        match dice.below(3) {
            0 => Step::new(format!("GEOPOS {key} {}", asked.join(" ")), each(coordinates)),
            1 => Step::new(format!("GEOHASH {key} {}", asked.join(" ")), each(geohash)),
            _ => {
                let (unit, meters) = UNITS[dice.below(UNITS.len())];
                let far = match places {
                    [Some(one), Some(two)] => format!("{:.4}", distance(one, two) / meters),
                    _ => "(nil)".into(),
                };
                Step::new(format!("GEODIST {key} {} {unit}", asked.join(" ")), far)
            }
        }
    }
}

/// Three or four corners around a city, which no place lies on an edge of.
fn polygon(dice: &mut Dice) -> (String, Shape) {
    let (x, y) = CITIES[[0, 1, 4, 5][dice.below(4)]];
    let size = [0.0213, 0.117, 1.617][dice.below(3)];
    let mut corners = vec![(-1.0, -0.7), (0.9, -1.1), (0.4, 1.3), (-0.8, 0.5)];
    corners.truncate(3 + dice.below(2));
    let texts: Vec<String> = corners
        .iter()
        .map(|(east, north)| format!("{:.7} {:.7}", x + size * east, y + size * north))
        .collect();
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let corner = |text: &String| text.split_once(' ').map(|(x, y)| (number(x), number(y))).expect("two");
    let shape = Shape::Polygon(texts.iter().map(corner).collect());
    (format!("BYPOLYGON {} {}", texts.len(), texts.join(" ")), shape)
}

impl Model for Places {
    fn step(&mut self, dice: &mut Dice, _now: i64) -> Step {
        let key = dice.key();
        match dice.below(20) {
            0..5 => self.add(dice, key),
            5..8 => self.tell(dice, key),
            8..18 => self.search(dice, key),
            18 => {
                let member = name(dice);
                let mut set = self.sets.remove(key).unwrap_or_default();
                let there = set.remove(&member).is_some();
                let emptied = there && set.is_empty();
                if set.is_empty() {
                    self.large.remove(key);
                } else {
                    self.sets.insert(key.into(), set);
                }
                Step::new(format!("ZREM {key} {member}"), int(there.into()))
                    .event_if(there, "zrem", key)
                    .event_if(emptied, "del", key)
            }
            _ => {
                let there = dice.one_in(3) && self.sets.remove(key).is_some();
                match there {
                    true => {
                        self.large.remove(key);
                        Step::new(format!("DEL {key}"), int(1)).event("del", key)
                    }
                    false => Step::new(format!("ZCARD {key}"), int(self.get(key).len())),
                }
            }
        }
    }

    fn encoding(&self, key: &str) -> Option<&'static str> {
        self.sets.get(key)?;
        Some(if self.large.get(key).copied().unwrap_or(false) { "skiplist" } else { "listpack" })
    }

    fn holds(&self, key: &str) -> Option<bool> {
        Some(self.sets.contains_key(key))
    }

    fn looks(&mut self, key: &'static str, _now: i64) -> Vec<Step> {
        let scores = self.get(key).into_iter();
        // Distances have more digits than one wants to write here.
        let tell = |score: f64| if score.fract() == 0.0 { format!("{score}") } else { "?".into() };
        scores.map(|(member, score)| Step::new(format!("ZSCORE {key} {member}"), tell(score))).collect()
    }
}

#[test]
fn places_follow_their_model() {
    follow::<Places>(2_000, 250);
}

/// The model itself, by places of which others have told the same.
#[test]
fn the_model_knows_sicily() {
    let (palermo, catania) =
        (place_of(score((13.361389, 38.115556))), place_of(score((15.087269, 37.502669))));
    assert_eq!((geohash(palermo), geohash(catania)), ("sqc8b49rny0".into(), "sqdtr74hyu0".into()));
    assert_eq!(format!("{:.4}", distance(palermo, catania)), "166274.1516");
    assert_eq!(coordinates(palermo), "[13.36138933897018433 38.11555639549629859]");
}
