//! The table against a checked-in list of facts, and every directive through get, set and rewrite.

use tanist_config::{Directive, Loaded, ServerConfig, State, When, rewritten};

/// Directives whose default we chose to differ, with the reason.
const OWN_DEFAULT: [(&str, &str); 1] = [("syslog-ident", "the program's own name")];

/// Directives that Valkey has not.
const OWN: [&str; 1] = ["lua-memory-limit"];

fn facts() -> Vec<(&'static str, &'static str, &'static str)> {
    let row = |line: &'static str| {
        let mut parts = line.splitn(3, '|');
        Some((parts.next()?, parts.next()?, parts.next()?))
    };
    let lines = include_str!("facts/valkey-9.1.txt").lines();
    lines.filter(|l| !l.starts_with('#')).map(|l| row(l).expect("three columns")).collect()
}

#[test]
fn names_defaults_and_times_agree_with_the_facts() {
    let config = ServerConfig::default();
    for (name, when, default) in facts() {
        let directive = Directive::find(name).unwrap_or_else(|| panic!("{name} is unknown"));
        assert_eq!(directive.when == When::Start, when == "start", "{name}");
        if OWN_DEFAULT.iter().all(|(own, _)| *own != name) {
            assert_eq!(config.value(directive), default, "{name}");
        }
    }
}

#[test]
fn config_get_shows_exactly_the_known_names() {
    let shown: Vec<&str> = ServerConfig::default().pairs(&["*"]).into_iter().map(|(n, _)| n).collect();
    let mut known: Vec<&str> = facts().into_iter().map(|(name, _, _)| name).chain(OWN).collect();
    known.sort_unstable();
    assert_eq!(shown, known);
}

#[test]
fn hidden_directives_show_when_asked_by_name() {
    let config = ServerConfig::default();
    assert_eq!(config.pairs(&["watchdog-period"]), [("watchdog-period", "0".to_owned())]);
    assert_eq!(config.pairs(&["watchdog-?eriod"]), []);
}

#[test]
fn a_name_comes_back_as_it_was_asked_for() {
    let config = ServerConfig::default();
    let names = |asked: &[&str]| config.pairs(asked).iter().map(|(n, _)| (*n).to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&["MaxMemory", "maxmemory", "hz"]), ["hz", "MaxMemory"]);
    assert_eq!(names(&["MAXMEMOR?", "MAXMEMORY"]), ["maxmemory"]);
    assert!(names(&["max\\memory", ""]).is_empty());
}

/// Some value other than the default that the directive takes.
fn another(directive: &Directive, config: &ServerConfig) -> Vec<&'static str> {
    let candidates: [&[&str]; 24] = [
        &["yes"],
        &["no"],
        &["7"],
        &["2"],
        &["2mb"],
        &["127.0.0.1", "-::1"],
        &["127.0.0.1", "7000"],
        &["900", "5", "60", "9"],
        &["pubsub", "32mb", "8mb", "70"],
        &["KEA"],
        &["nosave", "now"],
        &["-5", "6", "7"],
        &["25.5", "99"],
        &["100000"],
        &["a name with \"quotes\" and \\"],
        &["1.2.3.4"],
        &["::1"],
        &["allkeys-lru"],
        &["allchannels"],
        &["{title}:{port}"],
        &["debug"],
        &["json"],
        &["always"],
        &["local"],
    ];
    let words: [&[&str]; 14] = [
        &["best-effort"],
        &["hostname"],
        &["iso8601"],
        &["panic"],
        &["relaxed"],
        &["swapdb"],
        &["systemd"],
        &["local3"],
        &["optional"],
        &["CN"],
        &["relative"],
        &["flush-before-load"],
        &["777"],
        &["some.host"],
    ];
    let differs = |args: &&&[&str]| {
        let mut copy = config.clone();
        copy.set(directive.name, args).is_ok() && copy.value(directive) != config.value(directive)
    };
    let found = candidates.iter().chain(&words).find(differs);
    found.unwrap_or_else(|| panic!("no other value found for {}", directive.name)).to_vec()
}

