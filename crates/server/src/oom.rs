//! `oom-score-adj`: how soon the kernel ends this process when the machine is short of memory.
//!
//! What stood in `/proc/self/oom_score_adj` before the first change is put back when the directive is `no` again, and is
//! what `relative` adds to. While it is `no` the file is left alone.

use crate::machine::Machine;
use std::io;
use std::path::{Path, PathBuf};
use tanist_config::ServerConfig;
use tanist_config::choice::OomScoreAdj;
use tanist_runtime::listen;

/// What the kernel takes.
const RANGE: std::ops::RangeInclusive<i32> = -1000..=1000;

/// The file, and what has been done to it.
pub(crate) struct OomScore {
    file: PathBuf,
    state: Option<Adjusted>,
}

#[derive(Clone, Copy)]
struct Adjusted {
    /// What stood there before.
    base: i32,
    /// What stands there now.
    score: i32,
}

impl Default for OomScore {
    fn default() -> Self {
        OomScore { file: Path::new("/proc/self/oom_score_adj").into(), state: None }
    }
}

impl OomScore {
    /// Writes what the configuration wants of a node in this role, if anything else stands there. If that fails,
    /// everything stays as it was.
    pub(crate) fn adjust(&mut self, config: &ServerConfig, is_replica: bool) -> io::Result<()> {
        let value = config.oom_score_adj_values[usize::from(is_replica)];
        let base = || self.state.map_or_else(|| self.read(), |adjusted| Ok(adjusted.base));
        let wanted = match config.oom_score_adj {
            OomScoreAdj::No => None,
            OomScoreAdj::Absolute => Some((base()?, value)),
            OomScoreAdj::Yes | OomScoreAdj::Relative => {
                let base = base()?;
                Some((base, base.saturating_add(value)))
            }
        };
        let wanted =
            wanted.map(|(base, score)| Adjusted { base, score: score.clamp(*RANGE.start(), *RANGE.end()) });
        let score = match (wanted, self.state) {
            (None, None) => return Ok(()),
            (None, Some(old)) => old.base,
            (Some(new), old) if old.is_some_and(|old| old.score == new.score) => return Ok(()),
            (Some(new), _) => new.score,
        };
        std::fs::write(&self.file, score.to_string())?;
        self.state = wanted;
        Ok(())
    }

    /// The same after the role may have changed; that it fails is only logged.
    pub(crate) fn follow_role(&mut self, machine: &Machine) {
        let result = machine.enter(|node, _, _| self.adjust(node.config(), node.is_replica()));
        if let Err(error) = result {
            tracing::warn!("Unable to write oom_score_adj: {}", listen::describe(&error));
        }
    }

    fn read(&self) -> io::Result<i32> {
        let text = std::fs::read_to_string(&self.file)?;
        text.trim().parse().map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_added_to_or_put_in_the_place_of_what_was_there_and_that_comes_back() {
        let file = std::env::temp_dir().join(format!("tanist-oom-{}", std::process::id()));
        std::fs::write(&file, "22\n").expect("a file");
        let mut oom = OomScore { file: file.clone(), state: None };
        let mut config = ServerConfig::default();
        let mut stands = |config: &ServerConfig, is_replica| {
            oom.adjust(config, is_replica).expect("it can be written");
            std::fs::read_to_string(&oom.file).expect("a file").trim().to_owned()
        };
        config.set("oom-score-adj-values", &["9", "990", "0"]).expect("three numbers");
        assert_eq!(stands(&config, false), "22");
        for (word, primary, replica) in
            [("yes", "31", "1000"), ("absolute", "9", "990"), ("relative", "31", "1000")]
        {
            config.set("oom-score-adj", &[word]).expect("a mode");
            assert_eq!(stands(&config, false), primary, "{word}");
            assert_eq!(stands(&config, true), replica, "{word}");
        }
        config.set("oom-score-adj", &["no"]).expect("a mode");
        assert_eq!(stands(&config, true), "22");
        std::fs::remove_file(file).expect("the file");
    }
}
