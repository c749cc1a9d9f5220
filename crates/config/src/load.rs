//! From the program's arguments and files to a configuration.
//!
//! The order is Redis': the file (or standard input), then the command line's `--name value ...` as lines after
//! it; a later line wins. `include` is read at its place. Nothing here opens a file: the caller hands in bytes
//! and a reader for includes.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::codec::Source;
use crate::directive::Directive;
use crate::file::{ConfigFile, LineError, Statement};
use crate::lists::{Listed, UserLine, listed};
use crate::{ServerConfig, rewrite};
use tanist_text::words::quote;

/// How deep files may include each other.
pub const MAX_INCLUDE_DEPTH: usize = 16;

/// One included file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// Its path, for messages.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Reads the files of one `include` argument: a path, or a pattern that may match no file. The error is the
/// operating system's text.
pub type IncludeReader<'a> = dyn FnMut(&str) -> Result<Vec<Included>, String> + 'a;

/// Why a configuration could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// A line is wrong.
    #[error(transparent)]
    Line(#[from] LineError),
    /// An included file could not be read.
    #[error("Fatal error, can't open config file '{path}': {reason}")]
    Open {
        /// The path or pattern.
        path: String,
        /// The operating system's words.
        reason: String,
    },
}

/// A loaded configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The values.
    pub config: ServerConfig,
    /// Names of the directives that some line set (the table's names, not aliases).
    pub seen: BTreeSet<String>,
    /// Directives that were accepted but mean nothing here, for a warning each.
    pub warnings: Vec<String>,
}

/// What the program's arguments ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The configuration file, if the first argument is one.
    pub file: Option<String>,
    /// `-`: more configuration on standard input.
    pub stdin: bool,
    /// `--sentinel` was among the arguments.
    pub sentinel: bool,
    /// The options as lines of a file.
    pub lines: String,
}

impl CommandLine {
    /// Reads the arguments after the program's name: `[file] [-] [--name value ...] ...`. What follows a name is a value
    /// even if it begins with `--`, and a name may come with its values in one argument.
    pub fn parse<S: AsRef<str>>(args: &[S]) -> CommandLine {
        let mut line = CommandLine::default();
        let mut args = args.iter().map(AsRef::as_ref).peekable();
        if let Some(first) = args.next_if(|a| !a.starts_with('-')) {
            line.file = Some(first.to_owned());
        }
        let mut wants_value = false;
        while let Some(arg) = args.next() {
            match arg.strip_prefix("--").filter(|_| !wants_value) {
                Some("sentinel") => line.sentinel = true,
                Some(option) => {
                    line.break_line();
                    line.lines.push_str(option);
                    // An empty list of save points has always been written so.
                    let ends = args.peek().is_none_or(|next| next.starts_with("--"));
                    let empty = option.eq_ignore_ascii_case("save") && ends;
                    wants_value = !option.trim_end().contains(char::is_whitespace) && !empty;
                }
                None if arg == "-" && line.lines.is_empty() => line.stdin = true,
                None => {
                    if !line.lines.is_empty() {
                        line.lines.push(' ');
                    }
                    line.lines.push_str(&quote(arg.as_bytes()));
                    wants_value = false;
                }
            }
        }
        line
    }

    fn break_line(&mut self) {
        if !self.lines.is_empty() {
            self.lines.push('\n');
        }
    }

    /// The whole configuration's text: the file's, standard input's, then the options.
    pub fn text(&self, file: &[u8], stdin: &[u8]) -> Vec<u8> {
        let mut text = file.to_vec();
        for more in [stdin, self.lines.as_bytes()] {
            if !more.is_empty() {
                text.push(b'\n');
                text.extend_from_slice(more);
            }
        }
        text
    }
}

/// The warning about a directive that is kept and does nothing.
pub fn without_effect(name: &str) -> String {
    format!("'{name}' is accepted but has no effect in this version")
}

impl Loaded {
    /// Reads a configuration's text (see [`CommandLine::text`]).
    ///
    /// # Errors
    /// The first line that is wrong, or the first include that cannot be read.
    pub fn read(text: &[u8], includes: &mut IncludeReader<'_>) -> Result<Loaded, LoadError> {
        let mut loaded = Loaded::default();
        loaded.read_text(text, includes, 0)?;
        let idle = loaded.config.without_effect();
        loaded.warnings.extend(idle.into_iter().map(without_effect));
        Ok(loaded)
    }

    fn read_text(
        &mut self,
        text: &[u8],
        includes: &mut IncludeReader<'_>,
        depth: usize,
    ) -> Result<(), LoadError> {
        for statement in ConfigFile::parse(text)?.statements() {
            self.take(statement, includes, depth)?;
        }
        Ok(())
    }

    /// Takes one line, for a file that others read: whoever has directives of his own beside the server's.
    ///
    /// # Errors
    /// The line is wrong, or it includes something.
    pub fn take_line(&mut self, statement: &Statement) -> Result<(), LoadError> {
        self.take(statement, &mut |_| Err("nothing can be included here".to_owned()), 0)
    }

