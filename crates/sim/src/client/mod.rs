//! A client: finds the primary through the sentinels, works on it one operation at a time, and tells the oracle how
//! each ended.
//!
//! Whatever goes wrong on a connection makes the operation's outcome unknown; the register that it wrote to is not
//! written again then, because a late packet may still carry the old write out.

mod op;

use crate::clock::ms;
use crate::host::{Ctx, In};
use crate::net::{ConnId, HostId, Side};
use crate::oracle::Outcome;
use crate::plan::WorkPlan;
use op::Op;
pub(crate) use op::{is_pair, number_of, twin};
use std::time::Duration;
use tanist_resp::{Decoder, Value, encode_command};
use tanist_types::{Mono, Rng};

/// The name of the group.
pub(crate) const GROUP: &str = "mymaster";

/// What the client is at.
enum State {
    /// Nothing, for a while; then it goes on with what it has, or looks for the primary.
    Resting,
    /// It asks a sentinel for the primary.
    Asking { conn: ConnId },
    /// It connects to what the sentinel said, and asks whether that is a primary.
    Dialling { conn: ConnId, server: String },
    /// It has a connection to work on.
    Idle { conn: ConnId, server: String },
    /// It waits for the replies of an operation.
    Waiting { conn: ConnId, server: String, op: Op, replies: Vec<Value> },
}

/// The addresses that a client knows from the beginning.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) sentinels: Vec<(String, u16)>,
}

/// A client process.
pub(crate) struct Client {
    pub(crate) name: String,
    known: Known,
    work: WorkPlan,
    state: State,
    decoder: Decoder,
    until: Mono,
    next_sentinel: usize,
    /// No new operations: the run is about to be judged.
    pub(crate) stopped: bool,
    /// Generations of registers, one per slot.
    generations: Vec<u64>,
    pub(crate) rng: Rng,
}

impl Client {
    pub(crate) fn new(number: usize, known: Known, work: WorkPlan, rng: Rng) -> Client {
        Client {
            name: format!("c{number}"),
            generations: vec![0; 2 * work.keys as usize],
            known,
            work,
            state: State::Resting,
            decoder: Decoder::new(),
            until: Mono::ZERO,
            next_sentinel: number,
            stopped: false,
            rng,
        }
    }

