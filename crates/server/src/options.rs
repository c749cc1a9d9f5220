//! From the program's arguments and files to a configuration.
//!
//! The order and the texts are Redis': a file first, then standard input, then the options of the command line.

use std::io::Read;
use std::path::PathBuf;
use tanist_config::{CommandLine, Loaded};
use tanist_runtime::include::include;

/// A configuration and where it came from.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) loaded: Loaded,
    /// The file, absolute: `CONFIG REWRITE` writes it.
    pub(crate) file: Option<PathBuf>,
    /// What was read from standard input.
    pub(crate) stdin: Option<Vec<u8>>,
}

impl Options {
    /// Reads the configuration that these arguments name. The error is the text for the user.
    pub(crate) fn read(line: &CommandLine) -> Result<Options, String> {
        let mut options = Options::default();
        let mut file = Vec::new();
        if let Some(name) = &line.file {
            let failed = |error| cannot_open(name, &error);
            options.file = Some(std::path::absolute(name).map_err(failed)?);
            file = std::fs::read(name).map_err(failed)?;
        }
        if line.stdin {
            let mut text = Vec::new();
            std::io::stdin().read_to_end(&mut text).map_err(|error| cannot_open("-", &error))?;
            options.stdin = Some(text);
        }
        let text = line.text(&file, options.stdin.as_deref().unwrap_or_default());
        options.loaded = Loaded::read(&text, &mut include).map_err(|error| error.to_string())?;
        Ok(options)
    }
}

fn cannot_open(name: &str, error: &std::io::Error) -> String {
    format!("Fatal error, can't open config file '{name}': {}", tanist_runtime::listen::describe(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_directive_is_quoted() {
        let line = CommandLine::parse(&["--nonsense", "1"]);
        let error = Options::read(&line).unwrap_err();
        assert!(
            error.ends_with("\n>>> 'nonsense \"1\"'\nBad directive or wrong number of arguments"),
            "{error}"
        );
    }

    #[test]
    fn includes_that_match_nothing_are_fine() {
        let line = CommandLine::parse(&["--include", "/nonexistent/*.conf", "--port", "7000"]);
        assert_eq!(Options::read(&line).unwrap().loaded.config.port, 7000);
        assert!(Options::read(&CommandLine::parse(&["--include", "/nonexistent/a.conf"])).is_err());
    }
}
