//! The decoder: fed with pieces of a snapshot of any size, it yields the snapshot's items.
//!
//! The bytes of an item are collected until it is complete; how many it needs at least is remembered, so that a large
//! value in small pieces is not looked at again for each piece. Between items nothing is kept but the unread bytes.

use crate::RdbError;
use crate::crc::Crc64;
use crate::cursor::{Cursor, Stop};
use crate::opcode;
use crate::parts::{FoundPart, Part, Parts, Step, resolve, unsupported};
use crate::string::{self, Text};
use crate::value::{Str, TypeCode};
use crate::version::RdbVersion;
use std::ops::Range;
use std::time::Duration;
use tanist_types::{DbIndex, UnixMs};

/// What a reader accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The longest key or value, in bytes.
    pub max_string: u64,
    /// The number of databases; a snapshot that uses others is refused.
    pub databases: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_string: 512 << 20, databases: 16 }
    }
}

/// One part of a snapshot.
#[derive(Clone, PartialEq, Debug)]
pub enum Item<'a> {
    /// An auxiliary field; numbers are given in decimal.
    Aux {
        /// Its name.
        key: &'a [u8],
        /// Its value.
        value: Str<'a>,
    },
    /// The source code of a function library.
    Function(Str<'a>),
    /// The entries that follow belong to this database.
    SelectDb(DbIndex),
    /// What the writer expects the database to hold; a hint only.
    ResizeDb {
        /// The number of keys.
        keys: u64,
        /// How many of them expire.
        expires: u64,
    },
    /// A key and its value, which is a string.
    Entry {
        /// The key.
        key: &'a [u8],
        /// The value.
        value: Str<'a>,
        /// When it expires.
        expiry: Option<UnixMs>,
        /// How long it has not been used (written under an LRU policy).
        idle: Option<Duration>,
        /// Its logarithmic use counter (written under an LFU policy).
        freq: Option<u8>,
    },
    /// A key whose value, which is not a string, follows in parts.
    Begin {
        /// The key.
        key: &'a [u8],
        /// What the value is, and how its parts are encoded.
        kind: TypeCode,
        /// When it expires.
        expiry: Option<UnixMs>,
        /// How long it has not been used (written under an LRU policy).
        idle: Option<Duration>,
        /// Its logarithmic use counter (written under an LFU policy).
        freq: Option<u8>,
    },
    /// A part of the value that was begun.
    Part(Part<'a>),
    /// The value that was begun is complete.
    Complete,
    /// The snapshot is complete and its checksum was right (or absent).
    End,
}

/// What stood before an entry and belongs to it.
#[derive(Clone, Copy, Default, Debug)]
struct Attributes {
    expiry: Option<UnixMs>,
    idle: Option<Duration>,
    freq: Option<u8>,
}

/// What the reader waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Magic,
    Item,
    Value(Parts),
    Checksum,
    Done,
    Failed(RdbError),
}

/// What one step over the buffer found; the bytes themselves are looked up when the item is built.
enum Found {
    /// Something that the caller does not see.
    Nothing,
    Aux(Text, Text),
    Function(Text),
    SelectDb(DbIndex),
    ResizeDb(u64, u64),
    Str(Text, Text, Attributes),
    Begin(Text, TypeCode, Parts, Attributes),
    Part(FoundPart),
    Complete,
    End,
}

/// The incremental decoder.
#[derive(Debug)]
pub struct Reader {
    buf: Vec<u8>,
    /// Bytes of `buf` that have been parsed.
    start: usize,
    /// Bytes of `buf` that the checksum has taken in; at most `start`.
    hashed: usize,
    /// The stream offset of `buf[0]`.
    base: u64,
    /// Unparsed bytes needed before another attempt makes sense.
    need: usize,
    crc: Crc64,
    version: Option<RdbVersion>,
    state: State,
    attributes: Attributes,
    key: Vec<u8>,
    value: Vec<u8>,
    limits: Limits,
}

impl Reader {
    /// A reader at the beginning of a snapshot.
    #[must_use]
    pub fn new(limits: Limits) -> Reader {
        Reader {
            buf: Vec::new(),
            start: 0,
            hashed: 0,
            base: 0,
            need: RdbVersion::MAGIC_LEN,
            crc: Crc64::new(),
            version: None,
            state: State::Magic,
            attributes: Attributes::default(),
            key: Vec::new(),
            value: Vec::new(),
            limits,
        }
    }

    /// Takes in the next piece of the snapshot. What follows the snapshot's end is kept as [`rest`](Reader::rest).
    pub fn feed(&mut self, bytes: &[u8]) {
        self.drop_parsed();
        self.buf.extend_from_slice(bytes);
    }

