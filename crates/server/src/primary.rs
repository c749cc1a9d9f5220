//! The connection to the primary: the node says when and where to, what to send, and takes what comes.
//!
//! One future does it all: it connects (names are looked up beside the machine), reads into the node and writes.
//! Each connection is an attempt with a number; what belongs to an earlier one is dropped. Orders are given under the
//! machine's lock, so they come in the node's order. Most of them come of what the future itself brings to the node:
//! these it finds on its next look, without being woken for them.

use crate::machine::Machine;
use crate::stream::{Stream, give_way};
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tanist_node::Input;
use tokio::net::{TcpSocket, TcpStream};

/// Bytes read and applied at a time. Few enough that nobody waits for the lock for long.
const ROOM: usize = 64 * 1024;
/// Reads before other tasks of the thread have their turn.
const TURN: usize = 4;

/// One order of the node's.
#[derive(Debug)]
pub(crate) enum Order {
    Connect { attempt: u64, host: String, port: u16 },
    Send { attempt: u64, bytes: Vec<u8> },
    Hold { attempt: u64, hold: bool },
    Close { attempt: u64 },
}

/// Orders that are still to be carried out.
#[derive(Debug, Default)]
pub(crate) struct Orders(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    orders: VecDeque<Order>,
    /// Who carries them out, while it waits for one.
    waker: Option<Waker>,
}

