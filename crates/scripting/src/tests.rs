//! Tests of scripts as a whole: code in, replies out.

mod debugging;
mod hostile;
mod libraries;
mod running;
mod sandbox;

use crate::{Answer, Ask, Debugger, Scripts, Step, Versions};
use std::collections::VecDeque;
use tanist_resp::Proto;

pub(crate) const VERSIONS: Versions = Versions { redis: "7.2.4", name: "valkey", valkey: "9.1.2" };

/// Scripts, and somebody to carry out their commands: `ECHO` gives its argument back as it is, RESP that is made up;
/// any other command is given back as an array.
pub(crate) struct World {
    pub(crate) scripts: Scripts,
    pub(crate) client: Proto,
    /// So many slices may pass before the script is killed.
    pub(crate) patience: usize,
    pub(crate) lines: Vec<String>,
    /// What the client that debugs the next script says, and what it is told.
    pub(crate) says: Option<VecDeque<Vec<u8>>>,
    pub(crate) told: Vec<u8>,
    /// What the clock shows, and how far it goes on with each look at it.
    pub(crate) seconds: (f64, f64),
}

impl World {
    pub(crate) fn new() -> World {
        World {
            scripts: Scripts::new(VERSIONS),
            client: Proto::Resp2,
            patience: 1000,
            lines: Vec::new(),
            says: None,
            told: Vec::new(),
            seconds: (1.5, 0.0),
        }
    }

    /// The reply of a script, as it goes over the wire.
    pub(crate) fn run(&mut self, code: &str) -> String {
        let found = match self.scripts.load(code.as_bytes(), true) {
            Ok(found) => found,
            Err(text) => return format!("-{text}\r\n"),
        };
        let engine = self.scripts.engine().expect("a state");
        if self.says.is_some() {
            engine.debug(Box::new(Debugger::new(code.as_bytes(), 5.0)));
        }
        let (keys, arguments): ([&[u8]; 2], [&[u8]; 1]) = ([b"k1", b"k2"], [b"a1"]);
        engine.begin(found.function, keys.into_iter(), arguments.into_iter(), self.client);
        let (mut answer, mut slices) = (Answer::Go, 0);
        loop {
            answer = match engine.resume(answer) {
                Step::Done { failed } => {
                    if let Some(debugger) = engine.end_debugging() {
                        self.told.extend(debugger.farewell());
                    }
                    let reply = String::from_utf8_lossy(engine.output()).into_owned();
                    assert_eq!(
                        failed,
                        !engine.uncounted_errors().is_empty() || reply.starts_with('-'),
                        "{reply}"
                    );
                    return reply;
                }
                Step::Asks(Ask::Call) => {
                    let (request, reply) = engine.request();
                    match request {
                        [b"echo", bytes] => reply.extend_from_slice(bytes),
                        words => tanist_resp::encode_command(reply, words),
                    }
                    Answer::Go
                }
                Step::Asks(Ask::Log) => {
                    let (request, _) = engine.request();
                    let words: Vec<_> = request.iter().map(|w| String::from_utf8_lossy(w)).collect();
                    self.lines.push(words.join(" "));
                    Answer::Go
                }
                Step::Asks(Ask::Check) => Answer::Allowed,
                Step::Asks(Ask::Clock) => {
                    self.seconds.0 += self.seconds.1;
                    Answer::Seconds(self.seconds.0)
                }
                Step::Asks(Ask::Tell) => {
                    self.told.extend_from_slice(engine.request().0[0]);
                    Answer::Go
                }
                Step::Asks(Ask::Hear) => {
                    let (_, heard) = engine.request();
                    match self.says.as_mut().and_then(VecDeque::pop_front) {
                        Some(bytes) => {
                            heard.extend(bytes);
                            Answer::Go
                        }
                        None => Answer::Gone,
                    }
                }
                Step::Asks(Ask::Pause) => {
                    slices += 1;
                    if slices > self.patience { Answer::Kill } else { Answer::Go }
                }
            };
        }
    }

    /// The string that an expression is, by `tostring`.
    pub(crate) fn eval(&mut self, expression: &str) -> String {
        let reply = self.run(&format!("return tostring({expression})"));
        match reply.strip_prefix('$').and_then(|rest| rest.split_once("\r\n")) {
            Some((_, text)) => text.trim_end_matches("\r\n").to_owned(),
            None => reply,
        }
    }
}
