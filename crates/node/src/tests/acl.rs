//! Users and their rights: what is allowed, refused, logged, and who is closed.

use super::World;
use crate::{Input, Output, SessionId};
use tanist_config::ServerConfig;

/// A world with an administrator's connection, and one of the user `t` with these rules.
fn world(rules: &str) -> (World, SessionId, SessionId) {
    let mut w = World::new();
    let (admin, t) = (w.connect(), w.connect());
    assert_eq!(w.say(admin, &format!("ACL SETUSER t on nopass {rules}")), "OK");
    assert_eq!(w.say(t, "AUTH t x"), "OK");
    (w, admin, t)
}

fn closed(w: &mut World) -> Vec<SessionId> {
    let closed = |output| match output {
        Output::Close { session, .. } => Some(session),
        _ => None,
    };
    w.outs.drain().filter_map(closed).collect()
}

const NO_KEY: &str = "-NOPERM No permissions to access a key";
const NO_CHANNEL: &str = "-NOPERM No permissions to access a channel";
const NO_DATABASE: &str = "-NOPERM No permissions to access database";

#[test]
fn a_user_is_described_by_its_rules() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "ACL SETUSER t >a %R~r* %W~w* ~both %r~both &c db=3,1,3 +@read -get +client|id (+set ~x) (+get allkeys)");
    let hash = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    assert_eq!(
        w.say(c, "ACL LIST"),
        format!(
            "[user default on nopass ~* &* +@all user t off #{hash} %R~r* %W~w* ~both resetchannels &c db=1,3 -@all \
             +@read -get +client|id (~x resetchannels -@all +set) (~* resetchannels -@all +get)]"
        )
    );
    assert_eq!(
        w.say(c, "ACL GETUSER t"),
        format!(
            "[flags [off] passwords [{hash}] commands -@all +@read -get +client|id keys %R~r* %W~w* ~both channels &c \
             databases db=1,3 selectors [[commands -@all +set keys ~x channels  databases alldbs] \
             [commands -@all +get keys ~* channels  databases alldbs]]]"
        )
    );
    w.say(c, "ACL SETUSER t clearselectors resetkeys +@all -client|id +client resetdbs nopass");
    assert_eq!(
        w.say(c, "ACL LIST"),
        "[user default on nopass ~* &* +@all user t off nopass resetchannels &c resetdbs +@all +client]"
    );
    w.say(c, "ACL SETUSER t reset");
    assert_eq!(w.say(c, "ACL LIST"), "[user default on nopass ~* &* +@all user t off resetchannels -@all]");
}

#[test]
fn rules_that_cannot_be_change_nothing() {
    let (mut w, admin, _) = world("+@all ~* &*");
    let before = w.say(admin, "ACL LIST");
    for (rule, why) in [
        ("+nonsense", "Unknown command or category name in ACL"),
        ("-@nonsense", "Unknown command or category name in ACL"),
        ("+client|nonsense", "Unknown command or category name in ACL"),
        ("-get|x", "Unknown command or category name in ACL"),
        ("+client|id|x", "Allowing first-arg of a subcommand is not supported"),
        ("%X~a", "Adding a pattern after the * pattern (or the 'allkeys' flag)"),
        ("&x", "Adding a pattern after the * pattern (or the 'allchannels' flag)"),
        ("<x", "The password you are trying to remove from the user does not exist"),
        ("#ABC", "The password hash must be exactly 64 characters"),
        ("db=x", "Syntax error"),
        ("db=1,", "Syntax error"),
        ("db=-1", "The provided database ID is out of range"),
        ("what", "Syntax error"),
        ("(on)", "Syntax error"),
    ] {
        let reply = w.say(admin, &format!("ACL SETUSER t resetpass {rule}"));
        assert!(reply.starts_with(&format!("-ERR Error in ACL SETUSER modifier '{rule}': {why}")), "{reply}");
        assert_eq!(w.say(admin, "ACL LIST"), before);
    }
    assert_eq!(
        w.say(admin, "ACL SETUSER t resetkeys %RR~x"),
        "-ERR Error in ACL SETUSER modifier '%RR~x': Syntax error"
    );
    assert_eq!(
        w.say(admin, "ACL SETUSER t on (+get +set"),
        "-ERR Unmatched parenthesis in acl selector starting at '(+get'."
    );
}

