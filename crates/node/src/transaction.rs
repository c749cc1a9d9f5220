//! `MULTI`, `EXEC`, `DISCARD`, `WATCH`: queued commands and watched keys.

use crate::command::Command;
use crate::session::{Session, SessionId};
use crate::table::CommandIndex;
use hashbrown::HashMap;
use tanist_resp::OwnedArgs;
use tanist_types::DbIndex;

/// A transaction that is being queued.
#[derive(Debug, Default)]
pub(crate) struct Multi {
    pub(crate) queue: Vec<Queued>,
    /// A command was refused while queueing: `EXEC` will refuse all.
    pub(crate) aborted: bool,
}

/// A command in the queue, its arguments copied out of the read buffer.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) index: CommandIndex,
    pub(crate) command: &'static Command,
    pub(crate) args: OwnedArgs,
}

/// A key that a session watches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WatchedKey {
    pub(crate) db: DbIndex,
    pub(crate) key: Box<[u8]>,
    /// The key was past its time already when the watch began, so its removal is no change.
    pub(crate) was_expired: bool,
}

/// Who watches which key.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    keys: HashMap<(DbIndex, Box<[u8]>), Vec<SessionId>>,
}

impl Watchers {
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The number of watched keys.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn add(&mut self, id: SessionId, db: DbIndex, key: &[u8]) {
        let ids = self.keys.entry((db, key.into())).or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }

    pub(crate) fn remove(&mut self, id: SessionId, watched: &WatchedKey) {
        let place = (watched.db, watched.key.clone());
        if let Some(ids) = self.keys.get_mut(&place) {
            ids.retain(|&other| other != id);
            if ids.is_empty() {
                self.keys.remove(&place);
            }
        }
    }

    /// Something that a session watches has changed: its transaction will fail, so it need not watch anything more.
    pub(crate) fn spoil(&mut self, session: &mut Session) {
        session.dirty_watch = true;
        for watched in std::mem::take(&mut session.watched) {
            self.remove(session.id, &watched);
        }
    }

    /// Who watches this key.
    pub(crate) fn of(&self, db: DbIndex, key: &[u8]) -> &[SessionId] {
        // The owned key in the tuple forces a copy; this runs only while somebody watches something.
        self.keys.get(&(db, Box::from(key))).map_or(&[], Vec::as_slice)
    }

    /// Every watched key of a database with its watchers, in the order of keys.
    pub(crate) fn in_db(&self, db: DbIndex) -> Vec<(&[u8], &[SessionId])> {
        let mut all: Vec<_> = self
            .keys
            .iter()
            .filter(|((d, _), _)| *d == db)
            .map(|((_, k), ids)| (&**k, ids.as_slice()))
            .collect();
        all.sort_unstable();
        all
    }
}
