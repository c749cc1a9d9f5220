//! What one thread leaves for the connections of another.
//!
//! Filled under the machine's lock, so that mail is in the order in which the machine spoke; the thread is woken
//! once per batch, after the lock is free.

use crate::stream::Arrival;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tanist_node::SessionId;
use tokio::sync::Notify;

/// One message.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Append to the connection's output.
    Send(SessionId, Vec<u8>),
    /// Close the connection, after its output has left if `flush`.
    Close { session: SessionId, flush: bool },
    /// Tell the node when all output has left.
    TellDrained(SessionId),
    /// Go on with the connection's batch.
    Resume(SessionId),
    /// Serve a new connection.
    Arrive(Arrival),
    /// End the thread.
    Stop,
}

/// The mail of one thread.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Vec<Mail>>,
    filled: AtomicBool,
    notify: Notify,
}

impl Mailbox {
    /// Adds a message; [`Mailbox::wake`] makes the thread look.
    pub(crate) fn push(&self, mail: Mail) {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        self.filled.store(true, Ordering::Release);
    }

    /// Makes the thread look.
    pub(crate) fn wake(&self) {
        self.notify.notify_one();
    }

    /// Waits until somebody wakes the thread.
    pub(crate) async fn woken(&self) {
        self.notify.notified().await;
    }

    /// Whether there is mail.
    pub(crate) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Acquire)
    }

    /// Swaps the mail for an empty vector.
    pub(crate) fn take(&self, into: &mut Vec<Mail>) {
        debug_assert!(into.is_empty());
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        self.filled.store(false, Ordering::Release);
        std::mem::swap(&mut *mail, into);
    }
}
