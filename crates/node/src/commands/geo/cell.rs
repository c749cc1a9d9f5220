//! Geohashes: places on the earth as numbers, so that near places have near numbers.
//!
//! The plane of longitudes and latitudes is halved again and again, in turn by one and by the other; each halving is a bit,
//! one if the place lies in the greater half. With 26 halvings of each the number has 52 bits and is the score of a
//! member. Latitudes end where a Mercator map is a square.

/// The greatest longitude, in degrees.
pub(super) const LONGITUDE: f64 = 180.0;
/// The greatest latitude, in degrees.
pub(super) const LATITUDE: f64 = 85.05112878;
/// How often both are halved for a score.
pub(super) const STEPS: u32 = 26;

/// A place, in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Place {
    pub(super) longitude: f64,
    pub(super) latitude: f64,
}

/// A part of the plane, in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Area {
    pub(super) longitude: (f64, f64),
    pub(super) latitude: (f64, f64),
}

/// What is left of the plane after some halvings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    bits: u64,
    steps: u32,
}

/// Every second bit, the lowest one first, from the lower half.
fn spread(n: u32) -> u64 {
    let mut n = u64::from(n);
    for (by, mask) in [
        (16, 0x0000_FFFF_0000_FFFF),
        (8, 0x00FF_00FF_00FF_00FF),
        (4, 0x0F0F_0F0F_0F0F_0F0F),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        n = (n | n << by) & mask;
    }
    n
}

/// The opposite of [`spread`].
fn gather(n: u64) -> u32 {
    let mut n = n & 0x5555_5555_5555_5555;
    for (by, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0F0F_0F0F_0F0F_0F0F),
        (4, 0x00FF_00FF_00FF_00FF),
        (8, 0x0000_FFFF_0000_FFFF),
        (16, 0x0000_0000_FFFF_FFFF),
    ] {
        n = (n | n >> by) & mask;
    }
    n as u32
}

impl Cell {
    /// The cell that a place lies in, after so many halvings of longitudes and latitudes up to these.
    fn within(place: Place, steps: u32, (longitude, latitude): (f64, f64)) -> Cell {
        let count = (1u64 << steps) as f64;
        let part = |value: f64, most: f64| ((value + most) / (most + most) * count) as u32;
        let bits = spread(part(place.latitude, latitude)) | spread(part(place.longitude, longitude)) << 1;
        Cell { bits, steps }
    }

    pub(super) fn of(place: Place, steps: u32) -> Cell {
        Cell::within(place, steps, (LONGITUDE, LATITUDE))
    }

    /// The cell of a score. Scores that no place has lead to some place.
    pub(super) fn of_score(score: f64) -> Cell {
        Cell { bits: truncated(score), steps: STEPS }
    }

    /// The lowest score in it and the first one behind it.
    pub(super) fn scores(self) -> (f64, f64) {
        let shift = 2 * (STEPS - self.steps);
        ((self.bits << shift) as f64, ((self.bits + 1) << shift) as f64)
    }

    pub(super) fn area(self) -> Area {
        let count = (1u64 << self.steps) as f64;
        let side = |part: u32, most: f64| {
            let at = |n: u32| -most + f64::from(n) / count * (most + most);
            (at(part), at(part.wrapping_add(1)))
        };
        Area {
            longitude: side(gather(self.bits >> 1), LONGITUDE),
            latitude: side(gather(self.bits), LATITUDE),
        }
    }

    /// Its middle.
    pub(super) fn place(self) -> Place {
        let Area { longitude, latitude } = self.area();
        let middle = |(from, to): (f64, f64), most: f64| ((from + to) / 2.0).clamp(-most, most);
        Place { longitude: middle(longitude, LONGITUDE), latitude: middle(latitude, LATITUDE) }
    }

    /// The cell of the same size so many to the east and to the north. The plane goes on from each edge at the opposite
    /// one.
    pub(super) fn neighbor(self, east: i32, north: i32) -> Cell {
        let mask = u32::MAX >> (32 - self.steps);
        // The greatest longitude and latitude themselves lie one behind the last cell, and stay there if not moved.
        let moved = |part: u32, by: i32| if by == 0 { part } else { part.wrapping_add_signed(by) & mask };
        let (longitude, latitude) = (moved(gather(self.bits >> 1), east), moved(gather(self.bits), north));
        Cell { bits: spread(latitude) | spread(longitude) << 1, steps: self.steps }
    }
}

/// The text that the public geohash service has for a place, in eleven letters. It has latitudes up to the poles; the last
/// letter would need more bits than there are.
pub(super) fn text(place: Place) -> [u8; 11] {
    const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let bits = Cell::within(place, STEPS, (180.0, 90.0)).bits;
    let mut text = [LETTERS[0]; 11];
    for (n, letter) in text.iter_mut().take(10).enumerate() {
        *letter = LETTERS[(bits >> (52 - 5 * (n + 1)) & 31) as usize];
    }
    text
}

/// A score without its fraction, as the reference's processor has it also for what lies beyond 64 bits.
fn truncated(score: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if score < HALF {
        return score as i64 as u64;
    }
    let rest = if score - HALF < HALF { (score - HALF) as u64 } else { 1 << 63 };
    rest ^ 1 << 63
}

#[cfg(test)]
mod tests {
    use super::*;

    const PALERMO: Place = Place { longitude: 13.361389, latitude: 38.115556 };

    #[test]
    fn a_place_has_a_score_and_a_text_as_the_public_service_has_them() {
        let cell = Cell::of(PALERMO, STEPS);
        assert_eq!(cell.scores().0, 3_479_099_956_230_698.0);
        assert_eq!(&text(Cell::of_score(3_479_099_956_230_698.0).place()), b"sqc8b49rny0");
    }

    #[test]
    fn a_score_leads_back_to_the_place_as_near_as_its_bits_allow() {
        for place in [
            PALERMO,
            Place { longitude: -180.0, latitude: -LATITUDE },
            Place { longitude: 0.0, latitude: 0.0 },
            Place { longitude: 179.99, latitude: 85.0 },
        ] {
            let back = Cell::of_score(Cell::of(place, STEPS).scores().0).place();
            assert!((back.longitude - place.longitude).abs() < 3e-6, "{place:?} {back:?}");
            assert!((back.latitude - place.latitude).abs() < 2e-6, "{place:?} {back:?}");
        }
    }

    #[test]
    fn neighbors_touch_and_the_plane_has_no_edge() {
        for steps in 1..=STEPS {
            let cell = Cell::of(PALERMO, steps);
            assert_eq!(cell.neighbor(1, -1).neighbor(-1, 1), cell);
            if steps > 2 {
                assert_eq!(cell.neighbor(1, 0).area().longitude.0, cell.area().longitude.1);
                assert_eq!(cell.neighbor(0, -1).area().latitude.1, cell.area().latitude.0);
            }
        }
        let east = Cell::of(Place { longitude: 179.9, latitude: 0.0 }, 8);
        assert_eq!(east.neighbor(1, 0).area().longitude.0, -180.0);
    }

    #[test]
    fn scores_that_no_place_has_do_no_harm() {
        for score in [-1.0, 1e17, 1e300, -1e300, f64::INFINITY, f64::NEG_INFINITY, 1.5] {
            let place = Cell::of_score(score).place();
            assert!(place.longitude.abs() <= LONGITUDE && place.latitude.abs() <= LATITUDE, "{score}");
        }
    }
}
