//! The node behind its one lock, and where its outputs go.
//!
//! Whoever enters holds the lock for one batch. What concerns connections is put into mailboxes before the lock
//! is released, so every thread sees it in the machine's order; the rest (log lines, memory to free) is carried
//! out after the release, so nobody waits for it.

use crate::mailbox::{Mail, Mailbox};
use crate::outlets::{self, Late, Outlets};
use hashbrown::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tanist_config::ServerConfig;
use tanist_node::{Node, Output, Outputs, Peer, SessionId, Stopwatch};
use tanist_runtime::{Clock, Wall};
use tanist_types::{Mono, Now};
use tokio::sync::Notify;

/// The number of an I/O thread.
pub(crate) type ThreadIndex = usize;

/// The node and all that stands around it.
pub(crate) struct Machine {
    inner: Mutex<Inner>,
    mailboxes: Vec<Mailbox>,
    /// Connections per thread.
    load: Vec<AtomicUsize>,
    clock: Clock,
    /// When the node wants to be ticked, in nanoseconds.
    due: AtomicU64,
    /// Tells the timer that `due` has become earlier.
    pub(crate) due_sooner: Notify,
    outlets: Outlets,
    settings: Settings,
    /// The status to end the process with, or `RUNNING`.
    status: AtomicI32,
    pub(crate) ended: Notify,
}

const RUNNING: i32 = i32::MIN;

struct Inner {
    node: Node,
    outs: Outputs,
    owners: HashMap<SessionId, ThreadIndex>,
    wall: Wall,
}

/// What is left to do when the lock is free.
#[derive(Default)]
struct Aftermath {
    /// One bit per thread that has mail.
    wake: u64,
    late: Vec<Late>,
}

impl Machine {
    /// The most I/O threads: one bit each.
    pub(crate) const MAX_THREADS: usize = u64::BITS as usize;

    pub(crate) fn new(node: Node, threads: usize, clock: Clock, outlets: Outlets) -> Machine {
        let threads = threads.clamp(1, Machine::MAX_THREADS);
        Machine {
            inner: Mutex::new(Inner {
                node,
                outs: Outputs::new(),
                owners: HashMap::new(),
                wall: Wall::default(),
            }),
            mailboxes: (0..threads).map(|_| Mailbox::default()).collect(),
            load: (0..threads).map(|_| AtomicUsize::new(0)).collect(),
            clock,
            due: AtomicU64::new(0),
            due_sooner: Notify::new(),
            outlets,
            settings: Settings::default(),
            status: AtomicI32::new(RUNNING),
            ended: Notify::new(),
        }
    }

    /// Enters the machine.
    pub(crate) fn enter<R>(&self, act: impl FnOnce(&mut Node, Now, &mut Outputs) -> R) -> R {
        let mut inner = self.lock();
        let Inner { node, outs, wall, .. } = &mut *inner;
        // Read under the lock: the node's time never goes back.
        let now = self.clock.now_by(wall);
        let result = act(node, now, outs);
        let aftermath = self.sort_outputs(&mut inner);
        self.note_deadline(inner.node.next_deadline());
        drop(inner);
        if let Some(aftermath) = aftermath {
            self.finish(aftermath);
        }
        result
    }

