//! One test per rule of the protocol; each fails when its rule is broken.

use super::*;
use crate::wire::LinkTerms;
use tanist_types::{ReplId, Rng};

const GROUP: &str = "g";

struct World {
    member: Member,
    lineage: Lineage,
    end: LogPos,
    run_a: RunId,
    run_b: RunId,
}

impl World {
    /// A node that has been told nothing, its first state on disk.
    fn new() -> World {
        let mut rng = Rng::from_seed(11);
        let durable = Durable::fresh(&mut rng);
        let lineage = durable.lineage.clone();
        let member = Member::start(durable, RunId::random(&mut rng));
        let (run_a, run_b) = (RunId::random(&mut rng), RunId::random(&mut rng));
        let mut world = World { member, lineage, end: LogPos(0), run_a, run_b };
        assert!(world.write().is_empty());
        world
    }

    fn key(&self) -> Key {
        self.lineage.key(self.end)
    }

    /// Writes the present state to disk.
    fn write(&mut self) -> Vec<Granted> {
        match self.member.take_write(&self.lineage, self.end).map(|(id, _)| id) {
            Some(id) => self.member.persisted(id),
            None => self.member.granted_now(),
        }
    }

    fn ask(&self, epoch: u64, leader: RunId) -> FenceAsk {
        FenceAsk { group: GROUP.into(), epoch: Epoch(epoch), leader }
    }

    fn fence(&mut self, epoch: u64, leader: RunId) -> Result<Upheaval, Refusal> {
        let ask = self.ask(epoch, leader);
        self.member.fence(&ask, Ticket(epoch))
    }

    fn promote_ask(&self, epoch: u64, leader: RunId) -> PromoteAsk {
        let node = self.member.durable().node;
        PromoteAsk {
            group: GROUP.into(),
            epoch: Epoch(epoch),
            leader,
            node,
            run: self.member.run(),
            key: self.key(),
            force: false,
        }
    }

    fn promote(&mut self, epoch: u64, leader: RunId) -> Result<(), Refusal> {
        let (ask, key) = (self.promote_ask(epoch, leader), self.key());
        self.member.promote(&ask, key, Ticket(100 + epoch))
    }

    /// Fence, promotion and marker of epoch `epoch`.
    fn elect(&mut self, epoch: u64) {
        self.fence(epoch, self.run_a).unwrap();
        self.write();
        self.promote(epoch, self.run_a).unwrap();
        assert!(matches!(self.write()[..], [Granted::Promote { .. }]));
        self.lineage.shift(ReplId::random(&mut Rng::from_seed(epoch)), Epoch(epoch), self.end);
        self.end.0 += 80;
    }

    /// The process ends; what is on disk (`durable`) starts again with an empty log.
    fn restart(&mut self, durable: Durable) {
        self.member = Member::start(durable, RunId::random(&mut Rng::from_seed(99)));
        self.lineage = Lineage::new(ReplId::random(&mut Rng::from_seed(98)), Epoch(0), LogPos(0));
        self.end = LogPos(0);
        self.write();
    }

    fn on_disk(&mut self) -> Durable {
        self.write();
        self.member.durable().clone()
    }

    fn attach(&mut self, epoch: u64, end: u64, kind: AttachKind) -> Result<(), Refusal> {
        let terms = Some(LinkTerms { epoch: Epoch(epoch), end: LogPos(end) });
        let key = self.key();
        self.member.attach(terms, kind, key, Ticket(7))
    }
}

fn fence_answer(granted: Vec<Granted>, world: &World) -> Option<FenceAnswer> {
    granted.into_iter().find_map(|g| match g {
        Granted::Fence(grant) => Some(grant.answer(&world.member, world.key())),
        _ => None,
    })
}

#[test]
fn f1_an_epoch_is_promised_once_and_never_a_lower_one() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    let promised = Promise { epoch: Epoch(5), leader: Some(w.run_a) };
    for (epoch, leader) in [(5, w.run_b), (4, w.run_a), (4, w.run_b), (0, w.run_a)] {
        assert_eq!(w.fence(epoch, leader), Err(Refusal::Fenced(promised)));
        assert_eq!(w.member.durable().promised, promised);
    }
    assert_eq!(w.fence(6, w.run_b), Ok(Upheaval::None));
}

