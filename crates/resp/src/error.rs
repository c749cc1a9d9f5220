//! What a peer did wrong, in the words that Redis and Valkey use for it.

use std::fmt;

/// A violation of the protocol by a client. The connection gets the text as an error and is closed: where the
/// next command would begin is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProtocolError {
    /// The number after `*` is not a number or too large.
    InvalidMultibulkLength,
    /// More arguments than a client may send before it has authenticated.
    UnauthenticatedMultibulkLength,
    /// The number after `$` is not a number, negative or too large.
    InvalidBulkLength,
    /// A longer argument than a client may send before it has authenticated.
    UnauthenticatedBulkLength,
    /// The line after `*` does not end.
    TooBigMbulkCount,
    /// The line after `$` does not end.
    TooBigBulkCount,
    /// An inline command does not end.
    TooBigInline,
    /// An argument that begins with this byte instead of `$`.
    ExpectedDollar(u8),
    /// An inline command with a quote that is not closed.
    UnbalancedQuotes,
    /// CR without LF, or an argument that does not end where it should.
    InvalidCrlf,
}

impl ProtocolError {
    /// Appends the error's text, without code and line end.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"Protocol error: ");
        match self {
            ProtocolError::ExpectedDollar(got) => {
                let got = if matches!(got, b'\r' | b'\n') { b' ' } else { *got };
                out.extend_from_slice(&[b"expected '$', got '".as_slice(), &[got], b"'"].concat());
            }
            other => out.extend_from_slice(other.text().as_bytes()),
        }
    }

    fn text(&self) -> &'static str {
        match self {
            ProtocolError::InvalidMultibulkLength => "invalid multibulk length",
            ProtocolError::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            ProtocolError::InvalidBulkLength => "invalid bulk length",
            ProtocolError::UnauthenticatedBulkLength => "unauthenticated bulk length",
            ProtocolError::TooBigMbulkCount => "too big mbulk count string",
            ProtocolError::TooBigBulkCount => "too big bulk count string",
            ProtocolError::TooBigInline => "too big inline request",
            ProtocolError::ExpectedDollar(_) => "expected '$'",
            ProtocolError::UnbalancedQuotes => "unbalanced quotes in request",
            ProtocolError::InvalidCrlf => "invalid CRLF in request",
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write_to(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl std::error::Error for ProtocolError {}
