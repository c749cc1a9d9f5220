//! A reply as a tree, for clients.

/// One reply of a server. RESP2's two kinds of null are one here.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// `+`: a status.
    Simple(Vec<u8>),
    /// `-` or `!`: an error, its code first.
    Error(Vec<u8>),
    /// `:`.
    Int(i64),
    /// `$`.
    Bulk(Vec<u8>),
    /// `_`, `$-1` or `*-1`.
    Null,
    /// `*`.
    Array(Vec<Value>),
    /// `%`, in the order of the wire.
    Map(Vec<(Value, Value)>),
    /// `~`, in the order of the wire.
    Set(Vec<Value>),
    /// `>`: out of band.
    Push(Vec<Value>),
    /// `,`.
    Double(f64),
    /// `#`.
    Bool(bool),
    /// `(`: its digits.
    BigNumber(Vec<u8>),
    /// `=`: three bytes that name the format, and the text.
    Verbatim([u8; 3], Vec<u8>),
}

impl Value {
    /// The bytes of a string of any kind, errors not included.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Simple(b) | Value::Bulk(b) | Value::BigNumber(b) | Value::Verbatim(_, b) => Some(b),
            _ => None,
        }
    }

    /// The text of a string of any kind, if it is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()?).ok()
    }

    /// An integer, or a string that is one in its canonical form.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            other => crate::number::parse_i64(other.as_bytes()?),
        }
    }

    /// The text of an error.
    #[must_use]
    pub fn as_error(&self) -> Option<&[u8]> {
        match self {
            Value::Error(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is the status `OK`.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self, Value::Simple(s) if s == b"OK")
    }

    /// The elements of an array, set or push.
    #[must_use]
    pub fn as_items(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) | Value::Set(items) | Value::Push(items) => Some(items),
            _ => None,
        }
    }

    /// The value of field `name` in a map, or in a flat array of field and value pairs.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Map(pairs) => {
                pairs.iter().find(|(k, _)| k.as_bytes() == Some(name.as_bytes())).map(|(_, v)| v)
            }
            Value::Array(items) => items
                .chunks_exact(2)
                .find(|pair| pair[0].as_bytes() == Some(name.as_bytes()))
                .map(|pair| &pair[1]),
            _ => None,
        }
    }
}
