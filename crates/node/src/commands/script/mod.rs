//! Scripts and functions: running them, and keeping them.

pub(crate) mod cache;
pub(crate) mod eval;
pub(crate) mod function;
pub(crate) mod payload;

use crate::context::Ctx;
use crate::error::Error;
use crate::node::Node;
use crate::output::Outputs;
use tanist_scripting::Policy;

impl Node {
    /// The code of all function libraries.
    pub(crate) fn library_codes(&self) -> Vec<Vec<u8>> {
        self.scripting.libraries.iter().map(|library| library.code.to_vec()).collect()
    }

    /// Puts libraries in the place of all that there are.
    ///
    /// # Errors
    /// When one of them cannot be loaded; then nothing has changed.
    pub(crate) fn replace_libraries(&mut self, codes: &[Vec<u8>], outs: &mut Outputs) -> Result<(), String> {
        if codes.is_empty() {
            self.scripting.libraries.flush();
            return Ok(());
        }
        let restored = self.scripting.libraries.restore(codes, Policy::Flush);
        self.log_lines_of_libraries(outs);
        restored
    }

    /// Adds libraries to those that there are, in the place of others of the same names if `replace`.
    ///
    /// # Errors
    /// When one of them cannot be loaded; then nothing has changed.
    pub(crate) fn add_libraries(
        &mut self,
        codes: &[Vec<u8>],
        replace: bool,
        outs: &mut Outputs,
    ) -> Result<(), String> {
        let policy = if replace { Policy::Replace } else { Policy::Append };
        let restored = self.scripting.libraries.restore(codes, policy);
        self.log_lines_of_libraries(outs);
        restored
    }

    /// Writes what libraries have wanted logged while they were loaded.
    fn log_lines_of_libraries(&mut self, outs: &mut Outputs) {
        for (level, text) in self.scripting.libraries.take_lines() {
            crate::scripting::log_line(outs, level, &text);
        }
    }
}

/// The error of a subcommand with too many arguments.
fn wrong_subcommand(container: &str, name: &[u8]) -> Error {
    let name = String::from_utf8_lossy(name).replace(['\r', '\n'], " ");
    Error::new(format!(
        "ERR unknown subcommand or wrong number of arguments for '{name}'. Try {container} HELP."
    ))
}

/// `SYNC` or `ASYNC`, if there is one; both are the same here, since a state's memory is given back at once.
fn flush_mode(word: Option<&[u8]>, more: bool, complaint: &'static str) -> Result<(), Error> {
    match word.map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"sync" | b"async") if !more => Ok(()),
        _ => Err(Error::new(complaint)),
    }
}

/// Answers the subcommands that kill.
fn kill(ctx: &mut Ctx<'_>, purpose: tanist_scripting::Purpose) -> Result<(), Error> {
    ctx.node.kill_script(purpose)?;
    ctx.reply().ok();
    Ok(())
}
