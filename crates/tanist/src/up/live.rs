//! The live view: a table redrawn in place on a terminal, plain lines of what changed otherwise.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use rustix::termios::tcgetwinsize;

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
        let size = Size::of(&out);
        let text = screen(&view, &recent, size);
        // Up over what was drawn last, then clear to the end of the screen.
        if drawn > 0 {
            write!(out, "\x1b[{drawn}A\x1b[J")?;
        }
        write!(out, "{text}")?;
        out.flush()?;
        drawn = size.rows_of(&text);
        nap(stop, REDRAW);
    }
    Ok(())
}

/// What is drawn: the table, and as many of the last events as there is room for.
fn screen(view: &View, recent: &Recent, size: Size) -> String {
    let mut text = table(view) + &verdict(view) + "\n\n";
    // The cursor stands in the row below; nothing may scroll, for what has scrolled away cannot be drawn over.
    let room = size.height.saturating_sub(size.rows_of(&text) + 1);
    let mut rows = 0;
    let fits = |line: &&String| {
        rows += size.rows_of(line);
        rows <= room
    };
    let shown = recent.lines.iter().rev().take_while(fits).count();
    for line in recent.lines.iter().skip(recent.lines.len() - shown) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Of the terminal, in characters.
#[derive(Clone, Copy)]
struct Size {
    height: usize,
    width: usize,
}

impl Size {
    /// Asked anew for each drawing: people change it. One that is not told is that of old.
    fn of(terminal: &impl AsFd) -> Size {
        let size = tcgetwinsize(terminal).ok().filter(|s| s.ws_row > 0 && s.ws_col > 0);
        size.map_or(Size { height: 24, width: 80 }, |s| Size {
            height: s.ws_row.into(),
            width: s.ws_col.into(),
        })
    }

    /// How many rows the lines take: a long one goes on in the next row.
    fn rows_of(self, text: &str) -> usize {
        text.lines().map(|line| line.chars().count().div_ceil(self.width).max(1)).sum()
    }
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
    fn what_is_drawn_fits_and_counts_the_rows_that_it_takes() {
        let size = |height, width| Size { height, width };
        assert_eq!(size(24, 10).rows_of("0123456789\n\n01234567890\n"), 4);
        let view = View::default();
        let bare = size(99, 80).rows_of(&screen(&view, &Recent::default(), size(99, 80)));
        let lines: VecDeque<String> = (0..8).map(|i| format!("{i}").repeat(100)).collect();
        let recent = Recent { lines, ..Recent::default() };
        for height in bare + 1..40 {
            let text = screen(&view, &recent, size(height, 80));
            assert!(size(height, 80).rows_of(&text) < height, "{height}: nothing scrolls");
            assert_eq!(text.contains("77"), height >= bare + 3, "{height}: the last is kept longest");
            assert_eq!(text.contains("00"), height > bare + 16, "{height}");
        }
    }

    #[test]
    fn the_clock_counts_the_day() {
        assert_eq!(clock(UNIX_EPOCH + Duration::from_millis(86_400_000 + 3_723_004)), "01:02:03.004");
    }
}
