//! Finding the command that is meant, and saying that there is none.

use crate::command::{Action, Command};
use crate::error::Error;
use crate::node::Node;
use crate::table::CommandIndex;
use tanist_resp::Args;

impl Node {
    /// Finds the command, or the subcommand, that is meant.
    #[inline]
    pub(crate) fn resolve(
        &self,
        args: Args<'_, '_>,
        index: Option<CommandIndex>,
    ) -> Result<(CommandIndex, &'static Command), Error> {
        let Some(mut index) = index else {
            return Err(unknown_command(args));
        };
        let mut command = self.table.get(index);
        if let Action::Container(_) | Action::RunOrContainer(..) = command.action
            && args.len() > 1
        {
            index = self
                .table
                .find_sub(index, args.at(1))
                .ok_or_else(|| unknown_subcommand(command, args.at(1)))?;
            command = self.table.get(index);
        }
        Ok((index, command))
    }
}

#[cold]
fn unknown_command(args: Args<'_, '_>) -> Error {
    const MOST: usize = 128;
    let name = printable(args.at(0), MOST);
    let mut shown = String::new();
    for arg in args.skip(1).iter() {
        if shown.len() >= MOST {
            break;
        }
        shown.push_str(&format!("'{}' ", printable(arg, MOST - shown.len())));
    }
    Error::new(format!("ERR unknown command '{name}', with args beginning with: {shown}"))
}

#[cold]
fn unknown_subcommand(container: &Command, name: &[u8]) -> Error {
    Error::new(format!(
        "ERR unknown subcommand '{}'. Try {} HELP.",
        printable(name, 128),
        container.name.to_uppercase()
    ))
}

/// The text of foreign bytes in an error reply, without line breaks.
fn printable(bytes: &[u8], most: usize) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(most)]).replace(['\r', '\n'], " ")
}
