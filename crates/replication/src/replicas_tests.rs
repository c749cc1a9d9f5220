//! What replicas are sent, when, and what is believed of what they say.

use super::*;
use crate::backlog::BacklogConfig;
use crate::wire::parse_psync_reply;
use tanist_resp::Args;
use tanist_types::{ByteLen, ReplId};

const A: LinkId = LinkId(1);
const B: LinkId = LinkId(2);

struct World {
    replicas: Replicas,
    backlog: Backlog,
    lineage: Lineage,
    rng: Rng,
}

fn at(millis: u64) -> Mono {
    Mono::from_millis(millis)
}

impl World {
    fn new() -> World {
        let mut rng = Rng::from_seed(1);
        let config = BacklogConfig { size: ByteLen(1), reserve: ByteLen(200_000), ttl: Duration::ZERO };
        let mut backlog = Backlog::new(config, LogPos(0));
        backlog.activate();
        backlog.append(b"0123456789");
        let lineage = Lineage::new(ReplId::random(&mut rng), Epoch(3), LogPos(0));
        World { replicas: Replicas::new(ReplicasConfig::default()), backlog, lineage, rng }
    }

    fn tell(&mut self, id: LinkId, words: &str) {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        let link = self.replicas.link(id, "10.0.0.1", at(0));
        link.facts.replconf(Args::from_slices(&words)).expect("a good REPLCONF");
    }

    fn psync(&mut self, id: LinkId, request: PsyncRequest, now: Mono) -> (Attached, Vec<u8>) {
        let mut out = Vec::new();
        let log = Served { epoch: Epoch(3), lineage: &self.lineage, backlog: &self.backlog };
        let ask = Ask { request, plain: false };
        (self.replicas.psync(id, ask, log, now, &mut out), out)
    }

    fn from(&self, pos: u64) -> PsyncRequest {
        PsyncRequest::From { id: self.lineage.current().id, pos: LogPos(pos) }
    }

    fn begin(&mut self) -> Vec<(LinkId, Vec<u8>)> {
        let log = Served { epoch: Epoch(3), lineage: &self.lineage, backlog: &self.backlog };
        self.replicas.begin_snapshot(log, &mut self.rng).1
    }