#[test]
fn commands_keys_and_channels_are_refused_by_what_the_user_may() {
    let (mut w, _, t) = world("+get +set +copy +mget +publish +psubscribe +client|id %R~r* ~both &ch*");
    assert_eq!(w.say(t, "DEL both"), "-NOPERM User t has no permissions to run the 'del' command");
    assert_eq!(w.say(t, "CLIENT LIST"), "-NOPERM User t has no permissions to run the 'client|list' command");
    assert_eq!(w.say(t, "CLIENT ID"), ":2");
    assert_eq!(w.say(t, "GET r1"), "(nil)");
    assert_eq!(w.say(t, "SET r1 x"), NO_KEY);
    assert_eq!(w.say(t, "SET both x"), "OK");
    assert_eq!(w.say(t, "MGET r1 both"), "[(nil) x]");
    assert_eq!(w.say(t, "MGET r1 other"), NO_KEY);
    assert_eq!(w.say(t, "COPY r1 both"), ":0");
    assert_eq!(w.say(t, "COPY both r1"), NO_KEY);
    assert_eq!(w.say(t, "PUBLISH ch1 x"), ":0");
    assert_eq!(w.say(t, "PUBLISH news x"), NO_CHANNEL);
    assert_eq!(w.say(t, "PSUBSCRIBE ch1"), NO_CHANNEL);
    assert_eq!(w.say(t, "PSUBSCRIBE ch*"), "[psubscribe ch* :1]");
}

#[test]
fn a_selector_allows_as_a_whole() {
    let (mut w, admin, t) = world("+get ~a (+set ~b) (+select|1)");
    assert_eq!(w.say(t, "GET a"), "(nil)");
    assert_eq!(w.say(t, "SET b 1"), "OK");
    assert_eq!(w.say(t, "GET b"), NO_KEY);
    assert_eq!(w.say(t, "SELECT 1"), "OK");
    assert!(w.say(t, "SELECT 0").starts_with("-NOPERM User t has no permissions to run the 'select'"));
    w.say(admin, "ACL SETUSER t (allcommands allkeys allchannels)");
    assert_eq!(w.say(t, "SELECT 0"), "OK");
    assert!(w.node.sessions.get(t).is_some_and(|s| s.free));
}

#[test]
fn databases_are_open_or_not() {
    let (mut w, admin, t) = world("+@all ~* db=1");
    for line in ["GET a", "DBSIZE", "SELECT 0", "SWAPDB 0 1", "FLUSHALL", "MOVE a 1", "WATCH a"] {
        assert_eq!(w.say(t, line), NO_DATABASE, "{line}");
    }
    assert_eq!(w.say(t, "SELECT 99"), "-ERR DB index is out of range");
    assert_eq!(w.say(t, "PING"), "PONG");
    assert_eq!(w.say(t, "SELECT 1"), "OK");
    assert_eq!(w.say(t, "SET a 1"), "OK");
    assert_eq!(w.say(t, "COPY a b DB 0"), NO_DATABASE);
    assert_eq!(w.say(t, "COPY a b DB 1 DB 0"), NO_DATABASE, "the last one counts");
    assert_eq!(w.say(t, "COPY a b DB 1"), ":1");
    w.say(admin, "ACL SETUSER t alldbs");
    assert_eq!(w.say(t, "MOVE a 0"), ":1");
}

