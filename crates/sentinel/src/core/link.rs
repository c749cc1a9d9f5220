//! One connection of ours to an instance: opened again at once when lost, then with growing pauses; replies arrive
//! in the order of the commands.

use super::io::LinkId;
use super::timing;
use std::collections::VecDeque;
use tanist_types::{Epoch, Mono};

/// What a reply on a link answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Awaiting {
    /// Nothing depends on it.
    Ignored,
    /// AUTH: a failure is worth a warning.
    Auth,
    Ping,
    Info,
    /// A published hello.
    Published,
    /// `SENTINEL IS-MASTER-DOWN-BY-ADDR`.
    Opinion,
    Status,
    /// FENCE of this epoch.
    Fence(Epoch),
    /// PREPARE of this epoch.
    Prepare(Epoch),
    /// PROMOTE of this epoch.
    Promote(Epoch),
    /// FOLLOW, or the EXEC of a classic change of primary.
    Follow,
    /// The EXEC that makes a classic node the primary, for the failover of this epoch.
    ClassicPromote(Epoch),
    /// The pause of a primary in a planned switchover of this epoch.
    Pause(Epoch),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum State {
    Waiting { until: Mono },
    Opening { id: LinkId, since: Mono },
    Up { id: LinkId, since: Mono, awaiting: VecDeque<Awaiting> },
}

/// A link and its history as far as it matters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    state: State,
    attempts: usize,
    /// The link that was lost had carried an answer: if its address refuses now, the process is gone.
    answered: bool,
    /// The host had no address at the last attempt.
    unresolved: bool,
}

impl Link {
    /// A link to be opened at once.
    pub(crate) fn new(now: Mono) -> Link {
        Link { state: State::Waiting { until: now }, attempts: 0, answered: false, unresolved: false }
    }

    /// The link's name while it is opening or up.
    pub(crate) fn id(&self) -> Option<LinkId> {
        match self.state {
            State::Waiting { .. } => None,
            State::Opening { id, .. } | State::Up { id, .. } => Some(id),
        }
    }

    /// The link's name if commands can be sent.
    pub(crate) fn up_id(&self) -> Option<LinkId> {
        match self.state {
            State::Up { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Since when commands can be sent.
    pub(crate) fn up_since(&self) -> Option<Mono> {
        match self.state {
            State::Up { since, .. } => Some(since),
            _ => None,
        }
    }

    /// Whether commands can be sent.
    pub(crate) fn is_up(&self) -> bool {
        self.up_id().is_some()
    }

    /// When the next attempt is due; nothing while there is a connection or an attempt.
    pub(crate) fn attempt_at(&self) -> Option<Mono> {
        match self.state {
            State::Waiting { until } => Some(until),
            _ => None,
        }
    }

    /// Since when an attempt has been under way.
    pub(crate) fn opening_since(&self) -> Option<Mono> {
        match self.state {
            State::Opening { since, .. } => Some(since),
            _ => None,
        }
    }

    /// An attempt begins.
    pub(crate) fn opening(&mut self, id: LinkId, now: Mono) {
        self.state = State::Opening { id, since: now };
    }

    /// The attempt succeeded.
    pub(crate) fn opened(&mut self, now: Mono) {
        if let State::Opening { id, .. } = self.state {
            self.state = State::Up { id, since: now, awaiting: VecDeque::new() };
        }
    }

    /// The connection or the attempt ended. Returns whether an answering link had been there before, and what was
    /// still awaited.
    pub(crate) fn lost(&mut self, now: Mono) -> Vec<Awaiting> {
        let unanswered = match &mut self.state {
            State::Up { awaiting, .. } => std::mem::take(awaiting).into(),
            _ => Vec::new(),
        };
        let was_up = self.is_up();
        if was_up {
            self.attempts = 0;
        }
        let pause = timing::RECONNECT[self.attempts.min(timing::RECONNECT.len() - 1)];
        self.attempts += 1;
        self.state = State::Waiting { until: now + pause };
        unanswered
    }

    /// Tries again at once, for instance because the address changed.
    pub(crate) fn retry(&mut self, now: Mono) {
        self.attempts = 0;
        self.state = State::Waiting { until: now };
    }

    /// Whether an earlier link to this address carried an answer.
    pub(crate) fn answered(&self) -> bool {
        self.answered
    }

    /// Whether the last attempt failed because the host had no address.
    pub(crate) fn is_unresolved(&self) -> bool {
        self.unresolved
    }

    /// The attempt that has just ended failed because of that, or did not.
    pub(crate) fn set_unresolved(&mut self, unresolved: bool) {
        self.unresolved = unresolved;
    }

    /// A command was sent whose reply means `what`.
    pub(crate) fn push(&mut self, what: Awaiting) {
        if let State::Up { awaiting, .. } = &mut self.state {
            awaiting.push_back(what);
        }
    }

    /// A reply arrived: what it answers; nothing if nothing was asked.
    pub(crate) fn pop(&mut self) -> Option<Awaiting> {
        let State::Up { awaiting, .. } = &mut self.state else { return None };
        let what = awaiting.pop_front();
        if what.is_some() {
            self.answered = true;
            self.attempts = 0;
        }
        what
    }

    /// How many replies are outstanding.
    pub(crate) fn pending(&self) -> usize {
        match &self.state {
            State::Up { awaiting, .. } => awaiting.len(),
            _ => 0,
        }
    }

    /// Whether such a reply is outstanding.
    pub(crate) fn awaits(&self, what: Awaiting) -> bool {
        matches!(&self.state, State::Up { awaiting, .. } if awaiting.contains(&what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_link_is_retried_at_once_and_then_ever_less_often() {
        let now = Mono::from_millis(5);
        let mut link = Link::new(now);
        link.opening(LinkId(1), now);
        link.opened(now);
        link.push(Awaiting::Ping);
        assert_eq!(link.lost(now), [Awaiting::Ping]);
        assert_eq!(link.attempt_at(), Some(now));
        let mut pauses = Vec::new();
        for n in 2..9 {
            link.opening(LinkId(n), now);
            assert_eq!(link.lost(now), []);
            pauses.push(link.attempt_at().unwrap().since(now).as_millis());
        }
        assert_eq!(pauses, [20, 50, 100, 200, 500, 500, 500]);
    }

    #[test]
    fn a_reply_without_a_question_answers_nothing() {
        let mut link = Link::new(Mono::ZERO);
        assert_eq!(link.pop(), None);
        link.opening(LinkId(1), Mono::ZERO);
        link.opened(Mono::ZERO);
        assert_eq!(link.pop(), None);
        assert!(!link.answered());
    }
}
