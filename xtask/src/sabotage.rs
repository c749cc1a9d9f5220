//! `cargo xtask sabotage`: leaves out the rules of the protocol one by one, and demands that the simulator notices.
//!
//! The changes are made in a copy of the sources (`crates/sim/sabotage.txt`), all in one build; a variable of the
//! environment says which of them is in force in a run. So the sources carry no switches, and no shipping binary can
//! have one on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};

use crate::shell::{cargo, output, root, step, target_dir};

/// Names the rule that is left out in a run.
const VARIABLE: &str = "TANIST_LEFT_OUT";

/// How many seeds are tried, from that of the list on: when the cores change, a seed means another schedule.
const TRIES: u64 = 2_000;

/// What the changes ask, at the end of the crate that all others depend on.
const SWITCH: &str = r#"
#[doc(hidden)]
pub fn left_out(rule: &str) -> bool {
    static RULE: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    RULE.get_or_init(|| std::env::var("TANIST_LEFT_OUT").ok()).as_deref() == Some(rule)
}
"#;

/// A rule, and where its absence shows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Rule {
    name: String,
    stage: String,
    seed: u64,
    invariant: String,
    demand: String,
}

/// Lines of a file, and what stands in their place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Change {
    file: String,
    old: Vec<String>,
    new: Vec<String>,
}

/// The whole list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Plan {
    rules: Vec<Rule>,
    changes: Vec<Change>,
}

impl Plan {
    fn read() -> Result<Plan> {
        Plan::parse(&fs::read_to_string(root().join("crates/sim/sabotage.txt"))?)
    }

    fn parse(text: &str) -> Result<Plan> {
        let mut plan = Plan::default();
        for (number, line) in text.lines().enumerate() {
            plan.take(line).with_context(|| format!("line {}: {line}", number + 1))?;
        }
        for rule in &plan.rules {
            let used = plan.changes.iter().flat_map(|c| &c.new).any(|l| l.contains(&question(&rule.name)));
            ensure!(used, "no change asks for {}", rule.name);
        }
        Ok(plan)
    }

    fn take(&mut self, line: &str) -> Result<()> {
        let last = self.changes.last_mut();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("" | "#", _) => {}
            ("rule", rest) => {
                let (head, demand) = rest.split_once(": ").context("a demand is missing")?;
                let words: Vec<&str> = head.split(' ').collect();
                let [name, stage, seed, invariant] = words[..] else {
                    bail!("name, stage, seed and invariant")
                };
                self.rules.push(Rule {
                    name: name.into(),
                    stage: stage.into(),
                    seed: seed.parse()?,
                    invariant: invariant.into(),
                    demand: demand.into(),
                });
            }
            ("in", file) => self.changes.push(Change { file: file.into(), ..Change::default() }),
            ("-", old) => last.context("no file")?.old.push(old.trim().into()),
            ("+", new) => last.context("no file")?.new.push(new.into()),
            _ => bail!("neither a rule nor a change"),
        }
        Ok(())
    }

    /// The changed text of every file that changes. `text` gives that of the original.
    fn apply(&self, text: impl Fn(&str) -> Result<String>) -> Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        for change in &self.changes {
            let before = match files.remove(&change.file) {
                Some(text) => text,
                None => text(&change.file)?,
            };
            files.insert(change.file.clone(), change.apply(&before)?);
        }
        for (file, text) in &mut files {
            for rule in &self.rules {
                let asked = format!("tanist_types::left_out(\"{}\")", rule.name);
                *text = text.replace(&question(&rule.name), &asked);
            }
            ensure!(!text.contains("WITHOUT("), "{file}: a rule that is not in the list");
        }
        Ok(files)
    }
}

impl Change {
    fn apply(&self, text: &str) -> Result<String> {
        let lines: Vec<&str> = text.lines().collect();
        let same = |window: &[&str]| window.iter().zip(&self.old).all(|(line, old)| line.trim() == old);
        ensure!(!self.old.is_empty(), "{}: nothing to be changed", self.file);
        let places: Vec<usize> =
            lines.windows(self.old.len()).enumerate().filter(|(_, w)| same(w)).map(|(at, _)| at).collect();
        let [at] = places[..] else {
            bail!("{}: {} places in place of one: {}", self.file, places.len(), self.old.join(" / "));
        };
        let new = self.new.iter().map(String::as_str);
        let rest = &lines[at + self.old.len()..];
        let all: Vec<&str> = lines[..at].iter().copied().chain(new).chain(rest.iter().copied()).collect();
        Ok(all.join("\n") + "\n")
    }
}

fn question(rule: &str) -> String {
    format!("WITHOUT({rule})")
}

/// The list fits the sources; nothing is built.
pub(crate) fn fits() -> Result<()> {
    changed()?;
    println!("== the sabotage fits the sources");
    Ok(())
}

fn changed() -> Result<(Plan, BTreeMap<String, String>)> {
    let plan = Plan::read().context("crates/sim/sabotage.txt")?;
    let files =
        plan.apply(|file| fs::read_to_string(root().join(file)).with_context(|| format!("no {file}")))?;
    Ok((plan, files))
}

