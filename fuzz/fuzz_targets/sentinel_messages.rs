//! What nodes and other sentinels say: INFO, hello messages, pushed states, votes. The sentinel goes on and its
//! invariants hold.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_resp::Value;
use tanist_sentinel::core::{Config, Facts, Input, Output, Sentinel, SessionId};
use tanist_types::{Mono, Now};

fuzz_target!(|data: &[u8]| {
    let now = Now { mono: Mono::from_millis(1), wall_us: 0 };
    let config = Config::parse("sentinel monitor m 127.0.0.1 6379 1\n").expect("a good configuration");
    let mut sentinel = Sentinel::new(config, Facts::default(), now, 1);
    let mut outputs = Vec::new();
    sentinel.step(now, Input::Tick, &mut outputs);
    let links: Vec<_> = outputs
        .drain(..)
        .filter_map(|o| match o {
            Output::Connect { link, .. } => Some(link),
            _ => None,
        })
        .collect();
    let ip = [127, 0, 0, 1].into();
    for link in &links {
        sentinel.step(now, Input::LinkUp { link: *link, remote: ip, local: ip }, &mut outputs);
    }
    let session = SessionId(1);
    let opened = Input::SessionOpened { session, remote: String::new(), local: String::new() };
    sentinel.step(now, opened, &mut outputs);
    let hello = vec![b"PUBLISH".to_vec(), b"__sentinel__:hello".to_vec(), data.to_vec()];
    sentinel.step(now, Input::Command { session, args: hello }, &mut outputs);
    for channel in ["__sentinel__:hello", "__tanist__:state"] {
        for link in &links {
            let words = [b"message".as_slice(), channel.as_bytes(), data];
            let value = Value::Array(words.iter().map(|w| Value::Bulk(w.to_vec())).collect());
            sentinel.step(now, Input::LinkReply { link: *link, value }, &mut outputs);
        }
    }
    // The first replies answer the name and the PING, the third INFO.
    for link in &links {
        for _ in 0..4 {
            let value = Value::Bulk(data.to_vec());
            sentinel.step(now, Input::LinkReply { link: *link, value }, &mut outputs);
        }
    }
    sentinel.check().expect("the invariants hold");
});
