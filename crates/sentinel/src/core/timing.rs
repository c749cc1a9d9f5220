//! All periods and limits of the sentinel in one place.

use std::time::Duration;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Periods that `SENTINEL DEBUG` shows and changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Timing {
    /// Between two INFO commands to a node while nothing happens. Events trigger further ones at once.
    pub(crate) info_period: Duration,
    /// The longest time between two PING commands to an instance.
    pub(crate) ping_period: Duration,
    /// Between two questions to the other sentinels while a primary is down.
    pub(crate) ask_period: Duration,
    /// Between two hello messages while nothing changes.
    pub(crate) publish_period: Duration,
    /// `down-after-milliseconds` of a new group.
    pub(crate) default_down_after: Duration,
    /// `failover-timeout` of a new group.
    pub(crate) default_failover_timeout: Duration,
    /// A process that wakes up this much too late was suspended: what it believes is old.
    pub(crate) tilt_trigger: Duration,
    /// For how long nothing is decided after a suspension.
    pub(crate) tilt_period: Duration,
    /// A replica that was told to follow the new primary and has not begun to is told again after this time.
    pub(crate) slave_reconf_timeout: Duration,
    /// A link that carries no answer is not replaced more often than this.
    pub(crate) min_link_reconnect_period: Duration,
    /// The shortest time that an election may take before it counts as lost; drawn anew up to twice this.
    pub(crate) election_timeout: Duration,
    /// A user's script that runs longer is killed.
    pub(crate) script_max_runtime: Duration,
    /// A script that failed is tried again after this time, doubled with each try.
    pub(crate) script_retry_delay: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            info_period: ms(2_000),
            ping_period: ms(1_000),
            ask_period: ms(1_000),
            publish_period: ms(2_000),
            default_down_after: ms(30_000),
            default_failover_timeout: ms(180_000),
            tilt_trigger: ms(2_000),
            tilt_period: ms(1_000),
            slave_reconf_timeout: ms(10_000),
            min_link_reconnect_period: ms(15_000),
            election_timeout: ms(500),
            script_max_runtime: ms(60_000),
            script_retry_delay: ms(30_000),
        }
    }
}

impl Timing {
    /// The fields by the names of `SENTINEL DEBUG`, in its order.
    pub(crate) fn fields(&mut self) -> [(&'static str, &mut Duration); 13] {
        [
            ("info-period", &mut self.info_period),
            ("ping-period", &mut self.ping_period),
            ("ask-period", &mut self.ask_period),
            ("publish-period", &mut self.publish_period),
            ("default-down-after", &mut self.default_down_after),
            ("default-failover-timeout", &mut self.default_failover_timeout),
            ("tilt-trigger", &mut self.tilt_trigger),
            ("tilt-period", &mut self.tilt_period),
            ("slave-reconf-timeout", &mut self.slave_reconf_timeout),
            ("min-link-reconnect-period", &mut self.min_link_reconnect_period),
            ("election-timeout", &mut self.election_timeout),
            ("script-max-runtime", &mut self.script_max_runtime),
            ("script-retry-delay", &mut self.script_retry_delay),
        ]
    }
}

/// A process that wakes up this much too late does not take the time in which it did not run for silence.
pub(crate) const LATE: Duration = ms(20);
/// After a group without a primary for so long, and without anybody who may vote, some data are better than none.
pub(crate) const LAST_RESORT: Duration = ms(10_000);
/// While a primary is down for us but not yet for a quorum, the others are asked this often.
pub(crate) const ASK_AGAIN: Duration = ms(100);
/// INFO is asked this often of nodes that take part in a failover.
pub(crate) const INFO_BUSY: Duration = ms(1_000);
/// INFO is asked this often of replicas that are on their way to a new primary.
pub(crate) const INFO_REPOINT: Duration = ms(50);
/// INFO is asked this often of nodes that are not where they should be.
pub(crate) const INFO_MISPLACED: Duration = ms(250);
/// Status of nodes is asked this often while a failover waits for them.
pub(crate) const POLL: Duration = ms(5);
/// How long a leader waits for replicas of a crashed primary to take in what it had sent them.
pub(crate) const DRAIN: Duration = ms(100);
/// How long a leader waits for the answers of nodes that seem alive once it has enough to choose from.
pub(crate) const ANSWERS: Duration = ms(200);
/// How long a leader waits for the chosen node to take over.
pub(crate) const PROMOTION: Duration = ms(2_000);
/// How long the disks may take for what is made durable before a primary holds its writes.
pub(crate) const PREPARE: Duration = ms(5_000);
/// How long nodes keep what was prepared.
pub(crate) const PREPARED: Duration = ms(10_000);
/// How long a primary may be paused during a planned switchover, and so the longest gap that one may cause.
pub(crate) const PAUSE: Duration = ms(2_000);
/// How long the change of a replica may wait for its neighbours in a minority before it is put right.
pub(crate) const SETTLE: Duration = ms(8_000);
/// How long a replica's claim must hold before a sentinel whose view is confirmed by a majority puts it right.
pub(crate) const SETTLE_CONFIRMED: Duration = ms(500);
/// A hello older than this confirms nothing.
pub(crate) const HELLO_FRESH: Duration = ms(5_000);
/// The spacing of sentinels that see the same failure: the first in rank runs for leader at once, the next waits.
/// It leaves the first the time to write down its vote and the others' disks the time to answer.
pub(crate) const RANK_STEP: Duration = ms(50);
/// How long whoever has our vote is left alone with a primary that has become idle.
pub(crate) const OTHERS_TURN: Duration = ms(1_000);
/// The longest time that replies wait for the disk.
pub(crate) const DISK_PATIENCE: Duration = ms(1_000);
/// Waiting times between attempts to open a link.
pub(crate) const RECONNECT: [Duration; 6] = [ms(0), ms(20), ms(50), ms(100), ms(200), ms(500)];
/// Shortest and longest time between two pings.
pub(crate) const PING_RANGE: (Duration, Duration) = (ms(10), ms(1_000));
/// Waiting times between attempts that found nobody to promote or too few voters; news ends the wait.
pub(crate) const FRUITLESS_RETRY: (Duration, Duration) = (ms(500), ms(10_000));
/// How long a member may have promised a higher epoch than its primary's before a failover puts it right.
pub(crate) const STRANDED: Duration = ms(2_000);
/// What seems to belong to another group is reported again after this time.
pub(crate) const FOREIGN_AGAIN: Duration = ms(60_000);
/// How long a restarted classic primary counts as down although it answers.
pub(crate) const REBOOT_MEMORY: Duration = ms(10_000);

/// Most groups, nodes per group and sentinels per group that are kept: a hostile message must not fill the memory.
pub(crate) const MAX_NODES: usize = 1_024;
/// See [`MAX_NODES`].
pub(crate) const MAX_PEERS: usize = 256;
/// Commands of one session that may wait for the disk or a name server.
pub(crate) const MAX_QUEUED: usize = 1_024;
/// Scripts that may wait and run at once.
pub(crate) const MAX_SCRIPTS: usize = 256;
/// See [`MAX_SCRIPTS`].
pub(crate) const MAX_RUNNING_SCRIPTS: usize = 16;

const _: () = assert!(DRAIN.as_millis() < PROMOTION.as_millis());
const _: () =
    assert!(PREPARED.as_millis() > (PREPARE.as_millis() + PAUSE.as_millis() + PROMOTION.as_millis()));
const _: () = assert!(ANSWERS.as_millis() < PROMOTION.as_millis());
const _: () = assert!(SETTLE_CONFIRMED.as_millis() < SETTLE.as_millis());
