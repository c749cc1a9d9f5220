//! What a search is asked for: the arguments of `GEOSEARCH`, `GEORADIUS` and their kin.

use super::cell::Place;
use super::shape::{Search, Shape, middle};
use super::{parse_place, unit_of};
use crate::commands::parse_int;
use crate::commands::sorted_set::parse_double;
use crate::error::{Error, Outcome};
use tanist_keyspace::collections::SortedSet;
use tanist_resp::Args;

/// Which command asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// `GEORADIUS` and, which may not store, `GEORADIUS_RO`.
    Radius { may_store: bool },
    /// `GEORADIUSBYMEMBER` and `GEORADIUSBYMEMBER_RO`.
    RadiusByMember { may_store: bool },
    /// `GEOSEARCH`
    Search,
    /// `GEOSEARCHSTORE`
    SearchStore,
}

/// How results are sorted, by their distance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// `ASC`
    NearFirst,
    /// `DESC`
    FarFirst,
}

/// What is asked for.
#[derive(Debug)]
pub(super) struct Options<'b> {
    form: Form,
    center: Option<Place>,
    /// A member was named as the center.
    by_member: bool,
    shape: Option<Shape>,
    unit: f64,
    pub(super) with_distance: bool,
    pub(super) with_hash: bool,
    pub(super) with_place: bool,
    pub(super) order: Option<Order>,
    /// The most results.
    pub(super) count: Option<usize>,
    /// The first ones that are found will do.
    pub(super) any: bool,
    /// Where results are stored.
    pub(super) store: Option<&'b [u8]>,
    /// The scores to store are distances.
    pub(super) store_distances: bool,
}

