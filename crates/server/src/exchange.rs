//! Short exchanges with other servers (`MIGRATE`): connect, send, hand what comes back to the node.
//!
//! One at a time. The node bounds its time and says when it has heard enough. Connections that ended well are kept for
//! the next exchange with the same server, as many and as long as Redis keeps them.

use crate::machine::Machine;
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tanist_node::Input;
use tanist_runtime::Alarm;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{Notify, oneshot};

/// Bytes read at a time.
const ROOM: usize = 16 * 1024;
/// The most connections that are kept.
const MOST_KEPT: usize = 64;
/// How long they are kept without use.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// Where an exchange leads, and as whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) identity: Vec<u8>,
}

/// One order of the node's.
#[derive(Debug)]
pub(crate) enum Order {
    Begin { number: u64, to: Target, bytes: Vec<u8> },
    End { number: u64, keep: bool },
}

/// Connections without an exchange, the one used last at the end.
#[derive(Default)]
struct Kept {
    all: Vec<(Target, TcpStream, Instant)>,
    /// Tells that there is one more.
    more: Rc<Notify>,
}

impl Kept {
    fn put(&mut self, to: Target, stream: TcpStream) {
        self.expire();
        if self.all.len() == MOST_KEPT {
            self.all.remove(0);
        }
        self.all.push((to, stream, Instant::now()));
        self.more.notify_one();
    }

    /// A connection to there that still stands, as far as can be seen.
    fn take(&mut self, to: &Target) -> Option<TcpStream> {
        self.expire();
        while let Some(at) = self.all.iter().rposition(|(kept, ..)| kept == to) {
            let (_, stream, _) = self.all.remove(at);
            // Nothing is owed to us: whatever can be read is an end, or nothing that makes sense.
            let silent = stream.try_read(&mut [0]).is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock);
            if silent {
                return Some(stream);
            }
        }
        None
    }

    /// Closes those whose time is over.
    fn expire(&mut self) {
        self.all.retain(|(_, _, since)| since.elapsed() < KEPT_FOR);
    }

    /// When the next one's time is over.
    fn deadline(&self) -> Option<Instant> {
        self.all.first().map(|(_, _, since)| *since + KEPT_FOR)
    }
}

/// Carries out the node's orders for as long as the process lives.
pub(crate) async fn run(machine: Arc<Machine>, mut orders: UnboundedReceiver<Order>, alarm: Alarm) {
    let kept = Rc::new(RefCell::new(Kept::default()));
    let more = kept.borrow().more.clone();
    // Dropping the second one gives the exchange up.
    let mut running: Option<(u64, oneshot::Sender<()>)> = None;
    loop {
        let deadline = kept.borrow().deadline();
        let order = tokio::select! {
            order = orders.recv() => order,
            () = expiry(&alarm, deadline) => {
                kept.borrow_mut().expire();
                tell_kept(&machine, &kept);
                continue;
            }
            () = more.notified() => continue,
        };
        match order {
            Some(Order::Begin { number, to, bytes }) => {
                let (end, ended) = oneshot::channel();
                running = Some((number, end));
                let task = exchange(machine.clone(), number, to, bytes, kept.clone(), ended);
                tokio::task::spawn_local(task);
            }
            Some(Order::End { number, keep }) => {
                if let Some((_, end)) = running.take_if(|(open, _)| *open == number)
                    && keep
                {
                    // It may have ended by itself.
                    let _ = end.send(());
                }
            }
            None => return,
        }
    }
}

/// Tells the node how many connections are kept.
fn tell_kept(machine: &Machine, kept: &RefCell<Kept>) {
    let count = kept.borrow().all.len();
    machine.enter(|node, now, outs| node.step(now, Input::ExchangesKept(count), outs));
}

/// Waits until the time of a kept connection is over, if there is one.
async fn expiry(alarm: &Alarm, deadline: Option<Instant>) {
    if let Some(at) = deadline
        && alarm.after(at.saturating_duration_since(Instant::now())).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

async fn exchange(
    machine: Arc<Machine>,
    number: u64,
    to: Target,
    bytes: Vec<u8>,
    kept: Rc<RefCell<Kept>>,
    mut ended: oneshot::Receiver<()>,
) {
    let progress = Progress::default();
    let old = kept.borrow_mut().take(&to);
    if old.is_some() {
        tell_kept(&machine, &kept);
    }
    let mut again = old.is_some();
    let mut stream = old;
    loop {
        let outcome = tokio::select! {
            // First: an end that the node has ordered is none of the connection's.
            biased;
            keep = &mut ended => {
                if let (Ok(()), Some(stream)) = (keep, stream) {
                    kept.borrow_mut().put(to, stream);
                    tell_kept(&machine, &kept);
                }
                return;
            }
            outcome = talk(&machine, number, &to, &mut stream, &bytes, &progress) => outcome,
        };
        // A kept connection may have ended at the other side: nothing has come of it, so another one is tried.
        if std::mem::take(&mut again) && !progress.heard.get() {
            stream = None;
            progress.sent.set(false);
            continue;
        }
        if let Err(error) = outcome {
            tracing::debug!("The connection to another server: {}", tanist_runtime::listen::describe(&error));
        }
        let input = Input::ExchangeEnded { number, sent: progress.sent.get() };
        return machine.enter(|node, now, outs| node.step(now, input, outs));
    }
}

/// How far an exchange has come.
#[derive(Default)]
struct Progress {
    sent: Cell<bool>,
    heard: Cell<bool>,
}

/// Ends with the connection. Reads while it writes: the other side may answer before it has everything.
async fn talk(
    machine: &Machine,
    number: u64,
    to: &Target,
    stream: &mut Option<TcpStream>,
    bytes: &[u8],
    progress: &Progress,
) -> io::Result<()> {
    let stream = match stream {
        Some(stream) => stream,
        none => {
            let new = TcpStream::connect((to.host.as_str(), to.port)).await?;
            new.set_nodelay(true)?;
            none.insert(new)
        }
    };
    let (mut reader, mut writer) = stream.split();
    let write = async {
        writer.write_all(bytes).await?;
        progress.sent.set(true);
        Ok::<(), io::Error>(())
    };
    let read = async {
        let mut room = vec![0; ROOM];
        loop {
            let n = reader.read(&mut room).await?;
            if n == 0 {
                break Err::<(), io::Error>(io::ErrorKind::UnexpectedEof.into());
            }
            progress.heard.set(true);
            let input = Input::Exchanged { number, bytes: room[..n].to_vec() };
            machine.enter(|node, now, outs| node.step(now, input, outs));
        }
    };
    tokio::try_join!(write, read).map(|((), ())| ())
}
