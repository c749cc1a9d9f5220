//! The command parser as its callers see it: whatever way the bytes are cut, the commands are the same.

use proptest::prelude::*;
use tanist_resp::{Args, Batch, Limits, OwnedArgs, ProtocolError, encode_command};

type Commands = Vec<Vec<Vec<u8>>>;

/// Feeds `input` in pieces of the given sizes, as a connection's read buffer does.
fn run(input: &[u8], cuts: &[usize], limits: &Limits, max: usize) -> (Commands, Option<ProtocolError>) {
    let (mut batch, mut buf, mut out) = (Batch::new(), Vec::new(), Vec::new());
    let mut rest = input;
    let mut cuts = cuts.iter().copied();
    while !rest.is_empty() {
        let n = cuts.next().unwrap_or(rest.len()).clamp(1, rest.len());
        buf.extend_from_slice(&rest[..n]);
        rest = &rest[n..];
        loop {
            let progress = match batch.parse(&buf, limits, max) {
                Ok(progress) => progress,
                Err(error) => return (out, Some(error)),
            };
            assert_eq!(progress.commands, batch.len());
            for i in 0..batch.len() {
                let args = batch.args(i, &buf);
                if let Some(raw) = args.raw() {
                    check_raw(&args, raw);
                }
                out.push(args.iter().map(<[u8]>::to_vec).collect());
            }
            buf.drain(..progress.consumed);
            if progress.consumed == 0 || buf.is_empty() {
                break;
            }
        }
    }
    (out, None)
}

fn check_raw(args: &Args<'_, '_>, raw: &[u8]) {
    let mut expected = Vec::new();
    encode_command(&mut expected, &args.iter().collect::<Vec<_>>());
    assert_eq!(raw, expected, "a multibulk that was accepted is canonical");
}

fn whole(input: &[u8]) -> (Commands, Option<ProtocolError>) {
    run(input, &[], &Limits::default(), usize::MAX)
}

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|w| w.as_bytes().to_vec()).collect()
}

#[test]
fn commands_of_both_kinds() {
    let (commands, error) = whole(
        b"*1\r\n$4\r\nPING\r\n\r\n  \r\nGET  key\n*0\r\n*-1\r\nSET \"a b\" 'c'\r\n*2\r\n$0\r\n\r\n$13\r\n\r\n$5\r\n*1\r\n$\r\n\r\n",
    );
    assert_eq!(error, None);
    assert_eq!(
        commands,
        [
            words(&["PING"]),
            words(&["GET", "key"]),
            words(&["SET", "a b", "c"]),
            words(&["", "\r\n$5\r\n*1\r\n$\r\n"])
        ]
    );
}

#[test]
fn what_lies_between_commands_is_seen() {
    let ping = &b"*1\r\n$4\r\nPING\r\n"[..];
    let key = &b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"[..];
    let seen = |pieces: &[&[u8]]| {
        let (mut batch, buf) = (Batch::new(), pieces.concat());
        batch.parse(&buf, &Limits::default(), usize::MAX).unwrap();
        for i in 0..batch.len() {
            if let Some(raw) = batch.args(i, &buf).raw() {
                assert_eq!(&buf[batch.place(i)], raw);
            }
        }
        batch.is_contiguous()
    };
    assert!(seen(&[]) && seen(&[ping, key, ping]) && seen(&[key, ping, &key[..9]]));
    for other in [&b"\r\n"[..], b"*0\r\n", b"*-1\r\n", b"GET k\r\n", b"GET 'k'\r\n"] {
        assert!(
            !seen(&[other]) && !seen(&[other, ping]) && !seen(&[ping, other, key]) && !seen(&[key, other])
        );
    }
}

#[test]
fn errors_in_the_peers_words() {
    let long = |prefix: &[u8]| [prefix, &[b'1'; 70_000]].concat();
    for (input, text) in [
        (b"*2147483648\r\n".to_vec(), "invalid multibulk length"),
        (b"*\r\n".to_vec(), "invalid multibulk length"),
        (b"*01\r\n".to_vec(), "invalid multibulk length"),
        (b"*+1\r\n".to_vec(), "invalid multibulk length"),
        (b"*1 \r\n".to_vec(), "invalid multibulk length"),
        (b"*1\r\n$536870913\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$-1\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$-0\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$04\r\nPING\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$99999999999999999999\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\nfoo\r\n".to_vec(), "expected '$', got 'f'"),
        (b"*1\r\n\r\n".to_vec(), "expected '$', got ' '"),
        (b"*1\r\n\0\r\n".to_vec(), "expected '$', got '\0'"),
        (b"*1\r\n$4\r\nPINGxx".to_vec(), "invalid CRLF in request"),
        (b"*1\rX".to_vec(), "invalid CRLF in request"),
        (b"PING \"a\r\n".to_vec(), "unbalanced quotes in request"),
        (long(b"a"), "too big inline request"),
        (long(b"*"), "too big mbulk count string"),
        (long(b"*1\r\n$"), "too big bulk count string"),
    ] {
        let (commands, error) = whole(&input);
        assert_eq!(commands, Commands::new());
        let text = format!("Protocol error: {text}");
        assert_eq!(error.map(|e| e.to_string()), Some(text), "{}", input.escape_ascii());
    }
}

