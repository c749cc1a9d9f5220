//! The words of `ACL SETUSER`, of `user` lines and of the file of users, and what each does to a user.

use super::commands::CommandSet;
use super::selector::{KeyPattern, Scope, Selector};
use super::user::{Password, User};
use super::{Surroundings, has_spaces};
use crate::commands::catalogue::in_category;
use std::collections::BTreeSet;
use tanist_text::acl::CATEGORIES;
use thiserror::Error;

/// Why a rule was refused. Prints as Valkey's sentence, which tools know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum RuleError {
    #[error("Unknown command or category name in ACL")]
    Unknown,
    #[error("Syntax error")]
    Syntax,
    #[error(
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. \
         Try 'resetkeys' to start with an empty list of patterns"
    )]
    KeysAfterAll,
    #[error(
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. \
         Try 'resetchannels' to start with an empty list of channels"
    )]
    ChannelsAfterAll,
    #[error("The password you are trying to remove from the user does not exist")]
    NoSuchPassword,
    #[error(
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
    )]
    BadHash,
    #[error("Allowing first-arg of a subcommand is not supported")]
    FirstArgOfSubcommand,
    #[error("The provided database ID is out of range")]
    DatabaseOutOfRange,
    #[error("Duplicate user found. A user can only be defined once in config files")]
    DuplicateUser,
}

/// Joins the words of selectors: `(+get`, `~a)` are one rule.
///
/// # Errors
/// The place of a parenthesis that is not closed.
pub(crate) fn merged<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Vec<u8>>, usize> {
    let mut rules: Vec<Vec<u8>> = Vec::new();
    let mut open = None;
    for (i, word) in words.into_iter().enumerate() {
        match (open, rules.last_mut()) {
            (Some(_), Some(selector)) => {
                selector.push(b' ');
                selector.extend_from_slice(word);
            }
            _ => rules.push(word.to_vec()),
        }
        if word.ends_with(b")") {
            open = None;
        } else if open.is_none() && word.starts_with(b"(") {
            open = Some(i);
        }
    }
    open.map_or(Ok(rules), Err)
}

impl User {
    /// Does what one rule says; [`User::settle`] follows the last one.
    ///
    /// # Errors
    /// The rule cannot be. What the user is then is of no use.
    pub(crate) fn apply(&mut self, rule: &[u8], surroundings: Surroundings<'_>) -> Result<(), RuleError> {
        match rule.to_ascii_lowercase().as_slice() {
            b"" => return Ok(()),
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"nopass" => {
                self.no_password = true;
                self.passwords.clear();
            }
            b"resetpass" => {
                self.no_password = false;
                self.passwords.clear();
            }
            // Every payload is checked in any case.
            b"skip-sanitize-payload" | b"sanitize-payload" => {}
            b"clearselectors" => self.selectors.truncate(1),
            b"reset" => *self = User::nobody(&self.name, surroundings.channels),
            _ => return self.apply_other(rule, surroundings),
        }
        Ok(())
    }

    fn apply_other(&mut self, rule: &[u8], surroundings: Surroundings<'_>) -> Result<(), RuleError> {
        match rule {
            [sign @ (b'>' | b'#'), secret @ ..] => {
                let password = password(*sign, secret)?;
                if !self.passwords.contains(&password) {
                    self.passwords.push(password);
                }
                self.no_password = false;
            }
            [sign @ (b'<' | b'!'), secret @ ..] => {
                let password = password(*sign, secret)?;
                let at = self.passwords.iter().position(|p| *p == password);
                self.passwords.remove(at.ok_or(RuleError::NoSuchPassword)?);
            }
            [b'(', inner @ .., b')'] => {
                let mut selector = Selector::none(surroundings.channels);
                for word in inner.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty()) {
                    selector.apply(word, surroundings)?;
                }
                self.selectors.push(selector);
            }
            _ => return self.root().apply(rule, surroundings),
        }
        Ok(())
    }
}

/// The password that is meant: in plain after `>` and `<`, as its hash after `#` and `!`.
fn password(sign: u8, secret: &[u8]) -> Result<Password, RuleError> {
    match sign {
        b'>' | b'<' => Ok(Password::of(secret)),
        _ => Password::from_hex(secret).ok_or(RuleError::BadHash),
    }
}

impl Selector {
    /// Does what one rule says.
    ///
    /// # Errors
    /// The rule cannot be.
    fn apply(&mut self, rule: &[u8], surroundings: Surroundings<'_>) -> Result<(), RuleError> {
        match rule.to_ascii_lowercase().as_slice() {
            b"allkeys" | b"~*" => self.keys = Scope::All,
            b"resetkeys" => self.keys = Scope::Listed(Vec::new()),
            b"allchannels" | b"&*" => self.channels = Scope::All,
            b"resetchannels" => self.channels = Scope::Listed(Vec::new()),
            b"alldbs" => self.databases = Scope::All,
            b"resetdbs" => self.databases = Scope::Listed(BTreeSet::new()),
            b"allcommands" | b"+@all" => self.reset_commands(CommandSet::ALL),
            b"nocommands" | b"-@all" => self.reset_commands(CommandSet::NONE),
            lower if lower.starts_with(b"db=") => self.databases = Scope::Listed(databases(&rule[3..])?),
            _ => return self.apply_other(rule, surroundings),
        }
        Ok(())
    }

