//! Replies as a hostile server may send them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_resp::Decoder;

fuzz_target!(|data: &[u8]| {
    let mut decoder = Decoder::new();
    for piece in data.chunks(13) {
        decoder.feed(piece);
        while let Ok(Some(_)) = decoder.next() {}
    }
});
