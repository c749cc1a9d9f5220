//! Short exchanges with other servers (`MIGRATE`): connect, send, hand what comes back to the node.
//!
//! One at a time. The node bounds its time and says when it has heard enough.

use crate::machine::Machine;
use std::cell::Cell;
use std::io;
use std::sync::Arc;
use tanist_node::Input;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

/// Bytes read at a time.
const ROOM: usize = 16 * 1024;

/// One order of the node's.
#[derive(Debug)]
pub(crate) enum Order {
    Begin { number: u64, host: String, port: u16, bytes: Vec<u8> },
    End { number: u64 },
}

/// Carries out the node's orders for as long as the process lives.
pub(crate) async fn run(machine: Arc<Machine>, mut orders: UnboundedReceiver<Order>) {
    let mut running: Option<(u64, JoinHandle<()>)> = None;
    while let Some(order) = orders.recv().await {
        match order {
            Order::Begin { number, host, port, bytes } => {
                if let Some((_, before)) = running.take() {
                    before.abort();
                }
                let task = exchange(machine.clone(), number, host, port, bytes);
                running = Some((number, tokio::task::spawn_local(task)));
            }
            Order::End { number } => {
                if let Some((_, task)) = running.take_if(|(open, _)| *open == number) {
                    task.abort();
                }
            }
        }
    }
}

async fn exchange(machine: Arc<Machine>, number: u64, host: String, port: u16, bytes: Vec<u8>) {
    let sent = Cell::new(false);
    let ended = talk(&machine, number, (host, port), &bytes, &sent).await;
    if let Err(error) = ended {
        tracing::debug!("The connection to another server: {}", tanist_runtime::listen::describe(&error));
    }
    let input = Input::ExchangeEnded { number, sent: sent.get() };
    machine.enter(|node, now, outs| node.step(now, input, outs));
}

/// Ends with the connection. Reads while it writes: the other side may answer before it has everything.
async fn talk(
    machine: &Machine,
    number: u64,
    to: (String, u16),
    bytes: &[u8],
    sent: &Cell<bool>,
) -> io::Result<()> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (mut reader, mut writer) = stream.split();
    let write = async {
        writer.write_all(bytes).await?;
        sent.set(true);
        Ok::<(), io::Error>(())
    };
    let read = async {
        let mut room = vec![0; ROOM];
        loop {
            let n = reader.read(&mut room).await?;
            if n == 0 {
                break Err::<(), io::Error>(io::ErrorKind::UnexpectedEof.into());
            }
            let input = Input::Exchanged { number, bytes: room[..n].to_vec() };
            machine.enter(|node, now, outs| node.step(now, input, outs));
        }
    };
    tokio::try_join!(write, read).map(|((), ())| ())
}
