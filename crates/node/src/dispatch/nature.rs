//! What a call may do, as far as the node's state can stand against it: what its command may do; for a script or a
//! function, what it says about itself, if it says anything; for `EXEC`, what is in the queue.

use crate::command::{Command, Flags, Group};
use crate::node::Node;
use crate::session::Session;
use tanist_resp::Args;
use tanist_scripting::{Flags as Said, sha1};

/// What a call may do, and in which states of the node it may run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nature {
    /// Some of a command's flags: those that allow something only if all parts of the call have them, the others if
    /// one has them.
    flags: Flags,
    /// A script that says nothing about itself may write.
    unsaid: bool,
}

/// The flags that allow something.
const ALLOWING: Flags = Flags::STALE.and(Flags::LOADING);

impl Nature {
    /// That of a command itself.
    pub(crate) fn of(command: &Command) -> Nature {
        let unsaid = command.group == Group::Scripting && command.flags.has(Flags::MAY_REPLICATE);
        Nature { flags: command.flags, unsaid }
    }

    /// That of a script or function by what it says: who does not say that it writes nothing is taken to write.
    fn said(command: &Command, said: Said) -> Nature {
        const TOLD: Flags = Flags::WRITE.and(Flags::MAY_REPLICATE).and(Flags::DENYOOM).and(Flags::STALE);
        let (writes, stale) = (!said.has(Said::NO_WRITES), said.has(Said::ALLOW_STALE));
        let flags = command
            .flags
            .without(TOLD)
            .and(Flags::WRITE.when(writes))
            .and(Flags::DENYOOM.when(writes && !said.has(Said::ALLOW_OOM)))
            .and(Flags::STALE.when(stale));
        Nature { flags, unsaid: false }
    }

    /// That of both, one after the other.
    fn and(self, other: Nature) -> Nature {
        let refused = ALLOWING.without(self.flags).and(ALLOWING.without(other.flags));
        Nature { flags: self.flags.and(other.flags).without(refused), unsaid: self.unsaid || other.unsaid }
    }

    /// It only reads, or reads as well.
    pub(crate) fn reads(self) -> bool {
        self.flags.has(Flags::READONLY)
    }

    /// It is meant to change data.
    pub(crate) fn writes(self) -> bool {
        self.flags.has(Flags::WRITE)
    }

    /// It changes data, or might.
    pub(crate) fn may_write(self) -> bool {
        self.writes() || self.unsaid
    }

    /// It may add data.
    pub(crate) fn adds(self) -> bool {
        self.flags.has(Flags::DENYOOM)
    }

    /// It may put something into the log.
    pub(crate) fn logs(self) -> bool {
        self.flags.has(Flags::WRITE.and(Flags::MAY_REPLICATE))
    }

    /// It may run on a replica whose data are stale.
    pub(crate) fn runs_stale(self) -> bool {
        self.flags.has(Flags::STALE)
    }

    /// It may run while data are loaded.
    pub(crate) fn runs_loading(self) -> bool {
        self.flags.has(Flags::LOADING)
    }
}

impl Node {
    /// What the call may do.
    pub(super) fn nature(&self, session: &Session, command: &Command, args: Args<'_, '_>) -> Nature {
        match &session.multi {
            Some(multi) if command.full_name == "exec" => multi
                .queue
                .iter()
                .map(|queued| self.nature_alone(queued.command, queued.args.as_args()))
                .fold(Nature::of(command), Nature::and),
            _ => self.nature_alone(command, args),
        }
    }

    /// What a call may do that is not `EXEC`.
    pub(super) fn nature_alone(&self, command: &Command, args: Args<'_, '_>) -> Nature {
        if command.group == Group::Scripting
            && let Some(said) = self.said(command, args)
        {
            return Nature::said(command, said);
        }
        Nature::of(command)
    }

    /// What a script or function that is to be run says about itself.
    #[cold]
    fn said(&self, command: &Command, args: Args<'_, '_>) -> Option<Said> {
        match command.name {
            "eval" | "eval_ro" => Said::of_script(args.at(1)),
            "evalsha" | "evalsha_ro" => {
                sha1::parse_hex(args.at(1)).and_then(|sha| self.scripting.scripts.flags(&sha))
            }
            "fcall" | "fcall_ro" => self.scripting.libraries.find(args.at(1)).map(|(_, flags)| flags),
            _ => None,
        }
    }
}
