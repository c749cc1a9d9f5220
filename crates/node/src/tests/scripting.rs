//! Scripts in the node: effects, rules, and those that take long.

use super::{World, show};
use crate::{Next, SessionId};
use tanist_config::ServerConfig;
use tanist_resp::encode_command;

/// Sends one command of which a word may hold spaces; gives its reply, or `None` if the session waits.
fn ask(world: &mut World, id: SessionId, words: &[&str]) -> Option<String> {
    let mut bytes = Vec::new();
    let words: Vec<&[u8]> = words.iter().map(|w| w.as_bytes()).collect();
    encode_command(&mut bytes, &words);
    let (out, next) = world.raw(id, &bytes);
    let replies = super::decode(&out);
    match next {
        Next::Wait => {
            assert!(replies.is_empty(), "{replies:?}");
            None
        }
        _ => Some(show(&replies[0])),
    }
}

fn eval(world: &mut World, id: SessionId, code: &str) -> String {
    ask(world, id, &["eval", code, "0"]).expect("a short script")
}

#[test]
fn the_effects_of_a_script_are_one_entry() {
    let mut world = World::new();
    let id = world.connect();
    world.record();
    for (code, log) in [
        ("return redis.call('set', 'a', '1')", vec!["SELECT 0", "set a 1"]),
        (
            "redis.call('incr', 'a') redis.call('set', 'b', 'x', 'px', 5000)",
            vec!["MULTI", "incr a", "SET b x PXAT 1700000005000", "EXEC"],
        ),
        ("redis.call('select', 3) redis.call('set', 'c', 'y')", vec!["SELECT 3", "set c y"]),
        ("return redis.call('get', 'a')", vec![]),
        ("redis.call('set', 'a', 'z') error('x')", vec!["SELECT 0", "set a z"]),
        ("redis.set_repl(redis.REPL_NONE) redis.call('set', 'mine', '1')", vec![]),
        ("redis.set_repl(redis.REPL_REPLICA) redis.call('set', 'ours', '1')", vec!["set ours 1"]),
    ] {
        eval(&mut world, id, code);
        let recorded: Vec<String> = world.recorded();
        assert_eq!(recorded, log, "{code}");
    }
    assert_eq!(world.say(id, "get c"), "(nil)", "the caller has selected nothing else");
    assert_eq!(world.say(id, "get mine"), "1");
}

#[test]
fn a_transaction_with_scripts_is_one_entry() {
    let mut world = World::new();
    let id = world.connect();
    world.record();
    world.say(id, "multi");
    ask(&mut world, id, &["eval", "redis.call('set', 'a', '1') return redis.call('incr', 'a')", "0"]);
    world.say(id, "incr a");
    assert_eq!(world.say(id, "exec"), "[:2 :3]");
    assert_eq!(world.recorded(), ["SELECT 0", "MULTI", "set a 1", "incr a", "incr a", "EXEC"]);
}

#[test]
fn scripts_follow_the_rules_for_commands() {
    let mut world = World::new();
    let id = world.connect();
    for (code, reply) in [
        ("return redis.call('nosuch')", "-ERR Unknown command called from script script: on @user_script:1."),
        (
            "return redis.call('get')",
            "-ERR Wrong number of args calling command from script script: on @user_script:1.",
        ),
        (
            "return redis.call('multi')",
            "-ERR This Valkey command is not allowed from script script: on @user_script:1.",
        ),
        (
            "return redis.call('eval', 'return 1', 0)",
            "-ERR This Valkey command is not allowed from script script: on @user_script:1.",
        ),
        (
            "return redis.call('config', 'nosuch')",
            "-ERR unknown subcommand 'nosuch'. Try CONFIG HELP. script: on @user_script:1.",
        ),
        ("return redis.pcall('nosuch')", "-ERR Unknown command called from script"),
        ("return redis.acl_check_cmd('get', 'a')", ":1"),
        (
            "#!lua flags=no-writes\nreturn redis.call('set', 'a', '1')",
            "-ERR Write commands are not allowed from read-only scripts. script: on @user_script:2.",
        ),
    ] {
        assert_eq!(eval(&mut world, id, code), reply, "{code}");
    }
    let refused = "-ERR Write commands are not allowed from read-only scripts. script: on @user_script:1.";
    for code in ["return redis.call('set', 'a', '1')", "return redis.call('publish', 'a', '1')"] {
        assert_eq!(ask(&mut world, id, &["eval_ro", code, "0"]).as_deref(), Some(refused));
    }
    let reply = ask(&mut world, id, &["eval_ro", "#!lua\nreturn 1", "0"]);
    assert_eq!(reply.as_deref(), Some("-ERR Can not execute a script with write flag using *_ro command."));
    assert_eq!(world.say(id, "exists a"), ":0");
}

