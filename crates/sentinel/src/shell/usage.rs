//! What the process has used; zeros where that cannot be known.

use crate::core::{Rate, Usage};
use std::time::Duration;
use tanist_runtime::cpu::CpuTime;
use tanist_types::Mono;

/// How long the turns of the event loop take.
#[derive(Debug, Default)]
pub(super) struct Turns {
    all: Duration,
    commands: Duration,
    /// Turns of late, and their microseconds.
    count: Rate,
    took: Rate,
}

impl Turns {
    /// A turn that began at `began` ended at `now`; it may have carried out a command.
    pub(super) fn note(&mut self, began: Mono, now: Mono, command: bool) {
        let took = now.since(began);
        self.all += took;
        if command {
            self.commands += took;
        }
        self.count.note(1, now);
        self.took.note(micros(took), now);
    }
}

/// Reads the time spent in the kernel and in the program, by all threads and by the one that the sentinel runs on, which
/// is the first; and in the turns of its loop.
pub(super) fn read(turns: &Turns, now: Mono) -> Usage {
    let process = CpuTime::of_process().unwrap_or_default();
    let main = CpuTime::of_main_thread().unwrap_or_default();
    Usage {
        sys_us: micros(process.sys),
        user_us: micros(process.user),
        main_sys_us: micros(main.sys),
        main_user_us: micros(main.user),
        turns_us: micros(turns.all),
        commands_us: micros(turns.commands),
        turn_us: turns.took.of_late(now) / turns.count.of_late(now).max(1),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