#[test]
fn keys_that_no_argument_names_need_a_right_to_all() {
    let (mut w, admin, t) = world("+@all ~a");
    let denied = |option| format!("-ERR {option} option of SORT denied due to insufficient ACL permissions.");
    assert_eq!(w.say(t, "SORT a BY w_*"), denied("BY"));
    assert_eq!(w.say(t, "SORT a BY nosort GET #"), denied("GET"));
    assert_eq!(w.say(t, "SORT a BY nosort"), "[]");
    w.say(admin, "ACL SETUSER t %R~*");
    assert_eq!(w.say(t, "SORT a BY w_* GET #"), "[]");
}

#[test]
fn a_transaction_is_checked_when_queued_and_when_run() {
    let (mut w, admin, t) = world("+@all -del ~a &*");
    w.say(t, "MULTI");
    assert_eq!(w.say(t, "SET b 1"), NO_KEY);
    assert!(w.say(t, "EXEC").starts_with("-EXECABORT"));
    w.say(t, "MULTI");
    w.say(t, "SET a 1");
    w.say(t, "PUBLISH x y");
    w.say(t, "CLIENT ID");
    w.say(admin, "ACL SETUSER t resetkeys -client resetchannels");
    let changed = "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
                   command is no longer allowed for the following reason:";
    assert_eq!(
        w.say(t, "EXEC"),
        format!(
            "[{changed} no permission to touch the specified keys {changed} no permission to access one of the channels \
             used as arguments to the command {changed} no permission to execute the command or subcommand]"
        )
    );
    assert_eq!(w.say(admin, "EXISTS a"), ":0");
}

#[test]
fn scripts_may_do_what_their_user_may() {
    let (mut w, admin, t) = world("+@all -set ~a");
    let mut eval = |body: &str| {
        let mut bytes = Vec::new();
        tanist_resp::encode_command(&mut bytes, &[b"EVAL", body.as_bytes(), b"0"]);
        let (out, _) = w.raw(t, &bytes);
        super::show(&super::decode(&out)[0])
    };
    assert_eq!(
        eval("return redis.pcall('set','a','1')"),
        "-ERR ACL failure in script: User t has no permissions to run the 'set' command"
    );
    assert_eq!(
        eval("return redis.pcall('get','b')"),
        "-ERR ACL failure in script: No permissions to access a key"
    );
    assert_eq!(eval("return redis.call('get','a')"), "(nil)");
    assert_eq!(eval("return redis.acl_check_cmd('set','a','1')"), "(nil)");
    assert_eq!(eval("return redis.acl_check_cmd('get','a')"), ":1");
    assert!(w.say(admin, "ACL LOG 1").contains("reason key context lua object b username t"));
}

#[test]
fn who_loses_its_user_or_its_channels_is_closed() {
    let (mut w, admin, t) = world("+@all &a* &b");
    let other = w.connect();
    w.say(other, "AUTH t x");
    w.say(t, "SUBSCRIBE a1");
    assert_eq!(w.say(admin, "ACL SETUSER t resetchannels &a*"), "OK");
    assert_eq!(closed(&mut w), []);
    w.say(admin, "ACL SETUSER t resetchannels &b");
    assert_eq!(closed(&mut w), [t]);
    assert_eq!(w.say(admin, "ACL DELUSER t nobody"), ":1");
    assert_eq!(closed(&mut w), [other]);
    assert_eq!(w.say(admin, "ACL DELUSER default"), "-ERR The 'default' user cannot be removed");
}

#[test]
fn who_removes_itself_is_answered_first() {
    let (mut w, _, t) = world("+@all");
    let (out, next) = w.raw(t, b"ACL DELUSER t\r\nPING\r\n");
    assert_eq!(out, b":1\r\n");
    assert_eq!(next, crate::Next::Close);
}