    fn take(
        &mut self,
        statement: &Statement,
        includes: &mut IncludeReader<'_>,
        depth: usize,
    ) -> Result<(), LoadError> {
        match Directive::find(&statement.name) {
            Some(directive) => Ok(self.assign(directive, statement)?),
            None => self.other(statement, includes, depth),
        }
    }

    fn assign(&mut self, directive: &Directive, statement: &Statement) -> Result<(), LineError> {
        let source = Source::File { again: !self.seen.insert(directive.name.to_owned()) };
        let args = match statement.text_args()?.as_slice() {
            // The name alone is one way to say that there are none; the others say what they take.
            [] if matches!(directive.name, "save" | "shutdown-on-sigint" | "shutdown-on-sigterm") => vec![""],
            [] => return Err(LineError::at(statement, "wrong number of arguments")),
            // One quoted argument where several are meant: `--save "3600 1"`.
            [one] if directive.multi => one.split(' ').collect(),
            several => several.to_vec(),
        };
        self.config.assign(directive, &args, source).map_err(|e| LineError::at(statement, e.to_string()))
    }

    fn other(
        &mut self,
        line: &Statement,
        includes: &mut IncludeReader<'_>,
        depth: usize,
    ) -> Result<(), LoadError> {
        let bad = || LineError::at(line, "Bad directive or wrong number of arguments");
        if listed(&line.name) == Some(Listed::User) && !line.args.is_empty() {
            // The one directive whose arguments may be any bytes: names and patterns.
            self.config.lists.users.push(UserLine::read(line));
            return Ok(());
        }
        let args: Vec<String> = line.text_args()?.into_iter().map(str::to_owned).collect();
        match (listed(&line.name).ok_or_else(bad)?, args.as_slice()) {
            (Listed::Include, [pattern]) => return self.include(line, pattern, includes, depth),
            (Listed::Rename, [old, new]) => self.config.lists.renames.push((old.clone(), new.clone())),
            (Listed::Module, [_, ..]) => self.config.lists.modules.push(args),
            (Listed::Obsolete, [_]) => {}
            (Listed::Foreign, [_, ..]) => {
                self.warnings.push(without_effect(&line.name));
            }
            (Listed::Sentinel, _) => {
                return Err(LineError::at(line, "sentinel directive while not in sentinel mode").into());
            }
            _ => return Err(bad().into()),
        }
        Ok(())
    }

    fn include(
        &mut self,
        line: &Statement,
        pattern: &str,
        includes: &mut IncludeReader<'_>,
        depth: usize,
    ) -> Result<(), LoadError> {
        if depth >= MAX_INCLUDE_DEPTH {
            return Err(LineError::at(line, "too many files include each other").into());
        }
        let open = |reason| LoadError::Open { path: pattern.to_owned(), reason };
        for file in includes(pattern).map_err(open)? {
            self.read_text(&file.bytes, includes, depth + 1)?;
        }
        Ok(())
    }
}

/// The file of `old` with the values and the users of `config`: what CONFIG REWRITE writes.
///
/// # Errors
/// A line of `old` cannot be read.
pub fn rewritten(config: &ServerConfig, old: &[u8]) -> Result<Vec<u8>, LineError> {
    rewritten_with(config, old, false)
}

/// [`rewritten`] with a line for every directive, those that have their default values too.
///
/// # Errors
/// A line of `old` cannot be read.
pub fn rewritten_whole(config: &ServerConfig, old: &[u8]) -> Result<Vec<u8>, LineError> {
    rewritten_with(config, old, true)
}

fn rewritten_with(config: &ServerConfig, old: &[u8], whole: bool) -> Result<Vec<u8>, LineError> {
    let file = ConfigFile::parse(old)?;
    let mut rewriter = rewrite::Rewriter::new(&file, rewrite::SIGNATURE, key);
    let default = ServerConfig::default();
    for directive in Directive::all() {
        rewriter.mark(directive.name);
        let usual = (directive.lines)(&default);
        let changed = config.value(directive) != default.value(directive);
        for line in (directive.lines)(config) {
            let append = match directive.name {
                // The first save line replaces the defaults, so if one stays all must.
                "save" => changed || file.statements().any(|s| s.name == "save"),
                // Each class is a line of its own, and one that is not there has its default.
                LIMITS => !usual.contains(&line),
                _ => changed,
            };
            let key = if directive.name == LIMITS {
                class_key(line.split(' ').nth(1))
            } else {
                directive.name.into()
            };
            rewriter.put(&key, line, append || whole);
        }
    }
    rewriter.mark("user");
    for user in &config.lists.users {
        rewriter.put("user", user.text(), true);
    }
    Ok(rewriter.finish())
}

const LIMITS: &str = "client-output-buffer-limit";

/// The name under which the rewrite looks for a line.
fn key(statement: &Statement) -> String {
    match Directive::find(&statement.name) {
        Some(directive) if directive.name == LIMITS => {
            class_key(statement.args.first().and_then(|class| std::str::from_utf8(class).ok()))
        }
        Some(directive) => directive.name.to_owned(),
        None => statement.name.clone(),
    }
}

fn class_key(class: Option<&str>) -> String {
    let class = class.unwrap_or_default().to_ascii_lowercase();
    format!("{LIMITS} {}", class.replace("slave", "replica"))
}
