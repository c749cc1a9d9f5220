//! The trace of a run: one line per event. Two runs of one seed give the same bytes.
//!
//! Lines are only made when somebody wants them; otherwise a run costs nothing for its trace.

use crate::clock::micros;
use std::collections::VecDeque;
use std::fmt;
use tanist_types::Mono;

/// Who wants the lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tracing {
    /// Nobody.
    Off,
    /// A number made of all lines, and the last ones.
    Digest,
    /// Standard output.
    Print,
}

/// How many of the last lines are kept for the report of a failure.
const KEPT: usize = 400;

/// Takes the lines.
#[derive(Debug)]
pub(crate) struct Trace {
    tracing: Tracing,
    hash: u64,
    lines: u64,
    last: VecDeque<String>,
}

impl Trace {
    pub(crate) fn new(tracing: Tracing) -> Trace {
        Trace { tracing, hash: 0xcbf2_9ce4_8422_2325, lines: 0, last: VecDeque::new() }
    }

    /// Whether lines should be made at all.
    pub(crate) fn on(&self) -> bool {
        self.tracing != Tracing::Off
    }

    /// Takes a line.
    pub(crate) fn line(&mut self, at: Mono, text: fmt::Arguments<'_>) {
        if self.tracing == Tracing::Off {
            return;
        }
        let line = format!("{:>9} {text}", micros(at));
        self.lines += 1;
        // FNV-1a: fixed for all platforms and versions.
        for b in line.bytes().chain([b'\n']) {
            self.hash = (self.hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
        }
        if self.tracing == Tracing::Print {
            println!("{line}");
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// The number of lines and a number made of all of them.
    pub(crate) fn digest(&self) -> (u64, u64) {
        (self.lines, self.hash)
    }

    /// The last lines.
    pub(crate) fn last(&self) -> impl Iterator<Item = &str> {
        self.last.iter().map(String::as_str)
    }
}

/// Bytes of a protocol as people read them, cut when long.
pub(crate) struct Text<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 160;
        let shown = &self.0[..self.0.len().min(MOST)];
        write!(f, "{}", shown.escape_ascii())?;
        if self.0.len() > MOST {
            write!(f, "... {} bytes", self.0.len())?;
        }
        Ok(())
    }
}