#[test]
fn f1_the_same_leader_is_answered_again() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    assert!(fence_answer(w.write(), &w).is_some());
    w.fence(5, w.run_a).unwrap();
    assert!(fence_answer(w.write(), &w).is_some());
}

#[test]
fn f1_not_answered_again_once_in_that_epochs_stream() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    w.write();
    w.attach(5, 0, AttachKind::Partial).unwrap();
    assert!(matches!(w.fence(5, w.run_a), Err(Refusal::Fenced(_))));
}

#[test]
fn f2_no_answer_before_the_promise_is_on_disk() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    assert!(w.member.granted_now().is_empty());
    let (id, _) = w.member.take_write(&w.lineage, w.end).unwrap();
    assert!(w.member.granted_now().is_empty());
    assert!(w.member.persisted(PersistId(id.0 - 1)).is_empty());
    let answer = fence_answer(w.member.persisted(id), &w).unwrap();
    assert_eq!((answer.ticket, answer.epoch), (Ticket(5), Epoch(5)));
}

#[test]
fn f2_a_failed_write_means_no_answer_ever() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    let (id, _) = w.member.take_write(&w.lineage, w.end).unwrap();
    assert_eq!(w.member.persist_failed(id), [Ticket(5)]);
    assert!(w.write().is_empty());
    // The promise stays in force in memory all the same.
    assert!(matches!(w.fence(5, w.run_b), Err(Refusal::Fenced(_))));
    // And a repeated question waits for a write that succeeds.
    w.fence(5, w.run_a).unwrap();
    assert!(fence_answer(w.write(), &w).is_some());
}

#[test]
fn f2_a_failed_write_does_not_count_as_written_later() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    let (id, _) = w.member.take_write(&w.lineage, w.end).unwrap();
    w.fence(5, w.run_a).unwrap();
    w.member.persist_failed(id);
    assert!(w.member.granted_now().is_empty());
    let (retry, durable) = w.member.take_write(&w.lineage, w.end).unwrap();
    assert!(retry > id && durable.promised.epoch == Epoch(5));
}

#[test]
fn f2_a_primary_steps_down_and_a_replica_cuts_its_stream_at_once() {
    let mut w = World::new();
    w.elect(5);
    assert_eq!(w.member.role(), Role::Primary(Epoch(5)));
    assert_eq!(w.fence(6, w.run_b), Ok(Upheaval::StepDown));
    assert_eq!(w.member.role(), Role::Idle);
    let primary = Address { host: "h".into(), port: 1 };
    let follow = FollowAsk { group: GROUP.into(), epoch: Epoch(6), primary };
    w.member.follow(&follow, Ticket(1)).unwrap();
    assert_eq!(w.fence(7, w.run_a), Ok(Upheaval::CutStream));
}

/// What is on the disk once everything has been written, and what was granted for it.
fn written(w: &mut World) -> (Durable, Vec<Granted>) {
    let (id, durable) = w.member.take_write(&w.lineage, w.end).expect("something to write");
    (durable, w.member.persisted(id))
}

fn prepare(w: &mut World, epoch: u64, target: bool) -> Result<bool, Refusal> {
    let ask = PrepareAsk { group: GROUP.into(), epoch: Epoch(epoch), leader: w.run_b, target };
    w.member.prepare(&ask)
}

