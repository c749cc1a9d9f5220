//! Runs of random steps, and how a run that fails is made short.
//!
//! Each step has a seed of its own, so any of them can be left out: the others make their commands as before, as far as
//! these do not depend on what is there, and the model answers for what is left.

use super::{BTreeSet, Dice, KEYS, Model, Rng, Step, World, round_trip, sorted, world};
use crate::SessionId;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What one step is made from.
#[derive(Clone, Copy)]
struct Plan {
    seed: u64,
    /// Milliseconds that pass before it.
    wait: i64,
    /// The key whose value goes through a payload behind it.
    trip: Option<&'static str>,
}

/// What became of a run.
#[derive(Default)]
struct Outcome {
    /// The commands that were sent, and what happened between them.
    lines: Vec<String>,
    /// The encodings that were met.
    encodings: BTreeSet<String>,
    /// Steps that were begun.
    steps: usize,
    failure: Option<String>,
}

fn plan(seed: u64, steps: usize) -> Vec<Plan> {
    let mut dice = Dice(Rng::from_seed(seed));
    let one = |n: usize| Plan {
        wait: if dice.below(10) == 0 { [1, 20, 300][dice.below(3)] } else { 0 },
        seed: dice.0.next_u64(),
        trip: (n % 20 == 19).then(|| dice.key()),
    };
    (0..steps).map(one).collect()
}

/// Carries steps out on a node and a model that are new.
fn attempt<M: Model>(plans: &[Plan]) -> Outcome {
    let mut outcome = Outcome::default();
    // Whatever the node's own checks find counts like a wrong answer.
    let run = catch_unwind(AssertUnwindSafe(|| {
        let (mut w, mut model) = (world(), M::default());
        let c = w.connect();
        for plan in plans {
            outcome.steps += 1;
            take(&mut w, &mut model, c, plan, &mut outcome)?;
        }
        w.node.data.check();
        Ok(())
    }));
    outcome.failure = match run {
        Ok(result) => result.err(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Some(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned())
        }
    };
    outcome
}

fn take<M: Model>(
    w: &mut World,
    model: &mut M,
    c: SessionId,
    plan: &Plan,
    outcome: &mut Outcome,
) -> Result<(), String> {
    if plan.wait > 0 {
        w.now.wall_us += plan.wait * 1000;
        outcome.lines.push(format!("({} ms)", plan.wait));
    }
    let mut dice = Dice(Rng::from_seed(plan.seed));
    let Step { line, mut answer, sorted: free } = model.step(&mut dice, w.now.wall().0);
    outcome.lines.push(line.clone());
    let mut reply = w.say(c, &line);
    if free {
        (reply, answer) = (sorted(&reply), sorted(&answer));
    }
    if reply != answer {
        return Err(format!("the reply is  {reply}\nand not       {answer}"));
    }
    for key in KEYS {
        if let Some(encoding) = model.encoding(key) {
            let told = w.say(c, &format!("OBJECT ENCODING {key}"));
            if told != encoding {
                return Err(format!("{key} is a {told}, not a {encoding}"));
            }
            outcome.encodings.insert(told);
        }
    }
    plan.trip.map_or(Ok(()), |key| {
        outcome.lines.push(format!("({key} goes through a payload)"));
        round_trip(w, c, key)
    })
}

/// Leaves steps out for as long as the rest still fails: half of them, a quarter, and so on down to single ones; then what
/// happens between those that are left.
fn shrink<M: Model>(mut plans: Vec<Plan>) -> Outcome {
    let mut shown = attempt::<M>(&plans);
    plans.truncate(shown.steps);
    let mut size = plans.len() / 2;
    while size > 0 {
        let (mut from, before) = (0, plans.len());
        while from < plans.len() {
            let mut fewer = plans.clone();
            fewer.drain(from..(from + size).min(plans.len()));
            let outcome = attempt::<M>(&fewer);
            if outcome.failure.is_some() {
                fewer.truncate(outcome.steps);
                (plans, shown) = (fewer, outcome);
            } else {
                from += size;
            }
        }
        // What one step needed may have gone with a later one.
        if size > 1 || plans.len() == before {
            size /= 2;
        }
    }
    for i in 0..plans.len() {
        let strip: [fn(&mut Plan); 2] = [|plan| plan.wait = 0, |plan| plan.trip = None];
        for strip in strip {
            let mut fewer = plans.clone();
            strip(&mut fewer[i]);
            let outcome = attempt::<M>(&fewer);
            if outcome.failure.is_some() {
                (plans, shown) = (fewer, outcome);
            }
        }
    }
    shown
}

/// Runs of random commands, each from a seed of its own.
pub(super) fn follow<M: Model>(runs: u64, steps: usize) {
    let mut encodings = BTreeSet::new();
    for seed in 0..runs {
        let plans = plan(seed, steps);
        let outcome = attempt::<M>(&plans);
        if outcome.failure.is_some() {
            let Outcome { lines, failure, .. } = shrink::<M>(plans);
            panic!("seed {seed} fails, shortened:\n{}\n{}", lines.join("\n"), failure.unwrap_or_default());
        }
        encodings.extend(outcome.encodings);
    }
    assert!(encodings.len() != 1, "only {encodings:?} was met");
}

/// Counts no further than two, and only what is left of two keys.
#[derive(Default)]
struct Wrong(usize);

impl Model for Wrong {
    fn step(&mut self, dice: &mut Dice, _now: i64) -> Step {
        match dice.below(4) {
            0 => {
                self.0 += 1;
                Step::new("INCR a".into(), super::int(self.0.min(2)))
            }
            1 if self.0 == 1 => {
                self.0 = 0;
                Step::new("DEL a".into(), ":1")
            }
            _ => Step::new("PING".into(), "PONG"),
        }
    }

    fn encoding(&self, _key: &str) -> Option<&'static str> {
        None
    }
}

#[test]
fn a_run_that_fails_is_made_as_short_as_it_can_be() {
    for seed in 0..20 {
        let outcome = shrink::<Wrong>(plan(seed, 200));
        assert_eq!(outcome.lines, ["INCR a"; 3]);
        assert_eq!(outcome.failure.as_deref(), Some("the reply is  :3\nand not       :2"));
    }
}
