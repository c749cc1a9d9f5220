//! Configuration files as people have them.

use tanist_sentinel::core::{Config, Facts, Input, Output, Sentinel};
use tanist_types::{Mono, Now};

fn bad(text: &str) -> (usize, String) {
    let bad = Config::parse(text).expect_err("this cannot be used");
    (bad.number, bad.why)
}

/// The file as a sentinel that started with `text` writes it.
fn written(text: &str) -> String {
    let now = Now { mono: Mono::from_millis(1), wall_us: 0 };
    let mut sentinel = Sentinel::new(Config::parse(text).expect("a good file"), Facts::default(), now, 7);
    let mut outputs = Vec::new();
    sentinel.step(now, Input::Tick, &mut outputs);
    outputs
        .into_iter()
        .find_map(|o| match o {
            Output::Persist { text, .. } => Some(text),
            _ => None,
        })
        .expect("a sentinel without an identity writes its file")
}

#[test]
fn the_example_is_a_good_file() {
    let text = include_str!("../../../deploy/sentinel.conf");
    assert_eq!(Config::parse(text).expect("a good file").server().port, 26379);
    assert!(written(text).starts_with(text), "nothing of what people wrote is changed");
}

#[test]
fn what_was_written_by_redis_is_understood() {
    let text = "port 26379\ndir \"/tmp\"\nprotected-mode no\nuser default on nopass sanitize-payload ~* &* +@all\n\
                latency-tracking-info-percentiles 50 99 99.9\n\
                sentinel myid e76ac0ac66ee7b6e249fbb8ad0b1d4dec8b493ef\n\
                sentinel monitor mymaster 127.0.0.1 6379 2\nsentinel config-epoch mymaster 3\n\
                sentinel leader-epoch mymaster 4\nsentinel current-epoch 4\n\
                sentinel known-slave mymaster 127.0.0.1 6380\nsentinel known-replica mymaster 127.0.0.1 6381\n\
                sentinel known-sentinel mymaster 127.0.0.1 26380 36d0ad72f2e6572648e5da60442aaa58b7f317ad\n";
    let now = Now { mono: Mono::from_millis(1), wall_us: 0 };
    let sentinel = Sentinel::new(Config::parse(text).expect("a good file"), Facts::default(), now, 7);
    assert_eq!(sentinel.id().to_string(), "e76ac0ac66ee7b6e249fbb8ad0b1d4dec8b493ef");
    assert_eq!(sentinel.primary_of("mymaster"), Some(("127.0.0.1".to_owned(), 6379)));
}

#[test]
fn the_order_of_the_lines_does_not_matter() {
    let text = "sentinel down-after-milliseconds m 77\nsentinel monitor m db.example 6379 1\n\
                sentinel resolve-hostnames yes\n";
    assert!(written(text).contains("sentinel down-after-milliseconds m 77\n"));
    assert!(written(text).contains("sentinel monitor m db.example 6379 1\n"));
}

#[test]
fn what_cannot_be_used_is_named() {
    assert_eq!(bad("port 1\nnonsense 1\n").0, 2);
    assert_eq!(bad("sentinel nonsense\n").1, "Unrecognized sentinel configuration statement.");
    assert_eq!(bad("sentinel monitor m 127.0.0.1 6379 0\n").1, "Quorum must be 1 or greater.");
    assert!(
        bad("sentinel monitor a,b 127.0.0.1 6379 1\n")
            .1
            .starts_with("A group's name must not be empty nor contain a comma")
    );
    assert_eq!(bad("sentinel monitor m db.example 6379 1\n").1, "Can't resolve instance hostname.");
    assert_eq!(bad("sentinel monitor m 127.0.0.1 99999 1\n").1, "Invalid port number.");
    assert_eq!(bad("sentinel parallel-syncs m 1\n").1, "No such master with specified name.");
    let monitor = "sentinel monitor m 127.0.0.1 6379 1\n";
    assert_eq!(bad(&format!("{monitor}{monitor}")).1, "Duplicate master name.");
    assert_eq!(
        bad(&format!("{monitor}sentinel down-after-milliseconds m 0\n")).1,
        "negative or zero time parameter."
    );
    assert_eq!(bad("port \"1\n").1, "Unbalanced quotes in configuration line");
    assert_eq!(bad("sentinel myid short\n").1, "Malformed Sentinel id in myid option.");
}

