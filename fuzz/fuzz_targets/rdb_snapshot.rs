//! A snapshot from a hostile primary or a damaged disk, in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_rdb::{Limits, Reader};

fuzz_target!(|data: &[u8]| {
    let mut reader = Reader::new(Limits { max_string: 1 << 20, databases: 16 });
    for piece in data.chunks(17) {
        reader.feed(piece);
        loop {
            match reader.next_item() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
    let _ = reader.finish();
});
