//! From the program's arguments to a running server, and its orderly end.

use crate::accept::Listener;
use crate::control::{self, Control, Doors};
use crate::disk::{self, Disk};
use crate::host::Facts;
use crate::io::{self, Io};
use crate::machine::Machine;
use crate::mailbox::Mail;
use crate::memory::{Garbage, tune_allocator};
use crate::options::Options;
use crate::outlets::{self, Outlets};
use crate::timer;
use crate::{exchange, primary, state};
use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use tanist_config::choice::Choice;
use tanist_config::{CommandLine, ServerConfig};
use tanist_node::{Identity, Node, Output, Outputs, Seeds, ShutdownRequest};
use tanist_runtime::notify::Supervisor;
use tanist_runtime::signals::{Signals, Stop};
use tanist_runtime::{Alarm, Clock, daemon, limits, listen, log, seed};
use tanist_types::{NodeId, Rng, RunId};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

/// The `tanist-server` program. `args` begin with the program's name.
///
/// The exit status is zero after an orderly end.
#[must_use]
pub fn main(args: Vec<OsString>) -> ExitCode {
    let args: Vec<String> = args.into_iter().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    match args.first().map(String::as_str) {
        Some("-v" | "--version") => {
            println!("Tanist server v={} malloc=jemalloc bits=64", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some("-h" | "--help") => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => match start(&args) {
            Ok(status) => ExitCode::from(u8::try_from(status).unwrap_or(1)),
            Err(text) => {
                // Whoever reads that may be gone.
                let _ = writeln!(std::io::stderr(), "{text}");
                ExitCode::FAILURE
            }
        },
    }
}

const USAGE: &str = "Usage: tanist-server [/path/to/tanist.conf] [options] [-]
       tanist-server - (read config from stdin)
       tanist-server -v or --version
       tanist-server -h or --help

Options are the directives of the configuration file: --port 7777 --replicaof 127.0.0.1 8888";

/// Runs a server. The error is for a user who has no log yet.
fn start(args: &[String]) -> Result<i32, String> {
    let line = CommandLine::parse(args);
    let options = Options::read(&line)?;
    let config = &options.loaded.config;
    let supervisor = Supervisor::find(config.supervised);
    // Whoever is supervised stays where the supervisor looks for it.
    if config.daemonize && !supervisor.is_present() {
        match daemon::daemonize(options.stdin.as_deref()) {
            Ok(daemon::Role::Launcher) => return Ok(0),
            Ok(daemon::Role::Daemon) => {}
            Err(error) => return Err(format!("Can't start in the background: {error}")),
        }
    }
    enter_directory(config)?;
    let log = start_log(config)?;
    greet(&options);
    Ok(serve(options, log, &supervisor).unwrap_or_else(|text| {
        for line in text.lines() {
            tracing::warn!("{line}");
        }
        1
    }))
}

fn enter_directory(config: &ServerConfig) -> Result<(), String> {
    std::env::set_current_dir(&config.dir)
        .map_err(|e| format!("Can't chdir to '{}': {}", config.dir, listen::describe(&e)))
}

fn start_log(config: &ServerConfig) -> Result<log::Handle, String> {
    let file = Some(&config.logfile).filter(|f| !f.is_empty()).map(Into::into);
    let options = log::Options {
        level: log::Level::parse(config.loglevel.word()).unwrap_or_default(),
        file,
        format: log_format(config),
        timestamps: log_timestamps(config),
        role: log::Role::Primary,
    };
    log::init(options).map_err(|e| format!("Can't open the log file: {}", listen::describe(&e)))
}

pub(crate) fn log_format(config: &ServerConfig) -> log::Format {
    use tanist_config::choice::LogFormat;
    match config.log_format {
        LogFormat::Legacy => log::Format::Legacy,
        LogFormat::Logfmt => log::Format::Logfmt,
        LogFormat::Json => log::Format::Json,
    }
}

pub(crate) fn log_timestamps(config: &ServerConfig) -> log::Timestamps {
    use tanist_config::choice::LogTimestamp;
    match config.log_timestamp_format {
        LogTimestamp::Legacy => log::Timestamps::Legacy,
        LogTimestamp::Iso8601 => log::Timestamps::Iso8601,
        LogTimestamp::Milliseconds => log::Timestamps::Milliseconds,
    }
}

/// The first lines of the log.
fn greet(options: &Options) {
    let config = &options.loaded.config;
    let pid = std::process::id();
    tracing::info!("Tanist is starting");
    tracing::info!("Tanist version={}, bits=64, pid={pid}, just started", env!("CARGO_PKG_VERSION"));
    tracing::info!("PID: {pid}");
    match &options.file {
        Some(_) => tracing::info!("Configuration loaded"),
        None => tracing::warn!(
            "Warning: no config file specified, using the default config. In order to specify a config file use \
             tanist-server /path/to/tanist.conf"
        ),
    }
    for warning in &options.loaded.warnings {
        tracing::warn!("{warning}");
    }
    tracing::info!("Running mode=standalone, port={}.", config.port);
}

/// Everything from the listening sockets to the end.
fn serve(options: Options, log: log::Handle, supervisor: &Supervisor) -> Result<i32, String> {
    let mut config = options.loaded.config;
    config.maxclients = limits::room_for(config.maxclients, OTHER_FILES);
    if !options.loaded.seen.contains("io-threads") {
        config.io_threads = default_threads();
    }
    if let Ok(dir) = std::env::current_dir() {
        // CONFIG GET shows where the server really works.
        config.dir = dir.to_string_lossy().into_owned();
    }
    let clock = Clock::start();
    let listeners = open_listeners(&config)?;
    let pid_file = write_pid_file(&config);
    let threads = usize::from(config.io_threads);
    let unixsocket = config.unixsocket.clone();
    let port = config.port;
    if let Some(complaint) = supervisor.complaint(config.supervised) {
        tracing::warn!("{complaint}");
    }

    let mut rng = Rng::from_seed(seed::seed().map_err(|e| e.to_string())?);
    let identity = Identity {
        run_id: RunId::random(&mut rng),
        node_id: NodeId::random(&mut rng),
        pid: std::process::id(),
    };
    let seeds = Seeds { hash: [rng.next_u64(), rng.next_u64()], rng: rng.next_u64() };
    if let Err(why) = tune_allocator(config.jemalloc_bg_thread) {
        tracing::warn!("The allocator keeps its own settings: {why}");
    }
    let garbage = Garbage::start().map_err(|e| e.to_string())?;
    let mut node = Node::new(config, identity, seeds, clock.now());
    load_users(&mut node)?;
    let mut keeper = state::Keeper::new(state::path(port));
    if let Some(durable) = keeper.read(&mut rng)? {
        node.restore_state(durable);
    }
    let (disk, orders) = Disk::new();
    let primary = Arc::new(primary::Orders::default());
    let (to_state, state_orders) = state::orders();
    let (control, changes) = Control::new();
    let (to_exchange, exchange_orders) = tokio::sync::mpsc::unbounded_channel();
    let outlets =
        Outlets { garbage, disk, primary: primary.clone(), state: to_state, control, exchange: to_exchange };
    let machine = Arc::new(Machine::new(node, threads, clock, outlets));
    state::start(machine.clone(), keeper, state_orders).map_err(|e| e.to_string())?;
    orders.start(machine.clone(), options.file.clone()).map_err(|e| e.to_string())?;
    let mut facts = Facts::new(options.file.as_deref(), supervisor, threads);
    machine.enter(|node, _, _| machine.settings().follow(node.config()));
    tracing::info!("Server initialized");

    let others = start_threads(&machine)?;
    let runtime = runtime().map_err(|e| e.to_string())?;
    let result = runtime.block_on(async {
        let alarm = || Alarm::new().map_err(|e| e.to_string());
        let mut signals = Signals::listen().map_err(|e| e.to_string())?;
        let mut doors = Doors::new(machine.clone());
        for listener in listeners {
            doors.open(listener);
        }
        facts.listeners(machine.enter(|node, _, _| node.config().clone()));
        tokio::task::spawn_local(timer::run(machine.clone(), alarm()?, log.clone()));
        tokio::task::spawn_local(control::run(machine.clone(), changes, doors, (log, alarm()?), facts));
        tokio::task::spawn_local(io::run(Rc::new(Io::new(0, machine.clone()))));
        supervisor.status("Loading the data");
        let (file, pause) = (machine.settings().snapshot_file(), alarm()?);
        tokio::select! {
            loaded = disk::load(&machine, &file, &pause) => loaded?,
            stop = signals.stop() => {
                tracing::warn!("Received {} while loading, exiting now.", stop.name());
                return Ok(0);
            }
        }
        tokio::task::spawn_local(primary::run(machine.clone(), primary));
        tokio::task::spawn_local(exchange::run(machine.clone(), exchange_orders, alarm()?));
        machine.enter(|node, now, outs| node.start_replication(now, outs));
        announce(port, &unixsocket);
        supervisor.ready("Ready to accept connections");
        Ok(wait_for_end(&machine, &mut signals).await)
    });
    supervisor.stopping();
    stop_threads(&machine, others);
    remove(&unixsocket, "Removing the unix socket file.");
    remove(&pid_file, "Removing the pid file.");
    result
}

/// Takes the users from the configuration or from their file.
fn load_users(node: &mut Node) -> Result<(), String> {
    let path = node.config().aclfile.clone();
    let bytes = match path.as_str() {
        "" => None,
        path => Some(disk::read_users(Path::new(path)).map_err(|why| {
            format!(
                "Aborting startup because of ACL errors: Error loading ACLs, opening file '{path}': {why}"
            )
        })?),
    };
    let mut outs = Outputs::new();
    let result = node.load_users(bytes.as_deref(), &mut outs);
    for output in outs.drain() {
        if let Output::Log(level, text) = output {
            outlets::log(level, &text);
        }
    }
    result.map_err(|why| match bytes {
        Some(_) => format!("Aborting startup because of ACL errors: {why}"),
        None => why,
    })
}

/// One I/O thread for two cores, at most four: the other cores are for the kernel's part of the work, which is the
/// larger one, and a single thread needs no hand-over at all.
fn default_threads() -> u16 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / 2).clamp(1, 4) as u16
}

