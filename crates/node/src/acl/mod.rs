//! Access control: users, what each may do, and the log of what was refused.
//!
//! A user is a value that never changes; a rule that is given to one makes a new value, and every session of that user
//! is handed it at once. So a session always knows its rights without asking anybody, and the way of a command looks
//! at one flag of the session (`Session::free`) unless somebody is restricted.
//!
//! - `user`: names, passwords and a user's selectors; which of them allows a command.
//! - `selector`: one set of rights: commands, keys, channels, databases.
//! - `rules`: the words of `ACL SETUSER` and what they do.
//! - `check`: a command and its arguments against a user.
//! - `denials`: the log (`ACL LOG`).
//! - `file`: users as lines of a file.
//!
//! The words and their meaning are Valkey 9.1's.

mod check;
mod commands;
mod denials;
mod file;
mod rules;
mod selector;
mod user;

pub(crate) use check::Denied;
pub(crate) use denials::{Context, Denials};
pub(crate) use rules::{RuleError, merged};
pub(crate) use selector::Selector;
pub(crate) use user::User;

use crate::table::CommandTable;
use std::collections::BTreeMap;
use std::sync::Arc;
use tanist_config::ServerConfig;
use tanist_config::choice::AclPubsubDefault;

/// The user that a connection is before it says otherwise; it cannot be removed.
pub(crate) const DEFAULT: &[u8] = b"default";

/// All users, in the order of their names.
#[derive(Clone, Debug)]
pub(crate) struct Users {
    named: BTreeMap<Box<[u8]>, Arc<User>>,
    default: Arc<User>,
}

impl Users {
    /// The default user alone, who may do everything with `password`; without any if it is empty.
    pub(crate) fn new(password: &str) -> Users {
        let default = Arc::new(User::omnipotent(DEFAULT).with_password(password.as_bytes()));
        Users { named: BTreeMap::from([(DEFAULT.into(), default.clone())]), default }
    }

    pub(crate) fn default(&self) -> &Arc<User> {
        &self.default
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<&Arc<User>> {
        self.named.get(name)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<User>> + '_ {
        self.named.values()
    }

    /// Adds a user, or replaces the one of the same name.
    pub(crate) fn put(&mut self, user: User) -> Arc<User> {
        let user = Arc::new(user);
        if *user.name == *DEFAULT {
            self.default = user.clone();
        }
        self.named.insert(user.name.clone(), user.clone());
        user
    }

    /// Removes a user; whether there was one. The default user stays.
    pub(crate) fn remove(&mut self, name: &[u8]) -> bool {
        name != DEFAULT && self.named.remove(name).is_some()
    }

    /// The user of this name with `rules` added to what it has; a new one begins with nothing. Changes nothing here.
    ///
    /// # Errors
    /// The first rule that cannot be, with its place.
    pub(crate) fn changed(
        &self,
        name: &[u8],
        rules: &[Vec<u8>],
        surroundings: Surroundings<'_>,
    ) -> Result<User, (usize, RuleError)> {
        let mut user = match self.get(name) {
            Some(user) => (**user).clone(),
            None => User::nobody(name, surroundings.channels),
        };
        for (i, rule) in rules.iter().enumerate() {
            user.apply(rule, surroundings).map_err(|error| (i, error))?;
        }
        user.settle();
        Ok(user)
    }
}

/// What a rule's meaning depends on beside the user.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) table: &'a CommandTable,
    /// Whether new and reset users may use every channel (`acl-pubsub-default`).
    pub(crate) channels: bool,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn new(table: &'a CommandTable, config: &ServerConfig) -> Surroundings<'a> {
        Surroundings { table, channels: config.acl_pubsub_default == AclPubsubDefault::AllChannels }
    }
}

/// Whether a name has what would break a line of users apart.
pub(crate) fn has_spaces(text: &[u8]) -> bool {
    text.iter().any(|&b| b == 0 || b.is_ascii_whitespace() || b == 0x0b)
}
