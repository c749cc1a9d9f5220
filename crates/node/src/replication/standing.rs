//! What this node is in its group, at a glance: for `TANIST STATUS`, and for whoever holds the node and looks into it
//! after every step.

use crate::node::Node;
use tanist_replication::{Address, Key, Promise, Role};
use tanist_types::{Epoch, ReplId, RunId};

/// What a node is at present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing<'a> {
    /// Its run.
    pub run: RunId,
    /// `primary`, `replica`, `loading` or `idle`.
    pub role: &'static str,
    /// The promise in force.
    pub promised: Promise,
    /// The highest epoch whose stream it followed or that it was primary of.
    pub accepted: Epoch,
    /// The end of its log, with the epoch of its last entry.
    pub key: Key,
    /// Whether its log may be counted.
    pub voting: bool,
    /// The history of its last entry.
    pub history: ReplId,
    /// The link to its primary: `none`, `up` or `down`.
    pub link: &'static str,
    /// Whom it follows.
    pub primary: Option<&'a Address>,
    /// The epoch that it has been primary of without interruption until it was fenced, or is.
    pub ex_primary: Option<Epoch>,
}

impl Node {
    /// What this node is in its group.
    #[must_use]
    pub fn standing(&self) -> Standing<'_> {
        let repl = &self.repl;
        let (durable, key) = (repl.member.durable(), repl.key());
        Standing {
            run: repl.member.run(),
            role: self.role_word(),
            promised: durable.promised,
            accepted: durable.accepted,
            key,
            voting: repl.member.voting(key),
            history: repl.lineage.current().id,
            link: self.link_word(),
            primary: repl.upstream.as_ref().map(|up| &up.address),
            ex_primary: repl.member.ex_primary(),
        }
    }

    /// The role as sentinels read it.
    pub(super) fn role_word(&self) -> &'static str {
        match self.repl.member.role() {
            Role::Primary(_) => "primary",
            Role::Idle => "idle",
            Role::Replica if self.repl.upstream.as_ref().is_some_and(|up| up.link.is_syncing()) => "loading",
            Role::Replica => "replica",
        }
    }

    /// The link to the primary as sentinels read it.
    pub(super) fn link_word(&self) -> &'static str {
        match &self.repl.upstream {
            None => "none",
            Some(up) if up.link.is_streaming() => "up",
            Some(_) => "down",
        }
    }
}
