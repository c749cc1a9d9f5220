//! A command and its arguments against a user.

use super::selector::Selector;
use super::user::User;
use crate::command::{Command, Flags, KeyAccess};
use crate::commands::parse_int;
use crate::error::Error;
use crate::keys::{self, FoundKey};
use crate::node::Node;
use crate::table::CommandIndex;
use tanist_resp::Args;
use tanist_types::DbIndex;

/// Why something is refused, the least telling reason first: of several selectors' reasons the last one counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Reason {
    Database,
    Command,
    Key,
    /// A wrong user name or password.
    Auth,
    Channel,
}

impl Reason {
    /// Its name in `ACL LOG`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Reason::Database => "database",
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Auth => "auth",
            Reason::Channel => "channel",
        }
    }
}

/// A command is refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Denied {
    pub(crate) reason: Reason,
    /// The argument that is not allowed; zero if it is none.
    pub(crate) arg: usize,
}

impl Denied {
    /// What is not allowed: a key, a channel, a database, or the command's name.
    pub(crate) fn object<'a>(&self, command: &'static Command, args: Args<'_, 'a>) -> &'a [u8] {
        match self.arg {
            0 => command.full_name.as_bytes(),
            arg => args.at(arg),
        }
    }

    /// The error reply.
    pub(crate) fn error(&self, user: &User, command: &Command) -> Error {
        Error::new(format!("NOPERM {}", self.why(user, command)))
    }

    /// The error of a command that a script wants to run.
    pub(crate) fn error_in_script(&self, user: &User, command: &Command) -> Error {
        Error::new(format!("ERR ACL failure in script: {}", self.why(user, command)))
    }

    fn why(&self, user: &User, command: &Command) -> String {
        match self.reason {
            Reason::Command => {
                let user = String::from_utf8_lossy(&user.name);
                format!("User {user} has no permissions to run the '{}' command", command.full_name)
            }
            Reason::Key => "No permissions to access a key".into(),
            Reason::Channel => "No permissions to access a channel".into(),
            Reason::Database | Reason::Auth => "No permissions to access database".into(),
        }
    }

    /// The error reply of a command that was allowed when it was queued.
    pub(crate) fn error_in_exec(&self) -> Error {
        let why = match self.reason {
            Reason::Command => "no permission to execute the command or subcommand",
            Reason::Key => "no permission to touch the specified keys",
            Reason::Channel => "no permission to access one of the channels used as arguments to the command",
            Reason::Database | Reason::Auth => "no permission",
        };
        Error::new(format!(
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
             command is no longer allowed for the following reason: {why}"
        ))
    }

    /// A sentence for who asks on behalf of a user (`ACL DRYRUN`).
    pub(crate) fn sentence(&self, user: &User, command: &'static Command, args: Args<'_, '_>) -> Vec<u8> {
        let object = match self.reason {
            Reason::Database => args.at(self.arg),
            _ => self.object(command, args),
        };
        let (before, after): (&str, &str) = match self.reason {
            Reason::Command => ("run the '", "' command"),
            Reason::Key => ("access the '", "' key"),
            Reason::Channel => ("access the '", "' channel"),
            Reason::Database | Reason::Auth => ("access database ", ""),
        };
        let head = [b"User ", &*user.name, b" has no permissions to "].concat();
        [&*head, before.as_bytes(), object, after.as_bytes()].concat()
    }
}

/// A command that somebody wants to run.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a, 'b> {
    pub(crate) index: CommandIndex,
    pub(crate) command: &'static Command,
    pub(crate) args: Args<'a, 'b>,
    /// Other commands, whoever may use one of which may use this one as well, unless a rule takes it away.
    pub(crate) stands_in: [Option<CommandIndex>; 2],
    /// The database it would run in.
    pub(crate) db: DbIndex,
    /// How many databases there are.
    pub(crate) databases: u16,
}

impl User {
    /// Whether the user may do this.
    ///
    /// # Errors
    /// Why not, as the selector says that comes closest to allowing it.
    pub(crate) fn check(&self, wish: &Wish<'_, '_>) -> Result<(), Denied> {
        if self.is_omnipotent() {
            return Ok(());
        }
        let mut why = Denied { reason: Reason::Database, arg: 0 };
        for selector in &self.selectors {
            match selector.check(wish) {
                Ok(()) => return Ok(()),
                Err(denied) => why = why.max(denied),
            }
        }
        Err(why)
    }

    /// Whether the user may read every key there is with this command, as one needs to for keys that no argument
    /// names.
    pub(crate) fn reads_every_key(&self, wish: &Wish<'_, '_>) -> bool {
        self.is_omnipotent() || self.selectors.iter().any(|s| s.reads_every_key() && s.check(wish).is_ok())
    }
}

impl Selector {
    fn check(&self, wish: &Wish<'_, '_>) -> Result<(), Denied> {
        self.check_databases(wish)?;
        let first = wish.args.get(if wish.command.is_sub() { 2 } else { 1 });
        if !wish.command.flags.has(Flags::NO_AUTH)
            && !self.allows_command(wish.index, first)
            && !self.allows_instead(wish)
        {
            return Err(Denied { reason: Reason::Command, arg: 0 });
        }
        self.check_keys(wish)?;
        self.check_channels(wish)
    }

    /// Whether a right to another command covers this one.
    fn allows_instead(&self, wish: &Wish<'_, '_>) -> bool {
        let mut others = wish.stands_in.into_iter().flatten();
        others.any(|other| self.commands.has(other.slot())) && !self.takes_away(wish.command)
    }

