//! Replays recorded traces: the bytes that Valkey answered are the bytes that this node answers.

use super::World;
use tanist_resp::encode_command;

/// The bytes that a trace writes as `text`.
fn bytes(text: &str) -> Vec<u8> {
    if text == "\"\"" {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, after) = match (first, tail) {
            (b'\\', [b'x', a, b, after @ ..]) => {
                let digit = |d: u8| char::from(d).to_digit(16).expect("two hexadecimal digits") as u8;
                (digit(*a) << 4 | digit(*b), after)
            }
            (b'\\', [b'r', after @ ..]) => (b'\r', after),
            (b'\\', [b'n', after @ ..]) => (b'\n', after),
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            _ => (*first, tail),
        };
        out.push(byte);
        rest = after;
    }
    out
}

fn replay(trace: &str) {
    let mut w = World::new();
    let c = w.connect();
    let mut lines = trace.lines().enumerate();
    let mut commands = 0;
    while let Some((number, line)) = lines.next() {
        let Some(line) = line.strip_prefix("> ") else { continue };
        let words: Vec<Vec<u8>> = line.split(' ').map(bytes).collect();
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let mut request = Vec::new();
        encode_command(&mut request, &words);
        let (reply, _) = w.raw(c, &request);
        let (_, expected) = lines.next().expect("a reply follows");
        assert_eq!(
            reply.escape_ascii().to_string(),
            bytes(expected).escape_ascii().to_string(),
            "line {}: {line}",
            number + 1
        );
        commands += 1;
    }
    assert!(commands > 100, "the trace has lost its commands");
}

#[test]
fn strings() {
    replay(include_str!("traces/strings.trace"));
}

#[test]
fn keys() {
    replay(include_str!("traces/keys.trace"));
}
