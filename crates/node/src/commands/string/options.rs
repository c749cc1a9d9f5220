//! The options that `SET`, `GETEX` and `MSETEX` share: a condition, `GET`, and what becomes of the time to live.

use crate::commands::parse_int;
use crate::context::Ctx;
use crate::error::Error;
use tanist_keyspace::Expiry;
use tanist_resp::Args;
use tanist_types::UnixMs;

/// Whose options are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    Set,
    GetEx,
    MSetEx,
}

/// On what a write depends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Condition<'b> {
    /// `NX`: nothing is there.
    Absent,
    /// `XX`: something is there.
    Present,
    /// `IFEQ`: this string is there.
    Equals(&'b [u8]),
}

/// What becomes of the time to live.
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

/// How a number tells a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Secs,
    Millis,
    UnixSecs,
    UnixMillis,
}

/// All options of one command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options<'b> {
    pub(super) condition: Option<Condition<'b>>,
    pub(super) get: bool,
    pub(super) lifetime: Lifetime<'b>,
}

impl<'b> Options<'b> {
    /// Reads the options of `family` from argument `from` on.
    ///
    /// # Errors
    /// A syntax error for an unknown word, a missing number, or options that exclude each other. The same word
    /// may come twice.
    pub(super) fn parse(args: Args<'_, 'b>, from: usize, family: Family) -> Result<Options<'b>, Error> {
        let mut o = Options { condition: None, get: false, lifetime: Lifetime::Unsaid };
        let mut i = from;
        while let Some(word) = args.get(i) {
            let next = args.get(i + 1);
            i += if o.flag(word, family) || o.keyword(word, family) {
                1
            } else if next.is_some_and(|n| o.valued(word, n, family)) {
                2
            } else {
                return Err(Error::SYNTAX);
            };
        }
        Ok(o)
    }

    /// Takes a word that is a condition or `GET`.
    fn flag(&mut self, word: &[u8], family: Family) -> bool {
        let condition = |new: Condition<'b>, old: Option<Condition<'b>>| {
            (family != Family::GetEx && old.is_none_or(|c| c == new)).then_some(Some(new))
        };
        let taken = if word.eq_ignore_ascii_case(b"NX") {
            condition(Condition::Absent, self.condition)
        } else if word.eq_ignore_ascii_case(b"XX") {
            condition(Condition::Present, self.condition)
        } else if word.eq_ignore_ascii_case(b"GET") && family == Family::Set {
            self.get = true;
            return true;
        } else {
            None
        };
        if let Some(taken) = taken {
            self.condition = taken;
        }
        taken.is_some()
    }

    /// Takes `KEEPTTL` or `PERSIST`.
    fn keyword(&mut self, word: &[u8], family: Family) -> bool {
        let wanted = match family {
            Family::Set | Family::MSetEx if word.eq_ignore_ascii_case(b"KEEPTTL") => Lifetime::Keep,
            Family::GetEx if word.eq_ignore_ascii_case(b"PERSIST") => Lifetime::Persist,
            _ => return false,
        };
        let fits = self.lifetime == Lifetime::Unsaid || self.lifetime == wanted;
        self.lifetime = wanted;
        fits
    }

    /// Takes a word that `value` belongs to.
    fn valued(&mut self, word: &[u8], value: &'b [u8], family: Family) -> bool {
        if word.eq_ignore_ascii_case(b"IFEQ") {
            let fits = family == Family::Set && self.condition.is_none();
            self.condition = Some(Condition::Equals(value));
            return fits;
        }
        let unit = if word.eq_ignore_ascii_case(b"EX") {
            Unit::Secs
        } else if word.eq_ignore_ascii_case(b"PX") {
            Unit::Millis
        } else if word.eq_ignore_ascii_case(b"EXAT") {
            Unit::UnixSecs
        } else if word.eq_ignore_ascii_case(b"PXAT") {
            Unit::UnixMillis
        } else {
            return false;
        };
        let fits = match self.lifetime {
            Lifetime::Unsaid => true,
            Lifetime::Until(before, _) => before == unit,
            Lifetime::Keep | Lifetime::Persist => false,
        };
        self.lifetime = Lifetime::Until(unit, value);
        fits
    }

    /// The moment of expiry, if one was given.
    ///
    /// # Errors
    /// When it is no integer, not positive, or beyond what milliseconds in 64 bits can tell.
    pub(super) fn until(&self, ctx: &Ctx<'_>) -> Result<Option<UnixMs>, Error> {
        match self.lifetime {
            Lifetime::Until(unit, text) => moment(ctx, unit, text).map(Some),
            _ => Ok(None),
        }
    }

    /// What the write does to the expiry, `until` being the moment given.
    pub(super) fn expiry(&self, until: Option<UnixMs>) -> Expiry {
        match (until, self.lifetime) {
            (Some(at), _) => Expiry::At(at),
            (None, Lifetime::Keep) => Expiry::Keep,
            _ => Expiry::Clear,
        }
    }
}

/// The moment that a positive number in `unit` tells.
///
/// # Errors
/// See [`Options::until`].
pub(super) fn moment(ctx: &Ctx<'_>, unit: Unit, text: &[u8]) -> Result<UnixMs, Error> {
    let n = parse_int(text)?;
    let invalid = || Error::invalid_expire(ctx.command.full_name);
    let scale = if matches!(unit, Unit::Secs | Unit::UnixSecs) { 1000 } else { 1 };
    let base = if matches!(unit, Unit::Secs | Unit::Millis) { ctx.wall().0 } else { 0 };
    let at = (n > 0).then(|| n.checked_mul(scale)?.checked_add(base)).flatten();
    at.map(UnixMs).ok_or_else(invalid)
}
