//! Files, command lines, includes; what is refused and with which words.

use proptest::prelude::*;
use tanist_config::{
    CommandLine, Directive, Included, LoadError, Loaded, MAX_INCLUDE_DEPTH, SavePoint, ServerConfig,
    rewritten,
};

fn load(text: &str) -> Result<Loaded, LoadError> {
    Loaded::read(text.as_bytes(), &mut |_| Ok(Vec::new()))
}

fn refusal(text: &str) -> String {
    load(text).expect_err("refused").to_string()
}

#[test]
fn later_lines_win_and_save_points_add_up() {
    let loaded = load("port 1\nSAVE 900 1\nslave-priority 5\nsave 60 2 30 3\nport 2\n").expect("fine");
    assert_eq!(loaded.config.port, 2);
    assert_eq!(loaded.config.replica_priority, 5);
    let point = |(seconds, changes)| SavePoint { seconds, changes };
    assert_eq!(loaded.config.save, [(900, 1), (60, 2), (30, 3)].map(point));
    assert!(loaded.seen.contains("replica-priority") && !loaded.seen.contains("bind"));
    assert!(load("save \n").expect("fine").config.save.is_empty());
    assert!(load("save 1 1\nsave \"\"\n").expect("fine").config.save.is_empty());
    assert!(load(r#"save "\"\"""#).expect("fine").config.save.is_empty(), "quotes that a shell has quoted");
    assert_eq!(load("save \"60 2 30 3\"\n").expect("fine").config.save, [(60, 2), (30, 3)].map(point));
}

#[test]
fn buffer_limits_change_by_class() {
    let loaded = load("client-output-buffer-limit slave 1gb 2mb 3\n").expect("fine");
    let text = loaded.config.get("client-output-buffer-limit");
    assert_eq!(text.as_deref(), Some("normal 0 0 0 slave 1073741824 2097152 3 pubsub 33554432 8388608 60"));
}

#[test]
fn refusals_quote_the_line_with_its_number() {
    assert!(refusal("port 1\nfoo bar\n").ends_with(
        ") ***\nReading the configuration file, at line 2\n>>> 'foo bar'\nBad directive or wrong number of arguments"
    ));
    for (line, reason) in [
        ("port 1 2", "wrong number of arguments"),
        ("port", "wrong number of arguments"),
        ("port 99999", "argument must be between 0 and 65535 inclusive"),
        ("port x", "argument couldn't be parsed into an integer"),
        ("port \"99", "Unbalanced quotes in configuration line"),
        ("save 12", "Invalid save parameters"),
        ("save 0 1", "Invalid save parameters"),
        ("slaveof a", "wrong number of arguments"),
        ("slaveof a b", "Invalid primary port"),
        ("rename-command a", "Bad directive or wrong number of arguments"),
        ("include", "Bad directive or wrong number of arguments"),
        ("sentinel x", "sentinel directive while not in sentinel mode"),
        ("unixsocketperm 7777", "argument must be between 0 and 777 inclusive"),
        ("unixsocketperm x", "argument couldn't be parsed as an octal number"),
        ("supervised x", "argument(s) must be one of the following: upstart, systemd, auto, no"),
        ("appendfilename a/b", "appendfilename can't be a path, just a filename"),
        (
            "client-output-buffer-limit a 1 1 1",
            "Invalid client class specified in buffer limit configuration.",
        ),
    ] {
        assert!(refusal(line).ends_with(&format!(">>> '{line}'\n{reason}")), "{line}: {}", refusal(line));
    }
}

#[test]
fn known_names_without_effect_warn_and_old_ones_are_silent() {
    let text = "appendonly yes\nsanitize-dump-payload no\nloadmodule /x.so a\ndynamic-hz yes\n";
    let loaded = load(text);
    let loaded = loaded.expect("accepted");
    let named = |name: &str| loaded.warnings.iter().any(|w| w.starts_with(&format!("'{name}'")));
    assert!(named("appendonly") && named("sanitize-dump-payload") && named("loadmodule"));
    assert!(!named("dynamic-hz"));
    assert_eq!(loaded.config.lists.modules, [["/x.so", "a"]]);
}

#[test]
fn the_command_line_is_lines_after_the_file() {
    let args = ["a.conf", "--port", "7", "--bind", "::1", "127.0.0.1", "--requirepass", "a b", "--save", ""];
    let line = CommandLine::parse(&args);
    assert_eq!(line.file.as_deref(), Some("a.conf"));
    let text = line.text(b"port 6\nmaxclients 9", b"");
    let config = Loaded::read(&text, &mut |_| Ok(Vec::new())).expect("fine").config;
    assert_eq!((config.port, config.maxclients), (7, 9));
    assert_eq!(config.bind, ["::1", "127.0.0.1"]);
    assert_eq!(config.requirepass, "a b");
    assert!(config.save.is_empty());

    let lines = |args: &[&str]| CommandLine::parse(args).lines;
    assert_eq!(
        lines(&["--logfile", "--a", "--port", "--loglevel", "debug"]),
        "logfile \"--a\"\nport \"--loglevel\" \"debug\""
    );
    assert_eq!(
        lines(&["--maxmemory 7mb", "--save", "--bind", "a", "b"]),
        "maxmemory 7mb\nsave\nbind \"a\" \"b\""
    );
    assert_eq!(lines(&["a.conf", "loglevel", "debug", "--save"]), "\"loglevel\" \"debug\"\nsave");

    let stdin = CommandLine::parse(&["-", "--sentinel", "--port", "1"]);
    assert!(stdin.stdin && stdin.sentinel && stdin.file.is_none());
    assert_eq!(stdin.text(b"", b"port 3"), b"\nport 3\nport \"1\"");
    assert!(CommandLine::parse::<&str>(&[]).lines.is_empty());
}

#[test]
fn includes_are_read_in_place() {
    let mut reader = |pattern: &str| match pattern {
        "none-*.conf" => Ok(Vec::new()),
        "two" => Ok(["port 2\n", "include nested\n"]
            .map(|text| Included { path: "x".into(), bytes: text.into() })
            .to_vec()),
        "nested" => Ok(vec![Included { path: "n".into(), bytes: b"timeout 9".to_vec() }]),
        _ => Err("No such file or directory".to_owned()),
    };
    let loaded = Loaded::read(b"port 1\ninclude none-*.conf\ninclude two\nmaxclients 3\n", &mut reader);
    let config = loaded.expect("fine").config;
    assert_eq!((config.port, config.timeout, config.maxclients), (2, 9, 3));
    let error = Loaded::read(b"include gone\n", &mut reader).expect_err("missing");
    assert_eq!(error.to_string(), "Fatal error, can't open config file 'gone': No such file or directory");
}

#[test]
fn files_that_include_each_other_end() {
    let mut opened = 0;
    let mut reader = |_: &str| {
        opened += 1;
        Ok(vec![Included { path: "self".into(), bytes: b"include self".to_vec() }])
    };
    assert!(Loaded::read(b"include self", &mut reader).is_err());
    assert_eq!(opened, MAX_INCLUDE_DEPTH);
}

#[test]
fn config_set_is_all_or_nothing_with_redis_words() {
    let config = ServerConfig::default();
    let error = |pairs: &[(&str, &str)]| config.change(pairs, false).expect_err("refused").to_string();
    let failed =
        |name: &str, why: &str| format!("CONFIG SET failed (possibly related to argument '{name}') - {why}");
    assert_eq!(
        error(&[("maxmemory", "1x"), ("foo", "1")]),
        "Unknown option or number of arguments for CONFIG SET - 'foo'"
    );
    assert_eq!(
        error(&[("timeout", "1"), ("maxmemory", "1x"), ("port", "-1")]),
        failed("maxmemory", "argument must be a memory value")
    );
    assert_eq!(error(&[("maxmemory", "1"), ("MAXMEMORY", "1")]), failed("MAXMEMORY", "duplicate parameter"));
    assert_eq!(error(&[("databases", "1"), ("foo", "1")]), failed("databases", "can't set immutable config"));
    assert_eq!(error(&[("HZ", "x")]), failed("hz", "argument couldn't be parsed into an integer"));
    assert_eq!(error(&[("dir", "/x")]), failed("dir", "can't set protected config"));
    assert_eq!(error(&[("hz", "-1")]), failed("hz", "argument must be between 0 and 2147483647 inclusive"));
    assert_eq!(
        error(&[("notify-keyspace-events", "Q")]),
        failed("notify-keyspace-events", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
    );
    let set =
        config.change(&[("timeout", "5"), ("save", "1 2 3 4"), ("bind", "* -::*")], false).expect("fine");
    assert_eq!((set.config.timeout, set.config.save.len(), set.directives.len()), (5, 2, 3));
    let names = [("slowlog-max-len", "5"), ("commandlog-slow-execution-max-len", "6")];
    assert_eq!(config.change(&names, false).expect("two names").config.slowlog_max_len, 6);
}

#[test]
fn event_classes_print_as_redis_prints_them() {
    let mut config = ServerConfig::default();
    for (given, printed) in
        [("KEAmn", "AKEm"), ("g$lshzxetmdEn", "AEm"), ("gn", "gn"), ("", ""), ("Kl$", "$lK")]
    {
        config.set("notify-keyspace-events", &[given]).expect("accepted");
        assert_eq!(config.get("notify-keyspace-events").as_deref(), Some(printed));
    }
    assert!(config.notify_keyspace_events.has(b'K') && !config.notify_keyspace_events.has(b'x'));
}

proptest! {
    #[test]
    fn any_text_loads_or_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Loaded::read(&bytes, &mut |_| Ok(Vec::new()));
    }

    #[test]
    fn users_are_read_back_as_they_were_written(
        users in proptest::collection::vec(
            proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..6), 1..4),
            0..4,
        ),
        blanks in "[ \t\x0c\x0b]{1,3}",
    ) {
        let line = |words: &Vec<Vec<u8>>| {
            let quoted: Vec<_> = words.iter().map(|word| tanist_text::words::quote(word)).collect();
            format!("{blanks}user{blanks}{}", quoted.join(&blanks))
        };
        let text = users.iter().map(line).collect::<Vec<_>>().join("\n\n\n");
        let loaded = load(&text).expect("readable");
        let words: Vec<_> = loaded.config.lists.users.iter().map(|user| user.args.clone()).collect();
        prop_assert_eq!(&words, &users);
        let file = rewritten(&loaded.config, text.as_bytes()).expect("readable");
        let again = Loaded::read(&file, &mut |_| Ok(Vec::new())).expect("readable");
        prop_assert_eq!(again.config, loaded.config);
    }

    #[test]
    fn any_value_is_set_or_refused(pick in any::<prop::sample::Index>(), value in "\\PC{0,12}|[-0-9a-z% ]{0,20}") {
        let all = tanist_config::Directive::all();
        let directive = pick.get(all);
        if let Ok(change) = ServerConfig::default().change(&[(directive.name, &value)], true) {
            let text = change.config.value(directive);
            let again = change.config.change(&[(directive.name, &text)], true).expect("its own text");
            prop_assert_eq!(again.config.value(directive), text);
        }
    }
}

#[test]
fn a_file_can_be_rewritten_with_every_directive() {
    let mut config = ServerConfig::default();
    config.set("port", &["7"]).expect("fine");
    let text = tanist_config::rewritten_whole(&config, b"# mine\nport 6\n").expect("fine");
    let loaded = Loaded::read(&text, &mut |_| Ok(Vec::new())).expect("can be read again");
    assert_eq!(loaded.config, config);
    assert!(
        Directive::all()
            .iter()
            .filter(|d| !(d.aliases.contains(&"slaveof")))
            .all(|d| { loaded.seen.contains(d.name) || config.value(d).is_empty() })
    );
}
