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
use tanist_config::CommandLine;
use tanist_runtime::daemon::{self, Role};
use tanist_runtime::include::include;
use tanist_runtime::notify::Supervisor;
use tanist_runtime::signals::Signals;
use tanist_runtime::{Clock, limits, listen, log, seed};
use tokio::sync::mpsc::unbounded_channel;

/// The largest configuration file that is read.
const MAX_CONFIG: u64 = 64 * 1024 * 1024;
/// Redis Sentinel's port.
const PORT: u16 = 26379;
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

/// What the shell itself needs of the configuration.
struct Settings {
    port: u16,
    bind: Vec<String>,
    backlog: i32,
    dir: Option<PathBuf>,
    log: log::Options,
    pidfile: Option<PathBuf>,
    daemonize: bool,
    /// Who is told that the sentinel is ready.
    supervisor: Supervisor,
}

fn start(args: &[String]) -> Result<u8, String> {
    let line = CommandLine::parse(args.get(1..).unwrap_or_default());
    let Some(file) = &line.file else { return Err("Sentinel needs config file on disk, exiting!".into()) };
    let path = std::path::absolute(file).map_err(|e| format!("{file}: {e}"))?;
    let text = read_config(&path)?;
    let mut config = Config::parse_with(&text, &line.lines, &mut include)
        .map_err(|bad| fatal(bad.of(&path.display().to_string())))?;
    let settings = Settings::read(&config)?;
    if settings.daemonize
        && daemon::daemonize(None).map_err(|e| format!("Can't run in the background: {e}"))? == Role::Launcher
    {
        return Ok(0);
    }
    if let Some(dir) = &settings.dir {
        std::env::set_current_dir(dir).map_err(|e| format!("Can't chdir to '{}': {e}", dir.display()))?;
    }
    for (what, script) in config.scripts() {
        rustix::fs::access(script, rustix::fs::Access::EXEC_OK).map_err(|e| {
            format!(
                "{what} script seems non existing or non executable: '{script}' in {}: {e}",
                path.display()
            )
        })?;
    }
    let handle = log::init(settings.log.clone()).map_err(|e| format!("Can't open the log file: {e}"))?;
    tracing::warn!("Tanist sentinel {VERSION} is starting, PID: {}", std::process::id());
    for name in config.without_effect() {
        tracing::warn!("'{name}' is accepted but has no effect on a sentinel");
    }
    let listeners = match listen::tcp(&settings.bind, settings.port, settings.backlog) {
        Ok(listeners) if !listeners.is_empty() => listeners,
        Ok(_) => return Err("No address to listen on".into()),
        Err(error) => {
            tracing::warn!("{error}");
            return Err(format!("Failed listening on port {} (TCP), aborting: {error}", settings.port));
        }
    };
    config.limit_clients(limits::room_for(config.max_clients(), OTHER_FILES));
    if let Some(pidfile) = &settings.pidfile {
        let _ = daemon::write_pid_file(pidfile);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("No runtime: {e}"))?;
    tracing::warn!("Running mode=sentinel, port={}.", settings.port);
    let status =
        runtime.block_on(run(config, settings.port, &path, listeners, handle, &settings.supervisor))?;
    if let Some(pidfile) = &settings.pidfile {
        let _ = std::fs::remove_file(pidfile);
    }
    tracing::warn!("Sentinel is now ready to exit, bye bye...");
    // A name server or a disk that does not answer must not keep the process.
    runtime.shutdown_background();
    Ok(status)
}

async fn run(
    config: Config,
    port: u16,
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
    let binds =
        config.directive("bind").unwrap_or(&[]).iter().map(|b| format!("bind={b},")).collect::<String>();
    let facts = Facts {
        pid: std::process::id(),
        port,
        supervised: if supervisor.is_present() { "systemd" } else { "no" }.to_owned(),
        listeners: vec![format!("name=tcp,{binds}port={port}")],
        hz: 10,
        availability_zone: String::new(),
        executable: std::env::current_exe().map_or_else(|_| String::new(), |p| p.display().to_string()),
        config_file: path.display().to_string(),
        os: os(),
    };
    let seed = seed::seed().map_err(|e| e.to_string())?;
    let keepalive = keepalive(&config)?;
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

impl Settings {
    fn read(config: &Config) -> Result<Settings, String> {
        let words = |name: &str| config.directive(name).unwrap_or(&[]);
        let first = |name: &str| words(name).first().map(String::as_str).filter(|s| !s.is_empty());
        let bind = match words("bind") {
            [] => vec!["*".to_owned(), "-::*".to_owned()],
            given => given.to_vec(),
        };
        let port = match first("port") {
            Some(text) => text.parse().map_err(|_| format!("Invalid port '{text}'"))?,
            None => PORT,
        };
        let level = first("loglevel").unwrap_or("notice");
        let log = log::Options {
            level: log::Level::parse(level).ok_or_else(|| format!("Invalid log level '{level}'"))?,
            file: first("logfile").map(PathBuf::from),
            format: match first("log-format") {
                Some("logfmt") => log::Format::Logfmt,
                Some("json") => log::Format::Json,
                _ => log::Format::Legacy,
            },
            timestamps: match first("log-timestamp-format") {
                Some("iso8601") => log::Timestamps::Iso8601,
                Some("milliseconds") => log::Timestamps::Milliseconds,
                _ => log::Timestamps::Legacy,
            },
            role: log::Role::Sentinel,
        };
        Ok(Settings {
            port,
            bind,
            backlog: first("tcp-backlog").and_then(|n| n.parse().ok()).unwrap_or(511),
            dir: first("dir").map(PathBuf::from),
            log,
            pidfile: first("pidfile").map(PathBuf::from),
            daemonize: first("daemonize").is_some_and(|w| w.eq_ignore_ascii_case("yes")),
            supervisor: match first("supervised").map(str::to_ascii_lowercase).as_deref() {
                Some("systemd" | "auto") => Supervisor::from_env(),
                _ => Supervisor::none(),
            },
        })
    }
}

/// How often clients that say nothing are asked whether they are there.
fn keepalive(config: &Config) -> Result<Duration, String> {
    let seconds = match config.directive("tcp-keepalive").and_then(<[String]>::first) {
        Some(text) => text.parse::<u32>().map_err(|_| format!("Invalid tcp-keepalive '{text}'"))?,
        None => 300,
    };
    Ok(Duration::from_secs(seconds.into()))
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