#[test]
fn names_and_passwords_are_asked_for() {
    let mut w = World::new();
    let (admin, c) = (w.connect(), w.connect());
    w.say(admin, "ACL SETUSER t on >one >two +@all");
    assert!(w.say(c, "AUTH t three").starts_with("-WRONGPASS"));
    assert_eq!(w.say(c, "AUTH t two"), "OK");
    assert_eq!(w.say(c, "ACL WHOAMI"), "t");
    assert_eq!(w.say(c, "RESET"), "RESET");
    assert_eq!(w.say(c, "ACL WHOAMI"), "default");
    w.say(admin, "ACL SETUSER t <two off");
    assert!(w.say(c, "AUTH t two").starts_with("-WRONGPASS"));
    assert!(w.say(c, "AUTH t one").starts_with("-WRONGPASS"));
    w.say(admin, "ACL SETUSER t on");
    assert!(w.say(c, "HELLO 3 AUTH t one").starts_with('{'));
    w.say(admin, "ACL SETUSER default off");
    let stranger = w.connect();
    assert_eq!(w.say(stranger, "PING"), "-NOAUTH Authentication required.");
    assert_eq!(w.say(admin, "PING"), "PONG");
    w.say(admin, "ACL SETUSER default on");
    assert_eq!(w.say(stranger, "PING"), "PONG");
}

#[test]
fn the_password_of_the_configuration_is_the_default_users() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "CONFIG SET requirepass abc");
    let stranger = w.connect();
    assert_eq!(w.say(stranger, "PING"), "-NOAUTH Authentication required.");
    assert_eq!(w.say(stranger, "AUTH abc"), "OK");
    w.say(c, "ACL SETUSER default resetpass >xyz -get");
    assert!(w.say(stranger, "AUTH abc").starts_with("-WRONGPASS"));
    assert_eq!(w.say(c, "GET k"), "-NOPERM User default has no permissions to run the 'get' command");
    w.say(c, "CONFIG SET requirepass xyz");
    w.say(c, "CONFIG SET requirepass abc");
    assert_eq!(w.say(stranger, "AUTH abc"), "OK");
    assert!(w.say(stranger, "GET k").starts_with("-NOPERM"), "a password gives no rights");
}

#[test]
fn refusals_are_counted_and_like_ones_joined() {
    let (mut w, admin, t) = world("+get ~a");
    w.say(t, "GET b");
    w.say(t, "SET a 1");
    w.now.wall_us += 59_000_000;
    w.say(t, "GET b");
    w.say(t, "AUTH t2 x");
    let log = w.all(admin, "ACL LOG");
    let shown = super::show(&log[0]);
    assert_eq!(shown.matches("count").count(), 3);
    assert!(shown.starts_with(
        "[[count :1 reason auth context toplevel object AUTH username t2 age-seconds 0 client-info id=2 "
    ));
    assert!(shown.contains("[count :2 reason key context toplevel object b username t age-seconds 0 "));
    assert!(
        shown.contains("[count :1 reason command context toplevel object set username t age-seconds 59 ")
    );
    w.now.wall_us += 61_000_000;
    w.say(t, "GET b");
    assert_eq!(w.say(admin, "ACL LOG 1").matches("count :1 ").count(), 1);
    let info = w.say(admin, "INFO stats");
    for line in ["acl_access_denied_auth:1", "acl_access_denied_cmd:1", "acl_access_denied_key:3"] {
        assert!(info.contains(line), "{line}");
    }
    w.say(admin, "CONFIG SET acllog-max-len 2");
    w.say(t, "GET c");
    assert_eq!(w.say(admin, "ACL LOG").matches("count").count(), 2);
    // Only a new entry makes old ones go, or any refusal if none may be kept.
    w.say(admin, "CONFIG SET acllog-max-len 1");
    w.say(t, "GET c");
    assert_eq!(w.say(admin, "ACL LOG").matches("count").count(), 2);
    w.say(admin, "CONFIG SET acllog-max-len 0");
    w.say(t, "GET c");
    assert_eq!(w.say(admin, "ACL LOG"), "[]");
    w.say(admin, "CONFIG SET acllog-max-len 2");
    w.say(t, "GET c");
    assert_eq!(w.say(admin, "ACL LOG RESET"), "OK");
    assert_eq!(w.say(admin, "ACL LOG"), "[]");
}

