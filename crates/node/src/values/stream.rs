//! Streams in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack};
use crate::sha::Digest;
use tanist_keyspace::collections::{Group, Stream, StreamId};
use tanist_rdb::{Encoder, Part, RdbVersion, Str, StreamInfo, TypeCode};

pub(super) fn kind(_: &Stream, version: RdbVersion) -> TypeCode {
    if version >= RdbVersion::V11 { TypeCode::STREAM_LISTPACKS_3 } else { TypeCode::STREAM_LISTPACKS_2 }
}

pub(super) fn encode(stream: &Stream, kind: TypeCode, to: &mut Encoder<'_>) {
    to.number(stream.nodes().len() as u64);
    for (base, pack) in stream.nodes() {
        to.bytes(&base.to_bytes());
        to.bytes(pack.as_bytes());
    }
    let about = stream.about();
    to.number(about.len);
    for id in [about.last, about.first, about.max_deleted] {
        put_id(id, to);
    }
    to.number(about.added);
    to.number(stream.groups().len() as u64);
    for (name, group) in stream.groups() {
        to.bytes(name);
        encode_group(group, kind, to);
    }
}

fn put_id(id: StreamId, to: &mut Encoder<'_>) {
    to.number(id.ms);
    to.number(id.seq);
}

fn encode_group(group: &Group, kind: TypeCode, to: &mut Encoder<'_>) {
    put_id(group.last, to);
    to.number(group.read.unwrap_or(u64::MAX));
    to.number(group.pending_len() as u64);
    for (id, delivery, _) in group.pending(..) {
        to.raw(&id.to_bytes());
        to.raw(&delivery.at.to_le_bytes());
        to.number(delivery.count);
    }
    to.number(group.consumers().len() as u64);
    for consumer in group.consumers() {
        to.bytes(&consumer.name);
        to.raw(&consumer.seen.to_le_bytes());
        if kind == TypeCode::STREAM_LISTPACKS_3 {
            to.raw(&consumer.active.unwrap_or(u64::MAX).to_le_bytes());
        }
        to.number(consumer.pending().len() as u64);
        for id in consumer.pending() {
            to.raw(&id.to_bytes());
        }
    }
}

/// A stream that is being read.
#[derive(Default, Debug)]
pub(super) struct Building {
    stream: Stream,
    /// The group that is being read: its name, itself, and what of its pending entries has no consumer yet.
    group: Option<(Box<[u8]>, Group, std::collections::BTreeMap<StreamId, (u64, u64)>)>,
    /// The place of the consumer that is being read.
    consumer: Option<usize>,
}

impl Building {
    pub(super) fn push(&mut self, part: Part<'_>) -> Result<(), Malformed> {
        const BAD_GROUP: Malformed = Malformed("a bad group of a stream");
        match part {
            Part::Node(Str::Bytes(id), bytes) => {
                let id = id
                    .try_into()
                    .map(StreamId::from_bytes)
                    .map_err(|_| Malformed("a bad node of a stream"))?;
                self.stream.push_foreign(id, pack(bytes)?).ok_or(Malformed("a bad node of a stream"))
            }
            Part::Stream(info) => self.set_info(info),
            Part::Group(name, (ms, seq), read) => {
                self.end_group()?;
                let name = name.to_vec().into_boxed_slice();
                if self.stream.groups().contains_key(&name) {
                    return Err(Malformed("a group twice"));
                }
                let group = Group::new(StreamId { ms, seq }, u64::try_from(read).ok());
                self.group = Some((name, group, Default::default()));
                Ok(())
            }
            Part::Pending(id, at, count) => {
                let (_, _, waiting) = self.group.as_mut().ok_or(BAD_GROUP)?;
                let at = u64::try_from(at).unwrap_or(0);
                let old = waiting.insert(StreamId::from_bytes(id), (at, count));
                if old.is_some() { Err(BAD_GROUP) } else { Ok(()) }
            }
            Part::Consumer(name, seen, active) => {
                let (_, group, _) = self.group.as_mut().ok_or(BAD_GROUP)?;
                let name = name.to_vec();
                if group.place(&name).is_some() {
                    return Err(Malformed("a consumer twice"));
                }
                let place = group.add_consumer(&name, u64::try_from(seen).unwrap_or(0));
                group.at_mut(place).active = u64::try_from(active).ok();
                self.consumer = Some(place);
                Ok(())
            }
            Part::Claim(id) => {
                let ((_, group, waiting), place) =
                    (self.group.as_mut().ok_or(BAD_GROUP)?, self.consumer.ok_or(BAD_GROUP)?);
                let id = StreamId::from_bytes(id);
                let (at, count) = waiting.remove(&id).ok_or(BAD_GROUP)?;
                group.deliver(id, place, at, count);
                Ok(())
            }
            _ => Err(UNEXPECTED),
        }
    }

    fn set_info(&mut self, info: StreamInfo) -> Result<(), Malformed> {
        let id = |(ms, seq)| StreamId { ms, seq };
        self.stream.renew_first();
        let highest = self.stream.highest();
        let about = self.stream.about_mut();
        if about.len != info.len || highest.is_some_and(|highest| highest > id(info.last)) {
            return Err(Malformed("a stream that miscounts its entries"));
        }
        about.last = id(info.last);
        about.added = info.len;
        if let Some((_, max_deleted, added)) = info.past {
            (about.max_deleted, about.added) = (id(max_deleted), added);
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), Malformed> {
        self.consumer = None;
        let Some((name, group, waiting)) = self.group.take() else { return Ok(()) };
        if !waiting.is_empty() {
            return Err(Malformed("a pending entry without a consumer"));
        }
        self.stream.groups_mut().insert(name, group);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Stream, Malformed> {
        self.end_group()?;
        Ok(self.stream)
    }
}

pub(super) fn mix(digest: &mut Digest, stream: &Stream) {
    let (mut name, mut text) = (itoa::Buffer::new(), itoa::Buffer::new());
    for entry in stream.iter() {
        digest.mix(format!("{}.{}", entry.id.ms, entry.id.seq).as_bytes());
        for (field, value) in entry.fields() {
            digest.mix(field.as_bytes(&mut name));
            digest.mix(value.as_bytes(&mut text));
        }
    }
}
