//! Whether one instance is subjectively down: it has not answered for the group's `down-after-milliseconds`, or there
//! is better evidence.
//!
//! The time counts from the first PING that stayed unanswered, less half the time between two, or from the loss of the
//! link; not from the last answer: an instance that nobody asked has not failed to answer. A suspension of our own
//! process therefore only has to restart that one time.

use std::time::Duration;
use tanist_types::Mono;

/// Why an instance counts as down although `down-after-milliseconds` have not passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Evidence {
    /// Its host refuses connections to the port that an answering link of ours led to: the process is gone. A sign of
    /// life alone does not refute that, it may come from another process; INFO tells.
    Refused,
    /// It is another process than before: what the old one had in memory is gone.
    Rebooted {
        /// The claim ends then, so that a classic primary that nobody can replace is taken back.
        until: Mono,
    },
    /// It says itself that it is nobody's primary.
    Idle,
}

/// The state of the detector of one instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Detector {
    unanswered_since: Option<Mono>,
    last_ping: Option<Mono>,
    last_ok: Mono,
    last_reply: Mono,
    down_since: Option<Mono>,
    evidence: Option<Evidence>,
    /// Another process came up there: until then it may answer that it is loading, and no longer.
    loading_until: Option<Mono>,
}

impl Detector {
    /// The detector of an instance that has yet to answer for the first time.
    pub(crate) fn new(now: Mono) -> Detector {
        Detector {
            unanswered_since: Some(now),
            last_ping: None,
            last_ok: now,
            last_reply: now,
            down_since: None,
            evidence: None,
            loading_until: None,
        }
    }

    /// A PING was sent, as every `period`. If nothing comes back, the instance most likely fell silent halfway
    /// between its last answer and this question.
    pub(crate) fn pinged(&mut self, now: Mono, period: Duration) {
        self.last_ping = Some(now);
        let silent = self.last_ok.max(now - period / 2);
        self.unanswered_since.get_or_insert(silent);
    }

    /// A reply to a PING arrived; `good` if it shows that the instance works.
    pub(crate) fn answered(&mut self, now: Mono, good: bool) {
        self.last_reply = now;
        if good {
            self.last_ok = now;
            self.unanswered_since = None;
        }
    }

    /// It is another process than before, and has until then to load its data.
    pub(crate) fn set_loading_until(&mut self, until: Option<Mono>) {
        self.loading_until = until;
    }

    /// The link is gone: nothing can be answered from now on.
    pub(crate) fn unlinked(&mut self, now: Mono) {
        self.unanswered_since.get_or_insert(now);
    }

    /// There is evidence, or no longer.
    pub(crate) fn set_evidence(&mut self, evidence: Option<Evidence>) {
        self.evidence = evidence;
    }

    /// Claims about the role that the instance had are void; that its process is gone is not one of them.
    pub(crate) fn void_claims(&mut self) {
        self.loading_until = None;
        if self.evidence != Some(Evidence::Refused) {
            self.evidence = None;
        }
    }

    /// The evidence at hand.
    pub(crate) fn evidence(&self) -> Option<Evidence> {
        self.evidence
    }

    /// Our own process was suspended: silence until now means nothing.
    pub(crate) fn restart(&mut self, now: Mono) {
        if self.unanswered_since.is_some() {
            self.unanswered_since = Some(now);
        }
    }

    /// Our own process ran `late` behind its time: that much of the silence was its own.
    pub(crate) fn excuse(&mut self, late: Duration, now: Mono) {
        self.unanswered_since = self.unanswered_since.map(|since| (since + late).min(now));
    }

    /// Whether the instance is down at `now`.
    pub(crate) fn is_down(&self, now: Mono, down_after: Duration) -> bool {
        let evident = match self.evidence {
            Some(Evidence::Rebooted { until }) => now < until,
            Some(Evidence::Refused | Evidence::Idle) => true,
            None => false,
        };
        let loads_too_long = self.loading_until.is_some_and(|until| now >= until);
        evident || loads_too_long || self.unanswered_since.is_some_and(|since| now.since(since) >= down_after)
    }