/// Files that are open beside the connections.
pub(crate) const OTHER_FILES: u32 = 32;

/// Without the runtime's own timers: see `tanist_runtime::alarm`.
fn runtime() -> std::io::Result<LocalRuntime> {
    // Every turn looks at the sockets again, so that what arrives meanwhile joins the next round of batches.
    Builder::new_current_thread().enable_io().build_local(LocalOptions::default())
}

fn open_listeners(config: &ServerConfig) -> Result<Vec<Listener>, String> {
    let backlog = i32::try_from(config.tcp_backlog).unwrap_or(i32::MAX);
    let mut listeners = Vec::new();
    if config.port != 0 {
        let sockets = listen::tcp(&config.bind, config.port, backlog)
            .map_err(|e| format!("{e}\nFailed listening on port {} (tcp), aborting.", config.port))?;
        listeners.extend(sockets.into_iter().map(Listener::Tcp));
    }
    if !config.unixsocket.is_empty() {
        let path = &config.unixsocket;
        let socket =
            listen::unix(Path::new(path), config.unixsocketperm, backlog).map_err(|e| e.to_string())?;
        listeners.push(Listener::Unix(socket, path.clone()));
    }
    if listeners.is_empty() {
        return Err("Configured to not listen anywhere, exiting.".into());
    }
    Ok(listeners)
}