/// Builds the copy and leaves out each rule, or the one of that name.
pub(crate) fn sabotage(only: Option<&str>) -> Result<()> {
    let (plan, files) = changed()?;
    let tree = target_dir().join("sabotage-tree");
    copy(&tree, files).context("cannot copy the sources")?;
    let simulator = build(&tree)?;
    let rules: Vec<&Rule> = plan.rules.iter().filter(|r| only.is_none_or(|o| o == r.name)).collect();
    ensure!(!rules.is_empty(), "there is no such rule");
    let (next, missed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(rule) = rules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(e) = is_missed(&simulator, rule) {
                        println!("{}: {e:#}", rule.name);
                        missed.lock().unwrap_or_else(|e| e.into_inner()).push(rule.name.clone());
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap_or_else(|e| e.into_inner());
    ensure!(missed.is_empty(), "left out, and nobody noticed: {}", missed.join(" "));
    println!("== every rule that is left out is missed");
    Ok(())
}

/// The invariant breaks without the rule, and in the same schedule nothing breaks with it.
fn is_missed(simulator: &Path, rule: &Rule) -> Result<()> {
    let stage = |seed: &str| {
        let mut run = Command::new(simulator);
        run.args(["--stage", &rule.stage, "--start", seed]);
        run
    };
    let mut search = stage(&rule.seed.to_string());
    search.args(["--seeds", &TRIES.to_string(), "--until", &rule.invariant]).env(VARIABLE, &rule.name);
    let found = output(&mut search).context("not found")?;
    println!("{}: {}: seed {}", rule.name, rule.demand, found.trim());
    let seed = found.split(' ').next().unwrap_or_default();
    output(stage(seed).args(["--seeds", "1"])).context("the schedule fails with the rule, too")?;
    Ok(())
}

/// Brings the copy up to date. Files that are as they should be are not touched, so that little is built again.
fn copy(tree: &Path, mut files: BTreeMap<String, String>) -> Result<()> {
    let types = "crates/types/src/lib.rs";
    let text = fs::read_to_string(root().join(types))?;
    files.insert(types.into(), text + SWITCH);
    let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let names = output(Command::new("git").current_dir(root()).args(listed))?;
    let kept: BTreeSet<PathBuf> = names.split('\0').map(|n| tree.join(n)).collect();
    remove_others(tree, &kept)?;
    for name in names.split('\0').filter(|n| !n.is_empty()) {
        let from = root().join(name);
        let content = match files.remove(name) {
            Some(text) => text.into_bytes(),
            None if from.is_file() => fs::read(&from)?,
            None => continue,
        };
        let to = tree.join(name);
        if fs::read(&to).ok().as_ref() != Some(&content) {
            fs::create_dir_all(to.parent().unwrap_or(tree))?;
            fs::write(&to, content)?;
        }
    }
    Ok(())
}

/// Removes the files below a directory that the sources do not have any more.
fn remove_others(dir: &Path, kept: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, kept)?;
        } else if !kept.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// As fast as a release, but sooner built; in a directory of its own.
fn build(tree: &Path) -> Result<PathBuf> {
    let mut build = cargo();
    build.current_dir(tree).env("CARGO_TARGET_DIR", target_dir());
    build.args(["build", "--quiet", "--package", "tanist-sim", "--profile", "sabotage"]);
    let settings = ["inherits=\"release\"", "lto=false", "codegen-units=16", "debug=false", "opt-level=2"];
    for setting in settings {
        build.args(["--config", &format!("profile.sabotage.{setting}")]);
    }
    step("build the sabotaged simulator", &mut build)?;
    Ok(target_dir().join("sabotage/tanist-sim"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str =
        "# why\n\nrule A storm 7 W1: a demand\nin f.rs\n- if x\n- && y\n+ if x && !WITHOUT(A)\n";

    fn applied(list: &str, text: &str) -> Result<String> {
        let files = Plan::parse(list)?.apply(|_| Ok(text.to_owned()))?;
        Ok(files["f.rs"].clone())
    }

    #[test]
    fn lines_that_occur_once_are_replaced() {
        let text = applied(LIST, "fn f() {\n    if x\n        && y\n    {}\n}\n").unwrap();
        assert_eq!(text, "fn f() {\nif x && !tanist_types::left_out(\"A\")\n    {}\n}\n");
    }

    #[test]
    fn a_list_that_does_not_fit_is_refused() {
        let twice = applied(LIST, "if x\n&& y\nif x\n&& y\n").unwrap_err().to_string();
        assert_eq!(twice, "f.rs: 2 places in place of one: if x / && y");
        assert!(applied(LIST, "if y\n").unwrap_err().to_string().contains("0 places"));
        let unknown = LIST.replace("WITHOUT(A)", "WITHOUT(A) && WITHOUT(B)");
        assert!(applied(&unknown, "if x\n&& y\n").unwrap_err().to_string().contains("not in the list"));
        let unused = Plan::parse("rule A storm 7 W1: a demand\n").unwrap_err().to_string();
        assert_eq!(unused, "no change asks for A");
    }

    #[test]
    fn the_kept_list_fits_the_sources() {
        fits().unwrap();
    }
}
