//! Values both ways, errors, time.

use super::World;
use tanist_resp::Proto;

#[test]
fn values_become_replies() {
    let mut world = World::new();
    for (code, reply) in [
        ("return 1.9", ":1\r\n"),
        ("return -1.9", ":-1\r\n"),
        ("return 1e300", ":-9223372036854775808\r\n"),
        ("return 'a\\0b'", "$3\r\na\0b\r\n"),
        ("return true", ":1\r\n"),
        ("return false", "$-1\r\n"),
        ("return nil", "$-1\r\n"),
        ("return", "$-1\r\n"),
        ("return {1,2,nil,4}", "*2\r\n:1\r\n:2\r\n"),
        ("return {KEYS,ARGV}", "*2\r\n*2\r\n$2\r\nk1\r\n$2\r\nk2\r\n*1\r\n$2\r\na1\r\n"),
        ("return {ok='a\\r\\nb'}", "+a  b\r\n"),
        ("return {err='MY a\\nb'}", "-MY a b\r\n"),
        ("return {double=1.5}", "$3\r\n1.5\r\n"),
        ("return {map={a=1}}", "*2\r\n$1\r\na\r\n:1\r\n"),
        ("return {set={a=true}}", "*1\r\n$1\r\na\r\n"),
        ("return {big_number='12'}", "$2\r\n12\r\n"),
        ("return {verbatim_string={string='a',format='txt'}}", "$1\r\na\r\n"),
        ("return function() end", "$-1\r\n"),
    ] {
        assert_eq!(world.run(code), reply, "{code}");
    }
    world.client = Proto::Resp3;
    for (code, reply) in [
        ("return nil", "_\r\n"),
        ("return true", ":1\r\n"),
        ("redis.setresp(3) return true", "#t\r\n"),
        ("return {double=1.5}", ",1.5\r\n"),
        ("return {map={a=1}}", "%1\r\n$1\r\na\r\n:1\r\n"),
        ("return {set={a=true}}", "~1\r\n$1\r\na\r\n"),
        ("return {big_number='12'}", "(12\r\n"),
        ("return {verbatim_string={string='a',format='txt'}}", "=5\r\ntxt:a\r\n"),
    ] {
        assert_eq!(world.run(code), reply, "{code}");
    }
}

#[test]
fn replies_become_values() {
    let mut world = World::new();
    let mut see = |reply: &str, how: &str| {
        world.eval(&format!("(function() local r = redis.pcall('echo', {reply:?}) {how} end)()"))
    };
    for (reply, how, value) in [
        (":7\r\n", "return r + 1", "8"),
        ("$3\r\nabc\r\n", "return r", "abc"),
        ("$-1\r\n", "return r", "false"),
        ("*-1\r\n", "return r", "false"),
        ("+OK\r\n", "return r.ok", "OK"),
        ("-ERR no\r\n", "return r.err .. tostring(r.ignore_error_stats_update)", "ERR notrue"),
        ("*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", "return r[1] .. r[2][1] .. #r", "1x2"),
        ("_\r\n", "return r", "nil"),
        ("#f\r\n", "return r", "false"),
        (",1.5\r\n", "return r.double", "1.5"),
        ("(123\r\n", "return r.big_number", "123"),
        ("=7\r\ntxt:abc\r\n", "return r.verbatim_string.format .. r.verbatim_string.string", "txtabc"),
        ("%1\r\n$1\r\na\r\n:5\r\n", "return r.map.a", "5"),
        ("~2\r\n$1\r\na\r\n:5\r\n", "return tostring(r.set.a) .. tostring(r.set[5])", "truetrue"),
        ("|1\r\n+a\r\n+b\r\n:3\r\n", "return r", "3"),
        // What no node of ours says: no harm is done.
        ("*1000000000\r\n:1\r\n", "return #r", "1"),
        ("$1000\r\nabc", "return r", "false"),
        ("", "return r", "nil"),
        ("?\r\n", "return r", "nil"),
    ] {
        assert_eq!(see(reply, how), value, "{reply:?}");
    }
    assert_eq!(world.eval("redis.setresp(3) or redis.call('echo', '$-1\\r\\n')"), "nil");
}

#[test]
fn arguments_are_strings_and_numbers() {
    let mut world = World::new();
    for (arguments, words) in [
        ("'set', 'a', 1", "set a 1"),
        ("'a', 1.5, 0.1, 1e20, 2^53, 0, 1/0, -1/0", "a 1.5 0.1 1e+20 9007199254740992 0 inf -inf"),
    ] {
        assert_eq!(world.eval(&format!("table.concat(redis.call({arguments}), ' ')")), words);
    }
    let many = "1.25,".repeat(3000);
    assert_eq!(world.eval(&format!("table.concat(redis.call(unpack({{{many}}})), '')")), "1.25".repeat(3000));
    for arguments in ["{}", "'a', {}", "'a', nil", "'a', true"] {
        let reply = world.run(&format!("return redis.call({arguments})"));
        assert_eq!(
            reply,
            "-ERR Command arguments must be strings or integers script: on @user_script:1.\r\n"
        );
    }
}