impl Orders {
    /// Adds an order.
    pub(crate) fn give(&self, order: Order) {
        let mut waiting = self.lock();
        waiting.orders.push_back(order);
        let waker = waiting.waker.take();
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The next order. Whoever asks is awake, and is not woken for those that come now.
    fn next(&self) -> Option<Order> {
        let mut waiting = self.lock();
        waiting.waker = None;
        waiting.orders.pop_front()
    }

    /// Has the task woken by the next order; `false` if there is one already.
    fn wait(&self, cx: &Context<'_>) -> bool {
        let mut waiting = self.lock();
        let none = waiting.orders.is_empty();
        if none {
            waiting.waker = Some(cx.waker().clone());
        }
        none
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries out the node's orders for as long as the process lives.
pub(crate) async fn run(machine: Arc<Machine>, orders: Arc<Orders>) {
    Upstream { machine, orders, state: State::Idle, output: Vec::new(), written: 0 }.await;
}

/// The link, for as long as the process lives.
struct Upstream {
    machine: Arc<Machine>,
    orders: Arc<Orders>,
    state: State,
    /// What was told to be sent and has not left; `written` bytes of it have.
    output: Vec<u8>,
    written: usize,
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<Stream>>>>;

enum State {
    Idle,
    Connecting {
        attempt: u64,
        connecting: Connecting,
    },
    Connected {
        attempt: u64,
        stream: Stream,
        room: Box<[u8]>,
        /// Nothing is to be read.
        held: bool,
    },
}

impl Upstream {
    fn attempt(&self) -> Option<u64> {
        match self.state {
            State::Idle => None,
            State::Connecting { attempt, .. } | State::Connected { attempt, .. } => Some(attempt),
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Connect { attempt, host, port } => {
                let (keepalive, source) = self.machine.enter(|node, _, _| {
                    (node.config().tcp_keepalive, node.config().bind_source_addr.clone())
                });
                let connecting = Box::pin(connect(host, port, Duration::from_secs(keepalive.into()), source));
                self.rest();
                self.state = State::Connecting { attempt, connecting };
            }
            Order::Send { attempt, bytes } if self.attempt() == Some(attempt) => {
                if self.output.is_empty() {
                    self.output = bytes;
                } else {
                    self.output.extend_from_slice(&bytes);
                }
            }
            Order::Hold { attempt, hold } if self.attempt() == Some(attempt) => {
                if let State::Connected { held, .. } = &mut self.state {
                    *held = hold;
                }
            }
            Order::Close { attempt } if self.attempt() == Some(attempt) => self.rest(),
            Order::Send { .. } | Order::Hold { .. } | Order::Close { .. } => {}
        }
    }

    /// Drops the connection.
    fn rest(&mut self) {
        self.state = State::Idle;
        self.output = Vec::new();
        self.written = 0;
    }

    /// The connection has failed or ended: the node decides what comes next.
    fn lost(&mut self, attempt: u64, why: String) {
        self.rest();
        self.machine.enter(|node, now, outs| node.step(now, Input::PrimaryClosed { attempt, why }, outs));
    }

    /// Does one thing, if there is one to do; `false` when everything waits.
    fn advance(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.state {
            State::Idle => false,
            State::Connecting { attempt, connecting } => {
                let attempt = *attempt;
                match connecting.as_mut().poll(cx) {
                    Poll::Pending => false,
                    Poll::Ready(Ok(stream)) => {
                        let room = vec![0; ROOM].into_boxed_slice();
                        self.state = State::Connected { attempt, stream, room, held: false };
                        self.machine.enter(|node, now, outs| {
                            node.step(now, Input::PrimaryConnected { attempt }, outs);
                        });
                        true
                    }
                    Poll::Ready(Err(error)) => {
                        self.lost(attempt, tanist_runtime::listen::describe(&error));
                        true
                    }
                }
            }
            State::Connected { held: true, .. } => false,
            State::Connected { attempt, stream, room, .. } => {
                let attempt = *attempt;
                match stream.poll_read(cx, room) {
                    Poll::Pending => false,
                    Poll::Ready(Ok(0)) => {
                        self.lost(attempt, "the primary has closed the connection".to_owned());
                        true
                    }
                    Poll::Ready(Ok(n)) => {
                        let bytes = &room[..n];
                        self.machine.enter(|node, now, outs| node.primary_bytes(now, attempt, bytes, outs));
                        true
                    }
                    Poll::Ready(Err(error)) => {
                        self.lost(attempt, tanist_runtime::listen::describe(&error));
                        true
                    }
                }
            }
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) {
        let State::Connected { attempt, stream, .. } = &mut self.state else { return };
        let attempt = *attempt;
        while self.written < self.output.len() {
            match stream.poll_write(cx, &self.output[self.written..]) {
                Poll::Pending => return,
                Poll::Ready(Ok(n)) => self.written += n,
                Poll::Ready(Err(error)) => {
                    return self.lost(attempt, tanist_runtime::listen::describe(&error));
                }
            }
        }
        self.output.clear();
        self.written = 0;
    }
}

impl Future for Upstream {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..TURN {
            while let Some(order) = self.orders.next() {
                self.obey(order);
            }
            self.flush(cx);
            if !self.advance(cx) && self.orders.wait(cx) {
                return Poll::Pending;
            }
        }
        give_way(cx);
        Poll::Pending
    }
}

async fn connect(host: String, port: u16, keepalive: Duration, source: String) -> io::Result<Stream> {
    let stream = match source.as_str() {
        "" => TcpStream::connect((host, port)).await?,
        source => connect_from(source, &host, port).await?,
    };
    tanist_runtime::tcp::configure(&stream, keepalive)?;
    Ok(Stream::Tcp(stream))
}

/// Connects from an address of this machine (`bind-source-addr`), to one of the same family.
async fn connect_from(source: &str, host: &str, port: u16) -> io::Result<TcpStream> {
    let source: IpAddr =
        source.parse().map_err(|_| io::Error::other(format!("bind-source-addr is no address: {source}")))?;
    let mut failed = io::Error::other("the primary has no address of the family of bind-source-addr");
    for address in tokio::net::lookup_host((host, port)).await? {
        if address.is_ipv4() != source.is_ipv4() {
            continue;
        }
        let socket = if source.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind((source, 0).into())?;
        match socket.connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_come_from_the_address_that_is_asked_for() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let stream = connect_from("127.0.0.2", "127.0.0.1", port).await.expect("a connection");
        assert_eq!(stream.local_addr().expect("an address").ip().to_string(), "127.0.0.2");
        let other = connect_from("::1", "127.0.0.1", port).await.expect_err("another family");
        assert!(other.to_string().contains("family of bind-source-addr"), "{other}");
        let none = connect_from("nowhere", "127.0.0.1", port).await.expect_err("no address");
        assert!(none.to_string().contains("no address: nowhere"), "{none}");
    }
}
