//! Publish and subscribe: channels, patterns, shard channels, and what subscribers are sent.

use crate::session::{Session, SessionId};
use hashbrown::HashMap;
use tanist_resp::{Proto, Reply};

/// Who listens to what. Lists keep the order of subscribing, which is the order of delivery.
#[derive(Debug, Default)]
pub(crate) struct Pubsub {
    pub(crate) channels: HashMap<Box<[u8]>, Vec<SessionId>>,
    /// Patterns in the order in which they came first.
    pub(crate) patterns: Vec<(Box<[u8]>, Vec<SessionId>)>,
    pub(crate) shard_channels: HashMap<Box<[u8]>, Vec<SessionId>>,
}

impl Pubsub {
    pub(crate) fn subscribe(&mut self, id: SessionId, channel: &[u8]) {
        self.channels.entry(channel.into()).or_default().push(id);
    }

    pub(crate) fn unsubscribe(&mut self, id: SessionId, channel: &[u8]) {
        leave(&mut self.channels, id, channel);
    }

    pub(crate) fn shard_subscribe(&mut self, id: SessionId, channel: &[u8]) {
        self.shard_channels.entry(channel.into()).or_default().push(id);
    }

    pub(crate) fn shard_unsubscribe(&mut self, id: SessionId, channel: &[u8]) {
        leave(&mut self.shard_channels, id, channel);
    }

    pub(crate) fn pattern_subscribe(&mut self, id: SessionId, pattern: &[u8]) {
        match self.patterns.iter_mut().find(|(p, _)| **p == *pattern) {
            Some((_, ids)) => ids.push(id),
            None => self.patterns.push((pattern.into(), vec![id])),
        }
    }

    pub(crate) fn pattern_unsubscribe(&mut self, id: SessionId, pattern: &[u8]) {
        if let Some(at) = self.patterns.iter().position(|(p, _)| **p == *pattern) {
            self.patterns[at].1.retain(|&other| other != id);
            if self.patterns[at].1.is_empty() {
                self.patterns.remove(at);
            }
        }
    }

    /// Ends every subscription of a session that is gone.
    pub(crate) fn forget(&mut self, session: &Session) {
        for channel in &session.channels {
            self.unsubscribe(session.id, channel);
        }
        for pattern in &session.patterns {
            self.pattern_unsubscribe(session.id, pattern);
        }
        for channel in &session.shard_channels {
            self.shard_unsubscribe(session.id, channel);
        }
    }
}

fn leave(map: &mut HashMap<Box<[u8]>, Vec<SessionId>>, id: SessionId, channel: &[u8]) {
    if let Some(ids) = map.get_mut(channel) {
        ids.retain(|&other| other != id);
        if ids.is_empty() {
            map.remove(channel);
        }
    }
}

/// The message that a subscriber of `channel` is sent; `kind` is `message` or `smessage`.
pub(crate) fn message(proto: Proto, kind: &str, channel: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(channel.len() + payload.len() + 48);
    let mut reply = Reply::new(&mut out, proto);
    reply.push(3);
    reply.bulk(kind.as_bytes());
    reply.bulk(channel);
    reply.bulk(payload);
    out
}

/// The message that a subscriber of `pattern` is sent.
pub(crate) fn pattern_message(proto: Proto, pattern: &[u8], channel: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pattern.len() + channel.len() + payload.len() + 64);
    let mut reply = Reply::new(&mut out, proto);
    reply.push(4);
    reply.bulk(b"pmessage");
    reply.bulk(pattern);
    reply.bulk(channel);
    reply.bulk(payload);
    out
}
