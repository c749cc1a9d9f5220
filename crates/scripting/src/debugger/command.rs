//! What a client may say to the debugger: commands in RESP, and their help.

use super::Debugger;

/// The most words of a command, and the most bytes of a word.
const MOST: i64 = 1024;
/// The most bytes that may wait for a command to be whole.
const MOST_INPUT: usize = 1 << 20;

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Command {
    Help,
    Maxlen,
    Step,
    Continue,
    List,
    Whole,
    Print,
    Break,
    Trace,
    Eval,
    Call,
    Abort,
    Unknown,
}

/// A command of the debugger: its name, of which the first letters may stand for the whole, what may follow, and what it
/// is for. Without help it is another name of the one before.
struct Entry {
    command: Command,
    name: &'static str,
    /// So many letters are its short form; zero: it has none.
    short: usize,
    parameters: &'static str,
    /// The least and the most words that may follow.
    follow: (usize, usize),
    help: &'static [&'static str],
}

const ENTRIES: [Entry; 15] = [
    entry(Command::Help, "help", 1, "", (0, 0), &["Show these lines."]),
    entry(
        Command::Maxlen,
        "maxlen",
        3,
        " [len]",
        (0, 1),
        &[
            "Cut off shown values and replies behind so many",
            "bytes; 0 shows them whole. Alone, tell the bound.",
        ],
    ),
    entry(Command::Step, "step", 1, "", (0, 0), &["Run this line and stop before the next."]),
    entry(Command::Step, "next", 1, "", (0, 0), &["The same as step."]),
    entry(Command::Continue, "continue", 1, "", (0, 0), &["Run on to the next breakpoint."]),
    entry(
        Command::List,
        "list",
        1,
        " [line] [ctx]",
        (0, 2),
        &[
            "List the script around a line, the current one",
            "unless told otherwise; [ctx] lines on both sides.",
        ],
    ),
    entry(Command::Whole, "whole", 1, "", (0, 0), &["List the whole script."]),
    entry(
        Command::Print,
        "print",
        1,
        " [var]",
        (0, 1),
        &["Show a local variable, KEYS or ARGV. Alone, show", "all local variables."],
    ),
    entry(
        Command::Break,
        "break",
        1,
        " [line|-line]",
        (0, 1),
        &["Stop at a line, or not any more; 0 removes all", "breakpoints. Alone, list them."],
    ),
    entry(Command::Trace, "trace", 1, "", (0, 0), &["Show which calls have led here."]),
    entry(Command::Eval, "eval", 1, " <code>", (1, usize::MAX), &["Run a piece of Lua on its own."]),
    entry(Command::Call, "valkey", 1, " <cmd>", (1, usize::MAX), &["Carry out a command."]),
    entry(Command::Call, "redis", 1, " <cmd>", (1, usize::MAX), &[]),
    entry(Command::Call, "server", 0, " <cmd>", (1, usize::MAX), &[]),
    entry(
        Command::Abort,
        "abort",
        1,
        "",
        (0, 0),
        &["End the script with an error. In sync mode what it", "has changed stays."],
    ),
];

const fn entry(
    command: Command,
    name: &'static str,
    short: usize,
    parameters: &'static str,
    follow: (usize, usize),
    help: &'static [&'static str],
) -> Entry {
    Entry { command, name, short, parameters, follow, help }
}

impl Entry {
    fn is_called(&self, word: &[u8]) -> bool {
        let short = &self.name.as_bytes()[..self.short];
        word.eq_ignore_ascii_case(self.name.as_bytes())
            || !word.is_empty() && word.eq_ignore_ascii_case(short)
    }
}

