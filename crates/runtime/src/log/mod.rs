//! The log: `tracing` events as the lines that Redis' users and their tools know.
//!
//! A level, the role shown and the format can change while the process runs. The log file is looked at before
//! every line and opened anew when it was moved away, so rotating it needs no signal.

mod format;
mod output;

pub use format::{Format, Timestamps};

use output::Output;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// What is written. Redis' names; `tracing`'s TRACE, DEBUG, INFO, and WARN with ERROR.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[repr(u8)]
pub enum Level {
    /// Everything.
    Debug = 0,
    /// Rarely useful details too.
    Verbose = 1,
    /// What an operator wants to know.
    #[default]
    Notice = 2,
    /// Only what may need attention.
    Warning = 3,
    /// No line at all.
    Nothing = 4,
}

impl Level {
    /// The level with Redis' name `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Level> {
        [Level::Debug, Level::Verbose, Level::Notice, Level::Warning, Level::Nothing]
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(name))
    }

    /// Redis' name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Verbose => "verbose",
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Nothing => "nothing",
        }
    }

    fn of(level: &tracing::Level) -> Level {
        match *level {
            tracing::Level::TRACE => Level::Debug,
            tracing::Level::DEBUG => Level::Verbose,
            tracing::Level::INFO => Level::Notice,
            tracing::Level::WARN | tracing::Level::ERROR => Level::Warning,
        }
    }
}

/// The part that the process plays, as the log shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Role {
    /// `M`.
    #[default]
    Primary = 0,
    /// `S`.
    Replica = 1,
    /// `X`.
    Sentinel = 2,
}

/// How the log begins.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is written.
    pub level: Level,
    /// Where to; standard output if none.
    pub file: Option<PathBuf>,
    /// How a line looks.
    pub format: Format,
    /// How its time looks.
    pub timestamps: Timestamps,
    /// The part that the process plays.
    pub role: Role,
}

#[derive(Debug)]
struct Shared {
    level: AtomicU8,
    role: AtomicU8,
    format: AtomicU8,
    timestamps: AtomicU8,
    output: Mutex<Output>,
}

/// Changes the log while the process runs. Copies control the same log.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    /// Changes what is written.
    pub fn set_level(&self, level: Level) {
        self.shared.level.store(level as u8, Ordering::Relaxed);
    }

    /// Changes the role shown.
    pub fn set_role(&self, role: Role) {
        self.shared.role.store(role as u8, Ordering::Relaxed);
    }

    /// Changes how lines look.
    pub fn set_format(&self, format: Format, timestamps: Timestamps) {
        self.shared.format.store(format as u8, Ordering::Relaxed);
        self.shared.timestamps.store(timestamps as u8, Ordering::Relaxed);
    }
}

/// Makes the log the one of this process.
///
/// # Errors
/// When the file cannot be opened, or the process has a log already.
pub fn init(options: Options) -> io::Result<Handle> {
    let (layer, handle) = layer(options)?;
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).map_err(io::Error::other)?;
    Ok(handle)
}

fn layer(options: Options) -> io::Result<(LogLayer, Handle)> {
    let shared = Arc::new(Shared {
        level: AtomicU8::new(options.level as u8),
        role: AtomicU8::new(options.role as u8),
        format: AtomicU8::new(options.format as u8),
        timestamps: AtomicU8::new(options.timestamps as u8),
        output: Mutex::new(Output::open(options.file)?),
    });
    Ok((LogLayer { shared: shared.clone() }, Handle { shared }))
}

/// The layer that writes the lines.
#[derive(Debug)]
struct LogLayer {
    shared: Arc<Shared>,
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn register_callsite(&self, _: &'static tracing::Metadata<'static>) -> tracing::subscriber::Interest {
        tracing::subscriber::Interest::sometimes()
    }

    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        Level::of(metadata.level()) as u8 >= self.shared.level.load(Ordering::Relaxed)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let shared = &self.shared;
        let line = format::Line {
            pid: std::process::id(),
            role: match shared.role.load(Ordering::Relaxed) {
                0 => Role::Primary,
                1 => Role::Replica,
                _ => Role::Sentinel,
            },
            level: Level::of(event.metadata().level()),
            time: jiff::Timestamp::now(),
            format: Format::from_number(shared.format.load(Ordering::Relaxed)),
            timestamps: Timestamps::from_number(shared.timestamps.load(Ordering::Relaxed)),
        };
        let text = line.render(event);
        shared.output.lock().unwrap_or_else(PoisonError::into_inner).write(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(format: Format, timestamps: Timestamps, write: impl FnOnce(&Handle)) -> String {
        let name = format!("tanist-log-{}-{format:?}-{timestamps:?}.log", std::process::id());
        let path = std::env::temp_dir().join(name);
        let options = Options { file: Some(path.clone()), format, timestamps, ..Options::default() };
        let (layer, handle) = layer(options).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || write(&handle));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        text
    }

    #[test]
    fn the_redis_line() {
        let text = logged(Format::Legacy, Timestamps::Legacy, |handle| {
            tracing::info!("Server initialized");
            tracing::debug!("not shown");
            handle.set_level(Level::Debug);
            handle.set_role(Role::Replica);
            tracing::trace!(port = 6379, "four");
            tracing::debug!(name = "a b", "two\nlines");
            tracing::error!("one");
        });
        let pid = std::process::id();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        let ends =
            ["M # * Server initialized", "S # . four port=6379", "S # - two lines name=\"a b\"", "S # # one"];
        for (line, end) in lines.iter().zip(ends) {
            let (role, rest) = end.split_once(" # ").unwrap();
            assert!(line.starts_with(&format!("{pid}:{role} ")), "{line}");
            assert!(line.ends_with(&format!(" {rest}")), "{line}");
            // 20 Nov 2026 11:00:00.123
            let date = &line[format!("{pid}:{role} ").len()..line.len() - rest.len() - 1];
            let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
            assert_eq!(shape.replacen(&date[3..6], "Mmm", 1), "99 Mmm 9999 99:99:99.999");
        }
    }

    #[test]
    fn other_formats() {
        let text = logged(Format::Logfmt, Timestamps::Milliseconds, |_| tracing::warn!(n = 3, "say \"hi\""));
        let tail = " level=warning message=\"say \\\"hi\\\"\" n=3\n";
        assert!(text.starts_with(&format!("pid={} role=primary timestamp=", std::process::id())), "{text}");
        assert!(text.ends_with(tail), "{text}");
        let text = logged(Format::Json, Timestamps::Iso8601, |_| tracing::info!(n = 3, s = "x\ty", "hi"));
        assert!(text.starts_with("{\"pid\":"), "{text}");
        assert!(
            text.ends_with(",\"level\":\"notice\",\"message\":\"hi\",\"n\":\"3\",\"s\":\"x\\ty\"}\n"),
            "{text}"
        );
    }

    #[test]
    fn a_moved_file_is_opened_anew() {
        let dir = std::env::temp_dir().join(format!("tanist-log-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (path, moved) = (dir.join("a.log"), dir.join("a.log.1"));
        let (layer, _) = layer(Options { file: Some(path.clone()), ..Options::default() }).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!("first");
            std::fs::rename(&path, &moved).unwrap();
            tracing::info!("second");
        });
        assert!(std::fs::read_to_string(&moved).unwrap().ends_with("first\n"));
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("second\n"));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn names_of_levels() {
        assert_eq!(Level::parse("NOTICE"), Some(Level::Notice));
        assert_eq!(Level::parse("nothing"), Some(Level::Nothing));
        assert_eq!(Level::parse("info"), None);
    }
}
