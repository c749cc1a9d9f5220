//! Keys of any type.

use crate::command::Command;

pub(super) const COMMANDS: &[Command] = &[];
