//! `cargo xtask ci`: the steps of CI, in the order of what fails fastest.

use std::process::Command;

use anyhow::Result;

use crate::shell::{cargo, release_binary, step};
use crate::verify::verify;

/// Runs them all; the first failure ends it.
pub(crate) fn ci() -> Result<()> {
    verify(true)?;
    step("tests", cargo().args(["test", "--workspace"]))?;
    let tanist = release_binary()?;
    peer_drill(&tanist)?;
    Ok(())
}

/// The harness itself, on programs whose behaviour is known: redis-server survives a crash, and a plain
/// planned switch there loses writes, which the drill must notice.
fn peer_drill(tanist: &std::path::Path) -> Result<()> {
    step(
        "drill harness on redis-server",
        Command::new(tanist).args(["drill", "crash"]).args([
            "--server-bin",
            "/usr/bin/redis-server",
            "--sentinel-bin",
            "/usr/bin/redis-sentinel",
            "--rate",
            "500",
        ]),
    )
}
