//! `ACL LOAD` and `ACL SAVE`: the users and their file (`aclfile`), and the users of the configuration at the start.
//!
//! The shell reads and writes the file; the client waits for it.

use crate::acl::{RuleError, Surroundings, User, Users, has_spaces, merged};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::node::Node;
use crate::output::{LogLevel, Output, Outputs};
use crate::session::{SessionId, Waiting};
use std::collections::BTreeSet;
use tanist_config::{ServerConfig, UserLine};
use tanist_resp::Args;

const NO_FILE: Error = Error::fixed(
    "ERR This instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER \
     command and then issue a CONFIG REWRITE (assuming you have a configuration file set) in order to store users in \
     the configuration.",
);
const SAVE_FAILED: &str =
    "-ERR There was an error trying to save the ACLs. Please check the server logs for more information\r\n";

/// `ACL LOAD`
pub(crate) fn load(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    if ctx.node.config.aclfile.is_empty() {
        return Err(NO_FILE);
    }
    if ctx.in_transaction {
        return Err(Error::new("ERR ACL LOAD cannot wait for the file inside a transaction"));
    }
    ctx.session.waiting = Some(Waiting::Blocked { until: None });
    ctx.outs.push(Output::ReadUsers { session: ctx.session.id });
    Ok(())
}

/// `ACL SAVE`; in a transaction, which cannot wait, a failure is only logged.
pub(crate) fn save(ctx: &mut Ctx<'_>, _args: Args<'_, '_>) -> Outcome {
    if ctx.node.config.aclfile.is_empty() {
        return Err(NO_FILE);
    }
    let waits = !ctx.in_transaction;
    let bytes = ctx.node.users.write();
    ctx.outs.push(Output::WriteUsers { session: waits.then_some(ctx.session.id), bytes });
    if waits {
        ctx.session.waiting = Some(Waiting::Blocked { until: None });
    } else {
        ctx.reply().ok();
    }
    Ok(())
}

impl Node {
    /// Takes the users from the configuration, or from the bytes of its `aclfile` if it names one. For the start, before
    /// there are connections.
    ///
    /// # Errors
    /// What is wrong with them: the server must not serve then.
    pub fn load_users(&mut self, file: Option<&[u8]>, outs: &mut Outputs) -> Result<(), String> {
        match file {
            Some(_) if !self.config.lists.users.is_empty() => {
                return Err(
                    "The configuration has users and names a file of users ('aclfile') as well. Only one of \
                            them can say who may do what: move the 'user' lines into the file, or name none."
                        .to_owned(),
                );
            }
            Some(bytes) => self.users = self.read_users(bytes)?,
            None => {
                let lines = std::mem::take(&mut self.config.lists.users);
                let mut seen = BTreeSet::new();
                for line in &lines {
                    if !seen.insert(line.args.first()) {
                        return Err(line.error(&RuleError::DuplicateUser.to_string()));
                    }
                    self.configure_user(line, outs)?;
                }
                self.config.lists.users = lines;
            }
        }
        Ok(())
    }

    fn read_users(&self, bytes: &[u8]) -> Result<Users, String> {
        Users::read(bytes, &self.config.aclfile, Surroundings::new(&self.table, &self.config))
    }

    fn configure_user(&mut self, line: &UserLine, outs: &mut Outputs) -> Result<(), String> {
        let (name, rules) = line.args.split_first().ok_or_else(|| line.error("a user needs a name"))?;
        if has_spaces(name) {
            return Err(line.error("Spaces not allowed in ACL usernames"));
        }
        let rules = merged(rules.iter().map(Vec::as_slice))
            .map_err(|_| line.error("Unmatched parenthesis in selector definition"))?;
        let surroundings = Surroundings::new(&self.table, &self.config);
        let mut user = User::nobody(name, surroundings.channels);
        for rule in rules {
            user.apply(&rule, surroundings)
                .map_err(|error| line.error(&format!("'{}': {error}", String::from_utf8_lossy(&rule))))?;
        }
        user.settle();
        if !user.enabled {
            outs.log(
                LogLevel::Notice,
                format!(
                    "The user '{}' is disabled (there is no 'on' modifier in the user description). Make sure this is \
                     not a configuration error.",
                    String::from_utf8_lossy(name)
                ),
            );
        }
        self.users.put(user);
        Ok(())
    }

    /// The configuration with the users as they are now, for a rewrite of its file; without any if they have their own.
    pub(crate) fn config_with_users(&self) -> Box<ServerConfig> {
        let mut config = Box::new(self.config.clone());
        config.lists.users = match config.aclfile.is_empty() {
            true => self
                .users
                .iter()
                .map(|user| UserLine::new([vec![user.name.to_vec()], user.words()].concat()))
                .collect(),
            false => Vec::new(),
        };
        config
    }

    /// The file of users has been read, or why not.
    pub(crate) fn users_read(
        &mut self,
        session: SessionId,
        result: Result<Vec<u8>, String>,
        outs: &mut Outputs,
    ) {
        let users = result
            .map_err(|why| format!("Error loading ACLs, opening file '{}': {why}", self.config.aclfile))
            .and_then(|bytes| self.read_users(&bytes));
        let reply = match users {
            Ok(users) => {
                self.users = users;
                "+OK\r\n".to_owned()
            }
            Err(why) => {
                self.stats.count_error("ERR");
                format!("-ERR {}\r\n", why.replace(['\r', '\n'], " "))
            }
        };
        self.release(session, reply.as_bytes(), outs);
        self.adopt_users(outs);
    }

    /// The file of users has been written, or why not.
    pub(crate) fn users_written(
        &mut self,
        session: Option<SessionId>,
        result: Result<(), String>,
        outs: &mut Outputs,
    ) {
        let reply = match result {
            Ok(()) => "+OK\r\n",
            Err(why) => {
                outs.log(LogLevel::Warning, format!("Saving the file of users failed: {why}"));
                self.stats.count_error("ERR");
                SAVE_FAILED
            }
        };
        if let Some(id) = session {
            self.release(id, reply.as_bytes(), outs);
        }
    }
}
