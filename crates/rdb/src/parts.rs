//! Values that are not strings: read part by part, so that none is ever in memory as a whole but the collection that is
//! built of it.

use crate::RdbError;
use crate::cursor::{Cursor, Stop};
use crate::stream::{StreamInfo, StreamParts};
use crate::string::{self, Text};
use crate::value::{Str, TypeCode};
use std::ops::Range;
use tanist_types::UnixMs;

/// One part of a value. What parts a value has, its [`TypeCode`] tells.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Part<'a> {
    /// The string that a plain string value is, an element of a list, or a member of a set.
    Element(Str<'a>),
    /// The compact encoding of the whole value, or of one node of a list.
    Blob(&'a [u8]),
    /// A field of a hash and its value.
    Pair(Str<'a>, Str<'a>),
    /// A field of a hash, its value, and when it expires, if it does.
    Expiring(Str<'a>, Str<'a>, Option<UnixMs>),
    /// A member of a sorted set and its score.
    Scored(Str<'a>, f64),
    /// The identifier of a stream's node and its listpack.
    Node(Str<'a>, &'a [u8]),
    /// What a stream knows of its past; comes behind its nodes.
    Stream(StreamInfo),
    /// A group of a stream: its name, the last entry it was handed, and how many it has read, or -1.
    Group(Str<'a>, (u64, u64), i64),
    /// An entry that waits in the last group: its identifier, when it was handed out (in milliseconds), and how often.
    Pending([u8; 16], i64, u64),
    /// A consumer of the last group: its name, and when it was last seen and last active, or -1.
    Consumer(Str<'a>, i64, i64),
    /// An entry that waits for the last consumer.
    Claim([u8; 16]),
}

/// A part whose bytes are looked up later.
pub(crate) enum FoundPart {
    Element(Text),
    Blob(Text),
    Pair(Text, Text),
    Expiring(Text, Text, Option<UnixMs>),
    Scored(Text, f64),
    Node(Text, Text),
    Stream(StreamInfo),
    Group(Text, (u64, u64), i64),
    Pending([u8; 16], i64, u64),
    Consumer(Text, i64, i64),
    Claim([u8; 16]),
}

/// What a step over a value found.
pub(crate) enum Step {
    /// Nothing to hand out.
    Nothing,
    Part(FoundPart),
    End,
}

/// How a value of some type is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layout {
    /// One string.
    Whole(Shape),
    /// A count, then as many parts.
    Counted(Shape),
    /// The earliest expiry, a count, then as many parts.
    Dated(Shape),
    /// Nodes and groups.
    Stream(StreamParts),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    Element,
    Blob,
    /// An element or a blob, by a number before it.
    Node,
    Pair,
    /// The earliest expiry again, and a blob.
    DatedBlob,
    /// A pair, and its expiry, of which -1 is none.
    Expiring,
    /// The time after the earliest expiry, plus one, zero being no expiry; then a pair.
    Dated,
    /// A member, and its score as text.
    TextScored,
    /// A member, and its score as eight bytes.
    Scored,
}

impl Layout {
    const fn of(kind: TypeCode) -> Option<Layout> {
        Some(match kind {
            TypeCode::STRING => Layout::Whole(Shape::Element),
            TypeCode::LIST | TypeCode::SET => Layout::Counted(Shape::Element),
            TypeCode::HASH => Layout::Counted(Shape::Pair),
            TypeCode::HASH_EXPIRING => Layout::Counted(Shape::Expiring),
            TypeCode::HASH_METADATA => Layout::Dated(Shape::Dated),
            TypeCode::HASH_LISTPACK_EX => Layout::Whole(Shape::DatedBlob),
            TypeCode::ZSET => Layout::Counted(Shape::TextScored),
            TypeCode::ZSET_2 => Layout::Counted(Shape::Scored),
            TypeCode::HASH_ZIPMAP
            | TypeCode::LIST_ZIPLIST
            | TypeCode::SET_INTSET
            | TypeCode::ZSET_ZIPLIST
            | TypeCode::HASH_ZIPLIST
            | TypeCode::HASH_LISTPACK
            | TypeCode::ZSET_LISTPACK
            | TypeCode::SET_LISTPACK => Layout::Whole(Shape::Blob),
            TypeCode::LIST_QUICKLIST => Layout::Counted(Shape::Blob),
            TypeCode::LIST_QUICKLIST_2 => Layout::Counted(Shape::Node),
            TypeCode::STREAM_LISTPACKS => Layout::Stream(StreamParts::of_version(1)),
            TypeCode::STREAM_LISTPACKS_2 => Layout::Stream(StreamParts::of_version(2)),
            TypeCode::STREAM_LISTPACKS_3 => Layout::Stream(StreamParts::of_version(3)),
            _ => return None,
        })
    }
}

/// A node of a list that is a single element too large for a listpack.
const PLAIN: u64 = 1;
/// A node of a list that is a listpack.
const PACKED: u64 = 2;

/// Where a value's reader is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Parts {
    layout: Layout,
    /// `None` until the count has been read.
    left: Option<u64>,
    /// The earliest expiry, where there is one before the parts.
    earliest: i64,
}

impl Parts {
    /// At the beginning of a value; `None` if values of this type are not read here.
    pub(crate) fn of(kind: TypeCode) -> Option<Parts> {
        Layout::of(kind).map(|layout| Parts { layout, left: None, earliest: 0 })
    }

    /// Whether all parts have been read.
    pub(crate) fn is_complete(&self) -> bool {
        match &self.layout {
            Layout::Stream(stream) => stream.is_complete(),
            _ => self.left == Some(0),
        }
    }

    /// Reads on. After an error that asks for more bytes, the same step can be tried again with them.
    pub(crate) fn step(
        &mut self,
        cur: &mut Cursor<'_>,
        (first, second): (&mut Vec<u8>, &mut Vec<u8>),
    ) -> Result<Step, Stop> {
        if let Layout::Stream(stream) = &mut self.layout {
            return stream.step(cur, (first, second));
        }
        let (shape, left) = match (self.layout, self.left) {
            (Layout::Stream(_), _) => return Ok(Step::End),
            (Layout::Whole(shape), left) => (shape, left.unwrap_or(1)),
            (Layout::Counted(shape) | Layout::Dated(shape), Some(left)) => (shape, left),
            (Layout::Counted(_) | Layout::Dated(_), None) => {
                if matches!(self.layout, Layout::Dated(_)) {
                    self.earliest = i64::from_le_bytes(cur.array()?);
                }
                self.left = Some(cur.number()?);
                return Ok(Step::Nothing);
            }
        };
        if left == 0 {
            return Ok(Step::End);
        }
        let part = match shape {
            Shape::Element => FoundPart::Element(string::get(cur, first)?),
            Shape::Blob => FoundPart::Blob(string::get(cur, first)?),
            Shape::Node => match cur.number()? {
                PLAIN => FoundPart::Element(string::get(cur, first)?),
                PACKED => FoundPart::Blob(string::get(cur, first)?),
                _ => return Err(cur.corrupt("a list node of unknown kind")),
            },
            Shape::Pair => FoundPart::Pair(string::get(cur, first)?, string::get(cur, second)?),
            Shape::DatedBlob => {
                cur.bytes(8)?;
                FoundPart::Blob(string::get(cur, first)?)
            }
            Shape::Expiring => {
                let (field, value) = (string::get(cur, first)?, string::get(cur, second)?);
                let expiry = match i64::from_le_bytes(cur.array()?) {
                    -1 => None,
                    at @ 0.. => Some(UnixMs(at)),
                    _ => return Err(cur.corrupt("an expiry before the epoch")),
                };
                FoundPart::Expiring(field, value, expiry)
            }
            Shape::Dated => {
                let expiry = match cur.number()? {
                    0 => None,
                    after => {
                        let at = i64::try_from(after - 1).ok().and_then(|n| n.checked_add(self.earliest));
                        Some(UnixMs(at.filter(|at| *at >= 0).ok_or(cur.corrupt("an expiry out of range"))?))
                    }
                };
                FoundPart::Expiring(string::get(cur, first)?, string::get(cur, second)?, expiry)
            }
            Shape::TextScored => FoundPart::Scored(string::get(cur, first)?, text_score(cur)?),
            Shape::Scored => FoundPart::Scored(string::get(cur, first)?, f64::from_le_bytes(cur.array()?)),
        };
        if let FoundPart::Scored(_, score) = part
            && score.is_nan()
        {
            return Err(cur.corrupt("a score that is not a number"));
        }
        self.left = Some(left - 1);
        Ok(Step::Part(part))
    }
}

/// A score as text: a length byte, of which the three highest stand for values without text.
fn text_score(cur: &mut Cursor<'_>) -> Result<f64, Stop> {
    match cur.byte()? {
        255 => Ok(f64::NEG_INFINITY),
        254 => Ok(f64::INFINITY),
        253 => Err(cur.corrupt("a score that is not a number")),
        len => {
            let text = cur.bytes(usize::from(len))?;
            let number = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok());
            number.ok_or_else(|| cur.corrupt("a score that is not a number"))
        }
    }
}

/// The part that was found, its bytes looked up.
pub(crate) fn resolve<'a>(
    part: &FoundPart,
    at: impl Fn(&Range<usize>) -> &'a [u8],
    (first, second): (&'a [u8], &'a [u8]),
) -> Part<'a> {
    let text = |text: &Text, scratch: &'a [u8]| match text {
        Text::At(range) => Str::Bytes(at(range)),
        Text::Scratch => Str::Bytes(scratch),
        Text::Int(n) => Str::Int(*n),
    };
    let bytes = |blob: &Text, scratch: &'a [u8]| match blob {
        Text::At(range) => at(range),
        Text::Scratch => scratch,
        // No encoding is as short as a number; whoever decodes the blob says so.
        Text::Int(_) => &[],
    };
    match part {
        FoundPart::Element(element) => Part::Element(text(element, first)),
        FoundPart::Blob(blob) => Part::Blob(bytes(blob, first)),
        FoundPart::Node(id, pack) => Part::Node(text(id, first), bytes(pack, second)),
        FoundPart::Stream(info) => Part::Stream(*info),
        FoundPart::Group(name, last, read) => Part::Group(text(name, first), *last, *read),
        FoundPart::Pending(id, at, count) => Part::Pending(*id, *at, *count),
        FoundPart::Consumer(name, seen, active) => Part::Consumer(text(name, first), *seen, *active),
        FoundPart::Claim(id) => Part::Claim(*id),
        FoundPart::Pair(field, value) => Part::Pair(text(field, first), text(value, second)),
        FoundPart::Expiring(field, value, expiry) => {
            Part::Expiring(text(field, first), text(value, second), *expiry)
        }
        FoundPart::Scored(member, score) => Part::Scored(text(member, first), *score),
    }
}

/// A type that this build does not read.
pub(crate) fn unsupported(kind: TypeCode, at: u64) -> RdbError {
    match kind.name() {
        Some(_) => RdbError::UnsupportedType { kind, at },
        None => RdbError::UnknownCode { code: kind.0, at },
    }
}
