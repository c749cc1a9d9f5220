//! `sentinel.conf`: read into settings and state, and written back with comments, order and token order kept, so that
//! people and scripts find what they know.

mod apply;
mod file;
mod render;

pub(crate) use apply::{OPTIONS, set as set_option};
pub(crate) use file::File;

use super::addr::Addr;
use super::group::Group;
use super::settings::{Globals, GroupSettings};
use super::timing::Timing;
use super::{GroupId, Sentinel};
use std::fmt;
use tanist_config::IncludeReader;
use tanist_types::{ConfigEpoch, Epoch, RunId};

/// A line of the configuration that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadConfig {
    /// Its number, from one.
    pub number: usize,
    /// The line as written.
    pub line: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Reading the configuration file, at line {}\n>>> '{}'\n{}",
            self.number, self.line, self.why
        )
    }
}

impl std::error::Error for BadConfig {}

/// A group as the file has it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct LoadedGroup {
    pub(crate) name: String,
    /// Whether an included file names it.
    pub(crate) included: bool,
    pub(crate) addr: Addr,
    pub(crate) settings: GroupSettings,
    pub(crate) config_epoch: ConfigEpoch,
    pub(crate) leader_epoch: Epoch,
    pub(crate) replicas: Vec<Addr>,
    pub(crate) peers: Vec<(RunId, Addr)>,
}

/// Everything that the file says about the sentinel.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) globals: Globals,
    pub(crate) epoch: Epoch,
    pub(crate) groups: Vec<LoadedGroup>,
}

/// A configuration that was read without errors.
#[derive(Clone, Debug)]
pub struct Config {
    file: File,
    loaded: Loaded,
}

impl Config {
    /// Reads the text of a configuration file that includes no other.
    ///
    /// # Errors
    /// Names the first line that cannot be used, and why.
    pub fn parse(text: &str) -> Result<Config, BadConfig> {
        Config::parse_with(text, "", &mut |_| Err("nothing can be included here".to_owned()))
    }

    /// Reads the text of a configuration file, through `reader` the files that it includes, and after them the options
    /// of the command line.
    ///
    /// # Errors
    /// Names the first line that cannot be used, and why.
    pub fn parse_with(
        text: &str,
        options: &str,
        reader: &mut IncludeReader<'_>,
    ) -> Result<Config, BadConfig> {
        let mut file = File::parse(text, reader)?;
        file.add_options(options)?;
        let loaded = apply::load(&file)?;
        Ok(Config { file, loaded })
    }

    /// The arguments of the last line that sets `directive`, which is not one of the sentinel's own.
    #[must_use]
    pub fn directive(&self, directive: &str) -> Option<&[String]> {
        self.file.directive(directive)
    }

    pub(crate) fn into_parts(self) -> (File, Loaded) {
        (self.file, self.loaded)
    }
}

impl Sentinel {
    /// Takes a group from the file under watch.
    pub(crate) fn adopt_group(&mut self, loaded: LoadedGroup) {
        let now = self.now.mono;
        let id = GroupId(self.next_group);
        self.next_group += 1;
        let mut g = Group::new(id, &loaded.name, loaded.addr, loaded.settings, now);
        g.config_epoch = loaded.config_epoch;
        g.vote.epoch = loaded.leader_epoch;
        self.epoch = self.epoch.max(loaded.leader_epoch);
        for addr in loaded.replicas {
            if g.node_at(&addr).is_none() {
                g.add_node(addr, now);
            }
        }
        for (run_id, addr) in loaded.peers {
            if run_id != self.me {
                g.add_peer(run_id, addr, now);
            }
        }
        let more = format!("quorum {}", g.settings.quorum);
        self.event(&g, super::Level::Warning, "+monitor", super::events::Who::Group, &more);
        self.groups.insert(id, Box::new(g));
    }

    /// The settings of a group for which nothing was said.
    pub(crate) fn default_settings(&self, quorum: u32) -> GroupSettings {
        let Timing { default_down_after, default_failover_timeout, .. } = self.timing;
        GroupSettings::new(quorum, default_down_after, default_failover_timeout)
    }
}
