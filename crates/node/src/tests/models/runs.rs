//! Runs of random steps, and how a run that fails is made short.
//!
//! Each step has a seed of its own, so any of them can be left out: the others make their commands as before, as far as
//! these do not depend on what is there, and the model answers for what is left.

use super::{ALIEN, BTreeSet, Dice, KEYS, Model, Rng, Step, World, config, fits, round_trip, sorted};
use crate::SessionId;
use crate::tests::model::apply;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tanist_types::DbIndex;

/// An expiry that no run lives to see, in milliseconds since 1970.
const FAR: &str = "4000000000000";

/// What one step is made from.
#[derive(Clone, Copy)]
struct Plan {
    seed: u64,
    /// Milliseconds that pass before it.
    wait: i64,
    /// The key that is given an expiry before it.
    expire: Option<&'static str>,
    /// The key whose value goes through a payload behind it.
    trip: Option<&'static str>,
}

/// A node in the middle of a run, and what is known of it beside the model.
struct Run<M> {
    w: World,
    model: M,
    client: SessionId,
    /// Is told of every event.
    subscriber: SessionId,
    /// What is fed with the log, its clock before all times as long as something may fade.
    replica: World,
    /// The keys that have an expiry.
    timed: BTreeSet<&'static str>,
    outcome: Outcome,
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
        expire: dice.one_in(8).then(|| dice.key()),
        trip: (n % 20 == 19).then(|| dice.key()),
    };
    (0..steps).map(one).collect()
}

/// Carries steps out on a node and a model that are new.
fn attempt<M: Model>(plans: &[Plan]) -> Outcome {
    let mut run = Run::<M>::new();
    // Whatever the node's own checks find counts like a wrong answer.
    let result = catch_unwind(AssertUnwindSafe(|| {
        plans.iter().try_for_each(|plan| run.take(plan))?;
        run.finish()
    }));
    let mut outcome = run.outcome;
    outcome.failure = match result {
        Ok(result) => result.err(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Some(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned())
        }
    };
    outcome
}

impl<M: Model> Run<M> {
    fn new() -> Run<M> {
        let mut w = World::with(config());
        w.record();
        let (client, subscriber) = (w.connect(), w.connect());
        M::SETUP.iter().for_each(|line| _ = w.say(client, line));
        w.say(subscriber, "PSUBSCRIBE *");
        let mut other = config();
        // What is trimmed must not depend on where the nodes of a replica end.
        other.set("stream-node-max-entries", &["100"]).expect("a directive");
        let (model, replica) = (M::default(), World::with(other));
        Run { w, model, client, subscriber, replica, timed: BTreeSet::new(), outcome: Outcome::default() }
    }

    fn say(&mut self, line: &str) -> String {
        self.w.say(self.client, line)
    }

    fn note(&mut self, line: impl Into<String>) {
        self.outcome.lines.push(line.into());
    }

    /// What the subscriber has been told since it was asked last: event and key.
    fn events(&mut self) -> Vec<String> {
        let event = |message: String| {
            let told = message.trim_matches(['[', ']']).split_once("__keyevent@0__:");
            told.map_or(message.clone(), |(_, event)| event.into())
        };
        self.w.pushed(self.subscriber).into_iter().map(event).collect()
    }

    fn take(&mut self, plan: &Plan) -> Result<(), String> {
        self.outcome.steps += 1;
        if plan.wait > 0 {
            self.w.now.wall_us += plan.wait * 1000;
            self.note(format!("({} ms)", plan.wait));
        }
        if let Some(key) = plan.expire {
            self.expire(key)?;
        }
        self.events();
        let now = self.w.now.wall().0;
        let step = self.model.step(&mut Dice(Rng::from_seed(plan.seed)), now);
        self.carry_out(step)?;
        let Some(key) = plan.trip else { return Ok(()) };
        KEYS.into_iter()
            .flat_map(|key| self.model.looks(key, now))
            .collect::<Vec<_>>()
            .into_iter()
            .try_for_each(|look| self.carry_out(look))?;
        self.note(format!("({key} goes through a payload)"));
        round_trip(&mut self.w, self.client, key)?;
        self.compare(!M::FADES)
    }