    /// When the answer of [`Detector::is_down`] may change by itself.
    pub(crate) fn deadline(&self, down_after: Duration) -> Option<Mono> {
        match (self.down_since, self.evidence) {
            (None, _) => {
                let silence = self.unanswered_since.map(|since| since + down_after);
                silence.into_iter().chain(self.loading_until).min()
            }
            (Some(_), Some(Evidence::Rebooted { until })) => Some(until),
            (Some(_), _) => None,
        }
    }

    /// Takes note of the verdict; returns whether it is news.
    pub(crate) fn set_down(&mut self, down: bool, now: Mono) -> bool {
        let news = down != self.down_since.is_some();
        if news {
            self.down_since = down.then_some(now);
        }
        news
    }

    /// Since when the instance has been down.
    pub(crate) fn down_since(&self) -> Option<Mono> {
        self.down_since
    }

    /// Whether the instance is down by the last verdict.
    pub(crate) fn down(&self) -> bool {
        self.down_since.is_some()
    }

    /// When the last PING was sent.
    pub(crate) fn last_ping(&self) -> Option<Mono> {
        self.last_ping
    }

    /// Since when an answer has been missing.
    pub(crate) fn unanswered_since(&self) -> Option<Mono> {
        self.unanswered_since
    }

    /// The last answer that shows that the instance works.
    pub(crate) fn last_ok(&self) -> Mono {
        self.last_ok
    }

    /// The last answer of any kind.
    pub(crate) fn last_reply(&self) -> Mono {
        self.last_reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const AFTER: Duration = Duration::from_millis(1000);
    const PERIOD: Duration = Duration::from_millis(50);
    fn at(ms: u64) -> Mono {
        Mono::from_millis(ms)
    }

    #[test]
    fn time_counts_from_the_first_unanswered_ping() {
        let mut d = Detector::new(at(0));
        d.answered(at(1), true);
        d.pinged(at(500), PERIOD);
        d.pinged(at(600), PERIOD);
        assert!(!d.is_down(at(1474), AFTER));
        assert!(d.is_down(at(1475), AFTER));
        assert_eq!(d.deadline(AFTER), Some(at(1475)));
        d.answered(at(1510), true);
        assert!(!d.is_down(at(9000), AFTER), "nobody asked");
    }

    #[test]
    fn an_error_reply_does_not_show_that_the_instance_works() {
        let mut d = Detector::new(at(0));
        d.pinged(at(0), PERIOD);
        d.answered(at(10), false);
        assert!(d.is_down(at(1000), AFTER));
    }

    #[test]
    fn refusal_counts_at_once_and_until_it_is_refuted() {
        let mut d = Detector::new(at(0));
        d.answered(at(1), true);
        d.set_evidence(Some(Evidence::Refused));
        assert!(d.is_down(at(2), AFTER));
        d.answered(at(3), true);
        assert!(d.is_down(at(4), AFTER), "who answers may be another process");
        d.set_evidence(None);
        assert!(!d.is_down(at(5), AFTER));
    }

    #[test]
    fn a_suspension_of_ours_restarts_the_silence() {
        let mut d = Detector::new(at(0));
        d.pinged(at(0), PERIOD);
        d.restart(at(5000));
        assert!(!d.is_down(at(5999), AFTER));
        assert!(d.is_down(at(6000), AFTER));
    }

    #[test]
    fn a_delay_of_ours_is_taken_off() {
        let mut d = Detector::new(at(0));
        d.pinged(at(0), PERIOD);
        d.excuse(Duration::from_millis(300), at(900));
        assert!(!d.is_down(at(1299), AFTER));
        assert!(d.is_down(at(1300), AFTER));
        d.excuse(Duration::from_secs(9), at(1300));
        assert!(d.is_down(at(2300), AFTER), "never into the future");
    }

    #[test]
    fn a_reboot_is_forgotten_in_the_end() {
        let mut d = Detector::new(at(0));
        d.answered(at(1), true);
        d.set_evidence(Some(Evidence::Rebooted { until: at(100) }));
        assert!(d.is_down(at(50), AFTER));
        d.set_down(true, at(50));
        assert_eq!(d.deadline(AFTER), Some(at(100)));
        assert!(!d.is_down(at(100), AFTER));
    }
}
