//! What commands print. Whoever reads a pipe may go away meanwhile, which is no failure of the command.

use std::fmt::Display;
use std::io::{ErrorKind, Result, Write, stderr, stdout};

/// Prints what the command was run for.
///
/// # Errors
/// When it cannot be written, as to a full disk.
pub(crate) fn report(text: impl Display) -> Result<()> {
    let mut out = stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Says how the work goes on, which it does whether that can be written or not.
pub(crate) fn say(text: impl Display) {
    let _ = report(text);
}

/// The same for what is no part of the output: errors, and what is waited for.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(stderr().lock(), "{text}");
}
