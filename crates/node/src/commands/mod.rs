//! What the commands do.

pub(crate) mod acl;
pub(crate) mod bitmap;
pub(crate) mod catalogue;
pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod connection;
pub(crate) mod database;
pub(crate) mod debug;
pub(crate) mod docs;
mod element_scan;
pub(crate) mod generic;
pub(crate) mod geo;
pub(crate) mod hash;
pub(crate) mod hyperloglog;
pub(crate) mod info;
pub(crate) mod latency;
pub(crate) mod list;
pub(crate) mod memory;
pub(crate) mod persistence;
pub(crate) mod pubsub;
pub(crate) mod script;
pub(crate) mod server;
pub(crate) mod set;
pub(crate) mod shutdown;
pub(crate) mod slowlog;
pub(crate) mod sorted_set;
pub(crate) mod stream;
pub(crate) mod string;
pub(crate) mod transactions;

pub(crate) use element_scan::reply_scan;

use crate::context::Ctx;
use crate::error::{Error, Outcome};

/// A decimal integer as Redis reads it: no spaces, no plus sign, no leading zeros.
pub(crate) fn parse_int(text: &[u8]) -> Result<i64, Error> {
    tanist_resp::number::parse_i64(text).ok_or(Error::NOT_AN_INTEGER)
}

/// A client's word as an error quotes it: up to a NUL byte, like the reference, which is written in C.
pub(crate) fn quoted(word: &[u8]) -> std::borrow::Cow<'_, str> {
    let end = memchr::memchr(0, word).unwrap_or(word.len());
    String::from_utf8_lossy(&word[..end])
}

/// Appends `bytes` in quotes with escapes, as `MONITOR` and the slow log show arguments.
pub(crate) fn quote_into(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for &b in bytes {
        match b {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', b]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x20..=0x7e => out.push(b),
            _ => out.extend_from_slice(format!("\\x{b:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

/// Answers `HELP`: pairs of a subcommand's form and what it does.
pub(crate) fn reply_help(ctx: &mut Ctx<'_>, container: &str, subcommands: &[(&str, &str)]) -> Outcome {
    let mut reply = ctx.reply();
    reply.array(subcommands.len() * 2 + 3);
    reply.simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for (form, about) in subcommands {
        reply.simple(form);
        reply.simple(&format!("    {about}"));
    }
    reply.simple("HELP");
    reply.simple("    Print this help.");
    Ok(())
}
