//! How one directive's arguments become its value and back: the scalar kinds.
//!
//! Every codec obeys: what `text` prints, `parse` reads back as the same value (a test walks all directives).

use std::marker::PhantomData;

use crate::choice::Choice;
use crate::units::{format_memory, parse_int, parse_memory};
use tanist_text::words::quote;

/// Where a value comes from; it decides whether multi-value directives add to or replace what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A line of a file or of the command line. `again` if the directive was already met in this load.
    File {
        /// Whether an earlier line of the same load set this directive.
        again: bool,
    },
    /// CONFIG SET.
    Runtime,
}

/// Why a value was refused, in Redis' words.
pub(crate) type Refused = String;

/// One kind of directive value.
pub(crate) trait Codec {
    /// The Rust type that holds the value.
    type Value;
    /// Whether the directive takes several arguments (CONFIG SET then splits its one value at spaces).
    const MULTI: bool = false;

    /// Reads the arguments; `old` is the present value.
    fn parse(&self, args: &[&str], old: &Self::Value, source: Source) -> Result<Self::Value, Refused>;

    /// The value as CONFIG GET prints it.
    fn text(&self, value: &Self::Value) -> String;

    /// The lines that CONFIG REWRITE writes for the value; none if an empty value means absence.
    fn lines(&self, name: &str, value: &Self::Value) -> Vec<String> {
        vec![format!("{name} {}", self.text(value))]
    }
}

/// Exactly one argument.
pub(crate) fn single<'a>(args: &[&'a str]) -> Result<&'a str, Refused> {
    match args {
        [one] => Ok(one),
        _ => Err("wrong number of arguments".to_owned()),
    }
}

/// `yes` or `no`.
pub(crate) struct Bool;

impl Codec for Bool {
    type Value = bool;

    fn parse(&self, args: &[&str], _: &bool, _: Source) -> Result<bool, Refused> {
        match single(args)? {
            yes if yes.eq_ignore_ascii_case("yes") => Ok(true),
            no if no.eq_ignore_ascii_case("no") => Ok(false),
            _ => Err("argument must be 'yes' or 'no'".to_owned()),
        }
    }

    fn text(&self, value: &bool) -> String {
        if *value { "yes" } else { "no" }.to_owned()
    }
}

/// Integer types that a directive may be held in.
pub(crate) trait Number: Copy {
    /// The number if it fits.
    fn from_i64(n: i64) -> Option<Self>;
    /// The number for printing.
    fn to_i64(self) -> i64;
}

macro_rules! numbers {
    ($($t:ty),*) => {$(impl Number for $t {
        fn from_i64(n: i64) -> Option<Self> { Self::try_from(n).ok() }
        fn to_i64(self) -> i64 { i64::try_from(self).unwrap_or(i64::MAX) }
    })*};
}
numbers!(u8, u16, u32, u64, usize, i32, i64);

/// A decimal integer within bounds.
pub(crate) struct Int<T> {
    min: i64,
    max: i64,
    /// What lies beyond this is moved to its end.
    usable: (i64, i64),
    kind: PhantomData<T>,
}

impl<T> Int<T> {
    /// Bounds, both inclusive.
    pub(crate) const fn new(min: i64, max: i64) -> Self {
        Int { min, max, usable: (min, max), kind: PhantomData }
    }

    /// With narrower bounds beyond which a number is not refused but the nearest one taken.
    pub(crate) const fn clamped(self, min: i64, max: i64) -> Self {
        Int { usable: (min, max), ..self }
    }
}

/// The number if it lies between the bounds, both inclusive.
fn within<T: Number>(n: i64, min: i64, max: i64) -> Result<T, Refused> {
    let fits = (min..=max).contains(&n).then(|| T::from_i64(n)).flatten();
    fits.ok_or_else(|| beyond(min, max))
}

fn beyond(min: i64, max: i64) -> Refused {
    format!("argument must be between {min} and {max} inclusive")
}

impl<T: Number> Codec for Int<T> {
    type Value = T;

    fn parse(&self, args: &[&str], _: &T, _: Source) -> Result<T, Refused> {
        let n = parse_int(single(args)?).ok_or("argument couldn't be parsed into an integer")?;
        let n: i64 = within(n, self.min, self.max)?;
        within(n.clamp(self.usable.0, self.usable.1), self.min, self.max)
    }

    fn text(&self, value: &T) -> String {
        value.to_i64().to_string()
    }
}

