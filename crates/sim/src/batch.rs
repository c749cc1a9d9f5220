//! Many runs, on several threads. Threads only share out seeds: no run knows of another one.

use crate::plan::Plan;
use crate::run::{Report, run_plan};
use crate::stage::Stage;
use crate::trace::Tracing;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Which seeds to run, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Where they run; none for plans of all kinds.
    pub stage: Option<Stage>,
    /// The first seed.
    pub start: u64,
    /// How many.
    pub seeds: u64,
    /// Threads to run them on.
    pub threads: usize,
    /// Every so many seeds are run twice, and their traces compared; zero for none.
    pub twice_every: u64,
    /// No further seed is begun after so many have failed.
    pub most_failures: usize,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Runs that were made.
    pub runs: u64,
    /// Events of all runs.
    pub events: u64,
    /// Seeds that were run twice.
    pub twice: u64,
    /// Runs that failed, by seed, with the ends of their traces.
    pub failed: Vec<Report>,
    /// Seeds whose two traces differ.
    pub differing: Vec<u64>,
    /// All clients' counts.
    pub tally: crate::Tally,
}

impl Batch {
    /// Runs them all.
    #[must_use]
    pub fn run(&self) -> Outcome {
        let next = AtomicU64::new(0);
        let outcome = Mutex::new(Outcome::default());
        std::thread::scope(|scope| {
            for _ in 0..self.threads.max(1) {
                scope.spawn(|| self.work(&next, &outcome));
            }
        });
        let mut outcome = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcome.failed.sort_by_key(|r| r.plan.seed);
        outcome.differing.sort_unstable();
        outcome
    }

    /// The plan of a seed.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        self.stage.map_or_else(|| Plan::of(seed), |stage| stage.plan(seed))
    }

    fn work(&self, next: &AtomicU64, outcome: &Mutex<Outcome>) {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let enough = lock(outcome).failed.len() >= self.most_failures;
            if i >= self.seeds || enough {
                return;
            }
            let seed = self.start + i;
            let twice = self.twice_every > 0 && i.is_multiple_of(self.twice_every);
            let run = |tracing| run_plan(self.plan(seed), tracing);
            let mut report = run(if twice { Tracing::Digest } else { Tracing::Off });
            let same = !twice || run(Tracing::Digest).trace == report.trace;
            if report.failure.is_some() && !twice {
                // Once more, for the end of its trace.
                report = run(Tracing::Digest);
            }
            let mut o = lock(outcome);
            o.runs += 1;
            o.events += report.events;
            o.twice += u64::from(twice);
            o.tally.add(&report.tally);
            if !same {
                o.differing.push(seed);
            }
            if report.failure.is_some() {
                o.failed.push(report);
            }
        }
    }
}

fn lock(outcome: &Mutex<Outcome>) -> std::sync::MutexGuard<'_, Outcome> {
    outcome.lock().unwrap_or_else(PoisonError::into_inner)
}
