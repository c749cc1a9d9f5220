//! What is counted for `INFO stats`: since the start, and how much of it of late.

use tanist_types::Mono;

/// The counters of a sentinel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) connections: u64,
    pub(crate) commands: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) reads: u64,
    /// Replies and published events.
    pub(crate) writes: u64,
    pub(crate) errors: u64,
    /// Connections beyond `maxclients`.
    pub(crate) rejected: u64,
    /// `AUTH` and `HELLO` with a wrong name or password.
    pub(crate) denied: u64,
    /// Steps of the core: turns of the loop that everything happens in.
    pub(crate) steps: u64,
    /// Commands of late.
    pub(crate) rate: Rate,
    /// Bytes received of late.
    pub(crate) rate_in: Rate,
    /// Bytes sent of late.
    pub(crate) rate_out: Rate,
    /// Steps of late.
    pub(crate) step_rate: Rate,
}

impl Counts {
    /// So many bytes were read.
    pub(crate) fn received(&mut self, bytes: usize, now: Mono) {
        self.reads += 1;
        self.bytes_in += bytes as u64;
        self.rate_in.note(bytes as u64, now);
    }

    /// So many bytes go out.
    pub(crate) fn sent(&mut self, bytes: usize, now: Mono) {
        self.writes += 1;
        self.bytes_out += bytes as u64;
        self.rate_out.note(bytes as u64, now);
    }

    /// The core makes a step.
    pub(crate) fn stepped(&mut self, now: Mono) {
        self.steps += 1;
        self.step_rate.note(1, now);
    }
}

/// How often something happens, or how much of it there is, over the last second and a half.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Rate {
    /// By tenths of a second: which one, counted from the clock's beginning, and how much in it.
    slots: [(u64, u64); Rate::SLOTS],
}

impl Rate {
    const SLOTS: usize = 16;
    const SLOT_MS: u64 = 100;

    /// There is so much of it now.
    pub(crate) fn note(&mut self, much: u64, now: Mono) {
        let tenth = now.millis() / Rate::SLOT_MS;
        let slot = &mut self.slots[(tenth % Rate::SLOTS as u64) as usize];
        if slot.0 != tenth {
            *slot = (tenth, 0);
        }
        slot.1 += much;
    }

    /// How much in a second.
    pub(crate) fn per_second(&self, now: Mono) -> u64 {
        let full = Rate::SLOTS as u64 - 1;
        let since = now.millis() % Rate::SLOT_MS;
        self.of_late(now) * 1000 / (full * Rate::SLOT_MS + since)
    }

    /// How much since that second and a half began.
    pub(crate) fn of_late(&self, now: Mono) -> u64 {
        let full = Rate::SLOTS as u64 - 1;
        let tenth = now.millis() / Rate::SLOT_MS;
        let recent = self.slots.iter().filter(|(at, _)| *at <= tenth && tenth - *at <= full);
        recent.map(|(_, much)| much).sum()
    }
}
