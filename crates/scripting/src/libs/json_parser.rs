//! Reading JSON into Lua's values, with the tolerance and the messages of lua-cjson 2.1.0.

use super::{json, number};
use crate::lua::Lua;

/// One piece of the text.
#[derive(Clone, PartialEq, Debug)]
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Wrong(&'static str),
}

impl Token {
    /// Its name in messages.
    fn name(&self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::String(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Wrong(what) => what,
        }
    }
}

pub(super) struct Parser<'a> {
    lua: Lua,
    text: &'a [u8],
    at: usize,
    /// Where the current token begins, or what is wrong with it.
    index: usize,
    depth: usize,
    most: usize,
    /// Accepts numbers that JSON does not have.
    invalid: bool,
}

impl<'a> Parser<'a> {
    /// A parser that lets `most` levels be nested.
    pub(super) fn new(lua: Lua, text: &'a [u8], most: usize, invalid: bool) -> Parser<'a> {
        Parser { lua, text, at: 0, index: 0, depth: 0, most, invalid }
    }

    /// Pushes the value that the whole text is.
    pub(super) fn document(&mut self) -> Result<(), String> {
        let token = self.token();
        self.value(token)?;
        match self.token() {
            Token::End => Ok(()),
            token => Err(self.expected("the end", &token)),
        }
    }

    fn expected(&self, what: &str, found: &Token) -> String {
        format!("Expected {what} but found {} at character {}", found.name(), self.index + 1)
    }

    fn value(&mut self, token: Token) -> Result<(), String> {
        match token {
            Token::String(text) => self.lua.push_bytes(&text),
            Token::Number(n) => self.lua.push_number(n),
            Token::Boolean(b) => self.lua.push_bool(b),
            Token::Null => json::push_null(self.lua),
            Token::ObjectBegin => return self.object(),
            Token::ArrayBegin => return self.array(),
            token => return Err(self.expected("value", &token)),
        }
        Ok(())
    }

    fn descend(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > self.most || !self.lua.ensure(3) {
            let (depth, at) = (self.depth, self.at);
            return Err(format!("Found too many nested data structures ({depth}) at character {at}"));
        }
        Ok(())
    }

    fn object(&mut self) -> Result<(), String> {
        self.descend()?;
        self.lua.push_table(0, 0);
        let mut token = self.token();
        if token == Token::ObjectEnd {
            self.depth -= 1;
            return Ok(());
        }
        loop {
            match token {
                Token::String(key) => self.lua.push_bytes(&key),
                token => return Err(self.expected("object key string", &token)),
            }
            match self.token() {
                Token::Colon => {}
                token => return Err(self.expected("colon", &token)),
            }
            let first = self.token();
            self.value(first)?;
            self.lua.raw_set(-3);
            match self.token() {
                Token::ObjectEnd => break,
                Token::Comma => token = self.token(),
                token => return Err(self.expected("comma or object end", &token)),
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), String> {
        self.descend()?;
        self.lua.push_table(0, 0);
        let mut token = self.token();
        if token == Token::ArrayEnd {
            self.depth -= 1;
            return Ok(());
        }
        for i in 1.. {
            self.value(token)?;
            self.lua.raw_set_at(-2, i);
            match self.token() {
                Token::ArrayEnd => break,
                Token::Comma => token = self.token(),
                token => return Err(self.expected("comma or array end", &token)),
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// The byte at a place; zero behind the end, as C's strings have it.
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn token(&mut self) -> Token {
        while matches!(self.byte(self.at), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.index = self.at;
        let single = match self.byte(self.at) {
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b':' => Token::Colon,
            b',' => Token::Comma,
            0 => return Token::End,
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' => {
                return if !self.invalid && self.is_invalid_number() {
                    self.wrong("invalid number")
                } else {
                    self.number()
                };
            }
            b'+' | b'f' | b'i' | b'I' | b'n' | b'N' | b't' => return self.word(),
            _ => return self.wrong("invalid token"),
        };
        self.at += 1;
        single
    }

    fn wrong(&mut self, what: &'static str) -> Token {
        self.index = self.at;
        Token::Wrong(what)
    }

    fn word(&mut self) -> Token {
        let words: [(&[u8], Token); 3] =
            [(b"true", Token::Boolean(true)), (b"false", Token::Boolean(false)), (b"null", Token::Null)];
        for (word, token) in words {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        if self.invalid && self.is_invalid_number() { self.number() } else { self.wrong("invalid token") }
    }

    /// Whether what begins here is a number that JSON does not have.
    fn is_invalid_number(&self) -> bool {
        if self.byte(self.at) == b'+' {
            return true;
        }
        let p = self.at + usize::from(self.byte(self.at) == b'-');
        match self.byte(p) {
            b'0' => {
                let next = self.byte(p + 1);
                next | 0x20 == b'x' || next.is_ascii_digit()
            }
            0..=b'9' => false,
            _ => {
                let word = self.text.get(p..p + 3).unwrap_or_default();
                word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"nan")
            }
        }
    }

    fn number(&mut self) -> Token {
        match number::parse(&self.text[self.at..]) {
            (_, 0) => self.wrong("invalid number"),
            (n, len) => {
                self.at += len;
                Token::Number(n)
            }
        }
    }

    fn string(&mut self) -> Token {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match self.byte(self.at) {
                b'"' => break,
                0 => return self.wrong("unexpected end of string"),
                b'\\' => {
                    let escaped = match self.byte(self.at + 1) {
                        b @ (b'"' | b'\\' | b'/') => b,
                        b'b' => 0x08,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 0x0c,
                        b'r' => b'\r',
                        b'u' => {
                            let Some((c, len)) = self.unicode() else {
                                return self.wrong("invalid unicode escape code");
                            };
                            text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                            self.at += len;
                            continue;
                        }
                        _ => return self.wrong("invalid escape code"),
                    };
                    text.push(escaped);
                    self.at += 2;
                }
                b => {
                    text.push(b);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Token::String(text)
    }

    /// The character of an escape that begins here, and its length.
    fn unicode(&self) -> Option<(char, usize)> {
        let unit = self.hex4(self.at + 2)?;
        if unit & 0xF800 != 0xD800 {
            return Some((char::from_u32(unit)?, 6));
        }
        if unit & 0x400 != 0 || self.byte(self.at + 6) != b'\\' || self.byte(self.at + 7) != b'u' {
            return None;
        }
        let low = self.hex4(self.at + 8)?;
        if low & 0xFC00 != 0xDC00 {
            return None;
        }
        Some((char::from_u32(((unit & 0x3FF) << 10 | (low & 0x3FF)) + 0x10000)?, 12))
    }

    fn hex4(&self, at: usize) -> Option<u32> {
        (0..4).try_fold(0, |n, i| Some(n << 4 | char::from(self.byte(at + i)).to_digit(16)?))
    }
}
