//! Running in the background: a second process without a terminal, and the file with its number.
//!
//! The first process starts the program again, waits until that one has found its place, and ends. So no process is
//! ever forked in the middle of its work.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Marks the process that runs in the background: its parent's number. A number, because what the daemon starts
/// inherits the variable.
const MARK: &str = "TANIST_DAEMON";

/// Which of the two processes this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The one that was started by hand. It should end now.
    Launcher,
    /// The one in the background. It goes on.
    Daemon,
}

/// Moves to the background. Call before any thread or runtime is started. `stdin` is what this process has read
/// from standard input, if its configuration came from there; the second process reads it again.
///
/// # Errors
/// When the second process cannot be started.
pub fn daemonize(stdin: Option<&[u8]>) -> io::Result<Role> {
    if std::env::var_os(MARK).is_some_and(|parent| parent.to_str() == Some(&parent_id())) {
        // It fails only for a leader of a process group, which a child is not.
        let _ = rustix::process::setsid();
        // The launcher waits for the end of this pipe.
        let nowhere = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdout(&nowhere)?;
        return Ok(Role::Daemon);
    }
    let mut args = std::env::args_os();
    let mut command = Command::new(std::env::current_exe()?);
    if let Some(name) = args.next() {
        std::os::unix::process::CommandExt::arg0(&mut command, name);
    }
    command.args(args).env(MARK, std::process::id().to_string());
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
        pipe.write_all(text)?;
    }
    // While this process lives the other one can tell by its parent that it is the daemon.
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut Vec::new())?;
    }
    Ok(Role::Launcher)
}

fn parent_id() -> String {
    rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get()).to_string()
}

/// Writes this process' number to the file at `path`.
///
/// # Errors
/// Of the file system.
pub fn write_pid_file(path: &Path) -> io::Result<()> {
    std::fs::write(path, format!("{}\n", std::process::id()))
}