#[test]
fn f2_a_promise_that_was_prepared_is_answered_at_once() {
    let mut w = World::new();
    w.elect(5);
    assert_eq!(prepare(&mut w, 6, false), Ok(false));
    assert_eq!(prepare(&mut w, 6, false), Ok(false), "not before it is on disk");
    let (durable, _) = written(&mut w);
    assert_eq!(prepare(&mut w, 6, false), Ok(true));
    assert!(w.member.take_write(&w.lineage, w.end).is_none(), "asking again changes nothing");
    assert_eq!(durable.promised, Promise { epoch: Epoch(6), leader: Some(w.run_b) });
    assert_eq!((durable.role, durable.accepted), (DurableRole::Idle, Epoch(5)));
    // In memory nothing is different.
    assert_eq!(w.member.role(), Role::Primary(Epoch(5)));
    assert_eq!(w.member.durable().promised.epoch, Epoch(5));
    assert_eq!(w.fence(6, w.run_b), Ok(Upheaval::StepDown));
    let answer = fence_answer(w.member.granted_now(), &w).expect("the disk has it");
    assert_eq!(answer.epoch, Epoch(6));
    assert!(matches!(w.promote(6, w.run_b), Ok(())));
    assert!(w.member.granted_now().is_empty(), "T1: that it takes over was not prepared");
}

#[test]
fn f2_a_promise_is_not_answered_while_what_was_prepared_is_being_written() {
    let mut w = World::new();
    prepare(&mut w, 6, true).unwrap();
    let (id, _) = w.member.take_write(&w.lineage, w.end).unwrap();
    w.fence(6, w.run_b).unwrap();
    assert!(w.member.granted_now().is_empty());
    let granted = w.member.persisted(id);
    assert!(matches!(granted[..], [Granted::Fence(_)]), "{granted:?}");
}

#[test]
fn f2_what_could_not_be_prepared_is_written_before_the_answer() {
    let mut w = World::new();
    prepare(&mut w, 6, true).unwrap();
    let (id, _) = w.member.take_write(&w.lineage, w.end).unwrap();
    assert_eq!(w.member.persist_failed(id), []);
    assert_eq!(prepare(&mut w, 6, true), Ok(false));
    w.fence(6, w.run_b).unwrap();
    assert!(w.member.granted_now().is_empty());
    let (durable, granted) = written(&mut w);
    assert_eq!(durable.promised.epoch, Epoch(6));
    assert!(fence_answer(granted, &w).is_some());
}

#[test]
fn f2_only_the_promise_that_was_prepared_is_answered_at_once() {
    for (epoch, first) in [(6, false), (7, true), (5, true)] {
        let mut w = World::new();
        prepare(&mut w, 6, true).unwrap();
        written(&mut w);
        let leader = if first { w.run_b } else { w.run_a };
        w.fence(epoch, leader).unwrap();
        assert!(w.member.granted_now().is_empty(), "epoch {epoch}");
        let (durable, granted) = written(&mut w);
        assert_eq!(durable.promised, Promise { epoch: Epoch(epoch), leader: Some(leader) });
        assert!(fence_answer(granted, &w).is_some());
    }
}

#[test]
fn f1_nothing_is_prepared_that_would_be_refused() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    for epoch in [4, 5] {
        assert!(matches!(prepare(&mut w, epoch, false), Err(Refusal::Fenced(_))));
    }
    let other = PrepareAsk { group: "h".into(), epoch: Epoch(9), leader: w.run_a, target: false };
    assert!(matches!(w.member.prepare(&other), Err(Refusal::WrongGroup(_))));
}

#[test]
fn what_was_prepared_is_in_every_later_state_until_it_is_forgotten() {
    let mut w = World::new();
    prepare(&mut w, 6, true).unwrap();
    written(&mut w);
    w.member.note_replicas();
    let (durable, _) = written(&mut w);
    assert_eq!((durable.promised.epoch, durable.accepted), (Epoch(6), Epoch(6)));
    assert!(durable.had_replicas);
    w.member.forget_prepared();
    let (durable, _) = written(&mut w);
    assert_eq!((durable.promised.epoch, durable.accepted), (Epoch(0), Epoch(0)));
    w.fence(6, w.run_b).unwrap();
    assert!(w.member.granted_now().is_empty());
    written(&mut w);
    w.member.forget_prepared();
    assert!(w.member.take_write(&w.lineage, w.end).is_none(), "nothing is prepared any more");
}

