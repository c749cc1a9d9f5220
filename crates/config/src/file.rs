//! A configuration file as lines: what redis.conf and sentinel.conf have in common.
//!
//! Every line is kept in its order, comments and blank ones too, so that a rewrite can change single lines in
//! place. White space around a line means nothing and is dropped, as in Redis.

use thiserror::Error;

use tanist_text::words;

/// One directive with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Line number, from 1.
    pub line: usize,
    /// The line without white space around it.
    pub raw: Vec<u8>,
    /// The directive's name in lower case.
    pub name: String,
    /// The arguments after the name, unquoted.
    pub args: Vec<Vec<u8>>,
}

/// One line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A blank line.
    Blank,
    /// A comment, with its `#`.
    Comment(Vec<u8>),
    /// A directive.
    Statement(Statement),
}

/// A file in lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigFile {
    /// All lines, in order.
    pub lines: Vec<Line>,
}

/// A line that the configuration cannot have. Prints as Redis' message, whose shape scripts know.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "\n*** FATAL CONFIG FILE ERROR (Version {version}) ***\nReading the configuration file, at line {line}\n\
     >>> '{text}'\n{reason}",
    version = env!("CARGO_PKG_VERSION")
)]
pub struct LineError {
    /// Line number, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl LineError {
    /// An error about the line of a statement.
    pub fn at(statement: &Statement, reason: impl Into<String>) -> LineError {
        LineError::raw(statement.line, &statement.raw, reason)
    }

    fn raw(line: usize, raw: &[u8], reason: impl Into<String>) -> LineError {
        LineError { line, text: String::from_utf8_lossy(raw).into_owned(), reason: reason.into() }
    }
}

impl ConfigFile {
    /// Splits `bytes` into lines and directives.
    ///
    /// # Errors
    /// The first line with unbalanced quotes.
    pub fn parse(bytes: &[u8]) -> Result<ConfigFile, LineError> {
        let mut lines = Vec::new();
        let mut rows: Vec<&[u8]> = bytes.split(|&b| b == b'\n').collect();
        if rows.last().is_some_and(|last| last.is_empty()) {
            rows.pop();
        }
        for (index, row) in rows.into_iter().enumerate() {
            lines.push(Line::parse(index + 1, row.trim_ascii())?);
        }
        Ok(ConfigFile { lines })
    }

    /// The directives, in order.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.lines.iter().filter_map(|line| match line {
            Line::Statement(statement) => Some(statement),
            Line::Blank | Line::Comment(_) => None,
        })
    }
}

impl Line {
    fn parse(line: usize, raw: &[u8]) -> Result<Line, LineError> {
        if raw.is_empty() {
            return Ok(Line::Blank);
        }
        if raw.starts_with(b"#") {
            return Ok(Line::Comment(raw.to_vec()));
        }
        let mut args = words::split(raw).map_err(|e| LineError::raw(line, raw, e.to_string()))?;
        if args.is_empty() {
            return Ok(Line::Blank);
        }
        let name = String::from_utf8_lossy(&args.remove(0)).to_ascii_lowercase();
        Ok(Line::Statement(Statement { line, raw: raw.to_vec(), name, args }))
    }
}

impl Statement {
    /// The arguments as text.
    ///
    /// # Errors
    /// An argument is not UTF-8.
    pub fn text_args(&self) -> Result<Vec<&str>, LineError> {
        let text =
            |arg| std::str::from_utf8(arg).map_err(|_| LineError::at(self, "argument must be valid UTF-8"));
        self.args.iter().map(|arg| text(arg.as_slice())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_keep_their_order_and_number() {
        let file = ConfigFile::parse(b"# top\n\n  PORT 1 \r\nsave \"\"\n").expect("fine");
        assert_eq!(file.lines.len(), 4);
        assert_eq!(file.lines[0], Line::Comment(b"# top".to_vec()));
        let names: Vec<_> = file.statements().map(|s| (s.line, s.name.as_str(), s.args.len())).collect();
        assert_eq!(names, [(3, "port", 1), (4, "save", 1)]);
    }

    #[test]
    fn an_error_quotes_the_line() {
        let error = ConfigFile::parse(b"port 1\n dir \"x\n").expect_err("unbalanced");
        assert!(error.to_string().ends_with(
            "***\nReading the configuration file, at line 2\n>>> 'dir \"x'\nUnbalanced quotes in configuration line"
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = ConfigFile::parse(&bytes);
        }
    }
}
