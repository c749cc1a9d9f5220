//! The encoder: a snapshot as a growing buffer that the caller empties whenever it likes.

use crate::crc::Crc64;
use crate::encoder::Encoder;
use crate::length;
use crate::lzf::Compressor;
use crate::opcode;
use crate::string;
use crate::value::{Str, TypeCode};
use crate::version::RdbVersion;
use tanist_types::{DbIndex, UnixMs};

/// The value of an auxiliary field: free text or a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aux<'a> {
    /// Text or other bytes.
    Text(&'a [u8]),
    /// A number, written as one.
    Number(i64),
}

/// Encodes a snapshot. Call in order: [`aux`](Writer::aux)es, then for each database
/// [`select`](Writer::select), [`resize`](Writer::resize) and its [`entry`](Writer::entry)s, then
/// [`finish`](Writer::finish); between any two calls the bytes so far can be taken.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    /// How many bytes of `out` the checksum has taken in; it does so in large pieces.
    hashed: usize,
    crc: Crc64,
    /// The bytes handed out so far.
    taken: u64,
    lzf: Option<Compressor>,
    /// Zero in place of the checksum, as `rdbchecksum no` asks for.
    checksum: bool,
}

impl Writer {
    /// A snapshot of `version` with a checksum, strings uncompressed.
    #[must_use]
    pub fn new(version: RdbVersion) -> Writer {
        let out = version.magic().to_vec();
        Writer { out, hashed: 0, crc: Crc64::new(), taken: 0, lzf: None, checksum: true }
    }

    /// Whether strings of more than 20 bytes are compressed (`rdbcompression`).
    #[must_use]
    pub fn compress(mut self, yes: bool) -> Writer {
        self.lzf = yes.then(Compressor::new);
        self
    }

    /// Whether the checksum is computed (`rdbchecksum`); if not, zero stands in its place.
    #[must_use]
    pub fn checksum(mut self, yes: bool) -> Writer {
        self.checksum = yes;
        self
    }

    /// Appends an auxiliary field.
    pub fn aux(&mut self, key: &str, value: Aux<'_>) {
        self.out.push(opcode::AUX);
        string::put_bytes(&mut self.out, key.as_bytes(), None);
        match value {
            Aux::Text(bytes) => string::put_bytes(&mut self.out, bytes, self.lzf.as_mut()),
            Aux::Number(n) => string::put(&mut self.out, Str::Int(n), None),
        }
    }

    /// Appends a function library.
    pub fn function(&mut self, code: &[u8]) {
        self.out.push(opcode::FUNCTION2);
        string::put_bytes(&mut self.out, code, self.lzf.as_mut());
    }

    /// The entries that follow belong to this database.
    pub fn select(&mut self, db: DbIndex) {
        self.out.push(opcode::SELECT_DB);
        length::put(&mut self.out, u64::from(db.0));
    }

    /// Announces how many keys the database has, and how many of them expire.
    pub fn resize(&mut self, keys: u64, expires: u64) {
        self.out.push(opcode::RESIZE_DB);
        length::put(&mut self.out, keys);
        length::put(&mut self.out, expires);
    }

    /// Appends an entry whose value is a string.
    pub fn entry(&mut self, key: &[u8], value: Str<'_>, expiry: Option<UnixMs>) {
        self.begin(key, TypeCode::STRING, expiry).string(value);
    }

    /// Begins an entry; the caller appends its value.
    pub fn begin(&mut self, key: &[u8], kind: TypeCode, expiry: Option<UnixMs>) -> Encoder<'_> {
        if let Some(at) = expiry {
            self.out.push(opcode::EXPIRE_MS);
            self.out.extend_from_slice(&at.0.to_le_bytes());
        }
        self.out.push(kind.0);
        string::put_bytes(&mut self.out, key, self.lzf.as_mut());
        self.go_on()
    }

    /// Goes on with the value of the entry that was begun last, after bytes have been taken.
    pub fn go_on(&mut self) -> Encoder<'_> {
        Encoder { out: &mut self.out, lzf: self.lzf.as_mut() }
    }

    /// How many bytes wait to be taken.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.out.len()
    }

    /// How many bytes the snapshot has so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.taken + self.out.len() as u64
    }

    /// Moves the bytes so far to the end of `to`.
    pub fn take_into(&mut self, to: &mut Vec<u8>) {
        self.hash();
        self.taken += self.out.len() as u64;
        to.append(&mut self.out);
        self.hashed = 0;
    }

    /// Ends the snapshot; the rest of its bytes is returned.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.out.push(opcode::EOF);
        self.hash();
        let crc = if self.checksum { self.crc.value() } else { 0 };
        self.out.extend_from_slice(&crc.to_le_bytes());
        self.out
    }

    fn hash(&mut self) {
        if self.checksum {
            self.crc.update(&self.out[self.hashed..]);
        }
        self.hashed = self.out.len();
    }
}