#[test]
fn the_promise_is_not_forgotten_once_it_is_in_force() {
    let mut w = World::new();
    prepare(&mut w, 6, true).unwrap();
    written(&mut w);
    w.fence(6, w.run_b).unwrap();
    w.member.forget_prepared();
    w.member.note_replicas();
    let (durable, _) = written(&mut w);
    assert_eq!((durable.promised.epoch, durable.accepted), (Epoch(6), Epoch(6)));
}

#[test]
fn who_is_told_to_follow_forgets_what_was_prepared() {
    let mut w = World::new();
    prepare(&mut w, 6, true).unwrap();
    written(&mut w);
    w.member.follow_by_hand(&Address { host: "h".into(), port: 1 });
    let (durable, _) = written(&mut w);
    assert_eq!(durable.promised.epoch, Epoch(0));
    assert!(matches!(durable.role, DurableRole::Replica(_)));
}

/// A node that ends with more on its disk than it has said is bound by it, and has no vote against it.
#[test]
fn who_restarts_with_what_was_prepared_is_bound_by_it() {
    let mut w = World::new();
    w.elect(5);
    prepare(&mut w, 6, true).unwrap();
    let (durable, _) = written(&mut w);
    w.restart(durable);
    assert_eq!(w.member.role(), Role::Idle);
    assert!(matches!(w.fence(6, w.run_a), Err(Refusal::Fenced(_))));
    w.lineage.shift(ReplId::random(&mut Rng::from_seed(6)), Epoch(6), LogPos(0));
    w.end = LogPos(1 << 20);
    assert!(!w.member.voting(w.key()));
}

#[test]
fn f3_the_answer_holds_the_log_as_it_is_in_memory() {
    let mut w = World::new();
    w.end = LogPos(1234);
    w.fence(5, w.run_a).unwrap();
    let answer = fence_answer(w.write(), &w).unwrap();
    assert_eq!(answer.key, Key { epoch: Epoch(0), pos: LogPos(1234) });
}

#[test]
fn t1_only_the_promised_leader_in_the_promised_epoch() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    w.write();
    for (epoch, leader) in [(4, w.run_a), (6, w.run_a), (5, w.run_b)] {
        assert!(matches!(w.promote(epoch, leader), Err(Refusal::NoPromise(_))), "{epoch}");
    }
    assert_eq!(w.promote(5, w.run_a), Ok(()));
}

#[test]
fn t1_a_restarted_process_is_not_promoted() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    let ask = w.promote_ask(5, w.run_a);
    let durable = w.on_disk();
    w.restart(durable);
    let key = w.key();
    assert!(matches!(w.member.promote(&ask, key, Ticket(1)), Err(Refusal::WrongRun(_))));
}

#[test]
fn t1_a_log_that_may_not_be_counted_is_not_promoted() {
    let mut w = World::new();
    w.elect(5);
    let durable = w.on_disk();
    w.restart(durable);
    w.fence(6, w.run_a).unwrap();
    w.write();
    assert_eq!(w.promote(6, w.run_a), Err(Refusal::NotVoting));
}

#[test]
fn t1_unless_somebody_has_given_up_what_it_lacks() {
    let mut w = World::new();
    w.elect(5);
    let durable = w.on_disk();
    w.restart(durable);
    w.fence(6, w.run_a).unwrap();
    w.write();
    let forced = PromoteAsk { force: true, ..w.promote_ask(6, w.run_a) };
    let key = w.key();
    // Every other condition holds all the same.
    let stranger = PromoteAsk { leader: w.run_b, ..forced.clone() };
    assert!(matches!(w.member.promote(&stranger, key, Ticket(1)), Err(Refusal::NoPromise(_))));
    let other_run = PromoteAsk { run: w.run_b, ..forced.clone() };
    assert!(matches!(w.member.promote(&other_run, key, Ticket(1)), Err(Refusal::WrongRun(_))));
    assert_eq!(w.member.promote(&forced, key, Ticket(1)), Ok(()));
    assert_eq!(w.member.role(), Role::Idle, "not before it is durable");
    assert!(matches!(w.write()[..], [Granted::Promote { epoch: Epoch(6), .. }]));
    // Its history counts from the marker on: it is of a later epoch than all that was acknowledged before.
    w.lineage.shift(ReplId::random(&mut Rng::from_seed(6)), Epoch(6), w.end);
    w.end.0 += 80;
    assert!(w.member.voting(w.key()));
}

