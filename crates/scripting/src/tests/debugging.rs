//! Debugging sessions: what a client says, and what it is told.

use super::World;

/// What a client is told that debugs `code` and says `lines`, one message a line: its lines joined by `|`. At the end, the
/// script's reply.
fn session(world: &mut World, code: &str, lines: &[&str]) -> Vec<String> {
    let command = |line: &&str| {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let mut bytes = Vec::new();
        tanist_resp::encode_command(&mut bytes, &words);
        bytes
    };
    world.says = Some(lines.iter().map(command).collect());
    let reply = world.run(code);
    world.says = None;
    let told = String::from_utf8(std::mem::take(&mut world.told)).expect("text");
    let messages = told.split_terminator("\r\n").fold(Vec::new(), |mut messages: Vec<String>, line| {
        match line.strip_prefix('+') {
            None => messages.push(String::new()),
            Some(line) => {
                let message = messages.last_mut().expect("a head comes first");
                if !message.is_empty() {
                    message.push('|');
                }
                message.push_str(line);
            }
        }
        messages
    });
    messages.into_iter().chain([reply.trim_end().replace("\r\n", " ")]).collect()
}

const CODE: &str = "local a = 1
local b = {1, 2, 'x', {y = 1}}
local function f(n)
  local c = n + a
  return c
end
redis.call('echo', ':' .. KEYS[1] .. '\\r\\n')
local z = f(5)
return z
";

fn check(code: &str, lines: &[&str], told: &[&str]) {
    assert_eq!(session(&mut World::new(), code, lines), told, "{code}");
}

#[test]
fn a_script_is_stepped_through() {
    check(
        CODE,
        &["s", "next", "s", "s", "s", "S", "STEP", "s"],
        &[
            "* Stopped at 1, stop reason = step over|-> 1   local a = 1",
            "* Stopped at 2, stop reason = step over|-> 2   local b = {1, 2, 'x', {y = 1}}",
            "* Stopped at 6, stop reason = step over|-> 6   end",
            "* Stopped at 7, stop reason = step over|-> 7   redis.call('echo', ':' .. KEYS[1] .. '\\r\\n')",
            "<command> echo :k1  |<reply> k1|* Stopped at 8, stop reason = step over|-> 8   local z = f(5)",
            "* Stopped at 4, stop reason = step over|-> 4     local c = n + a",
            "* Stopped at 5, stop reason = step over|-> 5     return c",
            "* Stopped at 9, stop reason = step over|-> 9   return z",
            "<endsession>",
            ":6",
        ],
    );
}

#[test]
fn it_stops_at_breakpoints_and_shows_where_it_stands() {
    check(
        CODE,
        &["b 4", "c", "p", "p b", "p nosuch", "p KEYS", "t", "l 4 1", "b 0", "c"],
        &[
            "* Stopped at 1, stop reason = step over|-> 1   local a = 1",
            "   3   local function f(n)|  #4     local c = n + a|   5     return c",
            "* Stopped at 4, stop reason = break point|->#4     local c = n + a",
            "<value> n = 5",
            "<value> {1; 2; x; {[y]=1; }; }",
            "No such variable.",
            "<value> {k1; k2; }",
            "In f:|->#4     local c = n + a|From top level:|   8   local z = f(5)",
            "   3   local function f(n)|->#4     local c = n + a|   5     return c",
            "All breakpoints removed.",
            "<endsession>",
            ":6",
        ],
    );
}

#[test]
fn the_script_itself_stops_and_shows_values() {
    check(
        "local a = redis.breakpoint()\nredis.debug('a', 1.5, {a, {}}, nil, cjson.null)\nserver.debug()\nreturn a",
        &["c", "c"],
        &[
            "* Stopped at 1, stop reason = step over|-> 1   local a = redis.breakpoint()",
            "* Stopped at 2, stop reason = server.breakpoint() called|-> 2   \
             redis.debug('a', 1.5, {a, {}}, nil, cjson.null)",
            "<debug> line 2: a, 1.5, {true; {}; }, nil,  \"light-userdata@0x0\"|<debug> line 3: |<endsession>",
            ":1",
        ],
    );
    let mut world = World::new();
    assert_eq!(world.run("redis.debug(1) return redis.breakpoint()"), "$-1\r\n", "nobody debugs it");
}

#[test]
fn code_and_commands_of_the_client_run_in_between() {
    check(
        "local a = 1\nreturn redis.call('echo', ':7\\r\\n')",
        &[
            "e 1 + 1",
            "e local q = {} q.x = 2 return q",
            "e a",
            "e )(",
            "e error({err='MY no'})",
            "e redis.call('echo', ':8\\r\\n')",
            "r get x",
            "r echo -MY\u{a0}no\r\n",
            "e redis.breakpoint()",
            "c",
            "e KEYS[1]",
            "e cjson.encode == nil",
            "s",
        ],
        &[
            "* Stopped at 1, stop reason = step over|-> 1   local a = 1",
            "<retval> 2",
            "<retval> {[x]=2; }",
            "<error> ldb_eval:1: Script attempted to access nonexistent global variable 'a'",
            "Error compiling code: ldb_eval:1: unexpected symbol near ')'",
            "<error> MY no",
            "<retval> 8",
            "<command> get x|<reply> [\"get\",\"x\"]",
            "<command> echo -MY\u{a0}no  |<reply> \"-MY\\xc2\\xa0no\"|<error> -MY\u{a0}no  ",
            "<retval> true",
            "* Stopped at 2, stop reason = server.breakpoint() called|-> 2   return redis.call('echo', ':7\\r\\n')",
            "<retval> k1",
            "<retval> false",
            "<command> echo :7  |<reply> 7|<endsession>",
            ":7",
        ],
    );
}

