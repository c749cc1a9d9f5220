//! New connections: one thread accepts them and hands each to the thread with the fewest.

use crate::machine::Machine;
use crate::mailbox::Mail;
use crate::stream::Arrival;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tanist_runtime::Alarm;
use tokio::net::{TcpListener, UnixListener};

/// How long to wait when the system has no room for another connection.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening socket.
pub(crate) enum Listener {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener, String),
}

/// Accepts until the process ends.
pub(crate) async fn run(machine: Arc<Machine>, listener: Listener) {
    let settled = match listener {
        Listener::Tcp(listener) => TcpListener::from_std(listener).map(Settled::Tcp),
        Listener::Unix(listener, path) => UnixListener::from_std(listener).map(|l| Settled::Unix(l, path)),
    };
    // Had beforehand: when it is needed there is no file to be had.
    let opened = settled.and_then(|listener| Ok((listener, Alarm::new()?)));
    let (listener, alarm) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            tracing::warn!("Failed to listen: {error}");
            machine.end(1);
            return;
        }
    };
    loop {
        match listener.accept().await {
            Ok(arrival) => {
                let mailbox = machine.mailbox(machine.least_loaded());
                mailbox.push(Mail::Arrive(arrival));
                mailbox.wake();
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!("Accepting client connection: accept: {error}");
                if alarm.after(PAUSE).await.is_err() {
                    return;
                }
            }
        }
    }
}

enum Settled {
    Tcp(TcpListener),
    Unix(UnixListener, String),
}

impl Settled {
    async fn accept(&self) -> io::Result<Arrival> {
        match self {
            Settled::Tcp(listener) => {
                let (stream, addr) = listener.accept().await?;
                Ok(Arrival::Tcp(stream.into_std()?, addr))
            }
            Settled::Unix(listener, path) => {
                let (stream, _) = listener.accept().await?;
                Ok(Arrival::Unix(stream.into_std()?, path.clone()))
            }
        }
    }
}

/// Errors that the connection brought with it, and that leave with it.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
