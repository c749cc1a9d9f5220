//! Users' scripts: what they are given, how long they may take, and when they are tried again.

use std::time::Duration;
use tanist_sentinel::core::{Config, Facts, Input, Output, ScriptEnd, ScriptId, Sentinel};
use tanist_types::{Mono, Now};

/// A sentinel and its clock; what it says and orders about scripts is kept.
struct World {
    sentinel: Sentinel,
    now: Now,
    seen: Vec<String>,
    started: Vec<ScriptId>,
}

impl World {
    fn new() -> World {
        let text = "sentinel monitor m 10.0.0.1 6379 1\nsentinel notification-script m /notify\n";
        let now = Now { mono: Mono::from_millis(1), wall_us: 0 };
        let sentinel = Sentinel::new(Config::parse(text).expect("a good file"), Facts::default(), now, 7);
        let mut world = World { sentinel, now, seen: Vec::new(), started: Vec::new() };
        world.step(Input::Tick);
        world
    }

    fn step(&mut self, input: Input) {
        let mut outputs = Vec::new();
        self.sentinel.step(self.now, input, &mut outputs);
        for output in outputs {
            match output {
                Output::RunScript { script, path, args } => {
                    self.started.push(script);
                    self.seen.push(format!("{path} {}", args.join(" | ")));
                }
                Output::KillScript { script } => self.seen.push(format!("kill {}", script.0)),
                Output::Log { line, .. } if line.starts_with("-script") => self.seen.push(line),
                _ => {}
            }
        }
    }

    fn pass(&mut self, millis: u64) -> Vec<String> {
        self.now.mono = self.now.mono + Duration::from_millis(millis);
        self.step(Input::Tick);
        self.seen()
    }

    /// What was seen, other runs than the first one's apart.
    fn seen(&mut self) -> Vec<String> {
        std::mem::take(&mut self.seen).into_iter().filter(|line| !line.contains("sdown")).collect()
    }

    fn end(&mut self, end: ScriptEnd) -> Vec<String> {
        let script = self.started[0];
        self.step(Input::ScriptEnded { script, end });
        self.seen()
    }
}

#[test]
fn a_script_is_killed_after_a_minute_and_tried_again_ever_later() {
    let mut w = World::new();
    let call = ["/notify +monitor | master m 10.0.0.1 6379 quorum 1"];
    assert_eq!(w.seen(), call);
    let script = w.started[0];
    w.step(Input::ScriptStarted { script, pid: 77 });
    assert!(w.pass(59_999).is_empty());
    let kill = format!("kill {}", script.0);
    assert_eq!(w.pass(1), [kill.as_str(), "-script-timeout /notify 77"]);
    assert!(w.end(ScriptEnd::Signaled(9)).is_empty(), "it is to be tried again");
    assert!(w.pass(29_999).is_empty());
    assert_eq!(w.pass(1), call);
    let mut delay = 60_000;
    for _ in 3..=10 {
        assert!(w.end(ScriptEnd::Exited(1)).is_empty());
        assert!(w.pass(delay - 1).is_empty());
        assert_eq!(w.pass(1), call);
        delay *= 2;
    }
    assert_eq!(w.end(ScriptEnd::Exited(1)), ["-script-error /notify 0 1"], "ten times are enough");
    assert!(w.pass(10 * delay).is_empty());
}

#[test]
fn what_does_not_ask_for_another_try_gets_none() {
    for (end, said) in [
        (ScriptEnd::Exited(0), None),
        (ScriptEnd::Exited(2), Some("-script-error /notify 0 2")),
        (ScriptEnd::NotStarted, Some("-script-error /notify 0 2")),
    ] {
        let mut w = World::new();
        w.seen();
        assert_eq!(w.end(end), said.into_iter().collect::<Vec<_>>(), "{end:?}");
        assert!(w.pass(3_600_000).is_empty());
    }
}