#[test]
fn a_primary_by_hand_begins_an_epoch_that_no_leader_was_promised() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    w.write();
    assert_eq!(w.member.become_primary_by_hand(), Epoch(6));
    let durable = w.on_disk();
    assert_eq!((durable.promised.epoch, durable.accepted), (Epoch(6), Epoch(6)));
    assert!(matches!(w.promote(5, w.run_a), Err(Refusal::NoPromise(_))), "the leader comes too late");
    assert_eq!(w.member.become_primary_by_hand(), Epoch(6), "once more changes nothing");
}

#[test]
fn t1_once_per_epoch() {
    let mut w = World::new();
    w.elect(5);
    assert!(matches!(w.promote(5, w.run_a), Err(Refusal::NoPromise(_))));
}

#[test]
fn t1_the_log_must_be_the_one_that_was_picked() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    w.write();
    let ask = w.promote_ask(5, w.run_a);
    w.end.0 += 1;
    let key = w.key();
    assert_eq!(w.member.promote(&ask, key, Ticket(1)), Err(Refusal::Stale(key)));
}

#[test]
fn t1_no_primary_before_the_acceptance_is_on_disk() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    w.write();
    w.promote(5, w.run_a).unwrap();
    assert_eq!(w.member.role(), Role::Idle);
    assert!(w.member.granted_now().is_empty());
    assert!(matches!(w.write()[..], [Granted::Promote { epoch: Epoch(5), .. }]));
    assert_eq!(w.member.role(), Role::Primary(Epoch(5)));
}

#[test]
fn t1_an_acceptance_that_was_prepared_is_enough() {
    let mut w = World::new();
    prepare(&mut w, 6, true).unwrap();
    let (durable, _) = written(&mut w);
    assert_eq!((durable.accepted, w.member.durable().accepted), (Epoch(6), Epoch(0)));
    w.fence(6, w.run_b).unwrap();
    assert!(fence_answer(w.member.granted_now(), &w).is_some());
    w.promote(6, w.run_b).unwrap();
    let granted = w.member.granted_now();
    assert!(matches!(granted[..], [Granted::Promote { epoch: Epoch(6), .. }]), "{granted:?}");
    let (durable, _) = written(&mut w);
    assert_eq!((durable.role, durable.accepted), (DurableRole::Primary, Epoch(6)));
}

#[test]
fn t1_a_promotion_overtaken_by_a_higher_promise_is_lost() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    w.write();
    w.promote(5, w.run_a).unwrap();
    w.fence(6, w.run_b).unwrap();
    let granted = w.write();
    assert!(
        matches!(granted[..], [Granted::Lost { ticket: Ticket(105), .. }, Granted::Fence(_)]),
        "{granted:?}"
    );
    assert_eq!(w.member.role(), Role::Idle);
}

#[test]
fn t4_a_restart_never_resumes_the_role() {
    let mut w = World::new();
    w.elect(5);
    let durable = w.on_disk();
    w.restart(durable);
    assert_eq!(w.member.role(), Role::Idle);
    assert_eq!(w.member.ex_primary(), None);
}

#[test]
fn t4_a_primary_by_hand_that_had_replicas_waits_too() {
    let mut w = World::new();
    w.member.note_replicas();
    let durable = w.on_disk();
    w.restart(durable);
    assert_eq!(w.member.role(), Role::Idle);
    assert!(!w.member.voting(w.key()));
    // Until somebody says so explicitly.
    w.member.become_primary_by_hand();
    assert_eq!(w.member.role(), Role::Primary(Epoch(0)));
    assert!(w.member.voting(w.key()));
}

