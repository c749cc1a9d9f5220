//! Strings.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeySpec};
use crate::commands::string as run;

const READS: Flags = Flags::READONLY.and(Flags::FAST);

pub(super) const COMMANDS: &[Command] = &[
    Command::new("get", 2, Group::String, run::get)
        .flags(READS)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .about("Gives the string at a key.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    Command::new("set", -3, Group::String, run::set)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update", "variable_flags"])])
        .about(
            "Puts a string at a key, whatever was there, on conditions and with a time to live if asked.",
            "O(1)",
        )
        .args(&[Arg::key("key", 0), Arg::new("value", "string")]),
];
