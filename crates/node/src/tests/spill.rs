//! A snapshot for whoever must be told its length first (`SYNC` without `capa eof`) goes through a file.

use super::World;
use crate::snapshot::Loader;
use crate::{Input, Output, SessionId};
use tanist_config::ServerConfig;

/// A node with data, a client that has said `SYNC`, and the shell's file.
struct Sync {
    w: World,
    c: SessionId,
    file: Vec<u8>,
    /// Everything that the client was sent.
    sent: Vec<u8>,
    /// The most bytes of the snapshot in memory.
    held: u64,
    closed: bool,
    disk_full: bool,
}

const KEYS: usize = 500;
const VALUE: usize = 10_000;

impl Sync {
    fn new() -> Sync {
        let mut w = World::with(ServerConfig { repl_diskless_sync_delay: 0, ..ServerConfig::default() });
        let c = w.connect();
        for i in 0..KEYS {
            w.say(c, &format!("SET k{i} {}", "v".repeat(VALUE)));
        }
        let c = w.connect();
        w.raw(c, b"SYNC\r\n");
        Sync { w, c, file: Vec::new(), sent: Vec::new(), held: 0, closed: false, disk_full: false }
    }

    fn run(&mut self) {
        for _ in 0..2000 {
            self.turn();
        }
    }

    fn turn(&mut self) {
        let answers: Vec<Input> =
            self.w.outs.drain().collect::<Vec<_>>().into_iter().filter_map(|o| self.perform(o)).collect();
        for answer in answers {
            self.w.node.step(self.w.now, answer, &mut self.w.outs);
        }
        self.held = self.held.max(self.w.node.repl.replicas.held());
        self.w.pass(0);
    }

    fn perform(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Send { session, bytes } if session == self.c => {
                self.sent.extend(bytes);
                None
            }
            Output::Close { session, .. } if session == self.c => {
                self.closed = true;
                Some(Input::Closed(session))
            }
            Output::TellDrained(session) => Some(Input::Drained(session)),
            Output::Persist { id, .. } => Some(Input::Persisted { id, result: Ok(()) }),
            Output::SpillWrite { file, .. } if self.disk_full => {
                Some(Input::Spilled { file, result: Err("No space left on device".into()) })
            }
            Output::SpillWrite { file, bytes } => {
                self.file.extend(bytes);
                Some(Input::Spilled { file, result: Ok(None) })
            }
            Output::SpillRead { file, at, len } => {
                let bytes = self.file[at as usize..at as usize + len].to_vec();
                Some(Input::Spilled { file, result: Ok(Some(bytes)) })
            }
            Output::SpillEnd { .. } => {
                self.file.clear();
                None
            }
            _ => None,
        }
    }
}

#[test]
fn its_memory_is_bounded_and_the_log_goes_on_behind_it() {
    let mut s = Sync::new();
    // The snapshot begins once the state file says that there is a replica.
    s.turn();
    assert!(s.w.node.snapshot_running());
    let other = s.w.connect();
    s.w.say(other, "SET late 1");
    s.run();
    assert!(s.held <= 1 << 19, "{} bytes of the snapshot in memory", s.held);
    let head = s.sent.iter().position(|&b| b == b'\n' && s.sent[0] == b'$').expect("a length");
    let len: usize = std::str::from_utf8(&s.sent[1..head - 1]).expect("text").parse().expect("a number");
    assert!(len > KEYS * VALUE);
    let body = &s.sent[head + 1..][..len];
    let mut loader = Loader::new(&s.w.node.data, 1 << 20, false, s.w.now.wall());
    assert_eq!(loader.feed(body, s.w.now.wall()), Ok(true));
    assert_eq!(loader.finish().expect("complete").keys, KEYS as u64);
    let log = String::from_utf8_lossy(&s.sent[head + 1 + len..]).into_owned();
    assert_eq!(log, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$4\r\nlate\r\n$1\r\n1\r\n");
    assert!(s.file.is_empty(), "the file is given up");
    assert!(!s.w.node.snapshot_running());
}

#[test]
fn a_full_disk_closes_the_link_and_nothing_else() {
    let mut s = Sync::new();
    s.disk_full = true;
    s.run();
    assert!(s.closed && s.sent.is_empty());
    assert!(!s.w.node.snapshot_running());
    let c = s.w.connect();
    assert_eq!(s.w.say(c, "STRLEN k1"), format!(":{VALUE}"));
    assert!(s.w.say(c, "INFO replication").contains("connected_slaves:0\r"));
}
