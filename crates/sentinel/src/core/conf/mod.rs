//! `sentinel.conf`: read into settings and state, and written back with comments, order and token order kept, so that
//! people and scripts find what they know.

mod apply;
mod file;
mod others;
mod render;

pub(crate) use apply::{OPTIONS, is_tellable, set as set_option};
pub(crate) use file::{File, canonical};

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
    /// The file, if it is known here.
    pub file: Option<String>,
    /// Its number, from one.
    pub number: usize,
    /// The line as written.
    pub line: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_ref().map_or_else(String::new, |file| format!(" {file}"));
        write!(
            f,
            "Reading the configuration file{file}, at line {}\n>>> '{}'\n{}",
            self.number, self.line, self.why
        )
    }
}

impl BadConfig {
    /// The same, of this file, unless it is known to be of another one.
    #[must_use]
    pub fn of(mut self, file: &str) -> BadConfig {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }
}

/// The text of a configuration file with this name and these bytes.
///
/// # Errors
/// Names the first line that is not UTF-8.
pub fn config_text(file: &str, bytes: Vec<u8>) -> Result<String, BadConfig> {
    String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let bad_line = e.as_bytes()[good.len()..].split(|&b| b == b'\n').next().unwrap_or_default();
        let start = good.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let line = [&good[start..], bad_line].concat();
        BadConfig {
            file: Some(file.to_owned()),
            number: good.iter().filter(|&&b| b == b'\n').count() + 1,
            line: String::from_utf8_lossy(&line).trim().to_owned(),
            why: "The line is not UTF-8".to_owned(),
        }
    })
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
    /// The directives of the server.
    pub(crate) server: tanist_config::Loaded,
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

    /// What the file says beside the sentinel's own: the server's directives, with a sentinel's defaults.
    #[must_use]
    pub fn server(&self) -> &tanist_config::ServerConfig {
        &self.loaded.server.config
    }

    /// Directives that are accepted but change nothing here, for a warning each.
    pub fn without_effect(&self) -> impl Iterator<Item = &'static str> {
        others::WITHOUT_EFFECT.iter().filter_map(|(name, idle)| {
            let asks = self.file.directive(name)?.iter().any(|word| !word.eq_ignore_ascii_case(idle));
            asks.then_some(*name)
        })
    }

    /// Whether it names a group of this name.
    #[must_use]
    pub fn monitors(&self, group: &str) -> bool {
        self.loaded.groups.iter().any(|g| g.name == group)
    }

    /// Most connections of others at once.
    #[must_use]
    pub fn max_clients(&self) -> u32 {
        self.loaded.globals.max_clients
    }

    /// Lets in no more of them than that, whatever the file says. The file stays as it is.
    pub fn limit_clients(&mut self, most: u32) {
        self.loaded.globals.max_clients = self.max_clients().min(most);
    }

    /// The scripts of all groups, each with the name of its setting.
    pub fn scripts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.loaded.groups.iter().map(|g| &g.settings).flat_map(|s| {
            let each = [
                ("notification-script", &s.notification_script),
                ("client-reconfig-script", &s.reconfig_script),
            ];
            each.into_iter().filter_map(|(what, path)| Some((what, path.as_deref()?)))
        })
    }

    /// The error of the last line that gives `setting` this value, which only the shell can judge.
    #[must_use]
    pub fn bad_value(&self, setting: &str, value: &str, why: String) -> BadConfig {
        let says = |line: &&file::Line| {
            let own = line.own().unwrap_or(&line.words);
            own.first().is_some_and(|name| name.eq_ignore_ascii_case(setting))
                && own.iter().any(|w| w == value)
        };
        match self.file.lines().rev().find(says) {
            Some(line) => line.bad(why),
            None => BadConfig { file: None, number: 0, line: setting.to_owned(), why },
        }
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
        g.kept = g.vote;
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
