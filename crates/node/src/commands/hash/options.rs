//! The options of the commands on fields that expire, and the list of fields that ends them.

use crate::commands::{parse_int, quoted};
use crate::context::Ctx;
use crate::error::Error;
use tanist_resp::Args;
use tanist_types::UnixMs;

const COUNT: Error =
    Error::fixed("ERR numfields should be greater than 0 and match the provided number of fields");

/// Where the fields of a command are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    /// Where the first one stands.
    pub(super) first: usize,
    /// How many there are.
    pub(super) count: usize,
}

impl Fields {
    /// `FIELDS numfields ...` at argument `at`, each field with `width` arguments; all the rest.
    ///
    /// # Errors
    /// When the number is none; `mismatch` when it is not that of the fields.
    fn at(args: Args<'_, '_>, at: usize, width: usize, mismatch: Error) -> Result<Fields, Error> {
        let count = args.get(at + 1).ok_or(COUNT).and_then(parse_int)?;
        let first = at + 2;
        let there = args.len() - first;
        match usize::try_from(count) {
            Ok(count @ 1..) if count.checked_mul(width) == Some(there) => Ok(Fields { first, count }),
            _ => Err(mismatch),
        }
    }

    /// A list of fields that stands at argument 2, and nowhere else.
    ///
    /// # Errors
    /// See [`Fields::at`]; a syntax error without `FIELDS`.
    pub(super) fn only(args: Args<'_, '_>, mismatch: Error) -> Result<Fields, Error> {
        if !args.at(2).eq_ignore_ascii_case(b"FIELDS") {
            return Err(Error::SYNTAX);
        }
        Fields::at(args, 2, 1, mismatch)
    }

    /// What `HPERSIST` and `HGETDEL` say of a wrong number.
    pub(super) const MISMATCH: Error = COUNT;

    /// The fields.
    pub(super) fn of<'a, 'b>(self, args: Args<'a, 'b>) -> impl Iterator<Item = &'b [u8]> + use<'a, 'b> {
        (self.first..self.first + self.count).map(move |i| args.at(i))
    }
}

/// Where `FIELDS` stands, from argument `from` on.
fn find_fields(args: Args<'_, '_>, from: usize) -> Result<usize, Error> {
    let found = (from..args.len()).find(|&i| args.at(i).eq_ignore_ascii_case(b"FIELDS"));
    found.ok_or(COUNT)
}

/// How a number tells a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Secs,
    Millis,
    UnixSecs,
    UnixMillis,
}

/// The moment that a number in `unit`, not negative, tells.
///
/// # Errors
/// When it is no integer, negative, or beyond what milliseconds in 64 bits can tell.
pub(super) fn moment(ctx: &Ctx<'_>, unit: Unit, text: &[u8]) -> Result<UnixMs, Error> {
    let n = parse_int(text)?;
    let scale = if matches!(unit, Unit::Secs | Unit::UnixSecs) { 1000 } else { 1 };
    let base = if matches!(unit, Unit::Secs | Unit::Millis) { ctx.wall().0 } else { 0 };
    let at = (n >= 0).then(|| n.checked_mul(scale)?.checked_add(base)).flatten();
    at.map(UnixMs).ok_or_else(|| Error::invalid_expire(ctx.command.full_name))
}

/// What becomes of the expiry of fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lifetime<'b> {
    /// Nothing was said.
    Unsaid,
    /// `KEEPTTL`.
    Keep,
    /// `PERSIST`.
    Persist,
    /// `EX`, `PX`, `EXAT`, `PXAT` with the number that follows.
    Until(Unit, &'b [u8]),
}

/// The options of `HSETEX` and `HGETEX`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options<'b> {
    pub(super) fields: Fields,
    pub(super) lifetime: Lifetime<'b>,
    /// `NX` (no) or `XX` (yes): whether the key must exist.
    pub(super) key_exists: Option<bool>,
    /// `FNX` (no) or `FXX` (yes): whether all the fields must exist.
    pub(super) fields_exist: Option<bool>,
}