/// What the command takes for keys, rights are asked for, whatever the keys and passwords look like.
#[test]
fn every_key_of_a_migration_needs_rights() {
    let (mut w, admin, _) = world("+migrate ~b ~keys");
    let mut dry = |rest: &str| {
        let line = format!("ACL DRYRUN t MIGRATE h 1 {rest}");
        let words: Vec<&[u8]> =
            line.split(' ').map(|w| if w == "-" { b"".as_slice() } else { w.as_bytes() }).collect();
        let mut bytes = Vec::new();
        tanist_resp::encode_command(&mut bytes, &words);
        super::show(&super::decode(&w.raw(admin, &bytes).0)[0])
    };
    let refused = |key: &str| format!("User t has no permissions to access the '{key}' key");
    assert_eq!(dry("b 0 9"), "OK");
    assert_eq!(dry("a 0 9 AUTH keys"), refused("a"));
    assert_eq!(dry("- 0 9 AUTH keys KEYS b"), "OK");
    assert_eq!(dry("- 0 9 AUTH2 keys keys KEYS b a"), refused("a"));
    assert_eq!(dry("- 0 9 KEYS a keys b"), refused("a"));
    assert_eq!(dry("- 0 9 KEYS b keys"), "OK");
}

#[test]
fn a_dry_run_tells_and_does_nothing() {
    let (mut w, admin, _) = world("+set ~a db=0");
    assert_eq!(w.say(admin, "ACL DRYRUN t SET a 1"), "OK");
    assert_eq!(w.say(admin, "EXISTS a"), ":0");
    assert_eq!(w.say(admin, "ACL DRYRUN t SET b 1"), "User t has no permissions to access the 'b' key");
    assert_eq!(w.say(admin, "ACL DRYRUN t GET a"), "User t has no permissions to run the 'get' command");
    assert_eq!(w.say(admin, "ACL DRYRUN t NONSENSE"), "-ERR Command 'NONSENSE' not found");
    assert_eq!(w.say(admin, "ACL DRYRUN u GET a"), "-ERR User 'u' not found");
    w.say(admin, "SELECT 1");
    w.say(admin, "ACL SETUSER t +swapdb +copy +zdiffstore");
    // What contradicts itself names no database and no key: the command refuses it.
    for (call, why) in [
        ("SWAPDB 0 1", "1"),
        ("SWAPDB 0 99", ""),
        ("SWAPDB x 1", ""),
        ("COPY a a DB 2", "2"),
        ("COPY a a DB 0", "COPY"),
        ("COPY a a DB 99", "COPY"),
    ] {
        let refused = format!("User t has no permissions to access database {why}");
        let expected = if why.is_empty() { "OK" } else { &refused };
        assert_eq!(w.say(admin, &format!("ACL DRYRUN t {call}")), expected, "{call}");
    }
    w.say(admin, "SELECT 0");
    assert_eq!(w.say(admin, "ACL DRYRUN t ZDIFFSTORE b 0 b"), "OK");
    assert_eq!(
        w.say(admin, "ACL DRYRUN t ZDIFFSTORE b 1 a"),
        "User t has no permissions to access the 'b' key"
    );
    w.say(admin, "SELECT 1");
    assert_eq!(w.say(admin, "ACL DRYRUN t SET a 1"), "User t has no permissions to access database SET");
    assert_eq!(w.say(admin, "ACL LOG"), "[]");
}