    /// Lets a new connection in, or says what to write to it before it is closed.
    pub(crate) fn connect(&self, thread: ThreadIndex, peer: Peer) -> Result<Welcome, &'static str> {
        let mut inner = self.lock();
        let now = self.clock.now();
        let session = inner.node.connect(now, peer)?;
        inner.owners.insert(session, thread);
        self.load[thread].fetch_add(1, Ordering::Relaxed);
        Ok(Welcome { session, must_authenticate: !inner.node.is_authenticated(session) })
    }

    /// Forgets a connection.
    pub(crate) fn disconnect(&self, thread: ThreadIndex, session: SessionId) {
        self.load[thread].fetch_sub(1, Ordering::Relaxed);
        self.lock().owners.remove(&session);
        self.enter(|node, now, outs| node.step(now, tanist_node::Input::Closed(session), outs));
    }

    /// The thread with the fewest connections.
    pub(crate) fn least_loaded(&self) -> ThreadIndex {
        let load = |i: &usize| self.load[*i].load(Ordering::Relaxed);
        (0..self.load.len()).min_by_key(load).unwrap_or(0)
    }

    pub(crate) fn mailbox(&self, thread: ThreadIndex) -> &Mailbox {
        &self.mailboxes[thread]
    }

    pub(crate) fn threads(&self) -> usize {
        self.mailboxes.len()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// When the node wants to be ticked.
    pub(crate) fn due(&self) -> Mono {
        Mono::from_nanos(self.due.load(Ordering::Acquire))
    }

    /// Asks the process to end with this status; the first one counts.
    pub(crate) fn end(&self, status: i32) {
        let _ = self.status.compare_exchange(RUNNING, status, Ordering::AcqRel, Ordering::Acquire);
        self.ended.notify_one();
    }

    /// The status to end with, once it is known.
    pub(crate) fn status(&self) -> Option<i32> {
        Some(self.status.load(Ordering::Acquire)).filter(|&s| s != RUNNING)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The settings that connections need without entering.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Puts mail into the mailboxes, gives orders, and keeps the rest for later.
    fn sort_outputs(&self, inner: &mut Inner) -> Option<Aftermath> {
        if inner.outs.is_empty() {
            return None;
        }
        let mut aftermath = Aftermath::default();
        let Inner { outs, owners, .. } = inner;
        for output in outs.drain() {
            let (session, mail) = match output {
                Output::Send { session, bytes } => (session, Mail::Send(session, bytes)),
                Output::Close { session, flush } => (session, Mail::Close { session, flush }),
                Output::Resume(session) => (session, Mail::Resume(session)),
                Output::TellDrained(session) => (session, Mail::TellDrained(session)),
                other => {
                    aftermath.late.extend(self.outlets.order(other, &self.settings));
                    continue;
                }
            };
            // A session that is gone has no owner; what was said to it is lost with it.
            if let Some(&thread) = owners.get(&session) {
                self.mailboxes[thread].push(mail);
                aftermath.wake |= 1 << thread;
            }
        }
        Some(aftermath)
    }

    fn finish(&self, aftermath: Aftermath) {
        for (thread, mailbox) in self.mailboxes.iter().enumerate() {
            if aftermath.wake & 1 << thread != 0 {
                mailbox.wake();
            }
        }
        for late in aftermath.late {
            match late {
                Late::Log(level, text) => outlets::log(level, &text),
                Late::Discard(garbage) => self.outlets.garbage.free(garbage),
                Late::Exit(status) => self.end(status),
            }
        }
    }

    fn note_deadline(&self, deadline: Mono) {
        let before = self.due.swap(deadline.nanos(), Ordering::AcqRel);
        if deadline.nanos() < before {
            self.due_sooner.notify_one();
        }
    }
}

/// Settings that connections look at on their own: those of the node's configuration, without its lock.
#[derive(Default)]
pub(crate) struct Settings {
    query_buffer: AtomicUsize,
    bulk: AtomicUsize,
    snapshot_file: Mutex<PathBuf>,
    users_file: Mutex<PathBuf>,
}

impl Settings {
    /// The most bytes that a connection may have unparsed.
    pub(crate) fn query_buffer(&self) -> usize {
        self.query_buffer.load(Ordering::Relaxed)
    }

    /// The most bytes of one argument.
    pub(crate) fn bulk(&self) -> usize {
        self.bulk.load(Ordering::Relaxed)
    }

    /// Where the snapshot is saved, relative to the working directory.
    pub(crate) fn snapshot_file(&self) -> PathBuf {
        self.snapshot_file.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the users are, relative to the working directory.
    pub(crate) fn users_file(&self) -> PathBuf {
        self.users_file.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Catches up with the node.
    pub(crate) fn follow(&self, config: &ServerConfig) {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        self.query_buffer.store(size(config.client_query_buffer_limit), Ordering::Relaxed);
        self.bulk.store(size(config.proto_max_bulk_len), Ordering::Relaxed);
        self.users_file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&PathBuf::from(&config.aclfile));
        let mut file = self.snapshot_file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.as_os_str() != config.dbfilename.as_str() {
            *file = PathBuf::from(&config.dbfilename);
        }
    }
}

/// A connection that was let in.
pub(crate) struct Welcome {
    pub(crate) session: SessionId,
    /// It gets only small commands until it has authenticated.
    pub(crate) must_authenticate: bool,
}

impl Stopwatch for Machine {
    fn read(&self) -> Mono {
        self.clock.mono()
    }
}