impl<'b> Options<'b> {
    /// Reads the arguments; `set` is what is searched, if it is there.
    pub(super) fn parse(
        args: Args<'_, 'b>,
        form: Form,
        set: Option<&SortedSet>,
    ) -> Result<Options<'b>, Error> {
        let mut o = Options {
            form,
            center: None,
            by_member: false,
            shape: None,
            unit: 1.0,
            with_distance: false,
            with_hash: false,
            with_place: false,
            order: None,
            count: None,
            any: false,
            store: None,
            store_distances: false,
        };
        if let Form::Radius { may_store: true } | Form::RadiusByMember { may_store: true } = form {
            o.store = crate::keys::radius_destination(args).map(|i| args.at(i));
        }
        let mut i = match form {
            Form::Radius { .. } => {
                o.center = Some(parse_place(args, 2)?);
                o.circle(args, 4)?;
                6
            }
            Form::RadiusByMember { .. } => {
                if set.is_some() {
                    o.member(args.at(2), set)?;
                    o.circle(args, 3)?;
                }
                5
            }
            Form::Search => 2,
            Form::SearchStore => {
                o.store = Some(args.at(1));
                3
            }
        };
        while i < args.len() {
            i += o.option(args, i, set)?;
        }
        o.check(args)?;
        Ok(o)
    }

    /// Reads the option at argument `i`; how many arguments it has.
    fn option(&mut self, args: Args<'_, 'b>, i: usize, set: Option<&SortedSet>) -> Result<usize, Error> {
        let word = args.at(i);
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let more = args.len() - i - 1;
        match () {
            () if is(b"WITHDIST") => self.with_distance = true,
            () if is(b"WITHHASH") => self.with_hash = true,
            () if is(b"WITHCOORD") => self.with_place = true,
            () if is(b"ANY") => self.any = true,
            () if is(b"ASC") => self.order = Some(Order::NearFirst),
            () if is(b"DESC") => self.order = Some(Order::FarFirst),
            () if is(b"COUNT") && more >= 1 => {
                let count = usize::try_from(parse_int(args.at(i + 1))?).ok().filter(|count| *count > 0);
                self.count = Some(count.ok_or(Error::fixed("ERR COUNT must be > 0"))?);
                return Ok(2);
            }
            () => {
                return match self.form {
                    Form::Radius { may_store } | Form::RadiusByMember { may_store } => {
                        if !may_store || more == 0 || !(is(b"STORE") || is(b"STOREDIST")) {
                            return Err(Error::SYNTAX);
                        }
                        self.store_distances = is(b"STOREDIST");
                        Ok(2)
                    }
                    Form::SearchStore if is(b"STOREDIST") => {
                        self.store_distances = true;
                        Ok(1)
                    }
                    Form::Search | Form::SearchStore => self.place_or_shape(args, i, set),
                };
            }
        }
        Ok(1)
    }

    /// Reads where to search or what.
    fn place_or_shape(
        &mut self,
        args: Args<'_, 'b>,
        i: usize,
        set: Option<&SortedSet>,
    ) -> Result<usize, Error> {
        let word = args.at(i);
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let more = args.len() - i - 1;
        let (circle, rectangle, polygon) = match &self.shape {
            None => (false, false, false),
            Some(Shape::Circle { .. }) => (true, false, false),
            Some(Shape::Box { .. }) => (false, true, false),
            Some(Shape::Polygon(_)) => (false, false, true),
        };
        let (by_member, by_place) = (self.by_member, self.center.is_some() && !self.by_member && !polygon);
        match () {
            () if is(b"FROMMEMBER") && more >= 1 && !by_place && !polygon => {
                self.member(args.at(i + 1), set)?;
                Ok(2)
            }
            () if is(b"FROMLONLAT") && more >= 2 && !by_member && !polygon => {
                self.center = Some(parse_place(args, i + 1)?);
                Ok(3)
            }
            () if is(b"BYRADIUS") && more >= 2 && !rectangle && !polygon => {
                self.circle(args, i + 1)?;
                Ok(3)
            }
            () if is(b"BYBOX") && more >= 3 && !circle && !polygon => {
                self.rectangle(args, i + 1)?;
                Ok(4)
            }
            () if is(b"BYPOLYGON") && more >= 2 && !(circle || rectangle || by_member || by_place) => {
                self.polygon(args, i + 1)
            }
            () => Err(Error::SYNTAX),
        }
    }

    fn member(&mut self, member: &[u8], set: Option<&SortedSet>) -> Outcome {
        self.by_member = true;
        let Some(set) = set else { return Ok(()) };
        let score = set.score(member).ok_or_else(|| {
            Error::new(format!("ERR member {} does not exist", String::from_utf8_lossy(member)))
        })?;
        self.center = Some(super::cell::Cell::of_score(score).place());
        Ok(())
    }

    /// Reads a radius and its unit.
    fn circle(&mut self, args: Args<'_, '_>, i: usize) -> Outcome {
        let radius = parse_double(args.at(i)).ok_or(Error::fixed("ERR need numeric radius"))?;
        if radius < 0.0 {
            return Err(Error::fixed("ERR radius cannot be negative"));
        }
        self.unit = unit_of(args.at(i + 1))?;
        self.shape = Some(Shape::Circle { radius });
        Ok(())
    }

    /// Reads a width, a height and their unit.
    fn rectangle(&mut self, args: Args<'_, '_>, i: usize) -> Outcome {
        let width = parse_double(args.at(i)).ok_or(Error::fixed("ERR need numeric width"))?;
        let height = parse_double(args.at(i + 1)).ok_or(Error::fixed("ERR need numeric height"))?;
        if width < 0.0 || height < 0.0 {
            return Err(Error::fixed("ERR height or width cannot be negative"));
        }
        self.unit = unit_of(args.at(i + 2))?;
        self.shape = Some(Shape::Box { width, height });
        Ok(())
    }

    /// Reads the number of corners and the corners; how many arguments all are, with the word in front.
    fn polygon(&mut self, args: Args<'_, '_>, i: usize) -> Result<usize, Error> {
        let count = parse_int(args.at(i)).ok().and_then(|n| i32::try_from(n).ok());
        let count = count.ok_or(Error::fixed("ERR invalid number of vertices"))?;
        let possible = (args.len() - i - 1) / 2;
        let count = usize::try_from(count).ok().filter(|count| (3..=possible).contains(count));
        let count = count.ok_or(Error::fixed("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"))?;
        let mut corners = Vec::with_capacity(count);
        for n in 0..count {
            corners.push(parse_place(args, i + 1 + 2 * n)?);
        }
        self.unit = 1.0;
        self.center = Some(middle(&corners));
        self.shape = Some(Shape::Polygon(corners));
        Ok(2 + 2 * count)
    }

    /// Whether the options go together and are enough.
    fn check(&self, args: Args<'_, '_>) -> Outcome {
        if self.store.is_some() && (self.with_distance || self.with_hash || self.with_place) {
            return Err(Error::fixed(if self.form == Form::SearchStore {
                "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            } else {
                "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            }));
        }
        let name = String::from_utf8_lossy(args.at(0));
        if matches!(self.form, Form::Search | Form::SearchStore) {
            if self.center.is_none() && !self.by_member {
                return Err(Error::new(format!(
                    "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}"
                )));
            }
            if self.shape.is_none() {
                return Err(Error::new(format!(
                    "ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for {name}"
                )));
            }
        }
        if self.any && self.count.is_none() {
            return Err(Error::fixed("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// What is searched; `None` if the place is a member's and there are none.
    pub(super) fn search(&self) -> Option<Search> {
        Some(Search { shape: self.shape.clone()?, center: self.center?, unit: self.unit })
    }
}
