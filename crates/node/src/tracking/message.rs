//! What clients are told about their copies.

use tanist_resp::{Proto, Reply};

/// The channel on which clients of RESP2 hear of it.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// Copies that are of no use any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Copies {
    /// Of these keys.
    Of(Vec<Box<[u8]>>),
    /// Of every key.
    All,
}

impl Copies {
    /// The message to a session that speaks `proto`: a push, or what looks like a message of a channel if the session
    /// stands in for another and is subscribed. Empty if the session could not tell it from a reply.
    pub(crate) fn message(&self, proto: Proto, redirected: bool, subscribed: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, proto);
        match proto {
            Proto::Resp3 => {
                reply.push(2);
                reply.bulk(b"invalidate");
            }
            Proto::Resp2 if redirected && subscribed => {
                reply.array(3);
                reply.bulk(b"message");
                reply.bulk(CHANNEL);
            }
            Proto::Resp2 => return out,
        }
        match self {
            Copies::All => reply.null(),
            Copies::Of(keys) => {
                reply.array(keys.len());
                keys.iter().for_each(|key| reply.bulk(key));
            }
        }
        out
    }
}
