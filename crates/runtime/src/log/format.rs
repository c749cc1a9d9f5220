//! How a line of the log looks.

use super::{Level, Role};
use std::fmt::{self, Write};
use tracing::Event;
use tracing::field::{Field, Visit};

/// The shape of a line (`log-format`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Format {
    /// `pid:role date level message`, as Redis has it.
    #[default]
    Legacy = 0,
    /// `key=value` pairs.
    Logfmt = 1,
    /// One JSON object per line.
    Json = 2,
}

impl Format {
    pub(super) fn from_number(n: u8) -> Format {
        [Format::Legacy, Format::Logfmt, Format::Json].into_iter().find(|f| *f as u8 == n).unwrap_or_default()
    }
}

/// The shape of a line's time (`log-timestamp-format`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Timestamps {
    /// `20 Nov 2026 11:00:00.123`, local time.
    #[default]
    Legacy = 0,
    /// `2026-11-20T11:00:00.123+01:00`, local time.
    Iso8601 = 1,
    /// Milliseconds since 1970.
    Milliseconds = 2,
}

impl Timestamps {
    pub(super) fn from_number(n: u8) -> Timestamps {
        let all = [Timestamps::Legacy, Timestamps::Iso8601, Timestamps::Milliseconds];
        all.into_iter().find(|t| *t as u8 == n).unwrap_or_default()
    }
}

/// What stands around a message.
pub(super) struct Line {
    pub(super) pid: u32,
    pub(super) role: Role,
    pub(super) level: Level,
    pub(super) time: jiff::Timestamp,
    pub(super) format: Format,
    pub(super) timestamps: Timestamps,
}

/// The event's message, and its other fields as text.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => self.others.push((name, format!("{value:?}"))),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = value.to_owned(),
            name => self.others.push((name, value.to_owned())),
        }
    }
}

impl Line {
    /// The line, its end included.
    pub(super) fn render(&self, event: &Event<'_>) -> String {
        let mut fields = Fields::default();
        event.record(&mut fields);
        match self.format {
            Format::Legacy => self.legacy(&fields),
            Format::Logfmt => self.logfmt(&fields),
            Format::Json => self.json(&fields),
        }
    }

    fn legacy(&self, fields: &Fields) -> String {
        let role = match self.role {
            Role::Primary => 'M',
            Role::Replica => 'S',
            Role::Sentinel => 'X',
        };
        let level = match self.level {
            Level::Debug => '.',
            Level::Verbose => '-',
            Level::Notice => '*',
            Level::Warning | Level::Nothing => '#',
        };
        let message = fields.message.replace(['\r', '\n'], " ");
        let mut line = format!("{}:{role} {} {level} {message}", self.pid, self.timestamp());
        push_pairs(&mut line, &fields.others);
        line
    }

    fn logfmt(&self, fields: &Fields) -> String {
        let mut line = format!(
            "pid={} role={} timestamp={} level={} message={}",
            self.pid,
            self.role_name(),
            quoted(&self.timestamp()),
            self.level.name(),
            quoted(&fields.message)
        );
        push_pairs(&mut line, &fields.others);
        line
    }

    fn json(&self, fields: &Fields) -> String {
        let mut line = format!(
            "{{\"pid\":{},\"role\":\"{}\",\"timestamp\":{},\"level\":\"{}\",\"message\":{}",
            self.pid,
            self.role_name(),
            quoted(&self.timestamp()),
            self.level.name(),
            quoted(&fields.message)
        );
        for (name, value) in &fields.others {
            // Writing to a string cannot fail.
            let _ = write!(line, ",{}:{}", quoted(name), quoted(value));
        }
        line.push_str("}\n");
        line
    }

    fn role_name(&self) -> &'static str {
        match self.role {
            Role::Primary => "primary",
            Role::Replica => "replica",
            Role::Sentinel => "sentinel",
        }
    }

    fn timestamp(&self) -> String {
        let local = || self.time.to_zoned(jiff::tz::TimeZone::system());
        match self.timestamps {
            Timestamps::Legacy => local().strftime("%d %b %Y %H:%M:%S.%3f").to_string(),
            Timestamps::Iso8601 => local().strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string(),
            Timestamps::Milliseconds => self.time.as_millisecond().to_string(),
        }
    }
}

/// Appends ` name=value` for each pair, and the line's end.
fn push_pairs(line: &mut String, pairs: &[(&'static str, String)]) {
    for (name, value) in pairs {
        let plain =
            !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'=');
        let value = if plain { value.clone() } else { quoted(value) };
        // Writing to a string cannot fail.
        let _ = write!(line, " {name}={value}");
    }
    line.push('\n');
}

/// The text between quotes, as JSON writes it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
