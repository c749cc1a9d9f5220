//! Users as lines of a file: `user <name> <rule> ...`, one a line, nothing else.
//!
//! Source of the format and of the sentences: Valkey's `aclfile`.

use super::rules::{RuleError, merged};
use super::user::User;
use super::{Surroundings, Users, has_spaces};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

impl Users {
    /// The users of a file. The default user may do everything if the file does not name it.
    ///
    /// # Errors
    /// Everything that is wrong, in one sentence after the other; `name` is the file's.
    pub(crate) fn read(bytes: &[u8], name: &str, surroundings: Surroundings<'_>) -> Result<Users, String> {
        let mut users = Users::new("");
        let mut seen: BTreeSet<&[u8]> = BTreeSet::new();
        let mut errors = String::new();
        for (i, line) in bytes.split(|&b| b == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if let Err(what) = users.read_line(line, surroundings, &mut seen) {
                let _ = what.write(&mut errors, name, i + 1);
            }
        }
        if errors.is_empty() {
            return Ok(users);
        }
        errors.push_str(
            "WARNING: ACL errors detected, no change to the previously active ACL rules was performed",
        );
        Err(errors)
    }

    fn read_line<'l>(
        &mut self,
        line: &'l [u8],
        surroundings: Surroundings<'_>,
        seen: &mut BTreeSet<&'l [u8]>,
    ) -> Result<(), Wrong> {
        let mut words = line.split(|&b| b == b' ');
        let (Some(b"user"), Some(name)) = (words.next(), words.next()) else { return Err(Wrong::NoUser) };
        if has_spaces(name) {
            return Err(Wrong::Name(String::from_utf8_lossy(name).into_owned()));
        }
        if !seen.insert(name) {
            return Err(Wrong::Twice(String::from_utf8_lossy(name).into_owned()));
        }
        let rules = merged(words).map_err(|_| Wrong::Parenthesis)?;
        let mut user = User::nobody(name, surroundings.channels);
        let mut wrong = Vec::new();
        for rule in rules {
            if let Err(error) = user.apply(rule.trim_ascii(), surroundings) {
                wrong.push((String::from_utf8_lossy(&rule).into_owned(), error));
            }
        }
        if !wrong.is_empty() {
            return Err(Wrong::Rules(wrong));
        }
        user.settle();
        self.put(user);
        Ok(())
    }

    /// All users as such a file.
    pub(crate) fn write(&self) -> Vec<u8> {
        let lines = self.iter().map(|user: &Arc<User>| [&*user.line(), b"\n"].concat());
        lines.collect::<Vec<_>>().concat()
    }
}

/// What is wrong with a line.
enum Wrong {
    NoUser,
    Name(String),
    Twice(String),
    Parenthesis,
    Rules(Vec<(String, RuleError)>),
}

impl Wrong {
    fn write(&self, out: &mut String, file: &str, line: usize) -> std::fmt::Result {
        match self {
            Wrong::NoUser => {
                write!(out, "{file}:{line} should start with user keyword followed by the username. ")
            }
            Wrong::Name(name) => {
                write!(out, "{file}:{line}: username '{name}' contains invalid characters. ")
            }
            Wrong::Twice(name) => write!(out, "WARNING: Duplicate user '{name}' found on line {line}. "),
            Wrong::Parenthesis => write!(out, "{file}:{line}: Unmatched parenthesis in selector definition."),
            Wrong::Rules(rules) => {
                // A command's name is no secret, so it may be shown; of everything else the first error is enough.
                let mut first = true;
                for (rule, error) in rules {
                    if *error == RuleError::Unknown {
                        write!(out, "{file}:{line}: Error in applying operation '{rule}': {error}. ")?;
                    } else if std::mem::take(&mut first) {
                        write!(out, "{file}:{line}: {error}. ")?;
                    }
                }
                Ok(())
            }
        }
    }
}
