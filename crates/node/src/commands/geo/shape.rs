//! What is searched: circles, boxes and polygons on the earth, and which cells cover them.

use super::cell::{Area, Cell, LATITUDE, LONGITUDE, Place, STEPS};

/// The earth's radius, in meters.
const EARTH: f64 = 6_372_797.560856;
/// Half the width of a Mercator map of the earth, in meters.
const HALF_MAP: f64 = 20_037_726.37;

fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

fn degrees(radians: f64) -> f64 {
    radians / (std::f64::consts::PI / 180.0)
}

/// The distance of two latitudes, in meters.
fn latitude_distance(one: f64, two: f64) -> f64 {
    EARTH * (radians(two) - radians(one)).abs()
}

/// The distance of two places along the surface of a sphere, in meters: the haversine formula.
pub(super) fn distance(one: Place, two: Place) -> f64 {
    let v = ((radians(two.longitude) - radians(one.longitude)) / 2.0).sin();
    if v == 0.0 {
        return latitude_distance(one.latitude, two.latitude);
    }
    let (from, to) = (radians(one.latitude), radians(two.latitude));
    let u = ((to - from) / 2.0).sin();
    2.0 * EARTH * (u * u + from.cos() * to.cos() * v * v).sqrt().asin()
}

/// What is searched for members.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    /// What is no farther than this, in units.
    Circle { radius: f64 },
    /// In units.
    Box { width: f64, height: f64 },
    /// The corners, in order.
    Polygon(Vec<Place>),
}

/// A shape and where it is.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Search {
    pub(super) shape: Shape,
    pub(super) center: Place,
    /// Meters in one unit.
    pub(super) unit: f64,
}

impl Search {
    /// How far a place is from the center, in meters, if it is inside.
    pub(super) fn find(&self, place: Place) -> Option<f64> {
        match &self.shape {
            Shape::Circle { radius } => {
                Some(distance(self.center, place)).filter(|far| *far <= radius * self.unit)
            }
            Shape::Box { width, height } => {
                let along = Place { longitude: self.center.longitude, latitude: place.latitude };
                let inside = latitude_distance(place.latitude, self.center.latitude)
                    <= height * self.unit / 2.0
                    && distance(place, along) <= width * self.unit / 2.0;
                inside.then(|| distance(self.center, place))
            }
            Shape::Polygon(corners) => is_inside(corners, place).then(|| distance(self.center, place)),
        }
    }

    /// The smallest area of longitudes and latitudes around it.
    fn bounds(&self) -> Area {
        let (width, height) = match &self.shape {
            Shape::Circle { radius } => (radius * self.unit, radius * self.unit),
            Shape::Box { width, height } => (self.unit * width / 2.0, self.unit * height / 2.0),
            Shape::Polygon(corners) => return bounds_of(corners),
        };
        let Place { longitude, latitude } = self.center;
        let up = degrees(height / EARTH);
        // Towards its pole the same way is more degrees.
        let far = if latitude < 0.0 { latitude - up } else { latitude + up };
        let aside = degrees(width / EARTH / radians(far).cos());
        Area { longitude: (longitude - aside, longitude + aside), latitude: (latitude - up, latitude + up) }
    }

    /// How far its farthest point is from the center, about, in meters.
    fn reach(&self, bounds: Area) -> f64 {
        match &self.shape {
            Shape::Circle { radius } => radius * self.unit,
            Shape::Box { width, height } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt() * self.unit
            }
            Shape::Polygon(_) => {
                let (west, east) = bounds.longitude;
                let (south, north) = bounds.latitude;
                let corners = [(west, north), (east, north), (west, south), (east, south)];
                let far = |(longitude, latitude)| distance(self.center, Place { longitude, latitude });
                corners.into_iter().map(far).fold(0.0, f64::max)
            }
        }
    }

    /// The cells that hold all of it: the center's and those around it that are needed.
    pub(super) fn cells(&self) -> Vec<Cell> {
        let bounds = self.bounds();
        let mut steps = steps(self.reach(bounds), self.center.latitude);
        let mut cell = Cell::of(self.center, steps);
        if steps > 1 && !is_covered(cell, bounds) {
            steps -= 1;
            cell = Cell::of(self.center, steps);
        }
        let area = cell.area();
        let wide = steps < 2;
        let needed = |east: i32, north: i32| {
            wide || (north >= 0 || area.latitude.0 >= bounds.latitude.0)
                && (north <= 0 || area.latitude.1 <= bounds.latitude.1)
                && (east >= 0 || area.longitude.0 >= bounds.longitude.0)
                && (east <= 0 || area.longitude.1 <= bounds.longitude.1)
        };
        let mut cells = vec![cell];
        let mut last = None;
        for (east, north) in [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)] {
            let next = cell.neighbor(east, north);
            // Around large cells neighbors are the same ones.
            if needed(east, north) && last != Some(next) {
                cells.push(next);
                last = Some(next);
            }
        }
        cells
    }
}

