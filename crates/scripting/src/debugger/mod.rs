//! The debugger of scripts (`SCRIPT DEBUG`): a session that stops a script before its lines and talks to a client.
//!
//! What a session knows is a [`Debugger`]; it is attached to a state for one run ([`crate::Engine::debug`]), and only then
//! does Lua tell of each line. The conversation is held on the script's own stack, in the middle of its run: what is to be
//! sent and what comes back passes through questions ([`crate::Ask::Tell`], [`crate::Ask::Hear`]), so nothing here touches
//! a socket. Every message is an array of simple strings.
//!
//! Source: the documentation of Redis' Lua debugger, and the answers of a Valkey 9.1 to its commands.
//!
//! - `session`: when to stop, and talking; `command`: what the client may say; `show`: values and replies for people.
//! - `frames`: the call stack and the hook, with what they need of Lua's interface.

mod command;
mod frames;
mod session;
mod show;

pub(crate) use frames::{watch_lines, watch_slices};
pub(crate) use session::{note_call, note_error, note_reply};

use crate::lua::Lua;
use std::ops::Range;

/// The most breakpoints.
const BREAKPOINTS: usize = 64;
/// Bytes of a value or reply that are shown unless `maxlen` says otherwise.
const SHOWN: usize = 256;
/// The most bytes that are shown, whatever it says: tables that hold others often would be without bounds.
const SHOWN_MOST: usize = 64 << 20;
/// The least that `maxlen` can set.
const SHOWN_LEAST: usize = 60;

/// One debugging session.
#[derive(Debug)]
pub struct Debugger {
    /// The script's lines, without what ends them.
    lines: Vec<Box<[u8]>>,
    /// Lines to stop at, in the order in which they were set.
    breakpoints: Vec<usize>,
    /// Stop at the next line.
    step: bool,
    /// Stop at the next line, since the script has asked for it.
    asked_to_stop: bool,
    /// The line of the script that was reached last, from 1.
    current: usize,
    /// The most bytes of a value or reply that are shown; zero: all.
    shown: usize,
    /// The client knows how to see more.
    hinted: bool,
    /// What is to be told next.
    log: Vec<Vec<u8>>,
    /// What the client has sent. The first `used` bytes are the command that is being carried out.
    input: Vec<u8>,
    used: usize,
    /// The words of that command, in `input`.
    words: Vec<Range<usize>>,
    /// So many seconds may pass between two stops before the script is held to be in a loop without end.
    patience: f64,
    /// When it was let go last, in seconds.
    since: Option<f64>,
}

/// Why a script stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reason {
    Step,
    Breakpoint,
    Asked,
    TooLong,
}

impl Reason {
    const fn text(self) -> &'static str {
        match self {
            Reason::Step => "step over",
            Reason::Breakpoint => "break point",
            Reason::Asked => "server.breakpoint() called",
            Reason::TooLong => "timeout reached, infinite loop?",
        }
    }
}

