//! What scripts can reach, and what they cannot leave behind.

use super::World;

#[test]
fn globals_are_those_of_redis() {
    let mut world = World::new();
    let names = "(function() local t={} for k in pairs(%) do t[#t+1]=k end table.sort(t) return table.concat(t,' ') end)()";
    assert_eq!(
        world.eval(&names.replace('%', "_G")),
        "ARGV KEYS _G _VERSION __redis__err__handler __server__err__handler assert bit cjson cmsgpack collectgarbage \
         coroutine error gcinfo getmetatable ipairs load loadstring math next os pairs pcall rawequal rawget rawset \
         redis select server setmetatable string struct table tonumber tostring type unpack xpcall"
    );
    assert_eq!(
        world.eval(&names.replace('%', "redis")),
        "LOG_DEBUG LOG_NOTICE LOG_VERBOSE LOG_WARNING REDIS_VERSION REDIS_VERSION_NUM REPL_ALL REPL_AOF REPL_NONE \
         REPL_REPLICA REPL_SLAVE SERVER_NAME VALKEY_VERSION VALKEY_VERSION_NUM acl_check_cmd breakpoint call debug \
         error_reply log pcall replicate_commands set_repl setresp sha1hex status_reply"
    );
    assert_eq!(world.eval(&names.replace('%', "os")), "clock");
    assert_eq!(world.eval("redis.REDIS_VERSION_NUM"), "459268");
    for absent in
        ["print", "dofile", "loadfile", "require", "newproxy", "getfenv", "setfenv", "io", "debug", "x"]
    {
        let reply = world.run(&format!("return {absent}"));
        let text = format!(
            "-ERR user_script:1: Script attempted to access nonexistent global variable '{absent}' script: on @user_script:1.\r\n"
        );
        assert_eq!(reply, text);
    }
}

#[test]
fn nothing_shared_can_be_changed() {
    let mut world = World::new();
    let placed = "-ERR user_script:1: Attempt to modify a readonly table script: on @user_script:1.\r\n";
    let bare = "-ERR Attempt to modify a readonly table script: on @user_script:1.\r\n";
    for (code, reply) in [
        ("x = 1", placed),
        ("_G.x = 1", placed),
        ("KEYS = 1", placed),
        ("redis.call = 1", placed),
        ("string.format = 1", placed),
        ("cjson.x = 1", placed),
        ("getmetatable('').__index = 1", placed),
        ("getmetatable('').__index.upper = 1", placed),
        ("getmetatable(_G).__index = nil", placed),
        ("rawset(redis, 'x', 1)", bare),
        ("rawset(_G, 'x', 1)", bare),
        ("setmetatable(redis, {})", bare),
        ("setmetatable(_G, {})", bare),
        ("setmetatable(getmetatable(''), {})", bare),
        ("table.insert(redis, 1)", bare),
    ] {
        assert_eq!(world.run(code), reply, "{code}");
    }
    assert_eq!(world.eval("getmetatable(redis)"), "nil");
    assert_eq!(world.eval("type(getmetatable(_G).__index)"), "function");
    assert_eq!(world.eval("rawget(redis, 'REPL_ALL')"), "3");
    assert_eq!(world.eval("next(os)"), "clock");
    // What `pairs` hands out is the read-only table, not what is behind it.
    assert_eq!(world.run("local _, t = pairs(redis) t.call = nil"), placed);
    assert_eq!(world.eval("type(redis.call)"), "function");
    assert_eq!(world.run("KEYS[1] = 'mine' return KEYS[1]"), "$4\r\nmine\r\n");
    assert_eq!(world.eval("KEYS[1]"), "k1");
}

#[test]
fn compiled_code_is_refused() {
    let mut world = World::new();
    for load in ["loadstring(s)", "load(function() local r = s s = nil return r end)"] {
        let code =
            format!("local s = string.dump(function() end) local f, e = {load} return {{tostring(f), e}}");
        let reply = world.run(&code);
        assert!(reply.starts_with("*2\r\n$3\r\nnil\r\n"), "{reply:?}");
        assert!(reply.contains("unexpected symbol near 'char(27)'"), "{reply:?}");
    }
    assert_eq!(
        world.run("\u{1b}Lua"),
        "-ERR Error compiling script (new function): user_script:1: unexpected symbol near 'char(27)'\r\n"
    );
    assert_eq!(world.eval("loadstring('return 5')()"), "5");
    assert_eq!(world.eval("load((function() local t = {'return', ' 6'} return function() return table.remove(t, 1) end end)())()"), "6");
    assert_eq!(
        world.eval("select(2, load(function() return {} end))"),
        "reader function must return a string"
    );
    assert_eq!(world.eval("select(2, load(function() error('x', 0) end))"), "x");
}
