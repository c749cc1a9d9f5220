//! What a primary may say, and what a link makes of it.

use super::*;
use tanist_types::{LogPos, ReplId, Rng};

const NOW: Mono = Mono::from_millis(5000);

fn id() -> ReplId {
    ReplId::random(&mut Rng::from_seed(1))
}

fn introduction(password: &str) -> Introduction {
    let mut rng = Rng::from_seed(2);
    Introduction {
        user: String::new(),
        password: password.into(),
        port: 7001,
        announce_ip: Some("10.0.0.9".into()),
        version: "7.2.4".into(),
        group: Some("g".into()),
        node: NodeId::random(&mut rng),
        run: RunId::random(&mut rng),
        boot: BootCount(3),
        epochs: (Epoch(5), Epoch(4)),
        request: PsyncRequest::From { id: id(), pos: LogPos(10) },
    }
}

/// A link whose introduction has been sent; the number of replies that it awaits before `PSYNC`.
fn introduced(password: &str) -> (PrimaryLink, usize) {
    let mut link = PrimaryLink::new(Duration::from_secs(60), NOW);
    assert_eq!(link.tick(NOW), Some(LinkDue::Connect));
    let hello = link.connected(&introduction(password), NOW);
    let text = String::from_utf8_lossy(&hello).into_owned();
    assert!(!text.contains("PSYNC"), "Redis refuses it while replies are pending");
    for word in ["listening-port", "7001", "ip-address", "10.0.0.9", "psync2", "tanist-id", "tanist-pos"] {
        assert!(text.contains(word), "{word}");
    }
    (link, text.matches('*').count())
}

fn feed(link: &mut PrimaryLink, bytes: &[u8]) -> Vec<String> {
    let mut incoming = Vec::new();
    link.receive(bytes, NOW, &mut incoming);
    incoming.iter().map(|i| format!("{i:?}")).collect()
}

/// A link that has asked.
fn asked() -> PrimaryLink {
    let (mut link, replies) = introduced("");
    let bytes =
        [b"+PONG\r\n".to_vec(), b"-ERR Unrecognized REPLCONF option\r\n".repeat(replies - 1)].concat();
    let incoming = feed(&mut link, &bytes);
    assert!(incoming.len() == 1 && incoming[0].starts_with("Send("), "{incoming:?}");
    link
}

fn fails(incoming: &[String], with: &str) {
    assert!(incoming.last().is_some_and(|i| i.starts_with("Failed") && i.contains(with)), "{incoming:?}");
}

#[test]
fn a_stock_primary_that_knows_few_options_is_fine() {
    let mut link = asked();
    let incoming = feed(&mut link, format!("\n\n+CONTINUE {}\r\nlog", id()).as_bytes());
    assert!(incoming[0].starts_with("Continue"), "{incoming:?}");
    assert_eq!(incoming[1], format!("Stream({:?})", b"log"));
    assert!(link.is_streaming());
}

#[test]
fn r3_no_acknowledgement_before_the_node_has_accepted_the_terms() {
    let mut link = asked();
    feed(&mut link, format!("+CONTINUE {} tanist 5 10\r\n", id()).as_bytes());
    let ack = Ack { applied: LogPos(10), fsynced: None, epoch: None };
    let mut out = Vec::new();
    assert!(!link.ack(ack, NOW, &mut out) && out.is_empty());
    link.attached();
    assert!(link.ack(ack, NOW, &mut out) && !out.is_empty());
    link.closed(NOW);
    assert!(!link.ack(ack, NOW, &mut out), "not on the next link either");
}

#[test]
fn passwords() {
    let (mut link, _) = introduced("secret");
    fails(&feed(&mut link, b"-WRONGPASS invalid\r\n"), "Auth(\"-WRONGPASS invalid\")");
    let (mut link, _) = introduced("");
    assert!(feed(&mut link, b"-NOAUTH Authentication required.\r\n").is_empty(), "PSYNC will say so");
}

#[test]
fn refusals_of_psync() {
    for (line, what) in [
        ("-NOMASTERLINK Can't SYNC while not connected with my master", "NotNow"),
        ("-LOADING", "NotNow"),
        ("-FENCED 9", "Fenced(E9)"),
        ("-NOAUTH Authentication required.", "Refused"),
        ("+WHAT", "Refused"),
    ] {
        fails(&feed(&mut asked(), format!("{line}\r\n").as_bytes()), what);
    }
}

#[test]
fn the_mark_is_found_however_the_pieces_fall() {
    let mark = [b'm'; 40];
    let snapshot: Vec<u8> = (0..500u32).flat_map(u32::to_le_bytes).collect();
    let head = [format!("+FULLRESYNC {} 77\r\n\n$EOF:", id()).as_bytes(), &mark, b"\r\n"].concat();
    for piece in [1, 3, 39, 40, 41, 1000, 5000] {
        let mut link = asked();
        let bytes = [&head[..], &snapshot, &mark].concat();
        let (mut got, mut over) = (Vec::new(), false);
        for bytes in bytes.chunks(piece) {
            let mut incoming = Vec::new();
            link.receive(bytes, NOW, &mut incoming);
            for item in incoming {
                match item {
                    Incoming::Snapshot(bytes) => got.extend_from_slice(&bytes),
                    Incoming::SnapshotEnd => over = true,
                    Incoming::FullSync { pos, .. } => assert_eq!(pos, LogPos(77)),
                    Incoming::SnapshotSize(size) => assert_eq!(size, None),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert!(over && got == snapshot, "pieces of {piece}: {} bytes", got.len());
    }
}

#[test]
fn a_log_right_behind_a_snapshot_of_known_length_waits_for_the_load() {
    let mut link = asked();
    let incoming = feed(&mut link, format!("+FULLRESYNC {} 5\r\n$4\r\nsnaplog1", id()).as_bytes());
    assert_eq!(incoming.last().map(String::as_str), Some("SnapshotEnd"));
    assert!(feed(&mut link, b"log2").is_empty());
    assert_eq!(link.tick(NOW + LOAD_KEEPALIVE), Some(LinkDue::Send(b"\n".to_vec())));
    assert_eq!(link.loaded(NOW), b"log1log2");
    assert!(link.is_streaming());
}

#[test]
fn nonsense_ends_the_link() {
    fails(&feed(&mut asked(), &[b'x'; MAX_LINE + 1]), "endless line");
    for head in ["$0\r\n", "hello\r\n", "$-5\r\n", "$EOF:short\r\n"] {
        let mut link = asked();
        feed(&mut link, format!("+FULLRESYNC {} 5\r\n", id()).as_bytes());
        fails(&feed(&mut link, head.as_bytes()), "without a head");
    }
}

#[test]
fn attempts_come_at_once_then_ever_later() {
    let mut link = PrimaryLink::new(Duration::from_secs(60), NOW);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        link.tick(link.next_deadline());
        link.closed(NOW);
        pauses.push(link.next_deadline().since(NOW).as_millis());
    }
    assert_eq!(pauses, [0, 20, 40, 80, 160, 320, 640, 1000, 1000]);
}

#[test]
fn silence_ends_the_link() {
    let mut link = asked();
    let late = NOW + Duration::from_secs(60);
    assert_eq!(link.tick(late - Duration::from_millis(1)), None);
    assert_eq!(link.tick(late), Some(LinkDue::Failed(LinkFault::Timeout)));
}
