//! `COMMAND` and `ACL`.

use super::World;

#[test]
fn keys_are_found_among_the_arguments() {
    let mut w = World::new();
    let c = w.connect();
    for (line, keys) in [
        ("GET a", "[a]"),
        ("MSET a 1 b 2", "[a b]"),
        ("DEL a b c", "[a b c]"),
        ("OBJECT ENCODING a", "[a]"),
        ("LCS a b IDX", "[a b]"),
        ("PING", "-ERR The command has no key arguments"),
        ("GET", "-ERR Invalid number of arguments specified for command"),
        ("NONSENSE a", "-ERR Invalid command specified"),
        ("OBJECT NONSENSE a", "-ERR Invalid command specified"),
        ("OBJECT", "-ERR The command has no key arguments"),
        ("XREAD COUNT 1 a 0", "-ERR Invalid arguments specified for command"),
        ("EVAL x 0", "[]"),
        ("SORT a STORE STORE ALPHA", "[a STORE]"),
        ("SORT a STORE b STORE c GET STORE", "[a c]"),
        ("PFMERGE a", "[a]"),
        ("PFMERGE a b c", "[a b c]"),
        ("GEORADIUS a 1 2 3 m", "[a]"),
        ("GEORADIUS a 1 2 3 m COUNT STORE 1 STORE b", "[a b]"),
        ("GEORADIUS a 1 2 3 m STORE b STOREDIST c", "[a c]"),
        ("GEORADIUS a 1 2 3 m STORE STOREDIST", "[a STOREDIST]"),
        ("GEORADIUSBYMEMBER a x 3 m STORE", "[a]"),
        ("MIGRATE h 1 a 0 9 AUTH keys", "[a]"),
        ("MIGRATE h 1 a 0 9 KEYS", "-ERR Invalid arguments specified for command"),
        ("MIGRATE h 1 a 0 9 KEYS b", "-ERR Invalid arguments specified for command"),
        ("XREADGROUP BLOCK 0 GROUP g STREAMS STREAMS a b > >", "[a b]"),
        ("XREADGROUP GROUP STREAMS c STREAMS a >", "[a]"),
        ("XREAD COUNT 1 STREAMS STREAMS 0", "[STREAMS]"),
        ("SPUBLISH a b", "-ERR The command has no key arguments"),
        ("SSUBSCRIBE a", "-ERR The command has no key arguments"),
    ] {
        assert_eq!(w.say(c, &format!("COMMAND GETKEYS {line}")), keys, "{line}");
    }
    assert_eq!(w.say(c, "COMMAND GETKEYSANDFLAGS SET a b"), "[[a [OW update]]]");
    assert_eq!(w.say(c, "COMMAND GETKEYSANDFLAGS SET a b GET"), "[[a [RW access update]]]");
    let radius = "COMMAND GETKEYSANDFLAGS GEORADIUS a 1 2 3 m STOREDIST b";
    assert_eq!(w.say(c, radius), "[[a [RO access]] [b [OW update]]]");
}

#[test]
fn commands_are_described_counted_and_filtered() {
    let mut w = World::new();
    let c = w.connect();
    let get = "[get :2 [readonly fast] :1 :1 :1 [@read @string @fast] [] \
               [[flags [RO access] begin_search [type index spec [index :1]] \
               find_keys [type range spec [lastkey :0 keystep :1 limit :0]]]] []]";
    assert_eq!(w.say(c, "COMMAND INFO get nonsense"), format!("[{get} (nil)]"));
    let listed = w.say(c, "COMMAND LIST");
    let names: Vec<&str> = listed.trim_matches(['[', ']']).split(' ').collect();
    assert!(names.contains(&"get") && names.contains(&"client|kill"), "{listed}");
    let top_level = names.iter().filter(|name| !name.contains('|')).count();
    assert_eq!(w.say(c, "COMMAND COUNT"), format!(":{top_level}"));
    assert_eq!(w.say(c, "COMMAND LIST FILTERBY PATTERN config|re*"), "[config|resetstat config|rewrite]");
    assert_eq!(w.say(c, "COMMAND LIST FILTERBY ACLCAT transaction"), w.say(c, "ACL CAT transaction"));
    assert_eq!(w.say(c, "COMMAND LIST FILTERBY MODULE x"), "[]");
    assert_eq!(w.say(c, "COMMAND LIST x"), "-ERR syntax error");
    assert_eq!(w.say(c, "COMMAND NONSENSE"), "-ERR unknown subcommand 'NONSENSE'. Try COMMAND HELP.");
    assert!(w.say(c, "COMMAND DOCS ping").contains(
        "group connection complexity O(1) arguments [[name message type string display_text message flags [optional]]]"
    ));
    assert_eq!(w.say(c, "COMMAND DOCS nonsense"), "[]");
}

#[test]
fn the_default_user_is_described_and_its_password_hidden() {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(w.say(c, "ACL LIST"), "[user default on nopass ~* &* +@all]");
    w.say(c, "CONFIG SET requirepass abc");
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(w.say(c, "ACL LIST"), format!("[user default on #{hash} ~* &* +@all]"));
    assert!(
        w.say(c, "ACL GETUSER default")
            .starts_with(&format!("[flags [on] passwords [{hash}] commands +@all"))
    );
    assert_eq!(w.say(c, "ACL GETUSER nobody"), "(nil)");
    assert_eq!(w.say(c, "ACL WHOAMI"), "default");
    assert_eq!(w.say(c, "ACL GENPASS 5").len(), 2);
    assert!(w.say(c, "ACL GENPASS 5000").starts_with("-ERR ACL GENPASS argument must be"));
    assert_eq!(w.say(c, "ACL CAT nonsense"), "-ERR Unknown category 'nonsense'");
}
