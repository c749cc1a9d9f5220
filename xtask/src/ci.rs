//! `cargo xtask ci`: the steps of CI, in the order of what fails fastest.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

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
    builds()?;
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

/// What later steps run, built side by side: each of the two is a chain of crates, one after the other, and leaves a core
/// to the other.
fn builds() -> Result<()> {
    let release = || {
        release_binary()?;
        step("build of the simulator", cargo().args(["build", "--release", "--package", "tanist-sim"]))
    };
    std::thread::scope(|scope| {
        let fuzz_targets = scope.spawn(build_fuzz_targets);
        release()?;
        fuzz_targets.join().unwrap_or_else(|_| bail!("the build of the fuzz targets failed"))
    })
}

fn build_fuzz_targets() -> Result<()> {
    install_cargo_fuzz()?;
    let mut build = cargo();
    step(
        "build of the fuzz targets",
        build.current_dir(root().join("fuzz")).arg("fuzz").arg("build").env("RUSTC_BOOTSTRAP", "1"),
    )
}

fn install_cargo_fuzz() -> Result<()> {
    let quiet = |c: &mut Command| c.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if quiet(cargo().args(["fuzz", "--version"])).is_ok_and(|s| s.success()) {
        return Ok(());
    }
    step("install cargo-fuzz", cargo().args(["install", "cargo-fuzz", "--locked", "--quiet"]))
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
    install_cargo_fuzz()?;
    let seed = seed.map(|s| s.to_string());
    step("fuzz", Command::new(root().join("fuzz/run")).arg(seconds.to_string()).args(seed))
}