#[test]
fn errors_are_told_and_end_the_session() {
    check(
        "redis.pcall('echo', '-ERR no\\r\\n')\nredis.pcall('a', {})\nlocal a = nil\nreturn a.x",
        &["s", "s", "s", "s"],
        &[
            "* Stopped at 1, stop reason = step over|-> 1   redis.pcall('echo', '-ERR no\\r\\n')",
            "<command> echo -ERR no  |<reply> \"-ERR no\"|<error> -ERR no  |* Stopped at 2, stop reason = step over\
             |-> 2   redis.pcall('a', {})",
            "<error> Command arguments must be strings or integers|* Stopped at 3, stop reason = step over\
             |-> 3   local a = nil",
            "* Stopped at 4, stop reason = step over|-> 4   return a.x",
            "<endsession>",
            "-ERR user_script:4: attempt to index local 'a' (a nil value) script: on @user_script:4.",
        ],
    );
    check(
        "return 1",
        &["abort"],
        &[
            "* Stopped at 1, stop reason = step over|-> 1   return 1",
            "<endsession>",
            "-ERR script aborted for user request script: on @user_script:1.",
        ],
    );
    let mut world = World::new();
    world.says = Some([b"nonsense".to_vec()].into());
    assert_eq!(world.run("return 1"), "-ERR protocol error script: on @user_script:1.\r\n");
    world.says = Some((0..2000).map(|_| b"*2\r\n$1024\r\n".repeat(100)).collect());
    let error = "-ERR protocol error script: on @user_script:1.\r\n";
    assert_eq!(world.run("return 1"), error);
}

#[test]
fn a_script_runs_on_when_its_client_is_gone() {
    let mut world = World::new();
    let told = session(&mut world, "local a = 1\nredis.call('x')\nreturn a", &["b 2", "s"]);
    assert_eq!(told.last().map(String::as_str), Some(":1"));
    // The state is as it was before.
    world.told.clear();
    assert_eq!(world.run("local a = 1\nreturn a"), ":1\r\n");
    assert!(world.told.is_empty());
    world.patience = 3;
    let killed = "-ERR Script killed by user with SCRIPT KILL. script: on @user_script:1.\r\n";
    assert_eq!(world.run("while true do end"), killed);
}

#[test]
fn a_script_that_does_not_end_stops_after_a_while() {
    let mut world = World::new();
    world.seconds = (0.0, 1.0);
    let told = session(&mut world, "local a = 1\nwhile a == 1 do a = 1 end", &["c", "p a", "c"]);
    assert_eq!(
        told,
        [
            "* Stopped at 1, stop reason = step over|-> 1   local a = 1",
            "* Stopped at 2, stop reason = timeout reached, infinite loop?|-> 2   while a == 1 do a = 1 end",
            "<value> 1",
            "* Stopped at 2, stop reason = timeout reached, infinite loop?|-> 2   while a == 1 do a = 1 end",
            "<endsession>",
            "-ERR timeout during Lua debugging with client closing connection script: on @user_script:2.",
        ]
    );
}

#[test]
fn tables_that_hold_each_other_have_an_end() {
    check(
        "local t = {}\nt[1] = t\nlocal w = {}\nfor i = 1, 100 do w[i] = w end\nreturn 1",
        &["b 5", "c", "p t", "maxlen 60", "p w", "c"],
        &[
            "* Stopped at 1, stop reason = step over|-> 1   local t = {}",
            "   4   for i = 1, 100 do w[i] = w end|  #5   return 1",
            "* Stopped at 5, stop reason = break point|->#5   return 1",
            &format!(
                "<value> {}<max recursion level reached! Nested table?>{}",
                "{".repeat(10),
                "; }".repeat(10)
            ),
            "<value> replies are truncated at 60 bytes.",
            "<value> {{{{{{{{{{<max recursion level reached! Nested table ...",
            "<endsession>",
            ":1",
        ],
    );
}

#[test]
fn the_variables_of_a_coroutine_are_shown_where_it_runs() {
    check(
        "local co = coroutine.wrap(function(x)\n  local y = x\n  coroutine.yield(y)\nend)\nreturn co(7)",
        &["b 3", "c", "p", "t", "c"],
        &[
            "* Stopped at 1, stop reason = step over|-> 1   local co = coroutine.wrap(function(x)",
            "   2     local y = x|  #3     coroutine.yield(y)|   4   end)",
            "* Stopped at 3, stop reason = break point|->#3     coroutine.yield(y)",
            "<value> x = 7|<value> y = 7",
            "In top level:|->#3     coroutine.yield(y)",
            "<endsession>",
            ":7",
        ],
    );
}
