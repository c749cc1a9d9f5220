//! Streams on their way in: nodes, then what the stream knows of its past, then its groups.
//!
//! ```text
//! nodes │ (identifier │ listpack) ...
//! entries │ last │ [first │ highest deleted │ added]                        (in brackets: since the second form)
//! groups │ (name │ last │ [read] │ pending │ (identifier │ time │ count) ...
//!           consumers │ (name │ seen │ [active] │ pending │ identifier ...) ...) ...   (active: since the third)
//! ```
//! Identifiers in front are two numbers, pending ones are 16 bytes; times are 8 bytes.

use crate::cursor::{Cursor, Stop};
use crate::parts::{FoundPart, Step};
use crate::string;

/// What a stream knows of its past. Identifiers are pairs of milliseconds and sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamInfo {
    /// The live entries.
    pub len: u64,
    /// The highest identifier that was given out.
    pub last: (u64, u64),
    /// Since the second form.
    pub past: Option<StreamPast>,
}

/// What streams know since the second form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamPast {
    /// The first live entry.
    pub first: (u64, u64),
    /// The highest identifier that was deleted.
    pub max_deleted: (u64, u64),
    /// How many entries were ever added.
    pub added: u64,
}

/// Where a stream's reader is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StreamParts {
    form: u8,
    next: Next,
    /// Groups and consumers that follow the present ones.
    groups: u64,
    consumers: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    Begin,
    Nodes(u64),
    Info,
    Groups,
    Group,
    Waiting,
    Pending(u64),
    Consumers,
    Consumer,
    Claimed,
    Claims(u64),
    End,
}

impl StreamParts {
    pub(crate) const fn of_version(form: u8) -> StreamParts {
        StreamParts { form, next: Next::Begin, groups: 0, consumers: 0 }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.next == Next::End
    }

    /// What comes behind a group's last consumer.
    fn behind_consumer(&self) -> Next {
        match (self.consumers, self.groups) {
            (0, 0) => Next::End,
            (0, _) => Next::Group,
            _ => Next::Consumer,
        }
    }

    pub(crate) fn step(
        &mut self,
        cur: &mut Cursor<'_>,
        (first, second): (&mut Vec<u8>, &mut Vec<u8>),
    ) -> Result<Step, Stop> {
        // Nothing of `self` changes before the last byte has been read: a step may be tried again.
        let part = match self.next {
            Next::Begin => {
                let nodes = cur.number()?;
                self.next = if nodes == 0 { Next::Info } else { Next::Nodes(nodes) };
                return Ok(Step::Nothing);
            }
            Next::Nodes(left) => {
                let part = FoundPart::Node(string::get(cur, first)?, string::get(cur, second)?);
                self.next = if left == 1 { Next::Info } else { Next::Nodes(left - 1) };
                part
            }
            Next::Info => {
                let (len, last) = (cur.number()?, id(cur)?);
                let past = match self.form {
                    1 => None,
                    _ => Some(StreamPast { first: id(cur)?, max_deleted: id(cur)?, added: cur.number()? }),
                };
                self.next = Next::Groups;
                FoundPart::Stream(StreamInfo { len, last, past })
            }
            Next::Groups => {
                self.groups = cur.number()?;
                self.next = self.behind_consumer();
                return Ok(Step::Nothing);
            }
            Next::Group => {
                let (name, last) = (string::get(cur, first)?, id(cur)?);
                let read = if self.form >= 2 { cur.number()? as i64 } else { -1 };
                self.groups -= 1;
                self.next = Next::Waiting;
                FoundPart::Group(name, last, read)
            }
            Next::Waiting => {
                let count = cur.number()?;
                self.next = if count == 0 { Next::Consumers } else { Next::Pending(count) };
                return Ok(Step::Nothing);
            }
            Next::Pending(left) => {
                let part = FoundPart::Pending(cur.array()?, i64::from_le_bytes(cur.array()?), cur.number()?);
                self.next = if left == 1 { Next::Consumers } else { Next::Pending(left - 1) };
                part
            }
            Next::Consumers => {
                self.consumers = cur.number()?;
                self.next = self.behind_consumer();
                return Ok(Step::Nothing);
            }
            Next::Consumer => {
                let (name, seen) = (string::get(cur, first)?, i64::from_le_bytes(cur.array()?));
                let active = if self.form >= 3 { i64::from_le_bytes(cur.array()?) } else { seen };
                self.consumers -= 1;
                self.next = Next::Claimed;
                FoundPart::Consumer(name, seen, active)
            }
            Next::Claimed => {
                let count = cur.number()?;
                self.next = if count == 0 { self.behind_consumer() } else { Next::Claims(count) };
                return Ok(Step::Nothing);
            }
            Next::Claims(left) => {
                let part = FoundPart::Claim(cur.array()?);
                self.next = if left == 1 { self.behind_consumer() } else { Next::Claims(left - 1) };
                part
            }
            Next::End => return Ok(Step::End),
        };
        Ok(Step::Part(part))
    }
}

fn id(cur: &mut Cursor<'_>) -> Result<(u64, u64), Stop> {
    Ok((cur.number()?, cur.number()?))
}
