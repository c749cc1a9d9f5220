//! A few dozen seeds on every test run; CI and `cargo xtask sim` run thousands.

use tanist_sim::{Batch, FaultKind, Plan, Stage, Tracing, run, run_plan};

/// Every seed must be good, and one that is run twice must give the same trace.
#[test]
fn a_few_dozen_seeds_are_good() {
    let batch = Batch { stage: None, start: 1, seeds: 24, threads: 2, twice_every: 6, most_failures: 3 };
    let outcome = batch.run();
    for report in &outcome.failed {
        let (at, failure) = report.failure.as_ref().expect("it failed");
        eprintln!(
            "{}\nseed {} failed after {at:?}: {}",
            report.last.join("\n"),
            report.plan.seed,
            failure.what
        );
    }
    assert!(
        outcome.failed.is_empty(),
        "see above; again with: cargo run -p tanist-sim -- --seed <seed> --trace"
    );
    assert_eq!((outcome.runs, outcome.twice), (24, 4));
    assert_eq!(outcome.differing, Vec::<u64>::new(), "two runs of one seed differ");
    assert!(outcome.tally.confirmed > 100, "the clients have hardly worked: {:?}", outcome.tally);
}

/// Seeds that once found a bug, each with what it found.
#[test]
fn seeds_that_found_something_are_good() {
    // 62: a switchover did not wait for the primary's promise and lost acknowledged writes.
    // 1277: nodes that had lost their disks led and voted on their own; only the operator could help, and was not asked.
    // 1609: an operator made a node primary in an epoch below what another one had promised, for good.
    // 3244: a wall clock set back put off the save that ends MISCONF.
    // 6601: an order in a minority and an election in the majority made two primaries of one epoch.
    const FOUND: &[u64] = &[62, 1277, 1609, 3244, 6601];
    for &seed in FOUND {
        let report = run_plan(Plan::plain(seed), Tracing::Off);
        assert_eq!(report.failure, None, "seed {seed}");
    }
    // 12532: a replica that had attached before sentinels listened for that was left behind by a failover.
    // 14746: a node that had lost its disk was named as primary, and the others were bound to a later epoch.
    // 60355: a sentinel told of a vote that its disk did not know of, and that it took back.
    for seed in [12532, 14746, 60355] {
        assert_eq!(run(seed, Tracing::Off).failure, None, "seed {seed}");
    }
    // 173: a primary that had just got its first replicas came back alone, with nothing, and was followed.
    assert_eq!(run_plan(Stage::Flushes.plan(173), Tracing::Off).failure, None);
}

/// The trace is made of what happens: another seed gives another one.
#[test]
fn traces_tell_seeds_apart() {
    let (a, b) = (run(5, Tracing::Digest), run(6, Tracing::Digest));
    assert!(a.trace.0 > 1_000 && b.trace.0 > 1_000);
    assert_ne!(a.trace, b.trace);
}

/// The canary: a bug that must be found, or the simulator finds nothing.
#[test]
fn the_planted_bug_is_found() {
    let found = (1..=20).find(|seed| {
        let mut plan = Plan::of(*seed);
        plan.canary = true;
        plan.settings.majority = true;
        plan.faults.kinds = vec![FaultKind::Kill];
        run_plan(plan, Tracing::Off).failure.is_some()
    });
    assert!(found.is_some(), "a primary that restarts empty and goes on is not noticed");
}
