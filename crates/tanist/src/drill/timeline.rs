//! From events and acknowledgements to times after the fault.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::events::Event;
use super::writers::Log;

/// Times after the fault, in milliseconds; `None` for what did not happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// First `+sdown` of the primary on any sentinel.
    pub sdown: Option<f64>,
    /// First `+odown`.
    pub odown: Option<f64>,
    /// First `+elected-leader`.
    pub elected: Option<f64>,
    /// First `+promoted-slave`.
    pub promoted: Option<f64>,
    /// The new primary said so itself (`ROLE`, asked every few milliseconds).
    pub role: Option<f64>,
    /// First `+switch-master`.
    pub switched: Option<f64>,
    /// `+switch-master` on the last sentinel.
    pub switched_all: Option<f64>,
    /// First write acknowledged by the new primary.
    pub first_ack: Option<f64>,
    /// Longest time without any acknowledged write, from just before the fault to the end of the writers.
    pub gap: f64,
    /// The old primary was a replica in sync again.
    pub rejoined: Option<f64>,
}

/// Milliseconds from `fault` to `at`.
pub fn after(fault: Instant, at: Instant) -> f64 {
    at.saturating_duration_since(fault).as_secs_f64() * 1e3
}

impl Timeline {
    /// Reads the sentinels' announcements; `sentinels` is how many there are.
    pub fn read_events(&mut self, events: &[Event], name: &str, fault: Instant, sentinels: usize) {
        let events: Vec<&Event> = events.iter().filter(|e| e.at >= fault).collect();
        let first = |channel: &str| {
            events.iter().find(|e| e.channel == channel && e.about_primary(name)).map(|e| after(fault, e.at))
        };
        self.sdown = first("+sdown");
        self.odown = first("+odown");
        self.elected = first("+elected-leader");
        // About a replica, so the group's name stands after the `@`.
        let promoted =
            |e: &&&Event| e.channel == "+promoted-slave" && e.payload.contains(&format!(" @ {name} "));
        self.promoted = events.iter().find(promoted).map(|e| after(fault, e.at));
        let mut heard = BTreeSet::new();
        for event in events.iter().filter(|e| e.switched_to(name).is_some()) {
            let at = after(fault, event.at);
            self.switched.get_or_insert(at);
            if heard.insert(event.sentinel) && heard.len() == sentinels {
                self.switched_all = Some(at);
            }
        }
    }

    /// Reads the writers' logs. `fault` is given as an instant and as the time since the drill's zero.
    pub fn read_writers(&mut self, logs: &[Log], fault: Duration, new_primary: SocketAddr) {
        let on_new = logs.iter().flat_map(|l| &l.first_acks);
        let on_new = on_new.filter(|(at, addr)| *addr == new_primary && *at > fault).map(|(at, _)| *at);
        self.first_ack = on_new.min().map(|at| (at - fault).as_secs_f64() * 1e3);
        self.gap = longest_gap(logs, fault.saturating_sub(Duration::from_millis(100)));
    }
}

/// The longest time between two acknowledgements of any writers, from `from` on, in milliseconds.
fn longest_gap(logs: &[Log], from: Duration) -> f64 {
    let mut acks: Vec<Duration> =
        logs.iter().flat_map(|l| l.acks.iter().copied()).filter(|a| *a >= from).collect();
    acks.sort_unstable();
    let longest = acks.windows(2).map(|w| w[1] - w[0]).max().unwrap_or_default();
    longest.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn event(zero: Instant, ms: u64, sentinel: usize, channel: &str, payload: &str) -> Event {
        Event {
            at: zero + Duration::from_millis(ms),
            wall: SystemTime::now(),
            sentinel,
            channel: channel.into(),
            payload: payload.into(),
        }
    }

    #[test]
    fn finds_each_step_of_a_failover() {
        let zero = Instant::now();
        let fault = zero + Duration::from_millis(100);
        let events = [
            event(zero, 50, 0, "+sdown", "master g 127.0.0.1 1"),
            event(zero, 110, 0, "+sdown", "slave 127.0.0.1:2 127.0.0.1 2 @ g 127.0.0.1 1"),
            event(zero, 120, 0, "+sdown", "master g 127.0.0.1 1"),
            event(zero, 125, 1, "+sdown", "master g 127.0.0.1 1"),
            event(zero, 130, 1, "+odown", "master g 127.0.0.1 1 #quorum 2/2"),
            event(zero, 140, 1, "+elected-leader", "master g 127.0.0.1 1"),
            event(zero, 150, 1, "+promoted-slave", "slave 127.0.0.1:2 127.0.0.1 2 @ g 127.0.0.1 1"),
            event(zero, 160, 1, "+switch-master", "g 127.0.0.1 1 127.0.0.1 2"),
            event(zero, 170, 0, "+switch-master", "g 127.0.0.1 1 127.0.0.1 2"),
            event(zero, 175, 0, "+switch-master", "g 127.0.0.1 1 127.0.0.1 2"),
        ];
        let mut t = Timeline::default();
        t.read_events(&events, "g", fault, 3);
        assert_eq!((t.sdown, t.odown, t.elected), (Some(20.0), Some(30.0), Some(40.0)));
        assert_eq!((t.promoted, t.switched, t.switched_all), (Some(50.0), Some(60.0), None));
        t.read_events(&events, "g", fault, 2);
        assert_eq!(t.switched_all, Some(70.0), "the second sentinel's first word");
    }

    #[test]
    fn the_gap_is_between_all_writers_together() {
        let ms = Duration::from_millis;
        let log = |acks: &[u64], first: (u64, &str)| Log {
            acks: acks.iter().map(|a| ms(*a)).collect(),
            first_acks: vec![(ms(first.0), first.1.parse().unwrap())],
            ..Log::default()
        };
        let logs = [
            log(&[0, 500, 1000, 1010, 1400], (1400, "127.0.0.1:2")),
            log(&[1005, 1300], (1300, "127.0.0.1:1")),
        ];
        let mut t = Timeline::default();
        t.read_writers(&logs, ms(1000), "127.0.0.1:2".parse().unwrap());
        assert_eq!(t.gap, 290.0, "what was before the fault does not count");
        assert_eq!(t.first_ack, Some(400.0));
    }
}