#[test]
fn a_file_of_users_is_taken_whole_or_not_at_all() {
    let mut w = World::with(ServerConfig { aclfile: "users.acl".into(), ..ServerConfig::default() });
    let c = w.connect();
    w.all(c, "ACL LOAD");
    assert!(matches!(w.outs.drain().next(), Some(Output::ReadUsers { session }) if session == c));
    let bad = b"user a on\nusr\nuser a on\nuser b +nope what\nuser c (+get\n".to_vec();
    w.node.step(w.now, Input::UsersRead { session: c, result: Ok(bad) }, &mut w.outs);
    assert_eq!(
        w.pushed(c),
        [
            "-ERR users.acl:2 should start with user keyword followed by the username. WARNING: Duplicate user 'a' found \
          on line 3. users.acl:4: Error in applying operation '+nope': Unknown command or category name in ACL. \
          users.acl:4: Syntax error. users.acl:5: Unmatched parenthesis in selector definition.WARNING: ACL errors \
          detected, no change to the previously active ACL rules was performed"
        ]
    );
    assert_eq!(w.say(c, "ACL USERS"), "[default]");
    w.all(c, "ACL LOAD");
    let good =
        b"\n  user bob on nopass ~a (+get ~b) \nuser default on nopass ~* &* +@all -flushall\n".to_vec();
    w.node.step(w.now, Input::UsersRead { session: c, result: Ok(good) }, &mut w.outs);
    assert_eq!(w.pushed(c), ["OK"]);
    assert!(w.say(c, "FLUSHALL").starts_with("-NOPERM"), "who is connected has the new rights");
    w.all(c, "ACL SAVE");
    let written = w.outs.drain().find_map(|output| match output {
        Output::WriteUsers { session, bytes } if session == Some(c) => Some(bytes),
        _ => None,
    });
    assert_eq!(
        String::from_utf8(written.expect("a file")).expect("text"),
        "user bob on nopass ~a resetchannels -@all (~b resetchannels -@all +get)\n\
         user default on nopass ~* &* +@all -flushall\n"
    );
    w.node.step(
        w.now,
        Input::UsersWritten { session: Some(c), result: Err("disk full".into()) },
        &mut w.outs,
    );
    assert!(w.pushed(c)[0].starts_with("-ERR There was an error trying to save the ACLs."));
}

#[test]
fn users_come_from_the_configuration_and_go_back() {
    let text = b"requirepass x\nuser bob off >p ~a &b +get\nuser default on nopass +@all ~*\n";
    let loaded = tanist_config::Loaded::read(text, &mut |_| Ok(Vec::new())).expect("fine");
    let mut w = World::with(loaded.config);
    w.node.load_users(None, &mut w.outs).expect("users");
    assert!(
        matches!(&w.outs.drain().next(), Some(Output::Log(_, text)) if text.contains("'bob' is disabled"))
    );
    let c = w.connect();
    assert_eq!(w.say(c, "ACL USERS"), "[bob default]");
    w.node.host.config_file = "/x".into();
    w.say(c, "ACL SETUSER eve on ~\"q (~x +get)");
    w.all(c, "CONFIG REWRITE");
    let config = w.outs.drain().find_map(|output| match output {
        Output::RewriteConfig { config, .. } => Some(config),
        _ => None,
    });
    let config = config.expect("a rewrite");
    let file = String::from_utf8(tanist_config::rewritten(&config, text).expect("fine")).expect("text");
    assert!(
        file.starts_with(
            "requirepass \"x\"\nuser bob off #148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940 ~a \
             resetchannels &b -@all +get\nuser default on nopass ~* resetchannels +@all\n"
        ),
        "{file}"
    );
    assert!(
        file.ends_with("user eve on \"~\\\"q\" resetchannels -@all (~x resetchannels -@all +get)\n"),
        "{file}"
    );
}