#[test]
fn t4_replicas_may_rely_on_a_node_that_would_know_of_them() {
    let mut w = World::new();
    assert!(w.member.replicas_are_noted(), "there are none");
    w.member.note_replicas();
    assert!(!w.member.replicas_are_noted());
    w.on_disk();
    assert!(w.member.replicas_are_noted());
}

/// Who leads by election waits after a restart whether it had replicas or not.
#[test]
fn t4_replicas_of_a_primary_by_election_need_not_wait_for_the_disk() {
    let mut w = World::new();
    w.elect(5);
    w.member.note_replicas();
    assert!(w.member.replicas_are_noted());
    w.fence(6, w.run_a).unwrap();
    w.on_disk();
    // By hand too, once the epoch that it begins is known to the disk.
    w.member.become_primary_by_hand();
    w.member.note_replicas();
    assert!(!w.member.replicas_are_noted());
    w.on_disk();
    assert!(w.member.replicas_are_noted());
}

#[test]
fn a_lone_node_is_a_primary_as_ever() {
    let mut w = World::new();
    let durable = w.on_disk();
    w.restart(durable);
    assert_eq!(w.member.role(), Role::Primary(Epoch(0)));
    assert!(w.member.voting(w.key()));
}

#[test]
fn r1_a_lower_epochs_stream_is_refused() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    assert!(matches!(w.attach(4, 0, AttachKind::Partial), Err(Refusal::Fenced(_))));
    assert_eq!(w.member.durable().accepted, Epoch(0));
    assert_eq!(w.attach(5, 0, AttachKind::Partial), Ok(()));
}

#[test]
fn r1_no_acknowledgement_before_the_epoch_is_on_disk() {
    let mut w = World::new();
    w.attach(5, 0, AttachKind::Partial).unwrap();
    assert!(w.member.granted_now().is_empty());
    let granted = w.write();
    assert!(matches!(granted[..], [Granted::Attach(Ticket(7))]));
    let durable = w.member.durable();
    assert_eq!((durable.promised.epoch, durable.accepted), (Epoch(5), Epoch(5)));
    // The same epoch again needs no write.
    w.attach(5, 10, AttachKind::Partial).unwrap();
    assert!(matches!(w.member.granted_now()[..], [Granted::Attach(_)]));
}

#[test]
fn r5_a_voting_node_keeps_its_vote_while_it_builds_beside() {
    let mut w = World::new();
    w.end = LogPos(100);
    w.attach(5, 900, AttachKind::Beside).unwrap();
    assert!(w.member.voting(w.key()));
}

#[test]
fn r5_a_node_that_drops_its_data_gives_up_its_vote_first() {
    let mut w = World::new();
    w.end = LogPos(100);
    w.attach(5, 900, AttachKind::Dropping).unwrap();
    assert!(!w.member.voting(w.key()));
    assert!(w.member.granted_now().is_empty(), "not dropped before it is on disk");
    let durable = w.on_disk();
    w.restart(durable);
    assert!(!w.member.voting(w.key()));
}

#[test]
fn r6_the_vote_returns_when_the_log_has_reached_the_primarys_end_at_the_attach() {
    let mut w = World::new();
    w.elect(5);
    let durable = w.on_disk();
    w.restart(durable);
    w.attach(6, 900, AttachKind::Beside).unwrap();
    w.lineage = Lineage::new(ReplId::random(&mut Rng::from_seed(1)), Epoch(6), LogPos(0));
    for (end, voting) in [(0, false), (899, false), (900, true), (1000, true)] {
        w.end = LogPos(end);
        assert_eq!(w.member.voting(w.key()), voting, "{end}");
    }
}

#[test]
fn b1_a_restarted_memory_node_counts_only_after_a_later_epoch() {
    let mut w = World::new();
    w.elect(5);
    let durable = w.on_disk();
    w.restart(durable);
    assert!(!w.member.voting(Key { epoch: Epoch(5), pos: LogPos(1 << 40) }));
    assert!(w.member.voting(Key { epoch: Epoch(6), pos: LogPos(0) }));
}

