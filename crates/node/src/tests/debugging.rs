//! Scripts that are debugged: the session, what it changes, and how it ends.

use super::{Steady, World, decode, show};
use crate::{DebugLink, Forked, Next, SessionId, Stopwatch};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use tanist_resp::{Batch, Limits, encode_command};
use tanist_types::Mono;

/// Who debugs: what is said, and what is told.
struct Line {
    watch: Steady,
    says: RefCell<VecDeque<Vec<u8>>>,
    told: RefCell<Vec<u8>>,
    forks: Cell<usize>,
}

impl Line {
    fn new(world: &World, says: &[&str]) -> Line {
        Line {
            watch: Steady::new(world.now.mono, std::time::Duration::ZERO),
            says: RefCell::new(says.iter().map(|line| words(&line.split(' ').collect::<Vec<_>>())).collect()),
            told: RefCell::default(),
            forks: Cell::new(0),
        }
    }

    /// The lines that were told.
    fn told(&self) -> Vec<String> {
        let told = String::from_utf8(self.told.take()).expect("text");
        told.lines().filter_map(|line| line.strip_prefix('+')).map(str::to_owned).collect()
    }
}

impl Stopwatch for Line {
    fn read(&self) -> Mono {
        self.watch.read()
    }

    fn debug_link(&self) -> Option<&dyn DebugLink> {
        Some(self)
    }
}

impl DebugLink for Line {
    fn fork(&self) -> Result<Forked, String> {
        self.forks.set(self.forks.get() + 1);
        if self.forks.get() > 1 { Err("no room".into()) } else { Ok(Forked::Parent) }
    }

    fn tell(&self, bytes: &[u8]) -> bool {
        self.told.borrow_mut().extend_from_slice(bytes);
        true
    }

    fn hear(&self, room: &mut Vec<u8>) -> bool {
        let said = self.says.borrow_mut().pop_front();
        room.extend_from_slice(said.as_deref().unwrap_or_default());
        said.is_some()
    }

    fn exit(&self, _: &[u8]) -> ! {
        panic!("the second process is none of the test's")
    }
}

fn words(words: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let words: Vec<&[u8]> = words.iter().map(|w| w.as_bytes()).collect();
    encode_command(&mut bytes, &words);
    bytes
}

/// Sends commands over a connection that can be spoken over; gives the replies and what to do next.
fn send(world: &mut World, id: SessionId, line: &Line, bytes: &[u8]) -> (Vec<String>, Next) {
    let mut batch = Batch::new();
    batch.parse(bytes, &Limits::default(), 1000).expect("well-formed commands");
    let mut out = Vec::new();
    let ran = world.node.run(world.now, id, &batch, bytes, 0, &mut out, &mut world.outs, line);
    (decode(&out).iter().map(show).collect(), ran.next)
}

fn ask(world: &mut World, id: SessionId, line: &Line, command: &[&str]) -> (String, Next) {
    let (replies, next) = send(world, id, line, &words(command));
    (replies.join(" "), next)
}

const CODE: &str = "redis.call('set', 'a', '1')\nredis.call('incr', 'a')\nreturn redis.call('get', 'a')";

#[test]
fn a_session_here_keeps_what_the_script_has_changed_and_ends_its_connection() {
    let mut world = World::new();
    let id = world.connect();
    let line = Line::new(&world, &["s", "r get a", "c"]);
    assert_eq!(ask(&mut world, id, &line, &["script", "debug", "sync", "LUA"]), ("OK".into(), Next::Go));
    world.record();
    assert_eq!(ask(&mut world, id, &line, &["eval", CODE, "0"]), ("2".into(), Next::Close));
    assert_eq!(
        line.told(),
        [
            "* Stopped at 1, stop reason = step over",
            "-> 1   redis.call('set', 'a', '1')",
            "<command> set a 1",
            "<reply> \"+OK\"",
            "* Stopped at 2, stop reason = step over",
            "-> 2   redis.call('incr', 'a')",
            "<command> get a",
            "<reply> \"1\"",
            "<endsession>",
        ]
    );
    assert_eq!(world.recorded(), ["SELECT 0", "MULTI", "set a 1", "incr a", "EXEC"]);
    let other = world.connect();
    assert_eq!(world.say(other, "get a"), "2");
}