    fn apply_other(&mut self, rule: &[u8], surroundings: Surroundings<'_>) -> Result<(), RuleError> {
        match rule {
            [b'~' | b'%', ..] => self.add_keys(rule),
            [b'&', pattern @ ..] => self.add_channels(pattern),
            [sign @ (b'+' | b'-'), b'@', ..] => self.change_category(*sign == b'+', &rule[1..], surroundings),
            [b'+', what @ ..] if what.contains(&b'|') => self.allow_part(what, surroundings),
            [sign @ (b'+' | b'-'), what @ ..] => {
                let on = *sign == b'+';
                let command = surroundings.table.find_original(what).ok_or(RuleError::Unknown)?;
                self.change(command, on, surroundings);
                self.note_rule(on, surroundings.table.get(command).full_name);
                Ok(())
            }
            _ => Err(RuleError::Syntax),
        }
    }

    fn reset_commands(&mut self, commands: CommandSet) {
        self.commands = commands;
        self.first_args.clear();
        self.rules.clear();
    }

    /// `~pattern` or `%RW~pattern`.
    fn add_keys(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        if self.keys.is_all() {
            return Err(RuleError::KeysAfterAll);
        }
        let (mut read, mut write) = (rule[0] == b'~', rule[0] == b'~');
        let mut rest = &rule[1..];
        if rule[0] == b'%' {
            while let [letter, more @ ..] = rest {
                rest = more;
                match letter.to_ascii_uppercase() {
                    b'R' if !read => read = true,
                    b'W' if !write => write = true,
                    b'~' if read || write => break,
                    _ => return Err(RuleError::Syntax),
                }
            }
        }
        if !(read || write) || has_spaces(rest) {
            return Err(RuleError::Syntax);
        }
        let patterns = self.keys.listed();
        match patterns.iter_mut().find(|p| *p.glob == *rest) {
            Some(known) => (known.read, known.write) = (known.read || read, known.write || write),
            None => patterns.push(KeyPattern { glob: rest.into(), read, write }),
        }
        Ok(())
    }

    fn add_channels(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        if self.channels.is_all() {
            return Err(RuleError::ChannelsAfterAll);
        }
        if has_spaces(pattern) {
            return Err(RuleError::Syntax);
        }
        let patterns = self.channels.listed();
        if !patterns.iter().any(|p| **p == *pattern) {
            patterns.push(pattern.into());
        }
        Ok(())
    }

    /// `+@category` or `-@category`; `what` begins with the `@`.
    fn change_category(
        &mut self,
        on: bool,
        what: &[u8],
        surroundings: Surroundings<'_>,
    ) -> Result<(), RuleError> {
        let what = String::from_utf8_lossy(what).to_ascii_lowercase();
        let category = CATEGORIES.into_iter().find(|c| what[1..] == **c).ok_or(RuleError::Unknown)?;
        for (command, _) in surroundings.table.all().filter(|(_, c)| in_category(c, category)) {
            self.change(command, on, surroundings);
        }
        self.note_rule(on, &what);
        Ok(())
    }

    /// `+command|part`: a subcommand, or a command with this first argument only.
    fn allow_part(&mut self, what: &[u8], surroundings: Surroundings<'_>) -> Result<(), RuleError> {
        let table = surroundings.table;
        let at = what.iter().rposition(|&b| b == b'|').ok_or(RuleError::Unknown)?;
        let (command, first) = (&what[..at], &what[at + 1..]);
        let command = table.find_original(command).ok_or(RuleError::Unknown)?;
        if table.get(command).is_sub() {
            return Err(RuleError::FirstArgOfSubcommand);
        }
        if first.is_empty() {
            return Err(RuleError::Syntax);
        }
        if table.subs(command).next().is_some() {
            let sub = table.find_original(what).ok_or(RuleError::Unknown)?;
            self.change(sub, true, surroundings);
        } else {
            self.allow_first_arg(command, first);
        }
        self.note_rule(true, &String::from_utf8_lossy(what));
        Ok(())
    }
}

/// `0,3,5`: numbers as C reads them, with spaces before them and a sign.
fn databases(list: &[u8]) -> Result<BTreeSet<u32>, RuleError> {
    let number = |word: &[u8]| {
        let text = std::str::from_utf8(word.trim_ascii_start()).map_err(|_| RuleError::Syntax)?;
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(RuleError::Syntax);
        }
        let fits = text.parse::<i32>().ok().and_then(|n| u32::try_from(n).ok());
        fits.ok_or(RuleError::DatabaseOutOfRange)
    };
    list.split(|&b| b == b',').map(number).collect()
}