/// How often the plane can be halved so that a cell and those around it hold all within a distance, in meters.
fn steps(mut distance: f64, latitude: f64) -> u32 {
    if distance == 0.0 {
        return STEPS;
    }
    let mut steps = 1;
    while distance < HALF_MAP {
        distance *= 2.0;
        steps += 1;
    }
    // Cells get narrow towards the poles.
    let narrow = i32::from(latitude.abs() > 66.0) + i32::from(latitude.abs() > 80.0);
    (steps - 2 - narrow).clamp(1, STEPS as i32) as u32
}

/// Whether a cell and those around it reach to the bounds.
fn is_covered(cell: Cell, bounds: Area) -> bool {
    cell.neighbor(0, 1).area().latitude.1 >= bounds.latitude.1
        && cell.neighbor(0, -1).area().latitude.0 <= bounds.latitude.0
        && cell.neighbor(1, 0).area().longitude.1 >= bounds.longitude.1
        && cell.neighbor(-1, 0).area().longitude.0 <= bounds.longitude.0
}

fn bounds_of(corners: &[Place]) -> Area {
    let mut area = Area { longitude: (LONGITUDE, -LONGITUDE), latitude: (LATITUDE, -LATITUDE) };
    for corner in corners {
        area.longitude = (area.longitude.0.min(corner.longitude), area.longitude.1.max(corner.longitude));
        area.latitude = (area.latitude.0.min(corner.latitude), area.latitude.1.max(corner.latitude));
    }
    area
}

/// Where the middle of the corners lies, seen from the middle of the earth.
pub(super) fn middle(corners: &[Place]) -> Place {
    let (mut x, mut y, mut z) = (0.0, 0.0, 0.0);
    for corner in corners {
        let (longitude, latitude) = (radians(corner.longitude), radians(corner.latitude));
        x += EARTH * latitude.cos() * longitude.cos();
        y += EARTH * latitude.cos() * longitude.sin();
        z += EARTH * latitude.sin();
    }
    let count = corners.len() as f64;
    (x, y, z) = (x / count, y / count, z / count);
    Place { longitude: degrees(y.atan2(x)), latitude: degrees(z.atan2((x * x + y * y).sqrt())) }
}

/// Whether a line from the place to the east crosses the edges an odd number of times.
fn is_inside(corners: &[Place], place: Place) -> bool {
    let mut inside = false;
    let mut before = corners.len() - 1;
    for (at, one) in corners.iter().enumerate() {
        let two = corners[before];
        before = at;
        if (one.latitude > place.latitude) != (two.latitude > place.latitude) {
            let crossing = (two.longitude - one.longitude) * (place.latitude - one.latitude)
                / (two.latitude - one.latitude)
                + one.longitude;
            inside ^= place.longitude < crossing;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(longitude: f64, latitude: f64) -> Place {
        Place { longitude, latitude }
    }

    #[test]
    fn distances_are_those_of_a_sphere() {
        let quarter = distance(place(0.0, 0.0), place(90.0, 0.0));
        assert!((quarter - EARTH * std::f64::consts::FRAC_PI_2).abs() < 1e-6, "{quarter}");
        assert_eq!(distance(place(5.0, 1.0), place(5.0, 2.0)), latitude_distance(2.0, 1.0));
        assert_eq!(distance(place(5.0, 1.0), place(5.0, 1.0)), 0.0);
    }

    /// Every place that a shape finds lies in one of its cells.
    #[test]
    fn the_cells_of_a_shape_hold_what_it_finds() {
        let mut rng = tanist_types::Rng::from_seed(3);
        let mut random =
            |least: f64, most: f64| least + (most - least) * (rng.below(1 << 30) as f64 / f64::from(1 << 30));
        let mut found = 0;
        for round in 0..600 {
            let center = place(random(-150.0, 150.0), random(-60.0, 60.0));
            let size = 10f64.powf(random(1.0, 5.5));
            let shape = match round % 3 {
                0 => Shape::Circle { radius: size },
                1 => Shape::Box { width: size, height: 2.0 * size },
                _ => {
                    let degrees = size / 200_000.0;
                    let corner =
                        |x: f64, y: f64| place(center.longitude + x * degrees, center.latitude + y * degrees);
                    Shape::Polygon(vec![corner(-1.0, -1.0), corner(1.0, -1.0), corner(0.5, 1.0)])
                }
            };
            let center = if let Shape::Polygon(corners) = &shape { middle(corners) } else { center };
            let search = Search { shape, center, unit: 1.0 };
            let cells = search.cells();
            for _ in 0..40 {
                let spread = size / 50_000.0;
                let there = place(
                    center.longitude + random(-spread, spread),
                    (center.latitude + random(-spread, spread)).clamp(-LATITUDE, LATITUDE),
                );
                let score = Cell::of(there, STEPS).scores().0;
                if search.find(Cell::of_score(score).place()).is_some() {
                    found += 1;
                    let holds = |cell: &Cell| cell.scores().0 <= score && score < cell.scores().1;
                    assert!(cells.iter().any(holds), "{search:?} {there:?}");
                }
            }
        }
        assert!(found > 2000, "{found}");
    }
}
