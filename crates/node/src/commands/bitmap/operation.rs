//! Strings combined bit by bit: `BITOP`.

use crate::commands::string::str_of;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use tanist_keyspace::{Expiry, StrValue};
use tanist_resp::Args;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
}

/// `BITOP <AND | OR | XOR | NOT> destkey key [key ...]`
pub(crate) fn bitop(ctx: &mut Ctx<'_>, args: Args<'_, '_>) -> Outcome {
    let word = args.at(1);
    let operation = match word {
        _ if word.eq_ignore_ascii_case(b"AND") => Operation::And,
        _ if word.eq_ignore_ascii_case(b"OR") => Operation::Or,
        _ if word.eq_ignore_ascii_case(b"XOR") => Operation::Xor,
        _ if word.eq_ignore_ascii_case(b"NOT") => Operation::Not,
        _ => return Err(Error::SYNTAX),
    };
    if operation == Operation::Not && args.len() != 4 {
        return Err(Error::fixed("ERR BITOP NOT must be called with a single source key."));
    }
    let mut result: Vec<u8> = Vec::new();
    for at in 3..args.len() {
        let hash = ctx.hash(args, at);
        ctx.read(args.at(at), hash, |found, _| {
            let mut digits = itoa::Buffer::new();
            let text = found.map(str_of).transpose()?;
            let text = text.map_or(&[][..], |text| text.as_bytes(&mut digits));
            if at == 3 {
                result.extend_from_slice(text);
            } else {
                combine(operation, &mut result, text);
            }
            Ok::<(), Error>(())
        })?;
    }
    if operation == Operation::Not {
        result.iter_mut().for_each(|byte| *byte = !*byte);
    }
    let (key, hash) = (args.at(2), ctx.hash(args, 2));
    if !result.is_empty() {
        ctx.expire_if_due(key, hash);
        ctx.db_mut().set(key, hash, StrValue::Made(&result), Expiry::Clear);
        ctx.changed(key);
        ctx.event(b'$', "set", key);
    } else if ctx.remove(key, hash) {
        ctx.event(b'g', "del", key);
    }
    ctx.reply().int(result.len() as i64);
    Ok(())
}

/// Combines with one more string; the shorter one is taken to go on with zeros.
fn combine(operation: Operation, result: &mut Vec<u8>, text: &[u8]) {
    if result.len() < text.len() {
        result.resize(text.len(), 0);
    }
    let (both, beyond) = result.split_at_mut(text.len());
    for (byte, other) in both.iter_mut().zip(text) {
        match operation {
            Operation::And => *byte &= other,
            Operation::Or => *byte |= other,
            Operation::Xor => *byte ^= other,
            Operation::Not => {}
        }
    }
    if operation == Operation::And {
        beyond.fill(0);
    }
}
