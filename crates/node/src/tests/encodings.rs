//! The encodings of strings after commands that write, or might have written. All of them are what Valkey says.

use super::World;

/// What was set first, the command, and the encoding after it. A space at the end of a command is followed by an empty word.
const CASES: &[(&str, &str, &str)] = &[
    // A bit that is as it was to be.
    ("SET k 123", "SETBIT k 0 0", "raw"),
    ("SET k 123", "SETBIT k 2 1", "raw"),
    ("SET k hello", "SETBIT k 1 1", "raw"),
    ("SET k 123", "GETBIT k 2", "int"),
    ("SET k 123", "SETBIT k x 1", "int"),
    ("SET k 123", "BITCOUNT k", "int"),
    // Fields that are only read, that are as they were to be, and that cannot be written.
    ("SET k 123", "BITFIELD k", "int"),
    ("SET k 123", "BITFIELD k GET u8 0", "int"),
    ("SET k hello", "BITFIELD_RO k GET u8 0", "embstr"),
    ("SET k 123", "BITFIELD k SET u8 0 49", "raw"),
    ("SET k hello", "BITFIELD k INCRBY u8 0 0", "raw"),
    ("SET k 123", "BITFIELD k OVERFLOW FAIL INCRBY u8 0 250", "raw"),
    ("SET k hello", "BITFIELD k GET u8 0 OVERFLOW FAIL INCRBY u8 0 250", "raw"),
    ("SET k 123", "BITFIELD k OVERFLOW FAIL", "int"),
    ("SET k 123", "BITOP AND k k", "raw"),
    // Nothing to write is nothing written, but what is appended to is changed.
    ("SET k 123", "SETRANGE k 0 ", "int"),
    ("SET k hello", "SETRANGE k 10 ", "embstr"),
    ("SET k 123", "SETRANGE k 0 1", "raw"),
    ("SET k 123", "APPEND k ", "raw"),
    ("SET k hello", "APPEND k ", "raw"),
    ("DEL k", "APPEND k 123", "int"),
    ("DEL k", "APPEND k hello", "embstr"),
    ("DEL k", "SETRANGE k 0 123", "raw"),
    // What is set as a whole.
    ("APPEND k hello", "GETSET k 77", "int"),
    ("SETRANGE k 0 123", "INCRBY k 0", "int"),
    ("SETRANGE k 0 123", "INCRBYFLOAT k 0", "embstr"),
    ("SET k 123", "INCRBYFLOAT k 0", "embstr"),
    ("SETRANGE k 0 hello", "COPY k k2", "raw"),
    // Sketches.
    ("DEL k", "PFADD k", "raw"),
    ("DEL k", "PFADD k a", "raw"),
    ("DEL k", "PFMERGE k", "raw"),
];

#[test]
fn strings_have_the_encodings_of_the_reference() {
    for (first, command, encoding) in CASES {
        let mut w = World::new();
        let c = w.connect();
        w.say(c, first);
        w.say(c, command);
        assert_eq!(w.say(c, "OBJECT ENCODING k"), *encoding, "{first}, {command}");
    }
}

#[test]
fn what_only_changes_the_encoding_is_no_change() {
    let mut w = World::new();
    let (c, other) = (w.connect(), w.connect());
    w.say(c, "SET k 123 EX 100");
    w.say(c, "WATCH k");
    w.say(other, "SETBIT k 0 0");
    w.say(other, "BITFIELD k SET u8 0 49");
    w.say(c, "MULTI");
    w.say(c, "GET k");
    assert_eq!(w.say(c, "EXEC"), "[123]");
    assert_eq!(w.say(c, "TTL k"), ":100");
    assert_eq!(w.say(c, "OBJECT ENCODING k"), "raw");
}
