//! Counters that `INFO` prints and `CONFIG RESETSTAT` clears.

use crate::histogram::Histogram;
use crate::table::CommandIndex;
use std::collections::BTreeMap;
use std::time::Duration;
use tanist_types::Mono;

/// What is counted for one command.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommandStats {
    pub(crate) calls: u64,
    pub(crate) time: Duration,
    /// Refused before running.
    pub(crate) rejected: u64,
    /// Answered with an error.
    pub(crate) failed: u64,
    /// The times of those calls that were timed by themselves.
    pub(crate) timed: Option<Box<Histogram>>,
    /// How many calls there were while nobody wanted their times, and how long they took.
    untracked: (u64, Duration),
}

impl CommandStats {
    /// The times of all calls but those whose times nobody wanted. Calls that were not timed by themselves count with
    /// their mean.
    fn times(&self) -> Histogram {
        let mut all = self.timed.as_deref().cloned().unwrap_or_default();
        let (calls, time) = self.untracked;
        let untimed = self.calls.saturating_sub(calls).saturating_sub(all.total());
        let rest = self.time.saturating_sub(time).saturating_sub(all.sum()).as_nanos() as u64;
        if let Some(mean) = rest.checked_div(untimed) {
            all.add_many(Duration::from_nanos(mean), untimed);
        }
        all
    }
}

/// Refusals by the rules about users, by reason.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Denials {
    pub(crate) auth: u64,
    pub(crate) command: u64,
    pub(crate) key: u64,
    pub(crate) channel: u64,
    pub(crate) database: u64,
}

/// All counters of the node.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    /// By the command's index in the table.
    pub(crate) commands: Vec<CommandStats>,
    /// Nobody wants the times of calls (`latency-tracking no`).
    untracked: bool,
    /// By the error's code.
    pub(crate) errors: BTreeMap<Box<str>, u64>,
    pub(crate) total_errors: u64,
    pub(crate) total_commands: u64,
    pub(crate) connections: u64,
    pub(crate) rejected_connections: u64,
    pub(crate) net_in: u64,
    pub(crate) net_out: u64,
    pub(crate) net_repl_in: u64,
    pub(crate) net_repl_out: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired_keys: u64,
    /// Fields of hashes removed or overwritten because their time had passed.
    pub(crate) expired_fields: u64,
    pub(crate) evicted_keys: u64,
    pub(crate) evicted_clients: u64,
    pub(crate) dirty_since_save: u64,
    pub(crate) denied: Denials,
    pub(crate) sync_full: u64,
    pub(crate) sync_partial_ok: u64,
    pub(crate) sync_partial_err: u64,
    pub(crate) query_buffer_limit_disconnections: u64,
    pub(crate) output_buffer_limit_disconnections: u64,
    /// Keys of the snapshot loaded last, and those it held past their time.
    pub(crate) loaded_keys: u64,
    pub(crate) load_expired_keys: u64,
    /// Entries handed to the thread that frees (`lazyfreed_objects`).
    pub(crate) freed_elsewhere: u64,
    /// Batches taken from connections (`total_reads_processed`).
    pub(crate) batches: u64,
    pub(crate) rates: Rates,
}

/// The rates of the last 1.6 seconds, as Redis averages them: sixteen samples of 100 ms.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    samples: [Sample; 16],
    next: usize,
    last: Totals,
    at: Mono,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    commands: u64,
    net_in: u64,
    net_out: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    commands: u64,
    net_in: u64,
    net_out: u64,
}

impl Stats {
    /// Counters for a table of `commands` commands.
    pub(crate) fn new(commands: usize) -> Stats {
        Stats { commands: vec![CommandStats::default(); commands], ..Stats::default() }
    }

    pub(crate) fn count_error(&mut self, code: &str) {
        self.total_errors += 1;
        // As Redis: no more than 128 kinds, so that a script cannot fill memory with codes.
        const MOST_CODES: usize = 128;
        if let Some(n) = self.errors.get_mut(code) {
            *n += 1;
        } else if self.errors.len() < MOST_CODES {
            self.errors.insert(code.into(), 1);
        }
    }

    /// The times of a command's calls as far as they were wanted; `None` if there were none.
    pub(crate) fn histogram(&self, index: CommandIndex) -> Option<Histogram> {
        let stats = &self.commands[index.slot()];
        match self.untracked {
            true => stats.timed.as_deref().cloned(),
            false => (stats.calls > stats.untracked.0).then(|| stats.times()),
        }
    }

    /// Whether the times of calls are wanted from now on. Those of calls before stay.
    pub(crate) fn track_times(&mut self, wanted: bool) {
        if self.untracked != wanted {
            return;
        }
        self.untracked = !wanted;
        for stats in self.commands.iter_mut().filter(|s| s.calls > 0) {
            if !wanted {
                let times = stats.times();
                stats.timed = (times.total() > 0).then(|| Box::new(times));
                continue;
            }
            let (calls, time) = stats.timed.as_ref().map_or((0, Duration::ZERO), |t| (t.total(), t.sum()));
            stats.untracked = (stats.calls.saturating_sub(calls), stats.time.saturating_sub(time));
        }
    }

    /// Takes a sample of the rates.
    pub(crate) fn sample(&mut self, now: Mono) {
        let totals = Totals { commands: self.total_commands, net_in: self.net_in, net_out: self.net_out };
        let rates = &mut self.rates;
        let millis = now.since(rates.at).as_millis().max(1) as u64;
        let rate = |new: u64, old: u64| new.saturating_sub(old) * 1000 / millis;
        rates.samples[rates.next] = Sample {
            commands: rate(totals.commands, rates.last.commands),
            net_in: rate(totals.net_in, rates.last.net_in),
            net_out: rate(totals.net_out, rates.last.net_out),
        };
        rates.next = (rates.next + 1) % rates.samples.len();
        rates.last = totals;
        rates.at = now;
    }

    /// Commands per second.
    pub(crate) fn commands_per_second(&self) -> u64 {
        self.rates.mean(|s| s.commands)
    }

    /// Bytes per second read and written.
    pub(crate) fn bytes_per_second(&self) -> (u64, u64) {
        (self.rates.mean(|s| s.net_in), self.rates.mean(|s| s.net_out))
    }

    /// `CONFIG RESETSTAT`. What stays: what concerns the data, and what was refused, as the log of it does.
    pub(crate) fn reset(&mut self) {
        *self = Stats {
            dirty_since_save: self.dirty_since_save,
            denied: self.denied,
            loaded_keys: self.loaded_keys,
            load_expired_keys: self.load_expired_keys,
            untracked: self.untracked,
            ..Stats::new(self.commands.len())
        };
    }
}

impl Rates {
    fn mean(&self, of: impl Fn(&Sample) -> u64) -> u64 {
        self.samples.iter().map(of).sum::<u64>() / self.samples.len() as u64
    }
}
