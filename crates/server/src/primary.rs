//! The connection to the primary: one at a time, opened, written and closed as the node says.
//!
//! The node's orders come through a channel that is filled under the machine's lock, so they are carried out in the
//! order in which they were given. What it decides from the bytes that come in is the node's business alone.

use crate::machine::Machine;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tanist_node::Input;
use tanist_runtime::listen::describe;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;

/// One order.
#[derive(Debug)]
pub(crate) enum Order {
    /// Open a connection, in place of the one that there is.
    Connect { attempt: u64, host: String, port: u16 },
    /// Write to it.
    Send { attempt: u64, bytes: Vec<u8> },
    /// Close it.
    Close { attempt: u64 },
}

/// Room for what is read at a time.
const ROOM: usize = 256 * 1024;
/// Reads before others have their turn.
const TURN: usize = 4;

type Connecting = Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>;

/// The connection, by what is awaited.
enum Link {
    None,
    Connecting { attempt: u64, connecting: Connecting },
    Up { attempt: u64, stream: TcpStream, output: Vec<u8> },
}

/// What has happened to the connection.
enum Event {
    Connected(io::Result<TcpStream>),
    Ready,
    Failed(io::Error),
}

/// Carries out the node's orders for as long as the process lives.
pub(crate) async fn run(machine: Arc<Machine>, mut orders: UnboundedReceiver<Order>) {
    let mut link = Link::None;
    let mut room = vec![0; ROOM];
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(order) => link = carry_out(link, order, &machine),
                None => return,
            },
            event = next(&mut link) => link = happened(link, event, &mut room, &machine),
        }
    }
}

/// Waits for the connection to make progress; may be given up and called again at any time.
async fn next(link: &mut Link) -> Event {
    match link {
        Link::None => std::future::pending().await,
        Link::Connecting { connecting, .. } => Event::Connected(connecting.await),
        Link::Up { stream, output, .. } => {
            let interest =
                if output.is_empty() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
            match stream.ready(interest).await {
                Ok(_) => Event::Ready,
                Err(error) => Event::Failed(error),
            }
        }
    }
}

fn carry_out(link: Link, order: Order, machine: &Machine) -> Link {
    match (order, link) {
        (Order::Connect { attempt, host, port }, _) => {
            let connecting = Box::pin(async move { TcpStream::connect((host.as_str(), port)).await });
            Link::Connecting { attempt, connecting }
        }
        (Order::Send { attempt, bytes }, Link::Up { attempt: mine, stream, mut output })
            if attempt == mine =>
        {
            output.extend_from_slice(&bytes);
            match write(&stream, &mut output) {
                Ok(()) => Link::Up { attempt, stream, output },
                Err(error) => closed(machine, attempt, &error),
            }
        }
        (
            Order::Close { attempt },
            Link::Up { attempt: mine, .. } | Link::Connecting { attempt: mine, .. },
        ) if attempt == mine => Link::None,
        (_, link) => link,
    }
}

fn happened(link: Link, event: Event, room: &mut [u8], machine: &Machine) -> Link {
    match (link, event) {
        (Link::Connecting { attempt, .. }, Event::Connected(Ok(stream))) => {
            let keepalive = machine.enter(|node, _, _| node.config().tcp_keepalive);
            if let Err(error) = tanist_runtime::tcp::configure(&stream, Duration::from_secs(keepalive.into()))
            {
                tracing::warn!("Can't set up the connection to the primary: {}", describe(&error));
            }
            machine.enter(|node, now, outs| node.step(now, Input::PrimaryConnected { attempt }, outs));
            Link::Up { attempt, stream, output: Vec::new() }
        }
        (
            Link::Connecting { attempt, .. } | Link::Up { attempt, .. },
            Event::Connected(Err(error)) | Event::Failed(error),
        ) => closed(machine, attempt, &error),
        (Link::Up { attempt, stream, mut output }, Event::Ready) => {
            let moved = read(&stream, attempt, room, machine).and_then(|()| write(&stream, &mut output));
            match moved {
                Ok(()) => Link::Up { attempt, stream, output },
                Err(error) => closed(machine, attempt, &error),
            }
        }
        (link, _) => link,
    }
}

/// Reads what there is, a few times.
fn read(stream: &TcpStream, attempt: u64, room: &mut [u8], machine: &Machine) -> io::Result<()> {
    for _ in 0..TURN {
        match stream.try_read(room) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed by the primary")),
            Ok(n) => machine.enter(|node, now, outs| node.primary_bytes(now, attempt, &room[..n], outs)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes what the socket takes.
fn write(stream: &TcpStream, output: &mut Vec<u8>) -> io::Result<()> {
    let mut written = 0;
    while written < output.len() {
        match stream.try_write(&output[written..]) {
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    output.drain(..written);
    Ok(())
}

fn closed(machine: &Machine, attempt: u64, error: &io::Error) -> Link {
    let why = describe(error);
    machine.enter(|node, now, outs| node.step(now, Input::PrimaryClosed { attempt, why }, outs));
    Link::None
}
