//! One connection: read what is readable, parse it, enter the machine once per batch, write what comes out.
//!
//! A future of its own rather than an `async fn`, so that buffers are lent only while something is read and no
//! state is kept across a wait that need not be. Reading goes on while replies wait to be written: a client may
//! send a long pipeline before it reads the first reply. What may pile up is bounded by the output limits.

use crate::buffer::Buffer;
use crate::debugging::Link;
use crate::io::Io;
use crate::machine::Welcome;
use crate::stream::{Stream, give_way};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tanist_node::{Next, Ran, SessionId};
use tanist_resp::{Limits, Proto, ProtocolError, Reply};

/// The most commands carried out under one lock.
const BATCH: usize = 128;
/// Reads before other connections have their turn.
const TURN: usize = 4;
/// Bytes of a large argument before that: they are only put where they belong.
const TURN_BYTES: usize = 1024 * 1024;
/// Commands before other connections have their turn, in whole batches: a long pipeline takes many turns.
const TURN_COMMANDS: usize = 2 * BATCH;
/// A waiting connection is read on up to this many bytes, so that its end is noticed.
const READ_AHEAD: usize = 1024 * 1024;
/// Unparsed bytes up to this many are kept apart, so that the buffer can be lent to others.
const SMALL: usize = 4096;

/// What the rest of the thread may do to a connection.
#[derive(Debug, Default)]
pub(crate) struct Handle {
    /// Bytes from outside its own batches, to be written behind what is there.
    inbox: RefCell<Vec<u8>>,
    resumed: Cell<bool>,
    /// The node wants to know when all output has left.
    tell_drained: Cell<bool>,
    closing: Cell<Closing>,
    /// Something of the above has come since the connection last looked.
    stirred: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
enum Closing {
    #[default]
    No,
    /// After the output has left.
    Flush,
    Now,
}

impl Handle {
    /// Adds to the connection's output.
    pub(crate) fn send(&self, bytes: Vec<u8>) {
        join(&mut self.inbox.borrow_mut(), bytes);
        self.wake();
    }

    /// Ends the connection.
    pub(crate) fn close(&self, flush: bool) {
        self.end(if flush { Closing::Flush } else { Closing::Now });
        self.wake();
    }

    /// Lets a connection that waits go on.
    pub(crate) fn resume(&self) {
        self.resumed.set(true);
        self.wake();
    }

    /// Tells the node when all output has left.
    pub(crate) fn tell_drained(&self) {
        self.tell_drained.set(true);
        self.wake();
    }

    fn end(&self, closing: Closing) {
        self.closing.set(self.closing.get().max(closing));
    }

    fn wake(&self) {
        self.stirred.set(true);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// What has come so far is looked at now.
    fn look(&self) {
        self.stirred.set(false);
    }

    /// Has the connection woken by what comes, and by what has come while it was at work: its mail may be delivered in
    /// the middle of a turn, after the turn has looked, and a turn that a message began has no waker for a second one.
    fn park(&self, cx: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        match &*waker {
            Some(known) if known.will_wake(cx.waker()) => {}
            _ => *waker = Some(cx.waker().clone()),
        }
        if self.stirred.get() {
            cx.waker().wake_by_ref();
        }
    }
}

/// A connection's life. Ends when the connection does.
pub(crate) struct Connection {
    io: Rc<Io>,
    handle: Rc<Handle>,
    session: SessionId,
    stream: Stream,
    must_authenticate: bool,
    input: Input,
    /// Replies that the socket did not take; `written` of them have left.
    output: Vec<u8>,
    written: usize,
    /// What the node knows of.
    told: Held,
    /// The last turn ended before all was carried out that had been read.
    has_more: bool,
    /// It is another process' now: only this end of it closes.
    handed_over: bool,
}

/// What was read and is not done.
#[derive(Default)]
enum Input {
    #[default]
    Nothing,
    /// The beginning of a command.
    Little(Box<[u8]>),
    /// More of one.
    Much(Box<Buffer>),
    /// A batch that has stopped before command `from`, until it is resumed.
    Halted { buffer: Box<Buffer>, from: usize },
}

/// What is held for a connection.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Held {
    /// Input that is not done.
    unread: usize,
    /// The rest of its buffer.
    spare: usize,
    /// Output that the socket has not taken.
    unsent: usize,
}

/// The connection is over.
#[derive(Debug)]
struct Over;

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.turn(cx) {
            Ok(()) => {
                self.handle.park(cx);
                Poll::Pending
            }
            Err(Over) => {
                if !self.handed_over {
                    self.stream.shut();
                }
                Poll::Ready(())
            }
        }
    }
}

impl Connection {
    pub(crate) fn new(io: Rc<Io>, stream: Stream, welcome: Welcome, handle: Rc<Handle>) -> Connection {
        Connection {
            io,
            handle,
            session: welcome.session,
            stream,
            must_authenticate: welcome.must_authenticate,
            input: Input::Nothing,
            output: Vec::new(),
            written: 0,
            told: Held::default(),
            has_more: false,
            handed_over: false,
        }
    }

