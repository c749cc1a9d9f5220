//! The payloads of `FUNCTION DUMP` and `FUNCTION RESTORE`: the code of libraries, framed as the payloads of `DUMP` are.

use crate::RdbError;
use crate::cursor::{Cursor, Stop};
use crate::dump::{body, finish};
use crate::opcode;
use crate::string;
use crate::version::RdbVersion;

/// Appends the payload of `FUNCTION DUMP`: the code of libraries, each behind a code of its own, and compressed if
/// `compress` says so.
pub fn dump_functions(codes: &[&[u8]], compress: bool, out: &mut Vec<u8>) {
    let begin = out.len();
    let mut lzf = compress.then(crate::Compressor::new);
    for code in codes {
        out.push(opcode::FUNCTION2);
        string::put_bytes(out, code, lzf.as_mut());
    }
    finish(out, begin, RdbVersion::V10);
}

/// Reads a payload of `FUNCTION DUMP`.
///
/// # Errors
/// When the version is unknown, the checksum is wrong, or there is something else in it.
pub fn restore_functions(payload: &[u8], max_string: u64) -> Result<Vec<Vec<u8>>, RdbError> {
    let body = body(payload)?;
    let truncated = || RdbError::Truncated(payload.len() as u64);
    let (mut codes, mut scratch) = (Vec::new(), Vec::new());
    let mut cur = Cursor::new(body, 0, max_string);
    while cur.pos() < body.len() {
        let code = function(&mut cur, &mut scratch).map_err(|stop| match stop {
            Stop::Fail(error) => error,
            Stop::NeedMore(_) => truncated(),
        })?;
        codes.push(match code {
            string::Text::At(range) => body.get(range).ok_or_else(truncated)?.to_vec(),
            string::Text::Scratch => std::mem::take(&mut scratch),
            string::Text::Int(n) => n.to_string().into_bytes(),
        });
    }
    Ok(codes)
}

fn function(cur: &mut Cursor<'_>, scratch: &mut Vec<u8>) -> Result<string::Text, Stop> {
    let at = cur.at();
    match cur.byte()? {
        opcode::FUNCTION2 => string::get(cur, scratch),
        code => Err(RdbError::UnknownCode { code, at }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u64 = 1 << 20;

    #[test]
    fn libraries_come_back_and_those_of_valkey_9_too() {
        let code = b"#!lua name=l0\nredis.register_function('f', function() return 1 end)";
        let mut out = Vec::new();
        dump_functions(&[code, b"other"], true, &mut out);
        assert_eq!(restore_functions(&out, MAX), Ok(vec![code.to_vec(), b"other".to_vec()]));
        let valkey9 = b"P\x00\x92\xb1\x95\xd1\x91-\xc5.";
        assert_eq!(restore_functions(valkey9, MAX), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_library_is_refused() {
        let value = b"\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a";
        assert!(matches!(restore_functions(value, MAX), Err(RdbError::UnknownCode { code: 0, .. })));
        let mut out = Vec::new();
        dump_functions(&[b"code"], true, &mut out);
        out.truncate(4);
        finish(&mut out, 0, RdbVersion::V10);
        assert!(matches!(restore_functions(&out, MAX), Err(RdbError::Truncated(_))));
        out[2] ^= 1;
        assert!(matches!(restore_functions(&out, MAX), Err(RdbError::Checksum { .. })));
    }
}
