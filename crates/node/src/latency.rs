//! The latency monitor: spikes above `latency-monitor-threshold`, by event.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tanist_types::UnixMs;

/// The most spikes that are kept of an event.
const MOST: usize = 160;

/// One spike: when, in whole seconds, and how long, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spike {
    pub(crate) at: i64,
    pub(crate) millis: u64,
}

/// The spikes of one event, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Event {
    pub(crate) spikes: VecDeque<Spike>,
    /// The worst ever, in milliseconds.
    pub(crate) worst: u64,
}

/// The spikes of all events.
#[derive(Debug, Default)]
pub(crate) struct LatencyMonitor {
    pub(crate) events: BTreeMap<&'static str, Event>,
}

impl LatencyMonitor {
    /// Takes note of `time` if it reaches `threshold` milliseconds (0: never). Spikes of the same second are one.
    pub(crate) fn note(&mut self, event: &'static str, threshold: u64, at: UnixMs, time: Duration) {
        let millis = time.as_millis() as u64;
        if threshold == 0 || millis < threshold {
            return;
        }
        let event = self.events.entry(event).or_default();
        event.worst = event.worst.max(millis);
        match event.spikes.back_mut().filter(|last| last.at == at.secs()) {
            Some(last) => last.millis = last.millis.max(millis),
            None => event.spikes.push_back(Spike { at: at.secs(), millis }),
        }
        if event.spikes.len() > MOST {
            event.spikes.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_of_one_second_are_one_and_old_ones_go() {
        let mut monitor = LatencyMonitor::default();
        let note =
            |m: &mut LatencyMonitor, at, ms| m.note("command", 10, UnixMs(at), Duration::from_millis(ms));
        note(&mut monitor, 1000, 9);
        assert!(monitor.events.is_empty());
        for (at, ms) in [(1000, 20), (1999, 30), (1500, 25), (2000, 10)] {
            note(&mut monitor, at, ms);
        }
        let event = &monitor.events["command"];
        assert_eq!(event.spikes, [Spike { at: 1, millis: 30 }, Spike { at: 2, millis: 10 }]);
        for second in 3..500 {
            note(&mut monitor, second * 1000, 11);
        }
        assert_eq!((monitor.events["command"].spikes.len(), monitor.events["command"].worst), (MOST, 30));
    }
}
