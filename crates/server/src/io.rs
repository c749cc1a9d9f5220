//! One I/O thread: a runtime of its own, its connections, and the buffers that they share.

use crate::buffer::Buffer;
use crate::connection::{Connection, Handle};
use crate::machine::{Machine, ThreadIndex};
use crate::mailbox::Mail;
use crate::stream::Arrival;
use hashbrown::HashMap;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tanist_node::SessionId;

/// What the connections of one thread share.
pub(crate) struct Io {
    pub(crate) thread: ThreadIndex,
    pub(crate) machine: Arc<Machine>,
    handles: RefCell<HashMap<SessionId, Rc<Handle>>>,
    /// Lent to connections that have something to read.
    #[allow(clippy::vec_box, reason = "buffers move between connections as they are")]
    spare: RefCell<Vec<Box<Buffer>>>,
    /// Where replies are encoded before they are written.
    out: Cell<Vec<u8>>,
    /// The thread is to end.
    stopped: Cell<bool>,
    /// Reused when mail is taken.
    mail: Cell<Vec<Mail>>,
}

/// The most buffers that a thread keeps for its connections.
const SPARE: usize = 4;
/// The room for replies that a thread keeps.
const OUT: usize = 256 * 1024;

impl Io {
    pub(crate) fn new(thread: ThreadIndex, machine: Arc<Machine>) -> Io {
        Io {
            thread,
            machine,
            handles: RefCell::default(),
            spare: RefCell::default(),
            out: Cell::new(Vec::with_capacity(64 * 1024)),
            stopped: Cell::new(false),
            mail: Cell::default(),
        }
    }

    /// Lends a buffer.
    pub(crate) fn borrow_buffer(&self) -> Box<Buffer> {
        self.spare.borrow_mut().pop().unwrap_or_else(|| Box::new(Buffer::new()))
    }

    /// Takes a buffer back.
    pub(crate) fn return_buffer(&self, mut buffer: Box<Buffer>) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE && buffer.is_ordinary() {
            buffer.clear();
            spare.push(buffer);
        }
    }

    /// Lends the room for replies, empty.
    pub(crate) fn borrow_out(&self) -> Vec<u8> {
        self.out.take()
    }

    /// Takes the room for replies back.
    pub(crate) fn return_out(&self, mut out: Vec<u8>) {
        out.clear();
        if out.capacity() <= OUT {
            self.out.set(out);
        }
    }

    /// Gives the thread's mail to its connections.
    pub(crate) fn deliver(self: &Rc<Self>) {
        if !self.machine.mailbox(self.thread).is_filled() {
            return;
        }
        let mut mail = self.mail.take();
        self.machine.mailbox(self.thread).take(&mut mail);
        for item in mail.drain(..) {
            match item {
                Mail::Send(session, bytes) => self.with(session, |h| h.send(bytes)),
                Mail::Close { session, flush } => self.with(session, |h| h.close(flush)),
                Mail::TellDrained(session) => self.with(session, Handle::tell_drained),
                Mail::Resume(session) => self.with(session, Handle::resume),
                Mail::Arrive(arrival) => self.serve(arrival),
                Mail::Stop => self.stopped.set(true),
            }
        }
        self.mail.set(mail);
    }

    fn with(&self, session: SessionId, act: impl FnOnce(&Handle)) {
        if let Some(handle) = self.handles.borrow().get(&session) {
            act(handle);
        }
    }

    fn serve(self: &Rc<Self>, arrival: Arrival) {
        let io = self.clone();
        tokio::task::spawn_local(async move {
            let keepalive = io.machine.enter(|node, _, _| node.config().tcp_keepalive);
            let Ok((stream, peer)) = arrival.settle(Duration::from_secs(keepalive.into())) else {
                return;
            };
            match io.machine.connect(io.thread, peer) {
                Ok(welcome) => {
                    let session = welcome.session;
                    let handle = Rc::new(Handle::default());
                    io.handles.borrow_mut().insert(session, handle.clone());
                    Connection::new(io.clone(), stream, welcome, handle).await;
                    io.handles.borrow_mut().remove(&session);
                    io.machine.disconnect(io.thread, session);
                }
                Err(refusal) => stream.say(refusal.as_bytes()),
            }
        });
    }
}

/// Serves the connections of one thread until it is told to stop.
pub(crate) async fn run(io: Rc<Io>) {
    loop {
        io.machine.mailbox(io.thread).woken().await;
        io.deliver();
        if io.stopped.get() {
            return;
        }
    }
}