impl Debugger {
    /// Takes what the client has sent.
    ///
    /// # Errors
    /// When it sends more than any command has.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        if self.input.len() + bytes.len() > MOST_INPUT {
            self.input.clear();
            return Err("max client buffer reached");
        }
        self.input.extend_from_slice(bytes);
        Ok(())
    }

    /// The next command, once all of it is there.
    ///
    /// # Errors
    /// When what is there cannot become one.
    pub(super) fn next_command(&mut self) -> Result<Option<Command>, &'static str> {
        self.input.drain(..self.used);
        self.used = 0;
        self.words.clear();
        let Some(used) = self.find_words()? else { return Ok(None) };
        self.used = used;
        let follow = self.words.len() - 1;
        let name = self.word(0).unwrap_or_default();
        let fits = |e: &&Entry| e.is_called(name) && e.follow.0 <= follow && follow <= e.follow.1;
        Ok(Some(ENTRIES.iter().find(fits).map_or(Command::Unknown, |e| e.command)))
    }

    /// Word `i` of the command that is being carried out.
    pub(super) fn word(&self, i: usize) -> Option<&[u8]> {
        self.words.get(i).map(|range| &self.input[range.clone()])
    }

    /// Finds the words of the first command; gives the number of bytes that it takes.
    fn find_words(&mut self) -> Result<Option<usize>, &'static str> {
        const ERROR: &str = "protocol error";
        if self.input.is_empty() {
            return Ok(None);
        }
        // What stands before a command is passed over.
        let mut at = self.input.iter().position(|&b| b == b'*').ok_or(ERROR)?;
        let Some((count, end)) = self.number_at(at + 1) else { return Ok(None) };
        let count = count.filter(|n| (1..=MOST).contains(n)).ok_or(ERROR)?;
        at = end;
        for _ in 0..count {
            match self.input.get(at) {
                None => return Ok(None),
                Some(b'$') => {}
                Some(_) => return Err(ERROR),
            }
            let Some((len, start)) = self.number_at(at + 1) else { return Ok(None) };
            let len = len.filter(|n| (1..=MOST).contains(n)).ok_or(ERROR)? as usize;
            match self.input.get(start + len..start + len + 2) {
                None => return Ok(None),
                Some(b"\r\n") => {}
                Some(_) => return Err(ERROR),
            }
            self.words.push(start..start + len);
            at = start + len + 2;
        }
        Ok(Some(at))
    }

    /// The number that stands at `at`, `None` if it is none, and where the next line begins; nothing if the line has no end
    /// yet.
    fn number_at(&self, at: usize) -> Option<(Option<i64>, usize)> {
        let line = &self.input[at..];
        let end = line.windows(2).position(|two| two == b"\r\n")?;
        Some((tanist_resp::number::parse_i64(&line[..end]), at + end + 2))
    }

    /// Tells what one may say.
    pub(super) fn say_help(&mut self) {
        self.say("LUA debugger help:");
        for entry in ENTRIES.iter().filter(|e| !e.help.is_empty()) {
            let (short, rest) = entry.name.split_at(entry.short);
            let mut left = format!("[{short}]{rest}{}", entry.parameters);
            for line in entry.help {
                self.say(&format!("{left:<20} {line}"));
                left.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debugger(input: &[u8]) -> Debugger {
        let mut debugger = Debugger::new(b"return 1", 5.0);
        debugger.hear(input).expect("little");
        debugger
    }

    #[test]
    fn commands_have_short_names_and_a_number_of_words() {
        for (words, command) in [
            ("s", Command::Step),
            ("NEXT", Command::Step),
            ("c", Command::Continue),
            ("c 1", Command::Unknown),
            ("m", Command::Unknown),
            ("MAX 1", Command::Maxlen),
            ("maxlen 1 2", Command::Unknown),
            ("l 1 2", Command::List),
            ("l 1 2 3", Command::Unknown),
            ("e", Command::Unknown),
            ("e 1 + 1", Command::Eval),
            ("r get a", Command::Call),
            ("v get a", Command::Call),
            ("server get a", Command::Call),
            ("server", Command::Unknown),
            ("a", Command::Abort),
            ("quit", Command::Unknown),
        ] {
            let mut bytes = Vec::new();
            let split: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
            tanist_resp::encode_command(&mut bytes, &split);
            let mut debugger = debugger(&bytes);
            assert_eq!(debugger.next_command(), Ok(Some(command)), "{words}");
            assert_eq!(debugger.word(split.len() - 1), split.last().copied());
        }
    }

    #[test]
    fn commands_may_come_in_pieces_and_several_at_once() {
        let bytes = b"junk*2\r\n$1\r\np\r\n$1\r\nx\r\n";
        for split in 1..bytes.len() {
            let mut debugger = debugger(&bytes[..split]);
            if split > 4 {
                assert_eq!(debugger.next_command(), Ok(None), "{split}");
            }
            debugger.hear(&bytes[split..]).expect("little");
            debugger.hear(b"*1\r\n$1\r\nc\r\n*1").expect("little");
            assert_eq!(debugger.next_command(), Ok(Some(Command::Print)));
            assert_eq!(debugger.word(1), Some(b"x".as_slice()));
            assert_eq!(debugger.next_command(), Ok(Some(Command::Continue)));
            assert_eq!(debugger.next_command(), Ok(None));
        }
    }

    #[test]
    fn what_cannot_become_a_command_is_an_error() {
        for input in [
            "hello\r\n",
            "*0\r\n",
            "*-1\r\n",
            "*x\r\n",
            "*1025\r\n",
            "*1\r\n:1\r\n",
            "*1\r\n$0\r\n\r\n",
            "*1\r\n$1025\r\n",
            "*1\r\n$99999999999999999999\r\n",
            "*1\r\n$1\r\nsxx",
        ] {
            assert_eq!(debugger(input.as_bytes()).next_command(), Err("protocol error"), "{input}");
        }
        let mut debugger = debugger(b"*1024\r\n");
        let more = b"$1024\r\n".len() + 1026;
        let mut room = MOST_INPUT - 7;
        while room >= more {
            room -= more;
            debugger.hear(&[b"$1024\r\n".as_slice(), &[b'x'; 1024], b"\r\n"].concat()).expect("room");
        }
        assert_eq!(debugger.next_command(), Ok(None));
        assert_eq!(debugger.hear(&vec![b'$'; room + 1]), Err("max client buffer reached"));
    }

    #[test]
    fn help_has_all_that_may_be_said() {
        let mut debugger = debugger(b"");
        debugger.say_help();
        let text = String::from_utf8(debugger.message()).expect("text");
        assert!(text.contains("+[l]ist [line] [ctx]  List the script around a line"), "{text}");
        assert!(text.contains("\r\n+                     unless told otherwise"), "{text}");
        assert!(text.contains("+[max]len [len]"), "{text}");
        assert!(!text.contains("[r]edis"));
    }
}
