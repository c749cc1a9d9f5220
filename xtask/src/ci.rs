//! `cargo xtask ci`: the steps of CI, in the order of what fails fastest.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::shell::{cargo, release_binary, root, step};
use crate::verify::verify;

/// Simulated schedules, from the first seed on.
const SEEDS: u64 = 2000;

/// For each of the eleven fuzz targets, which run as many at once as there are cores: a minute and a quarter on two.
const CI_FUZZ_SECONDS: u32 = 15;

/// Where libFuzzer's dice begin in CI, so that a run repeats.
const FUZZ_SEED: u32 = 1;

/// How long random calls are sent to a server, and where their dice begin.
const ROBUSTNESS: (u32, u32) = (24, 1);

/// Runs them all; the first failure ends it.
pub(crate) fn ci() -> Result<()> {
    verify(true)?;
    step("tests", cargo().args(["test", "--workspace"]))?;
    fuzz(CI_FUZZ_SECONDS, Some(FUZZ_SEED))?;
    crate::sim(SEEDS, &[])?;
    crate::sabotage::sabotage(None)?;
    let tanist = release_binary()?;
    drills(&tanist)?;
    let registers = ["run", "--quiet", "--package", "jepsen-like", "--", "--seconds", "20"];
    step("registers under faults", cargo().args(registers))?;
    crate::robustness(ROBUSTNESS.0, ROBUSTNESS.1)?;
    crate::interop()
}

/// One of each kind on our own binaries; and the harness itself on programs whose behaviour is known.
fn drills(tanist: &Path) -> Result<()> {
    for kind in ["crash", "hang", "reboot", "planned"] {
        step(&format!("drill {kind}"), Command::new(tanist).args(["drill", kind]))?;
    }
    let peers = ["--server-bin", "/usr/bin/redis-server", "--sentinel-bin", "/usr/bin/redis-sentinel"];
    let mut crash = Command::new(tanist);
    step("drill harness on redis-server", crash.args(["drill", "crash", "--rate", "500"]).args(peers))
}

/// Every fuzz target, for `seconds` each; with a seed it begins with the kept inputs alone.
pub(crate) fn fuzz(seconds: u32, seed: Option<u32>) -> Result<()> {
    let quiet = |c: &mut Command| c.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !quiet(cargo().args(["fuzz", "--version"])).is_ok_and(|s| s.success()) {
        step("install cargo-fuzz", cargo().args(["install", "cargo-fuzz", "--locked", "--quiet"]))?;
    }
    let seed = seed.map(|s| s.to_string());
    step("fuzz", Command::new(root().join("fuzz/run")).arg(seconds.to_string()).args(seed))
}