    /// Does what can be done without waiting. Afterwards the socket or the handle will wake it.
    fn turn(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        self.handle.look();
        self.take_inbox();
        self.flush(cx)?;
        if self.output.is_empty() && self.handle.tell_drained.take() {
            // A replica that reads as fast as a snapshot is produced would keep the thread for long: one round a turn.
            // What the node answers is looked at right here: woken by it, the task would run again before the sockets
            // are looked at, and `give_way` would be of no use.
            let waker = self.handle.waker.take();
            self.drained();
            self.handle.look();
            self.handle.waker.replace(waker);
            self.take_inbox();
            self.flush(cx)?;
            if self.output.is_empty() && self.handle.tell_drained.get() {
                give_way(cx);
            }
        }
        self.tell_buffered(self.told);
        match self.handle.closing.get() {
            Closing::No => self.read(cx),
            Closing::Flush if !self.output.is_empty() => Ok(()),
            Closing::Flush | Closing::Now => Err(Over),
        }
    }

    /// Reads and carries out, a few times.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        let (mut buffer, mut halted) = match std::mem::take(&mut self.input) {
            Input::Nothing => (self.io.borrow_buffer(), None),
            Input::Little(bytes) => {
                let mut buffer = self.io.borrow_buffer();
                buffer.restore(&bytes);
                (buffer, None)
            }
            Input::Much(buffer) => (buffer, None),
            Input::Halted { buffer, from } => (buffer, Some(from)),
        };
        let mut taken = 0;
        for turns in 0.. {
            if turns == 0 && halted.is_none() && self.has_more {
                halted = self.carry_out(cx, &mut buffer, None)?;
            }
            if let Some(from) = halted {
                if self.handle.resumed.take() {
                    halted = self.carry_out(cx, &mut buffer, Some(from))?;
                } else if buffer.len() >= READ_AHEAD {
                    break;
                }
            }
            if self.handle.closing.get() != Closing::No {
                return if self.output.is_empty() { Err(Over) } else { Ok(()) };
            }
            let large = halted.is_none() && buffer.awaits_much() && taken < TURN_BYTES;
            if turns >= TURN && !large || self.has_more {
                give_way(cx);
                break;
            }
            match self.stream.poll_read(cx, buffer.room(READ_AHEAD)) {
                Poll::Pending => break,
                Poll::Ready(Ok(0) | Err(_)) => return Err(Over),
                Poll::Ready(Ok(n)) => {
                    buffer.grew(n);
                    taken += n;
                }
            }
            if buffer.len() > self.io.machine.settings().query_buffer() {
                let overlong = tanist_node::Input::Overlong(self.session);
                self.io.machine.enter(|node, now, outs| node.step(now, overlong, outs));
                return Err(Over);
            }
            if halted.is_none() {
                halted = self.carry_out(cx, &mut buffer, None)?;
            }
        }
        let held = match halted.is_some() || buffer.len() > SMALL {
            true => {
                let unread = buffer.unread();
                Held { unread, spare: buffer.capacity() - unread, unsent: 0 }
            }
            false => Held::default(),
        };
        self.keep(buffer, halted);
        self.tell_buffered(held);
        if self.handle.closing.get() == Closing::Now { Err(Over) } else { Ok(()) }
    }

    /// Puts what is not done where it costs least.
    fn keep(&mut self, buffer: Box<Buffer>, halted: Option<usize>) {
        self.input = match halted {
            Some(from) => Input::Halted { buffer, from },
            None if buffer.len() > SMALL => Input::Much(buffer),
            None => {
                let input = match buffer.waiting() {
                    [] => Input::Nothing,
                    bytes => Input::Little(bytes.into()),
                };
                self.io.return_buffer(buffer);
                input
            }
        };
    }

    /// Parses and runs complete commands, as many as one turn has, and writes the replies. Returns where a batch has
    /// stopped.
    fn carry_out(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Buffer,
        resume_from: Option<usize>,
    ) -> Result<Option<usize>, Over> {
        let mut out = self.io.borrow_out();
        let halted = self.run(buffer, resume_from, &mut out);
        let written = self.write(cx, &out);
        self.io.return_out(out);
        written.map(|()| halted)
    }

    fn run(
        &mut self,
        buffer: &mut Buffer,
        mut resume_from: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        self.has_more = false;
        let mut done = 0;
        loop {
            if resume_from.is_none() {
                match buffer.parse(&self.limits(), BATCH) {
                    Ok(progress) if progress.commands == 0 => {
                        buffer.done();
                        return None;
                    }
                    Ok(progress) => done += progress.commands,
                    Err(error) => {
                        self.refuse(error, out);
                        return None;
                    }
                }
            }
            let from = resume_from.take().unwrap_or(0);
            let ran = self.enter(buffer, from, out);
            match ran.next {
                Next::Go => buffer.done(),
                Next::Wait => return Some(ran.done),
                Next::Close => {
                    self.handle.end(Closing::Flush);
                    return None;
                }
            }
            if buffer.is_empty() {
                return None;
            }
            if done >= TURN_COMMANDS {
                self.has_more = true;
                return None;
            }
        }
    }

    /// Runs a batch in the machine.
    fn enter(&mut self, buffer: &Buffer, from: usize, out: &mut Vec<u8>) -> Ran {
        let Connection { io, handle, session, stream, must_authenticate, told, handed_over, .. } = self;
        let link = Link::new(&io.machine, stream);
        let ran = io.machine.enter(|node, now, outs| {
            // What others have sent to this connection before now leaves before this batch's replies.
            io.deliver();
            join(out, handle.inbox.take());
            let waiting = buffer.waiting();
            let ran = node.run(now, *session, &buffer.batch, waiting, from, out, outs, &link);
            // What the node has seen of the input it need not be told.
            let done = if ran.next == Next::Go { buffer.batch.consumed() } else { 0 };
            let rest = (waiting.len() - done).saturating_sub(buffer.batch.taken());
            told.unread = if rest > SMALL { rest } else { 0 };
            if *must_authenticate {
                *must_authenticate = !node.is_authenticated(*session);
            }
            ran
        });
        if link.is_handed_over() {
            // What it is to be told, the other process tells.
            *handed_over = true;
            out.clear();
        }
        ran
    }

    /// Tells the node that all output has left; it may have more.
    fn drained(&mut self) {
        let drained = tanist_node::Input::Drained(self.session);
        self.io.machine.enter(|node, now, outs| node.step(now, drained, outs));
        self.io.deliver();
    }

    fn limits(&self) -> Limits {
        Limits {
            max_bulk: self.io.machine.settings().bulk(),
            unauthenticated: self.must_authenticate,
            ..Limits::default()
        }
    }

    /// Tells the client what was wrong and closes.
    fn refuse(&mut self, error: ProtocolError, out: &mut Vec<u8>) {
        tracing::debug!("Protocol error from client id={}: {error}", self.session.0);
        let mut text = b"ERR ".to_vec();
        error.write_to(&mut text);
        Reply::new(out, Proto::Resp2).error_bytes(&text);
        self.io.machine.enter(|node, now, outs| node.step(now, tanist_node::Input::Malformed, outs));
        self.handle.end(Closing::Flush);
    }

    /// Writes what came out of a batch, behind what still waits.
    fn write(&mut self, cx: &mut Context<'_>, mut out: &[u8]) -> Result<(), Over> {
        if self.output.is_empty() {
            while !out.is_empty() {
                match self.stream.poll_write(cx, out) {
                    Poll::Ready(Ok(n)) => out = &out[n..],
                    Poll::Ready(Err(_)) => return Err(Over),
                    Poll::Pending => break,
                }
            }
        }
        if out.is_empty() {
            return Ok(());
        }
        self.output.extend_from_slice(out);
        self.tell_buffered(self.told);
        if self.handle.closing.get() == Closing::Now { Err(Over) } else { Ok(()) }
    }

    /// Writes what waits; if the socket does not take it all, it will wake the connection.
    fn flush(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        while self.written < self.output.len() {
            match self.stream.poll_write(cx, &self.output[self.written..]) {
                Poll::Ready(Ok(n)) => self.written += n,
                Poll::Ready(Err(_)) => return Err(Over),
                Poll::Pending => break,
            }
        }
        if self.written == self.output.len() {
            self.output.clear();
            self.output.shrink_to(SMALL);
            self.written = 0;
        } else if self.written > self.output.len() / 2 {
            self.output.drain(..self.written);
            self.written = 0;
        }
        Ok(())
    }

    /// Moves what others have sent to the output.
    fn take_inbox(&mut self) {
        join(&mut self.output, self.handle.inbox.take());
    }

    /// Tells the node how much waits, if it does not know. It may close the connection for it
    /// (`client-output-buffer-limit`).
    fn tell_buffered(&mut self, held: Held) {
        let told = Held { unsent: self.output.len() - self.written, ..held };
        if std::mem::replace(&mut self.told, told) == told {
            return;
        }
        let Held { unread, spare, unsent } = told;
        let input = tanist_node::Input::Buffered { session: self.session, unread, spare, unsent };
        self.io.machine.enter(|node, now, outs| node.step(now, input, outs));
        self.io.deliver();
    }
}

/// Appends `more`, without a copy if there is nothing before it.
fn join(bytes: &mut Vec<u8>, more: Vec<u8>) {
    if bytes.is_empty() && bytes.capacity() < more.capacity() {
        *bytes = more;
    } else {
        bytes.extend_from_slice(&more);
    }
}

#[cfg(test)]
mod tests {
    use super::Handle;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake, Waker};

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn what_comes_during_a_turn_that_a_message_began_is_looked_at() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let (handle, cx) = (Handle::default(), Context::from_waker(&waker));
        handle.park(&cx);
        handle.send(b"+OK".to_vec());
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        // Its turn, in which it reads what its peer has sent; with that its mail is delivered.
        handle.look();
        handle.tell_drained();
        handle.park(&cx);
        assert_eq!(woken.0.load(Ordering::Relaxed), 2);
        // The next turn finds it, and nothing else comes.
        handle.look();
        handle.park(&cx);
        assert_eq!(woken.0.load(Ordering::Relaxed), 2);
    }
}