#[test]
fn errors_say_where_they_arose() {
    let mut world = World::new();
    for (code, reply) in [
        ("error('boo')", "-ERR user_script:1: boo script: on @user_script:1.\r\n"),
        (
            "\n\nlocal x\nreturn x.y",
            "-ERR user_script:4: attempt to index local 'x' (a nil value) script: on @user_script:4.\r\n",
        ),
        ("error({err='MY boo'})", "-MY boo script: on @user_script:1.\r\n"),
        ("error({a=1})", "-ERR unknown error script: on @user_script:1.\r\n"),
        ("error()", "-ERR nil script: on @user_script:1.\r\n"),
        ("return redis.call('echo', '-ERR no\\r\\n')", "-ERR no script: on @user_script:1.\r\n"),
        ("return redis.pcall('echo', '-ERR no\\r\\n')", "-ERR no\r\n"),
        ("return redis.error_reply('x')", "-ERR x\r\n"),
        ("return redis.error_reply('-My x')", "-My x\r\n"),
        (
            "x=",
            "-ERR Error compiling script (new function): user_script:1: unexpected symbol near '<eof>'\r\n",
        ),
        ("#!lua\nerror('x')", "-ERR user_script:2: x script: on @user_script:2.\r\n"),
    ] {
        assert_eq!(world.run(code), reply, "{code}");
    }
    assert_eq!(world.eval("select(2, pcall(error, {err='E x'}))"), "E x");
    assert_eq!(world.eval("type(select(2, pcall(error, {foo=1})))"), "table");
    assert_eq!(world.eval("select(2, pcall())"), "attempt to call a boolean value");
}

#[test]
fn only_errors_that_nobody_has_counted_are_to_be_counted() {
    let mut world = World::new();
    for (code, codes) in [
        ("return redis.pcall('echo', '-MY no\\r\\n')", vec![]),
        ("redis.call('echo', '-MY no\\r\\n')", vec![]),
        ("return {err='MY no'}", vec!["MY"]),
        ("error('x')", vec!["ERR"]),
        ("return {{err='A x'}, {err='B y'}}", vec!["A", "B"]),
    ] {
        world.run(code);
        let engine = world.scripts.engine().expect("a state");
        let counted: Vec<_> = engine.uncounted_errors().iter().map(|c| String::from_utf8_lossy(c)).collect();
        assert_eq!(counted, codes, "{code}");
    }
}

#[test]
fn a_script_that_does_not_end_is_killed_whatever_it_catches() {
    let mut world = World::new();
    world.patience = 3;
    for code in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do local ok = pcall(function() while true do end end) if not ok then while true do end end end",
        "return coroutine.wrap(function() while true do end end)()",
        "while true do coroutine.wrap(function() pcall(function() while true do end end) end)() end",
        "table.sort({1,2,3,4}, function() while true do end end)",
        "while true do pcall(redis.call, 'x') end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
    ] {
        let reply = world.run(code);
        let text = "-ERR Script killed by user with SCRIPT KILL. script: on @user_script:1.\r\n";
        assert_eq!(reply, text, "{code}");
        assert_eq!(world.run("local n = 0 for i = 1, 1000 do n = n + 1 end return n"), ":1000\r\n");
    }
}

#[test]
fn a_suspended_script_can_be_given_up() {
    let mut world = World::new();
    let found = world.scripts.load(b"return redis.call('x')", true).expect("good");
    let engine = world.scripts.engine().expect("a state");
    engine.begin(found.function, [].into_iter(), [].into_iter(), Proto::Resp2);
    assert_eq!(engine.resume(crate::Answer::Go), crate::Step::Asks(crate::Ask::Call));
    assert!(engine.compile(b"return 1").is_err(), "while it waits");
    drop(world);
}

#[test]
fn the_log_the_clock_and_chance_come_from_outside() {
    let mut world = World::new();
    world.run("redis.log(redis.LOG_WARNING, 'a', 5, {})");
    assert_eq!(world.lines, ["3 a 5 (null)"]);
    assert_eq!(world.eval("os.clock()"), "1.5");
    assert_eq!(world.eval("math.random()"), "0.39646477363839", "always the same after the start");
    assert_eq!(world.eval("(function() math.randomseed(0) return math.random(100) end)()"), "18");
}

#[test]
fn states_are_as_small_as_they_say() {
    let mut world = World::new();
    world.run("return 1");
    let (before, _) = world.scripts.memory();
    assert!((20_000..200_000).contains(&before), "{before}");
    world.run("return #string.rep('x', 1000000)");
    let (after, _) = world.scripts.memory();
    assert!(after > before + 1_000_000);
    world.run("collectgarbage()");
    let end = world.scripts.memory().0;
    assert!(end < after / 10, "{before} {after} {end}");
}