#[test]
fn memory_is_judged_when_a_script_begins() {
    let mut world = World::with(ServerConfig { maxmemory: 1, ..ServerConfig::default() });
    let id = world.connect();
    let short = "-OOM command not allowed when used memory > 'maxmemory'. script: on @user_script:1.";
    assert_eq!(eval(&mut world, id, "return redis.call('set', 'a', '1')"), short);
    assert_eq!(eval(&mut world, id, "return redis.call('get', 'a')"), "(nil)");
    assert_eq!(
        eval(&mut world, id, "#!lua\nreturn 1"),
        "-OOM command not allowed when used memory > 'maxmemory'."
    );
    assert_eq!(eval(&mut world, id, "#!lua flags=allow-oom\nreturn redis.call('set', 'a', '1')"), "OK");
    assert_eq!(eval(&mut world, id, "#!lua flags=no-writes\nreturn redis.call('get', 'a')"), "1");
}

#[test]
fn what_a_script_changes_is_noticed_by_who_watches() {
    let mut world = World::new();
    let (id, other) = (world.connect(), world.connect());
    for session in [id, other] {
        world.say(session, "watch a");
    }
    eval(&mut world, id, "redis.call('set', 'a', '1')");
    for session in [id, other] {
        world.say(session, "multi");
        world.say(session, "ping");
        assert_eq!(world.say(session, "exec"), "(nil)");
    }
}

#[test]
fn errors_are_counted_once() {
    let mut world = World::new();
    let id = world.connect();
    eval(&mut world, id, "return redis.call('nosuch')");
    eval(&mut world, id, "return redis.pcall('nosuch')");
    eval(&mut world, id, "return {err='MINE x'}");
    let stats = world.say(id, "info errorstats");
    assert!(
        stats.contains("errorstat_ERR:count=2\r\n") && stats.contains("errorstat_MINE:count=1\r\n"),
        "{stats}"
    );
}

