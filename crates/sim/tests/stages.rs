//! The stages, with all rules in force, on every test run; `cargo xtask sabotage` leaves the rules out, one by one.

use tanist_sim::{Batch, Stage};

#[test]
fn the_protocol_survives_every_stage() {
    for stage in [
        Stage::Storm,
        Stage::Cascades,
        Stage::Blackouts,
        Stage::Rivals,
        Stage::Flushes,
        Stage::Switchovers,
        Stage::Cutoffs,
        Stage::Distances,
        Stage::Stragglers,
        Stage::Returns,
        Stage::Relapses,
        Stage::Impostors,
    ] {
        let batch =
            Batch { stage: Some(stage), start: 1, seeds: 4, threads: 2, twice_every: 4, most_failures: 1 };
        let outcome = batch.run();
        let failed: Vec<_> = outcome.failed.iter().map(|r| (r.plan.seed, &r.failure)).collect();
        assert!(failed.is_empty(), "{stage:?}: {failed:?}");
        assert_eq!(outcome.differing, Vec::<u64>::new(), "{stage:?}: two runs of one seed differ");
        // Where nodes are far from each other and end all the time, most writes wait in vain.
        let least = if stage == Stage::Stragglers { 100 } else { 1_000 };
        assert!(outcome.tally.done > least, "{stage:?}: the clients have hardly worked: {:?}", outcome.tally);
    }
}
