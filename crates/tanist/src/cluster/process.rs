//! Starting, signalling and stopping the cluster's processes, each by its own pid.
//!
//! Members run in process groups of their own, so a Ctrl-C at the terminal reaches only the `tanist` that
//! supervises them, which then stops them in an order that loses nothing: sentinels first (nobody fails over
//! a cluster that is going down), the primary next (it waits for its replicas), the replicas last.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use super::layout::{Kind, Layout, Member, Program};

/// Held while a cluster is made, and while a process is started and noted. Whoever ends all of them in another thread
/// holds it too: behind its back nothing is made that nobody would find.
pub fn hold_starts() -> MutexGuard<'static, ()> {
    static STARTS: Mutex<()> = Mutex::new(());
    STARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process, safe against reuse of its pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its process id.
    pub pid: i32,
    /// When it started, in clock ticks since boot (`/proc/<pid>/stat`, field 22).
    pub started: u64,
}

impl Identity {
    /// The process that has this pid now; `None` if there is none, or only its corpse.
    pub fn of(pid: i32) -> Option<Identity> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The command name, in parentheses, may itself hold blanks and parentheses.
        let rest = &stat[stat.rfind(')')? + 1..];
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let (state, threads, started) = (*fields.first()?, *fields.get(17)?, *fields.get(19)?);
        // While other threads of a killed process are still ending, its files and ports are still open.
        if matches!(state, "Z" | "X") && threads.parse::<u32>().ok()? <= 1 {
            return None;
        }
        Some(Identity { pid, started: started.parse().ok()? })
    }

    /// Whether this very process still runs (a stopped one does).
    pub fn alive(&self) -> bool {
        Identity::of(self.pid).as_ref() == Some(self)
    }

    /// Sends a signal, if the process is still the same. Returns whether it was sent.
    pub fn signal(&self, signal: Signal) -> bool {
        let Some(pid) = Pid::from_raw(self.pid) else { return false };
        self.alive() && kill_process(pid, signal).is_ok()
    }

    /// Waits until the process is gone; false if it is still there after `limit`.
    pub fn wait_gone(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.alive() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(Duration::from_millis(5));
        }
        true
    }

    /// Ends the process: SIGTERM, up to `grace`, then SIGKILL. Returns whether the grace was enough.
    pub fn stop(&self, grace: Duration) -> bool {
        self.signal(Signal::CONT);
        self.signal(Signal::TERM);
        if self.wait_gone(grace) {
            return true;
        }
        self.signal(Signal::KILL);
        self.wait_gone(Duration::from_secs(5));
        false
    }
}

/// Starts one member with its configuration file; its output goes to `log` in its folder.
pub fn spawn(layout: &Layout, member: &Member) -> Result<Child> {
    let (program, name) = match member.kind {
        Kind::Node => (&layout.server, "tanist-server"),
        Kind::Sentinel => (&layout.sentinel, "tanist-sentinel"),
    };
    let mut command = match program {
        Program::Own => {
            let mut own = Command::new(std::env::current_exe().context("cannot find this program's file")?);
            own.arg0(name);
            own
        }
        Program::Path(path) => Command::new(path),
    };
    let dir = layout.member_dir(member);
    let log = File::options().create(true).append(true).open(dir.join("log"))?;
    command.arg(layout.conf(member)).current_dir(&dir).process_group(0);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().with_context(|| format!("cannot start {}", member.label()))
}

/// Lines from the end of a member's log, to explain why it did not come up.
pub fn log_tail(layout: &Layout, member: &Member, lines: usize) -> String {
    let bytes = fs::read(layout.member_dir(member).join("log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].iter().map(|l| format!("    {l}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_living_from_the_dead() {
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let identity = Identity::of(child.id() as i32).unwrap();
        assert!(identity.alive());
        assert!(identity.stop(Duration::from_secs(20)), "sleep ends on SIGTERM");
        assert!(!identity.alive(), "a corpse is not alive");
        child.wait().unwrap();
        assert!(!identity.signal(Signal::TERM));
    }

    #[test]
    fn a_stopped_process_can_be_ended() {
        let mut child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let identity = Identity::of(child.id() as i32).unwrap();
        assert!(identity.signal(Signal::STOP));
        assert!(identity.alive());
        assert!(identity.stop(Duration::from_secs(20)));
        child.wait().unwrap();
    }
}
