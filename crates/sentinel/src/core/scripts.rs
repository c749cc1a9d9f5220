//! Users' scripts: run one by one as the operator configured them, killed if they take too long, tried again if they
//! ask for it with exit status 1 (a status of 2 or more means: do not).

use super::Sentinel;
use super::io::{Level, Output, ScriptEnd, ScriptId};
use super::timing;
use std::collections::BTreeMap;
use tanist_types::Mono;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Waiting { until: Mono },
    Running { since: Mono, killed: bool, pid: u32 },
}

/// A script that waits or runs.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Job {
    path: String,
    args: Vec<String>,
    tries: u32,
    state: State,
}

/// All scripts that wait or run, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Scripts {
    jobs: BTreeMap<ScriptId, Job>,
    next: u64,
}

/// How often a script is tried.
const MAX_TRIES: u32 = 10;

/// One line of `SENTINEL PENDING-SCRIPTS`.
pub(crate) struct Pending<'a> {
    pub(crate) argv: Vec<&'a str>,
    pub(crate) running: bool,
    pub(crate) pid: u32,
    pub(crate) run_ms: u64,
    pub(crate) wait_ms: u64,
    pub(crate) tries: u32,
}

impl Scripts {
    /// What waits and runs.
    pub(crate) fn pending(&self, now: Mono) -> Vec<Pending<'_>> {
        let describe = |job: &'_ Job| {
            let (running, pid, run_ms, wait_ms) = match job.state {
                State::Running { since, pid, .. } => (true, pid, now.since(since).as_millis() as u64, 0),
                State::Waiting { until } => (false, 0, 0, until.since(now).as_millis() as u64),
            };
            (running, pid, run_ms, wait_ms)
        };
        self.jobs
            .values()
            .map(|job| {
                let (running, pid, run_ms, wait_ms) = describe(job);
                let argv = std::iter::once(&job.path).chain(&job.args).map(String::as_str).collect();
                Pending { argv, running, pid, run_ms, wait_ms, tries: job.tries }
            })
            .collect()
    }

    /// How many run.
    pub(crate) fn running(&self) -> usize {
        self.jobs.values().filter(|j| matches!(j.state, State::Running { .. })).count()
    }

    /// How many wait or run.
    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// When something is due.
    pub(crate) fn deadline(&self, longest: std::time::Duration) -> Option<Mono> {
        let may_start = self.running() < timing::MAX_RUNNING_SCRIPTS;
        self.jobs
            .values()
            .filter_map(|j| match j.state {
                State::Waiting { until } => may_start.then_some(until),
                State::Running { since, killed, .. } => (!killed).then_some(since + longest),
            })
            .min()
    }
}

impl Sentinel {
    /// Puts a script into the queue; the oldest that waits gives way if there are too many.
    pub(crate) fn schedule_script(&mut self, path: String, args: Vec<String>) {
        let scripts = &mut self.scripts;
        if scripts.jobs.len() >= timing::MAX_SCRIPTS {
            let waiting = scripts
                .jobs
                .iter()
                .find(|(_, j)| matches!(j.state, State::Waiting { .. }))
                .map(|(id, _)| *id);
            match waiting {
                Some(id) => scripts.jobs.remove(&id),
                None => return,
            };
        }
        let id = ScriptId(scripts.next);
        scripts.next += 1;
        let state = State::Waiting { until: self.now.mono };
        scripts.jobs.insert(id, Job { path, args, tries: 0, state });
    }

    /// Starts what waits and kills what ran too long.
    pub(crate) fn run_scripts(&mut self) {
        let now = self.now.mono;
        let longest = self.timing.script_max_runtime;
        let mut free = timing::MAX_RUNNING_SCRIPTS - self.scripts.running();
        let mut timed_out = Vec::new();
        for (id, job) in &mut self.scripts.jobs {
            match job.state {
                State::Waiting { until } if until <= now && free > 0 => {
                    free -= 1;
                    job.tries += 1;
                    job.state = State::Running { since: now, killed: false, pid: 0 };
                    self.out.push(Output::RunScript {
                        script: *id,
                        path: job.path.clone(),
                        args: job.args.clone(),
                    });
                }
                State::Running { since, killed: false, pid } if now.since(since) >= longest => {
                    job.state = State::Running { since, killed: true, pid };
                    self.out.push(Output::KillScript { script: *id });
                    timed_out.push(format!("{} {pid}", job.path));
                }
                _ => {}
            }
        }
        for which in timed_out {
            self.event_text(None, Level::Warning, "-script-timeout", &which);
        }
    }

    /// A script runs as this process.
    pub(crate) fn script_started(&mut self, script: ScriptId, process: u32) {
        if let Some(State::Running { pid, .. }) = self.scripts.jobs.get_mut(&script).map(|job| &mut job.state)
        {
            *pid = process;
        }
    }

    /// A script ended: forget it, or plan the next try.
    pub(crate) fn script_ended(&mut self, script: ScriptId, end: ScriptEnd) {
        let delay = self.timing.script_retry_delay;
        let Some(job) = self.scripts.jobs.get_mut(&script) else { return };
        let again = matches!(end, ScriptEnd::Signaled(_) | ScriptEnd::Exited(1)) && job.tries < MAX_TRIES;
        if again {
            let wait = delay.saturating_mul(1 << (job.tries - 1).min(16));
            job.state = State::Waiting { until: self.now.mono + wait };
            return;
        }
        let Some(job) = self.scripts.jobs.remove(&script) else { return };
        match end {
            ScriptEnd::Exited(0) => {}
            ScriptEnd::Exited(status) => {
                self.event_text(None, Level::Warning, "-script-error", &format!("{} 0 {status}", job.path));
            }
            ScriptEnd::Signaled(signal) => {
                self.event_text(None, Level::Warning, "-script-error", &format!("{} {signal} 0", job.path));
            }
            ScriptEnd::NotStarted => {
                // The status of Redis' child that has not become the script.
                self.event_text(None, Level::Warning, "-script-error", &format!("{} 0 2", job.path));
            }
        }
    }
}
