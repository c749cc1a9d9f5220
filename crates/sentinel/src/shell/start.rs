//! From the command line to a running sentinel.

use super::disk::Disk;
use super::event_loop::Shell;
use super::links::Links;
use super::scripts::Scripts;
use super::sessions::{self, Sessions};
use super::usage::Turns;
use crate::core::{BadConfig, Config, Facts, Sentinel};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tanist_config::choice::{Choice, LogFormat, LogTimestamp};
use tanist_config::{CommandLine, ServerConfig};
use tanist_runtime::daemon::{self, Role};
use tanist_runtime::include::include;
use tanist_runtime::notify::Supervisor;
use tanist_runtime::signals::Signals;
use tanist_runtime::{Clock, limits, listen, log, seed};
use tokio::sync::mpsc::unbounded_channel;

/// The largest configuration file that is read.
const MAX_CONFIG: u64 = 64 * 1024 * 1024;
/// Files that are open beside the connections of clients: links to nodes and other sentinels, above all.
const OTHER_FILES: u32 = 128;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs a sentinel with these arguments, the program's name first; returns when it ended.
#[must_use]
pub fn main(args: Vec<String>) -> ExitCode {
    match args.get(1).map(String::as_str) {
        Some("-v" | "--version") => {
            println!("Tanist sentinel v={VERSION}");
            return ExitCode::SUCCESS;
        }
        Some("-h" | "--help") => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    match start(&args) {
        Ok(status) => ExitCode::from(status),
        Err(why) => {
            // Whoever reads that may be gone.
            let _ = writeln!(std::io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

const HELP: &str = "Usage: tanist-sentinel /path/to/sentinel.conf [--directive value ...]\n\
                    The file is rewritten when what it says changes: it must be writable.";

fn start(args: &[String]) -> Result<u8, String> {
    let line = CommandLine::parse(args.get(1..).unwrap_or_default());
    let Some(file) = &line.file else { return Err("Sentinel needs config file on disk, exiting!".into()) };
    let file = std::path::absolute(file).map_err(|e| format!("{file}: {e}"))?;
    let text = read_config(&file)?;
    let mut config = Config::parse_with(&text, &line.lines, &mut include)
        .map_err(|bad| fatal(bad.of(&file.display().to_string())))?;
    let server = config.server().clone();
    let supervisor = Supervisor::find(server.supervised);
    // Whoever is supervised stays where the supervisor looks for it.
    if server.daemonize
        && !supervisor.is_present()
        && daemon::daemonize(None).map_err(|e| format!("Can't run in the background: {e}"))? == Role::Launcher
    {
        return Ok(0);
    }
    let bad_value = |setting: &str, value: &str, why: String| {
        fatal(config.bad_value(setting, value, why).of(&file.display().to_string()))
    };
    std::env::set_current_dir(&server.dir)
        .map_err(|e| bad_value("dir", &server.dir, format!("Can't chdir to '{}': {e}", server.dir)))?;
    for (setting, script) in config.scripts() {
        let what = if setting == "notification-script" { "Notification" } else { "Client reconfiguration" };
        rustix::fs::access(script, rustix::fs::Access::EXEC_OK).map_err(|e| {
            bad_value(setting, script, format!("{what} script seems non existing or non executable: {e}"))
        })?;
    }
    let handle = log::init(log_options(&server)).map_err(|e| format!("Can't open the log file: {e}"))?;
    tracing::warn!("Tanist sentinel {VERSION} is starting, PID: {}", std::process::id());
    if let Some(complaint) = supervisor.complaint(server.supervised) {
        tracing::warn!("{complaint}");
    }
    for name in config.without_effect() {
        tracing::warn!("'{name}' is accepted but has no effect on a sentinel");
    }
    let backlog = i32::try_from(server.tcp_backlog).unwrap_or(i32::MAX);
    let listeners = match listen::tcp(&server.bind, server.port, backlog) {
        Ok(listeners) if !listeners.is_empty() => listeners,
        Ok(_) => return Err("No address to listen on".into()),
        Err(error) => {
            tracing::warn!("{error}");
            return Err(format!("Failed listening on port {} (TCP), aborting: {error}", server.port));
        }
    };
    config.limit_clients(limits::room_for(config.max_clients(), OTHER_FILES));
    let pidfile = path(&server.pidfile);
    if let Some(pidfile) = &pidfile {
        let _ = daemon::write_pid_file(pidfile);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("No runtime: {e}"))?;
    tracing::warn!("Running mode=sentinel, port={}.", server.port);
    let status = runtime.block_on(run(config, &file, listeners, handle, &supervisor))?;
    if let Some(pidfile) = &pidfile {
        let _ = std::fs::remove_file(pidfile);
    }
    tracing::warn!("Sentinel is now ready to exit, bye bye...");
    // A name server or a disk that does not answer must not keep the process.
    runtime.shutdown_background();
    Ok(status)
}

async fn run(
    config: Config,
    path: &Path,
    listeners: Vec<std::net::TcpListener>,
    log: log::Handle,
    supervisor: &Supervisor,
) -> Result<u8, String> {
    let clock = Clock::start();
    let (inputs, receiver) = unbounded_channel();
    let (accepting, accepted) = unbounded_channel();
    for listener in listeners {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(|e| e.to_string())?;
        tokio::spawn(sessions::accept(listener, accepting.clone()));
    }
    let signals = Signals::listen().map_err(|e| format!("No signals: {e}"))?;
    let disk = Disk::start(path.to_owned(), inputs.clone()).map_err(|e| format!("No thread: {e}"))?;
    let server = config.server();
    let keepalive = Duration::from_secs(server.tcp_keepalive.into());
    let binds: String = server.bind.iter().map(|b| format!("bind={b},")).collect();
    let facts = Facts {
        pid: std::process::id(),
        port: server.port,
        supervised: supervisor.name().to_owned(),
        listeners: vec![format!("name=tcp,{binds}port={}", server.port)],
        hz: server.hz,
        availability_zone: server.availability_zone.clone(),
        executable: std::env::current_exe().map_or_else(|_| String::new(), |p| p.display().to_string()),
        config_file: path.display().to_string(),
        os: os(),
    };
    let seed = seed::seed().map_err(|e| e.to_string())?;
    let core = Sentinel::new(config, facts, clock.now(), seed);
    supervisor.ready("Ready to accept connections");
    let shell = Shell {
        clock,
        log,
        disk,
        links: Links::new(inputs.clone()),
        sessions: Sessions::new(keepalive, inputs.clone()),
        scripts: Scripts::new(inputs.clone()),
        turns: Turns::default(),
        inputs,
    };
    let status = shell.run(core, receiver, accepted, signals).await;
    supervisor.stopping();
    Ok(status)
}

/// Reads the file and makes sure that it can be replaced: a sentinel that cannot write down its vote cannot vote.
fn read_config(path: &Path) -> Result<String, String> {
    let text = tanist_runtime::durable::read(path, MAX_CONFIG)
        .map_err(|e| format!("Fatal error, can't open config file '{}': {e}", path.display()))?
        .ok_or_else(|| {
            format!("Fatal error, can't open config file '{}': No such file or directory", path.display())
        })?;
    std::fs::OpenOptions::new()
        .append(true)
        .open(path)
        .map_err(|e| format!("Sentinel config file {} is not writable: {e}. Exiting...", path.display()))?;
    crate::core::config_text(&path.display().to_string(), text).map_err(fatal)
}

fn fatal(bad: BadConfig) -> String {
    format!("\n*** FATAL CONFIG FILE ERROR ***\n{bad}")
}

fn log_options(server: &ServerConfig) -> log::Options {
    log::Options {
        level: log::Level::parse(server.loglevel.word()).unwrap_or_default(),
        file: path(&server.logfile),
        format: match server.log_format {
            LogFormat::Legacy => log::Format::Legacy,
            LogFormat::Logfmt => log::Format::Logfmt,
            LogFormat::Json => log::Format::Json,
        },
        timestamps: match server.log_timestamp_format {
            LogTimestamp::Legacy => log::Timestamps::Legacy,
            LogTimestamp::Iso8601 => log::Timestamps::Iso8601,
            LogTimestamp::Milliseconds => log::Timestamps::Milliseconds,
        },
        role: log::Role::Sentinel,
    }
}

/// What an empty text in the configuration is the absence of.
fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn os() -> String {
    let name = rustix::system::uname();
    format!(
        "{} {} {}",
        name.sysname().to_string_lossy(),
        name.release().to_string_lossy(),
        name.machine().to_string_lossy()
    )
}