#[test]
fn scripts_are_cached_until_they_are_flushed() {
    let mut world = World::new();
    let id = world.connect();
    let sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    assert_eq!(world.say(id, &format!("evalsha {sha} 0")), "-NOSCRIPT No matching script.");
    assert_eq!(ask(&mut world, id, &["script", "load", "return 1"]).as_deref(), Some(sha));
    assert_eq!(world.say(id, &format!("evalsha {} 0", sha.to_uppercase())), ":1");
    assert_eq!(world.say(id, &format!("script exists {sha} x")), "[:1 :0]");
    assert_eq!(world.say(id, &format!("script show {sha}")), "return 1");
    assert!(world.say(id, "info memory").contains("number_of_cached_scripts:1\r\n"));
    assert_eq!(world.say(id, "script flush"), "OK");
    assert_eq!(world.say(id, &format!("script exists {sha}")), "[:0]");
    for (line, reply) in [
        ("evalsha x 0", "-NOSCRIPT No matching script."),
        ("eval x y", "-ERR value is not an integer or out of range"),
        ("eval x -1", "-ERR Number of keys can't be negative"),
        ("eval x 1", "-ERR Number of keys can't be greater than number of args"),
        ("script flush x", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
        ("script kill", "-NOTBUSY No scripts in execution right now."),
        ("fcall x 0", "-ERR Function not found"),
    ] {
        assert_eq!(world.say(id, line), reply, "{line}");
    }
}

const LIBRARY: &str = "#!lua name=lib\nredis.register_function('put', function(keys, args) return redis.call('set', keys[1], args[1]) end)\n\
    redis.register_function{function_name='ro', callback=function(keys) return redis.call('get', keys[1]) end, flags={'no-writes'}}";

#[test]
fn functions_are_data() {
    let mut world = World::new();
    let id = world.connect();
    world.record();
    assert_eq!(ask(&mut world, id, &["function", "load", LIBRARY]).as_deref(), Some("lib"));
    assert_eq!(world.recorded(), ["SELECT 0".to_owned(), format!("function load {LIBRARY}")]);
    assert_eq!(world.say(id, "fcall put 1 a b"), "OK");
    assert_eq!(world.recorded(), ["set a b"]);
    assert_eq!(world.say(id, "fcall_ro ro 1 a"), "b");
    assert_eq!(
        world.say(id, "fcall_ro put 1 a b"),
        "-ERR Can not execute a script with write flag using *_ro command."
    );
    assert_eq!(
        world.say(id, "function list"),
        "[[library_name lib engine LUA functions [[name put description (nil) flags []] [name ro description (nil) flags [no-writes]]]]]"
    );
    assert_eq!(
        world.say(id, "function stats"),
        "[running_script (nil) engines [LUA [libraries_count :1 functions_count :2]]]"
    );
    let bytes = b"*2\r\n$8\r\nfunction\r\n$4\r\ndump\r\n";
    let (dump, _) = world.raw(id, bytes);
    let payload = dump.splitn(2, |&b| b == b'\n').nth(1).expect("a string").to_vec();
    let payload = &payload[..payload.len() - 2];
    assert_eq!(world.say(id, "function flush"), "OK");
    assert_eq!(world.say(id, "fcall put 1 a b"), "-ERR Function not found");
    let mut restore = Vec::new();
    encode_command(&mut restore, &[b"function", b"restore", payload]);
    assert_eq!(world.raw(id, &restore).0, b"+OK\r\n");
    assert_eq!(world.raw(id, &restore).0, b"-ERR Library lib already exists\r\n");
    assert_eq!(world.say(id, "fcall put 1 a c"), "OK");
    assert_eq!(world.say(id, "function delete lib"), "OK");
    assert_eq!(world.say(id, "function delete lib"), "-ERR Library not found");
}

/// A world in which one session's script does not end by itself.
fn stuck(code: &str) -> (World, SessionId, SessionId) {
    let mut world = World::new();
    let (id, other) = (world.connect(), world.connect());
    world.record();
    assert_eq!(ask(&mut world, id, &["eval", code, "0"]), None, "the script is suspended");
    (world, id, other)
}

#[test]
fn others_wait_for_a_script_and_then_are_told() {
    let (mut world, id, other) = stuck("while true do end");
    assert_eq!(ask(&mut world, other, &["get", "a"]), None, "it may be over soon");
    world.pass(1000);
    assert_eq!(ask(&mut world, other, &["get", "a"]), None);
    world.pass(4000);
    let busy = "-BUSY Valkey is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
    for line in ["get a", "ping", "info", "eval x 0", "psync ? -1", "function flush"] {
        assert_eq!(world.say(other, line), busy, "{line}");
    }
    let refused = format!("-EXECABORT Transaction discarded because of: {}", &busy[1..]);
    assert_eq!(world.say(other, "exec"), refused);
    assert_eq!(world.say(other, "shutdown save"), busy);
    assert_eq!(world.say(other, "function kill"), busy);
    assert_eq!(world.say(other, "function stats"), busy);
    assert_eq!(world.say(other, "script kill"), "OK");
    assert!(world.pushed(id).is_empty());
    world.pass(1);
    assert_eq!(world.pushed(id), ["-ERR Script killed by user with SCRIPT KILL. script: on @user_script:1."]);
    assert_eq!(world.say(other, "get a"), "(nil)");
    assert_eq!(eval(&mut world, id, "return 1"), ":1");
    assert_eq!(world.say(other, "script kill"), "-NOTBUSY No scripts in execution right now.");
}

#[test]
fn what_has_written_is_not_killed_and_nobody_sees_half_of_it() {
    let (mut world, id, other) = stuck(
        "redis.call('set', 'a', '1') for i = 1, 100000 do redis.pcall('ping') end redis.call('set', 'b', '2') return 'end'",
    );
    let unkillable = world.say(other, "script kill");
    assert!(
        unkillable.starts_with("-UNKILLABLE Sorry the script already executed write commands"),
        "{unkillable}"
    );
    assert_eq!(ask(&mut world, other, &["get", "a"]), None);
    assert_eq!(world.recorded(), Vec::<String>::new());
    while world.node.is_suspended() {
        assert!(world.recorded().is_empty());
        world.pass(1);
    }
    assert_eq!(world.pushed(id), ["end"]);
    assert_eq!(world.recorded(), ["SELECT 0", "MULTI", "set a 1", "set b 2", "EXEC"]);
    assert_eq!(world.say(other, "get b"), "2");
}

#[test]
fn a_transaction_goes_on_behind_a_suspended_script() {
    let mut world = World::new();
    let id = world.connect();
    world.record();
    let long = "for i = 1, 5000 do redis.call('ping') end redis.call('incr', 'a') return 'done'";
    world.say(id, "multi");
    for words in
        [&["incr", "a"][..], &["eval", long, "0"], &["incr", "a"], &["eval", long, "0"], &["get", "a"]]
    {
        ask(&mut world, id, words);
    }
    let mut bytes = Vec::new();
    encode_command(&mut bytes, &[b"exec"]);
    let (mut out, next) = world.raw(id, &bytes);
    assert_eq!(next, Next::Wait);
    for _ in 0..100 {
        world.pass(1);
        for output in world.outs.drain() {
            if let crate::Output::Send { bytes, .. } = output {
                out.extend(bytes);
            }
        }
    }
    assert_eq!(show(&super::decode(&out)[0]), "[:1 done :3 done 4]");
    assert_eq!(world.recorded(), ["SELECT 0", "MULTI", "incr a", "incr a", "incr a", "incr a", "EXEC"]);
    assert_eq!(world.say(id, "get a"), "4");
}

#[test]
fn the_script_of_a_client_that_has_gone_goes_on() {
    let (mut world, id, other) =
        stuck("for i = 1, 5000 do redis.call('ping') end redis.call('set', 'a', '1')");
    world.node.step(world.now, crate::Input::Closed(id), &mut world.outs);
    while world.node.is_suspended() {
        world.pass(1);
    }
    assert_eq!(world.say(other, "get a"), "1");
    assert_eq!(world.recorded(), ["SELECT 0", "set a 1"]);
}

#[test]
fn expiry_and_saving_wait_for_a_script() {
    let (mut world, id, other) = stuck(
        "redis.call('set', 'a', '1', 'px', 1) for i = 1, 5000 do redis.call('ping') end return redis.call('get', 'a')",
    );
    world.pass(100);
    assert!(world.node.snapshot_running(), "none may begin");
    while world.node.is_suspended() {
        world.pass(1);
    }
    assert_eq!(world.pushed(id), ["1"], "its clock stands still");
    assert_eq!(world.say(other, "get a"), "(nil)");
}

#[test]
fn functions_are_saved_and_loaded() {
    let mut world = World::new();
    let id = world.connect();
    ask(&mut world, id, &["function", "load", LIBRARY]);
    let mut bytes = Vec::new();
    world.node.save_begin(world.now, crate::snapshot::SaveKind::Background, &mut world.outs);
    for _ in 0..20 {
        world.pass(1);
        let outs: Vec<_> = world.outs.drain().collect();
        for output in outs {
            if let crate::Output::SaveBytes { bytes: more, .. } = output {
                bytes.extend(more);
                world.node.step(world.now, crate::Input::SaveWritten(Ok(())), &mut world.outs);
            }
        }
    }
    let mut loaded = World::new();
    loaded.node.load_begin(loaded.now, None);
    loaded.node.load_bytes(loaded.now, &bytes).expect("a good file");
    loaded.node.load_end(loaded.now, &mut loaded.outs).expect("complete");
    let id = loaded.connect();
    assert_eq!(loaded.say(id, "fcall put 1 a b"), "OK");
}

#[test]
fn monitors_see_the_script_and_its_commands() {
    let mut world = World::new();
    let (id, monitor) = (world.connect(), world.connect());
    world.say(monitor, "monitor");
    eval(&mut world, id, "return redis.call('get', 'a')");
    let lines = world.pushed(monitor);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].ends_with("[0 127.0.0.1:1] \"eval\" \"return redis.call('get', 'a')\" \"0\""),
        "{}",
        lines[0]
    );
    assert!(lines[1].ends_with("[0 lua] \"get\" \"a\""), "{}", lines[1]);
}