#[test]
fn x2_the_floor_knows_the_epoch_accepted_by_attaching() {
    let mut w = World::new();
    w.attach(7, 0, AttachKind::Partial).unwrap();
    let durable = w.on_disk();
    w.restart(durable);
    assert_eq!(w.member.durable().floor, Some(Floor::after(Epoch(7))));
}

#[test]
fn x3_a_primary_of_epoch_zero_claims_nothing_before_it_is_followed() {
    let mut w = World::new();
    assert_eq!((w.member.role(), w.member.ex_primary()), (Role::Primary(Epoch(0)), None));
    w.fence(1, w.run_a).unwrap();
    assert_eq!(w.member.ex_primary(), None, "nobody has followed it");
    let mut w = World::new();
    w.member.note_replicas();
    assert_eq!(w.member.ex_primary(), Some(Epoch(0)));
    w.fence(1, w.run_a).unwrap();
    assert_eq!(w.member.ex_primary(), Some(Epoch(0)));
}

#[test]
fn x3_the_claim_of_an_ex_primary_ends_with_another_stream() {
    let mut w = World::new();
    w.elect(5);
    w.fence(6, w.run_b).unwrap();
    let answer = fence_answer(w.write(), &w).unwrap();
    assert_eq!(answer.ex_primary, Some(Epoch(5)));
    w.attach(6, 500, AttachKind::Partial).unwrap();
    assert_eq!(w.member.ex_primary(), None);
}

#[test]
fn follow_is_refused_below_the_promise_and_by_the_epochs_own_primary() {
    let mut w = World::new();
    w.elect(5);
    let primary = Address { host: "h".into(), port: 1 };
    let mut ask = FollowAsk { group: GROUP.into(), epoch: Epoch(4), primary };
    assert!(matches!(w.member.follow(&ask, Ticket(1)), Err(Refusal::Fenced(_))));
    ask.epoch = Epoch(5);
    assert!(matches!(w.member.follow(&ask, Ticket(1)), Err(Refusal::Fenced(_))));
    assert_eq!(w.member.role(), Role::Primary(Epoch(5)));
    ask.epoch = Epoch(6);
    assert_eq!(w.member.follow(&ask, Ticket(1)), Ok(Upheaval::StepDown));
    assert!(matches!(w.write()[..], [Granted::Follow(Ticket(1))]));
}

/// Else two primaries of a group that has never had a failover could not be brought together.
#[test]
fn a_primary_by_hand_in_epoch_zero_follows_again() {
    let mut w = World::new();
    let primary = Address { host: "h".into(), port: 1 };
    w.member.follow_by_hand(&primary);
    assert_eq!(w.member.become_primary_by_hand(), Epoch::ZERO);
    let ask = FollowAsk { group: GROUP.into(), epoch: Epoch::ZERO, primary };
    assert_eq!(w.member.follow(&ask, Ticket(1)), Ok(Upheaval::StepDown));
    assert_eq!(w.member.role(), Role::Replica);
}

#[test]
fn a_restarted_replica_follows_the_primary_it_knew() {
    let mut w = World::new();
    let primary = Address { host: "h".into(), port: 1 };
    w.member.follow_by_hand(&primary);
    let durable = w.on_disk();
    w.restart(durable);
    assert_eq!(w.member.role(), Role::Replica);
    assert_eq!(w.member.durable().role, DurableRole::Replica(primary));
}

#[test]
fn another_group_is_refused() {
    let mut w = World::new();
    w.fence(5, w.run_a).unwrap();
    let ask = FenceAsk { group: "other".into(), epoch: Epoch(9), leader: w.run_a };
    assert_eq!(w.member.fence(&ask, Ticket(1)), Err(Refusal::WrongGroup(GROUP.into())));
    assert_eq!(w.member.durable().promised.epoch, Epoch(5));
}

#[test]
fn one_message_cannot_burn_the_epochs() {
    let mut w = World::new();
    assert_eq!(w.fence(u64::MAX, w.run_a), Err(Refusal::Jump(Epoch(u64::MAX))));
    assert_eq!(w.member.durable().promised.epoch, Epoch(0));
}
