//! Streams in snapshots, payloads and digests.

use super::{Malformed, UNEXPECTED, pack};
use crate::sha::Digest;
use std::collections::BTreeMap;
use tanist_keyspace::collections::{Group, Pack, Stream, StreamId};
use tanist_rdb::{Encoder, Part, RdbVersion, Str, StreamInfo, TypeCode};

/// The second form is enough, and older servers can read it, where no consumer has been seen without getting something.
pub(super) fn kind(stream: &Stream, version: RdbVersion) -> TypeCode {
    let mut consumers = stream.groups().values().flat_map(Group::consumers);
    if version >= RdbVersion::V11 && consumers.any(|consumer| consumer.active != Some(consumer.seen)) {
        TypeCode::STREAM_LISTPACKS_3
    } else {
        TypeCode::STREAM_LISTPACKS_2
    }
}

pub(super) fn encode(stream: &Stream, kind: TypeCode, to: &mut Encoder<'_>) {
    to.number(stream.nodes().len() as u64);
    for (base, pack) in stream.nodes() {
        put_node(base, pack, to);
    }
    put_rest(stream, kind, to);
}

pub(super) fn put_node(base: StreamId, pack: &Pack, to: &mut Encoder<'_>) {
    to.bytes(&base.to_bytes());
    to.bytes(pack.as_bytes());
}

/// What comes behind the nodes.
pub(super) fn put_rest(stream: &Stream, kind: TypeCode, to: &mut Encoder<'_>) {
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
    /// It is of the first form, which does not tell how much its groups have read.
    is_first_form: bool,
    /// The group that is being read.
    group: Option<Gathering>,
    /// The place of the consumer that is being read.
    consumer: Option<usize>,
}

/// A group that is being read.
#[derive(Debug)]
struct Gathering {
    name: Box<[u8]>,
    group: Group,
    /// When and how often entries were handed out whose consumers have not been met yet.
    waiting: BTreeMap<StreamId, (u64, u64)>,
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
                let last = StreamId { ms, seq };
                let told = u64::try_from(read).ok();
                let read = if self.is_first_form { self.stream.view().read_up_to(last) } else { told };
                let group = Group::new(last, read);
                self.group = Some(Gathering { name, group, waiting: BTreeMap::new() });
                Ok(())
            }
            Part::Pending(id, at, count) => {
                let waiting = &mut self.group.as_mut().ok_or(BAD_GROUP)?.waiting;
                let at = u64::try_from(at).unwrap_or(0);
                let old = waiting.insert(StreamId::from_bytes(id), (at, count));
                if old.is_some() { Err(BAD_GROUP) } else { Ok(()) }
            }
            Part::Consumer(name, seen, active) => {
                let group = &mut self.group.as_mut().ok_or(BAD_GROUP)?.group;
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
                let (gathering, place) =
                    (self.group.as_mut().ok_or(BAD_GROUP)?, self.consumer.ok_or(BAD_GROUP)?);
                let id = StreamId::from_bytes(id);
                let (at, count) = gathering.waiting.remove(&id).ok_or(BAD_GROUP)?;
                gathering.group.deliver(id, place, at, count);
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
        self.is_first_form = info.past.is_none();
        if let Some(past) = info.past {
            (about.max_deleted, about.added) = (id(past.max_deleted), past.added);
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), Malformed> {
        self.consumer = None;
        let Some(Gathering { name, group, waiting }) = self.group.take() else { return Ok(()) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_groups_of_the_first_form_have_read_is_taken_from_where_they_are() {
        let first_form = StreamInfo { len: 0, last: (7, 0), past: None };
        let mut building = Building::default();
        building.push(Part::Stream(first_form)).expect("a stream");
        for name in [&b"a"[..], b"b"] {
            building.push(Part::Group(Str::Bytes(name), (3, 0), -1)).expect("a group");
        }
        let stream = building.finish().expect("a stream");
        assert_eq!(stream.groups()[&b"a"[..]].read, Some(0));

        let told = StreamInfo {
            past: Some(tanist_rdb::StreamPast { first: (0, 0), max_deleted: (0, 0), added: 4 }),
            ..first_form
        };
        let mut building = Building::default();
        building.push(Part::Stream(told)).expect("a stream");
        building.push(Part::Group(Str::Bytes(b"a"), (3, 0), -1)).expect("a group");
        let stream = building.finish().expect("a stream");
        assert_eq!(stream.groups()[&b"a"[..]].read, None, "a later form may say that it is not known");
    }
}
