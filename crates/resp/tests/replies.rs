//! Encoding and decoding replies: what one writes the other reads, in both protocol versions.

use proptest::prelude::*;
use tanist_resp::{DecodeError, DecodeLimits, Decoder, Proto, Reply, Value, encode_value};

fn encoded(proto: Proto, write: impl FnOnce(&mut Reply<'_>)) -> String {
    let mut out = Vec::new();
    write(&mut Reply::new(&mut out, proto));
    String::from_utf8(out).unwrap()
}

#[test]
fn both_versions_of_every_reply() {
    type Write = fn(&mut Reply<'_>);
    let cases: &[(Write, &str, &str)] = &[
        (|r| r.ok(), "+OK\r\n", "+OK\r\n"),
        (|r| r.simple("PONG"), "+PONG\r\n", "+PONG\r\n"),
        (|r| r.error("ERR a\r\nb\r\n"), "-ERR a  b\r\n", "-ERR a  b\r\n"),
        (|r| r.int(7), ":7\r\n", ":7\r\n"),
        (|r| r.int(-1), ":-1\r\n", ":-1\r\n"),
        (|r| r.int(i64::MIN), ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"),
        (|r| r.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n"),
        (|r| r.bulk(&[b'x'; 10]), "$10\r\nxxxxxxxxxx\r\n", "$10\r\nxxxxxxxxxx\r\n"),
        (|r| r.bulk_int(-12), "$3\r\n-12\r\n", "$3\r\n-12\r\n"),
        (|r| r.null(), "$-1\r\n", "_\r\n"),
        (|r| r.null_array(), "*-1\r\n", "_\r\n"),
        (|r| r.array(100), "*100\r\n", "*100\r\n"),
        (|r| r.map(3), "*6\r\n", "%3\r\n"),
        (|r| r.set(3), "*3\r\n", "~3\r\n"),
        (|r| r.push(3), "*3\r\n", ">3\r\n"),
        (|r| r.bool(true), ":1\r\n", "#t\r\n"),
        (|r| r.bool(false), ":0\r\n", "#f\r\n"),
        (|r| r.double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n"),
        (|r| r.double(3.0), "$1\r\n3\r\n", ",3\r\n"),
        (|r| r.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n"),
        (|r| r.big_number("123"), "$3\r\n123\r\n", "(123\r\n"),
        (|r| r.verbatim(*b"txt", b"hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"),
    ];
    for (write, resp2, resp3) in cases {
        assert_eq!(encoded(Proto::Resp2, write), *resp2);
        assert_eq!(encoded(Proto::Resp3, write), *resp3);
    }
}

#[test]
fn lengths_that_come_out_later() {
    let write = |r: &mut Reply<'_>| {
        r.ok();
        let outer = r.deferred();
        r.int(1);
        let inner = r.deferred();
        r.bulk(b"a");
        r.bulk(b"b");
        r.finish_map(inner, 1);
        r.finish_array(outer, 2);
        r.null();
    };
    assert_eq!(encoded(Proto::Resp2, write), "+OK\r\n*2\r\n:1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n$-1\r\n");
    assert_eq!(encoded(Proto::Resp3, write), "+OK\r\n*2\r\n:1\r\n%1\r\n$1\r\na\r\n$1\r\nb\r\n_\r\n");
}

fn decode_all(input: &[u8]) -> Result<Vec<Value>, DecodeError> {
    let mut decoder = Decoder::new();
    decoder.feed(input);
    let mut out = Vec::new();
    while let Some(value) = decoder.next()? {
        out.push(value);
    }
    Ok(out)
}

#[test]
fn resp2_replies() {
    let values = decode_all(b"*-1\r\n$-1\r\n*0\r\n:+5\r\n*2\r\n$1\r\na\r\n*1\r\n-ERR x\r\n").unwrap();
    let error = Value::Error(b"ERR x".to_vec());
    let nested = Value::Array(vec![Value::Bulk(b"a".to_vec()), Value::Array(vec![error])]);
    assert_eq!(values, [Value::Null, Value::Null, Value::Array(vec![]), Value::Int(5), nested]);
}

#[test]
fn attributes_are_dropped() {
    let values = decode_all(b"|1\r\n+key\r\n*1\r\n:1\r\n|0\r\n*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n").unwrap();
    assert_eq!(values, [Value::Array(vec![Value::Int(1), Value::Int(2)])]);
}

#[test]
fn fields_of_maps_and_flat_arrays() {
    for input in
        [b"%2\r\n+a\r\n:1\r\n$1\r\nb\r\n$1\r\n2\r\n".as_slice(), b"*4\r\n+a\r\n:1\r\n$1\r\nb\r\n$1\r\n2\r\n"]
    {
        let value = decode_all(input).unwrap().remove(0);
        assert_eq!(value.field("a").and_then(Value::as_int), Some(1));
        assert_eq!(value.field("b").and_then(Value::as_int), Some(2));
        assert_eq!(value.field("c"), None);
    }
}

#[test]
fn hostile_replies_are_refused() {
    for (input, error) in [
        (b"?\r\n".as_slice(), DecodeError::UnknownType(b'?')),
        (b"$5\r\nabcdexx", DecodeError::BadLineEnd),
        (b"$-2\r\n", DecodeError::BadLength),
        (b"*99999999999\r\n", DecodeError::BadLength),
        (b"$999999999\r\n", DecodeError::TooLarge),
        (b"*?\r\n", DecodeError::BadLength),
        (b":1.5\r\n", DecodeError::BadScalar),
        (b",abc\r\n", DecodeError::BadScalar),
        (b"#x\r\n", DecodeError::BadScalar),
        (b"(12a\r\n", DecodeError::BadScalar),
        (b"=2\r\nab\r\n", DecodeError::BadScalar),
        (b"+a\rb", DecodeError::BadLineEnd),
    ] {
        assert_eq!(decode_all(input), Err(error), "{}", input.escape_ascii());
    }
    assert_eq!(decode_all(&b"*1\r\n".repeat(33)), Err(DecodeError::TooDeep));
    assert_eq!(decode_all(&[b'+'; 70_000]), Err(DecodeError::LineTooLong));
    let mut small = Decoder::with_limits(DecodeLimits { max_depth: 4, max_bytes: 100 });
    small.feed(b"*4294967295\r\n");
    small.feed(&b":1\r\n".repeat(30));
    assert_eq!(small.next(), Err(DecodeError::TooLarge));
}

#[test]
fn what_follows_the_last_reply_can_be_taken_out() {
    let mut decoder = Decoder::new();
    decoder.feed(b"+CONTINUE\r\n\0\x01raw");
    assert_eq!(decoder.next(), Ok(Some(Value::Simple(b"CONTINUE".to_vec()))));
    assert_eq!(decoder.take_buffered(), b"\0\x01raw");
    assert_eq!(decoder.next(), Ok(None));
}

fn value() -> impl Strategy<Value = Value> {
    let text = || "[ -~]{0,20}".prop_map(String::into_bytes);
    let leaf = prop_oneof![
        text().prop_map(Value::Simple),
        text().prop_map(Value::Error),
        any::<i64>().prop_map(Value::Int),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bulk),
        Just(Value::Null),
        any::<f64>().prop_filter("not a number equals nothing", |d| !d.is_nan()).prop_map(Value::Double),
        any::<bool>().prop_map(Value::Bool),
        "-?[0-9]{1,30}".prop_map(|s| Value::BigNumber(s.into_bytes())),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(|t| Value::Verbatim(*b"txt", t)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let items = || proptest::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            items().prop_map(Value::Array),
            items().prop_map(Value::Set),
            items().prop_map(Value::Push),
            proptest::collection::vec((inner.clone(), inner), 0..4).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        values in proptest::collection::vec(value(), 1..5),
        cuts in proptest::collection::vec(1usize..30, 0..50),
    ) {
        let mut input = Vec::new();
        for value in &values {
            encode_value(&mut input, value);
        }
        let (mut decoder, mut read, mut rest) = (Decoder::new(), Vec::new(), input.as_slice());
        let mut cuts = cuts.into_iter();
        while !rest.is_empty() {
            let n = cuts.next().unwrap_or(rest.len()).min(rest.len());
            decoder.feed(&rest[..n]);
            rest = &rest[n..];
            while let Some(value) = decoder.next().unwrap() {
                read.push(value);
            }
        }
        prop_assert_eq!(read, values);
        prop_assert!(decoder.buffered().is_empty());
    }

    #[test]
    fn any_bytes_are_survived(input in proptest::collection::vec(
        prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'*'), Just(b'$'), Just(b'2')], 0..200,
    )) {
        let whole = decode_all(&input);
        let mut decoder = Decoder::new();
        let mut out = Ok(Vec::new());
        'bytes: for b in &input {
            decoder.feed(std::slice::from_ref(b));
            loop {
                match decoder.next() {
                    Ok(Some(value)) => out.as_mut().unwrap().push(value),
                    Ok(None) => break,
                    Err(error) => {
                        out = Err(error);
                        break 'bytes;
                    }
                }
            }
        }
        // Not-a-number equals nothing: compare as text.
        prop_assert_eq!(format!("{out:?}"), format!("{whole:?}"));
    }
}
