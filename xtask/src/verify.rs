//! `cargo xtask verify`: what must hold before anything is merged, tests apart.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell::{cargo, output, root, step};

/// Crates that decide and do no I/O.
const CORES: [&str; 10] =
    ["text", "types", "config", "resp", "collections", "keyspace", "rdb", "replication", "scripting", "node"];

/// Crates that no core may depend on, however indirectly: I/O, clocks, ambient randomness.
const IMPURE: [&str; 6] = ["tokio", "mio", "getrandom", "socket2", "rustix", "tracing"];

/// Runs every check and stops at the first that fails. Lints take long; they can be left to another run.
pub(crate) fn verify(lints: bool) -> Result<()> {
    step("format", cargo().args(["fmt", "--all", "--check"]))?;
    if lints {
        let clippy = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        step("lints", cargo().args(clippy))?;
    }
    cores_are_pure()?;
    text_is_clean()?;
    sentinel_core_is_pure()?;
    crate::sabotage::fits()?;
    println!("== all checks passed");
    Ok(())
}

/// The manifest is the proof: nothing impure in the tree of a core, and the lint file that forbids clocks,
/// files and hash maps of random order is in place.
fn cores_are_pure() -> Result<()> {
    let lints = fs::read_to_string(root().join("xtask/core-clippy.toml"))?;
    for core in CORES {
        tree_is_pure(&format!("tanist-{core}"), &[])?;
        let path = root().join("crates").join(core).join("clippy.toml");
        let own = fs::read_to_string(&path).unwrap_or_default();
        if own != lints {
            bail!("{} is not a copy of xtask/core-clippy.toml", path.display());
        }
    }
    println!("== cores are pure");
    Ok(())
}

fn sentinel_core_is_pure() -> Result<()> {
    tree_is_pure("tanist-sentinel", &["--no-default-features"])?;
    step(
        "sentinel core alone",
        cargo().args(["check", "--quiet", "--package", "tanist-sentinel", "--lib", "--no-default-features"]),
    )
}

fn tree_is_pure(package: &str, flags: &[&str]) -> Result<()> {
    let tree = output(
        cargo()
            .args([
                "tree",
                "--package",
                package,
                "--edges",
                "normal",
                "--prefix",
                "none",
                "--format",
                "{lib}",
            ])
            .args(flags),
    )?;
    // A crate seen before is followed by a mark.
    let mut names = tree.lines().filter_map(|l| l.split_whitespace().next());
    match names.find(|dependency| IMPURE.contains(dependency)) {
        Some(impure) => bail!("{package} is a core, but depends on {impure}"),
        None => Ok(()),
    }
}

/// No paths of somebody's machine in anything that is kept.
fn text_is_clean() -> Result<()> {
    // In pieces, so that this file passes its own check.
    let needles = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/tm", "p/")];
    // Examples in a configuration file that users know.
    let allowed = ["redis.sock", "valkey.sock"];
    let files = output(Command::new("git").current_dir(root()).args(["ls-files", "-z"]))?;
    for file in files.split('\0').filter(|f| !f.is_empty() && *f != "Cargo.lock") {
        let path = root().join(file);
        let Ok(text) = fs::read_to_string(&path) else { continue };
        check_text(Path::new(file), &text, &needles, &allowed).context("machine's own path")?;
    }
    println!("== no machine's own paths");
    Ok(())
}

fn check_text(file: &Path, text: &str, needles: &[&str], allowed: &[&str]) -> Result<()> {
    for (number, line) in text.lines().enumerate() {
        let found = needles.iter().any(|n| line.contains(n));
        if found && !allowed.iter().any(|a| line.contains(a)) {
            bail!("{}:{}: {}", file.display(), number + 1, line.trim());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_and_an_example_is_not() {
        let check = |text| check_text(Path::new("f"), text, &["/secret/"], &["known.sock"]);
        assert!(check("all is well").is_ok());
        assert!(check("unixsocket /secret/known.sock").is_ok());
        let error = check("first\n  see /secret/x").unwrap_err().to_string();
        assert_eq!(error, "f:2: see /secret/x");
    }
}