/// A memory size in bytes, with units.
pub(crate) struct Memory {
    min: i64,
    max: i64,
    /// Less is taken for this.
    least: i64,
}

impl Memory {
    /// Bounds in bytes, both inclusive.
    pub(crate) const fn new(min: i64, max: i64) -> Self {
        Memory { min, max, least: min }
    }

    /// With a least size that is taken instead of a smaller one.
    pub(crate) const fn at_least(self, least: i64) -> Self {
        Memory { least, ..self }
    }
}

impl Codec for Memory {
    type Value = u64;

    fn parse(&self, args: &[&str], _: &u64, _: Source) -> Result<u64, Refused> {
        let bytes = parse_memory(single(args)?).ok_or("argument must be a memory value")?;
        let bytes = i64::try_from(bytes).map_err(|_| beyond(self.min, self.max))?;
        let bytes: i64 = within(bytes, self.min, self.max)?;
        within(bytes.max(self.least), self.min, self.max)
    }

    fn text(&self, value: &u64) -> String {
        value.to_string()
    }

    fn lines(&self, name: &str, value: &u64) -> Vec<String> {
        vec![format!("{name} {}", format_memory(*value))]
    }
}

/// A memory size in bytes, with units, or -1.
pub(crate) struct MemoryOrNone;

impl Codec for MemoryOrNone {
    type Value = i64;

    fn parse(&self, args: &[&str], _: &i64, _: Source) -> Result<i64, Refused> {
        let text = single(args)?;
        let number =
            parse_memory(text).map(|bytes| i64::try_from(bytes).ok()).or_else(|| parse_int(text).map(Some));
        let number = number.ok_or("argument must be a memory value")?;
        number.filter(|&n| n >= -1).ok_or_else(|| beyond(-1, i64::MAX))
    }

    fn text(&self, value: &i64) -> String {
        value.to_string()
    }

    fn lines(&self, name: &str, value: &i64) -> Vec<String> {
        let text = u64::try_from(*value).map_or_else(|_| value.to_string(), format_memory);
        vec![format!("{name} {text}")]
    }
}

/// A file mode in octal; 0 leaves the mode alone.
pub(crate) struct Octal;

impl Codec for Octal {
    type Value = u32;

    fn parse(&self, args: &[&str], _: &u32, _: Source) -> Result<u32, Refused> {
        let text = single(args)?;
        let n = i64::from_str_radix(text, 8).map_err(|_| "argument couldn't be parsed as an octal number")?;
        within(n, 0, 0o777).map_err(|_| "argument must be between 0 and 777 inclusive".to_owned())
    }

    fn text(&self, value: &u32) -> String {
        format!("{value:o}")
    }
}

/// Any text; with a rule that the whole must obey.
pub(crate) struct Text {
    rule: fn(&str) -> Result<(), &'static str>,
    keep_empty: bool,
}

impl Text {
    /// Any text; an empty one means that the directive is not set.
    pub(crate) const ANY: Text = Text { rule: |_| Ok(()), keep_empty: false };

    /// Text that obeys a rule.
    pub(crate) const fn checked(rule: fn(&str) -> Result<(), &'static str>) -> Self {
        Text { rule, keep_empty: false }
    }

    /// Text whose default is not empty, so that an empty one must be written out.
    pub(crate) const fn kept(rule: fn(&str) -> Result<(), &'static str>) -> Self {
        Text { rule, keep_empty: true }
    }
}

impl Codec for Text {
    type Value = String;

    fn parse(&self, args: &[&str], _: &String, _: Source) -> Result<String, Refused> {
        let text = single(args)?;
        (self.rule)(text)?;
        Ok(text.to_owned())
    }

    fn text(&self, value: &String) -> String {
        value.clone()
    }

    fn lines(&self, name: &str, value: &String) -> Vec<String> {
        if value.is_empty() && !self.keep_empty {
            return Vec::new();
        }
        vec![format!("{name} {}", quote(value.as_bytes()))]
    }
}

/// One of a few words.
pub(crate) struct Word<T>(PhantomData<T>);

impl<T> Word<T> {
    /// The codec of the words of `T`.
    pub(crate) const fn new() -> Self {
        Word(PhantomData)
    }
}

impl<T: Choice> Codec for Word<T> {
    type Value = T;

    fn parse(&self, args: &[&str], _: &T, _: Source) -> Result<T, Refused> {
        T::from_word(single(args)?).ok_or_else(T::expected)
    }

    fn text(&self, value: &T) -> String {
        value.word().to_owned()
    }
}