    fn carry_out(&mut self, mut step: Step) -> Result<(), String> {
        self.note(step.line.clone());
        let mut reply = self.say(&step.line);
        if step.sorted {
            (reply, step.answer) = (sorted(&reply), sorted(&step.answer));
        }
        if !fits(&reply, &step.answer) {
            return Err(format!("the reply is  {reply}\nand not       {}", step.answer));
        }
        self.check_keys(&step)
    }

    /// Gives what is at `key`, if anything, an expiry.
    fn expire(&mut self, key: &'static str) -> Result<(), String> {
        let line = format!("PEXPIREAT {key} {FAR}");
        self.note(line.clone());
        let there = self.say(&line) == ":1";
        if self.model.holds(key).is_some_and(|known| known != there) {
            return Err(format!("{key} is {}there", if there { "" } else { "not " }));
        }
        if there {
            self.timed.insert(key);
        }
        Ok(())
    }

    /// Looks at what has become of the keys, and at what was told of it.
    fn check_keys(&mut self, step: &Step) -> Result<(), String> {
        for key in KEYS {
            let data = &self.w.node.data;
            let found = data.db(DbIndex(0)).find(key.as_bytes(), data.hash(key.as_bytes()));
            let (there, timed) = (found.is_some(), found.is_some_and(|entry| entry.expiry().is_some()));
            if self.model.holds(key).is_some_and(|known| known != there) {
                return Err(format!("{key} is {}there", if there { "" } else { "not " }));
            }
            if !there || step.anew.contains(&key) {
                self.timed.remove(key);
            }
            if timed != self.timed.contains(key) {
                return Err(format!("{key} has {} expiry", if timed { "an" } else { "lost its" }));
            }
            if let Some(encoding) = self.model.encoding(key) {
                let told = self.say(&format!("OBJECT ENCODING {key}"));
                if told != encoding {
                    return Err(format!("{key} is a {told}, not a {encoding}"));
                }
                self.outcome.encodings.insert(told);
            }
        }
        let events = self.events();
        if events != step.events {
            return Err(format!("the events are {events:?}\nand not        {:?}", step.events));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), String> {
        self.w.node.data.check();
        self.compare(!M::FADES)?;
        if M::FADES {
            self.note("(200 s)");
            (0..20).for_each(|_| self.w.pass(10_000));
            self.compare(true)?;
        }
        Ok(())
    }

    /// Feeds the replica with the log; what can be asked for there must be what is here, and all must be if `whole`: of
    /// what is past its time something may be left here that has gone there.
    fn compare(&mut self, whole: bool) -> Result<(), String> {
        let log = self.w.node.recorded.replace(Vec::new()).ok_or("nothing is recorded")?;
        let now = self.w.now.wall_us;
        self.replica.now.wall_us = if M::FADES { 0 } else { now };
        apply(&mut self.replica, &log);
        self.replica.now.wall_us = now;
        let c = self.replica.connect();
        let mut questions: Vec<String> = KEYS.into_iter().flat_map(M::questions).collect();
        questions.push(format!("DEBUG DIGEST-VALUE {ALIEN}"));
        questions.extend(whole.then(|| "DEBUG DIGEST".into()));
        for question in questions {
            let (here, there) = (sorted(&self.say(&question)), sorted(&self.replica.say(c, &question)));
            if here != there {
                return Err(format!("{question} on the primary: {here}\non the replica: {there}"));
            }
        }
        Ok(())
    }
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
        let strip: [fn(&mut Plan); 3] =
            [|plan| plan.wait = 0, |plan| plan.expire = None, |plan| plan.trip = None];
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
                Step::new("INCR a".into(), super::int(self.0.min(2))).event("incrby", "a")
            }
            1 if self.0 == 1 => {
                self.0 = 0;
                Step::new("DEL a".into(), ":1").event("del", "a")
            }
            _ => Step::new("PING".into(), "PONG"),
        }
    }

    fn encoding(&self, _key: &str) -> Option<&'static str> {
        None
    }

    fn holds(&self, key: &str) -> Option<bool> {
        Some(key == "a" && self.0 > 0)
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