#[test]
fn what_precedes_an_error_is_executed() {
    let (commands, error) = whole(b"PING\r\n*1\r\n$4\r\nECHO\r\n*1\r\n!");
    assert_eq!(
        (commands, error),
        (vec![words(&["PING"]), words(&["ECHO"])], None),
        "the line may still come"
    );
    let (commands, error) = whole(b"PING\r\n*1\r\n$4\r\nECHO\r\n*2\r\n$1\r\na\r\n!\r\n");
    assert_eq!(commands, [words(&["PING"]), words(&["ECHO"])]);
    assert_eq!(error, Some(ProtocolError::ExpectedDollar(b'!')));
}

#[test]
fn a_client_that_has_not_authenticated_gets_little() {
    let limits = Limits::default().unauthenticated();
    let error = |input: &[u8]| run(input, &[], &limits, 64).1;
    assert_eq!(error(b"*10\r\n"), None);
    assert_eq!(error(b"*11\r\n"), Some(ProtocolError::UnauthenticatedMultibulkLength));
    assert_eq!(error(b"*1\r\n$16384\r\n"), None);
    assert_eq!(error(b"*1\r\n$16385\r\n"), Some(ProtocolError::UnauthenticatedBulkLength));
}

#[test]
fn the_limits_change_between_two_calls() {
    let input = b"*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n*1\r\n$20000\r\n";
    let mut batch = Batch::new();
    let progress = batch.parse(input, &Limits::default().unauthenticated(), 64).unwrap();
    assert_eq!(progress.commands, 1);
    assert_eq!(batch.parse(&input[progress.consumed..], &Limits::default(), 64).unwrap().commands, 0);
    assert_eq!(batch.wanted(), input.len() - progress.consumed + 20_002);
    assert_eq!(batch.taken(), input.len() - progress.consumed, "nothing of the argument has come");
}

#[test]
fn a_huge_command_in_small_pieces_is_not_scanned_again() {
    // 40,000 arguments, byte by byte: with a second look at what was seen this would take hours.
    let mut input = Vec::new();
    encode_command(&mut input, &vec![b"x".as_slice(); 40_000]);
    let (mut batch, limits) = (Batch::new(), Limits::default());
    for end in 1..input.len() {
        assert_eq!(batch.parse(&input[..end], &limits, 64).unwrap().consumed, 0);
    }
    assert_eq!(batch.parse(&input, &limits, 64).unwrap().consumed, input.len());
    assert_eq!(batch.args(0, &input).len(), 40_000);
}

#[test]
fn a_promise_of_many_arguments_costs_nothing() {
    let mut batch = Batch::new();
    batch.parse(b"*2147483647\r\n", &Limits::default(), 64).unwrap();
    assert!(batch.memory() < 1024);
}

#[test]
fn reset_forgets_a_half_read_command() {
    let mut batch = Batch::new();
    batch.parse(b"*2\r\n$1\r\na\r\n", &Limits::default(), 64).unwrap();
    assert!(batch.is_mid_command());
    batch.reset();
    assert!(!batch.is_mid_command());
    assert_eq!(batch.parse(b"PING\r\n", &Limits::default(), 64).unwrap().commands, 1);
    assert_eq!(&batch.args(0, b"PING\r\n")[0], b"PING");
}

#[test]
fn owned_arguments_are_the_same() {
    let args = Args::from_slices(&[b"SET", b"k\0", b""]);
    let owned = OwnedArgs::new(&args);
    assert_eq!(owned.as_args().raw(), Some(b"*3\r\n$3\r\nSET\r\n$2\r\nk\0\r\n$0\r\n\r\n".as_slice()));
    assert!(owned.as_args().iter().eq(args.iter()));
    assert_eq!(args.skip(1).len(), 2);
    assert_eq!(owned.as_args().skip(5).len(), 0);
    assert_eq!(args.get(3), None);
}

/// Something that a client might send, sensible or not.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let arg = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..12),
        proptest::collection::vec(any::<u8>(), 95..130),
    ];
    prop_oneof![
        8 => proptest::collection::vec(arg, 1..14).prop_map(|args| {
            let mut out = Vec::new();
            encode_command(&mut out, &args.iter().map(Vec::as_slice).collect::<Vec<_>>());
            out
        }),
        3 => "[ a-c\"'\\\\x0-9]{0,20}\r?\n".prop_map(String::into_bytes),
        1 => "[*$0-3\r\n-]{0,8}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn however_it_is_cut(
        pieces in proptest::collection::vec(piece(), 1..8),
        cuts in proptest::collection::vec(1usize..40, 0..60),
        max in 1usize..5,
    ) {
        let input = pieces.concat();
        prop_assert_eq!(run(&input, &[], &Limits::default(), 64), run(&input, &cuts, &Limits::default(), max));
    }

    #[test]
    fn at_every_split_point(pieces in proptest::collection::vec(piece(), 1..4)) {
        let input = pieces.concat();
        let expected = whole(&input);
        for cut in 1..input.len() {
            prop_assert_eq!(&run(&input, &[cut], &Limits::default(), 64), &expected, "cut at {}", cut);
        }
    }

    #[test]
    fn any_bytes_are_survived(
        input in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'$'), Just(b'*')], 0..300),
        cuts in proptest::collection::vec(1usize..20, 0..40),
    ) {
        prop_assert_eq!(run(&input, &cuts, &Limits::default(), 3), whole(&input));
    }
}
