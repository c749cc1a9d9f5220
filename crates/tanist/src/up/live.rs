//! The live view: a table redrawn in place on a terminal, plain lines of what changed otherwise.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::cluster::{Cluster, View, Watcher};
use crate::drill::events::{Event, EventLog, Listeners};
use crate::output::say;
use crate::status::{table, verdict};

const EVENTS_SHOWN: usize = 8;
const REDRAW: Duration = Duration::from_millis(500);

/// Shows the cluster until `stop` is raised, or until nothing of it runs any more.
pub(super) fn show(cluster: &mut Cluster, stop: &AtomicBool) -> Result<()> {
    let log = Arc::new(EventLog::default());
    let listeners = Listeners::start(&cluster.layout, &log, None);
    let result = if std::io::stdout().is_terminal() {
        on_terminal(cluster, &log, stop)
    } else {
        as_lines(cluster, &log, stop);
        Ok(())
    };
    listeners.finish();
    result
}

fn on_terminal(cluster: &mut Cluster, log: &EventLog, stop: &AtomicBool) -> Result<()> {
    let mut watcher = Watcher::new(Duration::from_millis(200));
    let mut recent = Recent::default();
    let mut drawn = 0;
    let mut out = std::io::stdout();
    while !stop.load(Ordering::Relaxed) && refresh(cluster) {
        let view = watcher.look(&cluster.layout);
        recent.take(log);
        let text = screen(&view, &recent);
        // Up over what was drawn last, then clear to the end of the screen.
        if drawn > 0 {
            write!(out, "\x1b[{drawn}A\x1b[J")?;
        }
        write!(out, "{text}")?;
        out.flush()?;
        drawn = text.lines().count();
        nap(stop, REDRAW);
    }
    Ok(())
}

fn screen(view: &View, recent: &Recent) -> String {
    let mut text = table(view) + &verdict(view) + "\n\n";
    for line in &recent.lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// A line for each event, and one whenever the verdict changes. Nobody need read them: the cluster is up all the same.
fn as_lines(cluster: &mut Cluster, log: &EventLog, stop: &AtomicBool) {
    let mut watcher = Watcher::new(Duration::from_millis(200));
    let mut seen = 0;
    let mut last = String::new();
    while !stop.load(Ordering::Relaxed) && refresh(cluster) {
        for event in log.since(seen) {
            seen += 1;
            say(line(&event));
        }
        let view = watcher.look(&cluster.layout);
        let now = verdict(&view);
        if now != last {
            say(format_args!("{} {now}", clock(SystemTime::now())));
            last = now;
        }
        nap(stop, REDRAW);
    }
}

/// Takes over what a drill changed; false once `tanist down` or somebody else ended every process.
fn refresh(cluster: &mut Cluster) -> bool {
    // A file that is just being replaced is read next time.
    let _ = cluster.refresh();
    cluster.layout.running().next().is_some()
}

fn nap(stop: &AtomicBool, time: Duration) {
    let until = Instant::now() + time;
    while !stop.load(Ordering::Relaxed) && Instant::now() < until {
        sleep(Duration::from_millis(20));
    }
}

/// The last events. Sentinels say the same within moments: their lines become one.
#[derive(Default)]
struct Recent {
    seen: usize,
    lines: VecDeque<String>,
    last: Option<(String, String)>,
    last_by: Vec<usize>,
}

impl Recent {
    fn take(&mut self, log: &EventLog) {
        for event in log.since(self.seen) {
            self.seen += 1;
            let what = (event.channel.clone(), event.payload.clone());
            if self.last.as_ref() == Some(&what) && !self.last_by.contains(&event.sentinel) {
                self.last_by.push(event.sentinel);
                if let Some(last) = self.lines.back_mut() {
                    last.push_str(&format!(" {}", event.sentinel + 1));
                }
                continue;
            }
            self.last_by = vec![event.sentinel];
            self.last = Some(what);
            self.lines.push_back(line(&event));
            while self.lines.len() > EVENTS_SHOWN {
                self.lines.pop_front();
            }
        }
    }
}

fn line(event: &Event) -> String {
    format!("{} {} {}  by sentinel {}", clock(event.wall), event.channel, event.payload, event.sentinel + 1)
}

/// Time of day in UTC, to the millisecond.
fn clock(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let s = since.as_secs() % 86_400;
    format!("{:02}:{:02}:{:02}.{:03}", s / 3600, s / 60 % 60, s % 60, since.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts_the_day() {
        assert_eq!(clock(UNIX_EPOCH + Duration::from_millis(86_400_000 + 3_723_004)), "01:02:03.004");
    }
}