#[test]
fn users_of_the_configuration_that_cannot_be_stop_the_start() {
    for (text, why) in [
        ("user a +nonsense", "'+nonsense': Unknown command or category name in ACL"),
        ("user a on\nuser a off", "Duplicate user found. A user can only be defined once in config files"),
        ("user a (+get", "Unmatched parenthesis in selector definition"),
    ] {
        let loaded = tanist_config::Loaded::read(text.as_bytes(), &mut |_| Ok(Vec::new())).expect("fine");
        let mut w = World::with(loaded.config);
        let error = w.node.load_users(None, &mut w.outs).expect_err(text);
        assert!(error.ends_with(why), "{error}");
    }
}

#[test]
fn secrets_of_rules_stay_out_of_the_logs() {
    let mut w = World::with(ServerConfig { slowlog_log_slower_than: 0, ..ServerConfig::default() });
    let c = w.connect();
    w.say(c, "ACL SETUSER t >secret");
    assert!(w.say(c, "SLOWLOG GET 1").contains("[ACL SETUSER (redacted) (redacted)]"));
}

#[test]
fn bit_fields_that_are_only_read_need_no_right_to_write() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "ACL SETUSER reader on nopass %R~k +@all");
    let dry = |w: &mut World, words: &str| w.say(c, &format!("ACL DRYRUN reader BITFIELD k {words}"));
    for words in ["GET u4 0", "OVERFLOW FAIL GET u4 0 get u8 1"] {
        assert_eq!(dry(&mut w, words), "OK", "{words}");
    }
    for words in ["SET u4 0 1", "GET u4 0 INCRBY u4 0 1", "GET u4", "NONSENSE"] {
        assert!(dry(&mut w, words).starts_with("User reader has no permissions"), "{words}");
    }
    let keys = "COMMAND GETKEYSANDFLAGS BITFIELD k";
    assert_eq!(w.say(c, &format!("{keys} GET u4 0")), "[[k [RO access]]]");
    assert_eq!(w.say(c, &format!("{keys} SET u4 0 1")), "[[k [RW access update]]]");
}

/// The rights that Redis' documentation gives to a sentinel are enough for ours.
#[test]
fn who_may_slaveof_may_do_what_sentinels_do() {
    let documented = "allchannels -@all +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info \
                      +client|setname +client|kill +script|kill";
    let (mut w, admin, t) = world(documented);
    assert!(!w.say(t, "TANIST STATUS").starts_with('-'));
    assert_eq!(w.say(admin, "ACL DRYRUN t TANIST STATUS"), "OK");
    assert_eq!(w.say(t, "GET k"), "-NOPERM User t has no permissions to run the 'get' command");
    for (change, allowed) in [
        ("-tanist|pause", true),
        ("-tanist", false),
        ("+tanist|status", true),
        ("reset on nopass +ping", false),
        ("+replicaof", true),
        ("-@all", false),
    ] {
        assert_eq!(w.say(admin, &format!("ACL SETUSER t {change}")), "OK");
        let refused = w.say(admin, "ACL DRYRUN t TANIST STATUS").contains("no permissions");
        assert_eq!(refused, !allowed, "{change}");
    }
}

#[test]
fn what_no_script_may_do_is_no_matter_of_rights() {
    let mut w = World::new();
    let c = w.connect();
    w.say(c, "ACL SETUSER u on nopass +@all ~* resetchannels");
    w.say(c, "AUTH u x");
    let mut bytes = Vec::new();
    for code in ["return redis.pcall('SUBSCRIBE', 'x')", "return redis.pcall('PUBLISH', 'x', 'y')"] {
        tanist_resp::encode_command(&mut bytes, &[b"EVAL", code.as_bytes(), b"0"]);
    }
    let (out, _) = w.raw(c, &bytes);
    let replies = super::decode(&out);
    assert!(super::show(&replies[0]).starts_with("-ERR This Valkey command is not allowed from script"));
    assert!(super::show(&replies[1]).starts_with("-ERR ACL failure in script"));
    assert_eq!(w.node.stats.denied.channel, 1, "of the second one");
}
