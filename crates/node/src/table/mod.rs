//! The table of commands and the way from a name to a command.

mod admin;
mod bitmap;
mod client;
mod cluster;
mod connection;
mod database;
mod generic;
mod geo;
mod hash;
pub(crate) mod history;
mod hyperloglog;
mod list;
mod name;
mod observe;
mod pubsub;
mod scripting;
mod set;
mod sorted_set;
mod stream;
mod string;
mod transactions;

use name::{Name, first_word, slot_of};

use crate::command::{Action, Command, Places};

/// A command's place in the table; also the place of its counters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CommandIndex(u16);

impl CommandIndex {
    pub(crate) const fn slot(self) -> usize {
        self.0 as usize
    }
}

/// Every command, group by group.
const GROUPS: &[&[Command]] = &[
    generic::COMMANDS,
    string::COMMANDS,
    bitmap::COMMANDS,
    hyperloglog::COMMANDS,
    list::COMMANDS,
    sorted_set::COMMANDS,
    geo::COMMANDS,
    set::COMMANDS,
    hash::COMMANDS,
    stream::COMMANDS,
    transactions::COMMANDS,
    pubsub::COMMANDS,
    scripting::COMMANDS,
    connection::COMMANDS,
    database::COMMANDS,
    crate::replication::COMMANDS,
    client::COMMANDS,
    cluster::COMMANDS,
    admin::COMMANDS,
    observe::COMMANDS,
];

/// The commands of this node, under the names that its configuration gives them.
#[derive(Debug)]
pub(crate) struct CommandTable {
    rows: Vec<Row>,
    /// Open addressing over the top-level names; `EMPTY` or a row.
    slots: Box<[u16; SLOTS]>,
}

#[derive(Debug)]
struct Row {
    command: &'static Command,
    /// The name it is called by (lower case).
    name: Name,
    parent: Option<CommandIndex>,
    first_key: usize,
    element: i8,
    places: Places,
    /// Its cost grows with its input or the data, so it is timed by itself.
    timed: bool,
}

const EMPTY: u16 = u16::MAX;
const SLOTS: usize = 2048;

impl CommandTable {
    /// The table with `rename-command` applied: pairs of old and new names, an empty new name removes the command.
    pub(crate) fn new(renames: &[(String, String)]) -> CommandTable {
        let mut table = CommandTable { rows: Vec::new(), slots: Box::new([EMPTY; SLOTS]) };
        for command in GROUPS.iter().copied().flatten() {
            let renamed = renames.iter().rev().find(|(old, _)| old.eq_ignore_ascii_case(command.name));
            let name = renamed.map_or(command.name.to_owned(), |(_, new)| new.to_lowercase());
            let index = table.add(command, &name, None);
            if !name.is_empty() {
                table.enter(index, name.as_bytes());
            }
            if let Action::Container(subs) | Action::RunOrContainer(_, subs) = command.action {
                for sub in subs {
                    table.add(sub, sub.name, Some(index));
                }
            }
        }
        table
    }

    fn add(&mut self, command: &'static Command, name: &str, parent: Option<CommandIndex>) -> CommandIndex {
        let index = CommandIndex(self.rows.len() as u16);
        let timed = !command.complexity.starts_with("O(1)");
        let (first_key, element, places) = (command.first_key(), command.element, command.places);
        self.rows.push(Row { command, name: Name::new(name), parent, first_key, element, places, timed });
        index
    }

    fn enter(&mut self, index: CommandIndex, name: &[u8]) {
        let mut slot = slot_of(first_word(name), name.len(), SLOTS);
        while self.slots[slot] != EMPTY {
            slot = (slot + 1) % SLOTS;
        }
        self.slots[slot] = index.0;
    }