    /// Whether it is in the middle of an operation.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        Some(self.until)
    }

    pub(crate) fn handle(&mut self, input: In, ctx: &mut Ctx<'_>) {
        match input {
            In::Wake if ctx.now.mono >= self.until => self.due(ctx),
            In::Connected { conn } if self.conn() == Some(conn) => self.connected(ctx),
            In::Data { conn, bytes } if self.conn() == Some(conn) => self.data(&bytes, ctx),
            In::Lost { conn, .. } if self.conn() == Some(conn) => self.give_up(ctx),
            _ => {}
        }
    }

    fn conn(&self) -> Option<ConnId> {
        match &self.state {
            State::Resting => None,
            State::Asking { conn }
            | State::Dialling { conn, .. }
            | State::Idle { conn, .. }
            | State::Waiting { conn, .. } => Some(*conn),
        }
    }

    /// Time is up for what it is at.
    fn due(&mut self, ctx: &mut Ctx<'_>) {
        match &self.state {
            State::Resting => self.ask(ctx),
            State::Idle { .. } => self.begin(ctx),
            State::Asking { .. } | State::Dialling { .. } | State::Waiting { .. } => self.give_up(ctx),
        }
    }

    /// Asks the next sentinel.
    fn ask(&mut self, ctx: &mut Ctx<'_>) {
        if self.known.sentinels.is_empty() {
            return self.rest(ctx);
        }
        let (host, port) = self.known.sentinels[self.next_sentinel % self.known.sentinels.len()].clone();
        self.next_sentinel += 1;
        let conn = ctx.dial(&host, port);
        self.enter(State::Asking { conn }, ms(500), ctx);
    }

    fn connected(&mut self, ctx: &mut Ctx<'_>) {
        match std::mem::replace(&mut self.state, State::Resting) {
            State::Asking { conn } => {
                let mut bytes = Vec::new();
                encode_command(&mut bytes, &[b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", GROUP.as_bytes()]);
                ctx.send(conn, Side::Opener, bytes);
                self.enter(State::Asking { conn }, ms(500), ctx);
            }
            State::Dialling { conn, server } => {
                let mut bytes = Vec::new();
                encode_command(&mut bytes, &[b"ROLE"]);
                ctx.send(conn, Side::Opener, bytes);
                self.enter(State::Dialling { conn, server }, ms(500), ctx);
            }
            other => self.state = other,
        }
    }

    fn data(&mut self, bytes: &[u8], ctx: &mut Ctx<'_>) {
        self.decoder.feed(bytes);
        loop {
            match self.decoder.next() {
                Ok(Some(value)) => self.reply(value, ctx),
                Ok(None) => return,
                Err(e) => {
                    ctx.oracle.fail(format!("{} got what is no reply: {e:?}", self.name));
                    return self.give_up(ctx);
                }
            }
        }
    }

    fn reply(&mut self, value: Value, ctx: &mut Ctx<'_>) {
        match std::mem::replace(&mut self.state, State::Resting) {
            State::Asking { conn } => {
                ctx.close(conn, Side::Opener);
                self.decoder = Decoder::new();
                match address(&value) {
                    Some((host, port)) => {
                        let conn = ctx.dial(&host, port);
                        self.enter(State::Dialling { conn, server: host }, ms(500), ctx);
                    }
                    None => self.rest(ctx),
                }
            }
            State::Dialling { conn, server } => {
                if is_primary(&value) {
                    self.state = State::Idle { conn, server };
                    self.pause(ctx);
                } else {
                    ctx.close(conn, Side::Opener);
                    self.rest(ctx);
                }
            }
            State::Waiting { conn, server, op, mut replies } => {
                replies.push(value);
                if replies.len() < op.commands() {
                    self.state = State::Waiting { conn, server, op, replies };
                    return;
                }
                self.finished(conn, server, &op, &replies, ctx);
            }
            other => self.state = other,
        }
    }

    /// All replies of an operation are there.
    fn finished(&mut self, conn: ConnId, server: String, op: &Op, replies: &[Value], ctx: &mut Ctx<'_>) {
        let verdict = op.judge(&server, replies, ctx.oracle);
        ctx.note(format_args!("{op} on {server}: {verdict:?}"));
        if verdict == Outcome::Done && op.writes() {
            ctx.watch.took_write(HostId::at(&server), ctx.world);
        }
        match verdict {
            Outcome::Done => {
                self.state = State::Idle { conn, server };
                self.pause(ctx);
            }
            Outcome::Refused => {
                ctx.close(conn, Side::Opener);
                self.rest(ctx);
            }
            Outcome::Unknown => {
                self.retire(op);
                ctx.close(conn, Side::Opener);
                self.rest(ctx);
            }
        }
    }

    /// Begins the next operation.
    fn begin(&mut self, ctx: &mut Ctx<'_>) {
        if self.stopped {
            return self.pause(ctx);
        }
        if let State::Idle { conn, server } = std::mem::replace(&mut self.state, State::Resting) {
            let op = op::draw(&mut self.rng, &self.work, &self.name, &self.generations, ctx.oracle);
            ctx.note(format_args!("{op} to {server}"));
            ctx.send(conn, Side::Opener, op.encode());
            let state = State::Waiting { conn, server, op, replies: Vec::new() };
            self.enter(state, self.work.patience, ctx);
        }
    }

    /// Drops the connection; an operation under way has an unknown outcome.
    fn give_up(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(conn) = self.conn() {
            ctx.close(conn, Side::Opener);
        }
        self.decoder = Decoder::new();
        if let State::Waiting { op, server, .. } = std::mem::replace(&mut self.state, State::Resting) {
            ctx.note(format_args!("{op} on {server}: no answer"));
            op.unanswered(ctx.oracle);
            self.retire(&op);
        }
        self.rest(ctx);
    }

    fn retire(&mut self, op: &Op) {
        if let Some(generation) = op.slot().and_then(|s| self.generations.get_mut(s)) {
            *generation += 1;
        }
    }

    fn rest(&mut self, ctx: &mut Ctx<'_>) {
        self.decoder = Decoder::new();
        self.state = State::Resting;
        self.pause(ctx);
    }

    fn pause(&mut self, ctx: &mut Ctx<'_>) {
        let think = self.rng.between(Duration::from_micros(100), self.work.think);
        self.until = ctx.now.mono + think;
    }

    fn enter(&mut self, state: State, patience: Duration, ctx: &mut Ctx<'_>) {
        self.state = state;
        self.until = ctx.now.mono + patience;
    }
}

fn is_primary(role: &Value) -> bool {
    matches!(role, Value::Array(parts) if parts.first().and_then(Value::as_str) == Some("master"))
}

fn address(value: &Value) -> Option<(String, u16)> {
    let Value::Array(parts) = value else { return None };
    let [host, port] = parts.as_slice() else { return None };
    Some((host.as_str()?.to_owned(), port.as_str()?.parse().ok()?))
}