#[test]
fn every_directive_round_trips() {
    for directive in Directive::all() {
        let mut config = ServerConfig::default();
        let args = another(directive, &config);
        config.set(directive.name, &args).expect("accepted");
        let text = config.value(directive);

        // Through the text of CONFIG GET, under every name.
        for name in directive.aliases.iter().chain([&directive.name]) {
            assert_eq!(config.get(name), Some(text.clone()), "{name}");
            // What cannot be done is refused while the server runs; a file may ask for it.
            if directive.when == When::Run && directive.name != "activedefrag" {
                let set = ServerConfig::default().change(&[(name, &text)], true).expect("accepted");
                assert!(set.config == config, "{name}");
            }
        }

        // Through a rewritten file, from nothing and onto a file that has the default or an alias.
        let name = directive.aliases.first().unwrap_or(&directive.name);
        for old in [String::new(), format!("# kept\n{name} {}\n", quoted(&args))] {
            let file = rewritten(&config, old.as_bytes()).expect("readable");
            let again = Loaded::read(&file, &mut |_| Ok(Vec::new())).expect("readable");
            assert!(again.config == config, "{}:\n{}", directive.name, String::from_utf8_lossy(&file));
            assert_eq!(rewritten(&config, &file).expect("readable"), file);
            assert_eq!(file.starts_with(b"# kept\n"), !old.is_empty());
        }
    }
}

fn quoted(args: &[&str]) -> String {
    args.iter().map(|a| tanist_text::words::quote(a.as_bytes())).collect::<Vec<_>>().join(" ")
}

#[test]
fn back_to_the_default_replaces_the_line() {
    for directive in Directive::all() {
        let default = ServerConfig::default();
        let old = format!("{} {}\n", directive.name, quoted(&another(directive, &default)));
        let file = rewritten(&default, old.as_bytes()).expect("readable");
        let again = Loaded::read(&file, &mut |_| Ok(Vec::new())).expect("readable");
        assert!(again.config == default, "{}", String::from_utf8_lossy(&file));
    }
}

#[test]
fn changed_directives_without_effect_are_named() {
    let mut config = ServerConfig::default();
    assert!(config.without_effect().is_empty());
    for directive in Directive::all() {
        config.set(directive.name, &another(directive, &config)).expect("accepted");
        assert_eq!(config.without_effect().contains(&directive.name), !directive.state.has_effect());
    }
}

/// What the code reads, and what it does not.
#[test]
fn what_has_an_effect_is_not_said_to_have_none() {
    let named = |line: &str| {
        let loaded = Loaded::read(line.as_bytes(), &mut |_| Ok(Vec::new())).expect("accepted");
        !loaded.warnings.is_empty()
    };
    for line in ["key-load-delay 5", "rdb-key-save-delay 5", "lazyfree-lazy-eviction no", "databases 3"] {
        assert!(!named(line), "{line}");
    }
    for line in [
        "hz 100",
        "watchdog-period 5",
        "replica-lazy-flush no",
        "lazyfree-lazy-user-del no",
        "lazyfree-lazy-user-flush no",
    ] {
        assert!(named(line), "{line}");
    }
}

#[test]
fn the_documentation_names_the_directives_without_effect() {
    let text = include_str!("../../../docs/configuration.md");
    let (_, list) = text.split_once("## Known, without effect").expect("the section");
    let named: Vec<&str> = list.split('`').skip(1).step_by(2).filter(|name| *name != "CONFIG GET").collect();
    let mut idle: Vec<&str> =
        Directive::all().iter().filter(|d| d.state == State::Accepted).map(|d| d.name).collect();
    idle.sort_unstable();
    assert_eq!(named, idle);
}