/// By the server's rules where the directive is the server's: a value that is taken for another one, or for none, would
/// make a sentinel that its operator did not ask for.
#[test]
fn wrong_values_stop_the_start_with_their_line() {
    let monitor = "sentinel monitor m 127.0.0.1 6379 1\n";
    let wrong = "Unrecognized sentinel configuration statement.";
    for (line, why) in [
        ("tcp-backlog x", "argument couldn't be parsed into an integer"),
        ("tcp-backlog -1", "argument must be between 0 and 2147483647 inclusive"),
        ("tcp-keepalive 1 2", "wrong number of arguments"),
        ("log-format xml", "argument(s) must be one of the following: legacy, logfmt, json"),
        ("log-timestamp-format x", "argument(s) must be one of the following: legacy, iso8601, milliseconds"),
        (
            "loglevel loud",
            "argument(s) must be one of the following: debug, verbose, notice, warning, nothing",
        ),
        ("supervised x", "argument(s) must be one of the following: upstart, systemd, auto, no"),
        ("daemonize maybe", "argument must be 'yes' or 'no'"),
        ("port 70000", "argument must be between 0 and 65535 inclusive"),
        ("maxclients 0", "argument must be between 1 and 4294967295 inclusive"),
        ("requirepass a b", "wrong number of arguments"),
        ("appendfsync x", "argument(s) must be one of the following: everysec, always, no"),
        ("user", "Bad directive or wrong number of arguments"),
        ("sentinel", wrong),
        ("sentinel announce-ip 1.2.3.4,5", "An address that is announced has no blanks and no commas."),
        ("sentinel announce-port x", "Invalid port number."),
        ("sentinel announce-port 70000", "Invalid port number."),
        ("sentinel quorum m 2", wrong),
        ("sentinel failover-timeout m x", "negative or zero time parameter."),
        ("sentinel master-reboot-down-after-period m -1", "negative time parameter."),
    ] {
        assert_eq!(bad(&format!("# first\n{monitor}{line}\nport 26379\n")), (3, why.to_owned()), "{line}");
    }
    // What the server takes is no error here either.
    let text = "appendfsync always\ndatabases 4\nsave \"\"\ntcp-backlog 0\nlog-format json\n";
    assert_eq!(Config::parse(text).err(), None);
}

#[test]
fn an_included_file_is_read_and_a_group_is_where_the_file_itself_has_it() {
    let included =
        b"sentinel monitor m 10.0.0.1 6379 2\nsentinel down-after-milliseconds m 5000\nloglevel verbose\n";
    let mut reader = |path: &str| {
        assert_eq!(path, "more.conf");
        Ok(vec![tanist_config::Included { path: path.to_owned(), bytes: included.to_vec() }])
    };
    // After a switch the file names another primary than the included one.
    let text = "include more.conf\nsentinel monitor m 10.0.0.2 6379 2\n";
    let config = Config::parse_with(text, "loglevel \"warning\"", &mut reader).expect("a good file");
    assert_eq!(config.server().loglevel, tanist_config::choice::LogLevel::Warning, "options win");
    let now = Now { mono: Mono::from_millis(1), wall_us: 0 };
    let mut sentinel = Sentinel::new(config, Facts::default(), now, 7);
    let mut outputs = Vec::new();
    sentinel.step(now, Input::Tick, &mut outputs);
    let connects = outputs.iter().any(|o| matches!(o, Output::Connect { host, .. } if host == "10.0.0.2"));
    assert!(connects, "{outputs:?}");
    let written = outputs.into_iter().find_map(|o| match o {
        Output::Persist { text, .. } => Some(text),
        _ => None,
    });
    let written = written.expect("a sentinel without an identity writes its file");
    assert!(written.starts_with(text), "{written}");
    assert!(!written.contains("down-after") && !written.contains("loglevel"), "{written}");
    assert_eq!(
        bad("include more.conf").1,
        "can't open config file 'more.conf': nothing can be included here"
    );
    assert_eq!(bad("include").1, "Bad directive or wrong number of arguments");
}

#[test]
fn a_file_that_a_sentinel_has_written_has_its_end() {
    let whole = written("port 26379\nsentinel monitor m 10.0.0.1 6379 2\n");
    assert!(Config::parse(&whole).is_ok());
    let mark = whole.find("# Generated by").expect("it says so") + "# Generated by CONFIG REWRITE".len();
    let end = whole.find("sentinel current-epoch").expect("an epoch");
    for cut in [mark, mark + 1, end, end + 10, whole.len() - 1] {
        let (number, why) = bad(&whole[..cut]);
        assert!(why.starts_with("The file is cut off"), "at {cut}: {why}");
        assert_eq!(number, whole[..cut].lines().count());
    }
    // What people have written may end anywhere.
    assert!(Config::parse("port 26379\nsentinel monitor m 10.0.0.1 6379 2").is_ok());
    assert!(Config::parse("").is_ok());
}