    /// The command called `name`, in any case.
    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<CommandIndex> {
        let word = first_word(name);
        let mut slot = slot_of(word, name.len(), SLOTS);
        loop {
            let row = self.slots[slot];
            if row == EMPTY {
                return None;
            }
            if self.rows[row as usize].name.is_word(name, word) {
                return Some(CommandIndex(row));
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// [`CommandTable::find`] behind a command `before`: neighbours in a pipeline are most often the same.
    #[inline]
    pub(crate) fn find_behind(&self, before: Option<CommandIndex>, name: &[u8]) -> Option<CommandIndex> {
        match before {
            Some(before) if self.rows[before.slot()].name.is(name) => Some(before),
            _ => self.find(name),
        }
    }

    /// The subcommand `name` of a container.
    pub(crate) fn find_sub(&self, container: CommandIndex, name: &[u8]) -> Option<CommandIndex> {
        let first = container.slot() + 1;
        let subs = self.rows[first..].iter().take_while(|row| row.parent == Some(container));
        let at = subs.into_iter().position(|row| row.name.is(name))?;
        Some(CommandIndex((first + at) as u16))
    }

    /// The command of this full name (`get`, `config|set`), whatever it was renamed to.
    pub(crate) fn find_original(&self, full_name: &[u8]) -> Option<CommandIndex> {
        let is = |row: &Row| row.command.full_name.as_bytes().eq_ignore_ascii_case(full_name);
        self.rows.iter().position(is).map(|at| CommandIndex(at as u16))
    }

    /// The subcommands of a container; none of any other.
    pub(crate) fn subs(&self, container: CommandIndex) -> impl Iterator<Item = CommandIndex> + '_ {
        let first = container.slot() + 1;
        let subs = self.rows[first..].iter().take_while(move |row| row.parent == Some(container));
        subs.enumerate().map(move |(i, _)| CommandIndex((first + i) as u16))
    }

    /// The place of a command.
    pub(crate) fn index_of(&self, command: &Command) -> Option<CommandIndex> {
        let at = self.rows.iter().position(|row| std::ptr::eq(row.command, command))?;
        Some(CommandIndex(at as u16))
    }

    #[inline]
    pub(crate) fn get(&self, index: CommandIndex) -> &'static Command {
        self.rows[index.slot()].command
    }

    #[inline]
    pub(crate) fn first_key(&self, index: CommandIndex) -> usize {
        self.rows[index.slot()].first_key
    }

    /// See [`Command::element`].
    #[inline]
    pub(crate) fn element(&self, index: CommandIndex) -> i8 {
        self.rows[index.slot()].element
    }

    /// See [`Command::places`].
    #[inline]
    pub(crate) fn places(&self, index: CommandIndex) -> Places {
        self.rows[index.slot()].places
    }

    #[inline]
    pub(crate) fn is_timed(&self, index: CommandIndex) -> bool {
        self.rows[index.slot()].timed
    }

    /// The number of rows, subcommands included.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Every command that is no subcommand, with its place.
    pub(crate) fn top_level(&self) -> impl Iterator<Item = (CommandIndex, &'static Command)> + '_ {
        let rows = self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.parent.is_none() && !row.name.as_str().is_empty());
        rows.map(|(i, row)| (CommandIndex(i as u16), row.command))
    }

    /// Every row, subcommands included.
    pub(crate) fn all(&self) -> impl Iterator<Item = (CommandIndex, &'static Command)> + '_ {
        self.rows.iter().enumerate().map(|(i, row)| (CommandIndex(i as u16), row.command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Flags, KeyAccess, KeyBegin, KeyFind, KeySpec};
    use crate::commands::catalogue::categories;
    use crate::keys::legacy_range;

    #[test]
    fn names_are_found_in_any_case_and_nothing_else_is() {
        let table = CommandTable::new(&[]);
        let get = table.find(b"GeT").expect("GET exists");
        assert_eq!(table.get(get).name, "get");
        assert_eq!(table.find(b"get "), None);
        assert_eq!(table.find(b""), None);
        let client = table.find(b"client").expect("CLIENT exists");
        let id = table.find_sub(client, b"ID").expect("CLIENT ID exists");
        assert_eq!(table.get(id).full_name, "client|id");
        assert_eq!(table.find(b"client|id"), None);
    }

    #[test]
    fn renamed_commands_answer_to_the_new_name_only() {
        let table = CommandTable::new(&[("GET".into(), "fetch".into()), ("set".into(), String::new())]);
        assert!(
            table.find(b"get").is_none() && table.find(b"FETCH").is_some() && table.find(b"set").is_none()
        );
    }

    #[test]
    fn every_command_is_described() {
        for (_, c) in CommandTable::new(&[]).all() {
            assert!(
                !c.summary.is_empty() && !c.complexity.is_empty(),
                "{} lacks its description",
                c.full_name
            );
            assert_eq!(c.name, c.name.to_lowercase());
        }
    }

    /// One line of `commands-valkey-9.1.txt` as this table has it.
    fn fact(c: &Command) -> String {
        let flags: Vec<&str> = Flags::NAMED
            .iter()
            .filter(|(f, name)| c.flags.has(*f) && !name.is_empty())
            .map(|(_, name)| *name)
            .collect();
        let (first, last, step) = legacy_range(c);
        let mut acl = categories(c);
        acl.sort_unstable();
        let name = c.full_name.replace('|', "/");
        let group = c.group.name();
        let keys: Vec<String> = c.keys.iter().map(key_fact).collect();
        [
            name,
            c.arity.to_string(),
            flags.join(","),
            format!("{first} {last} {step}"),
            acl.join(","),
            c.tips.join(","),
            keys.join(" "),
            group.to_owned(),
            c.since.to_owned(),
        ]
        .join("|")
    }

    fn key_fact(spec: &KeySpec) -> String {
        let access = match spec.access {
            KeyAccess::Read => "RO",
            KeyAccess::ReadWrite => "RW",
            KeyAccess::Overwrite => "OW",
            KeyAccess::Remove => "RM",
            KeyAccess::Channel => "not_key",
        };
        let flags: Vec<&str> = std::iter::once(access).chain(spec.flags.iter().copied()).collect();
        let begin = match spec.begin {
            KeyBegin::Index(i) => format!("index:{i}"),
            KeyBegin::Keyword(word, from) => format!("keyword:{word}:{from}"),
            KeyBegin::Unknown => "unknown".to_owned(),
        };
        let find = match spec.find {
            KeyFind::Range { last, step, limit } => format!("range:{last}:{step}:{limit}"),
            KeyFind::Count { count, first, step } => format!("count:{count}:{first}:{step}"),
            KeyFind::Unknown => "unknown".to_owned(),
        };
        format!("{}@{begin}@{find}", flags.join("+"))
    }

    /// Clients and proxies decide by these values, so they must be those of the server that they know.
    #[test]
    fn the_table_agrees_with_the_facts() {
        let known: std::collections::BTreeMap<&str, &str> = include_str!("commands-valkey-9.1.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| (line.split('|').next().unwrap_or_default(), line))
            .collect();
        let mut wrong = Vec::new();
        let table = CommandTable::new(&[]);
        let ours: std::collections::BTreeSet<String> =
            table.all().map(|(_, c)| c.full_name.replace('|', "/")).collect();
        // Those for the nodes of a cluster are told that there is none, as any other word is.
        let missing = known.keys().filter(|name| !ours.contains(**name) && !name.starts_with("cluster/"));
        wrong.extend(missing.map(|name| format!("{name} is missing")));
        for (_, command) in table.all() {
            let ours = fact(command);
            let theirs = known.get(ours.split('|').next().unwrap_or_default());
            if theirs.is_some_and(|line| *line != ours) {
                wrong.push(format!("{ours}\n    should be\n{}", theirs.unwrap_or(&"")));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