#[test]
fn texts_that_could_not_be_used_are_refused() {
    let config = ServerConfig::default();
    let refused = |name: &str, text: &str| config.clone().set(name, &[text]).map_err(|e| e.to_string());
    for name in ["cluster-announce-ip", "cluster-announce-human-nodename"] {
        for fine in ["", "10.0.0.1", "::1", "node_a-1/b", "n\u{f6}rd"] {
            assert_eq!(refused(name, fine), Ok(()), "{name} {fine}");
        }
        for bad in ["a b", "a\nb", "a,b", "a=b", "\u{7f}"] {
            assert!(refused(name, bad).is_err_and(|e| e.contains("invalid character")), "{name} {bad}");
        }
    }
    assert_eq!(refused("cluster-announce-ip", &"x".repeat(45)), Ok(()));
    assert_eq!(
        refused("cluster-announce-ip", &"x".repeat(46)),
        Err("cluster-announce-ip is too long".to_owned())
    );
    assert_eq!(refused("dbfilename", ""), Err("dbfilename can't be empty".to_owned()));
    assert_eq!(
        refused("active-defrag-ignore-bytes", "0"),
        Err("argument must be between 1 and 9223372036854775807 inclusive".to_owned())
    );
}

#[test]
fn no_limits_at_all_change_none() {
    let name = "client-output-buffer-limit";
    let mut config = ServerConfig::default();
    config.set(name, &["normal", "1mb", "0", "0"]).expect("limits");
    let changed = config.change(&[(name, "")], true).expect("nothing is changed");
    assert_eq!(changed.config.get(name), config.get(name));
    assert!(config.set(name, &[""]).is_err(), "a line of a file says something");
}

/// What CONFIG SET of a directive answers: `OK` and the value as CONFIG GET shows it, or the reason against it.
fn set(name: &str, value: &str) -> String {
    match ServerConfig::default().change(&[(name, value)], true) {
        Ok(change) => format!("OK {}", change.config.get(name).unwrap_or_default()),
        Err(error) => error.to_string().rsplit_once(" - ").map(|(_, why)| why.to_owned()).unwrap_or_default(),
    }
}

#[test]
fn numbers_are_read_as_the_reference_reads_them() {
    let beyond = "argument must be between 1 and 9223372036854775807 inclusive";
    assert_eq!(set("repl-backlog-size", "9223372036854775808"), beyond);
    assert_eq!(set("repl-backlog-size", "9999999999gb"), beyond);
    assert_eq!(set("repl-backlog-size", "9999999999gbb"), "argument must be a memory value");
    assert_eq!(set("slot-migration-max-failover-repl-bytes", "-1"), "OK -1");
    assert!(
        set("slot-migration-max-failover-repl-bytes", "-2").starts_with("argument must be between -1 and")
    );
    assert_eq!(set("slot-migration-max-failover-repl-bytes", "1kb"), "OK 1024");
    assert_eq!(set("save", "+3600 0100"), "OK 3600 100");
    assert_eq!(set("save", "\"\""), "Invalid save parameters");
    assert_eq!(set("oom-score-adj-values", "+1 02 3"), "OK 1 2 3");
    assert!(set("client-output-buffer-limit", "normal 0 0 +01").starts_with("OK normal 0 0 1 slave"));
    assert_eq!(set("maxmemory-clients", "0%"), "OK 0");
    let nan = "Invalid latency-tracking-info-percentiles parameters";
    assert_eq!(set("latency-tracking-info-percentiles", "nan"), nan);
}

#[test]
fn a_process_title_has_known_variables_and_something_to_show() {
    for good in ["{title} {port}", "{{title}}", "a", "{config-file}x", "}"] {
        assert_eq!(set("proc-title-template", good), format!("OK {good}"));
    }
    for bad in ["", "  ", "{title}", "{title} {unixsocket} ", "{bad}", "{", "{title", "{}", "{TITLE}"] {
        let why = "template format is invalid or contains unknown variables";
        assert_eq!(set("proc-title-template", bad), why, "{bad}");
    }
}
