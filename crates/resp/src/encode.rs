//! Writing the wire's building blocks, and whole commands and values with them.

use crate::Value;

/// Appends `prefix`, the number and CR LF.
#[inline]
pub(crate) fn header(out: &mut Vec<u8>, prefix: u8, n: u64) {
    if n < 10 {
        out.extend_from_slice(&[prefix, b'0' + n as u8, b'\r', b'\n']);
    } else if n < 100 {
        let n = n as u8;
        out.extend_from_slice(&[prefix, b'0' + n / 10, b'0' + n % 10, b'\r', b'\n']);
    } else {
        line(out, prefix, itoa::Buffer::new().format(n).as_bytes());
    }
}

/// Appends `prefix`, `text` and CR LF; `text` holds neither.
#[inline]
pub(crate) fn line(out: &mut Vec<u8>, prefix: u8, text: &[u8]) {
    out.reserve(text.len() + 3);
    out.push(prefix);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

/// Appends a bulk string.
#[inline]
pub(crate) fn bulk(out: &mut Vec<u8>, data: &[u8]) {
    out.reserve(data.len() + 32);
    header(out, b'$', data.len() as u64);
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Appends a command as a multibulk.
pub fn encode_command(out: &mut Vec<u8>, args: &[&[u8]]) {
    // Most often nothing is there yet: room for all of it at once.
    out.reserve(args.iter().map(|arg| arg.len() + 32).sum::<usize>() + 32);
    header(out, b'*', args.len() as u64);
    for arg in args {
        bulk(out, arg);
    }
}

/// Appends a value as RESP3 writes it; the reverse of [`Decoder`](crate::Decoder).
pub fn encode_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Simple(text) => line(out, b'+', text),
        Value::Error(text) => line(out, b'-', text),
        Value::Int(n) => line(out, b':', itoa::Buffer::new().format(*n).as_bytes()),
        Value::Bulk(data) => bulk(out, data),
        Value::Null => out.extend_from_slice(b"_\r\n"),
        Value::Array(items) => aggregate(out, b'*', items),
        Value::Set(items) => aggregate(out, b'~', items),
        Value::Push(items) => aggregate(out, b'>', items),
        Value::Map(pairs) => {
            header(out, b'%', pairs.len() as u64);
            for (key, value) in pairs {
                encode_value(out, key);
                encode_value(out, value);
            }
        }
        Value::Double(d) => line(out, b',', crate::double::format(*d).as_bytes()),
        Value::Bool(b) => out.extend_from_slice(if *b { b"#t\r\n" } else { b"#f\r\n" }),
        Value::BigNumber(digits) => line(out, b'(', digits),
        Value::Verbatim(ext, text) => verbatim(out, *ext, text),
    }
}

fn aggregate(out: &mut Vec<u8>, prefix: u8, items: &[Value]) {
    header(out, prefix, items.len() as u64);
    for item in items {
        encode_value(out, item);
    }
}

/// Appends a verbatim string.
pub(crate) fn verbatim(out: &mut Vec<u8>, ext: [u8; 3], text: &[u8]) {
    header(out, b'=', text.len() as u64 + 4);
    out.extend_from_slice(&[ext[0], ext[1], ext[2], b':']);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}