impl Debugger {
    /// A session about a script, which stops before its first line. `patience` is how many seconds the script may run
    /// without a stop before it is stopped as one that does not end.
    #[must_use]
    pub fn new(source: &[u8], patience: f64) -> Debugger {
        let end = source.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |last| last + 1);
        Debugger {
            lines: source[..end].split(|&b| b == b'\n').map(Box::from).collect(),
            breakpoints: Vec::new(),
            step: true,
            asked_to_stop: false,
            current: 0,
            shown: SHOWN,
            hinted: false,
            log: Vec::new(),
            input: Vec::new(),
            used: 0,
            words: Vec::new(),
            patience,
            since: None,
        }
    }

    /// The last message of the session: what is left to be told, and that it ends.
    #[must_use]
    pub fn farewell(mut self) -> Vec<u8> {
        self.say("<endsession>");
        self.message()
    }

    /// `redis.breakpoint()`
    pub(crate) fn ask_to_stop(&mut self) {
        self.asked_to_stop = true;
    }

    /// `redis.debug(...)`: shows the values on the stack of the running function.
    pub(crate) fn show_arguments(&mut self, lua: Lua, room: usize) {
        let mut line = format!("<debug> line {}: ", self.current).into_bytes();
        for i in 1..=lua.top() {
            if i > 1 {
                line.extend_from_slice(b", ");
            }
            lua.push_copy(i);
            show::value(lua, room.min(SHOWN_MOST), &mut line);
            lua.pop(1);
        }
        self.log.push(line);
    }

    fn say(&mut self, text: &str) {
        self.log.push(text.as_bytes().to_vec());
    }

    /// Says something that is cut off behind so many bytes.
    fn say_shortened(&mut self, mut text: Vec<u8>) {
        let cut = self.shown > 0 && text.len() > self.shown;
        if cut {
            text.truncate(self.shown);
            text.extend_from_slice(b" ...");
        }
        self.log.push(text);
        if cut && !self.hinted {
            self.hinted = true;
            self.say("<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.");
        }
    }

    /// How many bytes of something are worth making, if no more than `room` may be made.
    fn worth_showing(&self, room: usize) -> usize {
        let room = room.min(SHOWN_MOST);
        if self.shown == 0 { room } else { room.min(self.shown.saturating_add(1)) }
    }

    /// What is to be told, as the reply that the client gets. Nothing is left to be told after that.
    fn message(&mut self) -> Vec<u8> {
        let mut message = format!("*{}\r\n", self.log.len()).into_bytes();
        for line in self.log.drain(..) {
            message.push(b'+');
            message.extend(line.iter().map(|&b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }));
            message.extend_from_slice(b"\r\n");
        }
        message
    }

    /// Why the script stops at the line that it has reached, if it does.
    fn reason(&self) -> Option<Reason> {
        if self.asked_to_stop {
            Some(Reason::Asked)
        } else if self.breakpoints.contains(&self.current) {
            Some(Reason::Breakpoint)
        } else {
            self.step.then_some(Reason::Step)
        }
    }

    /// The script stops.
    fn stop(&mut self, reason: Reason) {
        (self.step, self.asked_to_stop) = (false, false);
        self.say(&format!("* Stopped at {}, stop reason = {}", self.current, reason.text()));
        self.say_line(self.current);
    }

    /// Shows a line of the script with its number, and whether the script stands there or would stop there.
    fn say_line(&mut self, number: usize) {
        let mark = match (number == self.current, self.breakpoints.contains(&number)) {
            (true, true) => "->#",
            (true, false) => "-> ",
            (false, true) => "  #",
            (false, false) => "   ",
        };
        let text = number.checked_sub(1).and_then(|i| self.lines.get(i));
        let text = text.map_or(b"<out of range source code line>".as_slice(), |line| line);
        let line = [format!("{mark}{number:<3} ").as_bytes(), text].concat();
        self.log.push(line);
    }

    /// Shows the lines that are at most `context` away from the one in the middle.
    fn say_lines(&mut self, middle: i64, context: i64) {
        for number in 1..=self.lines.len() {
            if (number as i64).abs_diff(middle) as i128 <= i128::from(context) {
                self.say_line(number);
            }
        }
    }

    /// Shows all breakpoints.
    fn say_breakpoints(&mut self) {
        if self.breakpoints.is_empty() {
            return self.say("No breakpoints set. Use 'b <line>' to add one.");
        }
        self.say(&format!("{} breakpoints set:", self.breakpoints.len()));
        for i in 0..self.breakpoints.len() {
            self.say_line(self.breakpoints[i]);
        }
    }

    /// Sets a breakpoint at `line`, removes that at `-line`, or removes all for zero.
    fn change_breakpoints(&mut self, line: i64) {
        let number = usize::try_from(line.unsigned_abs()).unwrap_or(usize::MAX);
        let known = self.breakpoints.iter().position(|&b| b == number);
        match (line.signum(), known) {
            (0, _) => {
                self.breakpoints.clear();
                self.say("All breakpoints removed.");
            }
            (-1, Some(i)) => {
                self.breakpoints.remove(i);
                self.say("Breakpoint removed.");
            }
            (-1, None) => self.say("No breakpoint in the specified line."),
            _ if self.breakpoints.len() == BREAKPOINTS => self.say("Too many breakpoints set."),
            (_, None) if number <= self.lines.len() => {
                self.breakpoints.push(number);
                self.say_lines(line, 1);
            }
            _ => self.say("Wrong line number."),
        }
    }

    /// `maxlen [len]`
    fn change_shown(&mut self, wanted: Option<&[u8]>) {
        let Some(wanted) = wanted else {
            return self.say(&format!("Current maxlen is {}", self.shown));
        };
        let Some(n) = tanist_resp::number::parse_i64(wanted).and_then(|n| usize::try_from(n).ok()) else {
            return self.say("<error> Invalid maxlen value.");
        };
        self.hinted = true;
        self.shown = if n == 0 { 0 } else { n.max(SHOWN_LEAST) };
        if n == 0 {
            self.say("<value> replies are not truncated.");
        } else {
            self.say(&format!("<value> replies are truncated at {} bytes.", self.shown));
        }
    }

    /// The client is gone: the script runs on without stops.
    fn leave_alone(&mut self) {
        self.step = false;
        self.breakpoints.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(debugger: &mut Debugger) -> String {
        String::from_utf8(debugger.message()).expect("text")
    }

    #[test]
    fn lines_are_counted_from_one_and_those_at_the_end_that_are_empty_are_none() {
        let mut debugger = Debugger::new(b"\na\r\nb\n\r\n\n", 5.0);
        debugger.current = 2;
        debugger.say_lines(1, 100);
        assert_eq!(told(&mut debugger), "*3\r\n+   1   \r\n+-> 2   a \r\n+   3   b\r\n");
        debugger.say_line(4);
        assert_eq!(told(&mut debugger), "*1\r\n+   4   <out of range source code line>\r\n");
        debugger.say_lines(i64::MIN, i64::MAX);
        debugger.say_lines(2, -1);
        assert_eq!(told(&mut debugger), "*0\r\n");
    }

    #[test]
    fn breakpoints_come_and_go() {
        let mut debugger = Debugger::new(b"a\nb\nc", 5.0);
        for (line, answer) in [
            (2, "*3\r\n+   1   a\r\n+  #2   b\r\n+   3   c\r\n"),
            (2, "*1\r\n+Wrong line number.\r\n"),
            (4, "*1\r\n+Wrong line number.\r\n"),
            (i64::MAX, "*1\r\n+Wrong line number.\r\n"),
            (i64::MIN, "*1\r\n+No breakpoint in the specified line.\r\n"),
            (-3, "*1\r\n+No breakpoint in the specified line.\r\n"),
            (-2, "*1\r\n+Breakpoint removed.\r\n"),
            (0, "*1\r\n+All breakpoints removed.\r\n"),
        ] {
            debugger.change_breakpoints(line);
            assert_eq!(told(&mut debugger), answer, "{line}");
        }
        let mut debugger = Debugger::new("x\n".repeat(100).as_bytes(), 5.0);
        for line in 1..=BREAKPOINTS as i64 {
            debugger.change_breakpoints(line);
        }
        told(&mut debugger);
        debugger.change_breakpoints(99);
        assert_eq!(told(&mut debugger), "*1\r\n+Too many breakpoints set.\r\n");
        debugger.say_breakpoints();
        assert!(told(&mut debugger).starts_with("*65\r\n+64 breakpoints set:\r\n+  #1   x\r\n"));
    }

    #[test]
    fn long_values_are_cut_off_until_all_is_wanted() {
        let mut debugger = Debugger::new(b"a", 5.0);
        debugger.say_shortened(vec![b'x'; 256]);
        assert_eq!(told(&mut debugger), format!("*1\r\n+{}\r\n", "x".repeat(256)));
        debugger.say_shortened(vec![b'x'; 257]);
        let hint = "<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.";
        assert_eq!(told(&mut debugger), format!("*2\r\n+{} ...\r\n+{hint}\r\n", "x".repeat(256)));
        for (wanted, answer) in [
            (None, "Current maxlen is 256"),
            (Some("1"), "<value> replies are truncated at 60 bytes."),
            (Some("0"), "<value> replies are not truncated."),
            (Some("-1"), "<error> Invalid maxlen value."),
            (Some("x"), "<error> Invalid maxlen value."),
        ] {
            debugger.change_shown(wanted.map(str::as_bytes));
            assert_eq!(told(&mut debugger), format!("*1\r\n+{answer}\r\n"), "{wanted:?}");
        }
        debugger.say_shortened(vec![b'x'; 1000]);
        assert_eq!(told(&mut debugger), format!("*1\r\n+{}\r\n", "x".repeat(1000)));
    }
}