/// Writes the pid file, if there is to be one; returns its path.
fn write_pid_file(config: &ServerConfig) -> String {
    let path = match config.pidfile.as_str() {
        "" if config.daemonize => "/var/run/redis.pid",
        path => path,
    };
    if !path.is_empty()
        && let Err(error) = daemon::write_pid_file(Path::new(path))
    {
        tracing::warn!("Failed to write PID file: {}", listen::describe(&error));
        return String::new();
    }
    path.to_owned()
}

fn remove(path: &str, why: &str) {
    if !path.is_empty() {
        tracing::info!("{why}");
        // Gone already is fine.
        let _ = std::fs::remove_file(path);
    }
}

fn announce(port: u16, unixsocket: &str) {
    if port != 0 {
        tracing::info!("Ready to accept connections tcp");
    }
    if !unixsocket.is_empty() {
        tracing::info!("The server is now ready to accept connections at {unixsocket}");
        tracing::info!("Ready to accept connections unix");
    }
}

/// Starts the I/O threads beside the first, which is the main thread.
fn start_threads(machine: &Arc<Machine>) -> Result<Vec<JoinHandle<()>>, String> {
    (1..machine.threads())
        .map(|thread| {
            let machine = machine.clone();
            let run = move || match runtime() {
                Ok(runtime) => runtime.block_on(io::run(Rc::new(Io::new(thread, machine)))),
                Err(error) => tracing::warn!("I/O thread {thread} could not start: {error}"),
            };
            std::thread::Builder::new().name(format!("io-{thread}")).spawn(run).map_err(|e| e.to_string())
        })
        .collect()
}

fn stop_threads(machine: &Machine, threads: Vec<JoinHandle<()>>) {
    for thread in 1..machine.threads() {
        machine.mailbox(thread).push(Mail::Stop);
        machine.mailbox(thread).wake();
    }
    for thread in threads {
        // A thread that has panicked has said so.
        let _ = thread.join();
    }
}

/// What a signal asks for (`shutdown-on-sigint`, `shutdown-on-sigterm`).
fn shutdown_request(config: &ServerConfig, stop: Stop) -> ShutdownRequest {
    let flags = match stop {
        Stop::Interrupt => config.shutdown_on_sigint,
        Stop::Terminate => config.shutdown_on_sigterm,
    };
    let save = match (flags.save, flags.nosave) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    ShutdownRequest { save, now: flags.now, force: flags.force }
}

/// Waits for the node to end, asking it to when a signal comes; returns the exit status.
async fn wait_for_end(machine: &Machine, signals: &mut Signals) -> i32 {
    let mut asked = false;
    loop {
        tokio::select! {
            stop = signals.stop() => {
                // What was asked for before may have come to nothing.
                asked &= machine.enter(|node, _, _| node.is_ending());
                if asked && stop == Stop::Interrupt {
                    tracing::warn!("You insist... exiting now.");
                    disk::remove_unfinished(&machine.settings().snapshot_file());
                    return 1;
                }
                tracing::warn!("Received {} scheduling shutdown...", stop.name());
                asked = true;
                machine.enter(|node, now, outs| {
                    let request = shutdown_request(node.config(), stop);
                    node.shutdown_by_signal(now, request, outs);
                });
            }
            () = machine.ended.notified() => {}
        }
        if let Some(status) = machine.status() {
            return status;
        }
    }
}