#[test]
fn scripts_may_do_everything_when_a_test_wants_it() {
    let mut config = tanist_config::ServerConfig::default();
    config.set("enable-debug-command", &["yes"]).expect("a directive");
    let mut world = World::with(config);
    let id = world.connect();
    let run = "return redis.call('client', 'id')";
    assert!(eval(&mut world, id, run).starts_with("-ERR This Valkey command is not allowed from script"));
    assert_eq!(world.say(id, "debug set-disable-deny-scripts 1"), "OK");
    assert_eq!(eval(&mut world, id, run), ":1");
    world.say(id, "debug set-disable-deny-scripts 0");
    assert!(eval(&mut world, id, run).starts_with("-ERR"));
}

#[test]
fn functions_have_names_in_any_case() {
    let mut world = World::new();
    let id = world.connect();
    let load = |world: &mut World, name: &str, function: &str| {
        let code = format!(
            "#!lua name={name}\nredis.register_function('{function}', function() return '{name}' end)"
        );
        ask(world, id, &["function", "load", &code]).expect("an answer")
    };
    assert_eq!(load(&mut world, "one", "Name"), "one");
    assert_eq!(world.say(id, "fcall nAME 0"), "one");
    assert_eq!(load(&mut world, "two", "name"), "-ERR Function Name already exists");
    assert_eq!(world.say(id, "function delete one"), "OK");
    assert_eq!(load(&mut world, "two", "name"), "two");
    assert_eq!(world.say(id, "fcall NAME 0"), "two");
}

