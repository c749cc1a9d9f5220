//! `CONFIG SET` as far as it concerns the shell: where it listens, where it works, what it logs.
//!
//! Runs beside the connections of the first thread, so that a change never waits for the machine's lock while it
//! is held, and the machine never waits for a socket to be opened.

use crate::accept::{self, Listener};
use crate::host::Facts;
use crate::machine::Machine;
use crate::oom::OomScore;
use crate::start::{OTHER_FILES, log_format, log_timestamps};
use std::sync::Arc;
use std::time::Duration;
use tanist_config::ServerConfig;
use tanist_config::choice::Choice;
use tanist_node::{Input, SessionId};
use tanist_runtime::{Alarm, limits, listen, log};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// One change of the configuration.
#[derive(Debug)]
pub(crate) enum Change {
    /// It is in force: follow it.
    Follow(Box<ServerConfig>),
    /// Make it possible, or say why not.
    Apply { session: SessionId, config: Box<ServerConfig> },
}

/// The way to the task.
pub(crate) struct Control {
    changes: UnboundedSender<Change>,
}

/// What the task takes its orders from.
pub(crate) struct Changes(UnboundedReceiver<Change>);

impl Control {
    pub(crate) fn new() -> (Control, Changes) {
        let (changes, receiver) = unbounded_channel();
        (Control { changes }, Changes(receiver))
    }

    pub(crate) fn order(&self, change: Change) {
        // The task ends only with the process.
        let _ = self.changes.send(change);
    }
}

/// The listening sockets, each with its task.
pub(crate) struct Doors {
    machine: Arc<Machine>,
    tcp: Vec<JoinHandle<()>>,
}

impl Doors {
    pub(crate) fn new(machine: Arc<Machine>) -> Doors {
        Doors { machine, tcp: Vec::new() }
    }

    /// Begins to accept on a socket.
    pub(crate) fn open(&mut self, listener: Listener) {
        let tcp = matches!(listener, Listener::Tcp(_));
        let task = tokio::task::spawn_local(accept::run(self.machine.clone(), listener));
        if tcp {
            self.tcp.push(task);
        }
    }

    /// Listens at other TCP addresses instead. The old sockets close first, for the new ones may overlap them; if
    /// the new ones cannot be had, the old addresses are taken again.
    async fn move_to(&mut self, new: &ServerConfig, old: &ServerConfig) -> Result<(), ()> {
        for task in self.tcp.drain(..) {
            task.abort();
            // Once it has ended its socket is closed.
            let _ = task.await;
        }
        let opened = self.listen(new);
        if opened.is_err() && self.listen(old).is_err() {
            tracing::warn!("Failed to listen at the old addresses again; clients that are connected stay.");
        }
        opened
    }

    fn listen(&mut self, config: &ServerConfig) -> Result<(), ()> {
        if config.port == 0 {
            return Ok(());
        }
        let backlog = i32::try_from(config.tcp_backlog).unwrap_or(i32::MAX);
        let sockets = listen::tcp(&config.bind, config.port, backlog).map_err(|error| {
            tracing::warn!("{error}");
        })?;
        for socket in sockets {
            self.open(Listener::Tcp(socket));
        }
        Ok(())
    }
}

/// How often the facts for `INFO` are gathered.
const FACTS_PERIOD: Duration = Duration::from_secs(1);

/// Follows changes and tells facts until the process ends.
pub(crate) async fn run(
    machine: Arc<Machine>,
    mut changes: Changes,
    mut doors: Doors,
    (log, alarm): (log::Handle, Alarm),
    mut facts: Facts,
) {
    let mut oom = OomScore::default();
    let mut io_threads = machine.enter(|node, _, _| node.config().io_threads);
    loop {
        facts.tell(&machine);
        oom.follow_role(&machine);
        tokio::select! {
            change = changes.0.recv() => match change {
                Some(Change::Follow(config)) => {
                    follow(&log, &config);
                    if std::mem::replace(&mut io_threads, config.io_threads) != config.io_threads {
                        tracing::warn!("io-threads {} takes effect at the next start", config.io_threads);
                    }
                }
                Some(Change::Apply { session, config }) => {
                    let result = apply(&machine, &mut doors, &mut oom, config).await;
                    if let Ok(config) = &result {
                        facts.listeners((**config).clone());
                    }
                    let answer = Input::Reconfigured { session, result };
                    machine.enter(|node, now, outs| node.step(now, answer, outs));
                }
                None => return,
            },
            Ok(()) = alarm.after(FACTS_PERIOD) => {}
            else => return,
        }
    }
}

fn follow(log: &log::Handle, config: &ServerConfig) {
    log.set_level(log::Level::parse(config.loglevel.word()).unwrap_or_default());
    log.set_format(log_format(config), log_timestamps(config));
}

/// Does what the configuration needs; gives it back with the folder in full.
async fn apply(
    machine: &Machine,
    doors: &mut Doors,
    oom: &mut OomScore,
    mut config: Box<ServerConfig>,
) -> Result<Box<ServerConfig>, (String, String)> {
    let (old, is_replica) = machine.enter(|node, _, _| (node.config().clone(), node.is_replica()));
    if config.maxclients > old.maxclients {
        let most = limits::room_for(config.maxclients, OTHER_FILES);
        if most < config.maxclients {
            let why = "The operating system is not able to handle the specified number of clients, try with";
            return Err(("maxclients".to_owned(), format!("{why} {most}")));
        }
    }
    oom.adjust(&config, is_replica).map_err(|error| {
        tracing::warn!("Unable to write oom_score_adj: {}", listen::describe(&error));
        (
            "oom-score-adj".to_owned(),
            "Failed to apply new oom_score_adj configuration, check server logs.".to_owned(),
        )
    })?;
    if config.dir != old.dir {
        let no_folder = |error| ("dir".to_owned(), listen::describe(&error));
        std::env::set_current_dir(&config.dir).map_err(no_folder)?;
        let dir = std::env::current_dir().map_err(no_folder)?;
        config.dir = dir.to_string_lossy().into_owned();
    }
    if (config.port != old.port || config.bind != old.bind) && doors.move_to(&config, &old).await.is_err() {
        return Err(if config.port == old.port {
            ("bind".to_owned(), "Failed to bind to specified addresses.".to_owned())
        } else {
            ("port".to_owned(), "Unable to listen on this port. Check server logs.".to_owned())
        });
    }
    Ok(config)
}