    /// The next item, or `None` when more bytes are needed or the snapshot has ended.
    ///
    /// # Errors
    /// When the snapshot is not acceptable; then every later call says the same.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, RdbError> {
        loop {
            if self.done()
                || (self.buf.len() - self.start < self.need && !self.failed() && !self.at_end_of_value())
            {
                return Ok(None);
            }
            let (found, used) = match self.step() {
                Ok(found) => found,
                Err(Stop::NeedMore(need)) => {
                    self.need = need;
                    return Ok(None);
                }
                Err(Stop::Fail(e)) => {
                    self.state = State::Failed(e.clone());
                    return Err(e);
                }
            };
            let begin = self.start;
            self.start += used;
            self.need = 1;
            if !matches!(found, Found::Nothing) {
                return Ok(Some(self.item(found, begin)));
            }
        }
    }

    /// Whether the snapshot has ended.
    #[must_use]
    pub fn done(&self) -> bool {
        self.state == State::Done
    }

    /// The version, once the beginning has been read.
    #[must_use]
    pub fn version(&self) -> Option<RdbVersion> {
        self.version
    }

    /// The number of bytes parsed so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Bytes that were fed but are not parsed; after the end, those that follow the snapshot.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.buf[self.start..]
    }

    /// Checks that the snapshot is complete, at the end of the input.
    ///
    /// # Errors
    /// When it failed before or is cut off.
    pub fn finish(&self) -> Result<(), RdbError> {
        match &self.state {
            State::Done => Ok(()),
            State::Failed(e) => Err(e.clone()),
            _ => Err(RdbError::Truncated(self.base + self.buf.len() as u64)),
        }
    }

    /// Whether the next step needs no bytes.
    fn at_end_of_value(&self) -> bool {
        matches!(self.state, State::Value(parts) if parts.is_complete())
    }

    fn failed(&self) -> bool {
        matches!(self.state, State::Failed(_))
    }

    fn drop_parsed(&mut self) {
        self.hash_parsed();
        if self.start > 0 {
            self.base += self.start as u64;
            self.buf.drain(..self.start);
            self.start = 0;
            self.hashed = 0;
        }
        // A single large value must not keep its buffer for the rest of the load.
        if self.buf.capacity() > KEEP && self.buf.len() < KEEP / 2 {
            self.buf.shrink_to(KEEP);
        }
    }

    fn hash_parsed(&mut self) {
        self.crc.update(&self.buf[self.hashed..self.start]);
        self.hashed = self.start;
    }

    fn step(&mut self) -> Result<(Found, usize), Stop> {
        let mut cur =
            Cursor::new(&self.buf[self.start..], self.base + self.start as u64, self.limits.max_string);
        match &self.state {
            State::Magic => {
                self.version = Some(RdbVersion::parse(cur.bytes(RdbVersion::MAGIC_LEN)?)?);
                self.state = State::Item;
                Ok((Found::Nothing, cur.pos()))
            }
            State::Item => {
                let mut attributes = self.attributes;
                let mut scratch = (&mut self.key, &mut self.value);
                let found = parse_item(&mut cur, &mut attributes, &mut scratch, self.limits)?;
                let used = cur.pos();
                let plain = matches!(found, Found::Nothing);
                self.attributes = if plain { attributes } else { Attributes::default() };
                if let Found::Begin(_, _, parts, _) = &found {
                    self.state = State::Value(*parts);
                }
                if !matches!(found, Found::End) {
                    return Ok((found, used));
                }
                if self.version.is_some_and(RdbVersion::has_checksum) {
                    self.state = State::Checksum;
                    return Ok((Found::Nothing, used));
                }
                self.state = State::Done;
                Ok((Found::End, used))
            }
            State::Value(parts) => {
                let mut parts = *parts;
                let step = parts.step(&mut cur, (&mut self.key, &mut self.value))?;
                let used = cur.pos();
                let (state, found) = match step {
                    Step::Nothing => (State::Value(parts), Found::Nothing),
                    Step::Part(part) => (State::Value(parts), Found::Part(part)),
                    Step::End => (State::Item, Found::Complete),
                };
                self.state = state;
                Ok((found, used))
            }
            State::Checksum => {
                let stored = u64::from_le_bytes(cur.array()?);
                let used = cur.pos();
                self.hash_parsed();
                let computed = self.crc.value();
                if stored != 0 && stored != computed {
                    return Err(RdbError::Checksum { stored, computed }.into());
                }
                self.state = State::Done;
                Ok((Found::End, used))
            }
            State::Done => Ok((Found::Nothing, 0)),
            State::Failed(e) => Err(e.clone().into()),
        }
    }

    fn item(&self, found: Found, begin: usize) -> Item<'_> {
        match found {
            Found::Aux(key, value) => {
                Item::Aux { key: self.bytes(&key, begin), value: self.text(value, begin) }
            }
            Found::Function(code) => Item::Function(self.text(code, begin)),
            Found::SelectDb(db) => Item::SelectDb(db),
            Found::ResizeDb(keys, expires) => Item::ResizeDb { keys, expires },
            Found::Str(key, value, Attributes { expiry, idle, freq }) => Item::Entry {
                key: self.bytes(&key, begin),
                value: self.text(value, begin),
                expiry,
                idle,
                freq,
            },
            Found::Begin(key, kind, _, Attributes { expiry, idle, freq }) => {
                Item::Begin { key: self.bytes(&key, begin), kind, expiry, idle, freq }
            }
            Found::Part(part) => {
                Item::Part(resolve(&part, |range| self.at(range, begin), (&self.key, &self.value)))
            }
            Found::Complete => Item::Complete,
            Found::End | Found::Nothing => Item::End,
        }
    }

    /// A key: its number form, if it had one, was put into the scratch buffer by [`key`].
    fn bytes(&self, text: &Text, begin: usize) -> &[u8] {
        match text {
            Text::At(range) => self.at(range, begin),
            Text::Scratch | Text::Int(_) => &self.key,
        }
    }

    fn text(&self, text: Text, begin: usize) -> Str<'_> {
        match text {
            Text::At(range) => Str::Bytes(self.at(&range, begin)),
            Text::Scratch => Str::Bytes(&self.value),
            Text::Int(n) => Str::Int(n),
        }
    }

    fn at(&self, range: &Range<usize>, begin: usize) -> &[u8] {
        &self.buf[begin + range.start..begin + range.end]
    }
}

