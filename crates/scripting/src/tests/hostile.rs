//! Scripts that mean harm: they get an error, and the state serves the next one.

use super::World;

#[test]
fn depth_and_size_end_in_errors() {
    let mut world = World::new();
    for (code, part) in [
        ("local function f() return f() + 1 end return f()", "stack overflow"),
        ("local function f() return pcall(f) end return tostring(f())", "$"),
        (
            "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
            "stack overflow",
        ),
        (
            "local s = string.rep('(', 500) .. 'a' .. string.rep(')', 500) return loadstring('return ' .. s) == nil",
            ":1",
        ),
        ("return string.find(string.rep('a', 20000), string.rep('a?', 20000) .. 'b')", "pattern too complex"),
        ("return ('x'):gsub(string.rep('(', 5000), '')", "pattern too complex"),
        ("return string.find(string.rep('a', 4000), string.rep('a?', 4000))", ":1"),
        (
            "local function f(n) return (('x'):gsub('x', function() return n > 0 and f(n - 1) or '' end)) end return f(1000)",
            "C stack overflow",
        ),
        ("local t = {} for i = 1, 999 do t = {t} end return #cjson.encode(t)", ":2000"),
        (
            "local s = string.rep('\\145', 100000) return cmsgpack.unpack(s)",
            "stack overflow (too many return values",
        ),
        ("return unpack({}, 1, 1e7)", "too many results to unpack"),
        ("return {unpack({1, 2, 3}, -2147483648, 2147483647)}", "too many results to unpack"),
        ("return select(-2147483648, 1)", "index out of range"),
        ("local t = {} t[1] = t return cjson.encode(t)", "excessive nesting"),
        ("for i = 1, 300 do coroutine.wrap(function() coroutine.yield() end)() end return 1", ":1"),
        ("local function f() return coroutine.wrap(f)() end return f()", "C stack overflow"),
        ("return string.format('%99999d', 1)", "invalid format"),
        ("return #string.rep('x', 2^20)", ":1048576"),
        ("return table.concat({}, ',', 1, 2^31)", "$0"),
        ("return tostring(setmetatable({}, {__tostring = function() error('x') end}))", "x"),
        ("error(setmetatable({}, {__index = function() error('y') end}))", "unknown error"),
    ] {
        let reply = world.run(code);
        assert!(reply.contains(part), "{code}: {}", &reply[..reply.len().min(200)]);
        assert_eq!(world.run("return 1"), ":1\r\n", "after {code}");
    }
}

#[test]
fn endless_replies_end() {
    let mut world = World::new();
    let reply = world.run("local t = {} t[1] = t return t");
    assert!(reply.contains("-ERR reached lua stack limit\r\n"), "{}", &reply[..40]);
    let reply = world.run("local t = {} for i = 1, 1000 do t = {t} end return t");
    assert_eq!(reply.len(), 1000 * 4 + 4);
}

#[test]
fn memory_has_a_limit() {
    let mut world = World::new();
    world.run("return 1");
    world.scripts.engine().expect("a state").set_memory_limit(16 << 20);
    for (code, part) in [
        ("return #string.rep('x', 2^30)", "-ERR not enough memory"),
        ("local s = 'x' while true do s = s .. s end", "-ERR not enough memory"),
        ("local t = {} for i = 1, 1e9 do t[i] = i end", "-ERR not enough memory"),
        ("local t = {} for i = 1, 1e9 do t[i] = {redis.call('x')} end", "-ERR not enough memory"),
        ("local s = string.rep('x', 2^20) return #s:gsub('x', s)", "-ERR not enough memory"),
        (
            "local s = string.rep('x', 2^20) local t = {} for i = 1, 100 do t[i] = s end return #table.concat(t)",
            "not enough memory",
        ),
        (
            "local s = string.rep('x', 2^20) local t = {} for i = 1, 100 do t[i] = s end return #cjson.encode(t)",
            "not enough memory",
        ),
        (
            "local s = string.rep('x', 2^20) local t = {} for i = 1, 100 do t[i] = s end return #cmsgpack.pack(t)",
            "not enough memory",
        ),
        (
            "local s = string.rep('x', 2^20) local t = {} for i = 1, 100 do t[i] = s end return t",
            "-ERR not enough memory for the reply",
        ),
        ("local t = {} for i = 1, 100 do t[i] = string.rep('x', 2^20 + i) end", "-ERR not enough memory"),
        (
            "return loadstring('return ' .. string.rep('{', 100) .. string.rep('1,', 2^20) .. string.rep('}', 100))",
            "$-1",
        ),
        // Who catches it may go on, with what is left.
        ("return {pcall(string.rep, 'x', 2^30)}", "*"),
        (
            "local ok, text = pcall(function() return string.rep('x', 2^30) end) return text",
            "not enough memory",
        ),
        (
            "local f = coroutine.wrap(function() local s = 'x' while true do s = s .. s end end) f()",
            "not enough memory",
        ),
        ("return #string.rep('x', 2^22)", ":4194304"),
        // What is thrown away does not count.
        ("local n = 0 for i = 1, 200 do n = n + #string.rep('x', 2^20 + i) end return n", ":209735300"),
    ] {
        let reply = world.run(code);
        assert!(reply.contains(part), "{code}: {}", &reply[..reply.len().min(200)]);
        assert_eq!(world.run("return 1"), ":1\r\n", "after {code}");
        let used = world.scripts.engine().expect("a state").memory();
        assert!(used < 40 << 20, "{used} bytes after {code}");
    }
}
