//! What the process has used; zeros where that cannot be known.

use super::sessions::Sessions;
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
/// is the first; in the turns of its loop; and the memory that sessions took.
pub(super) fn read(turns: &Turns, sessions: &Sessions, now: Mono) -> Usage {
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
        children_sys_us: micros(process.sys_children),
        children_user_us: micros(process.user_children),
        most_input: sessions.most_input(now),
        most_output: sessions.most_output(now),
        cut_off: sessions.cut_off(),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The largest of something over the last eight seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Largest {
    /// By seconds: which one, counted from the clock's beginning, and the largest in it.
    slots: [(u64, u64); Largest::SLOTS],
}

impl Largest {
    const SLOTS: usize = 8;

    /// There is so much of it now.
    pub(super) fn note(&mut self, much: u64, now: Mono) {
        let second = now.millis() / 1000;
        let slot = &mut self.slots[(second % Largest::SLOTS as u64) as usize];
        if slot.0 != second {
            *slot = (second, 0);
        }
        slot.1 = slot.1.max(much);
    }

    /// The largest of late.
    pub(super) fn of_late(&self, now: Mono) -> u64 {
        let second = now.millis() / 1000;
        let recent =
            self.slots.iter().filter(|(at, _)| *at <= second && second - *at < Largest::SLOTS as u64);
        recent.map(|(_, much)| *much).max().unwrap_or(0)
    }
}
