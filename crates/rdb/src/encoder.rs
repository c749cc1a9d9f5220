//! Values on their way out, part by part.

use crate::length;
use crate::lzf::Compressor;
use crate::string;
use crate::value::Str;

/// Appends the parts of one value; what parts it must have, its type tells.
#[derive(Debug)]
pub struct Encoder<'w> {
    pub(crate) out: &'w mut Vec<u8>,
    pub(crate) lzf: Option<&'w mut Compressor>,
}

impl Encoder<'_> {
    /// A length or another number in the format's own variable form.
    pub fn number(&mut self, n: u64) {
        length::put(self.out, n);
    }

    /// A string in its shortest form.
    pub fn string(&mut self, text: Str<'_>) {
        string::put(self.out, text, self.lzf.as_deref_mut());
    }

    /// A string of these bytes in its shortest form.
    pub fn bytes(&mut self, bytes: &[u8]) {
        string::put_bytes(self.out, bytes, self.lzf.as_deref_mut());
    }

    /// A floating-point number: eight bytes, the lowest first.
    pub fn double(&mut self, x: f64) {
        self.raw(&x.to_le_bytes());
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }
}
