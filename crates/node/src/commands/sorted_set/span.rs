//! Stretches of a sorted set, as arguments name them: by rank, by score, by bytes.

use crate::commands::parse_int;
use crate::error::Error;
use std::cmp::Ordering;
use std::ops::Range;
use tanist_keyspace::collections::{Collection, SortedSet};

/// A score that limits a stretch.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct ScoreBound {
    score: f64,
    excluded: bool,
}

impl ScoreBound {
    /// `5`, `(5`, `-inf`.
    pub(super) fn parse(text: &[u8]) -> Result<ScoreBound, Error> {
        let (excluded, number) = match text {
            [b'(', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        // An empty text is zero, as ever.
        let score = if number.is_empty() { Some(0.0) } else { parse_unbounded(number) };
        let score = score.ok_or(Error::fixed("ERR min or max is not a float"))?;
        Ok(ScoreBound { score, excluded })
    }
}

/// Bytes that limit a stretch of members of equal score.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LexBound<'b> {
    /// Before everything.
    First,
    /// Behind everything.
    Last,
    /// At these bytes; they may be left out.
    At { bytes: &'b [u8], excluded: bool },
}

impl<'b> LexBound<'b> {
    /// `-`, `+`, `[abc`, `(abc`.
    pub(super) fn parse(text: &'b [u8]) -> Result<LexBound<'b>, Error> {
        match text {
            b"-" => Ok(LexBound::First),
            b"+" => Ok(LexBound::Last),
            [b'(', bytes @ ..] => Ok(LexBound::At { bytes, excluded: true }),
            [b'[', bytes @ ..] => Ok(LexBound::At { bytes, excluded: false }),
            _ => Err(Error::fixed("ERR min or max not valid string range item")),
        }
    }
}

/// A stretch of a sorted set, from the lower to the upper end.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Span<'b> {
    /// From rank to rank, both included; negative ones count from the end.
    Ranks(i64, i64),
    /// From score to score.
    Scores(ScoreBound, ScoreBound),
    /// From member to member.
    Lex(LexBound<'b>, LexBound<'b>),
}

impl<'b> Span<'b> {
    pub(super) fn ranks(from: &[u8], to: &[u8]) -> Result<Span<'b>, Error> {
        Ok(Span::Ranks(parse_int(from)?, parse_int(to)?))
    }

    pub(super) fn scores(min: &[u8], max: &[u8]) -> Result<Span<'b>, Error> {
        Ok(Span::Scores(ScoreBound::parse(min)?, ScoreBound::parse(max)?))
    }

    pub(super) fn lex(min: &'b [u8], max: &'b [u8]) -> Result<Span<'b>, Error> {
        Ok(Span::Lex(LexBound::parse(min)?, LexBound::parse(max)?))
    }

    /// The ranks in it; for a stretch by ranks that are counted from the highest, `reverse`.
    pub(super) fn of(&self, set: &SortedSet, reverse: bool) -> Range<usize> {
        let range = match *self {
            Span::Ranks(from, to) => {
                let range = ranks(set.len(), from, to);
                if reverse { set.len() - range.end..set.len() - range.start } else { range }
            }
            Span::Scores(min, max) => {
                let from = set.partition(&mut |score, _| {
                    if min.excluded { score <= min.score } else { score < min.score }
                });
                let to = set.partition(&mut |score, _| {
                    if max.excluded { score < max.score } else { score <= max.score }
                });
                from..to
            }
            Span::Lex(min, max) => {
                let from = match min {
                    LexBound::First => 0,
                    LexBound::Last => set.len(),
                    LexBound::At { bytes, excluded } => set.partition(&mut |_, member| {
                        let order = member.cmp_bytes(bytes);
                        order == Ordering::Less || excluded && order == Ordering::Equal
                    }),
                };
                let to = match max {
                    LexBound::First => 0,
                    LexBound::Last => set.len(),
                    LexBound::At { bytes, excluded } => set.partition(&mut |_, member| {
                        let order = member.cmp_bytes(bytes);
                        order == Ordering::Less || !excluded && order == Ordering::Equal
                    }),
                };
                from..to
            }
        };
        if range.start < range.end { range } else { 0..0 }
    }
}

/// The ranks from `from` to `to`, both included; negative ones count from the end.
fn ranks(len: usize, from: i64, to: i64) -> Range<usize> {
    let len = len as i64;
    let place = |n: i64| if n < 0 { n.saturating_add(len).max(-1) } else { n };
    let (from, to) = (place(from).max(0), place(to).min(len - 1));
    if from > to || from >= len { 0..0 } else { from as usize..to as usize + 1 }
}

/// A decimal number that is the whole text, be it too large or too small to be told exactly.
fn parse_unbounded(text: &[u8]) -> Option<f64> {
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (!number.is_nan()).then_some(number)
}

/// Most scores are nothing but digits; so few that every number is exact.
#[inline]
fn parse_digits(text: &[u8]) -> Option<f64> {
    const EXACT: usize = 15;
    if text.is_empty() || text.len() > EXACT {
        return None;
    }
    let mut number = 0u64;
    for &digit in text {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u64::from(digit - b'0');
    }
    Some(number as f64)
}

/// A score or weight: a number that is the whole text and can be held.
pub(crate) fn parse_double(text: &[u8]) -> Option<f64> {
    if let Some(number) = parse_digits(text) {
        return Some(number);
    }
    let number = parse_unbounded(text)?;
    let digits = text.iter().any(u8::is_ascii_digit);
    let names_infinity = !digits && number.is_infinite();
    let mantissa = text.split(|b| matches!(b | 0x20, b'e')).next().unwrap_or(text);
    let nonzero = mantissa.iter().any(|b| matches!(b, b'1'..=b'9'));
    let underflow = number == 0.0 && nonzero;
    ((number.is_finite() || names_infinity) && !underflow).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_ranks_count_from_the_end() {
        assert_eq!(ranks(5, 0, -1), 0..5);
        assert_eq!(ranks(5, -3, -2), 2..4);
        assert_eq!(ranks(5, -100, 100), 0..5);
        assert_eq!(ranks(5, 3, 1), 0..0);
        assert_eq!(ranks(5, 5, 9), 0..0);
        assert_eq!(ranks(5, -100, -90), 0..0);
        assert_eq!(ranks(0, 0, -1), 0..0);
        assert_eq!(ranks(5, i64::MIN, i64::MAX), 0..5);
    }

    #[test]
    fn numbers_are_decimal() {
        for (text, number) in [
            ("1", 1.0),
            ("+1.5e3", 1500.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-inf", f64::NEG_INFINITY),
            ("Infinity", f64::INFINITY),
            ("0e5", 0.0),
            ("007", 7.0),
            ("999999999999999", 999_999_999_999_999.0),
            ("9007199254740993", 9_007_199_254_740_992.0),
        ] {
            assert_eq!(parse_double(text.as_bytes()), Some(number), "{text}");
        }
        assert!(parse_double(b"-0").is_some_and(f64::is_sign_negative));
        for text in ["", " 1", "1 ", "nan", "1e400", "1e-400", "abc", "0x10", "--1", "12:", "1/2"] {
            assert_eq!(parse_double(text.as_bytes()), None, "{text}");
        }
    }
}