#[test]
fn errors_name_the_file_and_the_line() {
    let binary = tanist_sentinel::core::config_text("s.conf", b"port 1\n# \xff\nnonsense".to_vec());
    let bad = binary.expect_err("not UTF-8");
    assert_eq!(
        bad.to_string(),
        "Reading the configuration file s.conf, at line 2\n>>> '# \u{fffd}'\nThe line is not UTF-8"
    );
    let mut reader = |path: &str| {
        Ok(vec![tanist_config::Included { path: path.to_owned(), bytes: b"\nnonsense 1\n".to_vec() }])
    };
    let bad = Config::parse_with("include more.conf\n", "", &mut reader).expect_err("nonsense").of("s.conf");
    assert!(bad.to_string().starts_with("Reading the configuration file more.conf, at line 2\n"), "{bad}");
    let bad = Config::parse("port 1\nnonsense 1\n").expect_err("nonsense").of("s.conf");
    assert!(bad.to_string().starts_with("Reading the configuration file s.conf, at line 2\n"), "{bad}");
}

/// A restriction that is not understood would leave the sentinel open.
#[test]
fn who_may_do_what_is_obeyed_or_refused() {
    for text in [
        "user default on nopass sanitize-payload ~* &* alldbs +@all\n",
        "user default on sanitize-payload #abcdef ~* &* +@all\nrequirepass secret\n",
        "user default on >secret allkeys allchannels allcommands\n",
        "aclfile \"\"\n",
    ] {
        assert_eq!(Config::parse(text).err(), None, "{text}");
    }
    for text in [
        "user default off\n",
        "user default on nopass ~* &* +@all -shutdown\n",
        "user default on nopass ~* +@all\n",
        "user default on nopass ~* &*\n",
        "user default on #abcdef ~* &* +@all\n",
        "user default on >one >two ~* &* +@all\n",
        "user guest on nopass ~* &* +@all\n",
        "aclfile /etc/tanist/users.acl\n",
    ] {
        let (number, why) = bad(&format!("port 26379\n{text}"));
        assert!(number == 2 && why.starts_with("A sentinel has one user"), "{text}: {why}");
    }
}

#[test]
fn the_password_of_a_user_line_is_asked_for() {
    let text =
        "user default on >secret ~* &* +@all\nsentinel myid e76ac0ac66ee7b6e249fbb8ad0b1d4dec8b493ef\n";
    let now = Now { mono: Mono::from_millis(1), wall_us: 0 };
    let mut sentinel = Sentinel::new(Config::parse(text).expect("a good file"), Facts::default(), now, 7);
    let mut outputs = Vec::new();
    let session = tanist_sentinel::core::SessionId(1);
    let opened = Input::SessionOpened { session, remote: "1.2.3.4:5".into(), local: "1.2.3.4:6".into() };
    sentinel.step(now, opened, &mut outputs);
    let mut ask = |line: &str| {
        outputs.clear();
        let args = line.split(' ').map(|w| w.as_bytes().to_vec()).collect();
        sentinel.step(now, Input::Command { session, args }, &mut outputs);
        let reply = outputs.iter().find_map(|o| match o {
            Output::Reply { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        });
        reply.expect("a reply")
    };
    assert!(ask("PING").starts_with("-NOAUTH"));
    assert!(ask("AUTH wrong").starts_with("-WRONGPASS"));
    assert_eq!(ask("AUTH secret"), "+OK\r\n");
    assert_eq!(ask("PING"), "+PONG\r\n");
}

#[test]
fn what_changes_nothing_is_named() {
    let named = |text: &str| Config::parse(text).expect("a good file").without_effect().collect::<Vec<_>>();
    assert_eq!(named("timeout 3\ntls-port 26380\nmaxclients 3\n"), ["timeout", "tls-port"]);
    let commands = "rename-command PING PONG\nclient-output-buffer-limit pubsub 1mb 1mb 60\n";
    assert_eq!(named(commands), ["client-output-buffer-limit", "rename-command"]);
    assert_eq!(named("protected-mode no\nTLS-PORT 0\nunixsocket \"\"\nsave 60 1\n"), [""; 0]);
}

#[test]
fn a_number_of_clients_that_makes_no_sense_stops_the_start() {
    let why = |line: &str| {
        Config::parse(&format!("port 1\n{line}\n")).map(|_| ()).map_err(|bad| (bad.number, bad.why))
    };
    assert_eq!(why("maxclients 1"), Ok(()));
    for line in [
        "maxclients 0",
        "maxclients x",
        "maxclients -1",
        "maxclients",
        "maxclients 1 2",
        "maxclients 4294967296",
    ] {
        assert_eq!(why(line).map_err(|(number, _)| number), Err(2), "{line}");
    }
}