impl<'b> Options<'b> {
    /// The options of `HSETEX` (`sets`) or `HGETEX`.
    ///
    /// # Errors
    /// A syntax error for an unknown word, a missing number, or options that exclude each other; a number of fields
    /// that is not theirs.
    pub(super) fn parse(args: Args<'_, 'b>, sets: bool) -> Result<Options<'b>, Error> {
        let end = find_fields(args, 2)?;
        let fields = Fields { first: 0, count: 0 };
        let mut o = Options { fields, lifetime: Lifetime::Unsaid, key_exists: None, fields_exist: None };
        let mut i = 2;
        while i < end {
            let next = args.get(i + 1).filter(|_| i + 1 < end);
            i += o.take(args.at(i), next, sets).ok_or(Error::SYNTAX)?;
        }
        o.fields = Fields::at(args, end, if sets { 2 } else { 1 }, COUNT)?;
        Ok(o)
    }

    /// Takes a word, perhaps with the next one; how many that were, if it fits.
    fn take(&mut self, word: &[u8], next: Option<&'b [u8]>, sets: bool) -> Option<usize> {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let condition = match word.len() {
            2 if is(b"NX") => Some((&mut self.key_exists, false)),
            2 if is(b"XX") => Some((&mut self.key_exists, true)),
            3 if is(b"FNX") => Some((&mut self.fields_exist, false)),
            3 if is(b"FXX") => Some((&mut self.fields_exist, true)),
            _ => None,
        };
        if let Some((place, wanted)) = condition {
            let fits = sets && place.is_none_or(|before| before == wanted);
            *place = Some(wanted);
            return fits.then_some(1);
        }
        let (lifetime, words) = if sets && is(b"KEEPTTL") {
            (Lifetime::Keep, 1)
        } else if !sets && is(b"PERSIST") {
            (Lifetime::Persist, 1)
        } else {
            let units: [(&[u8], Unit); 4] = [
                (b"EX", Unit::Secs),
                (b"PX", Unit::Millis),
                (b"EXAT", Unit::UnixSecs),
                (b"PXAT", Unit::UnixMillis),
            ];
            let (_, unit) = units.into_iter().find(|(name, _)| is(name))?;
            (Lifetime::Until(unit, next?), 2)
        };
        let fits = match (self.lifetime, lifetime) {
            (Lifetime::Unsaid, _) => true,
            (Lifetime::Until(before, _), Lifetime::Until(now, _)) => before == now,
            (before, now) => before == now,
        };
        self.lifetime = lifetime;
        fits.then_some(words)
    }

    /// The moment of expiry, if one was given.
    ///
    /// # Errors
    /// See [`moment`].
    pub(super) fn until(&self, ctx: &Ctx<'_>) -> Result<Option<UnixMs>, Error> {
        match self.lifetime {
            Lifetime::Until(unit, text) => moment(ctx, unit, text).map(Some),
            _ => Ok(None),
        }
    }
}

/// On what a new expiry depends: `NX`, `XX`, `GT`, `LT`, of which `XX` may stand with one of the last two.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Conditions {
    absent: bool,
    present: bool,
    greater: bool,
    less: bool,
}

impl Conditions {
    /// The conditions between argument 3 and the list of fields.
    ///
    /// # Errors
    /// When a word is unknown, or two exclude each other; see also [`Fields::at`].
    pub(super) fn parse(args: Args<'_, '_>) -> Result<(Conditions, Fields), Error> {
        let end = find_fields(args, 3)?;
        let mut c = Conditions::default();
        for i in 3..end {
            let word = args.at(i);
            match () {
                () if word.eq_ignore_ascii_case(b"NX") => c.absent = true,
                () if word.eq_ignore_ascii_case(b"XX") => c.present = true,
                () if word.eq_ignore_ascii_case(b"GT") => c.greater = true,
                () if word.eq_ignore_ascii_case(b"LT") => c.less = true,
                () => return Err(Error::new(format!("ERR Unsupported option {}", quoted(word)))),
            }
        }
        if c.absent && (c.present || c.greater || c.less) {
            return Err(Error::fixed("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if c.greater && c.less {
            return Err(Error::fixed("ERR GT and LT options at the same time are not compatible"));
        }
        Ok((c, Fields::at(args, end, 1, COUNT)?))
    }

    /// Whether they hold for an expiry that would become `at`; none is later than any.
    pub(super) fn hold(self, old: Option<UnixMs>, at: UnixMs) -> bool {
        !(self.absent && old.is_some()
            || self.present && old.is_none()
            || self.greater && old.is_none_or(|old| at <= old)
            || self.less && old.is_some_and(|old| at >= old))
    }
}