    /// Whether a rule takes away the command, or what it is a subcommand of.
    fn takes_away(&self, command: &Command) -> bool {
        let container = command.full_name.split('|').next();
        let named = |rule: &str| rule == command.full_name || Some(rule) == container;
        self.rules.iter().any(|(allows, rule)| !allows && named(rule))
    }

    fn check_keys(&self, wish: &Wish<'_, '_>) -> Result<(), Denied> {
        if self.keys.is_all() || wish.command.keys.is_empty() {
            return Ok(());
        }
        let mut refused = None;
        let found = keys::visit(wish.command, wish.args, &mut |key| {
            if refused.is_none() && !self.allows_found(wish.args.at(key.index), &key) {
                refused = Some(key.index);
            }
        });
        // Arguments that contradict the specification of the keys are refused by the command itself.
        match refused.filter(|_| found.is_some()) {
            Some(arg) => Err(Denied { reason: Reason::Key, arg }),
            None => Ok(()),
        }
    }

    fn allows_found(&self, key: &[u8], found: &FoundKey) -> bool {
        let has = |flag: &str| found.flags.contains(&flag);
        found.access == KeyAccess::Channel
            || self.allows_key(key, has("access"), has("insert") || has("delete") || has("update"))
    }

    fn check_channels(&self, wish: &Wish<'_, '_>) -> Result<(), Denied> {
        if self.channels.is_all() {
            return Ok(());
        }
        let (last, is_pattern) = match wish.command.name {
            "publish" | "spublish" => (1, false),
            "subscribe" | "ssubscribe" => (wish.args.len() - 1, false),
            "psubscribe" => (wish.args.len() - 1, true),
            _ => return Ok(()),
        };
        match (1..=last).find(|&i| !self.allows_channel(wish.args.at(i), is_pattern)) {
            Some(arg) => Err(Denied { reason: Reason::Channel, arg }),
            None => Ok(()),
        }
    }

    fn check_databases(&self, wish: &Wish<'_, '_>) -> Result<(), Denied> {
        if self.databases.is_all() {
            return Ok(());
        }
        let of = wish.args;
        let refused = Denied { reason: Reason::Database, arg: 0 };
        let database = |arg: usize| {
            let db = of.get(arg).and_then(|text| parse_int(text).ok()).and_then(|n| u32::try_from(n).ok());
            db.filter(|&db| db < u32::from(wish.databases))
        };
        // A number that names no database is refused by the command itself.
        let named = |arg: usize| match database(arg) {
            Some(db) if !self.allows_database(db) => Err(Denied { arg, ..refused }),
            _ => Ok(()),
        };
        match wish.command.name {
            "select" => return named(1),
            "swapdb" if database(1).is_some() && database(2).is_some() => {
                return named(1).and_then(|()| named(2));
            }
            "swapdb" => return Ok(()),
            "flushall" => {
                let all = (0..u32::from(wish.databases)).all(|db| self.allows_database(db));
                return if all { Ok(()) } else { Err(refused) };
            }
            _ => {}
        }
        // As in Valkey, the database that an argument names is looked at before the selected one.
        match wish.command.name {
            "move" => named(2)?,
            "copy" => {
                let is_db = |&i: &usize| of.at(i).eq_ignore_ascii_case(b"db");
                (3..of.len()).filter(is_db).try_for_each(|i| named(i + 1))?;
            }
            _ => {}
        }
        match uses_database(wish.command) && !self.allows_database(u32::from(wish.db.0)) {
            true => Err(refused),
            false => Ok(()),
        }
    }
}

/// Whether a command looks at the selected database.
fn uses_database(command: &Command) -> bool {
    command.flags.has(Flags::WRITE.and(Flags::READONLY))
        || command.acl.iter().any(|category| matches!(*category, "keyspace" | "read" | "write"))
        || command.keys.iter().any(|spec| spec.access != KeyAccess::Channel)
}

impl Node {
    /// Whether a user may run a command, given with its name, in a database. A name that is not known is allowed:
    /// it is refused as such.
    ///
    /// # Errors
    /// Why not. [`Node::note_denied`] puts it into the log of refusals.
    pub(crate) fn acl_check(
        &self,
        user: &User,
        db: DbIndex,
        args: Args<'_, '_>,
    ) -> Result<(), (Denied, &'static Command)> {
        if user.is_omnipotent() {
            return Ok(());
        }
        let Ok((index, command)) = self.resolve(args, self.table.find(args.at(0))) else { return Ok(()) };
        if !command.accepts(args.len()) {
            return Ok(());
        }
        user.check(&self.wish(index, command, args, db)).map_err(|denied| (denied, command))
    }

    pub(crate) fn wish<'a, 'b>(
        &self,
        index: CommandIndex,
        command: &'static Command,
        args: Args<'a, 'b>,
        db: DbIndex,
    ) -> Wish<'a, 'b> {
        // The rights of a sentinel's user are written down in many places, and know nothing of TANIST. Who may turn a
        // node into a replica of anybody may do this, too.
        let stands_in = match command.full_name.starts_with("tanist|") {
            true => ["slaveof", "replicaof"].map(|name| self.table.find_original(name.as_bytes())),
            false => [None; 2],
        };
        Wish { index, command, args, stands_in, db, databases: self.data.databases() }
    }
}
