//! `CONFIG`, and what of it goes through the shell.

use super::World;
use crate::{HostFacts, Input, Next, Output};

#[test]
fn get_finds_by_pattern_and_set_takes_all_or_none() {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(w.say(c, "CONFIG GET MAXMEMORY"), "[MAXMEMORY 0]");
    assert_eq!(w.say(c, "CONFIG GET slave-p* replica-pr*"), "[replica-priority 100 slave-priority 100]");
    assert_eq!(w.say(c, "CONFIG GET nothing"), "[]");
    assert!(w.say(c, "CONFIG SET timeout 5 maxmemory 1x").starts_with("-ERR CONFIG SET failed"));
    assert_eq!(w.say(c, "CONFIG GET timeout"), "[timeout 0]");
    assert_eq!(w.say(c, "CONFIG SET timeout 5 maxmemory 1mb"), "OK");
    assert_eq!(w.say(c, "CONFIG GET timeout maxmemory"), "[maxmemory 1048576 timeout 5]");
    assert!(matches!(w.outs.drain().next(), Some(Output::Configured(config)) if config.timeout == 5));
    assert_eq!(w.say(c, "CONFIG SET timeout"), "-ERR wrong number of arguments for 'config|set' command");
    assert_eq!(w.say(c, "CONFIG SET timeout 1 maxmemory"), "-ERR syntax error");
}

/// A write that came before the next look at the replicas would be acknowledged with nobody to keep it.
#[test]
fn min_replicas_to_write_is_in_force_at_once() {
    let mut w = World::new();
    let c = w.connect();
    let refused = "-NOREPLICAS Not enough good replicas to write.";
    for round in 0..3 {
        w.say(c, "CONFIG SET min-replicas-to-write 1");
        assert_eq!(w.say(c, "SET k 1"), refused, "round {round}");
        w.say(c, "CONFIG SET min-replicas-max-lag 0");
        assert_eq!(w.say(c, "SET k 1"), "OK", "round {round}");
        w.say(c, "CONFIG SET min-replicas-max-lag 10");
        assert_eq!(w.say(c, "SET k 1"), refused, "round {round}");
        w.say(c, "CONFIG SET min-replicas-to-write 0");
        assert_eq!(w.say(c, "SET k 1"), "OK", "round {round}");
    }
}

/// Who turns on what is not there is told so in the log, at run time as at the start.
#[test]
fn a_directive_without_effect_is_named() {
    let mut w = World::new();
    let c = w.connect();
    let mut warned = |line: &str| {
        assert_eq!(w.say(c, line), "OK");
        let texts = w.outs.drain().filter_map(|o| match o {
            Output::Log(_, text) => Some(text),
            _ => None,
        });
        texts.collect::<Vec<_>>()
    };
    assert_eq!(warned("CONFIG SET timeout 5 appendonly yes"), [tanist_config::without_effect("appendonly")]);
    assert!(warned("CONFIG SET timeout 6").is_empty());
    assert!(warned("CONFIG SET appendonly no").is_empty(), "nothing is asked for any more");
}

#[test]
fn a_new_port_is_in_force_only_with_the_shells_answer() {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(w.raw(c, b"CONFIG SET port 7000\r\n"), (Vec::new(), Next::Wait));
    let Some(Output::Reconfigure { session, config }) = w.outs.drain().next() else {
        panic!("the shell is asked")
    };
    assert_eq!((session, config.port, w.node.config.port), (c, 7000, 6379));

    let refused = Err(("port".to_owned(), "Unable to listen on this port. Check server logs.".to_owned()));
    w.node.step(w.now, Input::Reconfigured { session, result: refused }, &mut w.outs);
    assert_eq!(
        w.pushed(c),
        [
            "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server \
         logs."
        ]
    );
    assert_eq!(w.node.config.port, 6379);

    w.raw(c, b"CONFIG SET port 7000\r\n");
    w.outs.drain();
    w.node.step(w.now, Input::Reconfigured { session, result: Ok(config) }, &mut w.outs);
    assert_eq!(w.pushed(c), ["OK"]);
    assert_eq!(w.node.config.port, 7000);
}

/// More connections need more open files: the shell is asked, unless there are to be fewer.
#[test]
fn more_clients_are_for_the_shell_to_allow() {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(w.say(c, "CONFIG SET maxclients 100"), "OK");
    w.outs.drain();
    assert_eq!(w.raw(c, b"CONFIG SET maxclients 101\r\n"), (Vec::new(), Next::Wait));
    assert!(
        matches!(w.outs.drain().next(), Some(Output::Reconfigure { config, .. }) if config.maxclients == 101)
    );
    assert_eq!(w.node.config.maxclients, 100);
}

#[test]
fn rewriting_waits_for_the_file_except_in_a_transaction() {
    let mut w = World::new();
    let c = w.connect();
    assert_eq!(w.say(c, "CONFIG REWRITE"), "-ERR The server is running without a config file");
    let facts = HostFacts { config_file: "/x.conf".into(), ..HostFacts::default() };
    w.node.step(w.now, Input::Host(Box::new(facts)), &mut w.outs);
    assert_eq!(w.raw(c, b"CONFIG REWRITE\r\n"), (Vec::new(), Next::Wait));
    w.outs.drain();
    let failed = Input::Rewritten { session: Some(c), result: Err("No space left on device".into()) };
    w.node.step(w.now, failed, &mut w.outs);
    assert_eq!(w.pushed(c), ["-ERR Rewriting config file: No space left on device"]);

    w.say(c, "MULTI");
    w.say(c, "CONFIG REWRITE");
    assert_eq!(w.say(c, "EXEC"), "[OK]");
    assert!(matches!(w.outs.drain().next(), Some(Output::RewriteConfig { session: None, whole: false, .. })));
}

#[test]
fn while_data_are_loaded_their_folder_stays() {
    let mut w = World::new();
    let c = w.connect();
    w.node.load_begin(w.now, None);
    assert_eq!(w.say(c, "CONFIG SET dir /elsewhere"), "-LOADING Valkey is loading the dataset in memory");
    assert_eq!(w.say(c, "CONFIG SET loglevel debug"), "OK");
}
