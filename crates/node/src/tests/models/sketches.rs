//! HyperLogLog: the true numbers, which a sketch of few elements comes near to.

use super::{BTreeMap, BTreeSet, Rng, round_trip, world};

#[test]
fn sketches_count_about_as_many_as_there_are() {
    for seed in 0..20 {
        let (mut w, mut rng) = (world(), Rng::from_seed(seed));
        let c = w.connect();
        let mut model: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for n in 0..60 {
            let key = super::KEYS[rng.below(3) as usize];
            let other = super::KEYS[rng.below(3) as usize];
            if rng.chance(1, 8) {
                let union = model.get(other).cloned().unwrap_or_default();
                model.entry(key).or_default().extend(union);
                assert_eq!(w.say(c, &format!("PFMERGE {key} {other}")), "OK");
            } else {
                let some: Vec<u64> = (0..=rng.below(40)).map(|_| rng.below(2000)).collect();
                let words: Vec<String> = some.iter().map(u64::to_string).collect();
                let new = some.iter().filter(|e| model.entry(key).or_default().insert(**e)).count();
                let raised = w.say(c, &format!("PFADD {key} {}", words.join(" ")));
                assert!(new > 0 || raised == ":0", "nothing new, and a register rises");
            }
            let union =
                model.get(key).into_iter().chain(model.get(other)).flatten().collect::<BTreeSet<_>>().len();
            let told: f64 = w.say(c, &format!("PFCOUNT {key} {other}"))[1..].parse().expect("a number");
            // Five standard errors of 1.04 / √16384, and one for rounding.
            assert!(
                (told - union as f64).abs() <= 1.0 + 0.041 * union as f64,
                "{told} instead of {union}, seed {seed}"
            );
            let len: usize = w.say(c, &format!("STRLEN {key}"))[1..].parse().expect("a number");
            assert!(len <= 200 || len == 12304, "a sparse sketch of {len} bytes");
            if n % 10 == 0 {
                round_trip(&mut w, c, key).expect("the same sketch");
            }
        }
    }
}
