//! Reading and changing the server's configuration by name: CONFIG GET and CONFIG SET without their shell.

use thiserror::Error;

use crate::choice::ProtectedAction;
use crate::codec::Source;
use crate::directive::{Directive, When};
use crate::{ServerConfig, lists};
use tanist_text::glob;

/// Why a value was refused; the text is Redis'.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// No directive has this name.
    #[error("Bad directive or wrong number of arguments")]
    Unknown,
    /// The directive does not take these arguments.
    #[error("{0}")]
    Refused(String),
}

/// Why CONFIG SET changed nothing. Prints as the error reply without its leading `ERR `.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SetError {
    /// No directive has this name.
    #[error("Unknown option or number of arguments for CONFIG SET - '{0}'")]
    Unknown(String),
    /// One pair was refused, by a rule here or by the shell that had to apply it.
    #[error("CONFIG SET failed (possibly related to argument '{name}') - {reason}")]
    Failed {
        /// The name as the client gave it.
        name: String,
        /// What was wrong.
        reason: String,
    },
}

/// A checked CONFIG SET, not yet in force: the caller applies what has outside effects (a new port, say) and only
/// then replaces its configuration by `config`.
#[derive(Clone, Debug)]
pub struct Change {
    /// The whole configuration with the change.
    pub config: ServerConfig,
    /// The directives that were set, in the order given.
    pub directives: Vec<&'static Directive>,
}

impl ServerConfig {
    /// Sets one directive to its arguments, as a line of a file would that is the first of its name.
    ///
    /// # Errors
    /// An unknown name or refused arguments; the configuration is then as before.
    pub fn set(&mut self, name: &str, args: &[&str]) -> Result<(), ConfigError> {
        let directive = Directive::find(name).ok_or(ConfigError::Unknown)?;
        self.assign(directive, args, Source::File { again: false })
    }

    pub(crate) fn assign(&mut self, d: &Directive, args: &[&str], source: Source) -> Result<(), ConfigError> {
        (d.set)(self, args, source).map_err(ConfigError::Refused)
    }

    /// The value of a directive as CONFIG GET prints it; `None` for an unknown name.
    pub fn get(&self, name: &str) -> Option<String> {
        Directive::find(name).map(|d| self.value(d))
    }

    /// The value of a directive as CONFIG GET prints it.
    pub fn value(&self, directive: &Directive) -> String {
        (directive.get)(self)
    }

    /// The pairs that CONFIG GET answers: every name or alias that one of the patterns is or matches, in alphabetical
    /// order. A name that is asked for as it is comes back as it was written, and only so a hidden directive shows.
    pub fn pairs<'a>(&self, asked: &[&'a str]) -> Vec<(&'a str, String)> {
        let found = |(name, d): (&'static str, &Directive)| {
            let answer = |pattern: &&'a str| match pattern.contains(['*', '?', '[']) {
                false => pattern.eq_ignore_ascii_case(name).then_some(*pattern),
                true if d.state.is_hidden() => None,
                true => glob::matches_with(pattern.as_bytes(), name.as_bytes(), true).then_some(name),
            };
            asked.iter().find_map(answer).map(|name| (name, self.value(d)))
        };
        Directive::names().into_iter().filter_map(found).collect()
    }

    /// Checks CONFIG SET of several pairs: all or none. `local` says whether the client is on this machine. Of a directive
    /// that is there under two names the later value counts.
    ///
    /// # Errors
    /// The first name that is unknown, may not be set or is there twice; if there is none, the first value that is
    /// refused.
    pub fn change(&self, pairs: &[(&str, &str)], local: bool) -> Result<Change, SetError> {
        let mut directives: Vec<&'static Directive> = Vec::with_capacity(pairs.len());
        for (i, (name, _)) in pairs.iter().enumerate() {
            let directive = Directive::find(name).ok_or_else(|| SetError::Unknown((*name).to_owned()))?;
            let twice = || pairs[..i].iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            let problem =
                self.forbidden(directive, local).or_else(|| twice().then_some("duplicate parameter"));
            if let Some(reason) = problem {
                return Err(SetError::failed(name, reason));
            }
            directives.push(directive);
        }
        let mut config = self.clone();
        for ((name, value), directive) in pairs.iter().zip(&directives) {
            let words: Vec<&str> = if directive.multi { value.split(' ').collect() } else { vec![value] };
            let refused = |r: String| SetError::failed(&name.to_ascii_lowercase(), &r);
            (directive.set)(&mut config, &words, Source::Runtime).map_err(refused)?;
        }
        Ok(Change { config, directives })
    }

    fn forbidden(&self, directive: &Directive, local: bool) -> Option<&'static str> {
        let protected = match self.enable_protected_configs {
            ProtectedAction::Yes => false,
            ProtectedAction::Local => !local,
            ProtectedAction::No => true,
        };
        match directive.when {
            When::Start => Some("can't set immutable config"),
            When::Protected if protected => Some("can't set protected config"),
            When::Protected | When::Run => None,
        }
    }

    /// Names of directives that differ from their defaults but have no effect here, for a warning each.
    pub fn without_effect(&self) -> Vec<&'static str> {
        let default = ServerConfig::default();
        let idle = |d: &&Directive| !d.state.has_effect() && self.value(d) != default.value(d);
        let mut names: Vec<&'static str> = Directive::all().iter().filter(idle).map(|d| d.name).collect();
        if !self.lists.modules.is_empty() {
            names.push("loadmodule");
        }
        names
    }
}

impl SetError {
    /// The error of a pair that was fine by itself but could not be applied.
    pub fn failed(name: &str, reason: &str) -> SetError {
        SetError::Failed { name: name.to_owned(), reason: reason.to_owned() }
    }
}

/// Whether a name is known to this version in any form, the table's or a listed one.
pub fn is_known(name: &str) -> bool {
    Directive::find(name).is_some() || lists::listed(&name.to_ascii_lowercase()).is_some()
}