/// The buffer that is kept between large items, in bytes.
const KEEP: usize = 1 << 20;

/// Parses one item, or one attribute of the entry to come.
fn parse_item(
    cur: &mut Cursor<'_>,
    attributes: &mut Attributes,
    (key_scratch, value_scratch): &mut (&mut Vec<u8>, &mut Vec<u8>),
    limits: Limits,
) -> Result<Found, Stop> {
    let at = cur.at();
    let code = cur.byte()?;
    match code {
        opcode::EOF => return Ok(Found::End),
        opcode::EXPIRE_MS => attributes.expiry = Some(UnixMs(i64::from_le_bytes(cur.array()?))),
        opcode::EXPIRE_SECS => {
            attributes.expiry = Some(UnixMs(i64::from(i32::from_le_bytes(cur.array()?)) * 1000));
        }
        opcode::FREQ => attributes.freq = Some(cur.byte()?),
        opcode::IDLE => attributes.idle = Some(Duration::from_secs(cur.number()?)),
        opcode::SELECT_DB => {
            let db = u16::try_from(cur.number()?).ok().filter(|db| *db < limits.databases);
            return db
                .map(|db| Found::SelectDb(DbIndex(db)))
                .ok_or_else(|| cur.corrupt("a database out of range"));
        }
        opcode::RESIZE_DB => return Ok(Found::ResizeDb(cur.number()?, cur.number()?)),
        opcode::SLOT_INFO => {
            for _ in 0..3 {
                cur.number()?;
            }
        }
        opcode::AUX => return Ok(Found::Aux(key(cur, key_scratch)?, string::get(cur, value_scratch)?)),
        opcode::FUNCTION2 => return Ok(Found::Function(string::get(cur, value_scratch)?)),
        opcode::MODULE_AUX => skip_module(cur, value_scratch)?,
        opcode::FUNCTION_PRE_GA => return Err(RdbError::UnknownCode { code, at }.into()),
        _ => {
            let kind = TypeCode(code);
            if kind == TypeCode::STRING {
                return Ok(Found::Str(key(cur, key_scratch)?, string::get(cur, value_scratch)?, *attributes));
            }
            let parts = Parts::of(kind).ok_or_else(|| unsupported(kind, at))?;
            return Ok(Found::Begin(key(cur, key_scratch)?, kind, parts, *attributes));
        }
    }
    Ok(Found::Nothing)
}

/// Reads a key; one that was stored as a number is put into `scratch` in decimal.
fn key(cur: &mut Cursor<'_>, scratch: &mut Vec<u8>) -> Result<Text, Stop> {
    let text = string::get(cur, scratch)?;
    if let Text::Int(n) = text {
        scratch.clear();
        scratch.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
    }
    Ok(text)
}

/// Skips what a module has stored beside the keys: typed values up to an end mark.
fn skip_module(cur: &mut Cursor<'_>, scratch: &mut Vec<u8>) -> Result<(), Stop> {
    let _module = cur.number()?;
    let _when_opcode = cur.number()?;
    let _when = cur.number()?;
    loop {
        match cur.number()? {
            0 => return Ok(()),
            1 | 2 => {
                cur.number()?;
            }
            3 => {
                cur.bytes(4)?;
            }
            4 => {
                cur.bytes(8)?;
            }
            5 => {
                string::get(cur, scratch)?;
            }
            _ => return Err(cur.corrupt("a module value of unknown kind")),
        }
    }
}
