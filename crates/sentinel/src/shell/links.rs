//! Our connections to nodes and other sentinels: one task each, which resolves the name, connects, and passes bytes
//! on in both directions.

use crate::core::{Input, LinkId, LinkLoss};
use std::collections::HashMap;
use std::io::{Error, ErrorKind};
use std::net::IpAddr;
use std::time::Duration;
use tanist_resp::Decoder;
use tanist_runtime::tcp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

/// Probes of an idle link begin after this time.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// A reply is read in pieces of this size.
const READ: usize = 16 * 1024;

struct Link {
    bytes: UnboundedSender<Vec<u8>>,
    task: AbortHandle,
}

/// All links.
pub(super) struct Links {
    all: HashMap<LinkId, Link>,
    inputs: UnboundedSender<Input>,
}

impl Links {
    pub(super) fn new(inputs: UnboundedSender<Input>) -> Links {
        Links { all: HashMap::new(), inputs }
    }

    /// Opens a link.
    pub(super) fn connect(&mut self, id: LinkId, host: String, port: u16) {
        let (bytes, outgoing) = unbounded_channel();
        let inputs = self.inputs.clone();
        let task = tokio::spawn(async move {
            let why = run(id, &host, port, outgoing, &inputs).await;
            let _ = inputs.send(Input::LinkDown { link: id, why });
        });
        self.all.insert(id, Link { bytes, task: task.abort_handle() });
    }

    /// Sends on a link; a link that just ended will say so itself.
    pub(super) fn send(&self, id: LinkId, bytes: Vec<u8>) {
        if let Some(link) = self.all.get(&id) {
            let _ = link.bytes.send(bytes);
        }
    }

    /// Closes a link.
    pub(super) fn disconnect(&mut self, id: LinkId) {
        if let Some(link) = self.all.remove(&id) {
            link.task.abort();
        }
    }

    /// A link ended by itself.
    pub(super) fn ended(&mut self, id: LinkId) {
        self.all.remove(&id);
    }
}

async fn run(
    id: LinkId,
    host: &str,
    port: u16,
    mut outgoing: UnboundedReceiver<Vec<u8>>,
    inputs: &UnboundedSender<Input>,
) -> LinkLoss {
    let Some(ip) = resolve(host).await else { return LinkLoss::Unresolved };
    let stream = match TcpStream::connect((ip, port)).await {
        Ok(stream) => stream,
        Err(error) => return reason(&error),
    };
    let Ok(local) = stream.local_addr() else { return LinkLoss::Reset };
    // A link without these options works, only less promptly.
    let _ = tcp::configure(&stream, KEEPALIVE);
    if inputs.send(Input::LinkUp { link: id, remote: ip, local: local.ip() }).is_err() {
        return LinkLoss::Closed;
    }
    let (mut reader, mut writer) = stream.into_split();
    let write = async move {
        while let Some(mut bytes) = outgoing.recv().await {
            while let Ok(more) = outgoing.try_recv() {
                bytes.extend_from_slice(&more);
            }
            if let Err(error) = writer.write_all(&bytes).await {
                return reason(&error);
            }
        }
        LinkLoss::Closed
    };
    let read = async {
        let mut decoder = Decoder::new();
        let mut buffer = vec![0; READ];
        loop {
            match reader.read(&mut buffer).await {
                Ok(0) => return LinkLoss::Closed,
                Ok(n) => decoder.feed(&buffer[..n]),
                Err(error) => return reason(&error),
            }
            loop {
                match decoder.next() {
                    Ok(Some(value)) => {
                        if inputs.send(Input::LinkReply { link: id, value }).is_err() {
                            return LinkLoss::Closed;
                        }
                    }
                    Ok(None) => break,
                    Err(_) => return LinkLoss::Garbled,
                }
            }
        }
    };
    tokio::select! {
        why = read => why,
        why = write => why,
    }
}

/// The address of a host: a name is looked up on another thread.
pub(super) async fn resolve(host: &str) -> Option<IpAddr> {
    if let Ok(ip) = host.parse() {
        return Some(ip);
    }
    let found = tokio::net::lookup_host((host, 0)).await.ok()?;
    let all: Vec<IpAddr> = found.map(|a| a.ip()).collect();
    all.iter().find(|ip| ip.is_ipv4()).or(all.first()).copied()
}

fn reason(error: &Error) -> LinkLoss {
    match error.kind() {
        ErrorKind::ConnectionRefused => LinkLoss::Refused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => LinkLoss::Reset,
        ErrorKind::TimedOut => LinkLoss::TimedOut,
        ErrorKind::UnexpectedEof => LinkLoss::Closed,
        _ => LinkLoss::Unreachable,
    }
}
