//! Connections to us: one task each, which parses commands and passes replies on.

use super::usage::Largest;
use crate::core::{Input, SessionId};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tanist_resp::{Batch, Limits};
use tanist_runtime::tcp;
use tanist_types::Mono;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A session that lets so many bytes pile up is closed.
const MAX_PENDING: usize = 8 * 1024 * 1024;
/// Commands of a sentinel are short.
const LIMITS: Limits =
    Limits { max_multibulk: 1024, max_bulk: 1024 * 1024, max_inline: 64 * 1024, unauthenticated: false };
const READ: usize = 16 * 1024;
/// Commands taken from one read at a time.
const BATCH: usize = 64;

enum Outgoing {
    Bytes(Vec<u8>),
    Hangup,
}

struct Session {
    out: UnboundedSender<Outgoing>,
    pending: Arc<AtomicUsize>,
}

/// All connections.
pub(super) struct Sessions {
    all: HashMap<SessionId, Session>,
    next: u64,
    keepalive: Duration,
    inputs: UnboundedSender<Input>,
    most_input: Largest,
    most_output: Largest,
    cut_off: u64,
}

/// A connection that was accepted.
pub(super) struct Accepted(TcpStream);

/// Accepts connections on a listener for as long as the process lives.
pub(super) async fn accept(listener: TcpListener, accepted: UnboundedSender<Accepted>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if accepted.send(Accepted(stream)).is_err() {
                    return;
                }
            }
            // Out of descriptors, most likely: others will be freed.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Sessions {
    /// `keepalive` is the time between probes of a silent connection; none if it is zero.
    pub(super) fn new(keepalive: Duration, inputs: UnboundedSender<Input>) -> Sessions {
        let (most_input, most_output) = (Largest::default(), Largest::default());
        Sessions { all: HashMap::new(), next: 1, keepalive, inputs, most_input, most_output, cut_off: 0 }
    }

    /// Begins to serve a connection; returns what the core is to know.
    pub(super) fn open(&mut self, Accepted(stream): Accepted) -> Option<Input> {
        let (remote, local) = (stream.peer_addr().ok()?, stream.local_addr().ok()?);
        let _ = tcp::configure(&stream, self.keepalive);
        let session = SessionId(self.next);
        self.next += 1;
        let (out, outgoing) = unbounded_channel();
        let pending = Arc::new(AtomicUsize::new(0));
        let (inputs, count) = (self.inputs.clone(), pending.clone());
        tokio::spawn(async move {
            serve(session, stream, outgoing, &inputs, &count).await;
            let _ = inputs.send(Input::SessionClosed { session });
        });
        self.all.insert(session, Session { out, pending });
        Some(Input::SessionOpened { session, remote: remote.to_string(), local: local.to_string() })
    }

    /// Sends to a session; one that does not read is closed.
    pub(super) fn reply(&mut self, id: SessionId, bytes: Vec<u8>, now: Mono) {
        let Some(s) = self.all.get(&id) else { return };
        let before = s.pending.fetch_add(bytes.len(), Ordering::Relaxed);
        self.most_output.note((before + bytes.len()) as u64, now);
        if before > MAX_PENDING {
            self.cut_off += 1;
            self.all.remove(&id);
            return;
        }
        let _ = s.out.send(Outgoing::Bytes(bytes));
    }

    /// Closes a session behind what was sent to it.
    pub(super) fn hang_up(&mut self, id: SessionId) {
        if let Some(s) = self.all.remove(&id) {
            let _ = s.out.send(Outgoing::Hangup);
        }
    }

    /// A session has sent so many bytes more.
    pub(super) fn received(&mut self, bytes: usize, now: Mono) {
        self.most_input.note(bytes as u64, now);
    }

    /// The most bytes that were read of a session at once, of late.
    pub(super) fn most_input(&self, now: Mono) -> u64 {
        self.most_input.of_late(now)
    }

    /// The most bytes that waited for a session to read them, of late.
    pub(super) fn most_output(&self, now: Mono) -> u64 {
        self.most_output.of_late(now)
    }

    /// How many sessions were closed because too many bytes waited for them.
    pub(super) fn cut_off(&self) -> u64 {
        self.cut_off
    }

    /// A session ended.
    pub(super) fn closed(&mut self, id: SessionId) {
        self.all.remove(&id);
    }
}

async fn serve(
    session: SessionId,
    stream: TcpStream,
    mut outgoing: UnboundedReceiver<Outgoing>,
    inputs: &UnboundedSender<Input>,
    pending: &AtomicUsize,
) {
    let (mut reader, mut writer) = stream.into_split();
    let (complaint, mut complaints) = unbounded_channel::<Vec<u8>>();
    let read = async move {
        let mut buffer: Vec<u8> = Vec::new();
        let mut batch = Batch::new();
        loop {
            buffer.reserve(READ);
            match reader.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(bytes) => {
                    let _ = inputs.send(Input::Received { session, bytes });
                }
            }
            if let Err(error) = take_commands(session, &mut buffer, &mut batch, inputs) {
                let _ = complaint.send(error);
                // The writer closes; nothing more is read.
                std::future::pending::<()>().await;
            }
        }
    };
    let write = async {
        loop {
            tokio::select! {
                biased;
                out = outgoing.recv() => match out {
                    Some(Outgoing::Bytes(bytes)) => {
                        let sent = writer.write_all(&bytes).await;
                        pending.fetch_sub(bytes.len(), Ordering::Relaxed);
                        if sent.is_err() {
                            return;
                        }
                    }
                    Some(Outgoing::Hangup) | None => {
                        let _ = writer.shutdown().await;
                        return;
                    }
                },
                Some(error) = complaints.recv() => {
                    let _ = writer.write_all(&error).await;
                    let _ = writer.shutdown().await;
                    return;
                }
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}

/// Passes on the complete commands at the front of the buffer.
fn take_commands(
    session: SessionId,
    buffer: &mut Vec<u8>,
    batch: &mut Batch,
    inputs: &UnboundedSender<Input>,
) -> Result<(), Vec<u8>> {
    loop {
        batch.clear();
        let progress = batch.parse(buffer, &LIMITS, BATCH).map_err(|error| {
            let mut text = b"-ERR ".to_vec();
            error.write_to(&mut text);
            text.extend_from_slice(b"\r\n");
            text
        })?;
        for i in 0..batch.len() {
            let args: Vec<Vec<u8>> = batch.args(i, buffer).iter().map(<[u8]>::to_vec).collect();
            if !args.is_empty() {
                let _ = inputs.send(Input::Command { session, args });
            }
        }
        buffer.drain(..progress.consumed);
        if progress.commands < BATCH {
            return Ok(());
        }
    }
}