#[test]
fn a_session_apart_leaves_everything_to_the_second_process() {
    let mut world = World::new();
    let id = world.connect();
    let line = Line::new(&world, &[]);
    ask(&mut world, id, &line, &["script", "debug", "yes"]);
    let both = [words(&["eval", CODE, "0"]), words(&["set", "b", "1"])].concat();
    assert_eq!(send(&mut world, id, &line, &both), (vec![], Next::Close));
    assert_eq!(line.told(), [""; 0]);
    let other = world.connect();
    assert_eq!(world.say(other, "exists a b"), ":0");
    // The second one cannot be made.
    ask(&mut world, other, &line, &["script", "debug", "yes"]);
    let refused = ask(&mut world, other, &line, &["eval", CODE, "0"]);
    assert_eq!(refused, ("-ERR Fork() failed: can't run EVAL in debugging mode: no room".into(), Next::Go));
}

#[test]
fn scripts_that_do_not_even_begin_end_the_session_as_well() {
    let mut world = World::new();
    for (code, keys, error) in [
        (
            "x=",
            "0",
            "-ERR Error compiling script (new function): user_script:1: unexpected symbol near '<eof>'",
        ),
        ("return 1", "5", "-ERR Number of keys can't be greater than number of args"),
    ] {
        let id = world.connect();
        let line = Line::new(&world, &[]);
        ask(&mut world, id, &line, &["script", "debug", "sync"]);
        assert_eq!(ask(&mut world, id, &line, &["eval", code, keys]), (error.into(), Next::Close));
        assert_eq!(line.told(), ["<endsession>"]);
    }
}

#[test]
fn what_cannot_be_debugged_is_refused() {
    let mut world = World::new();
    let id = world.connect();
    let refused = "-ERR scripts cannot be debugged over this connection";
    assert_eq!(world.say(id, "script debug yes"), refused, "nothing to speak over");
    assert_eq!(world.say(id, "script debug no"), "OK");
    let line = Line::new(&world, &[]);
    for (command, reply) in [
        ("script debug x", "-ERR Use SCRIPT DEBUG YES/SYNC/NO"),
        ("script debug yes js", "-ERR No scripting engine found with name 'js' to enable debug"),
        (
            "script debug yes lua x",
            "-ERR unknown subcommand or wrong number of arguments for 'debug'. Try SCRIPT HELP.",
        ),
        ("script debug yes", "OK"),
        (
            "evalsha e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
            "-ERR Please use EVAL instead of EVALSHA for debugging",
        ),
    ] {
        let command: Vec<&str> = command.split(' ').collect();
        assert_eq!(ask(&mut world, id, &line, &command), (reply.into(), Next::Go), "{command:?}");
    }
    let other = world.connect();
    let both = [words(&["ping"]), words(&["script", "debug", "sync"])].concat();
    let pipeline = "-ERR SCRIPT DEBUG must be called outside a pipeline";
    assert_eq!(send(&mut world, other, &line, &both), (vec!["PONG".into(), pipeline.into()], Next::Go));
    for command in [&["multi"][..], &["script", "debug", "sync"]] {
        ask(&mut world, other, &line, command);
    }
    assert_eq!(ask(&mut world, other, &line, &["exec"]).0, format!("[{pipeline}]"));
    assert_eq!(ask(&mut world, other, &line, &["eval", "return 1", "0"]), (":1".into(), Next::Go));
}

#[test]
fn a_script_that_is_debugged_waits_for_nobody_else() {
    let mut world = World::new();
    let id = world.connect();
    let line = Line::new(&world, &["s", "c"]);
    ask(&mut world, id, &line, &["set", "k", "v"]);
    ask(&mut world, id, &line, &["script", "debug", "sync"]);
    let code = "return redis.pcall('migrate', 'h', '1', 'k', '0', '1000').err\n-- the end";
    let reply = "ERR MIGRATE is not possible while a script is debugged";
    assert_eq!(ask(&mut world, id, &line, &["eval", code, "0"]), (reply.into(), Next::Close));
    let other = world.connect();
    assert_eq!(world.say(other, "get k"), "v");
}