#[test]
fn too_many_words_for_a_subcommand_of_function() {
    let mut world = World::new();
    let id = world.connect();
    for (line, name) in [("function flush sync more", "flush"), ("function Restore a append more", "Restore")]
    {
        let error =
            format!("-ERR unknown subcommand or wrong number of arguments for '{name}'. Try FUNCTION HELP.");
        assert_eq!(world.say(id, line), error);
    }
}

#[test]
fn a_pause_of_writes_lets_through_what_says_that_it_writes_nothing() {
    let mut w = World::new();
    let a = w.connect();
    let run = |w: &mut World, words: &[&str]| {
        let id = w.connect();
        ask(w, id, words)
    };
    let reads = "#!lua flags=no-writes\nreturn 5";
    let library = "#!lua name=l\nserver.register_function{function_name='reads', flags={'no-writes'}, \
                   callback=function() return 5 end}\nserver.register_function('may', function() return 5 end)";
    assert_eq!(run(&mut w, &["FUNCTION", "LOAD", library]).as_deref(), Some("l"));
    let sha = run(&mut w, &["SCRIPT", "LOAD", reads]).expect("a sum");
    assert_eq!(w.say(a, "CLIENT PAUSE 10000 WRITE"), "OK");
    for words in [["EVAL", reads, "0"], ["EVALSHA", &sha, "0"], ["FCALL", "reads", "0"]] {
        assert_eq!(run(&mut w, &words).as_deref(), Some(":5"), "{words:?}");
    }
    for words in [["EVAL", "#!lua\nreturn 5", "0"], ["EVAL", "return 5", "0"], ["FCALL", "may", "0"]] {
        assert_eq!(run(&mut w, &words), None, "{words:?}");
    }
    let id = w.connect();
    w.say(id, "MULTI");
    assert_eq!(ask(&mut w, id, &["EVAL", reads, "0"]).as_deref(), Some("QUEUED"));
    assert_eq!(ask(&mut w, id, &["EXEC"]).as_deref(), Some("[:5]"));
}