    fn pump(&mut self, id: LinkId) -> Result<String, Fault> {
        let mut out = Vec::new();
        self.replicas.pump(id, &self.backlog, 1 << 20, at(100), &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    fn ack(&mut self, id: LinkId, pos: u64) -> Result<(), Fault> {
        let ack = Ack { applied: LogPos(pos), fsynced: None, epoch: None };
        self.replicas.ack(id, ack, &self.backlog, at(200))
    }

    fn acked(&self, id: LinkId) -> u64 {
        self.replicas.get(id).map_or(0, |l| l.acked().received.0)
    }
}

#[test]
fn a_known_prefix_goes_on() {
    let mut w = World::new();
    w.tell(A, "REPLCONF capa psync2 capa tanist");
    let (attached, line) = w.psync(A, w.from(4), at(0));
    assert_eq!(attached, Attached::Partial);
    let terms = Some(LinkTerms { epoch: Epoch(3), end: LogPos(10) });
    let id = Some(w.lineage.current().id);
    assert_eq!(parse_psync_reply(line.trim_ascii_end()), wire::PsyncReply::Continue { id, terms });
    assert_eq!(w.pump(A), Ok("456789".into()));
    w.backlog.append(b"ab");
    assert_eq!(w.pump(A), Ok("ab".into()));
    assert_eq!(w.pump(A), Ok(String::new()));
}

#[test]
fn why_a_replica_needs_everything() {
    let mut w = World::new();
    let other = PsyncRequest::From { id: ReplId::random(&mut w.rng), pos: LogPos(4) };
    assert_eq!(w.psync(A, other, at(0)).0, Attached::Full(Some(WhyFull::UnknownHistory)));
    assert_eq!(w.psync(A, w.from(11), at(0)).0, Attached::Full(Some(WhyFull::Diverged)));
    assert_eq!(w.psync(A, PsyncRequest::Full, at(0)).0, Attached::Full(None));
    w.backlog.append(&[0; 200_000]);
    w.backlog.trim(None);
    assert_eq!(w.psync(A, w.from(4), at(0)).0, Attached::Full(Some(WhyFull::BacklogGone)));
}

/// R1, from the primary's side.
#[test]
fn who_has_promised_more_is_not_served() {
    let mut w = World::new();
    w.tell(A, "REPLCONF tanist-pos 4 3");
    assert_eq!(w.psync(A, w.from(4), at(0)), (Attached::Fenced, b"-FENCED 4\r\n".to_vec()));
    w.tell(B, "REPLCONF tanist-pos 3 3");
    assert_eq!(w.psync(B, w.from(4), at(0)).0, Attached::Partial);
}

/// R3: what a replica says before it is online is a sign of life and no more.
#[test]
fn acknowledgements_count_only_when_online() {
    let mut w = World::new();
    w.tell(A, "REPLCONF capa eof");
    w.psync(A, PsyncRequest::Full, at(0));
    assert_eq!((w.ack(A, 9), w.acked(A)), (Ok(()), 0));
    w.begin();
    assert_eq!((w.ack(A, 9), w.acked(A)), (Ok(()), 0));
    w.replicas.feed_snapshot(b"snapshot");
    w.replicas.complete_snapshot();
    w.pump(A).unwrap();
    w.backlog.append(b"later");
    assert_eq!(w.pump(A), Ok(String::new()), "nothing behind the mark before the replica has loaded");
    assert_eq!((w.ack(A, 10), w.acked(A)), (Ok(()), 10));
    assert_eq!(w.pump(A), Ok("later".into()));
}

/// I-RL2: nobody has what was not sent.
#[test]
fn an_acknowledgement_of_the_future_ends_the_link() {
    let mut w = World::new();
    w.psync(A, w.from(4), at(0));
    assert_eq!(w.ack(A, 5), Err(Fault::AckAhead));
    w.pump(A).unwrap();
    assert_eq!(w.ack(A, 10), Ok(()));
    assert_eq!(w.ack(A, 11), Err(Fault::AckAhead));
}

#[test]
fn waiting_replicas_share_a_snapshot_and_a_late_one_gets_the_next() {
    let mut w = World::new();
    for id in [A, B] {
        w.tell(id, "REPLCONF capa eof");
        w.psync(id, PsyncRequest::Full, at(1000 * id.0));
    }
    assert_eq!(w.replicas.snapshot_due(), Some(at(6000)), "five seconds after the first");
    let openings = w.begin();
    assert_eq!(openings.iter().map(|o| o.0).collect::<Vec<_>>(), [A, B]);
    assert!(openings[0].1.starts_with(b"+FULLRESYNC ") && openings[0].1.ends_with(b" 10\r\n"));
    let late = LinkId(3);
    w.tell(late, "REPLCONF capa eof");
    w.psync(late, PsyncRequest::Full, at(7000));
    assert_eq!(w.replicas.snapshot_due(), None, "one at a time");
    w.replicas.feed_snapshot(b"data");
    w.replicas.complete_snapshot();
    let (a, b) = (w.pump(A).unwrap(), w.pump(B).unwrap());
    assert_eq!(a, b);
    let mark = a.strip_prefix("$EOF:").expect("a mark")[..40].to_owned();
    assert_eq!(a, format!("$EOF:{mark}\r\ndata{mark}"));
    assert!(w.replicas.end_snapshot_if_unread());
    assert_eq!(w.pump(late), Ok(String::new()));
    assert_eq!(w.replicas.snapshot_due(), Some(at(12_000)));
}

#[test]
fn who_knows_no_mark_is_told_the_length_first() {
    let mut w = World::new();
    w.psync(A, PsyncRequest::Full, at(0));
    w.begin();
    w.replicas.feed_snapshot(&[b'x'; 100_000]);
    assert_eq!(w.replicas.snapshot_wants_more(), Some(true), "all of it, before the first byte leaves");
    assert_eq!((w.pump(A), w.replicas.spill()), (Ok(String::new()), None));
    w.replicas.complete_snapshot();
    assert_eq!(w.replicas.spill(), None, "what is small needs no file");
    assert!(w.pump(A).unwrap().starts_with("$100000\r\nxxx"));
    w.backlog.append(b"log");
    assert_eq!(w.pump(A), Ok("log".into()), "the log follows at once");
}

#[test]
fn the_producer_waits_for_the_slowest_reader() {
    let mut w = World::new();
    w.tell(A, "REPLCONF capa eof");
    w.psync(A, PsyncRequest::Full, at(0));
    w.begin();
    assert_eq!(w.replicas.snapshot_wants_more(), Some(true));
    w.replicas.feed_snapshot(&[0; 2 << 20]);
    assert_eq!(w.replicas.snapshot_wants_more(), Some(false));
    w.pump(A).unwrap();
    w.pump(A).unwrap();
    assert_eq!(w.replicas.snapshot_wants_more(), Some(true));
    w.replicas.remove(A);
    assert!(w.replicas.end_snapshot_if_unread());
    assert_eq!(w.replicas.snapshot_wants_more(), None);
}

#[test]
fn too_slow_a_replica_is_cut_off() {
    let mut w = World::new();
    w.psync(A, w.from(4), at(0));
    for _ in 0..10 {
        w.backlog.append(&[1; 60_000]);
        w.backlog.trim(w.replicas.slowest());
    }
    assert_eq!(w.pump(A), Err(Fault::Overrun));
}

#[test]
fn what_time_brings() {
    let mut w = World::new();
    w.psync(A, w.from(10), at(0));
    w.psync(B, PsyncRequest::Full, at(0));
    assert_eq!(w.replicas.tick(at(500), true), []);
    assert_eq!(w.replicas.tick(at(1000), true), [Due::Keepalive(B)]);
    assert_eq!(w.replicas.tick(at(1500), false), []);
    let due = w.replicas.tick(at(10_500), true);
    assert_eq!(due, [Due::Keepalive(B), Due::Ping]);
    w.ack(A, 10).unwrap();
    let due = w.replicas.tick(at(60_199), false);
    assert_eq!(due, [Due::Keepalive(B)], "heard at 200 ms, a minute's patience");
    assert_eq!(w.replicas.tick(at(60_200), false), [Due::Drop(A, Fault::Timeout)]);
}

#[test]
fn the_snapshots_version_is_what_all_can_read() {
    let mut w = World::new();
    w.tell(A, "REPLCONF capa tanist");
    w.psync(A, PsyncRequest::Full, at(0));
    assert!(w.replicas.snapshot_reads_11());
    w.tell(B, "REPLCONF capa eof");
    w.psync(B, PsyncRequest::Full, at(0));
    assert!(!w.replicas.snapshot_reads_11());
}

#[test]
fn a_link_for_which_too_much_waits_is_too_slow() {
    let mut w = World::new();
    let limit = WaitingLimit { hard: 1000, soft: 100, soft_time: Duration::from_secs(5) };
    w.replicas.configure(ReplicasConfig { limit, ..ReplicasConfig::default() });
    w.tell(A, "REPLCONF capa psync2");
    w.psync(A, w.from(4), at(0));
    let slow = |w: &mut World, millis| w.replicas.too_slow(w.backlog.end(), at(millis));
    w.backlog.append(&[b'x'; 93]);
    assert!(slow(&mut w, 0).is_empty(), "99 bytes wait");
    w.backlog.append(b"x");
    assert!(slow(&mut w, 1000).is_empty());
    assert_eq!(w.replicas.next_deadline(false), at(6000));
    assert!(slow(&mut w, 5999).is_empty());
    assert_eq!(slow(&mut w, 6000), [A]);
    // Handing bytes to the shell alone is no progress.
    w.pump(A).expect("at hand");
    w.replicas.note_unsent(A, 100);
    assert_eq!(slow(&mut w, 6000), [A]);
    w.replicas.note_unsent(A, 0);
    assert!(slow(&mut w, 6001).is_empty());
    w.backlog.append(&[b'x'; 999]);
    assert!(slow(&mut w, 7000).is_empty());
    w.backlog.append(b"x");
    assert_eq!(slow(&mut w, 7000), [A], "the hard limit waits for nothing");
}

#[test]
fn a_loading_link_keeps_the_log_but_not_the_snapshot() {
    let mut w = World::new();
    let limit = WaitingLimit { hard: 1000, soft: 0, soft_time: Duration::ZERO };
    w.replicas.configure(ReplicasConfig { limit, ..ReplicasConfig::default() });
    w.tell(A, "REPLCONF capa eof");
    w.psync(A, PsyncRequest::Full, at(0));
    w.begin();
    w.replicas.feed_snapshot(&[b's'; 5000]);
    w.replicas.note_unsent(A, 5000);
    assert!(w.replicas.too_slow(w.backlog.end(), at(0)).is_empty());
    w.backlog.append(&[b'x'; 1000]);
    assert_eq!(w.replicas.too_slow(w.backlog.end(), at(0)), [A]);
}

#[test]
fn a_snapshot_of_unknown_length_goes_through_a_file_in_pieces() {
    const ALL: usize = 5 << 20;
    let mut w = World::new();
    w.psync(A, PsyncRequest::Full, at(0));
    w.begin();
    let (mut file, mut sent, mut made, mut held) = (Vec::new(), String::new(), 0, 0);
    while sent.len() < ALL + 10 {
        if w.replicas.snapshot_wants_more() == Some(true) {
            let piece: Vec<u8> = (made..made + (64 << 10)).map(|i| b'a' + (i / 1000 % 26) as u8).collect();
            made += piece.len();
            w.replicas.feed_snapshot(&piece);
            if made == ALL {
                w.replicas.complete_snapshot();
            }
        }
        held = held.max(w.replicas.held());
        match w.replicas.spill() {
            Some(Spill::Write { first, bytes }) => {
                assert_eq!(first, file.is_empty());
                assert!(sent.is_empty(), "nothing is sent before the length is known");
                file.extend(bytes);
                w.replicas.spilled();
            }
            Some(Spill::Read { at, len }) => w.replicas.read_back(&file[at as usize..][..len]),
            None => {}
        }
        let mut out = Vec::new();
        w.replicas.pump(A, &w.backlog, 64 << 10, at(0), &mut out).expect("at hand");
        sent.push_str(std::str::from_utf8(&out).expect("letters"));
    }
    let body = sent.strip_prefix("$5242880\r\n").expect("the length");
    assert!(body.bytes().enumerate().all(|(i, b)| b == b'a' + (i / 1000 % 26) as u8));
    assert_eq!((body.len(), file.len()), (ALL, ALL));
    assert!(held <= 1 << 19, "{held} bytes at once of {ALL}");
    assert_eq!(w.replicas.get(A).and_then(ReplicaLink::phase), Some(LinkPhase::Online));
}
